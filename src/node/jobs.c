/* SPDX-License-Identifier: Apache-2.0 */
/* The job queue: rows of the state, taken one by one by a runner thread. A capture goes through
 * daizong-sensor as a child process whose events come back over the link; how far it is is read
 * from its position in the file. A file of JSON lines is read as events. Kept captures have a
 * ceiling: the oldest go first. */
#include "node/jobs.h"

#include "api/ask.h"
#include "api/stream.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/jw.h"
#include "base/log.h"
#include "base/mem.h"
#include "event/link.h"
#include "node/jobs_impl.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TELL_MS = 500,
    ATTEMPTS = 8,
    STORED_WAIT_MS = 30000,
    STORED_LOOK_MS = 200,
    COUNT_MS = 15000
};

struct job {
    char id[JOB_ID_TEXT], kind[16], name[256], path[4096], sensor[NAME_MAX_BYTES + 1];
    uint64_t stream; /* of its events: the same at every attempt */
    uint64_t events, alerts, told_ns;
    uint64_t events_before, alerts_before; /* told by attempts before this one */
    bool again;                            /* the sensor was killed: not its fault */
    bool settled;                          /* events and alerts are what the store holds */
    int64_t created_ns, first_ns, last_ns; /* last two: time stamps of its events, 0: none */
};

/* --- telling --- */

static void publish(struct jobs *j, const struct job *job, const char *state, double progress,
                    const char *detail, const char *error)
{
    struct buf b = buf_new(16 << 10);
    jw_open(&b, '{');
    jw_member_text(&b, "id", job->id);
    jw_member_text(&b, "kind", job->kind);
    jw_member_text(&b, "name", job->name);
    jw_member_text(&b, "state", state);
    jw_key(&b, "progress");
    jw_double(&b, progress);
    jw_member_text(&b, "detail", detail);
    jw_member_uint(&b, "events", job->events);
    jw_member_uint(&b, "alerts", job->alerts);
    if (error)
        jw_member_text(&b, "error", error);
    if (job->last_ns) {
        jw_key(&b, "first");
        time_json(&b, (uint64_t)job->first_ns);
        jw_key(&b, "last");
        time_json(&b, (uint64_t)job->last_ns);
    }
    jw_close(&b, '}');
    stream_publish(j->conf.hub, "job", NULL, buf_span(&b));
    buf_free(&b);
}

static void tell(struct jobs *j, struct job *job, const char *state, double progress,
                 const char *error)
{
    struct err e;
    char detail[64];
    uint64_t events = 0, alerts = 0;
    if (!job->settled && sensors_totals(j->conf.sensors, job->sensor, &events, &alerts)) {
        job->events = job->events_before + events;
        job->alerts = job->alerts_before + alerts;
    }
    snprintf(detail, sizeof(detail), "%llu events", (unsigned long long)job->events);
    job->told_ns = clock_mono_ns();
    if (!state_exec(j->conf.state,
                    "UPDATE jobs SET state = ?2, progress = ?3, detail = ?4, events = ?5, "
                    "alerts = ?6, error = ?7, updated_ns = ?8, first_ns = ?9, last_ns = ?10 WHERE "
                    "id = ?1",
                    STATE_ARGS(state_str(job->id), state_str(state), state_real(progress),
                               state_str(detail), state_int((int64_t)job->events),
                               state_int((int64_t)job->alerts), state_str(error),
                               state_int((int64_t)clock_now_ns()),
                               job->last_ns ? state_int(job->first_ns) : state_null(),
                               job->last_ns ? state_int(job->last_ns) : state_null()),
                    &e))
        log_warn("job %s: %s", job->id, e.text);
    publish(j, job, state, progress, detail, error);
}

/* --- running --- */

