/* SPDX-License-Identifier: Apache-2.0 */
/* From EVE JSON lines to stored rows. A line is parsed over the field table into the columns of a
 * Native block; a full block (rows or age) is written to the spool (append-only segments with
 * checksums in the data folder, fsync), from then on it is durable and its events may be
 * acknowledged; a thread of its own carries blocks from the spool to the store and tries until they
 * are in, each with a token so that a repeated block is stored once. The spool also remembers, for
 * every stream, the last durable number: a line whose number is not above it is a repeat and is
 * dropped. So no acknowledged event is lost and none is stored twice, whichever process dies when.
 * Malformed lines go to the quarantine table with the reason. Any thread may call. */
#pragma once

#include "store/store.h"

struct ingest;
struct ingest_source;

enum ingest_answer {
    INGEST_OK,     /* taken; durable when `durable` says so */
    INGEST_REPEAT, /* its number was taken before: nothing to do */
    INGEST_FULL,   /* spool at its ceiling: nothing was taken, come again later (back-pressure) */
};

struct ingest_conf {
    struct store *store;
    const char *spool_dir;    /* created with mode 0700 */
    uint64_t spool_max_bytes; /* 0: 4 GB */
    uint32_t batch_rows;      /* 0: 131,072 */
    size_t batch_bytes;       /* 0: 48 MB */
    unsigned batch_age_ms;    /* 0: 1,000 */
    bool keep_raw;            /* keep the line itself too */
    unsigned retention_days;  /* for schema_ensure, which ingest calls when the store is there */
    bool no_thread;           /* tests: nothing moves but in ingest_flush and ingest_drain */
    /* Everything of this source up to seq is durable. Called from ingest's threads; must not call
     * ingest. May be NULL. */
    void (*durable)(void *ctx, struct ingest_source *src, uint64_t seq);
    /* An accepted event, for the live stream: called in the thread that brought the line. With its
     * time stamp it has the identity that it will have in the store. */
    void (*event)(void *ctx, struct ingest_source *src, uint64_t seq, int64_t timestamp_us,
                  struct span line);
    void *ctx;
    unsigned start_patience_s; /* a store that starts may be away so long without a warning */
};

struct ingest_counters {
    uint64_t lines, bytes; /* brought */
    uint64_t taken;        /* rows for the events table */
    uint64_t quarantined, repeats, refused_full;
    uint64_t mismatches;                /* fields of a wrong type, passed over */
    uint64_t durable, stored;           /* rows */
    uint64_t spool_bytes, spool_blocks; /* waiting */
    uint64_t insert_failures;
    uint64_t last_event_ns;  /* time stamp of the newest event, 0: none */
    uint64_t last_stored_ns; /* wall clock of the last successful insert */
    uint64_t lag_ns;         /* age of the oldest block that waits */
    bool ready;              /* the store answered and its tables are there */
    char last_error[256];    /* why the store did not take the last block; "" when it did */
};

/* Recovers what the spool holds and begins to carry it to the store. ERR_BUSY when another process
 * uses the folder. */
bool ingest_open(const struct ingest_conf *conf, struct ingest **ret, struct err *e) MUST_CHECK;
/* Makes durable what was taken (false: it could not), then stops. What the store has not taken
 * stays in the spool. */
bool ingest_close(struct ingest *in, struct err *e) MUST_CHECK;

/* The source of a sensor's stream; the same one for the same names and stream as long as the
 * process lives. *next_seq gets the first number that is wanted. sensor and unit as link_name_valid
 * allows; an empty unit is "default". `user` is the caller's, see ingest_source_user. */
struct ingest_source *ingest_source_get(struct ingest *in, struct span sensor, struct span unit,
                                        uint64_t stream, uint64_t *next_seq);
/* Is anything of this stream durable? *next_seq gets the first number that is not. Makes no source.
 */
bool ingest_knows(struct ingest *in, struct span sensor, uint64_t stream, uint64_t *next_seq);
/* The last durable number of the source. */
uint64_t ingest_source_durable(struct ingest *in, const struct ingest_source *src);
void ingest_source_set_user(struct ingest_source *src, void *user);
void *ingest_source_user(const struct ingest_source *src);
const char *ingest_source_sensor(const struct ingest_source *src);
const char *ingest_source_unit(const struct ingest_source *src);
uint64_t ingest_source_stream_id(const struct ingest_source *src);

/* One line (without line feed) with its number in the stream; numbers rise. A malformed line counts
 * as taken: it stands in quarantine. */
enum ingest_answer ingest_line(struct ingest *in, struct ingest_source *src, uint64_t seq,
                               struct span line);
/* Returns when all that was taken is durable. */
bool ingest_flush(struct ingest *in, struct err *e) MUST_CHECK;
/* Returns when all that was taken is in the store, or after timeout_ms with ERR_TIMEOUT. */
bool ingest_drain(struct ingest *in, unsigned timeout_ms, struct err *e) MUST_CHECK;
/* Makes durable what was taken; *mark stands for all of it in ingest_stored. */
bool ingest_mark(struct ingest *in, uint64_t *mark, struct err *e) MUST_CHECK;
/* Is all of before this mark in the store, where queries find it? Waits for it up to timeout_ms;
 * what comes in meanwhile does not matter. */
bool ingest_stored(struct ingest *in, uint64_t mark, unsigned timeout_ms);
/* The stream_id column of this stream's events. */
uint64_t ingest_stream_id(struct span sensor, uint64_t stream);
void ingest_count(struct ingest *in, struct ingest_counters *ret);
/* Settings that change while it runs: lines are kept or not from the next one on; how long events
 * stay is told to the store as soon as it answers. */
void ingest_configure(struct ingest *in, bool keep_raw, unsigned retention_days);
