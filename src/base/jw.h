/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON into a buffer piece by piece. The comma comes by itself: after an opening bracket, a
 * colon or nothing there is none, after anything else there is one (a finished value never ends in
 * one of these, a string ends in its quote). Balance is the caller's. */
#pragma once

#include "base/json.h"

static inline void jw_comma(struct buf *b)
{
    uint8_t last = b->n ? b->p[b->n - 1] : '\n';
    if (last != '{' && last != '[' && last != ':' && last != '\n')
        buf_byte(b, ',');
}

/* '{' or '[' */
static inline void jw_open(struct buf *b, char bracket)
{
    jw_comma(b);
    buf_byte(b, (uint8_t)bracket);
}

static inline void jw_close(struct buf *b, char bracket)
{
    buf_byte(b, (uint8_t)bracket);
}

/* `key` is a plain name without anything to escape. */
static inline void jw_key(struct buf *b, const char *key)
{
    jw_comma(b);
    buf_byte(b, '"');
    buf_str(b, key);
    buf_add(b, "\":", 2);
}

static inline void jw_span(struct buf *b, struct span s)
{
    jw_comma(b);
    json_add_string(b, s);
}

static inline void jw_text(struct buf *b, const char *s)
{
    jw_span(b, span_str(s));
}

static inline void jw_uint(struct buf *b, uint64_t v)
{
    jw_comma(b);
    buf_u64(b, v);
}

static inline void jw_int(struct buf *b, int64_t v)
{
    jw_comma(b);
    buf_i64(b, v);
}

static inline void jw_double(struct buf *b, double v)
{
    jw_comma(b);
    json_add_double(b, v);
}

static inline void jw_bool(struct buf *b, bool v)
{
    jw_comma(b);
    buf_str(b, v ? "true" : "false");
}

static inline void jw_null(struct buf *b)
{
    jw_comma(b);
    buf_add(b, "null", 4);
}

/* A value that is JSON already. */
static inline void jw_raw(struct buf *b, struct span s)
{
    jw_comma(b);
    buf_span_add(b, s);
}

static inline void jw_member_text(struct buf *b, const char *key, const char *s)
{
    jw_key(b, key);
    jw_text(b, s);
}

static inline void jw_member_span(struct buf *b, const char *key, struct span s)
{
    jw_key(b, key);
    jw_span(b, s);
}

static inline void jw_member_uint(struct buf *b, const char *key, uint64_t v)
{
    jw_key(b, key);
    jw_uint(b, v);
}

static inline void jw_member_bool(struct buf *b, const char *key, bool v)
{
    jw_key(b, key);
    jw_bool(b, v);
}
