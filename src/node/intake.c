/* SPDX-License-Identifier: Apache-2.0 */
/* The sensors' end of the node: one thread a sensor, since there are few and each is a long
 * conversation. A full spool stops the reading, so that back-pressure reaches the sensor through
 * its socket. Acknowledgements come from ingest's threads and are written under the link's own
 * lock. */
#include "node/intake.h"

#include "api/scope.h"
#include "api/stream.h"
#include "api/tls.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "event/link.h"
#include "node/intake_impl.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    READ_BLOCK = 256 << 10,
    WINDOW = 16 << 20,
    FULL_WAIT_MS = 50,
    SILENCE_S = 30,
    PING_S = 10,
    WRITE_WAIT_MS = 5000,
};

struct link {
    struct intake *in;
    int fd;
    bool local; /* over the Unix socket, from the owner */
    pthread_t thread;
    bool joinable, finished;
    pthread_mutex_t lock; /* of writing */
    struct source *source;
    uint64_t heard_ns, pinged_ns;
    struct link *next;
};

/* --- sources --- */

struct source *source_get(struct intake *in, const struct sensor_hello *hello, uint64_t stream,
                          uint64_t *next_seq)
{
    struct ingest_source *src =
        ingest_source_get(in->ingest, hello->id, hello->unit, stream, next_seq);
    if (!src)
        return NULL;
    pthread_mutex_lock(&in->lock);
    struct source *s = ingest_source_user(src);
    if (!s) {
        s = mem_zero(sizeof(*s));
        s->src = src;
        s->next = in->sources;
        in->sources = s;
        ingest_source_set_user(src, s);
    }
    pthread_mutex_unlock(&in->lock);
    s->sensor = sensor_online(in->sensors, hello);
    return s;
}

static bool write_frame(struct link *l, struct buf *b)
{
    pthread_mutex_lock(&l->lock);
    size_t at = 0;
    while (at < b->n) {
        ssize_t n = send(l->fd, b->p + at, b->n - at, MSG_NOSIGNAL);
        if (n > 0) {
            at += (size_t)n;
            continue;
        }
        struct pollfd p = {.fd = l->fd, .events = POLLOUT};
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            break;
        if (poll(&p, 1, WRITE_WAIT_MS) <= 0)
            break;
    }
    bool ok = at == b->n && !b->full;
    pthread_mutex_unlock(&l->lock);
    buf_free(b);
    return ok;
}

void intake_durable(void *ctx, struct ingest_source *src, uint64_t seq)
{
    struct intake *in = ctx;
    struct buf b = buf_new(256);
    pthread_mutex_lock(&in->lock);
    struct source *s = ingest_source_user(src);
    struct link *l = s ? s->link : NULL;
    if (l) {
        link_put_ack(&b, seq);
        write_frame(l, &b);
    }
    pthread_mutex_unlock(&in->lock);
}

static enum event_type type_of(struct span line)
{
    static const struct span key = SPAN("\"event_type\":\"");
    struct span head = span_cut(line, 0, 1024);
    size_t at = span_find(head, key);
    if (at == SIZE_MAX)
        return EVENT_TYPES;
    struct span rest = span_cut(line, at + key.n, 32);
    return event_type_find(span_split(&rest, '"'));
}

void intake_event(void *ctx, struct ingest_source *src, uint64_t seq, int64_t timestamp_us,
                  struct span line)
{
    struct intake *in = ctx;
    struct source *s = ingest_source_user(src);
    enum event_type type = type_of(line);
    if (s && s->sensor)
        sensor_event(s->sensor, type, line);
    if (in->hub)
        stream_event(in->hub,
                     &(struct stream_origin){.type = type,
                                             .sensor = ingest_source_sensor(src),
                                             .unit = ingest_source_unit(src),
                                             .timestamp_us = timestamp_us,
                                             .stream = ingest_source_stream_id(src),
                                             .seq = seq},
                     line);
}

bool source_line(struct intake *in, struct source *s, uint64_t seq, struct span line)
{
    for (;;) {
        if (ingest_line(in->ingest, s->src, seq, line) != INGEST_FULL)
            return true;
        if (in->stopping)
            return false;
        poll(NULL, 0, FULL_WAIT_MS);
    }
}

/* --- one link --- */

static bool permitted(struct link *l, const struct link_hello *h)
{
    struct person who;
    if (l->local)
        return true;
    if (!sensor_token_find(l->in->conf.accounts, h->token, &who))
        return false;
    /* Who does not see a unit does not fill it either. */
    char unit[NAME_MAX_BYTES + 1];
    span_copy(h->unit.n ? h->unit : SPAN(LINK_DEFAULT_UNIT), unit, sizeof(unit));
    return scope_sees(&who, unit);
}

