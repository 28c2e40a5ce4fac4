/* SPDX-License-Identifier: Apache-2.0 */
/* What node/jobs.c and node/live.c share. */
#pragma once

#include "node/child.h"
#include "node/jobs.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LIVE_MAX = 16, RULE_FILES = 24, HOME_NET_MAX = 16384 };

/* A local sensor on an interface; started again when it dies. */
struct live {
    bool used, stopping;
    char name[NAME_MAX_BYTES + 1], interface[64], filter[1024];
    struct child child;
    uint64_t started_ns, again_ns;
    unsigned wait_ms;
};

struct jobs {
    struct jobs_conf conf;
    char sensor_program[4096];
    pthread_mutex_t lock;
    pthread_cond_t news;
    pthread_t runner, watcher;
    bool running, watching;
    atomic_bool stopping;
    struct live live[LIVE_MAX];
};

/* Texts that a sensor's arguments point to. */
struct sensor_args {
    struct child_args args;
    char socket[4096 + 32], name[NAME_MAX_BYTES + 32], log_dir[4096 + 32];
    char home_net[HOME_NET_MAX];
    char rules[RULE_FILES][4096];
    unsigned rules_n;
};

/* The arguments that every local sensor has. */
void sensor_args_common(const struct jobs *j, const char *name, struct sensor_args *a);
void *live_main(void *cls);
