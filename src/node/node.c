/* SPDX-License-Identifier: Apache-2.0 */
/* Wiring. Order at start: data folder and its lock, state, the listening sockets (so that a port in
 * use is said before anything runs), the store's process, ingest, sensors, jobs, the API. At the
 * end the opposite: whoever brings events stops first, then what takes them. */
#include "node/node.h"

#include "api/listen.h"
#include "api/stream.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/confine.h"
#include "node/jobs.h"
#include "node/notify.h"
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    IO_THREADS = 2,
    WORKERS = 6,
    CONNECTIONS = 1024,
    CONNECTIONS_PER_IP = 256,
    IDLE_S = 60,
    QUEUE = 256,
    STORE_PATIENCE_S = 20,
};
#define UPLOAD_MAX_BYTES   ((uint64_t)8 << 30)
#define CAPTURES_MAX_BYTES ((uint64_t)16 << 30)

struct node {
    const struct node_conf *conf;
    char state_path[4096], lock_path[4096], socket_path[4096], link_path[4096], captures[4096];
    char spool[4096], store_url[4096], demo[4096], rules[4096], run[4096];
    int lock;
    struct state *state;
    struct accounts *accounts;
    struct listener *listener;
    struct supervise *supervise;
    struct store *store;
    struct intake *intake;
    struct ingest *ingest;
    struct sensors *sensors;
    struct jobs *jobs;
    struct api *api;
    char password[PASSWORD_RANDOM_TEXT];
    char sensor_program[4096], store_program[4096];
};

/* --- the data folder --- */

static bool make_folder(const char *path, struct err *e)
{
    struct stat st;
    if (mkdir(path, 0700) == 0)
        return true;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return true;
    if (errno == EEXIST)
        return err_set(e, ERR_CONFIG, "%s is there but is not a folder", path);
    return err_set(e, errno == EACCES || errno == EROFS ? ERR_DENIED : ERR_IO,
                   "cannot create the data folder %s: %m (choose another with --data DIR)", path);
}

static bool make_folders(const char *path, struct err *e)
{
    char part[4096];
    for (const char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        span_copy(span_of(path, (size_t)(p - path)), part, sizeof(part));
        if (access(part, F_OK) != 0 && !make_folder(part, e))
            return false;
    }
    return make_folder(path, e);
}

static bool join(char *to, size_t cap, const char *folder, const char *name, struct err *e)
{
    int n = snprintf(to, cap, "%s/%s", folder, name);
    return (n > 0 && (size_t)n < cap) || err_set(e, ERR_CONFIG, "%s: the path is too long", folder);
}

static bool lock_folder(struct node *n, struct err *e)
{
    n->lock = open(n->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (n->lock < 0)
        return err_set(e, errno == EACCES || errno == EROFS ? ERR_DENIED : ERR_IO,
                       "cannot write in the data folder %s: %m (choose another with --data DIR)",
                       n->conf->data_dir);
    char pid[16] = "";
    if (flock(n->lock, LOCK_EX | LOCK_NB) == 0) {
        int len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
        if (ftruncate(n->lock, 0) == 0 && pwrite(n->lock, pid, (size_t)len, 0) == len)
            return true;
        return err_set(e, errno == ENOSPC ? ERR_FULL : ERR_IO,
                       "cannot write in the data folder %s: %m", n->conf->data_dir);
    }
    ssize_t got = pread(n->lock, pid, sizeof(pid) - 1, 0);
    return err_set(e, ERR_BUSY, "another node (process %.*s) runs on the data folder %s",
                   (int)span_trim(span_of(pid, got > 0 ? (size_t)got : 0)).n, pid,
                   n->conf->data_dir);
}

/* The first of the usual places beside this program's folder or in the system that exists. */
static const char *find_beside(const char *given, const char *const *places, size_t n, char *text,
                               size_t cap)
{
    char self[4096];
    if (given)
        return given;
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < n; i++) {
        if (places[i][0] == '/')
            snprintf(text, cap, "%s", places[i]);
        else
            snprintf(text, cap, "%s/%s", self, places[i]);
        char *whole = realpath(text, NULL); /* people read it: without the way there and back */
        if (whole && strlen(whole) < cap)
            snprintf(text, cap, "%s", whole);
        free(whole);
        if (access(text, R_OK) == 0)
            return text;
    }
    return NULL;
}

