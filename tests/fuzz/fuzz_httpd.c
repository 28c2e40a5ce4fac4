/* SPDX-License-Identifier: Apache-2.0 */
/* The node's HTTP server over a socket pair: whatever comes, what goes back is HTTP or nothing.
 * Requests for a known route have their parameters and body checked as the router does; handlers
 * are not run, they need a store. */
#include "fuzz.h"

#include "api/route.h"
#include "base/mem.h"
#include "base/must.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY_MAX = 4096, INPUT_MAX = 65536 };

static bool admit(void *ctx, struct http_request *rq)
{
    (void)ctx;
    rq->body_max = BODY_MAX;
    return true;
}

static void run(void *ctx, struct http_request *rq)
{
    (void)ctx;
    struct api_call c = {.rq = rq, .out = &rq->answer.body};
    unsigned allowed;

    must(rq->path.n > 0 && rq->path.p[0] == '/' && rq->body.n <= BODY_MAX);
    (void)http_header_get(rq, "Accept");
    (void)http_cookie_get(rq, "session");
    c.route = route_find(rq->method, rq->path, &c, &allowed);
    if (c.route && args_from_query(&c) && c.route->body)
        (void)args_from_body(&c);
    if (rq->answer.status)
        return;
    rq->answer.status = 200;
    rq->answer.type = "text/plain";
    for (size_t i = 0; i < rq->queries; i++) {
        buf_span_add(&rq->answer.body, rq->query[i].name);
        buf_span_add(&rq->answer.body, rq->query[i].value);
    }
}

static struct httpd *server(void)
{
    const struct httpd_config config = {.io_threads = 1,
                                        .workers = 1,
                                        .connections = 16,
                                        .connections_per_ip = 16,
                                        .idle_s = 5,
                                        .queue = 16};
    const struct http_handler handler = {.admit = admit, .run = run};
    struct err e;
    struct httpd *h = httpd_start(&config, &handler, &e);

    must(h);
    signal(SIGPIPE, SIG_IGN);
    return h;
}

/* Reads until nothing more comes; the answer begins as HTTP does. The connection is closed then,
 * since one may be left open to the server's idle time. */
static void hear(int fd, int wait_ms)
{
    char text[4096];
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};

    while (poll(&p, 1, n ? 5 : wait_ms) > 0) {
        ssize_t got = recv(fd, text + n, sizeof(text) - n, 0);
        if (got <= 0)
            break;
        n = n + (size_t)got > 64 ? 64 : n + (size_t)got;
    }
    must(n < 8 || memcmp(text, "HTTP/1.", 7) == 0);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    static struct httpd *h;
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fds[2];

    if (!h)
        h = server();
    if (n > INPUT_MAX)
        n = INPUT_MAX;
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    if (!httpd_add(h, fds[1], (const struct sockaddr *)&peer, sizeof(peer))) {
        close(fds[0]);
        return 0;
    }
    for (size_t at = 0; at < n;) {
        ssize_t sent = send(fds[0], p + at, n - at, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        at += (size_t)sent;
    }
    bool head = p && n >= 2 && (memmem(p, n, "\n\n", 2) || memmem(p, n, "\n\r\n", 3));
    hear(fds[0], head ? 200 : 0);
    close(fds[0]);
    return 0;
}
