/* SPDX-License-Identifier: Apache-2.0 */
/* The node's API: who is calling, may they, what is asked, and the parts of the node that answers
 * need. The node fills in struct api_conf; what only the node can do (start a sensor) it offers as
 * hooks, so that api/ knows nothing of processes. */
#pragma once

#include "api/route.h"
#include "store/ingest.h"
#include "store/supervise.h"

enum { JOB_ID_TEXT = 33, JOB_LIST = 64 };

/* Jobs that one call started, in the order in which they run. */
struct job_list {
    char id[JOB_LIST][JOB_ID_TEXT], name[JOB_LIST][256];
    size_t n;
};

struct api_rates {
    double packets_per_s, bits_per_s, events_per_s;
};

/* Why a changed setting is not in effect yet; "" when it is. */
struct api_pending {
    char retention_days[200], home_net[200];
};

struct api_hooks {
    void *ctx;
    /* Replays a capture file; *id gets the job's id. `owned`: the node deletes the file when it is
     * over its ceiling of kept captures. */
    bool (*replay)(void *ctx, const char *path, const char *name, const char *by,
                   char id[JOB_ID_TEXT], struct err *e);
    bool (*demo)(void *ctx, const char *by, struct job_list *ret, struct err *e);
    bool (*capture_start)(void *ctx, struct span interface, struct span filter,
                          char sensor[NAME_MAX_BYTES + 1], struct err *e);
    bool (*capture_stop)(void *ctx, struct span sensor, struct err *e);
    /* What this sensor does now; false when nothing is known. */
    bool (*rates)(void *ctx, const char *sensor, struct api_rates *ret);
    /* Settings have changed: puts them into effect, and says which wait for what. */
    void (*settings)(void *ctx, struct api_pending *ret);
};

struct api_conf {
    struct state *state;
    struct accounts *accounts;
    struct store *store;
    struct ingest *ingest;
    struct supervise *supervise; /* NULL: a ClickHouse server is configured */
    const char *data_dir;
    const char *captures_dir; /* uploads go there */
    const char *hosts;        /* further host names the node answers to, separated by commas */
    const char *rules;        /* rule files or folders, separated by ':', for looking up rules */
    uint64_t upload_max_bytes;
    struct api_hooks hooks;
};

struct stream_hub;

struct api {
    struct api_conf conf;
    struct httpd *http;
    struct stream_hub *hub;
    uint64_t started_ns;
    char machine[256]; /* this machine's name, a permitted host */
    /* api/figures.c's: what is looked at seldom */
    uint64_t folder_at_ns, folder_bytes, rate_at_ns, rate_lines;
    double rate;
};

struct api *api_open(const struct api_conf *conf, struct err *e) MUST_CHECK;
/* Starts the HTTP server's threads; connections come through listener_run(l, api->http). */
bool api_run(struct api *a, const struct httpd_config *config, struct err *e) MUST_CHECK;
/* Stops answering. */
void api_stop(struct api *a);
void api_close(struct api *a);

/* May the person do what needs this role? */
static inline bool person_may(const struct person *p, enum role role)
{
    return p->role >= role;
}
