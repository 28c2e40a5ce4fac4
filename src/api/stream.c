/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events. The ring's lock is held for short copies only; a subscriber's filter runs on
 * the I/O thread that serves it. A subscriber that falls behind the ring loses the oldest messages
 * and is told how many ("event: gap"). */
#include "api/stream.h"

#include "api/figures.h"
#include "api/match.h"
#include "api/scope.h"
#include "api/stream_groups.h"
#include "base/clock.h"
#include "base/jw.h"
#include "base/mem.h"
#include "event/field.h"
#include "store/schema.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    RING = 2048,
    MESSAGE_MAX = 256 << 10,
    RING_BYTES = 16 << 20,
    SUBSCRIBERS = 256,
    RATE = 50,
    STATS_NS = 2000000000,
    HEARTBEAT_S = 15,
    RECHECK_S = 15,
    SCOPES = 16,
    OPEN_AGE_S = 30,
    OPEN_SHARE = 20, /* counting open groups takes at most a twentieth of the time */
};

struct message {
    uint64_t id;
    char kind[16];
    char unit[NAME_MAX_BYTES + 1];
    enum event_type type; /* EVENT_TYPES: not an event */
    char *text;
    size_t n;
};

struct sampler {
    uint64_t second, now, before;
    uint64_t admitted;
};

struct subscriber {
    struct stream_hub *hub;
    struct http_request *rq;
    struct person who;
    char session[SECRET_TEXT], bearer[101]; /* what the person came with; both empty: the owner */
    uint64_t next;                          /* id of the next message to look at */
    uint32_t types;
    struct match *match; /* NULL: all */
    struct buf out;      /* formatted, not sent yet */
    size_t sent;
    uint64_t last_ns, checked_ns;
    bool hello;
    struct subscriber *after, **before;
};

/* Groups without a decision as one unit sees them; "": all units. */
struct open_groups {
    char unit[NAME_MAX_BYTES + 1];
    uint64_t n, at_ns, took_ns;
    bool known, wanted;
};

struct stream_hub {
    struct api *api;
    pthread_mutex_t lock;
    pthread_cond_t tick;
    pthread_t thread;
    bool running, stopping;
    struct message ring[RING];
    uint64_t next, first; /* ids; first is the oldest kept */
    uint64_t born;        /* id of the first message of this process */
    size_t bytes;
    struct subscriber *subscribers;
    _Atomic unsigned count;
    _Atomic uint64_t seen, alerts, lost, slow;
    struct fresh fresh;
    struct open_groups open[SCOPES];
    size_t opens;
    bool stale; /* alerts or decisions since open groups were counted */
    struct sampler sampler[EVENT_TYPES];
};

/* --- publishing --- */

static void drop_oldest(struct stream_hub *h)
{
    struct message *m = &h->ring[h->first % RING];
    h->bytes -= m->n;
    mem_free(m->text);
    m->text = NULL;
    h->first++;
}

/* The lock is held. Takes text. */
static void append(struct stream_hub *h, const char *kind, const char *unit, enum event_type type,
                   char *text, size_t n)
{
    while (h->next - h->first >= RING || (h->bytes + n > RING_BYTES && h->first < h->next))
        drop_oldest(h);
    struct message *m = &h->ring[h->next % RING];
    *m = (struct message){.id = h->next, .type = type, .text = text, .n = n};
    span_copy(span_str(kind), m->kind, sizeof(m->kind));
    span_copy(span_str(unit), m->unit, sizeof(m->unit));
    h->bytes += n;
    h->next++;
    for (struct subscriber *s = h->subscribers; s; s = s->after)
        http_wake(s->rq);
}

void stream_publish(struct stream_hub *h, const char *kind, const char *unit, struct span json)
{
    if (h->count == 0 || json.n > MESSAGE_MAX)
        return;
    char *text = mem_get(json.n + 1);
    memcpy(text, json.p, json.n);
    pthread_mutex_lock(&h->lock);
    append(h, kind, unit ? unit : "", EVENT_TYPES, text, json.n);
    h->stale |= strcmp(kind, "alert_group") == 0;
    pthread_mutex_unlock(&h->lock);
}

/* Evenly: when the last second had n events, every (n / RATE)-th of this one goes out. The lock is
 * held. */
