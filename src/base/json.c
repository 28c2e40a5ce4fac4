/* SPDX-License-Identifier: Apache-2.0 */
/* The pull parser and the string writer. Strings dominate events, so both run byte classes from a
 * table and copy runs at once. */
#include "base/json.h"

#include "base/hex.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void json_init(struct json *j, struct span text)
{
    *j = (struct json){.text = text, .first = true};
}

static enum json_type json_fail(struct json *j, const char *why)
{
    verdict_set(&j->v, RD_BAD, why, j->text.p + min_size(j->at, j->text.n));
    return JSON_BAD;
}

static void json_space(struct json *j)
{
    while (j->at < j->text.n) {
        uint8_t c = j->text.p[j->at];
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
            break;
        j->at++;
    }
}

static int json_peek(struct json *j)
{
    json_space(j);
    return j->at < j->text.n ? j->text.p[j->at] : -1;
}

/* Reads a string whose opening quote is at j->at. */
static bool json_string(struct json *j, struct span *ret, bool *escaped)
{
    const uint8_t *p = j->text.p;
    size_t n = j->text.n, i = j->at + 1, start = i;
    uint8_t high = 0;

    *escaped = false;
    for (; i < n && p[i] != '"'; i++) {
        high |= p[i];
        if (p[i] == '\\') {
            *escaped = true;
            i++;
            if (i < n && !strchr("\"\\/bfnrtu", p[i]))
                i = n;
        } else if (p[i] < 0x20) {
            j->at = i;
            return json_fail(j, "control character in a string") != JSON_BAD;
        }
    }
    if (i >= n)
        return json_fail(j, "string without an end") != JSON_BAD;
    *ret = (struct span){p + start, i - start};
    if ((high & 0x80) && !utf8_valid(*ret))
        return json_fail(j, "not UTF-8") != JSON_BAD;
    j->at = i + 1;
    return true;
}

static bool json_number_shape(struct span s, bool *real)
{
    size_t i = s.n && s.p[0] == '-';
    size_t digits = i;

    while (i < s.n && ascii_is_digit(s.p[i]))
        i++;
    if (i == digits || (s.p[digits] == '0' && i - digits > 1))
        return false;
    *real = i < s.n;
    if (i < s.n && s.p[i] == '.') {
        digits = ++i;
        while (i < s.n && ascii_is_digit(s.p[i]))
            i++;
        if (i == digits)
            return false;
    }
    if (i < s.n && (s.p[i] | 0x20) == 'e') {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        digits = i;
        while (i < s.n && ascii_is_digit(s.p[i]))
            i++;
        if (i == digits)
            return false;
    }
    return i == s.n;
}

static enum json_type json_number(struct json *j, struct json_value *v)
{
    size_t start = j->at;
    char text[64];
    bool real;

    while (j->at < j->text.n &&
           (ascii_is_digit(j->text.p[j->at]) || j->text.p[j->at] == '-' ||
            j->text.p[j->at] == '+' || j->text.p[j->at] == '.' || (j->text.p[j->at] | 0x20) == 'e'))
        j->at++;
    v->raw = span_cut(j->text, start, j->at - start);
    if (v->raw.n >= sizeof(text) || !json_number_shape(v->raw, &real)) {
        j->at = start;
        return json_fail(j, "not a number");
    }
    if (!real && span_i64(v->raw, &v->i)) {
        v->u = (uint64_t)v->i;
        v->d = (double)v->i;
        return v->type = JSON_INT;
    }
    if (!real && span_u64(v->raw, &v->u)) {
        v->d = (double)v->u;
        return v->type = JSON_UINT;
    }
    span_copy(v->raw, text, sizeof(text));
    v->d = strtod(text, NULL);
    return v->type = JSON_DOUBLE;
}

static enum json_type json_word(struct json *j, struct json_value *v)
{
    struct span rest = span_from(j->text, j->at);
    static const struct {
        struct span word;
        enum json_type type;
        bool b;
    } words[] = {{{(const uint8_t *)"true", 4}, JSON_BOOL, true},
                 {{(const uint8_t *)"false", 5}, JSON_BOOL, false},
                 {{(const uint8_t *)"null", 4}, JSON_NULL, false}};

    for (size_t i = 0; i < LEN(words); i++) {
        if (span_starts(rest, words[i].word)) {
            v->b = words[i].b;
            v->raw = span_cut(rest, 0, words[i].word.n);
            j->at += words[i].word.n;
            return v->type = words[i].type;
        }
    }
    return json_fail(j, "not a value");
}