static bool say_bye(struct link *l, enum link_bye_code code, const char *why)
{
    struct buf b = buf_new(1024);
    link_put_bye(&b, code, why);
    write_frame(l, &b);
    return false;
}

static bool on_hello(struct link *l, const struct link_hello *h)
{
    struct intake *in = l->in;
    uint64_t next_seq = 0;
    if (l->source)
        return say_bye(l, LINK_BYE_PROTOCOL, "a second hello");
    if (h->version != LINK_VERSION)
        return say_bye(l, LINK_BYE_VERSION, "this node speaks version 1 of the link");
    if (!permitted(l, h)) {
        log_warn("link: a sensor that calls itself %.*s was refused: wrong token, or not one "
                 "for its unit",
                 (int)h->sensor.n, h->sensor.p);
        return say_bye(l, LINK_BYE_DENIED, "the token is not valid here, or not for this unit");
    }
    struct sensor_hello hello = {.id = h->sensor,
                                 .unit = h->unit,
                                 .version = h->program,
                                 .source = h->source,
                                 .started_ns = h->started_ns};
    struct source *s = source_get(in, &hello, h->stream, &next_seq);
    if (!s)
        return say_bye(l, LINK_BYE_FULL, "too many sensors");
    pthread_mutex_lock(&in->lock);
    s->link = l; /* the newest link of a stream gets the acknowledgements */
    pthread_mutex_unlock(&in->lock);
    l->source = s;
    /* Asked again: what became durable in between was told to the link before this one. */
    next_seq = ingest_source_durable(in->ingest, s->src) + 1;
    struct link_welcome w = {.version = LINK_VERSION, .next_seq = next_seq, .window_bytes = WINDOW};
    struct buf b = buf_new(256);
    link_put_welcome(&b, &w);
    log_info("link: sensor %.*s is here, its events go on from %llu", (int)h->sensor.n, h->sensor.p,
             (unsigned long long)next_seq);
    return write_frame(l, &b);
}

static bool on_events(struct link *l, const struct link_events *ev)
{
    struct span lines = ev->lines, line;
    uint64_t seq = ev->first_seq;
    if (!l->source)
        return say_bye(l, LINK_BYE_PROTOCOL, "events before hello");
    while (link_line_next(&lines, &line))
        if (!source_line(l->in, l->source, seq++, line))
            return say_bye(l, LINK_BYE_STOP, "the node is going down");
    /* Events that came again make no new batch that would be told; most often this is not so. */
    uint64_t durable = ingest_source_durable(l->in->ingest, l->source->src);
    if (durable < ev->first_seq)
        return true;
    struct buf b = buf_new(64);
    link_put_ack(&b, durable);
    return write_frame(l, &b);
}

static bool on_frame(struct link *l, const struct link_frame *f)
{
    struct buf b = buf_new(64);
    l->heard_ns = clock_mono_ns();
    if (l->source && l->source->sensor)
        sensor_alive(l->source->sensor);
    switch (f->type) {
    case LINK_HELLO:
        return on_hello(l, &f->hello);
    case LINK_EVENTS:
        return on_events(l, &f->events);
    case LINK_BYE:
        if (l->source && l->source->sensor)
            l->source->done = f->bye.code == LINK_BYE_DONE;
        return false;
    case LINK_PING:
        link_put_empty(&b, LINK_PONG);
        return write_frame(l, &b);
    case LINK_PONG:
        return true;
    default:
        return say_bye(l, LINK_BYE_PROTOCOL, "a frame that only a node sends");
    }
}

static bool on_bytes(struct link *l, struct buf *b)
{
    struct span in = buf_span(b);
    size_t all = in.n;
    const char *why = NULL;
    for (;;) {
        struct link_frame f;
        enum rd_state state = link_next(&in, &f, &why);
        if (state == RD_BAD) {
            log_warn("link: closed: %s", why);
            return say_bye(l, LINK_BYE_PROTOCOL, why);
        }
        if (state == RD_MORE)
            break;
        if (!on_frame(l, &f))
            return false;
    }
    buf_drop(b, all - in.n);
    return true;
}

/* Waits for bytes; keeps the link alive. False: it is dead or the node stops. */
static bool wait_bytes(struct link *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    for (;;) {
        if (l->in->stopping)
            return say_bye(l, LINK_BYE_STOP, "the node is going down");
        int n = poll(&p, 1, 500);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
        uint64_t now = clock_mono_ns();
        if (now - l->heard_ns > (uint64_t)SILENCE_S * NS_PER_S)
            return false;
        if (now - l->heard_ns > (uint64_t)PING_S * NS_PER_S &&
            now - l->pinged_ns > (uint64_t)PING_S * NS_PER_S) {
            struct buf b = buf_new(64);
            link_put_empty(&b, LINK_PING);
            l->pinged_ns = now;
            if (!write_frame(l, &b))
                return false;
        }
    }
}

