/* SPDX-License-Identifier: Apache-2.0 */
/* One EVE line as a row of the events table. The line is hostile: it is taken whole or refused with
 * a reason from a fixed list (reasons are counted and stand in quarantine). Fields that the table
 * does not know are left in the raw line; a known field of a wrong type is passed over and counted,
 * unless the event cannot be placed without it (time, type, addresses, ports, flow). */
#pragma once

#include "store/block.h"

struct eve {
    struct row row;
    struct buf scratch;     /* unescaped strings of this row */
    uint64_t mismatches;    /* fields of a wrong type, since eve_init */
    int64_t timestamp_us;   /* of the row */
    struct span event_type; /* of the row */
    unsigned depth;
    uint16_t after[F_COUNT]; /* the field seen last after this one, or first in this object */
    bool critical;
};

void eve_init(struct eve *v);
void eve_free(struct eve *v);
/* NULL when the row is there (spans point into the line and scratch), else the reason. */
const char *eve_read(struct eve *v, struct span line);
