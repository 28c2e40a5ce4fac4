/* SPDX-License-Identifier: Apache-2.0 */
/* Chained buckets, a power of two of them, doubled when there are as many nodes as buckets. */
#include "base/htab.h"

#include "base/mem.h"
#include "base/must.h"

void htab_init(struct htab *h, size_t expect)
{
    size_t n = 16;

    while (n < expect)
        n *= 2;
    h->buckets = mem_array(n, sizeof(*h->buckets));
    h->mask = n - 1;
    h->count = 0;
}

void htab_free(struct htab *h)
{
    mem_free(h->buckets);
    *h = (struct htab){0};
}

struct hnode *htab_find(const struct htab *h, uint64_t hash, htab_equal *equal, const void *key)
{
    if (!h->buckets)
        return NULL;
    for (struct hnode *n = h->buckets[hash & h->mask]; n; n = n->next)
        if (n->hash == hash && equal(n, key))
            return n;
    return NULL;
}

static void htab_double(struct htab *h)
{
    struct htab wider;

    htab_init(&wider, (h->mask + 1) * 2);
    for (size_t i = 0; i <= h->mask; i++) {
        struct hnode *n = h->buckets[i];
        while (n) {
            struct hnode *next = n->next;
            n->next = wider.buckets[n->hash & wider.mask];
            wider.buckets[n->hash & wider.mask] = n;
            n = next;
        }
    }
    wider.count = h->count;
    mem_free(h->buckets);
    *h = wider;
}

void htab_add(struct htab *h, uint64_t hash, struct hnode *node)
{
    if (!h->buckets)
        htab_init(h, 0);
    if (h->count > h->mask)
        htab_double(h);
    node->hash = hash;
    node->next = h->buckets[hash & h->mask];
    h->buckets[hash & h->mask] = node;
    h->count++;
}

void htab_remove(struct htab *h, struct hnode *node)
{
    struct hnode **at = &h->buckets[node->hash & h->mask];

    while (*at != node) {
        must(*at);
        at = &(*at)->next;
    }
    *at = node->next;
    h->count--;
}

struct hnode *htab_next(const struct htab *h, size_t *at, struct hnode *node)
{
    if (node && node->next)
        return node->next;
    for (; h->buckets && *at <= h->mask; (*at)++) {
        if (h->buckets[*at]) {
            node = h->buckets[*at];
            (*at)++;
            return node;
        }
    }
    return NULL;
}
