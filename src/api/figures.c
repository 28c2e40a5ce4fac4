/* SPDX-License-Identifier: Apache-2.0 */
/* Health of node, store, intake and disk, read from their owners' counters; nothing here asks the
 * event store a question, so that health answers at once even when the store does not. */
#include "api/figures.h"

#include "api/stream.h"
#include "base/clock.h"
#include "base/jw.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FOLDER_DEPTH = 8, FOLDER_AGE_S = 30 };

static uint64_t folder_bytes(int parent, const char *name, unsigned depth)
{
    struct stat st;
    uint64_t sum = 0;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    for (struct dirent *d; (d = readdir(dir));) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(st.st_mode))
            sum += (uint64_t)st.st_blocks * 512;
        else if (S_ISDIR(st.st_mode) && depth > 0)
            sum += folder_bytes(dirfd(dir), d->d_name, depth - 1);
    }
    closedir(dir);
    return sum;
}

/* Size of the data folder, looked at no more often than every half minute. */
static uint64_t data_bytes(struct api *a)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint64_t now = clock_mono_ns();
    pthread_mutex_lock(&lock);
    if (!a->folder_at_ns || now - a->folder_at_ns > (uint64_t)FOLDER_AGE_S * NS_PER_S) {
        a->folder_bytes = folder_bytes(AT_FDCWD, a->conf.data_dir, FOLDER_DEPTH);
        a->folder_at_ns = now;
    }
    uint64_t n = a->folder_bytes;
    pthread_mutex_unlock(&lock);
    return n;
}

struct store_view {
    const char *state, *backend;
    char detail[256];
    unsigned restarts;
};

static void look_at_store(struct api *a, const struct ingest_counters *in, struct store_view *v)
{
    struct err e;
    *v = (struct store_view){.state = "ready", .backend = "server"};
    if (a->conf.supervise) {
        struct supervise_status s;
        supervise_get(a->conf.supervise, &s);
        v->backend = "embedded";
        v->restarts = s.restarts;
        span_copy(span_str(s.detail), v->detail, sizeof(v->detail));
        v->state = s.state == SUPERVISE_READY      ? "ready"
                   : s.state == SUPERVISE_STARTING ? "starting"
                                                   : "down";
    } else if (!store_ping(a->conf.store, NULL, 0, &e)) {
        v->state = "down";
        span_copy(span_str(e.text), v->detail, sizeof(v->detail));
    }
    if (!in->ready && strcmp(v->state, "ready") == 0) /* its tables are not there yet */
        v->state = "starting";
    if (in->last_error[0] && in->spool_blocks > 0 && strcmp(v->state, "ready") == 0) {
        v->state = "degraded";
        span_copy(span_str(in->last_error), v->detail, sizeof(v->detail));
    }
}

static void time_or_null(struct buf *b, const char *key, uint64_t ns)
{
    char text[CLOCK_TEXT];
    jw_key(b, key);
    if (!ns) {
        jw_null(b);
        return;
    }
    clock_rfc3339(ns, text);
    jw_text(b, text);
}

static double intake_rate(struct api *a, uint64_t lines)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint64_t now = clock_mono_ns();
    pthread_mutex_lock(&lock);
    if (now - a->rate_at_ns >= NS_PER_S) {
        a->rate = a->rate_at_ns
                      ? (double)(lines - a->rate_lines) * 1e9 / (double)(now - a->rate_at_ns)
                      : 0;
        a->rate_at_ns = now;
        a->rate_lines = lines;
    }
    double rate = a->rate;
    pthread_mutex_unlock(&lock);
    return rate;
}

static void intake_object(struct api *a, const struct ingest_counters *in, struct buf *b)
{
    jw_key(b, "ingest");
    jw_open(b, '{');
    jw_key(b, "events_per_s");
    jw_double(b, intake_rate(a, in->lines));
    jw_member_uint(b, "queued", in->taken > in->stored ? in->taken - in->stored : 0);
    time_or_null(b, "last_event", in->last_event_ns);
    jw_key(b, "lag_s");
    jw_double(b, (double)in->lag_ns / 1e9);
    jw_member_uint(b, "quarantined", in->quarantined);
    jw_close(b, '}');
}

void health_run(struct api_call *c)
{
    struct api *a = c->api;
    struct buf *b = c->out;
    struct ingest_counters in = {0};
    struct store_view store;
    struct statvfs disk;
    if (a->conf.ingest)
        ingest_count(a->conf.ingest, &in);
    look_at_store(a, &in, &store);
    uint64_t free_bytes = 0;
    if (statvfs(a->conf.data_dir, &disk) == 0)
        free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    bool ready = strcmp(store.state, "ready") == 0;
    bool down = strcmp(store.state, "down") == 0;
    bool starting = strcmp(store.state, "starting") == 0;
    bool tight = free_bytes < ((uint64_t)256 << 20);
    jw_open(b, '{');
    jw_member_text(b, "status",
                   down              ? "down"
                   : starting        ? "starting"
                   : ready && !tight ? "ok"
                                     : "degraded");
    jw_member_text(b, "version", DAIZONG_VERSION);
    jw_member_uint(b, "uptime_s", (clock_mono_ns() - a->started_ns) / NS_PER_S);
    jw_key(b, "store");
    jw_open(b, '{');
    jw_member_text(b, "state", store.state);
    jw_member_text(b, "backend", store.backend);
    jw_member_uint(b, "restarts", store.restarts);
    jw_member_text(b, "detail", store.detail);
    jw_close(b, '}');
    intake_object(a, &in, b);
    jw_key(b, "disk");
    jw_open(b, '{');
    jw_member_uint(b, "free_bytes", free_bytes);
    jw_member_uint(b, "data_bytes", data_bytes(a));
    jw_close(b, '}');
    jw_close(b, '}');
}

