/* SPDX-License-Identifier: Apache-2.0 */
/* Events to the node over the sensor link (event/link.h). A thread of its own keeps the connection:
 * it sends what is queued, forgets what the node has acknowledged as durable, and after a break
 * goes on from where the node says it stands. The queue has a ceiling; at it a replay waits, a live
 * sensor counts the loss. A replay whose stream has a given id may be run again after it was
 * killed: it makes the same events under the same numbers, and those that the node has are not
 * sent. */
#include "event/link.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "output/dial.h"
#include "output/output_priv.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    LINK_QUEUE_BYTES = 64 << 20,
    LINK_CLOSE_S = 60,
    LINK_IN_BYTES = 1 << 16,
    LINK_RETRY_MS = 200,
    LINK_RETRY_MOST_MS = 5000,
};

/* One batch of lines, numbered from `first`. */
struct link_batch {
    struct link_batch *next;
    uint64_t first, count;
    size_t n;
    uint8_t lines[];
};

struct link_state {
    struct output *owner;
    pthread_t thread;
    pthread_cond_t room;
    int wake;                       /* eventfd */
    struct link_batch *head, *tail; /* not acknowledged, oldest first */
    size_t queued_bytes;
    uint64_t stream, next_seq, acked; /* next_seq: number of the next event */
    uint64_t started_ns;
    uint64_t durable; /* the node has everything up to here, also what is not made again yet */
    bool closing, stopped;
    struct err refused; /* why the node will never take a replay's events; ERR_NONE: it may */
    /* the thread's own */
    struct dial *dial;
    unsigned retry_ms;
    struct err said; /* the last reason for having no connection, told once */
    struct buf in, out;
    uint64_t sent; /* highest number that went into `out` */
    bool welcomed;
};

