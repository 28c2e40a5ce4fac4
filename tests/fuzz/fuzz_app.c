/* SPDX-License-Identifier: Apache-2.0 */
/* One protocol's parser with its files, buffers and events, or all of them and their recognition:
 * FUZZ_PROTO is its name or "" and FUZZ_UDP says over what. An input is a list of steps: a byte of
 * flags (bit 0 direction, 1 gap, 2 end of stream, 3 cut at the depth, 4 forget what is done), a
 * length in two bytes, and the bytes. Each step's bytes lie in memory of their own size. */
#include "fuzz.h"

#include "base/rd.h"
#include "proto/app.h"
#include "proto/conf.h"
#include "proto/file.h"

#include <stdlib.h>

#ifndef FUZZ_PROTO
#define FUZZ_PROTO ""
#endif
#ifndef FUZZ_UDP
#define FUZZ_UDP 0
#endif

static uint32_t touched;

static void touch(struct span s)
{
    for (size_t i = 0; i < s.n; i += 13)
        touched += s.p[i];
    if (s.n)
        touched += s.p[s.n - 1];
}

/* All that there is to see of a transaction. */
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
    app->log_body_text = app->log_body_base64 = true;
    for (int alert = 0; app->proto->log && alert < 2; alert++) {
        for (enum dir d = DIR_TS; d <= DIR_TC; d++) {
            app->proto->log(app, tx, d, alert, &ev);
            if (!event_end(&ev))
                touched++;
            buf_clear(out);
            event_begin(&ev, out);
        }
    }
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

/* Gives what was kept with what came; each time from memory that ends where the bytes end. A
 * datagram is given once. */
static void give(struct app *app, struct buf *kept, enum dir dir, struct span s, unsigned flags)
{
    /* the flow was turned round: so is what comes */
    enum dir as = app->swapped ? dir_other(dir) : dir;

    buf_span_add(&kept[dir], s);
    size_t n = kept[dir].n;
    uint8_t *copy = malloc(n ? n : 1);

    must(copy);
    if (n)
        memcpy(copy, kept[dir].p, n);
    size_t used = app_feed(app, as, span_of(copy, n), flags);
    must(used <= n);
    free(copy);
    buf_drop(&kept[dir], FUZZ_UDP ? n : used);
}

static void configure(struct proto_conf *conf)
{
    proto_conf_default(conf);
    conf->file.md5 = conf->file.sha1 = conf->file.sha256 = conf->file.sm3 = true;
    conf->log.http.all_request_headers = conf->log.http.all_response_headers = true;
    conf->log.http.xff_mode = 1;
    conf->tls.ja3 = conf->tls.ja4 = conf->tls.encrypt_full = true;
    conf->log.tls.extended = conf->log.tls.session_resumption = true;
    conf->log.tls.ja3 = conf->log.tls.ja4 = true;
    conf->log.tls.custom = UINT64_MAX >> 1;
    conf->ssh.hassh = true;
    conf->log.dns.requests = conf->log.dns.responses = true;
    conf->log.dns.grouped = conf->log.dns.detailed = true;
    conf->log.dns.version = 3;
    for (unsigned i = 1; i < PROTO_COUNT; i++)
        conf->enabled[i] = !FUZZ_PROTO[0] || strcmp(proto_table[i]->name, FUZZ_PROTO) == 0;
}

int fuzz_one(const uint8_t *p, size_t n)
{
    static struct proto_conf conf;
    struct arena_pool pool;
    struct app app;
    struct verdict v = {0};
    struct rd r = rd_whole(span_of(p, n), &v);
    struct buf kept[2] = {buf_new(1 << 20), buf_new(1 << 20)}, out = buf_new(1 << 20);

    configure(&conf);
    arena_pool_init(&pool, 128 << 20);
    struct app_env env = {.conf = &conf, .pool = &pool};
    app_init(&app, &env, FUZZ_UDP ? TRANSPORT_UDP : TRANSPORT_TCP, 40000, FUZZ_UDP ? 53 : 80);
    for (unsigned steps = 0; rd_more(&r) && steps < 4096; steps++) {
        unsigned op = rd_u8(&r);
        size_t len = rd_u16(&r);
        enum dir dir = op & 1 ? DIR_TC : DIR_TS;
        if (op & 2 && !FUZZ_UDP) {
            app_gap(&app, app.swapped ? dir_other(dir) : dir, len + 1);
        } else {
            struct span s = rd_bytes(&r, len < r.n ? len : r.n);
            give(&app, kept, dir, s, (op & 4 ? PARSE_EOF : 0u) | (op & 8 ? PARSE_TRUNCATED : 0u));
            if (app.other_first)
                give(&app, kept, dir_other(dir), SPAN(""), 0);
        }
        if (app.change_asked) {
            for (struct tx *tx = app.first; tx && app.proto; tx = tx->next)
                look(&app, tx, &out);
            app_change_now(&app);
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
