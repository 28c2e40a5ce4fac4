/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP parser, its bodies, files, buffers and events. An input is a list of steps: a byte of
 * flags (bit 0 direction, 1 gap, 2 end of stream, 3 cut at the depth, 4 forget what is done), a
 * length in two bytes, and the bytes. Each step's bytes lie in memory of their own size. */
#include "fuzz.h"

#include "base/rd.h"
#include "proto/app.h"
#include "proto/conf.h"
#include "proto/file.h"

#include <stdlib.h>

static uint32_t touched;

static void touch(struct span s)
{
    for (size_t i = 0; i < s.n; i += 13)
        touched += s.p[i];
    if (s.n)
        touched += s.p[s.n - 1];
}

static void look(struct app *app, struct tx *tx, struct buf *out)
{
    for (enum dir d = DIR_TS; d <= DIR_TC; d++) {
        for (size_t i = 0; i < app->proto->n_buffers; i++) {
            const struct proto_buffer *b = &app->proto->buffers[i];
            struct inspect in;
            for (uint32_t k = 0; b->dirs >> d & 1 && k < 3 && b->get(tx, d, k, &in); k++)
                touch(in.data);
        }
        for (size_t i = 0; i < app->proto->n_values; i++) {
            uint64_t v;
            if (app->proto->values[i].dirs >> d & 1 && app->proto->values[i].get(tx, d, 0, &v))
                touched += (uint32_t)v;
        }
    }
    struct event ev;
    buf_clear(out);
    event_begin(&ev, out);
    app->proto->log(app, tx, DIR_TS, false, &ev);
    for (const struct file *f = tx->files[DIR_TC]; f; f = f->next) {
        must(f->window.n <= f->window.max || !f->window.max);
        event_open(&ev, F_fileinfo);
        file_log(&ev, f, tx, false);
        event_close(&ev);
        break;
    }
    if (!event_end(&ev))
        touched++;
    must(tx->n_events <= TX_EVENTS);
    for (size_t i = 0; i < tx->n_events; i++)
        must(tx->events[i] < app->proto->n_events);
    tx->logged[DIR_TS] = tx->inspected[DIR_TS] = tx->inspected[DIR_TC] = true;
}

/* Gives what was kept with what came; each time from memory that ends where the bytes end. */
static void give(struct app *app, struct buf *kept, enum dir dir, struct span s, unsigned flags)
{
    buf_span_add(&kept[dir], s);
    size_t n = kept[dir].n;
    uint8_t *copy = malloc(n ? n : 1);

    must(copy);
    if (n)
        memcpy(copy, kept[dir].p, n);
    size_t used = app_feed(app, dir, span_of(copy, n), flags);
    must(used <= n);
    free(copy);
    buf_drop(&kept[dir], used);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    static struct proto_conf conf;
    struct arena_pool pool;
    struct app app;
    struct verdict v = {0};
    struct rd r = rd_whole(span_of(p, n), &v);
    struct buf kept[2] = {buf_new(1 << 20), buf_new(1 << 20)}, out = buf_new(1 << 20);

    proto_conf_default(&conf);
    conf.file.sha256 = true;
    conf.http_log.all_request_headers = conf.http_log.all_response_headers = true;
    for (unsigned i = 1; i < PROTO_COUNT; i++)
        conf.enabled[i] = strcmp(proto_table[i]->name, "http") == 0;
    arena_pool_init(&pool, 128 << 20);
    struct app_env env = {.conf = &conf, .pool = &pool};
    app_init(&app, &env, TRANSPORT_TCP, 40000, 80);
    for (unsigned steps = 0; rd_more(&r) && steps < 4096; steps++) {
        unsigned op = rd_u8(&r);
        size_t len = rd_u16(&r);
        enum dir dir = op & 1 ? DIR_TC : DIR_TS;
        if (op & 2) {
            app_gap(&app, dir, len + 1);
        } else {
            struct span s = rd_bytes(&r, len < r.n ? len : r.n);
            give(&app, kept, dir, s, (op & 4 ? PARSE_EOF : 0u) | (op & 8 ? PARSE_TRUNCATED : 0u));
            if (app.other_first)
                give(&app, kept, dir_other(dir), SPAN(""), 0);
        }
        if (!(op & 16) || !app.proto)
            continue;
        for (struct tx *tx = app.first; tx; tx = tx->next)
            look(&app, tx, &out);
        app_tx_clean(&app, true);
    }
    give(&app, kept, DIR_TS, SPAN(""), PARSE_EOF);
    give(&app, kept, DIR_TC, SPAN(""), PARSE_EOF);
    for (struct tx *tx = app.first; tx && app.proto; tx = tx->next)
        look(&app, tx, &out);
    app_free(&app);
    must(pool.bytes == 0);
    file_pool_free(&env);
    arena_pool_free(&pool);
    buf_free(&kept[0]);
    buf_free(&kept[1]);
    buf_free(&out);
    return 0;
}
