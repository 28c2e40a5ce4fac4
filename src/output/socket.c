/* SPDX-License-Identifier: Apache-2.0 */
/* Events into a Unix socket that someone else listens on, as a stream of lines or one line a
 * datagram. While nobody listens events are counted as lost, and the connection is tried anew at
 * most once a second. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "output/output_priv.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct socket_state {
    int fd;
    uint64_t tried_ns;
};

static bool socket_connect(struct output *o)
{
    struct socket_state *s = o->state;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 2};
    uint64_t now = clock_mono_ns();

    if (s->fd >= 0)
        return true;
    if (s->tried_ns && now - s->tried_ns < NS_PER_S)
        return false;
    s->tried_ns = now;
    span_copy(span_str(o->conf.path), a.sun_path, sizeof(a.sun_path));
    int fd = socket(AF_UNIX, (o->conf.datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        close(fd);
        if (!o->failed)
            log_warn("%s: nobody listens (%m); events are counted as lost until someone does",
                     o->conf.path);
        o->failed = true;
        return false;
    }
    if (o->failed) {
        log_notice("%s: connected", o->conf.path);
        o->stats.reconnects++;
    }
    o->failed = false;
    s->fd = fd;
    return true;
}

static bool socket_open(struct output *o, struct err *e)
{
    if (strlen(o->conf.path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return err_set(e, ERR_CONFIG, "%s: longer than a socket's path may be", o->conf.path);
    struct socket_state *s = mem_zero(sizeof(*s));
    s->fd = -1;
    o->state = s;
    socket_connect(o);
    return true;
}

static bool socket_send(struct output *o, struct span s)
{
    const struct socket_state *st = o->state;

    while (s.n) {
        ssize_t n = send(st->fd, s.p, s.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = span_from(s, (size_t)n);
    }
    return true;
}

static void socket_write(struct output *o, struct span lines, uint64_t n_events)
{
    struct socket_state *s = o->state;
    uint64_t sent = 0;
    bool ok = socket_connect(o);

    while (ok && lines.n) {
        size_t n = o->conf.datagram ? span_find_byte(lines, '\n') : lines.n;
        if (o->conf.datagram && n < lines.n)
            n++;
        ok = socket_send(o, span_cut(lines, 0, n));
        if (ok) {
            sent += o->conf.datagram ? 1 : n_events;
            o->stats.bytes += n;
            lines = span_from(lines, n);
        }
    }
    if (!ok && s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    o->stats.events += sent;
    o->stats.lost_events += n_events - sent;
}

static void socket_flush(struct output *o)
{
    (void)o;
}

static bool socket_close(struct output *o, struct err *e)
{
    const struct socket_state *s = o->state;
    bool ok = o->stats.lost_events == 0;

    if (!ok)
        err_set(e, ERR_IO, "%s: %llu events found no listener", o->conf.path,
                (unsigned long long)o->stats.lost_events);
    if (s->fd >= 0)
        close(s->fd);
    mem_free(o->state);
    return ok;
}

const struct output_kind output_socket = {
    .name = "socket",
    .open = socket_open,
    .write = socket_write,
    .flush = socket_flush,
    .close = socket_close,
};
