/* SPDX-License-Identifier: Apache-2.0 */
/* How the node is. */
#include "cli/client.h"
#include "cli/run.h"

static void row(struct span health, const char *title, const char *path, const char *unit)
{
    struct buf b = buf_new(1024);
    if (json_text_at(health, path, &b))
        printf("%-14s %s%s\n", title, buf_cstr(&b), unit);
    buf_free(&b);
}

bool cmd_status(struct cli *c, struct err *e)
{
    struct buf out = buf_new(1 << 20), status = buf_new(64);
    struct client_request rq = {.method = "GET", .path = "/api/v1/health"};
    bool ok = client_call(c, &rq, &out, e);
    if (ok && c->json) {
        printf("%s\n", buf_cstr(&out));
    } else if (ok) {
        struct span h = buf_span(&out);
        row(h, "status", "status", "");
        row(h, "version", "version", "");
        row(h, "up", "uptime_s", " s");
        row(h, "store", "store.state", "");
        row(h, "store says", "store.detail", "");
        row(h, "restarts", "store.restarts", "");
        row(h, "events/s", "ingest.events_per_s", "");
        row(h, "waiting", "ingest.queued", " events");
        row(h, "last event", "ingest.last_event", "");
        row(h, "quarantined", "ingest.quarantined", " events");
        row(h, "data", "disk.data_bytes", " bytes");
        row(h, "free", "disk.free_bytes", " bytes");
    }
    if (ok) {
        json_text_at(buf_span(&out), "status", &status);
        if (strcmp(buf_cstr(&status), "starting") == 0)
            ok = err_set(e, ERR_BUSY, "the node is starting: its store is not there yet");
        if (strcmp(buf_cstr(&status), "down") == 0)
            ok = err_set(e, ERR_UNAVAILABLE,
                         "the node is down: its store does not answer (see \"store says\")");
    }
    buf_free(&out);
    buf_free(&status);
    return ok;
}

bool cmd_version(struct cli *c, struct err *e)
{
    (void)e;
    printf(c->json ? "{\"version\":\"%s\"}\n" : "daizong %s\n", DAIZONG_VERSION);
    return true;
}
