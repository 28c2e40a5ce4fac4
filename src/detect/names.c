/* SPDX-License-Identifier: Apache-2.0 */
/* An open-addressing table of interned texts with the process's hash seed. */
#include "detect/names.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

struct name {
    struct span text; /* with a terminator behind it */
    uint64_t hash;
    const void *value;
};

struct name_table {
    struct name *v;
    uint32_t n, cap;
    uint32_t *slots; /* index + 1 */
    uint32_t mask;
};

struct name_table *names_new(void)
{
    struct name_table *t = mem_zero(sizeof(*t));
    t->mask = 255;
    t->slots = mem_zero((t->mask + 1u) * sizeof(*t->slots));
    return t;
}

void names_free(struct name_table *t)
{
    if (!t)
        return;
    mem_free(t->v);
    mem_free(t->slots);
    mem_free(t);
}

static void names_grow(struct name_table *t)
{
    mem_free(t->slots);
    t->mask = t->mask * 2 + 1;
    t->slots = mem_zero((t->mask + (size_t)1) * sizeof(*t->slots));
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t at = (uint32_t)t->v[i].hash & t->mask;
        while (t->slots[at])
            at = (at + 1) & t->mask;
        t->slots[at] = i + 1;
    }
}

uint32_t names_id(struct name_table *t, struct arena *a, struct span text)
{
    uint64_t hash = hash_span(text);
    uint32_t at = (uint32_t)hash & t->mask;
    for (; t->slots[at]; at = (at + 1) & t->mask) {
        const struct name *n = &t->v[t->slots[at] - 1];
        if (n->hash == hash && span_eq(n->text, text))
            return t->slots[at] - 1;
    }
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->v = mem_resize(t->v, t->cap * sizeof(*t->v));
    }
    char *copy = arena_str(a, text);
    mem_need(copy, text.n);
    t->v[t->n] = (struct name){span_of(copy, text.n), hash, NULL};
    t->slots[at] = ++t->n;
    if (t->n * 2 > t->mask)
        names_grow(t);
    return t->n - 1;
}

const char *names_text(const struct name_table *t, uint32_t id)
{
    must(id < t->n);
    return (const char *)t->v[id].text.p;
}

const void **names_value(struct name_table *t, uint32_t id)
{
    must(id < t->n);
    return &t->v[id].value;
}

struct names names_list(const struct name_table *t, struct arena *a)
{
    const char **list = arena_get(a, (t->n + (size_t)1) * sizeof(*list));
    mem_need(list, t->n * sizeof(*list));
    for (uint32_t i = 0; i < t->n; i++)
        list[i] = (const char *)t->v[i].text.p;
    return (struct names){list, t->n};
}
