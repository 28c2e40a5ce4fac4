/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets that a Suricata's eve-log writes to (filetype unix_stream or unix_dgram; it
 * connects, we listen). One thread a socket with all its connections. Nothing here can be asked for
 * again, so each run is a stream of its own; a full spool stops the reading, and the writer waits
 * or drops by its own rules. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "event/link.h"
#include "node/intake_impl.h"
#include "node/lines.h"

#include <errno.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WRITERS = 32, WAKE_MS = 500, DATAGRAM_MOST = LINES_BLOCK };

struct writer {
    int fd;
    struct lines lines;
};

struct eve_socket {
    struct intake *in;
    char *path, *name;
    bool datagram;
    int fd;
    struct source *source;
    uint64_t seq;
    struct writer writers[WRITERS];
    unsigned n;
    pthread_t thread;
    bool running;
    struct eve_socket *next;
};

static bool take_line(struct eve_socket *s, struct span line)
{
    return line.n == 0 || source_line(s->in, s->source, ++s->seq, line);
}

static void leave(struct eve_socket *s, unsigned i)
{
    struct span rest;
    if (lines_rest(&s->writers[i].lines, &rest))
        take_line(s, rest);
    close(s->writers[i].fd);
    lines_close(&s->writers[i].lines);
    s->writers[i] = s->writers[--s->n];
}

static void hear(struct eve_socket *s, unsigned i)
{
    struct writer *w = &s->writers[i];
    struct span line;
    uint8_t *room = lines_room(&w->lines);
    ssize_t n = room ? recv(w->fd, room, LINES_BLOCK, MSG_DONTWAIT) : -1;
    if (n < 0 && (errno == EAGAIN || errno == EINTR) && room)
        return;
    if (n <= 0) {
        leave(s, i);
        return;
    }
    lines_grown(&w->lines, (size_t)n);
    while (lines_cut(&w->lines, &line))
        if (!take_line(s, line))
            return;
}

static void admit(struct eve_socket *s)
{
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (s->n == WRITERS) {
        log_warn("%s: more than %d writers, one was turned away", s->path, WRITERS);
        close(fd);
        return;
    }
    s->writers[s->n].fd = fd;
    lines_open(&s->writers[s->n++].lines);
}

/* Every datagram is an event, with a line feed or without. */
static void hear_datagrams(struct eve_socket *s, uint8_t *block)
{
    for (unsigned i = 0; i < 1000; i++) {
        ssize_t n = recv(s->fd, block, DATAGRAM_MOST, MSG_DONTWAIT);
        if (n <= 0)
            return;
        struct span rest = span_of(block, (size_t)n);
        while (rest.n)
            if (!take_line(s, span_split(&rest, '\n')))
                return;
    }
}

static void *eve_socket_main(void *cls)
{
    struct eve_socket *s = cls;
    uint8_t *block = s->datagram ? mem_get(DATAGRAM_MOST) : NULL;
    pthread_setname_np(pthread_self(), "eve-socket");
    while (!s->in->stopping) {
        struct pollfd p[WRITERS + 1] = {{.fd = s->fd, .events = POLLIN}};
        unsigned n = s->n;
        for (unsigned i = 0; i < n; i++)
            p[i + 1] = (struct pollfd){.fd = s->writers[i].fd, .events = POLLIN};
        if (poll(p, n + 1, WAKE_MS) < 0)
            continue;
        if (s->source->sensor && (n > 0 || s->datagram))
            sensor_alive(s->source->sensor);
        for (unsigned i = n; i > 0; i--) /* from the end: one that leaves is replaced by the last */
            if (p[i].revents)
                hear(s, i - 1);
        if (p[0].revents && s->datagram)
            hear_datagrams(s, block);
        else if (p[0].revents)
            admit(s);
    }
    while (s->n > 0)
        leave(s, s->n - 1);
    mem_free(block);
    return NULL;
}

static bool bind_socket(struct eve_socket *s, struct err *e)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (strlen(s->path) >= sizeof(sa.sun_path))
        return err_set(e, ERR_CONFIG, "%s: the path is too long for a socket", s->path);
    span_copy(span_str(s->path), sa.sun_path, sizeof(sa.sun_path));
    int type = s->datagram ? SOCK_DGRAM : SOCK_STREAM;
    s->fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* One that is left over answers nobody; a living one is somebody else's. */
    if (s->fd >= 0 && connect(s->fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
        return err_set(e, ERR_BUSY, "%s: another process listens there", s->path);
    if (s->fd >= 0 && errno == ECONNREFUSED)
        unlink(s->path);
    if (s->fd >= 0 && bind(s->fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0 &&
        (s->datagram || listen(s->fd, WRITERS) == 0))
        return true;
    return err_set(e, errno == EACCES ? ERR_DENIED : ERR_IO, "cannot listen on %s: %m", s->path);
}

static bool announce(struct eve_socket *s, struct err *e)
{
    uint64_t stream, next;
    struct sensor_hello hello = {.id = span_str(s->name),
                                 .unit = SPAN(""),
                                 .version = SPAN("EVE socket"),
                                 .source = span_str(s->path),
                                 .started_ns = clock_now_ns()};
    if (getrandom(&stream, sizeof(stream), 0) != (ssize_t)sizeof(stream))
        return err_set(e, ERR_IO, "%s: %m", s->path);
    s->source = source_get(s->in, &hello, stream, &next);
    return s->source || err_set(e, ERR_FULL, "too many sources of events");
}

bool intake_eve_socket(struct intake *in, const char *path, const char *name, bool datagram,
                       struct err *e)
{
    if (!link_name_valid(span_str(name)))
        return err_set(e, ERR_INVALID,
                       "%s: not a name for a sensor; write NAME=PATH with letters, digits, '.', "
                       "'_' and '-'",
                       name);
    struct eve_socket *s = mem_zero(sizeof(*s));
    s->in = in;
    s->fd = -1;
    s->path = mem_strdup(path);
    s->name = mem_strdup(name);
    s->datagram = datagram;
    s->next = in->eve_sockets;
    in->eve_sockets = s;
    if (!announce(s, e) || !bind_socket(s, e))
        return false;
    s->running = pthread_create(&s->thread, NULL, eve_socket_main, s) == 0;
    return s->running || err_set(e, ERR_NOMEM, "cannot start a thread");
}

void eve_socket_stop_all(struct intake *in)
{
    while (in->eve_sockets) {
        struct eve_socket *s = in->eve_sockets;
        in->eve_sockets = s->next;
        if (s->running) {
            pthread_join(s->thread, NULL);
            unlink(s->path);
        }
        if (s->source && s->source->sensor)
            sensor_gone(in->sensors, s->source->sensor, "offline");
        if (s->fd >= 0)
            close(s->fd);
        mem_free(s->path);
        mem_free(s->name);
        mem_free(s);
    }
}
