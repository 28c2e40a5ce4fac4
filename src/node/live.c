/* SPDX-License-Identifier: Apache-2.0 */
/* Local live sensors: one child process an interface, watched by one thread, started again when it
 * dies (waiting from half a second up to ten), stopped on request. */
#include "base/clock.h"
#include "base/log.h"
#include "event/link.h"
#include "node/jobs_impl.h"

#include <dirent.h>
#include <net/if.h>
#include <sys/stat.h>

enum { WAIT_MIN_MS = 500, WAIT_MAX_MS = 10000, HEALTHY_S = 60, GRACE_MS = 8000 };

static void add_rule_file(struct sensor_args *a, const char *path)
{
    if (a->rules_n == RULE_FILES)
        return;
    char *to = a->rules[a->rules_n++];
    snprintf(to, sizeof(a->rules[0]), "%s", path);
    child_arg(&a->args, "-S");
    child_arg(&a->args, to);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_rules(const struct dirent *d)
{
    return span_ends(span_str(d->d_name), SPAN(".rules"));
}

static void add_rules(struct sensor_args *a, const char *list)
{
    struct span rest = span_str(list);
    while (rest.n > 0) {
        char path[4096], full[4096 + 256];
        struct stat st;
        struct dirent **names = NULL;
        span_copy(span_split(&rest, ':'), path, sizeof(path));
        if (stat(path, &st) != 0)
            continue;
        if (!S_ISDIR(st.st_mode)) {
            add_rule_file(a, path);
            continue;
        }
        int n = scandir(path, &names, is_rules, by_name);
        for (int i = 0; i < n; i++) {
            snprintf(full, sizeof(full), "%s/%s", path, names[i]->d_name);
            add_rule_file(a, full);
            free(names[i]);
        }
        if (n >= 0)
            free(names);
    }
}

/* The setting home_net, ["10.0.0.0/8",…], as the sensor's $HOME_NET; nothing while it is not set.
 */
static void add_home_net(const struct jobs *j, struct sensor_args *a)
{
    struct err e;
    struct state_rows *r;
    size_t n = 0;
    if (!state_query(j->conf.state, "SELECT value FROM settings WHERE key = 'home_net'", STATE_NONE,
                     &r, &e))
        return;
    if (state_rows_next(r)) {
        struct span list = state_col_text(r, 0);
        n = (size_t)snprintf(a->home_net, sizeof(a->home_net), "vars.address-groups.HOME_NET=");
        for (size_t i = 0; i < list.n && n + 1 < sizeof(a->home_net); i++)
            if (list.p[i] != '"')
                a->home_net[n++] = (char)list.p[i];
        a->home_net[n] = '\0';
    }
    bool whole = state_rows_end(r, &e) && n > 0 && a->home_net[n - 1] == ']';
    if (!whole || span_ends(span_str(a->home_net), SPAN("=[]")))
        return;
    child_arg(&a->args, "--set");
    child_arg(&a->args, a->home_net);
}

void sensor_args_common(const struct jobs *j, const char *name, struct sensor_args *a)
{
    *a = (struct sensor_args){0};
    snprintf(a->socket, sizeof(a->socket), "daizong.node=%s/sensor.sock", j->conf.data_dir);
    snprintf(a->name, sizeof(a->name), "sensor-name=%s", name);
    snprintf(a->log_dir, sizeof(a->log_dir), "%s/run", j->conf.data_dir);
    child_arg(&a->args, j->sensor_program);
    child_arg(&a->args, "--set");
    child_arg(&a->args, a->socket);
    child_arg(&a->args, "--set");
    child_arg(&a->args, a->name);
    child_arg(&a->args, "-l");
    child_arg(&a->args, a->log_dir);
    add_home_net(j, a);
    if (j->conf.rules)
        add_rules(a, j->conf.rules);
}

/* The lock is held. */
static void start(struct jobs *j, struct live *l)
{
    struct err e;
    struct sensor_args a;
    sensor_args_common(j, l->name, &a);
    a.args.captures = true;
    child_arg(&a.args, "-i");
    child_arg(&a.args, l->interface);
    if (l->filter[0])
        child_arg(&a.args, l->filter);
    l->started_ns = clock_mono_ns();
    if (child_start(&l->child, &a.args, &e)) {
        log_notice("sensor %s: watching %s", l->name, l->interface);
        return;
    }
    log_error("sensor %s: %s", l->name, e.text);
    l->child.ended = true;
}

/* The lock is held. */
static void ended(struct live *l)
{
    uint64_t now = clock_mono_ns();
    if (l->again_ns)
        return;
    if (now - l->started_ns > (uint64_t)HEALTHY_S * NS_PER_S || !l->wait_ms)
        l->wait_ms = WAIT_MIN_MS;
    else if (l->wait_ms < WAIT_MAX_MS)
        l->wait_ms *= 2;
    l->again_ns = now + (uint64_t)l->wait_ms * NS_PER_MS;
    log_warn("sensor %s has ended%s%s; it is started again", l->name, l->child.words[0] ? ": " : "",
             l->child.words);
}

void *live_main(void *cls)
{
    struct jobs *j = cls;
    pthread_setname_np(pthread_self(), "live");
    pthread_mutex_lock(&j->lock);
    while (!j->stopping) {
        for (size_t i = 0; i < LIVE_MAX; i++) {
            struct live *l = &j->live[i];
            if (!l->used || child_poll(&l->child, 0))
                continue;
            if (l->stopping) {
                *l = (struct live){0};
                continue;
            }
            ended(l);
            if (clock_mono_ns() < l->again_ns)
                continue;
            l->again_ns = 0;
            start(j, l);
        }
        pthread_mutex_unlock(&j->lock);
        struct timespec nap = {.tv_nsec = 100 * NS_PER_MS};
        nanosleep(&nap, NULL);
        pthread_mutex_lock(&j->lock);
    }
    for (size_t i = 0; i < LIVE_MAX; i++)
        if (j->live[i].used)
            child_stop(&j->live[i].child, GRACE_MS);
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

bool jobs_capture_start(void *ctx, struct span interface, struct span filter,
                        char sensor[NAME_MAX_BYTES + 1], struct err *e)
{
    struct jobs *j = ctx;
    char name[IF_NAMESIZE];
    span_copy(interface, name, sizeof(name));
    if (interface.n >= sizeof(name) || if_nametoindex(name) == 0)
        return err_set(e, ERR_NOT_FOUND, "there is no interface %.*s",
                       (int)min_size(interface.n, 60), interface.p);
    if (filter.n >= sizeof(j->live[0].filter) || (filter.n && filter.p[0] == '-'))
        return err_set(e, ERR_INVALID, "the filter is not one or too long");
    if (!link_name_valid(interface))
        return err_set(e, ERR_INVALID, "the interface's name cannot name a sensor");
    struct live *free_one = NULL;
    bool ok = true;
    pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < LIVE_MAX && ok; i++) {
        struct live *l = &j->live[i];
        if (!l->used && !free_one)
            free_one = l;
        if (l->used && strcmp(l->interface, name) == 0)
            ok = err_set(e, ERR_CONFLICT, "%s is watched already", name);
    }
    if (ok && !free_one)
        ok = err_set(e, ERR_CONFLICT, "%d interfaces are watched already", LIVE_MAX);
    if (ok) {
        *free_one = (struct live){.used = true};
        snprintf(free_one->name, sizeof(free_one->name), "%s", name);
        snprintf(free_one->interface, sizeof(free_one->interface), "%s", name);
        span_copy(filter, free_one->filter, sizeof(free_one->filter));
        snprintf(sensor, NAME_MAX_BYTES + 1, "%s", free_one->name);
        start(j, free_one);
        if (!free_one->child.pid) {
            *free_one = (struct live){0};
            ok = err_set(e, ERR_UNAVAILABLE, "%s cannot be started", j->sensor_program);
        }
    }
    pthread_mutex_unlock(&j->lock);
    return ok;
}

unsigned jobs_live(struct jobs *j)
{
    unsigned n = 0;
    pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < LIVE_MAX; i++)
        n += j->live[i].used && !j->live[i].stopping;
    pthread_mutex_unlock(&j->lock);
    return n;
}

bool jobs_capture_stop(void *ctx, struct span sensor, struct err *e)
{
    struct jobs *j = ctx;
    bool found = false;
    pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < LIVE_MAX; i++) {
        struct live *l = &j->live[i];
        if (!l->used || !span_eq(span_str(l->name), sensor))
            continue;
        found = true;
        l->stopping = true;
        child_stop(&l->child, GRACE_MS);
    }
    pthread_mutex_unlock(&j->lock);
    return found || err_set(e, ERR_NOT_FOUND, "there is no local live sensor %.*s",
                            (int)min_size(sensor.n, 60), sensor.p);
}
