/* SPDX-License-Identifier: Apache-2.0 */
/* One worker reads capture files, so that a replay is the same every time; a live interface gets a
 * worker per core, each with its own socket of the fanout group. */
#include "sensor/sensor.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sensor/confine.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COUNTERS_MAX = 4096, WORKERS_MAX = 256 };

static volatile sig_atomic_t sensor_stop, sensor_hup, sensor_usr2;

static void on_signal(int sig)
{
    if (sig == SIGHUP)
        sensor_hup = 1;
    else if (sig == SIGUSR2)
        sensor_usr2 = 1;
    else
        sensor_stop = 1;
}

static void sensor_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};

    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGHUP, &a, NULL);
    sigaction(SIGUSR2, &a, NULL);
    a.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &a, NULL);
}

static const char *sensor_source(const struct sensor *s)
{
    if (s->options->n_files)
        return s->options->files[0];
    return s->options->n_interfaces ? s->options->interfaces[0] : "";
}

/* The token is in a file, since a command line is for everybody to read. */
static bool sensor_token(const char *path, char *text, size_t cap, struct err *e)
{
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, cap - 1, f) : 0;

    if (!f)
        return err_set(e, ERR_CONFIG, "daizong.token-file %s: %m", path);
    fclose(f);
    while (n > 0 && (uint8_t)text[n - 1] <= ' ')
        n--;
    text[n] = '\0';
    return n > 0 || err_set(e, ERR_CONFIG, "daizong.token-file %s is empty", path);
}

static bool sensor_open_outputs(struct sensor *s, struct err *e)
{
    struct sensor_conf *c = &s->conf;
    const char *dir = s->options->log_dir ? s->options->log_dir : c->log_dir;
    bool replay = s->options->n_files > 0;

    for (size_t i = 0; i < c->n_eve; i++) {
        const struct eve_conf *v = &c->eve[i];
        bool regular = strcmp(v->filetype, "regular") == 0;
        bool joined = dir && v->filename[0] != '/' && strcmp(v->filename, "-") != 0;
        char *path = joined ? mem_printf("%s/%s", dir, v->filename) : mem_strdup(v->filename);
        const struct output_conf o = {.kind = regular ? "file" : "socket",
                                      .path = path,
                                      .append = v->append,
                                      .rotate_bytes = v->rotate_bytes,
                                      .rotate_s = v->rotate_s,
                                      .lossless = replay,
                                      .datagram = strcmp(v->filetype, "unix_dgram") == 0};
        bool ok = output_open(&o, &s->outputs[s->n_outputs], e);
        mem_free(path);
        if (!ok)
            return false;
        s->n_outputs++;
    }
    if (!c->node_socket)
        return true;
    char token[256] = "";
    if (c->node_token_file && !sensor_token(c->node_token_file, token, sizeof(token), e))
        return false;
    const struct output_conf o = {.kind = "link",
                                  .path = c->node_socket,
                                  .lossless = replay,
                                  .sensor = c->sensor_name,
                                  .unit = c->unit,
                                  .source = sensor_source(s),
                                  .token = token,
                                  .ca_file = c->node_ca_file,
                                  .stream = c->node_stream,
                                  .program = "daizong-sensor " DAIZONG_VERSION};
    if (!output_open(&o, &s->outputs[s->n_outputs], e))
        return false;
    s->n_outputs++;
    return true;
}

/* Where kept files go: below the log folder unless the name says otherwise. */
static char *sensor_store_dir(const struct sensor *s)
{
    const struct sensor_conf *c = &s->conf;
    const char *log = s->options->log_dir ? s->options->log_dir : c->log_dir;
    const char *dir = c->filestore.dir ? c->filestore.dir : "filestore";

    return log && dir[0] != '/' ? mem_printf("%s/%s", log, dir) : mem_strdup(dir);
}

static bool sensor_open_store(struct sensor *s, struct err *e)
{
    if (!s->conf.filestore.enabled)
        return true;
    char *dir = sensor_store_dir(s);
    const struct filestore_conf c = {.dir = dir,
                                     .max_open_files = s->conf.filestore.max_open_files};
    bool ok = filestore_open(&c, &s->filestore, e);
    mem_free(dir);
    return ok;
}

static bool sensor_close_outputs(struct sensor *s, bool ok, struct err *e)
{
    for (size_t i = 0; i < s->n_outputs; i++) {
        struct err mine;
        if (!output_close(s->outputs[i], &mine)) {
            if (ok)
                *e = mine;
            else
                log_error("%s", mine.text);
            ok = false;
        }
    }
    s->n_outputs = 0;
    filestore_close(s->filestore);
    s->filestore = NULL;
    return ok;
}