static bool admit(struct sampler *s, bool *sampled)
{
    uint64_t second = clock_mono_ns() / NS_PER_S;
    if (second != s->second) {
        s->before = second == s->second + 1 ? s->now : 0;
        s->second = second;
        s->now = s->admitted = 0;
    }
    s->now++;
    uint64_t stride = s->before > RATE ? (s->before + RATE - 1) / RATE : 1;
    *sampled = stride > 1 || s->now > RATE;
    if (s->admitted >= RATE || s->now % stride != 0)
        return false;
    s->admitted++;
    return true;
}

void stream_event(struct stream_hub *h, const struct stream_origin *from, struct span line)
{
    char id[SCHEMA_ID_TEXT];
    enum event_type type = from->type;
    h->seen++;
    if (h->count == 0 || line.n > MESSAGE_MAX || line.n < 2 || line.p[line.n - 1] != '}')
        return;
    if (type == EVENT_TYPES)
        return;
    if (type == EVENT_alert)
        h->alerts++;
    bool sampled;
    pthread_mutex_lock(&h->lock);
    bool taken = admit(&h->sampler[type], &sampled);
    if (type == EVENT_alert) {
        fresh_add(&h->fresh, from->unit, line);
        h->stale = true;
    }
    pthread_mutex_unlock(&h->lock);
    if (!taken)
        return;
    struct buf b = buf_new(MESSAGE_MAX + 1024);
    event_decorate(&b, line, from->sensor, from->unit, sampled);
    schema_id_text(from->timestamp_us, from->stream, from->seq, id);
    b.n--; /* reopen it */
    jw_member_text(&b, "_id", id);
    jw_close(&b, '}');
    pthread_mutex_lock(&h->lock);
    if (!b.full)
        append(h, "event", from->unit, type, (char *)b.p, b.n);
    pthread_mutex_unlock(&h->lock);
    if (b.full)
        buf_free(&b);
}

struct stream_counters stream_count(const struct stream_hub *h)
{
    return (struct stream_counters){.seen = h->seen, .lost = h->lost, .slow = h->slow};
}

/* --- figures --- */

static struct open_groups *open_of(struct stream_hub *h, const char *unit)
{
    for (size_t i = 0; i < h->opens; i++)
        if (strcmp(h->open[i].unit, unit) == 0)
            return &h->open[i];
    return NULL;
}

/* The lock is held. The scope that is to be counted next, as a person who sees just that. */
static bool next_scope(struct stream_hub *h, uint64_t now, struct person *ret)
{
    for (const struct subscriber *s = h->subscribers; s; s = s->after) {
        const char *unit = scope_unit(&s->who);
        struct open_groups *o = open_of(h, unit);
        if (!o && h->opens < SCOPES) {
            o = &h->open[h->opens++];
            *o = (struct open_groups){0};
            span_copy(span_str(unit), o->unit, sizeof(o->unit));
        }
        if (!o || (o->at_ns && now - o->at_ns < OPEN_SHARE * o->took_ns))
            continue;
        if (o->at_ns && !o->wanted && now - o->at_ns < (uint64_t)OPEN_AGE_S * NS_PER_S)
            continue;
        *ret = s->who;
        o->wanted = false;
        return true;
    }
    return false;
}

/* The lock is not held while the store is asked. */
static void count_open(struct stream_hub *h)
{
    struct person who;
    uint64_t n, now = clock_mono_ns();
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->opens; i++)
        h->open[i].wanted |= h->stale;
    h->stale = false;
    while (!h->stopping && next_scope(h, now, &who)) {
        pthread_mutex_unlock(&h->lock);
        uint64_t began = clock_mono_ns();
        bool known = open_count(h->api, &who, &n);
        pthread_mutex_lock(&h->lock);
        struct open_groups *o = open_of(h, scope_unit(&who));
        o->n = n;
        o->known = known;
        o->at_ns = now;
        o->took_ns = clock_mono_ns() - began;
    }
    pthread_mutex_unlock(&h->lock);
}

static void tell_fresh(struct stream_hub *h)
{
    struct fresh *fresh = mem_get(sizeof(*fresh));
    pthread_mutex_lock(&h->lock);
    *fresh = h->fresh;
    h->fresh.n = 0;
    pthread_mutex_unlock(&h->lock);
    for (size_t i = 0; i < fresh->n; i++) {
        struct buf b = buf_new(4096);
        fresh_json(h->api, &fresh->group[i], &b);
        stream_publish(h, "alert_group", fresh->group[i].unit, buf_span(&b));
        buf_free(&b);
    }
    mem_free(fresh);
}

