/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request on its way: what its parameters say, the body as it comes in, the statement it
 * becomes, and the answer. Between server.c (the HTTP library) and the engine. */
#pragma once

#include "embedded/codec.h"
#include "embedded/engine.h"
#include "embedded/sql.h"

enum {
    REQUEST_SQL_MAX = 4 << 20, /* bytes of one statement */
    REQUEST_SETTINGS = 200,
    REQUEST_PARAMS = 100,
    REQUEST_ANSWER_MAX = 1 << 30, /* bytes of an answer that is not streamed */
};

struct request {
    const struct chdb *chdb;
    struct engine *en;
    bool reader, wait_end, compress;
    enum codec_type accept;
    int level;
    struct span url_sql, database, session, default_format, query_id;
    bool has_query;
    unsigned session_timeout_s;
    struct engine_setting settings[REQUEST_SETTINGS];
    size_t settings_n;
    struct {
        struct span name, value;
    } params[REQUEST_PARAMS];
    size_t params_n;
    char id[64];

    struct codec *decoder;
    struct buf text; /* the body so far, while it may be SQL */
    struct slot *slot;
    struct chdb_insert *insert;
    uint64_t started_ns;
    struct buf error; /* the first one; the rest of the body is dropped */

    /* The answer. */
    struct span format;
    char format_text[64];
    struct chdb_result *stream;
    struct buf out; /* bytes to send next, coded */
    size_t out_at;
    struct codec *encoder;
    bool last;   /* out holds the end */
    bool broken; /* the stream ended in an error */
    uint64_t rows_read, bytes_read, rows_written, bytes_written, result_rows;
};

struct request *request_new(const struct chdb *chdb, struct engine *en, bool reader);
void request_free(struct request *r);
/* One URL parameter; the spans live as long as the request. False: too many. */
bool request_param(struct request *r, struct span name, struct span value);
/* A piece of the body. */
void request_body(struct request *r, struct span piece);
/* The body is complete: runs what is to be run. Afterwards either r->error is set, or r->out holds
 * the first bytes of the answer and request_more the rest. */
void request_run(struct request *r);
/* Puts the next bytes into r->out (from out_at 0); nothing more comes when r->last. */
void request_more(struct request *r);
/* "Code: 60." gives 60; 0 when there is none. */
unsigned request_error_code(const struct request *r);
/* What exceptionCodeToHTTPStatus of a ClickHouse server gives for this code. */
unsigned request_http_status(unsigned code);
const char *request_content_type(struct span format);