/* How far the process has read this file, 0..1: its offset as the kernel knows it. */
static double read_so_far(pid_t pid, const char *path)
{
    char folder[64], target[4096], name[400];
    struct stat st;
    double best = 0;
    snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)pid);
    DIR *dir = stat(path, &st) == 0 && st.st_size > 0 ? opendir(folder) : NULL;
    if (!dir)
        return 0;
    for (struct dirent *d; (d = readdir(dir));) {
        ssize_t n = readlinkat(dirfd(dir), d->d_name, target, sizeof(target) - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        if (strcmp(target, path) != 0)
            continue;
        snprintf(name, sizeof(name), "/proc/%d/fdinfo/%s", (int)pid, d->d_name);
        FILE *f = fopen(name, "re");
        unsigned long long pos = 0;
        if (f && fscanf(f, "pos: %llu", &pos) == 1 && (double)pos / (double)st.st_size > best)
            best = (double)pos / (double)st.st_size;
        if (f)
            fclose(f);
    }
    closedir(dir);
    return best > 1 ? 1 : best;
}

/* What the sensor said last, without its own name and the path under which the node keeps the file:
 * the person knows the file by the job's name. */
static void take_words(const struct child *child, const char *path, char *error, size_t cap)
{
    struct span words = span_str(child->words);
    static const char own[] = "daizong-sensor: error: ";
    size_t at = span_find(words, span_str(path));
    if (at != SIZE_MAX && at + strlen(path) + 2 < words.n)
        words = span_from(words, at + strlen(path) + 2);
    else if (span_starts(words, span_str(own)))
        words = span_from(words, strlen(own));
    else if (words.n == 0)
        words = SPAN("the sensor ended with an error");
    span_copy(words, error, cap);
}

static bool run_capture(struct jobs *j, struct job *job, char *error, size_t cap)
{
    struct sensor_args a;
    struct child child;
    struct err e;
    sensor_args_common(j, job->sensor, &a);
    char stream[64];
    snprintf(stream, sizeof(stream), "daizong.stream=%llu", (unsigned long long)job->stream);
    child_arg(&a.args, "--set");
    child_arg(&a.args, stream);
    child_arg(&a.args, "-r");
    child_arg(&a.args, job->path);
    /* Killed, not asked to end: it would close its flows and so write other events under numbers
     * that the next attempt gives to those of the whole capture. */
    a.args.death_signal = SIGKILL;
    if (!child_start(&child, &a.args, &e)) {
        snprintf(error, cap, "%s", e.text);
        return false;
    }
    double progress = 0;
    while (child_poll(&child, 100)) {
        if (j->stopping)
            child_stop(&child, 0);
        double now = read_so_far(child.pid, job->path);
        progress = now > progress ? now : progress;
        if (clock_mono_ns() - job->told_ns > (uint64_t)TELL_MS * NS_PER_MS)
            tell(j, job, "running", progress, NULL);
    }
    if (child_succeeded(&child))
        return true;
    job->again = child_killed(&child);
    take_words(&child, job->path, error, cap);
    return false;
}

struct reader {
    struct jobs *j;
    struct intake_file file;
    _Atomic uint64_t ppm;
    atomic_bool done;
    bool ok;
    struct err e;
};

static void *reader_main(void *cls)
{
    struct reader *r = cls;
    r->ok = intake_read(r->j->conf.intake, &r->file, &r->e);
    r->done = true;
    return NULL;
}

static bool run_events(struct jobs *j, struct job *job, char *error, size_t cap)
{
    pthread_t thread;
    struct reader r = {
        .j = j,
        .file = {
            .path = job->path, .name = job->sensor, .stream = job->stream, .stop = &j->stopping}};
    r.file.progress_ppm = &r.ppm;
    if (pthread_create(&thread, NULL, reader_main, &r) != 0) {
        snprintf(error, cap, "cannot start a thread");
        return false;
    }
    while (!r.done) {
        struct timespec nap = {.tv_nsec = 50 * NS_PER_MS};
        nanosleep(&nap, NULL);
        if (clock_mono_ns() - job->told_ns > (uint64_t)TELL_MS * NS_PER_MS)
            tell(j, job, "running", (double)r.ppm / 1e6, NULL);
    }
    pthread_join(thread, NULL);
    if (!r.ok)
        snprintf(error, cap, "%s", r.e.text);
    return r.ok;
}

