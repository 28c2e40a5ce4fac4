/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP answers as the two clients read them: bit 0 of the first byte takes the store's client or
 * the command line's. The input is all that the other side says before it closes. */
#include "scratch.h"

#include "fuzz.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/client.h"
#include "store/http.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { ANSWER_BYTES = 64 << 10, SINK_BYTES = 1 << 20 };

static struct {
    int fd;
    char folder[64], url[128];
} server = {.fd = -1};

static void close_server(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/daizong.sock", server.folder);
    unlink(path);
    rmdir(server.folder);
}

/* Connections wait in the socket's queue until they are accepted, so one thread is enough. */
static void listen_once(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (server.fd >= 0)
        return;
    scratch_folder(server.folder);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/daizong.sock", server.folder);
    snprintf(server.url, sizeof(server.url), "unix:%s", a.sun_path);
    server.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(server.fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(server.fd, 8) == 0);
    atexit(close_server);
}

/* Says s and closes for writing; what the client asks stays unread. */
static int answer(int fd, struct span s)
{
    int room = 2 * ANSWER_BYTES;

    must(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    must(s.n == 0 || send(fd, s.p, s.n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)s.n);
    shutdown(fd, SHUT_WR);
    return fd;
}

static bool sink(void *ctx, struct span piece)
{
    size_t *all = ctx;

    *all += piece.n;
    return *all <= SINK_BYTES;
}

static void store_client(struct span s)
{
    struct http_target t;
    struct http_conn *c;
    struct http_answer a;
    struct err e = {0};

    must(http_target_parse(server.url, &t, &e));
    t.connect_timeout_ms = 1000;
    must(http_connect(&t, &c, &e));
    int fd = answer(accept(server.fd, NULL, NULL), s);
    for (size_t all = 0; http_read(c, &a, sink, &all, clock_mono_ns() + NS_PER_S, &e);) {
        must(all <= s.n && a.status <= 999 && a.status != 100);
        all = 0;
    }
    must(e.text[0]);
    http_close(c);
    http_target_free(&t);
    close(fd);
}

/* The command line's client connects, asks and reads in one call, so its other side is a thread. */
static void *say(void *arg)
{
    const struct span *s = arg;
    char asked[4096];

    int fd = accept(server.fd, NULL, NULL);
    must(fd >= 0 && read(fd, asked, sizeof(asked)) > 0);
    return (void *)(intptr_t)answer(fd, *s);
}

static void command_line(struct span s, bool pieces)
{
    struct cli c = {.args_n = 0};
    struct buf out = buf_new(1 << 20);
    struct err e = {0};
    size_t all = 0;
    struct client_request rq = {
        .method = "GET", .path = "/api/v1/health", .piece = pieces ? sink : NULL, .ctx = &all};
    pthread_t other;
    void *fd;

    snprintf(c.data_dir, sizeof(c.data_dir), "%s", server.folder);
    must(pthread_create(&other, NULL, say, &s) == 0);
    bool ok = client_call(&c, &rq, &out, &e);
    must(pthread_join(other, &fd) == 0);
    must(ok ? out.n + all <= s.n : e.text[0] != 0);
    close((int)(intptr_t)fd);
    buf_free(&out);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    if (n == 0 || n > ANSWER_BYTES)
        return 0;
    listen_once();
    if (p[0] & 1)
        command_line(span_of(p + 1, n - 1), p[0] & 2);
    else
        store_client(span_of(p + 1, n - 1));
    return 0;
}
