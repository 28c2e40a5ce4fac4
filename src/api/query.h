/* SPDX-License-Identifier: Apache-2.0 */
/* The query language of the search box: words, "phrases", field:value with ranges, wildcards,
 * networks, -not, OR and parentheses. A text becomes a checked tree in which every field exists and
 * every value has its field's type; mistakes are reported with their position. The tree is then
 * written as SQL (api/query_sql.h) or tried on an event (api/match.h). Bounded in length, depth and
 * number of nodes. */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "event/field.h"

enum { QUERY_MAX_BYTES = 4096, QUERY_MAX_DEPTH = 16, QUERY_MAX_NODES = 256 };

enum query_kind {
    QUERY_ALL, /* matches everything: an empty text */
    QUERY_AND,
    QUERY_OR,
    QUERY_NOT,
    QUERY_TEXT, /* free text anywhere in the event */
    QUERY_FIELD,
};

enum query_op {
    QUERY_EQ,
    QUERY_LT,
    QUERY_LE,
    QUERY_GT,
    QUERY_GE,
    QUERY_RANGE, /* low <= x <= high */
    QUERY_LIKE,  /* with * and ? */
    QUERY_EXISTS,
    QUERY_CIDR,
};

/* A place that a query names: a field of the table, or a key below a field whose keys are data. */
struct query_target {
    enum field field;
    struct span key; /* below a map: the rest of the path, dots between; else empty */
};

struct query_value {
    struct span text;
    uint64_t u; /* numbers and bools; nanoseconds of a time */
    bool negative;
    struct cidr cidr;
};

struct query {
    enum query_kind kind;
    enum query_op op;
    unsigned position;             /* where it stands in the text */
    struct query *left, *right;    /* AND, OR; NOT has only left */
    struct query_target target[2]; /* of a field; two for ip: and port: (either matches) */
    unsigned targets;
    struct query_value low, high;
};

struct query_error {
    unsigned position;
    char text[200];
};

/* Parses; the tree lives in `a`, as does what it borrows (`text` must live as long). `now_ns` is
 * what relative times refer to. */
bool query_parse(struct arena *a, struct span text, uint64_t now_ns, struct query **ret,
                 struct query_error *error) MUST_CHECK;
/* The target that a name in a query means ("sid", "src_ip", "alert.metadata.cve"). */
bool query_target_find(struct span name, struct query_target *ret);
/* Does pattern with * and ? match the whole text, ASCII case ignored? Linear in practice, at most
 * product of the lengths. */
bool query_glob(struct span pattern, struct span text);