/* JSON lines begin with a brace; so do none of the capture formats. gzip is looked into. */
static bool holds_events(const char *path)
{
    uint8_t head[2] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, head, sizeof(head));
    close(fd);
    struct span name = span_str(path);
    if (n == 2 && head[0] == 0x1f && head[1] == 0x8b)
        return span_ends(name, SPAN(".json.gz"));
    return n > 0 && head[0] == '{';
}

static bool take_next(struct jobs *j, struct job *job)
{
    struct err e;
    struct state_rows *r;
    bool found = false;
    *job = (struct job){0};
    if (!state_query(j->conf.state,
                     "SELECT id, kind, name, path, events, alerts, created_ns FROM jobs WHERE "
                     "state = 'queued' "
                     "ORDER BY created_ns, rowid LIMIT 1",
                     STATE_NONE, &r, &e))
        return false;
    if (state_rows_next(r)) {
        span_copy(state_col_text(r, 0), job->id, sizeof(job->id));
        job->stream = hash_bytes_key(0x6a6f62, 1, job->id, strlen(job->id)) >> 1 | 1;
        span_copy(state_col_text(r, 1), job->kind, sizeof(job->kind));
        span_copy(state_col_text(r, 2), job->name, sizeof(job->name));
        span_copy(state_col_text(r, 3), job->path, sizeof(job->path));
        job->events_before = (uint64_t)state_col_int(r, 4);
        job->alerts_before = (uint64_t)state_col_int(r, 5);
        job->created_ns = state_col_int(r, 6);
        found = true;
    }
    return state_rows_end(r, &e) && found;
}

/* A sensor's name from a file's: letters, digits, dots and the like. */
static void sensor_name(const char *name, char *to)
{
    size_t n = 0;
    for (const char *p = name; *p && n < NAME_MAX_BYTES; p++) {
        uint8_t c = (uint8_t)*p;
        bool plain = ascii_is_alpha(c) || ascii_is_digit(c);
        if (plain || (n > 0 && (c == '.' || c == '_' || c == '-')))
            to[n++] = (char)c;
        else if (n > 0)
            to[n++] = '-';
    }
    to[n] = '\0';
    if (!link_name_valid(span_str(to)))
        memcpy(to, "capture", sizeof("capture"));
}

/* Counts the attempt before it begins: a job that ends the node each time must not do so for ever.
 */
static bool begin(struct jobs *j, const struct job *job, char *error, size_t cap)
{
    struct err e;
    int64_t attempts = 0;
    struct state_args id = STATE_ARGS(state_str(job->id));
    if (!state_exec(j->conf.state, "UPDATE jobs SET attempts = attempts + 1 WHERE id = ?1", id,
                    &e) ||
        !state_get_int(j->conf.state, "SELECT attempts FROM jobs WHERE id = ?1", id, &attempts,
                       &e)) {
        snprintf(error, cap, "%s", e.text);
        return false;
    }
    if (attempts <= ATTEMPTS)
        return true;
    snprintf(error, cap, "the node ended %d times while it ran", ATTEMPTS);
    return false;
}

/* What the store holds of this job: exact, whatever was told twice or not at all before the node
 * was killed. */
static bool count_stored(struct jobs *j, struct job *job, struct err *e)
{
    char sql[600];
    struct buf out CLEANUP(buf_free) = buf_new(4096);
    struct store_query q = {.sql = sql,
                            .format = "JSONCompactEachRow",
                            .limits = {.time_ms = COUNT_MS},
                            .scope = {.all = true}};
    uint64_t id = ingest_stream_id(span_str(job->sensor), job->stream);
    snprintf(sql, sizeof(sql),
             "SELECT count(), countIf(event_type = 'alert'), toUnixTimestamp64Micro(minIf("
             "timestamp, event_type != 'stats')), toUnixTimestamp64Micro(maxIf(timestamp, "
             "event_type != 'stats')) FROM events WHERE stream_id = %llu AND ingest_ts >= "
             "toDateTime(%llu, 'UTC')",
             (unsigned long long)id, (unsigned long long)((uint64_t)job->created_ns / NS_PER_S));
    if (!store_query(j->conf.store, &q, &out, NULL, e))
        return false;
    struct rows rows = rows_of(&out);
    if (!rows_next(&rows))
        return err_set(e, ERR_PROTOCOL, "the store counts no events");
    job->events = cell_u64(&rows.cell[0]);
    job->alerts = cell_u64(&rows.cell[1]);
    job->first_ns = (int64_t)cell_u64(&rows.cell[2]) * NS_PER_US;
    job->last_ns = (int64_t)cell_u64(&rows.cell[3]) * NS_PER_US;
    job->settled = true;
    return true;
}

