/* SPDX-License-Identifier: Apache-2.0 */
/* Appending members. A comma is needed wherever the last byte does not open a container. */
#include "event/event.h"

#include "base/hex.h"
#include "base/json.h"
#include "base/must.h"

void event_begin(struct event *ev, struct buf *out)
{
    *ev = (struct event){.out = out, .start = out->n};
    buf_byte(out, '{');
}

bool event_end(struct event *ev)
{
    must(ev->depth == 0);
    buf_add(ev->out, "}\n", 2);
    if (!ev->out->full)
        return true;
    event_cancel(ev);
    return false;
}

void event_cancel(struct event *ev)
{
    ev->out->n = ev->start;
    ev->out->full = false;
    ev->depth = 0;
}

static inline void event_comma(struct event *ev)
{
    struct buf *b = ev->out;

    if (b->n == 0)
        return;
    uint8_t last = b->p[b->n - 1];
    if (last != '{' && last != '[' && last != ':')
        buf_byte(b, ',');
    else if (last == ':')
        return;
}

static inline void event_key(struct event *ev, enum field f)
{
    const struct field_row *r = &field_table[f];

    must(r->parent == ev->stack[ev->depth]);
    event_comma(ev);
    buf_add(ev->out, r->quoted, r->quoted_n);
}

void event_str(struct event *ev, enum field f, struct span s)
{
    event_key(ev, f);
    json_add_string(ev->out, s);
}

void event_text(struct event *ev, enum field f, const char *s)
{
    event_str(ev, f, span_str(s));
}

void event_uint(struct event *ev, enum field f, uint64_t v)
{
    event_key(ev, f);
    buf_u64(ev->out, v);
}

void event_int(struct event *ev, enum field f, int64_t v)
{
    event_key(ev, f);
    buf_i64(ev->out, v);
}

void event_bool(struct event *ev, enum field f, bool v)
{
    event_key(ev, f);
    buf_add(ev->out, v ? "true" : "false", v ? 4 : 5);
}

void event_ip(struct event *ev, enum field f, const struct ip *a)
{
    char text[IP_TEXT];
    size_t n = ip_eve(a, text);

    event_key(ev, f);
    buf_byte(ev->out, '"');
    buf_add(ev->out, text, n);
    buf_byte(ev->out, '"');
}

void event_time(struct event *ev, enum field f, uint64_t ns)
{
    char text[CLOCK_TEXT];
    size_t n = clock_eve(ns, text);

    event_key(ev, f);
    buf_byte(ev->out, '"');
    buf_add(ev->out, text, n);
    buf_byte(ev->out, '"');
}

void event_hex(struct event *ev, enum field f, struct span s, char separator)
{
    event_key(ev, f);
    buf_byte(ev->out, '"');
    hex_add(ev->out, s, separator);
    buf_byte(ev->out, '"');
}

void event_base64(struct event *ev, enum field f, struct span s)
{
    event_key(ev, f);
    buf_byte(ev->out, '"');
    base64_add(ev->out, s);
    buf_byte(ev->out, '"');
}

static bool event_is_array(enum field f)
{
    uint8_t t = field_table[f].type;
    return t == T_LIST || t == T_STRS || t == T_UINTS || t == T_OBJS;
}

void event_open(struct event *ev, enum field f)
{
    event_key(ev, f);
    must(ev->depth + 1 < EVENT_DEPTH);
    ev->stack[++ev->depth] = (uint16_t)f;
    ev->in_element[ev->depth] = false;
    buf_byte(ev->out, event_is_array(f) ? '[' : '{');
}

void event_close(struct event *ev)
{
    must(ev->depth > 0 && !ev->in_element[ev->depth]);
    buf_byte(ev->out, event_is_array(ev->stack[ev->depth]) ? ']' : '}');
    ev->depth--;
}

void event_element(struct event *ev)
{
    must(event_is_array(ev->stack[ev->depth]) && !ev->in_element[ev->depth]);
    event_comma(ev);
    buf_byte(ev->out, '{');
    ev->in_element[ev->depth] = true;
}

void event_close_element(struct event *ev)
{
    must(ev->in_element[ev->depth]);
    buf_byte(ev->out, '}');
    ev->in_element[ev->depth] = false;
}

void event_item(struct event *ev, struct span s)
{
    event_comma(ev);
    json_add_string(ev->out, s);
}

void event_item_base64(struct event *ev, struct span s)
{
    event_comma(ev);
    buf_byte(ev->out, '"');
    base64_add(ev->out, s);
    buf_byte(ev->out, '"');
}

void event_item_uint(struct event *ev, uint64_t v)
{
    event_comma(ev);
    buf_u64(ev->out, v);
}

static void event_data_key(struct event *ev, struct span key)
{
    event_comma(ev);
    json_add_string(ev->out, key);
    buf_byte(ev->out, ':');
}

void event_key_str(struct event *ev, struct span key, struct span v)
{
    event_data_key(ev, key);
    json_add_string(ev->out, v);
}

void event_key_json(struct event *ev, struct span key, struct span json)
{
    event_data_key(ev, key);
    buf_span_add(ev->out, json);
}

void event_key_uint(struct event *ev, struct span key, uint64_t v)
{
    event_data_key(ev, key);
    buf_u64(ev->out, v);
}

void event_key_strs(struct event *ev, struct span key, const struct span *v, size_t n)
{
    event_data_key(ev, key);
    buf_byte(ev->out, '[');
    for (size_t i = 0; i < n; i++)
        event_item(ev, v[i]);
    buf_byte(ev->out, ']');
}

void event_key_open(struct event *ev, struct span key)
{
    event_data_key(ev, key);
    buf_byte(ev->out, '{');
}

void event_key_list(struct event *ev, struct span key)
{
    event_data_key(ev, key);
    buf_str(ev->out, "[{");
}

void event_key_list_close(struct event *ev)
{
    buf_str(ev->out, "}]");
}

void event_key_close(struct event *ev)
{
    buf_byte(ev->out, '}');
}
