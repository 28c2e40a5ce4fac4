/* SPDX-License-Identifier: Apache-2.0 */
/* The engine behind slots: about cores + 2 statements run at a time, a bounded queue waits, the
 * rest are refused at once. Each statement gets a fresh connection (0.2 ms) with its own settings,
 * so that nothing leaks from one client to the next; readers' connections end with SET readonly =
 * 1, which cannot be undone. A named session (temporary tables, SET) keeps its connection for a
 * while. */
#pragma once

#include "base/buf.h"
#include "embedded/chdb.h"

struct engine;
struct slot;

struct engine_conf {
    const char *path;      /* of the data */
    unsigned slots;        /* 0: cores + 2 */
    unsigned queue;        /* waiting at most; 0: 64 */
    unsigned wait_ms;      /* in the queue at most; 0: 10,000 */
    uint64_t memory;       /* of the whole engine; 0: 1.5 GB */
    uint64_t query_memory; /* readers' most; 0: 1 GB */
    unsigned query_time_s; /* readers' most; 0: 30 */
    uint64_t query_rows;   /* readers' largest result; 0: 1,000,000 */
};

struct engine_setting {
    struct span name, value;
};

struct engine_ask {
    bool reader;
    struct span session; /* name or empty; writers only */
    unsigned session_timeout_s;
    const struct engine_setting *settings;
    size_t settings_n;
    struct span database; /* or empty: "default" */
};

/* Connects (which opens the data). One clear line on failure. */
bool engine_open(const struct chdb *chdb, const struct engine_conf *conf, struct engine **ret,
                 struct err *e) MUST_CHECK;
/* Waits for the statements under way, closes every connection. Then only _exit() is safe. */
void engine_close(struct engine *en);

/* A slot with a prepared connection, or NULL with an error text in ClickHouse's form. */
struct slot *slot_get(struct engine *en, const struct engine_ask *ask, struct buf *error);
void slot_put(struct slot *s);
struct chdb_conn *slot_conn(struct slot *s);
/* May a reader run this? Else an error text in ClickHouse's form. */
bool slot_reader_may(struct slot *s, struct span sql, struct buf *error);
/* "Code: N. DB::Exception: text (NAME)". */
void engine_error(struct buf *b, unsigned code, const char *name, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