/* Waits until queries find what the job brought. A store that is away that long does not hold up
 * the jobs behind this one: its events are durable and come in later. */
static void settle(struct jobs *j, struct job *job)
{
    struct err e;
    uint64_t mark, until = clock_mono_ns() + (uint64_t)STORED_WAIT_MS * NS_PER_MS;
    bool stored = false;
    if (!ingest_mark(j->conf.ingest, &mark, &e)) {
        log_warn("job %s: %s", job->id, e.text);
        return;
    }
    while (!stored && !j->stopping && clock_mono_ns() < until)
        stored = ingest_stored(j->conf.ingest, mark, STORED_LOOK_MS);
    if (stored && !count_stored(j, job, &e))
        log_warn("job %s: its events cannot be counted: %s", job->id, e.text);
    else if (!stored && !j->stopping)
        log_warn("job %s: its events wait for the store", job->id);
}

static void run_job(struct jobs *j, struct job *job)
{
    char error[512] = "";
    sensor_name(job->name, job->sensor);
    if (!begin(j, job, error, sizeof(error))) {
        tell(j, job, "failed", 0, error);
        return;
    }
    tell(j, job, "running", 0, NULL);
    bool ok = holds_events(job->path) ? run_events(j, job, error, sizeof(error))
                                      : run_capture(j, job, error, sizeof(error));
    if (!ok && j->stopping) /* it goes on at the next start */
        return;
    if (!ok && job->again) {
        tell(j, job, "queued", 0, NULL);
        return;
    }
    settle(j, job);
    if (j->stopping && !job->settled)
        return;
    tell(j, job, ok ? "done" : "failed", ok ? 1 : 0, ok ? NULL : error);
    /* Whoever asked for it is told by the job's state; here it is for the record. */
    if (ok)
        log_info("%s: %llu events, %llu alerts", job->name, (unsigned long long)job->events,
                 (unsigned long long)job->alerts);
    else
        log_info("%s: %s", job->name, error);
}

static void *runner_main(void *cls)
{
    struct jobs *j = cls;
    struct job *job = mem_get(sizeof(*job));
    pthread_setname_np(pthread_self(), "jobs");
    while (!j->stopping) {
        if (take_next(j, job)) {
            run_job(j, job);
            continue;
        }
        pthread_mutex_lock(&j->lock);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        if (!j->stopping)
            pthread_cond_timedwait(&j->news, &j->lock, &until);
        pthread_mutex_unlock(&j->lock);
    }
    mem_free(job);
    return NULL;
}

bool jobs_open(const struct jobs_conf *conf, struct jobs **ret, struct err *e)
{
    struct jobs *j = mem_zero(sizeof(*j));
    j->conf = *conf;
    child_program("daizong-sensor", conf->sensor_program, j->sensor_program,
                  sizeof(j->sensor_program));
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->news, NULL);
    if (state_exec(conf->state, "UPDATE jobs SET state = 'queued' WHERE state = 'running'",
                   STATE_NONE, e)) {
        j->running = pthread_create(&j->runner, NULL, runner_main, j) == 0;
        j->watching = pthread_create(&j->watcher, NULL, live_main, j) == 0;
        if (j->running && j->watching) {
            *ret = j;
            return true;
        }
        err_set(e, ERR_NOMEM, "cannot start the jobs' threads");
    }
    jobs_close(j);
    return false;
}

