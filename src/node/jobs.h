/* SPDX-License-Identifier: Apache-2.0 */
/* Long work that people start: replaying captures (one after the other) through daizong-sensor, or
 * reading EVE files; and the local live sensors. Jobs stand in the state, so that they are seen
 * after a restart. One that was running when the node ended goes on then: the same events come
 * under the same numbers of the same stream, and those that are durable are not taken twice. A job
 * is done when queries find its events; then its row tells what the store holds of them. */
#pragma once

#include "node/intake.h"

struct jobs;

struct jobs_conf {
    struct state *state;
    struct sensors *sensors;
    struct intake *intake;
    struct ingest *ingest;
    struct store *store;
    struct stream_hub *hub;
    const char *sensor_program; /* NULL: beside this program */
    const char *data_dir;
    const char *captures_dir;
    const char *demo_dir; /* NULL: none */
    const char *rules;    /* files or folders separated by ':'; NULL: none */
    uint64_t captures_max_bytes;
};

bool jobs_open(const struct jobs_conf *conf, struct jobs **ret, struct err *e) MUST_CHECK;
void jobs_close(struct jobs *j);

/* For struct api_hooks; ctx is the jobs. */
bool jobs_replay(void *ctx, const char *path, const char *name, const char *by,
                 char id[JOB_ID_TEXT], struct err *e);
bool jobs_demo(void *ctx, const char *by, struct job_list *ret, struct err *e);
bool jobs_capture_start(void *ctx, struct span interface, struct span filter,
                        char sensor[NAME_MAX_BYTES + 1], struct err *e);
bool jobs_capture_stop(void *ctx, struct span sensor, struct err *e);
/* How many local sensors watch an interface. */
unsigned jobs_live(struct jobs *j);
