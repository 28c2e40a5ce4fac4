/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server over real sockets: answers from workers, body ceilings, malformed lines, streams
 * that sleep and wake, and stopping with all of them open. */
#include "api/httpd.h"
#include "api/listen.h"
#include "base/mem.h"

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct ticker {
    pthread_mutex_t lock;
    struct http_request *rq;
    unsigned waiting; /* ticks to send */
    unsigned closed;
};

static struct ticker ticker = {.lock = PTHREAD_MUTEX_INITIALIZER};

static ssize_t tick_pull(void *stream, char *to, size_t cap)
{
    struct ticker *t = stream;
    ssize_t n = 0;
    pthread_mutex_lock(&t->lock);
    if (t->waiting > 0 && cap >= 5) {
        t->waiting--;
        memcpy(to, "tick\n", 5);
        n = 5;
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}

static bool tick_ready(void *stream)
{
    struct ticker *t = stream;
    pthread_mutex_lock(&t->lock);
    bool more = t->waiting > 0;
    pthread_mutex_unlock(&t->lock);
    return more;
}

static void tick_close(void *stream)
{
    struct ticker *t = stream;
    pthread_mutex_lock(&t->lock);
    t->rq = NULL;
    t->closed++;
    pthread_mutex_unlock(&t->lock);
}

static bool admit(void *ctx, struct http_request *rq)
{
    (void)ctx;
    rq->body_max = 100;
    if (!span_eq(rq->path, SPAN("/no")))
        return true;
    rq->answer.status = 403;
    rq->answer.type = "text/plain";
    buf_str(&rq->answer.body, "no");
    return false;
}

static void run(void *ctx, struct http_request *rq)
{
    (void)ctx;
    struct http_answer *a = &rq->answer;
    a->status = 200;
    a->type = "text/plain";
    if (span_eq(rq->path, SPAN("/ticks"))) {
        pthread_mutex_lock(&ticker.lock);
        ticker.rq = rq;
        pthread_mutex_unlock(&ticker.lock);
        a->stream = &ticker;
        a->pull = tick_pull;
        a->ready = tick_ready;
        a->close = tick_close;
        return;
    }
    if (span_eq(rq->path, SPAN("/slow")))
        usleep(200000);
    buf_printf(&a->body, "%.*s|%zu|%.*s|%s", (int)rq->path.n, rq->path.p, rq->queries,
               (int)rq->body.n, (const char *)buf_cstr(&rq->body), rq->peer.text);
    for (size_t i = 0; i < rq->queries; i++)
        buf_printf(&a->body, "|%.*s=%.*s", (int)rq->query[i].name.n, rq->query[i].name.p,
                   (int)rq->query[i].value.n, rq->query[i].value.p);
}

static int dial(unsigned port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0);
    return fd;
}

static void say(int fd, const char *text)
{
    CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/* Reads until `want` has come, at most 3 s. */
static bool hear(int fd, const char *want)
{
    static char text[65536];
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (n + 1 < sizeof(text) && poll(&p, 1, 3000) > 0) {
        ssize_t got = recv(fd, text + n, sizeof(text) - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        text[n] = '\0';
        if (strstr(text, want))
            return true;
    }
    text[n] = '\0';
    fprintf(stderr, "wanted %s, heard: %s\n", want, text);
    return false;
}

static void requests(unsigned port)
{
    int fd = dial(port);
    say(fd, "GET /a%20b?x=1%2B1&y=a+b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(hear(fd, "/a b|2||127.0.0.1|x=1+1|y=a b"));
    say(fd, "POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(hear(fd, "/p|0|hello|"));
    say(fd, "POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n0\r\n\r\n");
    CHECK(hear(fd, "/p|0|abc|"));
    say(fd, "GET /no HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(hear(fd, " 403 "));
    close(fd);
    static const struct {
        const char *text, *want;
    } refused[] = {
        {"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", " 400 "},
        {"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", " 400 "},
        {"GET /a?%1 HTTP/1.1\r\nHost: localhost\r\n\r\n", " 400 "},
        {"POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\n\r\n", " 413 "},
    };
    for (size_t i = 0; i < LEN(refused); i++) {
        fd = dial(port);
        say(fd, refused[i].text);
        CHECK(hear(fd, refused[i].want));
        close(fd);
    }
    char big[400];
    memset(big, 'x', 200);
    big[200] = '\0';
    fd = dial(port);
    say(fd, "POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nc8\r\n");
    say(fd, big);
    say(fd, "\r\n0\r\n\r\n");
    CHECK(hear(fd, " 413 "));
    close(fd);
}

static void wake_ticker(unsigned ticks)
{
    pthread_mutex_lock(&ticker.lock);
    ticker.waiting += ticks;
    if (ticker.rq)
        http_wake(ticker.rq);
    pthread_mutex_unlock(&ticker.lock);
}

static void streams(unsigned port)
{
    int fd = dial(port);
    say(fd, "GET /ticks HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(hear(fd, "\r\n\r\n"));
    for (int i = 0; i < 20; i++) {
        wake_ticker(1);
        CHECK(hear(fd, "tick"));
    }
    close(fd);
    for (int i = 0; i < 100 && !ticker.closed; i++) { /* noticed when something is to be sent */
        wake_ticker(1);
        usleep(20000);
    }
    CHECK(ticker.closed == 1);
}

static void unix_socket(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    span_copy(span_str(path), sa.sun_path, sizeof(sa.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0);
    say(fd, "GET /u HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(hear(fd, "/u|0||local"));
    close(fd);
}

int main(void)
{
    struct err e = {0};
    char path[64];
    snprintf(path, sizeof(path), "/tmp/daizong-unit-%d.sock", (int)getpid());
    struct listen_config lc = {.address = "127.0.0.1:0", .unix_path = path};
    struct httpd_config hc = {.io_threads = 2,
                              .workers = 3,
                              .connections = 64,
                              .connections_per_ip = 64,
                              .idle_s = 10,
                              .queue = 16};
    struct http_handler handler = {.admit = admit, .run = run};
    struct listener *l = listener_open(&lc, &e);
    CHECK(l != NULL);
    struct httpd *h = httpd_start(&hc, &handler, &e);
    CHECK(h != NULL);
    if (!l || !h)
        return 1;
    CHECK(listener_run(l, h, &e));
    unsigned port = listener_port(l);
    char same[32];
    snprintf(same, sizeof(same), "127.0.0.1:%u", port);
    struct listen_config second = {.address = same};
    CHECK(!listener_open(&second, &e) && e.kind == ERR_BUSY);
    second = (struct listen_config){.unix_path = path};
    CHECK(!listener_open(&second, &e) && e.kind == ERR_BUSY);
    second = (struct listen_config){.address = "not an address"};
    CHECK(!listener_open(&second, &e) && e.kind == ERR_USAGE);
    requests(port);
    streams(port);
    unix_socket(path);
    ticker.closed = 0;
    int open_stream = dial(port);
    say(open_stream, "GET /ticks HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(hear(open_stream, "\r\n\r\n"));
    int slow = dial(port);
    say(slow, "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    usleep(50000);
    listener_close(l);
    httpd_stop(h);
    CHECK(ticker.closed == 1);
    CHECK(access(path, F_OK) != 0);
    close(open_stream);
    close(slow);
    return unit_end();
}