void jobs_close(struct jobs *j)
{
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    j->stopping = true;
    pthread_cond_broadcast(&j->news);
    pthread_mutex_unlock(&j->lock);
    if (j->running)
        pthread_join(j->runner, NULL);
    if (j->watching)
        pthread_join(j->watcher, NULL);
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->news);
    mem_free(j);
}

/* --- starting --- */

/* Removes the oldest kept captures until the ceiling is met; `keep` stays. */
static void trim_captures(struct jobs *j, const char *keep)
{
    for (unsigned round = 0; round < 1000; round++) {
        DIR *dir = opendir(j->conf.captures_dir);
        char oldest[300] = "";
        struct timespec least = {.tv_sec = INT64_MAX};
        uint64_t sum = 0;
        struct stat st;
        if (!dir)
            return;
        for (struct dirent *d; (d = readdir(dir));) {
            if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
                !S_ISREG(st.st_mode))
                continue;
            sum += (uint64_t)st.st_size;
            bool older = st.st_mtim.tv_sec < least.tv_sec;
            if (older && !span_ends(span_str(keep), span_str(d->d_name))) {
                least = st.st_mtim;
                snprintf(oldest, sizeof(oldest), "%s", d->d_name);
            }
        }
        bool over = sum > j->conf.captures_max_bytes && oldest[0];
        if (over && unlinkat(dirfd(dir), oldest, 0) == 0)
            log_notice("removed the kept capture %s: the ceiling is met", oldest);
        closedir(dir);
        if (!over)
            return;
    }
}

static bool queue(struct jobs *j, const char *kind, const char *path, const char *name,
                  const char *by, char id[JOB_ID_TEXT], struct err *e)
{
    char text[SECRET_TEXT];
    int64_t now = (int64_t)clock_now_ns();
    secret_random(16, text);
    snprintf(id, JOB_ID_TEXT, "%.32s", text);
    if (!state_exec(j->conf.state,
                    "INSERT INTO jobs (id, kind, name, state, path, created_by, created_ns, "
                    "updated_ns) VALUES (?1, ?2, ?3, 'queued', ?4, ?5, ?6, ?6)",
                    STATE_ARGS(state_str(id), state_str(kind), state_str(name), state_str(path),
                               state_str(by), state_int(now)),
                    e))
        return false;
    pthread_mutex_lock(&j->lock);
    pthread_cond_broadcast(&j->news);
    pthread_mutex_unlock(&j->lock);
    return true;
}

bool jobs_replay(void *ctx, const char *path, const char *name, const char *by,
                 char id[JOB_ID_TEXT], struct err *e)
{
    struct jobs *j = ctx;
    trim_captures(j, path);
    return queue(j, "replay", path, name, by, id, e);
}

static int is_capture(const struct dirent *d)
{
    struct span name = span_str(d->d_name);
    return span_ends(name, SPAN(".pcap")) || span_ends(name, SPAN(".pcapng")) ||
           span_ends(name, SPAN(".pcap.gz")) || span_ends(name, SPAN(".pcap.zst"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

bool jobs_demo(void *ctx, const char *by, struct job_list *ret, struct err *e)
{
    struct jobs *j = ctx;
    struct dirent **names = NULL;
    ret->n = 0;
    if (!j->conf.demo_dir)
        return err_set(e, ERR_NOT_FOUND, "the demo captures are not installed");
    int n = scandir(j->conf.demo_dir, &names, is_capture, by_name);
    if (n <= 0)
        return err_set(e, ERR_NOT_FOUND, "there are no captures in %s", j->conf.demo_dir);
    bool ok = true;
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", j->conf.demo_dir, names[i]->d_name);
        if (ok && ret->n < JOB_LIST) {
            ok = queue(j, "demo", path, names[i]->d_name, by, ret->id[ret->n], e);
            span_copy(span_str(names[i]->d_name), ret->name[ret->n++], sizeof(ret->name[0]));
        }
        free(names[i]);
    }
    free(names);
    return ok;
}