static bool sensor_confine(struct sensor *s, struct err *e)
{
    const struct options *o = s->options;
    char *store = s->filestore ? sensor_store_dir(s) : NULL;
    char **folders = o->n_interfaces && s->rules ? sensor_rules_folders(s) : NULL;
    const struct confine_conf c = {
        .user = o->user ? o->user : s->conf.user,
        .group = o->group ? o->group : s->conf.group,
        .write_dir = o->log_dir        ? o->log_dir
                     : s->conf.log_dir ? s->conf.log_dir
                                       : ".",
        .store_dir = store,
        .read_paths = folders ? (const char *const *)folders : o->files,
        .socket_path = s->conf.node_socket,
    };
    bool ok = o->no_confine || confine(&c, e);
    mem_free(store);
    for (char **f = folders; f && *f; f++)
        mem_free(*f);
    mem_free(folders);
    return ok;
}

/* One stats event with the sums over all workers. */
static void sensor_stats(struct sensor *s, struct worker *workers, size_t n)
{
    struct counter *sum = mem_array(COUNTERS_MAX, sizeof(*sum));
    struct counter *one = mem_array(COUNTERS_MAX, sizeof(*one));
    struct rusage ru;
    size_t count = worker_counters(&workers[0], sum, COUNTERS_MAX - 8);

    for (size_t w = 1; w < n; w++) {
        size_t m = worker_counters(&workers[w], one, COUNTERS_MAX);
        for (size_t i = 0; i < m && i < count; i++)
            sum[i].value += one[i].value;
    }
    if (s->filestore) {
        struct filestore_stats fs;
        filestore_stats(s->filestore, &fs);
        sum[count++] = (struct counter){"file_store.open_files", fs.open_files};
        sum[count++] = (struct counter){"file_store.open_files_max_hit", fs.open_files_max_hit};
        sum[count++] = (struct counter){"file_store.fs_errors", fs.fs_errors};
    }
    if (s->rules) {
        uint64_t since = s->reloaded_ns ? s->reloaded_ns : workers[0].started_ns;
        sum[count++] = (struct counter){STATS_ENGINES, since};
        sum[count++] = (struct counter){"detect.reloads", s->reloads};
        sum[count++] = (struct counter){"detect.reloads_failed", s->reloads_failed};
    }
    if (getrusage(RUSAGE_SELF, &ru) == 0)
        sum[count++] = (struct counter){"memory.resident_peak_kb", (uint64_t)ru.ru_maxrss};
    uint64_t uptime = (clock_mono_ns() - s->started_ns) / NS_PER_S;
    for (size_t i = 0; i < workers[0].n_writers; i++) {
        struct writer *o = &workers[0].writers[i];
        if (!writer_wants(o, EVENT_stats) || !s->conf.stats_enabled)
            continue;
        uint64_t now = workers[0].now_ns ? workers[0].now_ns : clock_now_ns();
        write_stats(o, sum, count, uptime, now);
        writer_flush(o);
    }
    mem_free(sum);
    mem_free(one);
}

static void sensor_progress(const struct sensor *s, const struct worker *w, uint64_t total,
                            bool end)
{
    if (!s->options->progress)
        return;
    double share = total ? (double)w->bytes / (double)total : 0;
    uint64_t events = 0, alerts = 0;
    for (size_t i = 0; i < w->n_writers; i++) {
        events += w->writers[i].written;
        alerts += w->writers[i].by_type[EVENT_alert];
    }
    printf("{\"progress\":%.4f,\"packets\":%llu,\"bytes\":%llu,\"events\":%llu,\"alerts\":%llu}\n",
           end             ? 1.0
           : share > 0.999 ? 0.999
                           : share,
           (unsigned long long)w->packets, (unsigned long long)w->bytes, (unsigned long long)events,
           (unsigned long long)alerts);
    fflush(stdout);
}

static uint64_t file_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

/* The capture that events name: of a folder it changes from file to file. */
static void sensor_capture_name(struct worker *w, const char *name)
{
    for (size_t i = 0; i < w->n_writers; i++)
        w->writers[i].capture = name;
}

/* Several sources may fail, the others are read all the same: each fault but the last is said here,
 * the last one by the caller. */
static bool sensor_fault(bool ok, struct err *e, const struct err *now)
{
    if (!ok)
        log_error("%s", e->text);
    *e = *now;
    return false;
}

/* Reads one capture, or a folder of them, to its end. What is broken in the middle of a folder does
 * not keep its other files from being read. */
