/* SPDX-License-Identifier: Apache-2.0 */
/* Just enough of ClickHouse's lexical rules to find a statement's kind, its FORMAT clause and where
 * the data of an INSERT begins, and to see names that a reader may not call. It never decides that
 * something is valid: the engine parses again. */
#pragma once

#include "base/rd.h"

enum sql_kind {
    SQL_OTHER,
    SQL_INSERT_DATA,   /* INSERT … FORMAT x: data follow in the given format */
    SQL_INSERT_INLINE, /* INSERT … VALUES (…) or … SELECT: whole in the text */
};

struct sql {
    enum sql_kind kind;
    struct span text;   /* what the engine gets; for SQL_INSERT_DATA without FORMAT and data */
    struct span format; /* name in the FORMAT clause, or empty */
    struct span data;   /* SQL_INSERT_DATA: what followed in the same text */
    bool more;          /* an INSERT whose FORMAT clause may still come: more text is needed */
};

/* `whole`: no more text will come. An INSERT that ends within its text without FORMAT, VALUES or
 * SELECT gets `more` unless whole. */
struct sql sql_split(struct span text, bool whole);
/* The first call of a function that reads files, other hosts or programs of the machine, or an
 * empty span: the list behind readonly, which does not refuse all of them. */
struct span sql_outside_call(struct span text);
/* Can pieces of an answer in this format follow each other? */
bool sql_format_streams(struct span format) PURE;
