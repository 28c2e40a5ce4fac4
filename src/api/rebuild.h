/* SPDX-License-Identifier: Apache-2.0 */
/* Events whose line was not kept come back as EVE events made of their columns, through the field
 * table. The store cannot tell 0, false and "" from what was not there: such members stay away, as
 * does what has no column. */
#pragma once

#include "base/buf.h"

/* The columns to select, in the order that rebuild_event takes them. */
void rebuild_columns(struct buf *b);
/* Appends the event. `row`: the columns' values as a JSON array, as JSONCompactEachRow writes them
 * (strings escaped, addresses as IPv6, times as microseconds). False: it is not such a row. */
bool rebuild_event(struct buf *b, struct span row);
