/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a node that the command line takes, and those that it must not take for whole. */
#include "cli/client.h"

#include "base/must.h"
#include "unit.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64];
static int server;

static void *say(void *arg)
{
    const char *text = arg;
    char asked[4096];

    int fd = accept(server, NULL, NULL);
    must(fd >= 0 && read(fd, asked, sizeof(asked)) > 0);
    must(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
    shutdown(fd, SHUT_WR);
    return (void *)(intptr_t)fd;
}

/* The body that a call gives for this answer; NULL and *kind when it refuses. */
static const char *call(const char *text, enum err_kind *kind)
{
    static char body[1024];
    static struct cli c;
    struct client_request rq = {.method = "GET", .path = "/"};
    struct buf out = buf_new(1 << 16);
    struct err e = {0};
    pthread_t t;
    void *fd;

    snprintf(c.data_dir, sizeof(c.data_dir), "%s", folder);
    CHECK(pthread_create(&t, NULL, say, (void *)(uintptr_t)text) == 0);
    bool ok = client_call(&c, &rq, &out, &e);
    CHECK(pthread_join(t, &fd) == 0);
    close((int)(intptr_t)fd);
    span_copy(buf_span(&out), body, sizeof(body));
    buf_free(&out);
    *kind = e.kind;
    CHECK(ok || e.text[0]);
    return ok ? body : NULL;
}

#define OK "HTTP/1.1 200 OK\r\n"

static void whole(void)
{
    enum err_kind kind;

    CHECK_STR(call(OK "Content-Length: 2\r\n\r\nab", &kind), "ab");
    CHECK_STR(call(OK "\r\nuntil the end", &kind), "until the end");
    CHECK_STR(call(OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n", &kind),
              "abc");
}

static void broken(void)
{
    static const char *const answers[] = {
        OK "Content-Le",
        OK "Content-Length: 3\r\n\r\nab",
        OK "Transfer-Encoding: chunked\r\n\r\n3\r\nab",
        OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\nxy\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nab",
        "SSH-2.0-OpenSSH_9.2\r\n",
    };
    enum err_kind kind;

    for (size_t i = 0; i < LEN(answers); i++)
        CHECK(!call(answers[i], &kind) && kind == ERR_PROTOCOL);
    CHECK(!call("", &kind) && kind == ERR_UNAVAILABLE);
    CHECK(!call("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", &kind) && kind == ERR_BUSY);
    CHECK(!call("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", &kind) && kind == ERR_LOGIN);
}

/* A reason that says nothing still gives a text (call checks that it is there). */
static void empty_reason(void)
{
    enum err_kind kind;

    CHECK(
        !call("HTTP/1.1 400 Bad\r\n\r\n{\"error\":{\"code\":\"parse\",\"message\":\"\"}}", &kind));
    CHECK(kind == ERR_PARSE);
}

/* More header lines than a node ever sends. */
static void long_head(void)
{
    static char text[100000];
    enum err_kind kind;
    size_t n = (size_t)snprintf(text, sizeof(text), OK);

    while (n < 80000)
        n +=
            (size_t)snprintf(text + n, sizeof(text) - n, "X-%zu: 0123456789012345678901234\r\n", n);
    snprintf(text + n, sizeof(text) - n, "\r\n");
    CHECK(!call(text, &kind) && kind == ERR_PROTOCOL);
}

int main(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(folder, sizeof(folder), "/tmp/daizong-client-XXXXXX");
    CHECK(mkdtemp(folder));
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/daizong.sock", folder);
    server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(server, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(server, 8) == 0);
    whole();
    broken();
    empty_reason();
    long_head();
    close(server);
    unlink(a.sun_path);
    rmdir(folder);
    return unit_end();
}
