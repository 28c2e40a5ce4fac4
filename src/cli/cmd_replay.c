/* SPDX-License-Identifier: Apache-2.0 */
/* Replaying captures: each file is sent to the node, then its job is watched, with a bar on a
 * terminal and a line each otherwise, and a table at the end. */
#include "base/clock.h"
#include "base/jw.h"
#include "cli/client.h"
#include "cli/run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POLL_MS = 200, BAR = 30 };

struct bar {
    bool shown;
    const char *name;
    uint64_t bytes, total;
};

static void draw(const struct bar *b, const char *what, double part, const char *detail)
{
    char text[BAR + 1];
    if (!b->shown)
        return;
    int full = (int)(part * BAR);
    for (int i = 0; i < BAR; i++)
        text[i] = i < full ? '#' : '.';
    text[BAR] = '\0';
    fprintf(stderr, "\r\033[K%-28.28s [%s] %3.0f%% %s %s", b->name, text, part * 100, what, detail);
}

static void sent(void *ctx, uint64_t bytes)
{
    struct bar *b = ctx;
    if (bytes - b->bytes < (4u << 20) && bytes != b->total)
        return;
    b->bytes = bytes;
    draw(b, "sending", b->total ? (double)bytes / (double)b->total : 1, "");
}

struct result {
    const char *name;
    uint64_t events, alerts;
    bool ok;
    char error[300], first[CLOCK_TEXT], last[CLOCK_TEXT]; /* of its events, "": none */
};

static void text_of(struct span job, const char *member, char *to, size_t cap)
{
    struct buf b = buf_new(cap);
    if (json_text_at(job, member, &b))
        span_copy(buf_span(&b), to, cap);
    buf_free(&b);
}

