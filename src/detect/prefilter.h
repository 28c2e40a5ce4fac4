/* SPDX-License-Identifier: Apache-2.0 */
/* The prefilter of one buffer: which rules have their fast pattern in these bytes? Patterns that
 * must end where the buffer ends (host names, mostly) sit in a hash of suffixes that costs one
 * multiplication a byte; the others in a Vectorscan block database. Built at start, immutable,
 * shared by all workers; a scan touches only the worker's scratch and its candidate set. */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <hs.h>

/* Rules found so far, each once. Bits and list have room for every rule: no overflow. */
struct candidates {
    uint32_t *list;
    uint64_t *bits;
    uint32_t n, n_rules;
};

void candidates_init(struct candidates *c, uint32_t n_rules);
void candidates_free(struct candidates *c);
void candidates_clear(struct candidates *c);
/* Puts the list in ascending order: the order in which rules are inspected. */
void candidates_sort(struct candidates *c);

static inline void candidates_add(struct candidates *c, uint32_t rule)
{
    uint64_t bit = (uint64_t)1 << (rule & 63);

    if (c->bits[rule >> 6] & bit)
        return;
    c->bits[rule >> 6] |= bit;
    c->list[c->n++] = rule;
}

struct pattern {
    struct span bytes; /* lower case when nocase */
    uint32_t rule;
    bool nocase;
    bool at_end; /* stands only at the buffer's end */
};

struct prefilter;

/* Compiles patterns (bytes are borrowed only during the call). cache_dir: where compiled databases
 * are kept between starts, or NULL. */
bool prefilter_build(const struct pattern *patterns, size_t n, const char *cache_dir,
                     struct prefilter **ret, struct err *e) MUST_CHECK;
void prefilter_free(struct prefilter *f);
/* Makes *scratch fit for this prefilter too. */
bool prefilter_scratch(const struct prefilter *f, hs_scratch_t **scratch, struct err *e) MUST_CHECK;
/* Adds the rules whose pattern stands in data. */
void prefilter_scan(const struct prefilter *f, struct span data, hs_scratch_t *scratch,
                    struct candidates *c);
/* Bytes of memory held, for the start-up report. */
size_t prefilter_bytes(const struct prefilter *f);
