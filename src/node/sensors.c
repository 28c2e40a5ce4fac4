/* SPDX-License-Identifier: Apache-2.0 */
/* Sensors in memory, mirrored to the state. A thread writes what has changed once a second,
 * computes rates over the time between two `stats` events, and calls a sensor stale after 45 silent
 * seconds. The counters that mean a loss stand in loss.def. */
#include "node/sensors.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "event/link.h"

#include <pthread.h>
#include <stdatomic.h>

enum { STALE_S = 45, SENSORS_MAX = 1024, COUNTERS_MAX = 64 << 10 };

static const struct loss_row {
    const char *counter, *stage, *reason;
    enum { LOSS_packets, LOSS_bytes, LOSS_events } unit;
} loss_rows[] = {
#define LOSS(counter, stage, reason, unit, en, zh) {counter, stage, reason, LOSS_##unit},
#include "api/loss.def"
#undef LOSS
};

struct reading {
    uint64_t at_ns, packets, bytes, events;
};

struct sensor {
    char id[NAME_MAX_BYTES + 1], unit[NAME_MAX_BYTES + 1];
    char version[NAME_MAX_BYTES + 1], source[256], state[8];
    uint64_t started_ns;
    _Atomic uint64_t seen_ns, events, alerts;
    pthread_mutex_t lock; /* of what follows */
    uint64_t packets, bytes;
    uint64_t loss[LEN(loss_rows)];
    char *counters; /* the last stats object */
    struct reading last;
    struct api_rates rates;
    bool changed;
};

struct sensors {
    struct state *state;
    pthread_mutex_t lock;
    pthread_cond_t tick;
    struct sensor *all[SENSORS_MAX];
    size_t n;
    pthread_t thread;
    bool running, stopping;
};

/* --- writing --- */

static bool write_losses(struct sensors *s, const struct sensor *one, const uint64_t *loss,
                         struct err *e)
{
    for (size_t i = 0; i < LEN(loss_rows); i++) {
        const struct loss_row *row = &loss_rows[i];
        if (loss[i] == 0)
            continue;
        if (!state_exec(s->state,
                        "INSERT INTO sensor_loss (sensor, stage, reason, packets, bytes, events) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (sensor, stage, reason) DO "
                        "UPDATE SET packets = excluded.packets, bytes = excluded.bytes, events = "
                        "excluded.events",
                        STATE_ARGS(state_str(one->id), state_str(row->stage),
                                   state_str(row->reason),
                                   state_int(row->unit == LOSS_packets ? (int64_t)loss[i] : 0),
                                   state_int(row->unit == LOSS_bytes ? (int64_t)loss[i] : 0),
                                   state_int(row->unit == LOSS_events ? (int64_t)loss[i] : 0)),
                        e))
            return false;
    }
    return true;
}

static bool write_row(struct sensors *s, struct sensor *one, struct err *e)
{
    pthread_mutex_lock(&one->lock);
    uint64_t packets = one->packets, bytes = one->bytes;
    uint64_t loss[LEN(loss_rows)];
    memcpy(loss, one->loss, sizeof(loss));
    char *counters = mem_strdup(one->counters ? one->counters : "{}");
    char state[sizeof(one->state)];
    memcpy(state, one->state, sizeof(state));
    one->changed = false;
    pthread_mutex_unlock(&one->lock);
    bool ok = state_begin(s->state, e);
    if (ok) {
        ok = state_exec(s->state,
                        "INSERT INTO sensors (id, unit, version, source, state, started_ns, "
                        "seen_ns, packets, bytes, events, alerts, counters) VALUES (?1, "
                        "coalesce((SELECT id FROM units WHERE id = ?2), 'default'), ?3, ?4, ?5, "
                        "?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO UPDATE SET "
                        "version = excluded.version, source = excluded.source, state = "
                        "excluded.state, started_ns = excluded.started_ns, seen_ns = "
                        "excluded.seen_ns, packets = excluded.packets, bytes = excluded.bytes, "
                        "events = excluded.events, alerts = excluded.alerts, counters = "
                        "excluded.counters",
                        STATE_ARGS(state_str(one->id), state_str(one->unit),
                                   state_str(one->version), state_str(one->source),
                                   state_str(state), state_int((int64_t)one->started_ns),
                                   state_int((int64_t)one->seen_ns), state_int((int64_t)packets),
                                   state_int((int64_t)bytes), state_int((int64_t)one->events),
                                   state_int((int64_t)one->alerts), state_str(counters)),
                        e) &&
             write_losses(s, one, loss, e);
        if (ok)
            ok = state_commit(s->state, e);
        else
            state_rollback(s->state);
    }
    mem_free(counters);
    return ok;
}

