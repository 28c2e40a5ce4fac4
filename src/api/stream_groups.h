/* SPDX-License-Identifier: Apache-2.0 */
/* What the live stream says of alert groups: which have new alerts, told at most once a tick, and
 * how many wait for a decision in what a person may see. Not locked: the hub's lock guards it, but
 * for fresh_json and open_count, which ask the stores. */
#pragma once

#include "api/groups.h"

enum { FRESH_MAX = 64 };

/* Groups with alerts since the last tick. */
struct fresh_group {
    char id[GROUP_ID_TEXT], unit[NAME_MAX_BYTES + 1], last[40];
    uint32_t sid;
    uint64_t alerts;
};

struct fresh {
    struct fresh_group group[FRESH_MAX];
    size_t n; /* further groups of the tick go untold: lists are asked for anyway */
};

/* Adds the group of an alert event's line. */
void fresh_add(struct fresh *f, const char *unit, struct span line);
/* The message of one group: identity, what was decided, new alerts. */
void fresh_json(struct api *a, const struct fresh_group *g, struct buf *b);

/* Groups that nobody decided, in what the person sees, of all time. False: not known now. */
bool open_count(struct api *a, const struct person *who, uint64_t *ret);
