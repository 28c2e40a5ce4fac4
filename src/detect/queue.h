/* SPDX-License-Identifier: Apache-2.0 */
/* From the matches of a packet to its alerts. */
#pragma once

#include "detect/worker.h"

/* Orders what is queued, applies thresholds, pass, drop and reject, and fills alerts up to the
 * configured number; sets the flags of packet and flow. */
void queue_finish(struct detect *d, struct packet *p, struct flow *f, struct alerts *alerts);
