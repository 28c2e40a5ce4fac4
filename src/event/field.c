/* SPDX-License-Identifier: Apache-2.0 */
/* The table made of fields.def, and finding a member by its key: a fixed open-addressed index
 * built once, since every event that the node reads asks for each of its keys. */
#include "event/field.h"

#include "base/hash.h"
#include "base/must.h"

#include <pthread.h>

const struct field_row field_table[F_COUNT] = {
    [F_root] = {.type = T_OBJ,
                .key = "",
                .quoted = "",
                .id = "root",

                .help_en = "",
                .help_zh = ""},
#define FIELD(fid, par, k, t, c, en, zh)                                                           \
    [F_##fid] = {.parent = F_##par,                                                                \
                 .type = t,                                                                        \
                 .column = c,                                                                      \
                 .key_n = sizeof(k) - 1,                                                           \
                 .quoted_n = sizeof(k) + 2,                                                        \
                 .key = k,                                                                         \
                 .quoted = "\"" k "\":",                                                           \
                 .id = #fid,                                                                       \
                 .help_en = en,                                                                    \
                 .help_zh = zh},
#include "event/fields.def"
#undef FIELD
};

const struct event_row event_table[EVENT_TYPES] = {
#define EVENT(eid, n, objs, en, zh) [EVENT_##eid] = {n, objs, en, zh},
#include "event/events.def"
#undef EVENT
};

enum { INDEX_SLOTS = 2048 };
static_assert(F_COUNT * 2 < INDEX_SLOTS, "the index stays half empty");

static uint16_t field_index[INDEX_SLOTS];
static pthread_once_t field_once = PTHREAD_ONCE_INIT;

static size_t field_slot(enum field parent, struct span key)
{
    /* Keys of our own table: a fixed key serves, chains are bounded by the table itself. */
    uint64_t h = (uint64_t)parent * 0x9e3779b97f4a7c15u ^ key.n;

    for (size_t i = 0; i < key.n; i++)
        h = (h ^ key.p[i]) * 0x100000001b3u;
    return (size_t)(hash_mix(h) & (INDEX_SLOTS - 1));
}

static void field_build(void)
{
    for (unsigned f = F_root + 1; f < F_COUNT; f++) {
        const struct field_row *r = &field_table[f];
        size_t at = field_slot(r->parent, span_of(r->key, r->key_n));
        must(r->parent < f);
        while (field_index[at])
            at = (at + 1) & (INDEX_SLOTS - 1);
        field_index[at] = (uint16_t)f;
    }
}

enum field field_find(enum field parent, struct span key)
{
    pthread_once(&field_once, field_build);
    for (size_t at = field_slot(parent, key); field_index[at]; at = (at + 1) & (INDEX_SLOTS - 1)) {
        const struct field_row *r = &field_table[field_index[at]];
        if (r->parent == parent && r->key_n == key.n && memcmp(r->key, key.p, key.n) == 0)
            return field_index[at];
    }
    return F_root;
}

enum field field_by_path(struct span path)
{
    enum field f = F_root;

    do {
        struct span key = span_split(&path, '.');
        f = field_find(f, key);
    } while (path.n && f != F_root);
    return f;
}

struct span field_path(enum field f, char *text, size_t cap)
{
    size_t at = cap;

    for (; f != F_root; f = field_table[f].parent) {
        const struct field_row *r = &field_table[f];
        must(at > (size_t)r->key_n + 1);
        if (at < cap)
            text[--at] = '.';
        at -= r->key_n;
        memcpy(text + at, r->key, r->key_n);
    }
    memmove(text, text + at, cap - at);
    must(at > 0);
    text[cap - at] = '\0';
    return span_of(text, cap - at);
}

const char *field_type_name(enum field_type type)
{
    static const char *const names[] = {
        [T_OBJ] = "object", [T_LIST] = "array", [T_MAP] = "object",  [T_STR] = "string",
        [T_UINT] = "uint",  [T_INT] = "int",    [T_BOOL] = "bool",   [T_DOUBLE] = "double",
        [T_IP] = "ip",      [T_TIME] = "time",  [T_STRS] = "string", [T_UINTS] = "uint",
        [T_OBJS] = "array"};
    return names[type];
}

enum event_type event_type_find(struct span name)
{
    for (unsigned t = 0; t < EVENT_TYPES; t++)
        if (span_eq(name, span_str(event_table[t].name)))
            return t;
    return EVENT_TYPES;
}
