/* SPDX-License-Identifier: Apache-2.0 */
/* The sensor's side of the link against a node that breaks off, acknowledges late or too much, has
 * events already, or refuses: every event is sent until it is durable there, and no longer. */
#include "event/link.h"
#include "output/output.h"

#include "unit.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };

static char path[128];
static int server;

/* One connection of the sensor, as the node sees it. */
struct peer {
    int fd;
    struct buf in;
    size_t used; /* bytes of the last frame */
};

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, WAIT_MS) == 1;
}

static struct peer peer_accept(void)
{
    struct peer p = {.fd = readable(server) ? accept(server, NULL, NULL) : -1};

    CHECK(p.fd >= 0);
    p.in = buf_new(LINK_FRAME_MAX * 2);
    return p;
}

static void peer_close(struct peer *p)
{
    close(p->fd);
    buf_free(&p->in);
}

/* The next frame of this type; what it borrows lives until the next call. */
static bool peer_frame(struct peer *p, enum link_type type, struct link_frame *f)
{
    const char *why;

    for (;;) {
        buf_drop(&p->in, p->used);
        p->used = 0;
        struct span in = buf_span(&p->in);
        enum rd_state st = link_next(&in, f, &why);
        p->used = st == RD_OK ? p->in.n - in.n : 0;
        if (st == RD_OK && f->type == type)
            return true;
        if (st == RD_OK)
            continue;
        if (st != RD_MORE || !buf_room(&p->in, 4096) || !readable(p->fd))
            return false;
        ssize_t n = read(p->fd, p->in.p + p->in.n, 4096);
        if (n <= 0)
            return false;
        p->in.n += (size_t)n;
    }
}

static void peer_say(struct peer *p, struct buf *b)
{
    CHECK(send(p->fd, b->p, b->n, MSG_NOSIGNAL) == (ssize_t)b->n);
    buf_free(b);
}

static void welcome(struct peer *p, uint64_t next_seq)
{
    const struct link_welcome w = {
        .version = LINK_VERSION, .next_seq = next_seq, .window_bytes = 1 << 20};
    struct buf b = buf_new(256);

    link_put_welcome(&b, &w);
    peer_say(p, &b);
}

static void ack(struct peer *p, uint64_t seq)
{
    struct buf b = buf_new(64);

    link_put_ack(&b, seq);
    peer_say(p, &b);
}

/* Waits until a ping has come back: all that was said before it has been dealt with. */
static bool settled(struct peer *p)
{
    struct link_frame f;
    struct buf b = buf_new(64);

    link_put_empty(&b, LINK_PING);
    peer_say(p, &b);
    return peer_frame(p, LINK_PONG, &f);
}

/* The lines that come, from first_seq on, joined. */
static const char *events(struct peer *p, uint64_t first_seq, uint32_t count)
{
    static char text[256];
    struct link_frame f;
    struct span line;
    uint32_t n = 0;

    text[0] = 0;
    while (n < count && peer_frame(p, LINK_EVENTS, &f)) {
        CHECK(f.events.first_seq == first_seq + n);
        n += f.events.count;
        while (link_line_next(&f.events.lines, &line)) {
            size_t at = strlen(text);
            span_copy(line, text + at, sizeof(text) - at);
        }
    }
    CHECK(n == count);
    return text;
}

static struct output *open_link(uint64_t stream)
{
    struct output_conf c = {.kind = "link",
                            .path = path,
                            .sensor = "s1",
                            .unit = "default",
                            .source = "test",
                            .program = "test",
                            .token = "",
                            .lossless = true,
                            .stream = stream};
    struct output *o = NULL;
    struct err e;

    CHECK(output_open(&c, &o, &e));
    return o;
}

static uint64_t acknowledged(struct output *o)
{
    struct output_stats st;

    output_stats(o, &st);
    return st.acknowledged;
}

/* A break between an acknowledgement and the rest: the rest comes again, no less and no more. */
static void broken(void)
{
    struct output *o = open_link(42);
    struct link_frame f;
    struct err e;

    output_write(o, SPAN("a\nb\nc\n"), 3);
    struct peer p = peer_accept();
    CHECK(peer_frame(&p, LINK_HELLO, &f) && f.hello.stream == 42 && f.hello.first_seq == 1);
    welcome(&p, 1);
    CHECK_STR(events(&p, 1, 3), "abc");
    ack(&p, 2);
    CHECK(settled(&p) && acknowledged(o) == 2);
    ack(&p, 1); /* late, and so nothing new */
    ack(&p, 9); /* of events that were never made */
    CHECK(settled(&p) && acknowledged(o) == 2);
    peer_close(&p);

    p = peer_accept();
    CHECK(peer_frame(&p, LINK_HELLO, &f) && f.hello.stream == 42 && f.hello.first_seq == 3);
    welcome(&p, 3);
    CHECK_STR(events(&p, 3, 1), "c");
    output_write(o, SPAN("d\ne\n"), 2);
    CHECK_STR(events(&p, 4, 2), "de");
    ack(&p, 5);
    CHECK(settled(&p) && acknowledged(o) == 5);
    CHECK(output_close(o, &e));
    peer_close(&p);
}

/* The node has the first two of a run that is made again: they count as done, the third is sent. */
static void made_again(void)
{
    struct output *o = open_link(43);
    struct link_frame f;
    struct err e;

    struct peer p = peer_accept();
    CHECK(peer_frame(&p, LINK_HELLO, &f));
    welcome(&p, 3);
    CHECK(settled(&p));
    output_write(o, SPAN("a\n"), 1);
    CHECK(acknowledged(o) == 1);
    output_write(o, SPAN("b\nc\n"), 2);
    CHECK_STR(events(&p, 3, 1), "c");
    CHECK(acknowledged(o) == 2);
    ack(&p, 3);
    CHECK(settled(&p) && output_close(o, &e));
    peer_close(&p);
}

/* A node that refuses ends a replay with its reason; what was not taken is not called delivered. */
static void refused(void)
{
    struct output *o = open_link(44);
    struct link_frame f;
    struct err e = {0};

    output_write(o, SPAN("a\n"), 1);
    struct peer p = peer_accept();
    CHECK(peer_frame(&p, LINK_HELLO, &f));
    struct buf b = buf_new(256);
    link_put_bye(&b, LINK_BYE_DENIED, "unknown token");
    peer_say(&p, &b);
    CHECK(!peer_frame(&p, LINK_EVENTS, &f));
    CHECK(!output_close(o, &e) && e.kind == ERR_DENIED && strstr(e.text, "unknown token"));
    peer_close(&p);
}

int main(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(path, sizeof(path), "/tmp/daizong-link-%d.sock", (int)getpid());
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(server, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(server, 4) == 0);
    broken();
    made_again();
    refused();
    close(server);
    unlink(path);
    return unit_end();
}
