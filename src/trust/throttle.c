/* SPDX-License-Identifier: Apache-2.0 */
/* Login throttling: a small table of failure counts with doubling waits. Times come from the
 * caller, so that tests need not wait. Looking up is a scan of 1,024 entries, far below the cost of
 * the password hash that follows. */
#include "trust/throttle.h"

#include "base/clock.h"
#include "base/hash.h"

enum { FORGET_S = 3600 };

static uint64_t key_of(struct span key)
{
    uint64_t h = hash_span(key);
    return h ? h : 1;
}

static struct throttle_entry *find(struct throttle *t, uint64_t key)
{
    for (size_t i = 0; i < THROTTLE_ENTRIES; i++)
        if (t->entry[i].key == key)
            return &t->entry[i];
    return NULL;
}

static struct throttle_entry *oldest(struct throttle *t)
{
    struct throttle_entry *best = &t->entry[0];
    for (size_t i = 0; i < THROTTLE_ENTRIES; i++) {
        if (t->entry[i].key == 0)
            return &t->entry[i];
        if (t->entry[i].touched_ns < best->touched_ns)
            best = &t->entry[i];
    }
    return best;
}

unsigned throttle_wait_s(const struct throttle *t, struct span key, uint64_t now_ns)
{
    uint64_t k = key_of(key);
    for (size_t i = 0; i < THROTTLE_ENTRIES; i++) {
        const struct throttle_entry *x = &t->entry[i];
        if (x->key == k && x->until_ns > now_ns)
            return (unsigned)((x->until_ns - now_ns + NS_PER_S - 1) / NS_PER_S);
    }
    return 0;
}

void throttle_failed(struct throttle *t, struct span key, uint64_t now_ns)
{
    uint64_t k = key_of(key);
    struct throttle_entry *x = find(t, k);
    if (!x) {
        x = oldest(t);
        *x = (struct throttle_entry){.key = k};
    }
    if (x->touched_ns + (uint64_t)FORGET_S * NS_PER_S < now_ns)
        x->failures = 0;
    x->touched_ns = now_ns;
    x->failures++;
    if (x->failures < THROTTLE_FREE)
        return;
    unsigned shift = x->failures - THROTTLE_FREE;
    uint64_t wait_s = shift > 9 ? THROTTLE_MAX_S : (uint64_t)2 << shift;
    if (wait_s > THROTTLE_MAX_S)
        wait_s = THROTTLE_MAX_S;
    x->until_ns = now_ns + wait_s * NS_PER_S;
}

void throttle_succeeded(struct throttle *t, struct span key)
{
    struct throttle_entry *x = find(t, key_of(key));
    if (x)
        *x = (struct throttle_entry){0};
}