static bool prepare_folder(struct node *n, struct err *e)
{
    const char *data = n->conf->data_dir;
    static const mode_t private = 077;
    umask(private);
    return make_folders(data, e) &&
           join(n->state_path, sizeof(n->state_path), data, "state.db", e) &&
           join(n->lock_path, sizeof(n->lock_path), data, "node.lock", e) &&
           join(n->socket_path, sizeof(n->socket_path), data, "daizong.sock", e) &&
           join(n->link_path, sizeof(n->link_path), data, "sensor.sock", e) &&
           join(n->captures, sizeof(n->captures), data, "captures", e) &&
           join(n->spool, sizeof(n->spool), data, "spool", e) &&
           join(n->run, sizeof(n->run), data, "run", e) && lock_folder(n, e) &&
           make_folder(n->captures, e) && make_folder(n->run, e);
}

/* --- parts --- */

static bool open_state(struct node *n, struct err *e)
{
    if (!state_open(n->state_path, &n->state, e))
        return false;
    n->accounts =
        accounts_open(n->state, n->conf->password_sm3 ? PASSWORD_PBKDF2_SM3 : PASSWORD_ARGON2ID);
    return accounts_first(n->accounts, n->password, e);
}

static bool open_store(struct node *n, struct err *e)
{
    const struct node_conf *c = n->conf;
    struct store_conf sc = {
        .url = c->store_url, .user = c->store_user, .password = c->store_password};
    if (!c->store_url) {
        static const char *const places[] = {"daizong-store", "../embedded/daizong-store"};
        struct supervise_conf su = {.program =
                                        find_beside(c->store_program, places, LEN(places),
                                                    n->store_program, sizeof(n->store_program)),
                                    .library = c->store_library,
                                    .data_dir = c->data_dir,
                                    .listen = c->store_listen};
        if (!supervise_start(&su, &n->supervise, e))
            return false;
        snprintf(n->store_url, sizeof(n->store_url), "unix:%s/store.sock", c->data_dir);
        sc.url = n->store_url;
    }
    return store_open(&sc, &n->store, e);
}

static unsigned retention_days(struct node *n)
{
    int64_t days = 180;
    struct err e;
    if (!state_get_int(n->state,
                       "SELECT CAST(value AS INTEGER) FROM settings WHERE key = 'retention_days'",
                       STATE_NONE, &days, &e))
        return 180;
    return days > 0 ? (unsigned)days : 180;
}

static bool keep_raw(struct node *n)
{
    int64_t keep = 1;
    struct err e;
    if (!state_get_int(n->state,
                       "SELECT CASE value WHEN 'false' THEN 0 ELSE 1 END FROM settings WHERE key = "
                       "'keep_raw'",
                       STATE_NONE, &keep, &e))
        return true;
    return keep != 0;
}

