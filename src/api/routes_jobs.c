/* SPDX-License-Identifier: Apache-2.0 */
/* Captures that people bring, live captures, the demo, and the jobs they become. */
#include "api/ask.h"
#include "api/handlers.h"
#include "base/jw.h"
#include "base/must.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

static void job_accepted(struct api_call *c, const char *id)
{
    jw_open(c->out, '{');
    jw_key(c->out, "job");
    jw_open(c->out, '{');
    jw_member_text(c->out, "id", id);
    jw_close(c->out, '}');
    jw_close(c->out, '}');
}

/* A file name without folders and odd characters; it only ever names a kept file. */
static void safe_name(struct span given, char *to, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < given.n && n + 1 < cap; i++) {
        uint8_t b = given.p[i];
        bool plain = ascii_is_alpha(b) || ascii_is_digit(b) || b == '-' || b == '_';
        bool dot = b == '.' && n > 0;
        to[n++] = (char)(plain || dot ? b : '_');
    }
    to[n] = '\0';
    if (n == 0)
        snprintf(to, cap, "capture");
}

void captures_run(struct api_call *c)
{
    char name[128], path[4096], id[JOB_ID_TEXT];
    struct err e;
    const struct api_hooks *hooks = &c->api->conf.hooks;
    safe_name(call_arg(c, "name")->s, name, sizeof(name));
    struct span part = span_str(c->rq->body_file);
    snprintf(path, sizeof(path), "%.*s-%s", (int)(part.n - 5), c->rq->body_file, name);
    if (c->rq->body_bytes == 0) {
        unlink(c->rq->body_file);
        answer_error(c, 422, "invalid", "send the capture file as the body", "the body is empty");
        return;
    }
    if (rename(c->rq->body_file, path) != 0) {
        err_set(&e, ERR_IO, "%s: %m", path);
        unlink(c->rq->body_file);
        answer_err(c, &e);
        return;
    }
    if (hooks->replay(hooks->ctx, path, name, c->who.name, id, &e))
        job_accepted(c, id);
    else
        answer_err(c, &e);
}

void demo_run(struct api_call *c)
{
    struct err e;
    const struct api_hooks *hooks = &c->api->conf.hooks;
    struct job_list *jobs = arena_zero(&c->rq->arena, sizeof(*jobs));
    must(jobs != NULL);
    if (!hooks->demo(hooks->ctx, c->who.name, jobs, &e)) {
        answer_err(c, &e);
        return;
    }
    jw_open(c->out, '{');
    jw_key(c->out, "jobs");
    jw_open(c->out, '[');
    for (size_t i = 0; i < jobs->n; i++) {
        jw_open(c->out, '{');
        jw_member_text(c->out, "id", jobs->id[i]);
        jw_member_text(c->out, "name", jobs->name[i]);
        jw_close(c->out, '}');
    }
    jw_close(c->out, ']');
    jw_key(c->out, "job"); /* the one that ends last */
    jw_open(c->out, '{');
    jw_member_text(c->out, "id", jobs->id[jobs->n - 1]);
    jw_close(c->out, '}');
    jw_close(c->out, '}');
}

void capture_start_run(struct api_call *c)
{
    char sensor[NAME_MAX_BYTES + 1];
    struct err e;
    const struct api_hooks *hooks = &c->api->conf.hooks;
    if (!hooks->capture_start(hooks->ctx, call_body(c, "interface")->s, call_body(c, "filter")->s,
                              sensor, &e)) {
        answer_err(c, &e);
        return;
    }
    jw_open(c->out, '{');
    jw_member_text(c->out, "sensor", sensor);
    jw_close(c->out, '}');
}

void capture_stop_run(struct api_call *c)
{
    struct err e;
    const struct api_hooks *hooks = &c->api->conf.hooks;
    if (!hooks->capture_stop(hooks->ctx, call_body(c, "sensor")->s, &e)) {
        answer_err(c, &e);
        return;
    }
    jw_open(c->out, '{');
    jw_member_span(c->out, "sensor", call_body(c, "sensor")->s);
    jw_close(c->out, '}');
}