static void finish(struct link *l)
{
    struct intake *in = l->in;
    struct err e;
    bool newest = false;
    if (l->source && l->source->done && !ingest_flush(in->ingest, &e))
        log_warn("link: %s", e.text); /* before its last acknowledgement is due */
    pthread_mutex_lock(&in->lock);
    if (l->source && l->source->link == l) {
        l->source->link = NULL;
        newest = true;
    }
    l->finished = true;
    pthread_mutex_unlock(&in->lock);
    if (newest && l->source->sensor)
        sensor_gone(in->sensors, l->source->sensor, l->source->done ? "done" : "offline");
    shutdown(l->fd, SHUT_RDWR);
}

static void *link_main(void *cls)
{
    struct link *l = cls;
    struct buf b = buf_new(LINK_FRAME_MAX + READ_BLOCK + 64);
    pthread_setname_np(pthread_self(), "link");
    l->heard_ns = clock_mono_ns();
    while (wait_bytes(l)) {
        if (!buf_room(&b, READ_BLOCK))
            break;
        ssize_t n = recv(l->fd, b.p + b.n, READ_BLOCK, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0)
            break;
        b.n += (size_t)n;
        if (!on_bytes(l, &b))
            break;
    }
    buf_free(&b);
    finish(l);
    return NULL;
}

/* --- accepting --- */

static void link_free(struct link *l)
{
    if (l->joinable)
        pthread_join(l->thread, NULL);
    close(l->fd);
    pthread_mutex_destroy(&l->lock);
    mem_free(l);
}

/* Joins the threads of links that have ended; all of them when `all`. */
static void reap(struct intake *in, bool all)
{
    struct link **at = &in->links;
    while (*at) {
        struct link *l = *at;
        pthread_mutex_lock(&in->lock);
        bool finished = l->finished;
        pthread_mutex_unlock(&in->lock);
        if (!finished && !all) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        link_free(l);
        in->links_n--;
    }
}

static void start_link(struct intake *in, int fd, bool local)
{
    if (in->links_n >= LINKS) {
        log_warn("link: more than %d sensors, one was turned away", LINKS);
        close(fd);
        return;
    }
    struct link *l = mem_zero(sizeof(*l));
    l->in = in;
    l->fd = fd;
    l->local = local;
    pthread_mutex_init(&l->lock, NULL);
    l->joinable = pthread_create(&l->thread, NULL, link_main, l) == 0;
    if (!l->joinable) {
        link_free(l);
        return;
    }
    l->next = in->links;
    in->links = l;
    in->links_n++;
}

