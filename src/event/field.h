/* SPDX-License-Identifier: Apache-2.0 */
/* The field table: one row per event field (fields.def) is the single source of the EVE JSON, the
 * JSON schema, the store's columns, the query names with their help, the console's catalogue and
 * the reference pages. The vocabulary is that of Suricata 8's EVE; what is ours lives under the
 * object `daizong`. */
#pragma once

#include "base/span.h"

enum field_type {
    T_OBJ,  /* object with declared members */
    T_LIST, /* array of objects with declared members */
    T_MAP,  /* object whose keys are data (counters, flowbits) */
    T_STR,
    T_UINT,
    T_INT,
    T_BOOL,
    T_DOUBLE,
    T_IP,
    T_TIME,
    T_STRS,  /* array of strings */
    T_UINTS, /* array of unsigned integers */
    T_OBJS,  /* array of objects whose keys are data */
};

/* How the store keeps a field; what has no column of its own is found in the raw event. */
enum field_column {
    COL_NONE,
    COL_LC,   /* LowCardinality(String) */
    COL_STR,  /* String */
    COL_STRS, /* Array(String) */
    COL_BOOL, /* UInt8 */
    COL_U8,
    COL_U16,
    COL_U32,
    COL_U64,
    COL_IP,   /* IPv6, IPv4 mapped */
    COL_TIME, /* DateTime64(6,'UTC') */
};

enum field {
    F_root,
#define FIELD(id, parent, key, type, column, en, zh) F_##id,
#include "event/fields.def"
#undef FIELD
    F_COUNT
};

struct field_row {
    uint16_t parent;
    uint8_t type, column;
    uint8_t key_n, quoted_n;
    const char *key;    /* "hostname" */
    const char *quoted; /* "\"hostname\":" */
    const char *id;     /* "http_hostname", also the column's name */
    const char *help_en, *help_zh;
};

extern const struct field_row field_table[F_COUNT];

/* The member `key` of object or list `parent`, or F_root where there is none. */
enum field field_find(enum field parent, struct span key);
/* The field with this dotted path ("http.hostname"), or F_root. */
enum field field_by_path(struct span path);
const char *field_type_name(enum field_type type);
enum { FIELD_PATH = 128 };
/* Writes the dotted path of f ("http.hostname", the query's name) and its terminator into text of
 * `cap` (at least FIELD_PATH) bytes. */
struct span field_path(enum field f, char *text, size_t cap);

enum event_type {
#define EVENT(id, name, objects, en, zh) EVENT_##id,
#include "event/events.def"
#undef EVENT
    EVENT_TYPES
};

struct event_row {
    const char *name;
    const char *objects; /* top-level members beside the common ones, its own first, by spaces */
    const char *title_en, *title_zh;
};

extern const struct event_row event_table[EVENT_TYPES];

/* The event type of this name, or EVENT_TYPES. */
enum event_type event_type_find(struct span name);