static void link_wake(const struct link_state *s)
{
    uint64_t one = 1;

    if (write(s->wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
        log_debug("eventfd: %m");
}

static void link_drop(struct link_state *s)
{
    dial_hang_up(s->dial);
    s->welcomed = false;
    buf_clear(&s->in);
    buf_clear(&s->out);
}

static void link_hello(struct link_state *s)
{
    const struct output_conf *c = &s->owner->conf;
    struct link_hello h = {
        .version = LINK_VERSION,
        .stream = s->stream,
        .first_seq = s->acked + 1,
        .started_ns = s->started_ns,
        .sensor = span_str(c->sensor),
        .unit = span_str(c->unit),
        .program = span_str(c->program),
        .source = span_str(c->source),
        .token = span_str(c->token),
    };
    link_put_hello(&s->out, &h);
}

/* Everything up to seq is durable at the node. Lock held. */
static void link_acked(struct link_state *s, uint64_t seq)
{
    if (seq <= s->acked || seq >= s->next_seq)
        return;
    s->owner->stats.acknowledged += seq - s->acked;
    s->acked = seq;
    while (s->head && s->head->first + s->head->count - 1 <= seq) {
        struct link_batch *b = s->head;
        s->head = b->next;
        if (!s->head)
            s->tail = NULL;
        s->queued_bytes -= b->n;
        mem_free(b);
    }
    pthread_cond_broadcast(&s->room);
}

/* What the node had before this run made it is done as soon as it is made. Lock held. */
static void link_settle(struct link_state *s)
{
    if (s->durable > s->acked)
        link_acked(s, s->durable < s->next_seq ? s->durable : s->next_seq - 1);
}

/* The node refuses for good. A replay ends with the reason, a live sensor keeps asking: its token
 * may be made valid, and until then the loss is counted. Lock held. */
static void link_refused(struct link_state *s, const struct link_bye *bye)
{
    bool for_good = bye->code == LINK_BYE_DENIED || bye->code == LINK_BYE_VERSION;

    if (for_good && s->owner->conf.lossless) {
        err_set(&s->refused, ERR_DENIED, "%s: the node refuses: %.*s", s->owner->conf.path,
                (int)bye->text.n, (const char *)bye->text.p);
        s->stopped = true;
        pthread_cond_broadcast(&s->room);
    }
    struct err why;
    err_set(&why, ERR_DENIED, "%s: the node closes the link: %.*s", s->owner->conf.path,
            (int)bye->text.n, (const char *)bye->text.p);
    if (!s->stopped && strcmp(why.text, s->said.text) != 0)
        log_warn("%s", why.text);
    s->said = why;
}

/* Puts queued events behind `sent` into the out buffer, about one frame. Lock held. */
static void link_fill(struct link_state *s)
{
    if (!s->welcomed || s->out.n > 0)
        return;
    size_t at = 0, began = s->out.n;
    uint32_t count = 0;
    for (const struct link_batch *b = s->head; b; b = b->next) {
        if (b->first + b->count - 1 <= s->sent)
            continue;
        struct span lines = {b->lines, b->n};
        uint64_t seq = b->first;
        while (lines.n && s->out.n - began < LINK_EVENTS_TARGET) {
            struct span line = span_split(&lines, '\n');
            if (seq > s->sent) {
                if (count == 0)
                    at = link_events_open(&s->out, seq);
                link_events_add(&s->out, line);
                s->sent = seq;
                count++;
            }
            seq++;
        }
        if (lines.n)
            break;
    }
    if (count)
        link_events_close(&s->out, at, count);
}

static bool link_frame(struct link_state *s, const struct link_frame *f)
{
    switch (f->type) {
    case LINK_WELCOME:
        s->welcomed = true;
        s->retry_ms = LINK_RETRY_MS;
        if (s->said.kind != ERR_NONE)
            log_notice("%s: the node takes events again", s->owner->conf.path);
        s->said = (struct err){0};
        if (f->welcome.next_seq > s->durable)
            s->durable = f->welcome.next_seq - 1;
        link_settle(s);
        s->sent = s->durable;
        return true;
    case LINK_ACK:
        link_acked(s, f->ack_seq);
        return true;
    case LINK_PING:
        link_put_empty(&s->out, LINK_PONG);
        return true;
    case LINK_PONG:
        return true;
    case LINK_BYE:
        link_refused(s, &f->bye);
        return false;
    default:
        return false;
    }
}

/* Reads what is there and deals with whole frames. Lock held. */
static bool link_read(struct link_state *s)
{
    const char *why;
    struct link_frame f;

    for (;;) {
        if (!buf_room(&s->in, 4096))
            return false;
        ssize_t n = dial_read(s->dial, s->in.p + s->in.n, s->in.cap - s->in.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0)
            return false;
        s->in.n += (size_t)n;
    }
    struct span in = buf_span(&s->in);
    enum rd_state state;
    while ((state = link_next(&in, &f, &why)) == RD_OK)
        if (!link_frame(s, &f))
            return false;
    buf_drop(&s->in, s->in.n - in.n);
    return state == RD_MORE;
}

static bool link_write_out(struct link_state *s)
{
    while (s->out.n) {
        ssize_t n = dial_write(s->dial, s->out.p, s->out.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0)
            return false;
        buf_drop(&s->out, (size_t)n);
    }
    return true;
}

/* One turn of a live connection; false: it is broken. */
static bool link_turn(struct link_state *s)
{
    struct pollfd fds[2] = {{.fd = dial_fd(s->dial), .events = POLLIN},
                            {.fd = s->wake, .events = POLLIN}};
    uint64_t count;

    if (s->out.n)
        fds[0].events |= POLLOUT;
    if (poll(fds, 2, 1000) < 0 && errno != EINTR)
        return false;
    if (fds[1].revents && read(s->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
        log_debug("eventfd: %m");
    pthread_mutex_lock(&s->owner->lock);
    bool ok = !(fds[0].revents & (POLLIN | POLLHUP | POLLERR)) || link_read(s);
    while (ok) {
        link_fill(s);
        size_t before = s->out.n;
        if (before == 0)
            break;
        ok = link_write_out(s);
        if (s->out.n)
            break;
    }
    pthread_mutex_unlock(&s->owner->lock);
    return ok;
}

static bool link_over(struct link_state *s)
{
    pthread_mutex_lock(&s->owner->lock);
    bool over = s->stopped || (s->closing && !s->head);
    pthread_mutex_unlock(&s->owner->lock);
    return over;
}

/* Waits before the next try, longer each time, unless there is something to end. */
static void link_pause(struct link_state *s)
{
    for (unsigned ms = 0; ms < s->retry_ms && !link_over(s); ms += 50)
        poll(NULL, 0, 50);
    s->retry_ms = s->retry_ms * 2 > LINK_RETRY_MOST_MS ? LINK_RETRY_MOST_MS : s->retry_ms * 2;
}

static void *link_main(void *user)
{
    struct link_state *s = user;
    struct err e;
    bool ever = false;

    while (!link_over(s)) {
        if (dial_fd(s->dial) < 0) {
            if (!dial_connect(s->dial, &e)) {
                if (s->said.kind == ERR_NONE)
                    log_warn("the node does not answer, events wait: %s", e.text);
                s->said = e;
                link_pause(s);
                continue;
            }
            if (ever)
                s->owner->stats.reconnects++;
            ever = true;
            link_hello(s);
        }
        if (link_turn(s))
            continue;
        bool was_well = s->welcomed;
        link_drop(s);
        if (!was_well)
            link_pause(s);
    }
    if (dial_fd(s->dial) >= 0 && s->welcomed) {
        link_put_bye(&s->out, s->stopped ? LINK_BYE_STOP : LINK_BYE_DONE, "the source has ended");
        link_write_out(s);
    }
    link_drop(s);
    return NULL;
}

static bool link_open(struct output *o, struct err *e)
{
    struct link_state *s = mem_zero(sizeof(*s));

    if (!link_name_valid(span_str(o->conf.sensor))) {
        mem_free(s);
        return err_set(e, ERR_CONFIG,
                       "sensor-name \"%s\" is not of letters, digits, '.', '_' and '-'",
                       o->conf.sensor);
    }
    if (!dial_open(o->conf.path, o->conf.ca_file, &s->dial, e)) {
        mem_free(s);
        return err_wrap(e, "daizong.node");
    }
    s->owner = o;
    s->retry_ms = LINK_RETRY_MS;
    s->next_seq = 1;
    s->started_ns = clock_now_ns();
    s->in = buf_new(LINK_FRAME_MAX + LINK_HEAD + LINK_IN_BYTES);
    s->out = buf_new(LINK_FRAME_MAX * 2);
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->stream = o->conf.stream;
    if (s->wake < 0 ||
        (!s->stream && getrandom(&s->stream, sizeof(s->stream), 0) != (ssize_t)sizeof(s->stream))) {
        dial_close(s->dial);
        mem_free(s);
        return err_set(e, ERR_IO, "node link: %m");
    }
    pthread_cond_init(&s->room, NULL);
    o->state = s;
    if (pthread_create(&s->thread, NULL, link_main, s) != 0)
        return err_set(e, ERR_NOMEM, "node link: no thread");
    return true;
}

static void link_write(struct output *o, struct span lines, uint64_t n_events)
{
    struct link_state *s = o->state;

    if (s->refused.kind != ERR_NONE) {
        o->stats.lost_events += n_events;
        return;
    }
    while (s->queued_bytes + lines.n > LINK_QUEUE_BYTES && s->head && !s->stopped) {
        if (!o->conf.lossless) {
            if (!o->failed)
                log_warn("%s: the node takes no events; the queue is full and they are counted as "
                         "lost",
                         o->conf.path);
            o->failed = true;
            o->stats.lost_events += n_events;
            return;
        }
        pthread_cond_wait(&s->room, &o->lock);
    }
    o->failed = false;
    struct link_batch *b = mem_get(sizeof(*b) + lines.n);
    *b = (struct link_batch){.first = s->next_seq, .count = n_events, .n = lines.n};
    memcpy(b->lines, lines.p, lines.n);
    s->next_seq += n_events;
    s->queued_bytes += lines.n;
    if (s->tail)
        s->tail->next = b;
    else
        s->head = b;
    s->tail = b;
    o->stats.events += n_events;
    o->stats.bytes += lines.n;
    link_settle(s);
    link_wake(s);
}

static void link_flush(struct output *o)
{
    link_wake(o->state);
}

static bool link_close(struct output *o, struct err *e)
{
    struct link_state *s = o->state;
    struct timespec until;

    pthread_mutex_lock(&o->lock);
    s->closing = true;
    link_wake(s);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LINK_CLOSE_S;
    while (s->head && !s->stopped &&
           pthread_cond_timedwait(&s->room, &o->lock, &until) != ETIMEDOUT)
        continue;
    uint64_t left = s->next_seq - 1 - s->acked;
    s->stopped = left > 0;
    link_wake(s);
    pthread_mutex_unlock(&o->lock);
    pthread_join(s->thread, NULL);
    while (s->head) {
        struct link_batch *b = s->head;
        s->head = b->next;
        mem_free(b);
    }
    buf_free(&s->in);
    buf_free(&s->out);
    dial_close(s->dial);
    close(s->wake);
    pthread_cond_destroy(&s->room);
    uint64_t lost = o->stats.lost_events + left;
    struct err refused = s->refused;
    mem_free(s);
    if (refused.kind != ERR_NONE) {
        *e = refused;
        return false;
    }
    if (lost)
        return err_set(e, ERR_UNAVAILABLE, "%s: %llu events did not reach the node", o->conf.path,
                       (unsigned long long)lost);
    return true;
}

const struct output_kind output_link = {
    .name = "link",
    .open = link_open,
    .write = link_write,
    .flush = link_flush,
    .close = link_close,
};
