/* SPDX-License-Identifier: Apache-2.0 */
/* A table of what rules remember about addresses, pairs or flows: one for all workers, locked, with
 * a ceiling from birth and entries that are let go when their time is over. Its memory is taken at
 * the first entry. An entry begins with struct entry, its key stands right behind that. */
#pragma once

#include "base/htab.h"
#include "packet/packet.h"

struct entry {
    struct hnode node;
    struct entry *next; /* of the free list */
    uint64_t until_ns;  /* may be forgotten after this; UINT64_MAX: never */
};

struct entries;

/* Sizes include struct entry; the key is compared and hashed as bytes, padding too. */
struct entries *entries_new(uint32_t max, size_t entry_size, size_t key_size);
void entries_free(struct entries *s);
void entries_lock(struct entries *s);
void entries_unlock(struct entries *s);
/* The rest is to be called under the lock. The entry with this key, whose time may be over, or
 * NULL. */
void *entries_find(struct entries *s, const void *key);
/* A new entry with this key, zeroed behind it; what has expired makes room. NULL when full. */
void *entries_add(struct entries *s, const void *key, uint64_t now_ns);
void entries_drop(struct entries *s, void *entry);
bool entries_empty(const struct entries *s);

/* Both ends of a packet, the same whichever way it goes. */
void entries_pair(const struct packet *p, struct ip *ret_a, struct ip *ret_b);