static enum json_type json_open(struct json *j, struct json_value *v, uint8_t c)
{
    if (j->depth == JSON_DEPTH)
        return json_fail(j, "nested too deep");
    v->raw = span_cut(j->text, j->at, 1);
    j->stack[j->depth++] = c;
    j->first = true;
    j->at++;
    return v->type = c == '{' ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_type json_value(struct json *j, struct json_value *v)
{
    int c = json_peek(j);

    switch (c) {
    case '"':
        if (!json_string(j, &v->raw, &v->escaped))
            return v->type = JSON_BAD;
        v->type = JSON_STRING;
        break;
    case '{':
    case '[':
        return json_open(j, v, (uint8_t)c);
    case -1:
        return v->type = json_fail(j, "text ends where a value should be");
    default:
        if (c == '-' || ascii_is_digit((uint8_t)c))
            v->type = json_number(j, v);
        else
            v->type = json_word(j, v);
    }
    j->first = false;
    return v->type;
}

static bool json_member_key(struct json *j, struct json_value *v)
{
    if (json_peek(j) != '"') {
        json_fail(j, "key expected");
        return false;
    }
    if (!json_string(j, &v->key, &v->key_escaped))
        return false;
    if (json_peek(j) != ':') {
        json_fail(j, "colon expected");
        return false;
    }
    j->at++;
    return true;
}

enum json_type json_next(struct json *j, struct json_value *v)
{
    *v = (struct json_value){.type = JSON_BAD};
    if (j->v.state != RD_OK)
        return JSON_BAD;
    if (j->depth == 0) {
        if (!j->first)
            return v->type = JSON_END;
        enum json_type t = json_value(j, v);
        return t;
    }
    uint8_t open = j->stack[j->depth - 1];
    int c = json_peek(j);
    if (c == (open == '{' ? '}' : ']')) {
        j->at++;
        j->depth--;
        j->first = false;
        return v->type = JSON_END;
    }
    if (!j->first) {
        if (c != ',')
            return v->type = json_fail(j, "comma expected");
        j->at++;
    }
    if (open == '{' && !json_member_key(j, v))
        return v->type = JSON_BAD;
    return json_value(j, v);
}

bool json_skip(struct json *j, struct json_value *v)
{
    size_t start = v->raw.n ? (size_t)(v->raw.p - j->text.p) : j->at;
    unsigned depth = j->depth;
    struct json_value inner;

    if (v->type != JSON_OBJECT && v->type != JSON_ARRAY)
        return v->type != JSON_BAD;
    while (j->depth >= depth)
        if (json_next(j, &inner) == JSON_BAD)
            return false;
    v->raw = span_cut(j->text, start, j->at - start);
    return true;
}

bool json_done(struct json *j)
{
    json_space(j);
    return j->v.state == RD_OK && j->depth == 0 && !j->first && j->at == j->text.n;
}

static void utf8_add(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_byte(b, (uint8_t)c);
    } else if (c < 0x800) {
        buf_byte(b, (uint8_t)(0xc0 | c >> 6));
        buf_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_byte(b, (uint8_t)(0xe0 | c >> 12));
        buf_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        buf_byte(b, (uint8_t)(0xf0 | c >> 18));
        buf_byte(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        buf_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* Four hex digits at s.p[at], or -1. */
static int32_t json_hex4(struct span s, size_t at)
{
    int32_t v = 0;

    if (s.n < at + 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        int d = ascii_hex(s.p[at + i]);
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

/* A \u escape whose digits start at `at`; returns how many characters it took. */
static size_t json_unicode(struct buf *b, struct span raw, size_t at)
{
    int32_t c = json_hex4(raw, at);

    if (c < 0) {
        utf8_add(b, 0xfffd);
        return 0;
    }
    if (c >= 0xd800 && c < 0xdc00 && raw.n >= at + 10 && raw.p[at + 4] == '\\' &&
        raw.p[at + 5] == 'u') {
        int32_t low = json_hex4(raw, at + 6);
        if (low >= 0xdc00 && low < 0xe000) {
            utf8_add(b, 0x10000 + (((uint32_t)c - 0xd800) << 10) + ((uint32_t)low - 0xdc00));
            return 10;
        }
    }
    utf8_add(b, c >= 0xd800 && c < 0xe000 ? 0xfffd : (uint32_t)c);
    return 4;
}

void json_unescape(struct buf *b, struct span raw)
{
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] != '\\') {
            size_t run = span_find_byte(span_from(raw, i), '\\');
            buf_add(b, raw.p + i, run);
            i += run - 1;
            continue;
        }
        if (++i == raw.n)
            return;
        switch (raw.p[i]) {
        case 'b':
            buf_byte(b, '\b');
            break;
        case 'f':
            buf_byte(b, '\f');
            break;
        case 'n':
            buf_byte(b, '\n');
            break;
        case 'r':
            buf_byte(b, '\r');
            break;
        case 't':
            buf_byte(b, '\t');
            break;
        case 'u':
            i += json_unicode(b, raw, i + 1);
            break;
        default:
            buf_byte(b, raw.p[i]);
        }
    }
}

static void json_escape_byte(struct buf *b, uint8_t c)
{
    static const char short_form[128] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                         ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};

    buf_byte(b, '\\');
    if (c < 128 && short_form[c]) {
        buf_byte(b, (uint8_t)short_form[c]);
        return;
    }
    buf_str(b, "u00");
    hex_add(b, (struct span){&c, 1}, 0);
}

static bool json_plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

void json_add_escaped(struct buf *b, struct span s)
{
    bool utf8 = true;
    size_t i = 0, start = 0;

    while (i < s.n && s.p[i] < 0x80)
        i++;
    if (i < s.n)
        utf8 = utf8_valid(span_from(s, i));
    for (i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (json_plain(c) && (c < 0x80 || utf8))
            continue;
        buf_add(b, s.p + start, i - start);
        start = i + 1;
        if (c >= 0x80) {
            buf_str(b, "\\\\x");
            hex_add(b, (struct span){&c, 1}, 0);
        } else {
            json_escape_byte(b, c);
        }
    }
    buf_add(b, s.p + start, s.n - start);
}

void json_add_string(struct buf *b, struct span s)
{
    buf_byte(b, '"');
    json_add_escaped(b, s);
    buf_byte(b, '"');
}

void json_add_double(struct buf *b, double d)
{
    char text[40];

    if (!isfinite(d)) {
        buf_str(b, "null");
        return;
    }
    if (d >= 0 && d <= 0 && signbit(d)) {
        buf_str(b, "-0.0"); /* "-0" would read back as an integer without sign */
        return;
    }
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*g", precision, d);
        if (strtod(text, NULL) >= d && strtod(text, NULL) <= d)
            break;
    }
    buf_str(b, text);
}