static void accept_local(struct intake *in)
{
    struct ucred who = {.uid = (uid_t)-1};
    socklen_t len = sizeof(who);
    int fd = accept4(in->local_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    start_link(in, fd,
               getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
                   (who.uid == geteuid() || who.uid == 0));
}

static void accept_remote(struct intake *in)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof(peer);
    int fd = accept4(in->tcp_fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (in->tls)
        tls_add(in->tls, fd, (const struct sockaddr *)&peer, len);
    else
        start_link(in, fd, false);
}

/* A sensor's TLS handshake is done: the relay's thread gives its plain side to the accept thread.
 */
static bool take_handed(void *ctx, int fd, const struct sockaddr *peer, unsigned peer_len)
{
    struct intake *in = ctx;
    uint64_t one = 1;
    (void)peer, (void)peer_len;
    pthread_mutex_lock(&in->lock);
    bool room = in->handed_n < LINKS;
    if (room)
        in->handed[in->handed_n++] = fd;
    pthread_mutex_unlock(&in->lock);
    if (!room)
        close(fd);
    else if (write(in->wake, &one, sizeof(one)) < 0)
        log_debug("link: wake: %m");
    return room;
}

static void start_handed(struct intake *in)
{
    int fds[LINKS];
    uint64_t count;
    if (read(in->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
        log_debug("link: wake: %m");
    pthread_mutex_lock(&in->lock);
    unsigned n = in->handed_n;
    memcpy(fds, in->handed, n * sizeof(fds[0]));
    in->handed_n = 0;
    pthread_mutex_unlock(&in->lock);
    for (unsigned i = 0; i < n; i++)
        start_link(in, fds[i], false);
}

static void *accept_main(void *cls)
{
    struct intake *in = cls;
    pthread_setname_np(pthread_self(), "link-accept");
    while (!in->stopping) {
        struct pollfd p[3] = {{.fd = in->wake, .events = POLLIN},
                              {.fd = in->local_fd, .events = POLLIN},
                              {.fd = in->tcp_fd, .events = POLLIN}};
        if (poll(p, LEN(p), 1000) < 0 && errno != EINTR)
            break;
        if (p[0].revents)
            start_handed(in);
        if (p[1].revents)
            accept_local(in);
        if (p[2].revents)
            accept_remote(in);
        reap(in, false);
    }
    return NULL;
}

static int listen_unix(const char *path, struct err *e)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(sa.sun_path)) {
        err_set(e, ERR_CONFIG, "%s: the path is too long for a socket", path);
        return -1;
    }
    span_copy(span_str(path), sa.sun_path, sizeof(sa.sun_path));
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    bool ok =
        fd >= 0 && bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0 && listen(fd, 64) == 0;
    umask(mask);
    if (ok)
        return fd;
    err_set(e, ERR_IO, "cannot listen on %s: %m", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static int listen_tcp(const char *address, struct err *e)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    if (!colon) {
        err_set(e, ERR_USAGE, "%s: not an address (HOST:PORT)", address);
        return -1;
    }
    span_copy(span_of(address, (size_t)(colon - address)), host, sizeof(host));
    int rc = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &list);
    if (rc != 0) {
        err_set(e, ERR_USAGE, "%s: %s", address, gai_strerror(rc));
        return -1;
    }
    int on = 1;
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
              bind(fd, list->ai_addr, list->ai_addrlen) == 0 && listen(fd, 64) == 0;
    freeaddrinfo(list);
    if (ok)
        return fd;
    err_set(e, errno == EADDRINUSE ? ERR_BUSY : ERR_IO, "cannot listen for sensors on %s: %m",
            address);
    if (fd >= 0)
        close(fd);
    return -1;
}

struct intake *intake_open(const struct intake_conf *conf, struct err *e)
{
    struct intake *in = mem_zero(sizeof(*in));
    in->conf = *conf;
    in->tcp_fd = -1;
    pthread_mutex_init(&in->lock, NULL);
    in->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    in->local_fd = listen_unix(conf->unix_path, e);
    if (in->local_fd >= 0 && conf->tcp_address)
        in->tcp_fd = listen_tcp(conf->tcp_address, e);
    bool ok = in->wake >= 0 && in->local_fd >= 0 && (!conf->tcp_address || in->tcp_fd >= 0);
    if (ok && in->tcp_fd >= 0 && conf->certificate)
        ok = (in->tls = tls_open(conf->certificate, conf->key, e)) != NULL;
    if (ok)
        return in;
    intake_close(in);
    return NULL;
}

bool intake_run(struct intake *in, struct sensors *sensors, struct ingest *ingest,
                struct stream_hub *hub, struct err *e)
{
    in->sensors = sensors;
    in->ingest = ingest;
    in->hub = hub;
    if (in->tls && !tls_run(in->tls, take_handed, in, e))
        return false;
    if (in->tcp_fd >= 0)
        log_notice("sensors may connect to %s%s", in->conf.tcp_address,
                   in->tls ? " (TLS)" : " (no TLS: give a certificate unless the network is safe)");
    in->running = pthread_create(&in->thread, NULL, accept_main, in) == 0;
    return in->running || err_set(e, ERR_NOMEM, "cannot start the link's thread");
}

void intake_stop(struct intake *in)
{
    if (!in)
        return;
    uint64_t one = 1;
    in->stopping = true;
    if (write(in->wake, &one, sizeof(one)) < 0)
        log_debug("link: wake: %m");
    if (in->running)
        pthread_join(in->thread, NULL);
    in->running = false;
    follow_stop_all(in);
    eve_socket_stop_all(in);
    reap(in, true);
    tls_close(in->tls);
    in->tls = NULL;
    while (in->handed_n > 0)
        close(in->handed[--in->handed_n]);
}

void intake_close(struct intake *in)
{
    if (!in)
        return;
    tls_close(in->tls);
    if (in->local_fd >= 0) {
        close(in->local_fd);
        unlink(in->conf.unix_path);
    }
    if (in->tcp_fd >= 0)
        close(in->tcp_fd);
    if (in->wake >= 0)
        close(in->wake);
    while (in->sources) {
        struct source *s = in->sources;
        in->sources = s->next;
        mem_free(s);
    }
    pthread_mutex_destroy(&in->lock);
    mem_free(in);
}
