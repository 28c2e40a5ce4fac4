/* SPDX-License-Identifier: Apache-2.0 */
/* One array, a free list and a hash table over it. When the array is full a hand goes round it, a
 * bounded number of places each time, and frees what has expired: a full table never costs more
 * than that per packet. */
#include "detect/entries.h"

#include "base/hash.h"
#include "base/mem.h"

#include <pthread.h>

enum { SWEEP = 256 };

struct entries {
    pthread_mutex_t lock;
    struct htab table;
    uint8_t *all;
    struct entry *free;
    size_t entry_size, key_size;
    uint32_t max, used, hand;
};

struct entries *entries_new(uint32_t max, size_t entry_size, size_t key_size)
{
    struct entries *s = mem_zero(sizeof(*s));

    (void)pthread_mutex_init(&s->lock, NULL);
    htab_init(&s->table, 64);
    s->max = max;
    s->entry_size = entry_size;
    s->key_size = key_size;
    return s;
}

void entries_free(struct entries *s)
{
    if (!s)
        return;
    htab_free(&s->table);
    mem_free(s->all);
    (void)pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

void entries_lock(struct entries *s)
{
    (void)pthread_mutex_lock(&s->lock);
}

void entries_unlock(struct entries *s)
{
    (void)pthread_mutex_unlock(&s->lock);
}

bool entries_empty(const struct entries *s)
{
    return s->table.count == 0;
}

struct lookup {
    const void *key;
    size_t n;
};

static bool entry_equal(const struct hnode *node, const void *key)
{
    const struct lookup *l = key;
    const struct entry *e = (const void *)node; /* node is its first member */

    return memcmp(e + 1, l->key, l->n) == 0;
}

void *entries_find(struct entries *s, const void *key)
{
    struct lookup l = {key, s->key_size};

    return htab_find(&s->table, hash_bytes(key, s->key_size), entry_equal, &l);
}

void entries_drop(struct entries *s, void *entry)
{
    struct entry *e = entry;

    htab_remove(&s->table, &e->node);
    e->next = s->free;
    s->free = e;
}

static struct entry *entry_at(const struct entries *s, uint32_t i)
{
    return (struct entry *)(void *)(s->all + (size_t)i * s->entry_size);
}

static struct entry *entry_get(struct entries *s, uint64_t now_ns)
{
    if (!s->all)
        s->all = mem_zero((size_t)s->max * s->entry_size);
    if (!s->free && s->used < s->max)
        return entry_at(s, s->used++);
    for (unsigned i = 0; !s->free && i < SWEEP; i++) {
        struct entry *e = entry_at(s, s->hand++ % s->used);
        if (e->until_ns < now_ns)
            entries_drop(s, e);
    }
    struct entry *e = s->free;
    if (e)
        s->free = e->next;
    return e;
}

void *entries_add(struct entries *s, const void *key, uint64_t now_ns)
{
    struct entry *e = entry_get(s, now_ns);

    if (!e)
        return NULL;
    memset(e, 0, s->entry_size);
    memcpy(e + 1, key, s->key_size);
    htab_add(&s->table, hash_bytes(key, s->key_size), &e->node);
    return e;
}

void entries_pair(const struct packet *p, struct ip *ret_a, struct ip *ret_b)
{
    bool less = ip_cmp(&p->src, &p->dst) < 0;

    memcpy(ret_a, less ? &p->src : &p->dst, sizeof(*ret_a));
    memcpy(ret_b, less ? &p->dst : &p->src, sizeof(*ret_b));
}
