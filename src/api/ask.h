/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the event store for a route: the time range, the query, the person's scope and the limits
 * come together here, and answers are read row by row. */
#pragma once

#include "api/api.h"
#include "api/query_sql.h"

struct range {
    uint64_t from_ns, to_ns; /* from <= t < to */
    bool open;               /* `from` was not given */
};

/* From the arguments from and to; false: the error answer is there (from after to). */
bool ask_range(struct api_call *c, struct range *ret);
/* From the argument q; false: the error answer is there. */
bool ask_query(struct api_call *c, const char *argument, struct query **ret);
bool ask_query_text(struct api_call *c, struct span text, struct query **ret);
/* The condition on a table's time: "timestamp" of events (which needs its columns timestamp and
 * timestamp_s in sight), "minute" or "hour" of a roll-up, whose rows count when they begin within.
 */
void ask_time_sql(struct buf *b, const char *column, const struct range *r);
/* The range that is all of it: an open beginning becomes the oldest event. */
bool ask_close_range(struct api_call *c, struct range *r);

/* Runs it in the person's scope; rows in `out` (JSONCompactEachRow). False: the answer is there. */
bool ask_store(struct api_call *c, const char *sql, struct buf *out);

enum { CELLS = 40 };

struct cell {
    struct span raw; /* JSON text; of a string without quotes */
    bool string, escaped, array;
};

struct rows {
    struct span rest;
    struct cell cell[CELLS];
    size_t n;
};

static inline struct rows rows_of(const struct buf *b)
{
    return (struct rows){.rest = buf_span(b)};
}

bool rows_next(struct rows *r);
uint64_t cell_u64(const struct cell *c);
double cell_double(const struct cell *c);
/* Writes a string cell as a JSON string (the escapes are JSON's already). */
void cell_json(struct buf *b, const struct cell *c);
/* The text, unescaped into the arena. */
struct span cell_text(struct api_call *c, const struct cell *cell);
void cell_time(struct buf *b, const struct cell *c); /* microseconds → RFC 3339 */
/* "took_ms" of this call. */
void ask_took(struct api_call *c);
void time_json(struct buf *b, uint64_t ns);
