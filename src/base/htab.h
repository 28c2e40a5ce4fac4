/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive hash table: nodes live inside their owners, the table holds only the bucket heads and
 * grows by doubling. The caller brings hash and comparison; ceilings are the caller's (count). */
#pragma once

#include "base/compiler.h"

struct hnode {
    struct hnode *next;
    uint64_t hash;
};

struct htab {
    struct hnode **buckets;
    size_t mask, count;
};

typedef bool htab_equal(const struct hnode *node, const void *key);

/* `expect`: how many nodes to be ready for. */
void htab_init(struct htab *h, size_t expect);
/* Frees the buckets, not the nodes. */
void htab_free(struct htab *h);
struct hnode *htab_find(const struct htab *h, uint64_t hash, htab_equal *equal, const void *key);
/* The node must not be in a table. */
void htab_add(struct htab *h, uint64_t hash, struct hnode *node);
/* The node must be in this table. */
void htab_remove(struct htab *h, struct hnode *node);
/* Walks all nodes: start with *at == 0 and node == NULL; NULL at the end. The returned node may be
 * removed before the next call only if its successor was fetched first. */
struct hnode *htab_next(const struct htab *h, size_t *at, struct hnode *node);
