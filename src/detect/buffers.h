/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the rule language beside its keywords: sticky buffers and their old modifiers,
 * values of transactions, protocols. Made at start from the protocols' tables, buffers.def and
 * foreign.def; a buffer's number is its place in the catalogue. Inside detect/ only. */
#pragma once

#include "base/nearest.h"
#include "detect/engine.h"
#include "detect/keyword.h"

/* rule.app and app_proto_cond.app beyond the protocols of protocols.def: protocols of the rule
 * language that nothing here recognises. A rule on one loads and never matches. */
enum { APP_FOREIGN = 128, APP_FAILED = 254, APP_UNKNOWN = 255 };

/* Buffers that do not belong to one protocol have fixed places. */
enum fixed_buffer {
#define BUFFER(id, name, aliases, kind, dirs, help) BUFFER_##id,
#include "detect/buffers.def"
#undef BUFFER
    BUFFERS_FIXED
};

enum buffer_kind {
    BUFFER_OF_APP,    /* sources say who has it; none: of a foreign protocol */
    BUFFER_OF_PACKET, /* packet_get */
    BUFFER_OF_FILE,   /* of the transaction's files, or a protocol's own source of that name */
};

/* What the front end knows of a buffer beside struct buffer_info. */
struct buffer_spec {
    const char *aliases, *modifier, *help;
    uint8_t kind; /* enum buffer_kind */
    uint8_t dirs; /* 1 << DIR_TS, 1 << DIR_TC */
    bool multi;
    uint8_t app;      /* the one protocol it implies, PROTO_NONE when there are several */
    uint8_t priority; /* for fast patterns: less is better */
};

enum name_kind { NAME_KEYWORD, NAME_BUFFER, NAME_MODIFIER, NAME_VALUE, NAME_FOREIGN };
struct name_ref {
    const char *name;
    uint8_t len;
    uint8_t kind;   /* enum name_kind */
    uint16_t index; /* keyword, buffer, value; of NAME_FOREIGN the protocol */
};

/* A value of transactions, from the protocols' tables. */
struct value_info {
    const char *name;
    struct value_source sources[4];
    uint8_t n_sources, dirs;
};

struct catalogue {
    struct buffer_info *buffers;
    struct buffer_spec *specs;
    uint16_t n_buffers;
    struct value_info *values;
    uint16_t n_values;
    struct name_ref *names; /* hash table, open addressing */
    uint32_t mask;
};

const struct catalogue *catalogue_new(struct arena *a);
/* What a name in a rule stands for (ASCII case ignored), or NULL. */
const struct name_ref *catalogue_find(const struct catalogue *c, struct span name);
/* Names of a row of values of protocols that are not parsed, separated by spaces; NULL behind the
 * last. */
const char *foreign_value_names(size_t i);
/* The known name that is nearest to a wrong one; empty when none is near. */
struct span catalogue_nearest(const struct catalogue *c, struct span name);
/* Is it an anomaly of a parsed protocol that the parser here never finds? */
bool event_is_foreign(const char *proto, struct span event);
/* The protocol of the rule language with this name: enum proto_id or from APP_FOREIGN on;
 * PROTO_NONE when there is none. */
uint8_t app_find(struct span name);
/* Offers every protocol's name. */
void app_names_try(struct nearest *n);
/* The number by which flows of a protocol that is recognised and not parsed are known; of others
 * the same again. */
uint8_t app_recognised(uint8_t app);
/* Its name, never NULL. */
const char *app_name_of(uint8_t app);
/* IP protocols it runs over, as enum transport bits. */
uint8_t app_transports(uint8_t app);