static void *stats_main(void *cls)
{
    struct stream_hub *h = cls;
    uint64_t seen = h->seen, at = clock_mono_ns();
    pthread_setname_np(pthread_self(), "stream");
    pthread_mutex_lock(&h->lock);
    while (!h->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += STATS_NS / NS_PER_S;
        pthread_cond_timedwait(&h->tick, &h->lock, &until);
        if (h->stopping)
            break;
        for (struct subscriber *s = h->subscribers; s; s = s->after)
            http_wake(s->rq); /* heartbeats */
        if (h->count == 0) {
            h->fresh.n = 0;
            seen = h->seen;
            at = clock_mono_ns();
            continue;
        }
        pthread_mutex_unlock(&h->lock);
        uint64_t now = clock_mono_ns(), total = h->seen;
        double rate = now > at ? (double)(total - seen) * 1e9 / (double)(now - at) : 0;
        tell_fresh(h);
        count_open(h);
        struct buf b = buf_new(MESSAGE_MAX);
        figures_stream(h->api, &b, rate, atomic_exchange(&h->alerts, 0));
        stream_publish(h, "stats", NULL, buf_span(&b));
        buf_free(&b);
        seen = total;
        at = now;
        pthread_mutex_lock(&h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

struct stream_hub *stream_hub_open(struct api *api, struct err *e)
{
    struct stream_hub *h = mem_zero(sizeof(*h));
    h->api = api;
    /* Higher than any number before a restart, and exact in a browser. */
    h->next = h->first = h->born = clock_now_ns() / NS_PER_MS * 1000;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->tick, NULL);
    h->running = pthread_create(&h->thread, NULL, stats_main, h) == 0;
    if (h->running)
        return h;
    err_set(e, ERR_NOMEM, "cannot start the stream's thread");
    mem_free(h);
    return NULL;
}

void stream_hub_stop(struct stream_hub *h)
{
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_broadcast(&h->tick);
    pthread_mutex_unlock(&h->lock);
    if (h->running)
        pthread_join(h->thread, NULL);
    h->running = false;
}

void stream_hub_close(struct stream_hub *h)
{
    while (h->first < h->next)
        drop_oldest(h);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->tick);
    mem_free(h);
}

/* --- subscribing --- */

static bool wants(const struct subscriber *s, const struct message *m)
{
    if (m->unit[0] && !scope_sees(&s->who, m->unit))
        return false;
    if (m->type == EVENT_TYPES)
        return true;
    return (s->types >> m->type & 1) && (!s->match || match_line(s->match, span_of(m->text, m->n)));
}

static void format(struct subscriber *s, const struct message *m)
{
    const struct open_groups *o =
        strcmp(m->kind, "stats") == 0 ? open_of(s->hub, scope_unit(&s->who)) : NULL;
    buf_printf(&s->out, "id: %llu\nevent: %s\ndata: ", (unsigned long long)m->id, m->kind);
    if (o && o->known) {
        buf_add(&s->out, m->text, m->n - 1);
        buf_printf(&s->out, ",\"open_groups\":%llu}", (unsigned long long)o->n);
    } else {
        buf_add(&s->out, m->text, m->n);
    }
    buf_str(&s->out, "\n\n");
}

/* The lock is held: puts what this subscriber wants into its buffer, up to about `cap` bytes. */
static void collect(struct subscriber *s, size_t cap)
{
    struct stream_hub *h = s->hub;
    if (s->next < h->first) {
        uint64_t from = s->next < h->born ? h->born : s->next;
        buf_printf(&s->out, "event: gap\ndata: {\"lost\":%llu,\"restarted\":%s}\n\n",
                   (unsigned long long)(h->first - from), s->next < h->born ? "true" : "false");
        h->lost += h->first - from;
        s->next = h->first;
    }
    while (s->next < h->next && s->out.n < cap) {
        const struct message *m = &h->ring[s->next % RING];
        if (wants(s, m))
            format(s, m);
        s->next++;
    }
}

static bool still_allowed(struct subscriber *s, uint64_t now)
{
    struct person who;
    if ((!s->session[0] && !s->bearer[0]) || now - s->checked_ns < (uint64_t)RECHECK_S * NS_PER_S)
        return true;
    s->checked_ns = now;
    struct accounts *a = s->hub->api->conf.accounts;
    if (s->bearer[0] ? !token_find(a, span_str(s->bearer), &who)
                     : !session_find(a, span_str(s->session), &who))
        return false;
    pthread_mutex_lock(&s->hub->lock);
    s->who = who; /* what the person may see may have changed */
    pthread_mutex_unlock(&s->hub->lock);
    return true;
}

static bool heartbeat_due(const struct subscriber *s)
{
    return clock_mono_ns() - s->last_ns >= (uint64_t)HEARTBEAT_S * NS_PER_S;
}

static void hello(struct subscriber *s)
{
    char now[CLOCK_TEXT];
    clock_rfc3339(clock_now_ns(), now);
    buf_printf(&s->out, "retry: 2000\nevent: hello\ndata: {\"as_of\":\"%s\"}\n\n", now);
    s->hello = true;
}

static ssize_t pull(void *stream, char *to, size_t cap)
{
    struct subscriber *s = stream;
    uint64_t now = clock_mono_ns();
    if (s->sent == s->out.n) {
        buf_clear(&s->out);
        s->sent = 0;
        if (!s->hello)
            hello(s);
        if (!still_allowed(s, now))
            return -1;
        pthread_mutex_lock(&s->hub->lock);
        collect(s, cap);
        pthread_mutex_unlock(&s->hub->lock);
        if (s->out.n == 0 && heartbeat_due(s))
            buf_str(&s->out, ": heartbeat\n\n");
        if (s->out.full)
            return -1;
    }
    size_t n = min_size(s->out.n - s->sent, cap);
    if (n == 0)
        return 0;
    memcpy(to, s->out.p + s->sent, n);
    s->sent += n;
    s->last_ns = now;
    return (ssize_t)n;
}

static bool ready(void *stream)
{
    struct subscriber *s = stream;
    pthread_mutex_lock(&s->hub->lock);
    bool more = s->next < s->hub->next;
    pthread_mutex_unlock(&s->hub->lock);
    return more || s->sent < s->out.n || heartbeat_due(s);
}

static void subscriber_close(void *stream)
{
    struct subscriber *s = stream;
    struct stream_hub *h = s->hub;
    pthread_mutex_lock(&h->lock);
    *s->before = s->after;
    if (s->after)
        s->after->before = s->before;
    h->count--;
    h->slow += s->sent < s->out.n;
    pthread_mutex_unlock(&h->lock);
    match_free(s->match);
    buf_free(&s->out);
    mem_free(s);
}

static uint32_t types_of(struct span list)
{
    uint32_t types = 0;
    if (list.n == 0)
        return UINT32_MAX;
    while (list.n > 0)
        types |= 1u << event_type_find(span_split(&list, ','));
    return types;
}

static uint64_t resume_at(struct stream_hub *h, const struct http_request *rq)
{
    uint64_t last;
    if (span_u64(http_header_get(rq, "Last-Event-ID"), &last) && last < h->next)
        return last + 1;
    return h->next;
}

void stream_run(struct api_call *c)
{
    struct stream_hub *h = c->api->hub;
    struct match *match = NULL;
    if (!match_new(c, call_arg(c, "q"), &match))
        return;
    struct subscriber *s = mem_zero(sizeof(*s));
    *s = (struct subscriber){.hub = h,
                             .rq = c->rq,
                             .who = c->who,
                             .types = types_of(call_arg(c, "types")->s),
                             .match = match,
                             .out = buf_new(4 * MESSAGE_MAX),
                             .last_ns = clock_mono_ns(),
                             .checked_ns = clock_mono_ns()};
    span_copy(c->session, s->session, sizeof(s->session));
    span_copy(c->bearer, s->bearer, sizeof(s->bearer));
    pthread_mutex_lock(&h->lock);
    bool room = h->count < SUBSCRIBERS;
    if (room) {
        s->next = resume_at(h, c->rq);
        s->after = h->subscribers;
        s->before = &h->subscribers;
        if (s->after)
            s->after->before = &s->after;
        h->subscribers = s;
        h->count++;
        h->stale = true; /* nobody counted while nobody listened */
    }
    pthread_mutex_unlock(&h->lock);
    if (!room) {
        match_free(match);
        buf_free(&s->out);
        mem_free(s);
        answer_error(c, 503, "busy", "close another console", "too many live streams");
        return;
    }
    struct http_answer *a = &c->rq->answer;
    a->type = "text/event-stream; charset=utf-8";
    a->stream = s;
    a->pull = pull;
    a->ready = ready;
    a->close = subscriber_close;
    http_header_set(c->rq, "X-Accel-Buffering", "no");
}