static bool sensor_file(struct sensor *s, struct worker *w, const char *path, struct err *e)
{
    struct capture_packet cp;
    enum capture_state state;
    struct err now;
    struct capture *c = capture_open_file(path, s->options->filter, e);
    uint64_t total = w->bytes + file_bytes(path);
    uint64_t next_ns = clock_mono_ns() + 200 * (uint64_t)NS_PER_MS;
    const char *name = NULL;
    bool ok = true;

    if (!c)
        return false;
    while (!sensor_stop && (state = capture_next(c, &cp, &now)) != CAPTURE_END) {
        if (state == CAPTURE_FAILED)
            ok = sensor_fault(ok, e, &now);
        if (capture_name(c) != name)
            sensor_capture_name(w, name = capture_name(c));
        if (state == CAPTURE_OK)
            worker_packet(w, &cp);
        if ((w->packets & 1023) == 0 && s->options->progress && clock_mono_ns() > next_ns) {
            sensor_progress(s, w, total, false);
            next_ns = clock_mono_ns() + 200 * (uint64_t)NS_PER_MS;
        }
    }
    /* The name lives with the capture; flows still open report it. */
    static char last[1024];
    snprintf(last, sizeof(last), "%s", capture_name(c));
    sensor_capture_name(w, last);
    capture_close(c);
    return ok;
}

static bool sensor_files(struct sensor *s, struct err *e)
{
    struct worker *w = mem_zero(sizeof(*w));
    struct err now;
    bool ok = true;

    worker_init(w, &s->conf, s->rules, s->outputs, s->n_outputs);
    if (s->filestore)
        worker_keep_files(w, s->filestore);
    for (size_t i = 0; i < s->options->n_files && !sensor_stop; i++)
        if (!sensor_file(s, w, s->options->files[i], &now))
            ok = sensor_fault(ok, e, &now);
    worker_end(w);
    sensor_stats(s, w, 1);
    sensor_progress(s, w, 0, true);
    log_info("%llu packets, %llu bytes", (unsigned long long)w->packets,
             (unsigned long long)w->bytes);
    worker_free(w);
    mem_free(w);
    return ok;
}

struct live {
    struct sensor *sensor;
    struct capture *capture;
    struct worker *worker;
    pthread_t thread;
    pthread_mutex_t lock; /* the worker's counters while stats are taken */
    struct err e;
    bool failed;
};

static void *live_main(void *user)
{
    struct live *l = user;
    struct capture_packet cp;
    uint64_t flushed = clock_mono_ns();

    while (!sensor_stop) {
        enum capture_state state = capture_next(l->capture, &cp, &l->e);
        if (state == CAPTURE_END || state == CAPTURE_FAILED) {
            l->failed = state == CAPTURE_FAILED;
            break;
        }
        pthread_mutex_lock(&l->lock);
        if (state == CAPTURE_OK)
            worker_packet(l->worker, &cp);
        uint64_t now = clock_mono_ns();
        if (state == CAPTURE_IDLE || now - flushed > 200 * (uint64_t)NS_PER_MS) {
            struct capture_stats cs;
            capture_stats(l->capture, &cs);
            l->worker->kernel_drops = cs.kernel_drops;
            l->worker->interface_drops = cs.interface_drops;
            worker_idle(l->worker, clock_now_ns());
            flushed = now;
        }
        pthread_mutex_unlock(&l->lock);
    }
    return NULL;
}

static void live_hold(struct live *lives, size_t n, bool hold)
{
    for (size_t i = 0; i < n; i++) {
        if (hold)
            pthread_mutex_lock(&lives[i].lock);
        else
            pthread_mutex_unlock(&lives[i].lock);
    }
}

/* New rules are made beside the workers; these stop between two packets to take them, while what
 * comes in waits in the capture's ring. */
static void live_reload(struct sensor *s, struct live *lives, struct worker *workers, size_t n)
{
    struct ruleset *fresh = NULL, *old = s->rules;
    struct err e;

    if (!old) {
        log_warn("SIGUSR2: the sensor runs without rules, there are none to load anew");
        return;
    }
    if (!sensor_reread_rules(s, &fresh, &e)) {
        s->reloads_failed++;
        log_error("the rules are not loaded anew, those in force stay: %s", e.text);
        return;
    }
    live_hold(lives, n, true);
    s->rules = fresh;
    s->reloads++;
    s->reloaded_ns = clock_now_ns();
    sensor_rules_needs(s);
    for (size_t i = 0; i < n; i++)
        worker_rules(&workers[i], fresh);
    live_hold(lives, n, false);
    ruleset_free(old);
    log_notice("%zu rules loaded anew, %zu could not be", ruleset_loaded(fresh),
               ruleset_failed(fresh));
}

