/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: libmicrohttpd does the bytes, a pool of workers runs the answers, so that a slow
 * query never holds up other connections. Sockets are accepted by our own thread (TCP, TLS through
 * api/tls.h, Unix) and handed over. Everything has a ceiling: connections in all and by address,
 * header size, body size by route, the queue of requests, time without a byte. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"

#include <sys/types.h>

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_POST = 4,
    HTTP_PUT = 8,
    HTTP_DELETE = 16,
    HTTP_OTHER = 32,
};

struct http_peer {
    bool local; /* over the Unix socket */
    bool tls;
    uid_t uid; /* of a local peer */
    struct ip ip;
    char text[IP_TEXT]; /* "local" or the address */
};

struct http_pair {
    struct span name, value; /* decoded, live in the request's arena */
};

enum { HTTP_QUERY_MAX = 32, HTTP_HEADERS_MAX = 8 };

struct http_header {
    const char *name, *value; /* value: static or in the request's arena */
};

/* Where a stream's bytes come from: called on an I/O thread; returns how many were put into `to`,
 * 0 for "nothing now" (http_wake is called when there is more), -1 for the end. */
typedef ssize_t http_pull(void *stream, char *to, size_t cap);
/* Would http_pull give something (or the end) now? */
typedef bool http_ready(void *stream);
typedef void http_close(void *stream);

struct http_answer {
    unsigned status;
    const char *type;     /* content type; NULL: no body */
    struct buf body;      /* freed by the server */
    struct span constant; /* instead of body: lives longer than the server */
    struct http_header header[HTTP_HEADERS_MAX];
    size_t headers;
    void *stream; /* instead of both */
    http_pull *pull;
    http_ready *ready;
    http_close *close;
};

struct http_request {
    struct httpd *server;
    enum http_method method;
    struct span path; /* decoded, begins with '/' */
    struct http_pair query[HTTP_QUERY_MAX];
    size_t queries;
    struct http_peer peer;
    struct arena arena;
    size_t body_max;       /* set by admit */
    const char *body_file; /* set by admit: the body goes to this file (created, 0600) */
    struct buf body;
    uint64_t body_bytes;
    struct http_answer answer;
    const void *route; /* the router's */
    void *who;         /* the router's, in the arena */
    void *connection;  /* libmicrohttpd's */
};

struct http_handler {
    void *ctx;
    /* The head is there, the body not: says whether to go on; false: the answer is filled in. Runs
     * on an I/O thread, so it must not wait for anything slow. */
    bool (*admit)(void *ctx, struct http_request *rq);
    /* All is there: fills in the answer. Runs on a worker. */
    void (*run)(void *ctx, struct http_request *rq);
};

struct httpd_config {
    unsigned io_threads, workers;
    unsigned connections, connections_per_ip;
    unsigned idle_s;
    unsigned queue;
};

struct httpd;

struct httpd *httpd_start(const struct httpd_config *config, const struct http_handler *handler,
                          struct err *e) MUST_CHECK;
/* Ends streams, waits for running answers, closes all. */
void httpd_stop(struct httpd *h);
/* Takes over a connected socket (closed on failure). `peer` is the client's address. */
struct sockaddr;
bool httpd_add(struct httpd *h, int fd, const struct sockaddr *peer, unsigned peer_len);
/* There are bytes for the stream of this request. Any thread, before its close is called. */
void http_wake(struct http_request *rq);

/* The value of a request header, or an empty span. */
struct span http_header_get(const struct http_request *rq, const char *name);
struct span http_cookie_get(const struct http_request *rq, const char *name);
void http_header_set(struct http_request *rq, const char *name, const char *value);
/* Decodes %XX (and '+' as space if asked); false on a bad sequence or a NUL byte. */
bool http_decode(struct arena *a, struct span raw, bool plus, struct span *ret);

struct http_counters {
    uint64_t requests, connections, refused_full, refused_uri, answers_5xx, answers_4xx, bytes_out;
    unsigned queued, open, streams;
};
struct http_counters httpd_counters(struct httpd *h);