static bool watch(struct cli *c, const char *id, struct bar *bar, struct result *r, struct err *e)
{
    char path[128];
    snprintf(path, sizeof(path), "/api/v1/jobs/%.40s", id);
    for (;;) {
        struct buf out = buf_new(1 << 20), state = buf_new(32), detail = buf_new(300);
        struct client_request rq = {.method = "GET", .path = path};
        double part = 0;
        bool ok = client_call(c, &rq, &out, e);
        if (ok) {
            struct span job = buf_span(&out);
            json_text_at(job, "state", &state);
            json_text_at(job, "detail", &detail);
            json_double_at(job, "progress", &part);
            json_uint_at(job, "events", &r->events);
            json_uint_at(job, "alerts", &r->alerts);
            text_of(job, "error", r->error, sizeof(r->error));
            text_of(job, "first", r->first, sizeof(r->first));
            text_of(job, "last", r->last, sizeof(r->last));
            draw(bar, buf_cstr(&state), part, buf_cstr(&detail));
        }
        bool done = strcmp(buf_cstr(&state), "done") == 0;
        bool failed = strcmp(buf_cstr(&state), "failed") == 0;
        buf_free(&out);
        buf_free(&state);
        buf_free(&detail);
        if (!ok || done || failed) {
            r->ok = done;
            return ok;
        }
        usleep(POLL_MS * 1000);
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool start(struct cli *c, const char *file, struct bar *bar, struct buf *id, struct err *e)
{
    struct stat st;
    struct buf path = buf_new(4096), out = buf_new(1 << 20);
    struct client_request rq = {.method = "POST", .sent = sent, .ctx = bar};
    buf_str(&path, "/api/v1/captures?name=");
    client_escape(&path, base_name(file));
    rq.path = buf_cstr(&path);
    rq.file = open(file, O_RDONLY | O_CLOEXEC);
    bool ok = rq.file >= 0 || err_set(e, ERR_NOT_FOUND, "%s: %m", file);
    if (ok && (fstat(rq.file, &st) != 0 || !S_ISREG(st.st_mode)))
        ok = err_set(e, ERR_USAGE, "%s is not a file", file);
    if (ok) {
        rq.file_bytes = bar->total = (uint64_t)st.st_size;
        ok = client_call(c, &rq, &out, e);
    }
    if (ok && !json_text_at(buf_span(&out), "job.id", id))
        ok = err_set(e, ERR_PROTOCOL, "the node's answer names no job");
    if (rq.file >= 0)
        close(rq.file);
    buf_free(&path);
    buf_free(&out);
    return ok;
}

static void print_result(const struct cli *c, const struct result *r)
{
    if (c->json) {
        struct buf b = buf_new(4096);
        jw_open(&b, '{');
        jw_member_text(&b, "file", r->name);
        jw_member_text(&b, "state", r->ok ? "done" : "failed");
        jw_member_uint(&b, "events", r->events);
        jw_member_uint(&b, "alerts", r->alerts);
        if (r->first[0]) {
            jw_member_text(&b, "first", r->first);
            jw_member_text(&b, "last", r->last);
        }
        if (!r->ok)
            jw_member_text(&b, "error", r->error);
        jw_close(&b, '}');
        printf("%s\n", buf_cstr(&b));
        buf_free(&b);
        return;
    }
    printf("%-40s %10llu events %8llu alerts", r->name, (unsigned long long)r->events,
           (unsigned long long)r->alerts);
    if (r->first[0]) /* as --from and --to of daizong query take them, to the second */
        printf("  %.19sZ to %.19sZ", r->first, r->last);
    printf("%s%s\n", r->ok ? "" : "  failed: ", r->error);
}

static bool replay_demo(struct cli *c, struct err *e)
{
    struct buf out = buf_new(1 << 20);
    struct client_request rq = {.method = "POST", .path = "/api/v1/demo"};
    unsigned failed = 0, all = 0;
    bool ok = client_call(c, &rq, &out, e);
    while (ok && !c->given[OPT_NO_WAIT]) {
        char path[32], id[64] = "", name[256] = "";
        snprintf(path, sizeof(path), "jobs.%u.id", all);
        text_of(buf_span(&out), path, id, sizeof(id));
        snprintf(path, sizeof(path), "jobs.%u.name", all);
        text_of(buf_span(&out), path, name, sizeof(name));
        if (!id[0])
            break;
        struct bar bar = {.shown = isatty(2) && !c->given[OPT_QUIET] && !c->json, .name = name};
        struct result r = {.name = name};
        ok = watch(c, id, &bar, &r, e);
        if (bar.shown)
            fprintf(stderr, "\r\033[K");
        if (ok)
            print_result(c, &r);
        failed += ok && !r.ok;
        all++;
    }
    buf_free(&out);
    if (!ok)
        return false;
    return !failed ||
           err_set(e, ERR_INVALID, "%u of %u captures failed: see the lines above", failed, all);
}

bool cmd_replay(struct cli *c, struct err *e)
{
    unsigned failed = 0;
    if (c->given[OPT_DEMO])
        return replay_demo(c, e);
    if (c->args_n == 0)
        return err_set(e, ERR_USAGE, "daizong replay needs FILE... or --demo");
    for (unsigned i = 0; i < c->args_n; i++) {
        struct bar bar = {.shown = isatty(2) && !c->given[OPT_QUIET] && !c->json,
                          .name = base_name(c->args[i])};
        struct result r = {.name = bar.name};
        struct buf id = buf_new(64);
        bool ok = start(c, c->args[i], &bar, &id, e);
        if (ok && !c->given[OPT_NO_WAIT])
            ok = watch(c, buf_cstr(&id), &bar, &r, e);
        if (bar.shown)
            fprintf(stderr, "\r\033[K");
        buf_free(&id);
        if (!ok)
            return false;
        if (c->given[OPT_NO_WAIT])
            continue;
        if (!r.ok && c->args_n == 1 && !c->json)
            return err_set(e, ERR_INVALID, "%s: %s (kept: %llu events, %llu alerts)", r.name,
                           r.error, (unsigned long long)r.events, (unsigned long long)r.alerts);
        print_result(c, &r);
        failed += !r.ok;
    }
    return !failed || err_set(e, ERR_INVALID, "%u of %u files failed", failed, c->args_n);
}
