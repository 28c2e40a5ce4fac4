/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of one direction: in-order data appended to one buffer, out-of-order data in runs of
 * their own, overlaps decided by the receiver's system as its policy says. Private to this
 * folder. */
#pragma once

#include "flow/session.h"

enum insert_result {
    INSERT_OK,
    INSERT_OVERLAP,   /* some of it was there */
    INSERT_DIFFERENT, /* and differed (only known with check) */
    INSERT_NO_MEMORY, /* refused at the memory ceiling */
    INSERT_TOO_MANY,  /* refused: too many runs */
};

struct insert {
    uint64_t off;
    struct span data;
    uint8_t os;
    bool keep_old; /* inline mode: what was accepted stays */
    bool check;    /* compare overlapping data */
    uint32_t max_runs;
};

/* Stores data at its offset (all of it at or after s->base). */
enum insert_result reassembly_insert(struct block_pool *pool, struct tcp_side *s,
                                     const struct insert *in);
/* The bytes at `off`: all that is contiguous from there; empty with *ret_gap set to the length of
 * the hole when later bytes are there (0 when none). */
struct span reassembly_at(struct block_pool *pool, struct tcp_side *s, uint64_t off,
                          uint64_t *ret_gap);
/* First byte at or after `off`: where, and what is contiguous from there. */
struct span reassembly_from(const struct tcp_side *s, uint64_t off, uint64_t *ret_off);
/* Forgets all before `off` and moves the base there. */
void reassembly_drop(struct block_pool *pool, struct tcp_side *s, uint64_t off);
void reassembly_clear(struct block_pool *pool, struct tcp_side *s);
/* Elementary steps taken so far (nodes, pieces, bytes moved): for tests of linear cost. */
extern uint64_t reassembly_steps;
