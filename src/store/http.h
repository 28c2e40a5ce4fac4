/* SPDX-License-Identifier: Apache-2.0 */
/* The store client's HTTP/1.1: one connection (Unix socket, TCP, TLS), one request at a time, every
 * wait under a deadline. The other side is trusted with content but not with sizes. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { HTTP_HEAD_MAX = 256 << 10 };

struct http_target {
    bool local, tls;
    char path[108];          /* local: the socket */
    char host[256], port[8]; /* else */
    unsigned connect_timeout_ms;
    void *tls_context; /* SSL_CTX, or NULL */
};

struct http_conn;

struct http_answer {
    unsigned status;
    unsigned exception; /* X-ClickHouse-Exception-Code, 0: none */
    char summary[512];  /* X-ClickHouse-Summary */
    bool begun;         /* at least one byte came */
};

/* "unix:PATH", "http://HOST[:PORT]", "https://HOST[:PORT]". */
bool http_target_parse(const char *url, struct http_target *ret, struct err *e) MUST_CHECK;
/* Certificates for https; ca_file NULL: the system's. */
bool http_target_tls(struct http_target *t, const char *ca_file, struct err *e) MUST_CHECK;
void http_target_free(struct http_target *t);

bool http_connect(const struct http_target *t, struct http_conn **ret, struct err *e) MUST_CHECK;
void http_close(struct http_conn *c);
/* Can it take another request? (the other side may have closed it meanwhile) */
bool http_alive(struct http_conn *c);

/* A request's body: a text, or n bytes of a file. */
struct http_body {
    struct span text;
    int fd; /* of the file, when n > 0 */
    uint64_t at, n;
    bool packed; /* a ZSTD frame */
};

/* POST path with headers (each line with its end) and body; then reads the answer, whose body goes
 * to the sink. False: the connection is of no use any more. deadline_ns by clock_mono_ns. */
bool http_post(struct http_conn *c, const char *host, struct span path, struct span headers,
               const struct http_body *body, uint64_t deadline_ns, struct err *e) MUST_CHECK;
bool http_read(struct http_conn *c, struct http_answer *a, bool (*sink)(void *, struct span),
               void *ctx, uint64_t deadline_ns, struct err *e) MUST_CHECK;
