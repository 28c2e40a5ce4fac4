/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's HTTP client: to the node's Unix socket in the data folder, or to --url with a
 * token (http and https). One connection a request. */
#pragma once

#include "base/buf.h"
#include "cli/command.h"

struct client_request {
    const char *method, *path; /* path with its query, escaped */
    struct span body;          /* JSON */
    int file;                  /* > 0: the body is this file, of file_bytes */
    uint64_t file_bytes;
    void (*sent)(void *ctx, uint64_t bytes); /* progress of the upload; may be NULL */
    /* Pieces of the answer's body as they come, instead of `out`; false ends. */
    bool (*piece)(void *ctx, struct span piece);
    void *ctx;
    size_t
        *position; /* where in the query an error is; may be NULL, untouched when it is not told */
};

/* A 2xx answer's body goes into out. Others become an error with the node's message and the exit
 * code that belongs to its code. */
bool client_call(const struct cli *c, const struct client_request *rq, struct buf *out,
                 struct err *e) MUST_CHECK;
/* Appends text as it may stand in a query's value. */
void client_escape(struct buf *b, const char *text);
/* A member at a dotted path of a JSON object ("jobs.0.id": of an array, from 0); false if it is not
 * there. Strings are unescaped. */
bool json_text_at(struct span object, const char *path, struct buf *out);
bool json_uint_at(struct span object, const char *path, uint64_t *ret);
bool json_double_at(struct span object, const char *path, double *ret);
