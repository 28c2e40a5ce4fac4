/* SPDX-License-Identifier: Apache-2.0 */
/* Writes one EVE event as a line of JSON into a buffer, field by field through the field table: a
 * member that the table does not place under the open object is a programmer's mistake and aborts.
 * Nothing is allocated here; a full buffer is asked for once at the end (event_end). */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/ip.h"
#include "event/field.h"

enum { EVENT_DEPTH = 12 };

struct event {
    struct buf *out;
    size_t start;                 /* where this event began in out */
    uint8_t depth;                /* open containers */
    uint16_t stack[EVENT_DEPTH];  /* which field each is; F_root below all */
    bool in_element[EVENT_DEPTH]; /* of a T_LIST: inside an element's object */
};

/* Opens the event's object at the end of out. */
void event_begin(struct event *ev, struct buf *out);
/* Closes it and ends the line. False when the buffer was full: the event is taken back out and the
 * caller counts it. */
bool event_end(struct event *ev) MUST_CHECK;
/* Takes the begun event back. */
void event_cancel(struct event *ev);

/* A member of the open object. Text that is not UTF-8 is written as json_add_string says. */
void event_str(struct event *ev, enum field f, struct span s);
void event_text(struct event *ev, enum field f, const char *s);
void event_uint(struct event *ev, enum field f, uint64_t v);
void event_int(struct event *ev, enum field f, int64_t v);
void event_bool(struct event *ev, enum field f, bool v);
void event_ip(struct event *ev, enum field f, const struct ip *a);
void event_time(struct event *ev, enum field f, uint64_t ns);
/* Lower-case hex, `separator` between bytes unless 0. */
void event_hex(struct event *ev, enum field f, struct span s, char separator);
void event_base64(struct event *ev, enum field f, struct span s);

/* Opens an object, map, list or array field; every open has its event_close. */
void event_open(struct event *ev, enum field f);
void event_close(struct event *ev);
/* Inside a T_LIST or T_OBJS: the next element's object; close it with event_close_element. */
void event_element(struct event *ev);
void event_close_element(struct event *ev);
/* Inside a T_STRS or T_UINTS. */
void event_item(struct event *ev, struct span s);
void event_item_base64(struct event *ev, struct span s);
void event_item_uint(struct event *ev, uint64_t v);
/* Inside a T_MAP or an element of T_OBJS: members whose keys are data. */
void event_key_str(struct event *ev, struct span key, struct span v);
/* The value is JSON already, on one line. */
void event_key_json(struct event *ev, struct span key, struct span json);
void event_key_uint(struct event *ev, struct span key, uint64_t v);
void event_key_strs(struct event *ev, struct span key, const struct span *v, size_t n);
/* Opens and closes a nested map inside a map; key must be closed by event_key_close. */
void event_key_open(struct event *ev, struct span key);
/* A list that holds one object: its members follow. */
void event_key_list(struct event *ev, struct span key);
void event_key_list_close(struct event *ev);
void event_key_close(struct event *ev);