static void metric(struct buf *b, const char *name, const char *type, const char *help, double v)
{
    buf_printf(b, "# HELP daizong_%s %s\n# TYPE daizong_%s %s\ndaizong_%s ", name, help, name, type,
               name);
    json_add_double(b, v);
    buf_byte(b, '\n');
}

void metrics_run(struct api_call *c)
{
    struct api *a = c->api;
    struct buf *b = c->out;
    struct ingest_counters in = {0};
    struct store_view store;
    struct http_counters h = httpd_counters(a->http);
    struct stream_counters stream = stream_count(a->hub);
    if (a->conf.ingest)
        ingest_count(a->conf.ingest, &in);
    look_at_store(a, &in, &store);
    c->rq->answer.type = "text/plain; version=0.0.4; charset=utf-8";
    const struct {
        const char *name, *type, *help;
        double v;
    } rows[] = {
        {"uptime_seconds", "gauge", "Seconds since the node started.",
         (double)(clock_mono_ns() - a->started_ns) / 1e9},
        {"store_ready", "gauge", "1 when the event store answers.",
         strcmp(store.state, "ready") == 0},
        {"store_restarts_total", "counter", "Times the store process was started again.",
         store.restarts},
        {"ingest_lines_total", "counter", "Event lines brought by sensors and files.",
         (double)in.lines},
        {"ingest_bytes_total", "counter", "Bytes of event lines.", (double)in.bytes},
        {"ingest_taken_total", "counter", "Events taken for the store.", (double)in.taken},
        {"ingest_stored_total", "counter", "Events in the store.", (double)in.stored},
        {"ingest_durable_total", "counter", "Events safe on disk.", (double)in.durable},
        {"ingest_quarantined_total", "counter", "Malformed events put aside.",
         (double)in.quarantined},
        {"ingest_repeats_total", "counter", "Events that were there already.", (double)in.repeats},
        {"ingest_refused_total", "counter", "Lines refused because the spool was full.",
         (double)in.refused_full},
        {"ingest_spool_bytes", "gauge", "Bytes waiting for the store.", (double)in.spool_bytes},
        {"ingest_insert_failures_total", "counter", "Inserts that the store refused.",
         (double)in.insert_failures},
        {"ingest_lag_seconds", "gauge", "Age of the oldest block that waits.",
         (double)in.lag_ns / 1e9},
        {"http_requests_total", "counter", "Requests.", (double)h.requests},
        {"http_answers_4xx_total", "counter", "Answers with a client error.",
         (double)h.answers_4xx},
        {"http_answers_5xx_total", "counter", "Answers with a server error.",
         (double)h.answers_5xx},
        {"http_bytes_out_total", "counter", "Bytes of answers.", (double)h.bytes_out},
        {"http_connections", "gauge", "Open connections.", h.open},
        {"http_queued", "gauge", "Requests waiting for a worker.", h.queued},
        {"http_streams", "gauge", "Live streams.", h.streams},
        {"stream_events_total", "counter", "Events that the live stream was told of.",
         (double)stream.seen},
        {"stream_lost_total", "counter", "Messages that slow subscribers have lost.",
         (double)stream.lost},
        {"stream_slow_total", "counter", "Subscribers gone or dropped with unsent messages.",
         (double)stream.slow},
    };
    for (size_t i = 0; i < LEN(rows); i++)
        metric(b, rows[i].name, rows[i].type, rows[i].help, rows[i].v);
}

/* The rates of all sensors together. */
static unsigned sensors_now(struct api *a, struct api_rates *sum)
{
    struct err e;
    struct state_rows *r;
    unsigned online = 0;
    *sum = (struct api_rates){0};
    if (!state_query(a->conf.state, "SELECT id FROM sensors WHERE state = 'online'", STATE_NONE, &r,
                     &e))
        return 0;
    while (state_rows_next(r)) {
        char id[NAME_MAX_BYTES + 1];
        struct api_rates one;
        span_copy(state_col_text(r, 0), id, sizeof(id));
        online++;
        if (!a->conf.hooks.rates || !a->conf.hooks.rates(a->conf.hooks.ctx, id, &one))
            continue;
        sum->packets_per_s += one.packets_per_s;
        sum->bits_per_s += one.bits_per_s;
        sum->events_per_s += one.events_per_s;
    }
    return state_rows_end(r, &e) ? online : 0;
}

void figures_stream(struct api *a, struct buf *b, double events_per_s, uint64_t alerts_new)
{
    struct api_rates rates;
    char now[CLOCK_TEXT];
    unsigned online = sensors_now(a, &rates);
    clock_rfc3339(clock_now_ns(), now);
    jw_open(b, '{');
    jw_key(b, "events_per_s");
    jw_double(b, events_per_s);
    jw_member_uint(b, "alerts_new", alerts_new);
    jw_key(b, "packets_per_s");
    jw_double(b, rates.packets_per_s);
    jw_key(b, "bits_per_s");
    jw_double(b, rates.bits_per_s);
    jw_member_uint(b, "sensors_online", online);
    jw_member_text(b, "as_of", now);
    jw_close(b, '}');
}
