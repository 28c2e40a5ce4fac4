/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP flow for unit tests: feed it, then ask for events, buffers and the EVE object. The
 * transactions are kept until the flow ends, as if they had not been logged. */
#pragma once

#include "proto/app.h"
#include "proto/conf.h"
#include "proto/file.h"
#include "proto/proto.h"

#include "unit.h"

#include <stdlib.h>

struct http_flow {
    struct proto_conf conf;
    struct arena_pool pool;
    struct app_env env;
    struct app app;
    struct buf log;
};

static inline void flow_begin(struct http_flow *f)
{
    proto_conf_default(&f->conf);
    f->conf.file.md5 = f->conf.file.sha256 = true;
    arena_pool_init(&f->pool, 64 << 20);
    f->env = (struct app_env){.conf = &f->conf, .pool = &f->pool};
    app_init(&f->app, &f->env, TRANSPORT_TCP, 40000, 80);
    f->log = buf_new(1 << 20);
}

static inline void flow_end(struct http_flow *f)
{
    app_free(&f->app);
    file_pool_free(&f->env);
    CHECK(f->pool.bytes == 0);
    arena_pool_free(&f->pool);
    buf_free(&f->log);
}

static inline void feed_span(struct http_flow *f, enum dir dir, struct span s)
{
    size_t used = app_feed(&f->app, dir, s, 0);
    CHECK(used == s.n);
}

static inline void feed(struct http_flow *f, enum dir dir, const char *s)
{
    feed_span(f, dir, span_str(s));
}

/* A byte at a time, each from memory of its own size, so that ASan sees reads beyond. */
static inline void feed_bytes(struct http_flow *f, enum dir dir, struct span s)
{
    size_t held = 0, from = 0;

    for (size_t i = 1; i <= s.n; i++) {
        size_t n = i - from;
        uint8_t *copy = malloc(n);
        memcpy(copy, s.p + from, n);
        size_t used = app_feed(&f->app, dir, span_of(copy, n), 0);
        free(copy);
        from += used;
        held = n - used;
    }
    CHECK(held == 0);
}

static inline void flow_eof(struct http_flow *f)
{
    (void)app_feed(&f->app, DIR_TS, SPAN(""), PARSE_EOF);
    (void)app_feed(&f->app, DIR_TC, SPAN(""), PARSE_EOF);
}

static inline struct tx *nth_tx(struct http_flow *f, unsigned n)
{
    struct tx *tx = f->app.first;

    while (tx && n--)
        tx = tx->next;
    return tx;
}

/* The http object of the n-th transaction as text; "" without one. */
static inline const char *logged(struct http_flow *f, unsigned n)
{
    struct tx *tx = nth_tx(f, n);
    struct event ev;

    buf_clear(&f->log);
    if (!tx)
        return "";
    event_begin(&ev, &f->log);
    f->app.proto->log(&f->app, tx, DIR_TS, false, &ev);
    CHECK(event_end(&ev));
    f->log.n--; /* the end of the line */
    return buf_cstr(&f->log);
}

static inline const struct proto_buffer *buffer_named(struct http_flow *f, const char *name)
{
    for (size_t i = 0; i < f->app.proto->n_buffers; i++) {
        if (strcmp(f->app.proto->buffers[i].name, name) == 0)
            return &f->app.proto->buffers[i];
    }
    return NULL;
}

/* The content of a buffer, quoted as C has it for control characters; "(none)". */
static inline const char *look(struct http_flow *f, unsigned n, enum dir dir, const char *name)
{
    const struct proto_buffer *b = buffer_named(f, name);
    struct tx *tx = nth_tx(f, n);
    struct inspect in;

    CHECK(b && tx);
    if (!b || !tx || !b->get(tx, dir, 0, &in))
        return "(none)";
    buf_clear(&f->log);
    for (size_t i = 0; i < in.data.n; i++) {
        uint8_t ch = in.data.p[i];
        if (ch == '\r' || ch == '\n') {
            buf_byte(&f->log, '\\');
            buf_byte(&f->log, ch == '\r' ? 'r' : 'n');
        } else if (!ascii_is_print(ch)) {
            buf_printf(&f->log, "\\x%02x", ch);
        } else {
            buf_byte(&f->log, ch);
        }
    }
    return buf_cstr(&f->log);
}

/* The names of the n-th transaction's anomalies, separated by spaces. */
static inline const char *anomalies(struct http_flow *f, unsigned n)
{
    struct tx *tx = nth_tx(f, n);

    buf_clear(&f->log);
    for (size_t i = 0; tx && i < tx->n_events; i++) {
        if (i)
            buf_byte(&f->log, ' ');
        buf_str(&f->log, f->app.proto->event_names[tx->events[i]]);
    }
    return buf_cstr(&f->log);
}
