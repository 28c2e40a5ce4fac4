/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded engine's C interface (libchdb 26.7.3), bound at run time so that this program
 * starts, and explains itself, without it. Only what daizong-store uses. Contracts that hold
 * everywhere: every result and insert stream is destroyed; while a stream is open its connection
 * takes no other statement; chdb_connect returns a pointer to the connection, all else takes what
 * it points to. */
#pragma once

#include "base/err.h"
#include "base/span.h"

#define CHDB_WANTED "26.7.3"

struct chdb_result;
struct chdb_insert;
struct chdb_conn;

enum chdb_class {
    CHDB_READ_ONLY,
    CHDB_MUTATING,
    CHDB_MUTATING_GLOBAL,
    CHDB_CONTROL,
    CHDB_UNKNOWN,
};

struct chdb_analysis {
    uint32_t struct_size, statements, flags, query_class;
};

struct chdb {
    const char *(*version)(void);
    void (*set_signals)(int on);
    struct chdb_conn **(*connect)(int argc, char **argv);
    void (*close)(struct chdb_conn **conn);
    struct chdb_result *(*query)(struct chdb_conn *conn, const char *sql, size_t n,
                                 const char *format, size_t format_n);
    struct chdb_result *(*query_params)(struct chdb_conn *conn, const char *sql, size_t n,
                                        const char *format, size_t format_n,
                                        const char *const *names, const size_t *names_n,
                                        const char *const *values, const size_t *values_n,
                                        size_t params);
    struct chdb_result *(*stream_params)(struct chdb_conn *conn, const char *sql, size_t n,
                                         const char *format, size_t format_n,
                                         const char *const *names, const size_t *names_n,
                                         const char *const *values, const size_t *values_n,
                                         size_t params);
    struct chdb_result *(*stream_fetch)(struct chdb_conn *conn, struct chdb_result *stream);
    void (*stream_cancel)(struct chdb_conn *conn, struct chdb_result *stream);
    void (*destroy)(struct chdb_result *r);
    struct chdb_insert *(*insert_open)(struct chdb_conn *conn, const char *sql, size_t n,
                                       const char *format, size_t format_n);
    int (*insert_append)(struct chdb_insert *s, const void *p, size_t n);
    struct chdb_result *(*insert_done)(struct chdb_insert *s);
    void (*insert_cancel)(struct chdb_insert *s);
    const char *(*insert_error)(struct chdb_insert *s);
    void (*insert_destroy)(struct chdb_insert *s);
    char *(*buffer)(struct chdb_result *r);
    size_t (*length)(struct chdb_result *r);
    double (*elapsed)(struct chdb_result *r);
    uint64_t (*rows)(struct chdb_result *r);
    uint64_t (*bytes)(struct chdb_result *r);
    uint64_t (*rows_read)(struct chdb_result *r);
    uint64_t (*bytes_read)(struct chdb_result *r);
    uint64_t (*rows_written)(struct chdb_result *r);
    uint64_t (*bytes_written)(struct chdb_result *r);
    const char *(*error)(struct chdb_result *r);
    int (*classify)(struct chdb_conn *conn, const char *sql, size_t n, const char *database,
                    size_t database_n, struct chdb_analysis *ret);
};

/* Finds the library (path, or when NULL: $DAIZONG_LIBCHDB, beside this program, the build tree, the
 * system's places), checks that it is the one that was built against (SHA-256, remembered in `seen`
 * with the file's identity so that it is computed once; sha256 "any" skips it), loads and binds it.
 * One clear line when it is missing, wrong or of another version. */
bool chdb_load(struct chdb *ret, const char *path, const char *sha256, const char *seen,
               struct err *e) MUST_CHECK;
