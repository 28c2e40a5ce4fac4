/* SPDX-License-Identifier: Apache-2.0 */
/* From shapes to JSON Schema 2020-12 as OpenAPI 3.1 has it. */
#include "api/shape.h"

#include "base/jw.h"
#include "base/must.h"

const struct shape shapes[] = {
#define SHAPE(name, text) {name, text},
#include "api/shapes.def"
#undef SHAPE
};
const size_t shapes_n = LEN(shapes);

static bool is_name(char c)
{
    return ascii_is_alpha((uint8_t)c) || ascii_is_digit((uint8_t)c) || c == '_';
}

static struct span take_name(const char **p)
{
    const char *from = *p;
    while (is_name(**p))
        ++*p;
    must(*p > from);
    return span_of(from, (size_t)(*p - from));
}

static void take(const char **p, char c)
{
    must(**p == c);
    ++*p;
}

static void value(struct buf *b, const char **p);

static void object(struct buf *b, const char **p)
{
    struct buf required = buf_new(4096);
    jw_member_text(b, "type", "object");
    jw_key(b, "properties");
    jw_open(b, '{');
    take(p, '{');
    while (**p != '}') {
        char key[64];
        span_copy(take_name(p), key, sizeof(key));
        if (**p == '?')
            ++*p;
        else
            jw_text(&required, key);
        take(p, ':');
        jw_key(b, key);
        jw_open(b, '{');
        value(b, p);
        jw_close(b, '}');
        if (**p == ',')
            ++*p;
    }
    take(p, '}');
    jw_close(b, '}');
    jw_key(b, "required");
    jw_open(b, '[');
    buf_span_add(b, buf_span(&required));
    jw_close(b, ']');
    buf_free(&required);
}

static void choices(struct buf *b, struct span first, const char **p)
{
    jw_member_text(b, "type", "string");
    jw_key(b, "enum");
    jw_open(b, '[');
    jw_span(b, first);
    while (**p == '|') {
        ++*p;
        jw_span(b, take_name(p));
    }
    jw_close(b, ']');
}

static void scalar(struct buf *b, struct span name, bool nullable)
{
    static const struct {
        char letter;
        const char *type, *more;
    } types[] = {{'s', "string", ""},
                 {'t', "string", ",\"format\":\"date-time\""},
                 {'u', "integer", ",\"minimum\":0"},
                 {'i', "integer", ""},
                 {'n', "number", ""},
                 {'b', "boolean", ""},
                 {'o', "object", ""}};
    must(name.n == 1);
    if (name.p[0] == 'x')
        return;
    for (size_t i = 0; i < LEN(types); i++) {
        if (types[i].letter != name.p[0])
            continue;
        jw_key(b, "type");
        if (nullable)
            buf_printf(b, "[\"%s\",\"null\"]%s", types[i].type, types[i].more);
        else
            buf_printf(b, "\"%s\"%s", types[i].type, types[i].more);
        return;
    }
    must(false);
}

static void value(struct buf *b, const char **p)
{
    if (**p == '{') {
        object(b, p);
    } else if (**p == '[') {
        ++*p;
        jw_member_text(b, "type", "array");
        jw_key(b, "items");
        jw_open(b, '{');
        value(b, p);
        jw_close(b, '}');
        take(p, ']');
    } else if (**p == '@') {
        ++*p;
        struct span name = take_name(p);
        jw_key(b, "$ref");
        buf_printf(b, "\"#/components/schemas/%.*s\"", (int)name.n, (const char *)name.p);
    } else {
        struct span name = take_name(p);
        if (**p == '|') {
            choices(b, name, p);
            return;
        }
        bool nullable = **p == '?';
        *p += nullable;
        scalar(b, name, nullable);
    }
}

void shape_schema(struct buf *b, const char *text)
{
    jw_open(b, '{');
    value(b, &text);
    must(*text == '\0');
    jw_close(b, '}');
}
