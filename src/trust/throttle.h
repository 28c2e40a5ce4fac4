/* SPDX-License-Identifier: Apache-2.0 */
/* Slows down guessing: failures are counted by key (a user's name, an address); beyond a free
 * allowance each further failure doubles the wait, up to a ceiling. The table is bounded: when
 * full, the entry that was touched longest ago makes room, so that a flood of made-up names cannot
 * grow it. Not thread-safe by itself: the owner holds a lock. */
#pragma once

#include "base/span.h"

enum { THROTTLE_ENTRIES = 1024, THROTTLE_FREE = 5, THROTTLE_MAX_S = 900 };

struct throttle_entry {
    uint64_t key; /* 0: unused */
    uint64_t until_ns, touched_ns;
    uint32_t failures;
};

struct throttle {
    struct throttle_entry entry[THROTTLE_ENTRIES];
};

/* Seconds to wait before the next try with this key is heard, 0 for none. */
unsigned throttle_wait_s(const struct throttle *t, struct span key, uint64_t now_ns);
void throttle_failed(struct throttle *t, struct span key, uint64_t now_ns);
void throttle_succeeded(struct throttle *t, struct span key);
