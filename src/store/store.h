/* SPDX-License-Identifier: Apache-2.0 */
/* The one client of the event store. It speaks ClickHouse's HTTP interface, to daizong-store over
 * its Unix socket or to any ClickHouse server over TCP: nothing else differs between the two. A
 * store is a pool of kept-alive connections; every function may be called from any thread and
 * blocks until the answer, its deadline, or an error. Events never go in through here directly: see
 * store/ingest.h, which makes them durable first. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct store;

struct store_conf {
    /* "unix:/data/store.sock", "http://host:8123" or "https://host:8443". */
    const char *url;
    const char *user, *password; /* NULL: none is sent */
    const char *database;        /* NULL: "daizong" */
    const char *ca_file;         /* https: NULL takes the system's authorities */
    unsigned connections;        /* most at a time; 0: 8 */
    unsigned connect_timeout_ms; /* 0: 2000 */
};

/* Ceilings of one query; 0 takes the value in parentheses. */
struct store_limits {
    unsigned time_ms;      /* (10,000) the engine gives up, and a second later the client */
    uint64_t memory_bytes; /* (512 MB) in the engine */
    uint64_t result_rows;  /* (100,000) more is an error, or cut when `cut` */
    uint64_t answer_bytes; /* (64 MB) of the answer */
    uint64_t read_rows;    /* (no limit) rows looked at */
    bool cut;              /* stop quietly at result_rows */
};

/* A value for {name:Type} in the SQL; text as ClickHouse writes it, escaped by the client. */
struct store_param {
    const char *name;
    struct span value;
};

/* What a person may see: the rows of these units. Every query names its scope, and the client adds
 * it to every table of the schema that has a unit column, so that no query can forget it. */
struct store_scope {
    bool all;
    const char *const *units;
    size_t units_n;
};

struct store_query {
    const char *sql;    /* without FORMAT */
    const char *format; /* NULL: JSONCompact */
    const struct store_param *params;
    size_t params_n;
    struct store_limits limits;
    struct store_scope scope;
};

struct store_stats {
    uint64_t read_rows, read_bytes, result_rows, elapsed_ns;
};

/* A piece of the answer; false stops the query. */
typedef bool store_sink(void *ctx, struct span piece);

/* Makes the client; connects at first use. ERR_CONFIG when conf is wrong. */
bool store_open(const struct store_conf *conf, struct store **ret, struct err *e) MUST_CHECK;
/* No call may be under way. */
void store_close(struct store *s);
/* Is the store there? *version (may be NULL, at least 32 bytes) gets its version. */
bool store_ping(struct store *s, char *version, size_t version_cap, struct err *e) MUST_CHECK;
/* Waits until it answers, at most timeout_ms. */
bool store_wait(struct store *s, unsigned timeout_ms, struct err *e) MUST_CHECK;
/* DDL and other statements without an answer; not retried. */
bool store_exec(struct store *s, const char *sql, struct err *e) MUST_CHECK;
/* A read-only query; the answer goes into out (whose own ceiling holds too). stats may be NULL.
 * Errors: ERR_UNAVAILABLE store not reachable, ERR_TIMEOUT, ERR_FULL a ceiling was met, ERR_INVALID
 * the SQL was refused (text holds the engine's words). Tried again once on a stale connection. */
bool store_query(struct store *s, const struct store_query *q, struct buf *out,
                 struct store_stats *stats, struct err *e) MUST_CHECK;
/* The same, piece by piece. */
bool store_stream(struct store *s, const struct store_query *q, store_sink *sink, void *ctx,
                  struct store_stats *stats, struct err *e) MUST_CHECK;
/* A query whose answer is one number (first column of the first row). */
bool store_query_u64(struct store *s, const struct store_query *q, uint64_t *ret,
                     struct err *e) MUST_CHECK;
/* What is inserted: a text, or n bytes of a file, read as they are sent. */
struct store_data {
    struct span text;
    int fd; /* of the file, when n > 0 */
    uint64_t at, n;
    bool packed; /* a ZSTD frame */
};

/* One insert of a block in `format` ("Native") into `into` ("events (ts, …)"). With the same token
 * it is stored once however often it is sent. Not retried here. */
bool store_insert(struct store *s, const char *into, const char *format,
                  const struct store_data *data, const char *token, struct err *e) MUST_CHECK;
/* The database that queries run in; borrowed. */
const char *store_database(const struct store *s);
