/* SPDX-License-Identifier: Apache-2.0 */
/* Alert groups: alerts of one signature between one pair of addresses in one unit. They are counted
 * in the event store; what people decided about them stands in the state; here both come together.
 * A decision to archive holds for the alerts that had arrived by then: one that arrives later makes
 * its group new again, whatever its time stamp says, so that the replay of an old capture is seen.
 * What arrives within the second of the decision counts as decided. An escalated group stays so. */
#pragma once

#include "api/ask.h"

enum { GROUPS_MAX = 20000, GROUP_ID_TEXT = 192 };

enum group_status { GROUP_NEW, GROUP_ARCHIVED, GROUP_ESCALATED, GROUP_ALL };

struct group {
    char id[GROUP_ID_TEXT]; /* signature-source-target, and -unit if it is not the default one */
    char unit[NAME_MAX_BYTES + 1];
    uint32_t sid;
    struct ip src, dest;
    char src_text[IP_TEXT], dest_text[IP_TEXT];
    uint64_t count, first_us, last_us;
    uint64_t arrived_s; /* when the node took in the last of its alerts; 0: not known */
    struct span signature, category, severity, app_proto, sensor; /* JSON text, not unescaped */
    struct span techniques; /* a JSON array; known after groups_json */
    enum group_status status;
    struct span note, by; /* plain text */
    int64_t decided_ns;
};

enum group_sort { SORT_LAST, SORT_COUNT, SORT_SEVERITY };

struct group_filter {
    struct range range;
    struct query *q;
    enum group_status status;
    struct span severities; /* "high,low"; empty: all */
    enum group_sort sort;
    const struct group *only; /* this one alone */
};

struct group_list {
    struct group *group;
    size_t n;
    uint64_t alerts;
    bool cut; /* there are more than GROUPS_MAX: n and alerts are lower bounds */
};

/* All groups that fit, in order; they live in the call's arena. False: the error answer is there.
 */
bool groups_find(struct api_call *c, const struct group_filter *f, struct group_list *ret);
/* How many groups have an alert in the range and no decision that holds, however many they are.
 * False: the error answer is there. */
bool groups_count_open(struct api_call *c, const struct range *range, uint64_t *ret);
const char *group_status_name(enum group_status s);
enum group_status group_status_parse(struct span s);
/* The group of such an alert (its identity alone; no unit: the default one); false when an address
 * is not one. */
bool group_of(uint64_t sid, struct span src, struct span dest, struct span unit, struct group *ret);
bool group_id_parse(struct span id, struct group *ret);
/* Appends the groups [from, to) as JSON objects, with sparks over the range, to the open array. */
bool groups_json(struct api_call *c, struct group_list *list, size_t from, size_t to,
                 const struct range *range);