static void write_changed(struct sensors *s)
{
    struct err e;
    uint64_t now = clock_now_ns();
    pthread_mutex_lock(&s->lock);
    size_t n = s->n;
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        struct sensor *one = s->all[i];
        pthread_mutex_lock(&one->lock);
        bool old = now > one->seen_ns && now - one->seen_ns > (uint64_t)STALE_S * NS_PER_S;
        if (old && strcmp(one->state, "online") == 0) {
            memcpy(one->state, "stale", sizeof("stale"));
            one->rates = (struct api_rates){0};
            one->changed = true;
        }
        bool changed = one->changed;
        pthread_mutex_unlock(&one->lock);
        if (changed && !write_row(s, one, &e))
            log_warn("sensor %s: %s", one->id, e.text);
    }
}

static void *writer_main(void *cls)
{
    struct sensors *s = cls;
    pthread_setname_np(pthread_self(), "sensors");
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&s->tick, &s->lock, &until);
        pthread_mutex_unlock(&s->lock);
        write_changed(s);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

struct sensors *sensors_open(struct state *state)
{
    struct err e;
    struct sensors *s = mem_zero(sizeof(*s));
    s->state = state;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->tick, NULL);
    /* Whoever was online when the node ended is not any more, until it says hello. */
    if (!state_exec(state,
                    "UPDATE sensors SET state = 'offline' WHERE state IN ('online', 'stale')",
                    STATE_NONE, &e))
        log_warn("%s", e.text);
    s->running = pthread_create(&s->thread, NULL, writer_main, s) == 0;
    return s;
}

void sensors_close(struct sensors *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->tick);
    pthread_mutex_unlock(&s->lock);
    if (s->running)
        pthread_join(s->thread, NULL);
    for (size_t i = 0; i < s->n; i++) {
        pthread_mutex_destroy(&s->all[i]->lock);
        mem_free(s->all[i]->counters);
        mem_free(s->all[i]);
    }
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->tick);
    mem_free(s);
}

/* --- coming and going --- */

static struct sensor *find(struct sensors *s, struct span id)
{
    for (size_t i = 0; i < s->n; i++)
        if (span_eq(span_str(s->all[i]->id), id))
            return s->all[i];
    return NULL;
}

struct sensor *sensor_online(struct sensors *s, const struct sensor_hello *hello)
{
    struct err e;
    pthread_mutex_lock(&s->lock);
    struct sensor *one = find(s, hello->id);
    if (!one && s->n < SENSORS_MAX) {
        one = mem_zero(sizeof(*one));
        pthread_mutex_init(&one->lock, NULL);
        span_copy(hello->id, one->id, sizeof(one->id));
        s->all[s->n++] = one;
    }
    pthread_mutex_unlock(&s->lock);
    if (!one)
        return NULL;
    pthread_mutex_lock(&one->lock);
    if (one->started_ns != hello->started_ns) { /* a new run counts from zero */
        one->packets = one->bytes = 0;
        one->events = one->alerts = 0;
        memset(one->loss, 0, sizeof(one->loss));
        one->last = (struct reading){0};
    }
    span_copy(hello->unit.n ? hello->unit : SPAN(LINK_DEFAULT_UNIT), one->unit, sizeof(one->unit));
    span_copy(hello->version, one->version, sizeof(one->version));
    span_copy(hello->source, one->source, sizeof(one->source));
    memcpy(one->state, "online", sizeof("online"));
    one->started_ns = hello->started_ns;
    one->seen_ns = clock_now_ns();
    pthread_mutex_unlock(&one->lock);
    if (!write_row(s, one, &e))
        log_warn("sensor %s: %s", one->id, e.text);
    return one;
}

