/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled side of a ruleset: rules sorted into groups by transport, direction and buffer, with
 * their pattern databases. The front end fills struct engine_input and calls engine_compile once
 * all rules are checked and in order of priority; the engine is immutable afterwards and shared by
 * the workers. Inside detect/ only. */
#pragma once

#include "detect/rule.h"

/* One protocol's way to a catalogue buffer. */
struct buffer_source {
    uint8_t proto; /* enum proto_id */
    const struct proto_buffer *buffer;
};

/* A sticky buffer of the rule language. Rules name it by its place in the catalogue. */
struct buffer_info {
    const char *name;
    const struct buffer_source *sources; /* none: a buffer of the packet */
    uint8_t n_sources;
    bool (*packet_get)(const struct packet *p, struct span *ret); /* "tcp.hdr", … or NULL */
};

struct engine_input {
    struct rule *const *rules; /* rules[i]->index == i */
    uint32_t n_rules;
    const struct buffer_info *buffers;
    uint16_t n_buffers;
    const struct detect_conf *conf;
};

struct engine;

/* Everything stays valid as long as the rules do. False when a pattern database cannot be made. */
bool engine_compile(const struct engine_input *in, struct engine **ret, struct err *e) MUST_CHECK;
void engine_free(struct engine *g);
/* The engine of a ruleset (the front end's struct keeps it). */
const struct engine *ruleset_engine(const struct ruleset *r);