static void live_watch(struct sensor *s, struct live *lives, struct worker *workers, size_t n)
{
    uint64_t next = clock_mono_ns() + (uint64_t)s->conf.stats_interval_s * NS_PER_S;

    while (!sensor_stop) {
        usleep(100000);
        if (sensor_hup) {
            sensor_hup = 0;
            for (size_t i = 0; i < s->n_outputs; i++)
                output_reopen(s->outputs[i]);
        }
        if (sensor_usr2) {
            sensor_usr2 = 0;
            live_reload(s, lives, workers, n);
        }
        bool any = false;
        for (size_t i = 0; i < n; i++)
            any |= lives[i].failed;
        if (any)
            sensor_stop = 1;
        if (clock_mono_ns() < next)
            continue;
        next += (uint64_t)s->conf.stats_interval_s * NS_PER_S;
        live_hold(lives, n, true);
        sensor_stats(s, workers, n);
        live_hold(lives, n, false);
    }
}

static bool sensor_live(struct sensor *s, struct live *lives, size_t n, struct err *e)
{
    struct worker *workers = mem_array(n, sizeof(*workers));
    bool ok = true;

    for (size_t i = 0; i < n; i++) {
        struct live *l = &lives[i];
        l->sensor = s;
        l->worker = &workers[i];
        pthread_mutex_init(&l->lock, NULL);
        worker_init(l->worker, &s->conf, s->rules, s->outputs, s->n_outputs);
        if (s->filestore)
            worker_keep_files(l->worker, s->filestore);
        for (size_t k = 0; k < l->worker->n_writers; k++)
            l->worker->writers[k].interface = capture_name(l->capture);
        if (pthread_create(&l->thread, NULL, live_main, l) != 0)
            return err_set(e, ERR_NOMEM, "no thread for worker %zu", i);
    }
    live_watch(s, lives, workers, n);
    for (size_t i = 0; i < n; i++)
        pthread_join(lives[i].thread, NULL);
    for (size_t i = 0; i < n; i++) {
        worker_end(&workers[i]);
        if (lives[i].failed) {
            *e = lives[i].e;
            ok = false;
        }
    }
    sensor_stats(s, workers, n);
    for (size_t i = 0; i < n; i++) {
        worker_free(&workers[i]);
        capture_close(lives[i].capture);
    }
    mem_free(workers);
    return ok;
}

static size_t live_workers(const struct sensor *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (s->options->workers)
        return s->options->workers;
    if (s->options->runmode && strcmp(s->options->runmode, "single") == 0)
        return 1;
    return cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (size_t)cores;
}

static bool sensor_open_live(struct sensor *s, struct live **ret, size_t *ret_n, struct err *e)
{
    const struct options *o = s->options;
    size_t each = live_workers(s), n = 0;
    struct live *lives = mem_array(o->n_interfaces * each, sizeof(*lives));

    *ret = lives;
    for (size_t i = 0; i < o->n_interfaces; i++) {
        uint16_t group = (uint16_t)(((unsigned)getpid() & 0x0fff) << 4 | (i & 15));
        for (size_t k = 0; k < each; k++) {
            lives[n].capture = capture_open_live(o->interfaces[i], o->filter, group, e);
            if (!lives[n].capture)
                return false;
            *ret_n = ++n;
        }
    }
    return true;
}

bool sensor_run(struct sensor *s, struct err *e)
{
    struct live *lives = NULL;
    size_t n_lives = 0;
    struct err save;
    bool live = s->options->n_interfaces > 0;

    sensor_signals();
    s->started_ns = clock_mono_ns();
    bool ok = !live || sensor_open_live(s, &lives, &n_lives, e);
    ok = ok && sensor_open_outputs(s, e) && sensor_open_store(s, e) &&
         (!s->rules || ruleset_data_open(s->rules, e)) && sensor_confine(s, e);
    if (ok && live)
        log_notice("watching %s with %zu worker%s; Ctrl-C ends", s->options->interfaces[0], n_lives,
                   n_lives == 1 ? "" : "s");
    if (ok)
        ok = live ? sensor_live(s, lives, n_lives, e) : sensor_files(s, e);
    ok = sensor_close_outputs(s, ok, e);
    if (s->rules && !ruleset_data_save(s->rules, ok ? e : &save))
        ok = false;
    mem_free(lives);
    return ok;
}
