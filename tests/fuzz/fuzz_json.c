/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader: any text is read to its end or refused; what is read is written again and then
 * reads as the same. The command line's look-ups run on the same text. */
#include "fuzz.h"

#include "base/jw.h"
#include "base/must.h"
#include "cli/client.h"

/* Writes the value that json_next gave, containers with all they hold. False: not JSON. */
static bool copy(struct json *j, const struct json_value *v, struct buf *out, struct buf *scratch)
{
    struct json_value in;

    if (v->key.p && j->depth > 0 && j->stack[j->depth - 1] == '{' && v->type != JSON_OBJECT &&
        v->type != JSON_ARRAY)
        must(v->key.n <= j->text.n);
    switch (v->type) {
    case JSON_NULL:
        jw_null(out);
        return true;
    case JSON_BOOL:
        jw_bool(out, v->b);
        return true;
    case JSON_INT:
        jw_int(out, v->i);
        return true;
    case JSON_UINT:
        must(v->u > INT64_MAX);
        jw_uint(out, v->u);
        return true;
    case JSON_DOUBLE:
        jw_double(out, v->d);
        return true;
    case JSON_STRING:
        buf_clear(scratch);
        json_unescape(scratch, v->raw);
        must(v->escaped || span_eq(buf_span(scratch), v->raw));
        jw_span(out, buf_span(scratch));
        return true;
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    default:
        return false;
    }
    bool object = v->type == JSON_OBJECT;
    jw_open(out, object ? '{' : '[');
    while (json_next(j, &in) != JSON_END) {
        if (in.type == JSON_BAD)
            return false;
        if (object) {
            buf_clear(scratch);
            json_unescape(scratch, in.key);
            jw_span(out, buf_span(scratch));
            buf_byte(out, ':');
        }
        if (!copy(j, &in, out, scratch))
            return false;
    }
    jw_close(out, object ? '}' : ']');
    return true;
}

static bool whole(struct span text, struct buf *out)
{
    struct buf scratch = buf_new(8 << 20);
    struct json j;
    struct json_value v;

    json_init(&j, text);
    json_next(&j, &v);
    bool ok = copy(&j, &v, out, &scratch) && json_done(&j);
    must(ok || j.v.state != RD_OK || v.type == JSON_END || !json_done(&j));
    buf_free(&scratch);
    return ok;
}

/* Skipping comes to the same end as reading. */
static void skip(struct span text, bool ok)
{
    struct json j;
    struct json_value v;

    json_init(&j, text);
    json_next(&j, &v);
    if (v.type == JSON_OBJECT || v.type == JSON_ARRAY)
        must((json_skip(&j, &v) && json_done(&j)) == ok);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    struct span text = span_of(p, n);
    struct buf once = buf_new(64 << 20), twice = buf_new(64 << 20), found = buf_new(8 << 20);
    uint64_t u;
    double d;

    bool ok = whole(text, &once);
    if (ok) {
        must(whole(buf_span(&once), &twice));
        must(span_eq(buf_span(&once), buf_span(&twice)));
    }
    skip(text, ok);
    (void)json_text_at(text, "a.b", &found);
    (void)json_uint_at(text, "a", &u);
    (void)json_double_at(text, "a.b.c", &d);
    buf_free(&once);
    buf_free(&twice);
    buf_free(&found);
    return 0;
}
