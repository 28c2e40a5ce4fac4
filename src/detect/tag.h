/* SPDX-License-Identifier: Apache-2.0 */
/* The `tag` keyword: after an alert, the packets that follow in the flow or on a host are logged
 * too, for so many packets, bytes or seconds. */
#pragma once

#include "detect/entries.h"
#include "detect/keyword.h"
#include "detect/worker.h"

enum { TAGS_MAX = 16 }; /* of one flow or host */

/* One tag that is on. A rule has at most one on a flow or host; matching again begins it anew. */
struct tag_state {
    uint32_t sid, gid;
    uint8_t metric; /* as struct tag */
    bool begun;     /* the packet that set it has been counted */
    uint8_t restarts;
    uint32_t count;
    uint64_t packets, bytes, first_ns;
};

struct tag_list {
    uint8_t n;
    struct tag_state tags[TAGS_MAX];
};

/* The table of tagged hosts. */
struct entries *tags_new(uint32_t max_hosts);
/* An alert of r is due on this packet: sets the rule's tags. */
void tags_set(struct detect *d, const struct rule *r, const struct packet *p, struct flow *f);
/* Counts the packet against the tags on its flow and its hosts. True: one of them wants it logged.
 */
bool tags_packet(struct detect *d, const struct packet *p, struct flow *f);
