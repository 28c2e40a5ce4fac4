/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259): a single-pass pull parser over borrowed bytes with a depth limit, exact 64-bit
 * integers and UTF-8 validation, and the few writers that everything else builds upon. The parser
 * never allocates; strings come back as raw slices, unescaped on request. */
#pragma once

#include "base/buf.h"
#include "base/rd.h"

enum json_type {
    JSON_BAD, /* not JSON: see json.v */
    JSON_END, /* of the enclosing object or array, or of the text */
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,  /* fits int64_t: value.i */
    JSON_UINT, /* beyond INT64_MAX, fits uint64_t: value.u */
    JSON_DOUBLE,
    JSON_STRING,
    JSON_OBJECT, /* entered: pull members until JSON_END */
    JSON_ARRAY,  /* entered: pull elements until JSON_END */
};

enum { JSON_DEPTH = 32 };

struct json {
    struct span text;
    size_t at;
    struct verdict v; /* v.at points at the fault */
    uint8_t depth;
    uint8_t stack[JSON_DEPTH]; /* '{' or '[' */
    bool first;                /* nothing read yet in this container */
};

struct json_value {
    enum json_type type;
    struct span key; /* raw, in an object; may hold escapes if key_escaped */
    struct span raw; /* the value's text; of a string without its quotes */
    bool key_escaped, escaped;
    bool b;
    int64_t i;
    uint64_t u;
    double d;
};

void json_init(struct json *j, struct span text);
/* The next value: of the text, or the next member or element of the container that is open. After
 * JSON_OBJECT/JSON_ARRAY the container is open. The type is returned and stands in v->type. */
enum json_type json_next(struct json *j, struct json_value *v);
/* Passes over the rest of the container that json_next just opened. raw then spans all of it. */
bool json_skip(struct json *j, struct json_value *v);
/* After the one top value: is there nothing left but white space? */
bool json_done(struct json *j);
/* Appends the unescaped bytes of a string value's raw text to b. */
void json_unescape(struct buf *b, struct span raw);
/* Is this member's key the given literal? (keys with escapes never are) */
static inline bool json_key_is(const struct json_value *v, struct span key)
{
    return !v->key_escaped && span_eq(v->key, key);
}

/* A quoted string: valid UTF-8 is kept; in other text each byte above 0x7f becomes \\xHH, as
 * Suricata's EVE writer does. */
void json_add_string(struct buf *b, struct span s);
/* Only the inside, without quotes. */
void json_add_escaped(struct buf *b, struct span s);
/* A number with up to 17 digits that reads back the same; not finite: null. */
void json_add_double(struct buf *b, double d);