void sensor_gone(struct sensors *s, struct sensor *one, const char *state)
{
    struct err e;
    pthread_mutex_lock(&one->lock);
    span_copy(span_str(state), one->state, sizeof(one->state));
    one->rates = (struct api_rates){0};
    one->seen_ns = clock_now_ns();
    pthread_mutex_unlock(&one->lock);
    if (!write_row(s, one, &e))
        log_warn("sensor %s: %s", one->id, e.text);
}

void sensor_alive(struct sensor *one)
{
    one->seen_ns = clock_now_ns();
}

/* --- counters --- */

/* Finds the number at a dotted path below the object that j has just opened. */
static bool number_at(struct span object, struct span path, uint64_t *ret)
{
    struct json j;
    struct json_value v;
    json_init(&j, object);
    if (json_next(&j, &v) != JSON_OBJECT)
        return false;
    struct span key = span_split(&path, '.');
    while (json_next(&j, &v) > JSON_END) {
        if (!json_key_is(&v, key)) {
            if (!json_skip(&j, &v))
                return false;
            continue;
        }
        if (path.n == 0) {
            *ret = v.type == JSON_UINT ? v.u : v.type == JSON_INT && v.i > 0 ? (uint64_t)v.i : 0;
            return v.type == JSON_INT || v.type == JSON_UINT;
        }
        if (v.type != JSON_OBJECT)
            return false;
        key = span_split(&path, '.');
    }
    return false;
}

static struct span stats_object(struct span line)
{
    struct json j;
    struct json_value v;
    json_init(&j, line);
    if (json_next(&j, &v) != JSON_OBJECT)
        return (struct span){NULL, 0};
    while (json_next(&j, &v) > JSON_END) {
        bool ours = json_key_is(&v, SPAN("stats")) && v.type == JSON_OBJECT;
        if (!json_skip(&j, &v))
            break;
        if (ours)
            return v.raw;
    }
    return (struct span){NULL, 0};
}

static void set_rates(struct sensor *one)
{
    struct reading now = {clock_mono_ns(), one->packets, one->bytes, one->events};
    double s = (double)(now.at_ns - one->last.at_ns) / 1e9;
    if (one->last.at_ns && s > 0.1 && now.packets >= one->last.packets) {
        one->rates.packets_per_s = (double)(now.packets - one->last.packets) / s;
        one->rates.bits_per_s = (double)(now.bytes - one->last.bytes) * 8 / s;
        one->rates.events_per_s = (double)(now.events - one->last.events) / s;
    }
    one->last = now;
}

static void take_stats(struct sensor *one, struct span line)
{
    struct span stats = stats_object(line);
    uint64_t v;
    if (stats.n == 0 || stats.n > COUNTERS_MAX)
        return;
    pthread_mutex_lock(&one->lock);
    if (number_at(stats, SPAN("decoder.pkts"), &v))
        one->packets = v;
    if (number_at(stats, SPAN("decoder.bytes"), &v))
        one->bytes = v;
    for (size_t i = 0; i < LEN(loss_rows); i++)
        if (number_at(stats, span_str(loss_rows[i].counter), &v))
            one->loss[i] = v;
    mem_free(one->counters);
    one->counters = mem_printf("%.*s", (int)stats.n, (const char *)stats.p);
    set_rates(one);
    one->changed = true;
    pthread_mutex_unlock(&one->lock);
}

void sensor_event(struct sensor *one, enum event_type type, struct span line)
{
    one->events++;
    if (type == EVENT_alert)
        one->alerts++;
    if (type != EVENT_stats)
        return;
    sensor_alive(one);
    take_stats(one, line);
}

bool sensors_rates(struct sensors *s, const char *id, struct api_rates *ret)
{
    pthread_mutex_lock(&s->lock);
    struct sensor *one = find(s, span_str(id));
    pthread_mutex_unlock(&s->lock);
    if (!one)
        return false;
    pthread_mutex_lock(&one->lock);
    *ret = one->rates;
    pthread_mutex_unlock(&one->lock);
    return true;
}

bool sensors_totals(struct sensors *s, const char *id, uint64_t *events, uint64_t *alerts)
{
    pthread_mutex_lock(&s->lock);
    struct sensor *one = find(s, span_str(id));
    pthread_mutex_unlock(&s->lock);
    if (!one)
        return false;
    *events = one->events;
    *alerts = one->alerts;
    return true;
}