/* The doors of the sensors: opened before the process gives up the right to open more. */
static bool open_doors(struct node *n, struct err *e)
{
    struct intake_conf ic = {.accounts = n->accounts,
                             .unix_path = n->link_path,
                             .tcp_address = n->conf->sensor_listen,
                             .certificate = n->conf->certificate,
                             .key = n->conf->key};
    n->intake = intake_open(&ic, e);
    return n->intake != NULL;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "NAME=PATH" or "PATH", whose last part is the name then. Returns the path. */
static const char *named(const char *text, char name[NAME_MAX_BYTES + 1])
{
    const char *equals = strchr(text, '='), *slash = strchr(text, '/');
    bool given = equals && (!slash || equals < slash);
    const char *from = given ? text : file_name(text);
    snprintf(name, NAME_MAX_BYTES + 1, "%.*s", given ? (int)(equals - text) : NAME_MAX_BYTES, from);
    return given ? equals + 1 : text;
}

/* "[NAME=][dgram:]PATH" */
static const char *eve_socket_path(const char *text, char name[NAME_MAX_BYTES + 1], bool *datagram)
{
    static const char dgram[] = "dgram:";
    const char *path = named(text, name);
    *datagram = strncmp(path, dgram, strlen(dgram)) == 0;
    return *datagram ? path + strlen(dgram) : path;
}

static bool confine(struct node *n, struct err *e)
{
    char names[NODE_FOLLOWS][NAME_MAX_BYTES + 1];
    const char *paths[NODE_FOLLOWS];
    for (unsigned i = 0; i < n->conf->eve_sockets_n; i++) {
        bool datagram;
        paths[i] = eve_socket_path(n->conf->eve_sockets[i], names[i], &datagram);
    }
    const struct node_confine c = {.data_dir = n->conf->data_dir,
                                   .socket_paths = paths,
                                   .socket_paths_n = n->conf->eve_sockets_n,
                                   .capturing = !n->conf->no_capture};
    /* Where it may still write; before any other thread reads the environment. */
    setenv("SQLITE_TMPDIR", n->run, 1);
    return n->conf->no_confine || node_confine(&c, e) || err_wrap(e, "cannot be confined");
}

static bool open_ingest(struct node *n, struct err *e)
{
    n->sensors = sensors_open(n->state);
    struct ingest_conf gc = {.store = n->store,
                             .spool_dir = n->spool,
                             .keep_raw = keep_raw(n),
                             .retention_days = retention_days(n),
                             .start_patience_s = STORE_PATIENCE_S,
                             .durable = intake_durable,
                             .event = intake_event,
                             .ctx = n->intake};
    return ingest_open(&gc, &n->ingest, e);
}

static bool hook_rates(void *ctx, const char *sensor, struct api_rates *ret)
{
    struct node *n = ctx;
    return sensors_rates(n->sensors, sensor, ret);
}

static bool hook_replay(void *ctx, const char *path, const char *name, const char *by,
                        char id[JOB_ID_TEXT], struct err *e)
{
    return jobs_replay(((struct node *)ctx)->jobs, path, name, by, id, e);
}

static bool hook_demo(void *ctx, const char *by, struct job_list *ret, struct err *e)
{
    return jobs_demo(((struct node *)ctx)->jobs, by, ret, e);
}

static bool hook_start(void *ctx, struct span interface, struct span filter,
                       char sensor[NAME_MAX_BYTES + 1], struct err *e)
{
    return jobs_capture_start(((struct node *)ctx)->jobs, interface, filter, sensor, e);
}

static bool hook_stop(void *ctx, struct span sensor, struct err *e)
{
    return jobs_capture_stop(((struct node *)ctx)->jobs, sensor, e);
}

static void hook_settings(void *ctx, struct api_pending *ret)
{
    struct node *n = ctx;
    struct err e;
    unsigned days = retention_days(n);
    *ret = (struct api_pending){0};
    ingest_configure(n->ingest, keep_raw(n), days);
    if (!schema_set_retention(n->store, days, &e))
        snprintf(ret->retention_days, sizeof(ret->retention_days),
                 "in effect when the store is back: %s", e.text);
    if (jobs_live(n->jobs) > 0)
        snprintf(ret->home_net, sizeof(ret->home_net),
                 "sensors that watch an interface now take it when they are started again");
}

static bool open_api(struct node *n, struct err *e)
{
    static const char *const rule_places[] = {"rules",
                                              "../rules",
                                              "../../rules",
                                              "../../../../rules",
                                              "../share/daizong/rules",
                                              "/usr/share/daizong/rules"};
    static const char *const demo_places[] = {"demo/captures",         "../demo/captures",
                                              "../../demo/captures",   "../../../../demo/captures",
                                              "../share/daizong/demo", "/usr/share/daizong/demo"};
    const char *rules =
        find_beside(n->conf->rules, rule_places, LEN(rule_places), n->rules, sizeof(n->rules));
    struct api_conf ac = {.state = n->state,
                          .accounts = n->accounts,
                          .store = n->store,
                          .ingest = n->ingest,
                          .supervise = n->supervise,
                          .data_dir = n->conf->data_dir,
                          .captures_dir = n->captures,
                          .hosts = n->conf->hosts,
                          .rules = rules,
                          .upload_max_bytes = UPLOAD_MAX_BYTES,
                          .hooks = {.ctx = n,
                                    .replay = hook_replay,
                                    .demo = hook_demo,
                                    .capture_start = hook_start,
                                    .capture_stop = hook_stop,
                                    .rates = hook_rates,
                                    .settings = hook_settings}};
    n->api = api_open(&ac, e);
    if (!n->api)
        return false;
    static const char *const sensor_places[] = {"daizong-sensor", "../sensor/daizong-sensor"};
    struct jobs_conf jc = {
        .state = n->state,
        .sensors = n->sensors,
        .intake = n->intake,
        .ingest = n->ingest,
        .store = n->store,
        .hub = n->api->hub,
        .sensor_program = find_beside(n->conf->sensor_program, sensor_places, LEN(sensor_places),
                                      n->sensor_program, sizeof(n->sensor_program)),
        .data_dir = n->conf->data_dir,
        .captures_dir = n->captures,
        .demo_dir =
            find_beside(n->conf->demo, demo_places, LEN(demo_places), n->demo, sizeof(n->demo)),
        .rules = rules,
        .captures_max_bytes = CAPTURES_MAX_BYTES};
    if (!intake_run(n->intake, n->sensors, n->ingest, n->api->hub, e) ||
        !jobs_open(&jc, &n->jobs, e))
        return false;
    struct httpd_config hc = {.io_threads = IO_THREADS,
                              .workers = WORKERS,
                              .connections = CONNECTIONS,
                              .connections_per_ip = CONNECTIONS_PER_IP,
                              .idle_s = IDLE_S,
                              .queue = QUEUE};
    return api_run(n->api, &hc, e) && listener_run(n->listener, n->api->http, e);
}

static bool start_eve(struct node *n, struct err *e)
{
    char name[NAME_MAX_BYTES + 1];
    for (unsigned i = 0; i < n->conf->follows_n; i++) {
        const char *path = named(n->conf->follows[i], name);
        if (!intake_follow(n->intake, path, name, e))
            return false;
    }
    for (unsigned i = 0; i < n->conf->eve_sockets_n; i++) {
        bool datagram;
        const char *path = eve_socket_path(n->conf->eve_sockets[i], name, &datagram);
        if (!intake_eve_socket(n->intake, path, name, datagram, e))
            return false;
    }
    return true;
}

static bool start_sources(struct node *n, struct err *e)
{
    char sensor[NAME_MAX_BYTES + 1];
    for (unsigned i = 0; i < n->conf->interfaces_n; i++)
        if (!jobs_capture_start(n->jobs, span_str(n->conf->interfaces[i]), SPAN(""), sensor, e))
            return false;
    return start_eve(n, e);
}

static bool start(struct node *n, struct err *e)
{
    struct listen_config lc = {
        .address = n->conf->listen, .certificate = n->conf->certificate, .key = n->conf->key};
    if (!prepare_folder(n, e))
        return false;
    lc.unix_path = n->socket_path;
    n->listener = listener_open(&lc, e);
    return n->listener && open_state(n, e) && open_doors(n, e) && confine(n, e) &&
           open_store(n, e) && open_ingest(n, e) && open_api(n, e) && start_sources(n, e);
}

static void stop(struct node *n)
{
    struct err e;
    jobs_close(n->jobs);
    intake_stop(n->intake);
    listener_close(n->listener);
    api_stop(n->api);
    if (n->ingest && !ingest_close(n->ingest, &e))
        log_error("%s", e.text);
    api_close(n->api);
    sensors_close(n->sensors);
    intake_close(n->intake);
    if (n->store)
        store_close(n->store);
    if (n->supervise)
        supervise_stop(n->supervise);
    accounts_close(n->accounts);
    if (n->state)
        state_close(n->state);
    if (n->lock >= 0)
        close(n->lock);
}

static void greet(const struct node *n)
{
    const struct node_conf *c = n->conf;
    const char *scheme = listener_tls(n->listener) ? "https" : "http";
    char host[256];
    struct span address = span_str(c->listen);
    size_t colon = address.n;
    for (size_t i = 0; i < address.n; i++)
        if (address.p[i] == ':')
            colon = i;
    span_copy(span_cut(address, 0, colon), host, sizeof(host));
    if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    unsigned port = listener_port(n->listener);
    if (c->json) {
        printf("{\"url\":\"%s://%s:%u/\",\"data\":\"%s\",\"user\":%s,\"password\":%s%s%s}\n",
               scheme, host, port, c->data_dir, n->password[0] ? "\"admin\"" : "null",
               n->password[0] ? "\"" : "", n->password[0] ? n->password : "null",
               n->password[0] ? "\"" : "");
    } else {
        printf("Daizong %s is running: %s://%s:%u/\n", DAIZONG_VERSION, scheme, host, port);
        if (n->password[0])
            printf("First login: user admin, password %s   (shown only this once)\n", n->password);
    }
    fflush(stdout);
}

static void wait_for_signal(void)
{
    sigset_t set;
    int got;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    do {
        if (sigwait(&set, &got) != 0)
            return;
    } while (got == SIGHUP);
    log_notice("stopping");
}

bool node_run(const struct node_conf *conf, struct err *e)
{
    struct node *n = mem_zero(sizeof(*n));
    sigset_t set;
    n->conf = conf;
    n->lock = -1;
    hash_seed_random();
    notify_open();
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread, so that all inherit it */
    signal(SIGPIPE, SIG_IGN);
    bool ok = start(n, e);
    if (ok) {
        greet(n);
        notify("READY=1");
        wait_for_signal();
        notify("STOPPING=1");
    }
    stop(n);
    mem_free(n);
    return ok;
}