static void job_object(struct buf *b, struct state_rows *r)
{
    jw_open(b, '{');
    jw_member_span(b, "id", state_col_text(r, 0));
    jw_member_span(b, "kind", state_col_text(r, 1));
    jw_member_span(b, "name", state_col_text(r, 2));
    jw_member_span(b, "state", state_col_text(r, 3));
    jw_key(b, "progress");
    jw_double(b, state_col_real(r, 4));
    jw_member_span(b, "detail", state_col_text(r, 5));
    jw_member_uint(b, "events", (uint64_t)state_col_int(r, 6));
    jw_member_uint(b, "alerts", (uint64_t)state_col_int(r, 7));
    if (!state_col_null(r, 8))
        jw_member_span(b, "error", state_col_text(r, 8));
    jw_member_span(b, "by", state_col_text(r, 9));
    jw_key(b, "created");
    time_json(b, (uint64_t)state_col_int(r, 10));
    for (int i = 0; i < 2; i++) {
        jw_key(b, i == 0 ? "first" : "last");
        if (state_col_null(r, 11 + i))
            jw_null(b);
        else
            time_json(b, (uint64_t)state_col_int(r, 11 + i));
    }
    jw_close(b, '}');
}

#define JOB_COLUMNS                                                                                \
    "id, kind, name, state, progress, detail, events, alerts, error, created_by, created_ns, "     \
    "first_ns, last_ns"

void jobs_run(struct api_call *c)
{
    struct state_rows *r;
    struct err e;
    if (!state_query(c->api->conf.state,
                     "SELECT " JOB_COLUMNS
                     " FROM jobs ORDER BY created_ns DESC, rowid DESC LIMIT ?1",
                     STATE_ARGS(state_int((int64_t)call_arg(c, "limit")->u)), &r, &e)) {
        answer_err(c, &e);
        return;
    }
    jw_open(c->out, '{');
    jw_key(c->out, "jobs");
    jw_open(c->out, '[');
    while (state_rows_next(r))
        job_object(c->out, r);
    jw_close(c->out, ']');
    jw_close(c->out, '}');
    if (!state_rows_end(r, &e))
        answer_err(c, &e);
}

void job_run(struct api_call *c)
{
    struct state_rows *r;
    struct err e;
    bool found = false;
    if (!state_query(c->api->conf.state, "SELECT " JOB_COLUMNS " FROM jobs WHERE id = ?1",
                     STATE_ARGS(state_text(call_path(c, "id"))), &r, &e)) {
        answer_err(c, &e);
        return;
    }
    if (state_rows_next(r)) {
        job_object(c->out, r);
        found = true;
    }
    if (!state_rows_end(r, &e))
        answer_err(c, &e);
    else if (!found)
        answer_error(c, 404, "not_found", "see /api/v1/jobs", "there is no such job");
}

/* --- interfaces --- */

static uint64_t sys_number(const char *interface, const char *file)
{
    char path[256];
    long long v = 0;
    snprintf(path, sizeof(path), "/sys/class/net/%s/%s", interface, file);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%lld", &v) != 1 || v < 0)
        v = 0;
    fclose(f);
    return (uint64_t)v;
}

static void address_of(const struct ifaddrs *all, const char *name, char *text, size_t cap)
{
    text[0] = '\0';
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        if (!a->ifa_addr || strcmp(a->ifa_name, name) != 0)
            continue;
        if (a->ifa_addr->sa_family == AF_INET) {
            const struct sockaddr_in *in = (const void *)a->ifa_addr;
            inet_ntop(AF_INET, &in->sin_addr, text, (socklen_t)cap);
            return;
        }
        if (a->ifa_addr->sa_family == AF_INET6 && !text[0]) {
            const struct sockaddr_in6 *in = (const void *)a->ifa_addr;
            inet_ntop(AF_INET6, &in->sin6_addr, text, (socklen_t)cap);
        }
    }
}

void interfaces_run(struct api_call *c)
{
    struct ifaddrs *all = NULL;
    struct buf *b = c->out;
    char address[64];
    if (getifaddrs(&all) != 0)
        all = NULL;
    jw_open(b, '{');
    jw_key(b, "interfaces");
    jw_open(b, '[');
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        bool first = true; /* one row an interface, whatever its addresses */
        for (const struct ifaddrs *x = all; x != a; x = x->ifa_next)
            first &= strcmp(x->ifa_name, a->ifa_name) != 0;
        if (!first)
            continue;
        address_of(all, a->ifa_name, address, sizeof(address));
        jw_open(b, '{');
        jw_member_text(b, "name", a->ifa_name);
        jw_member_bool(b, "up", (a->ifa_flags & IFF_UP) && (a->ifa_flags & IFF_RUNNING));
        jw_member_text(b, "address", address);
        jw_member_uint(b, "speed_mbit", sys_number(a->ifa_name, "speed"));
        jw_member_uint(b, "packets", sys_number(a->ifa_name, "statistics/rx_packets"));
        jw_close(b, '}');
    }
    jw_close(b, ']');
    jw_close(b, '}');
    if (all)
        freeifaddrs(all);
}
