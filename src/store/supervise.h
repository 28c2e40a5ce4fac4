/* SPDX-License-Identifier: Apache-2.0 */
/* Starts daizong-store, watches it, starts it again when it dies (waiting 0.1 s, doubling to 10 s;
 * a minute of health resets the wait), and ends it with the node (PR_SET_PDEATHSIG). Its last line
 * on standard error is kept: it is the reason a person sees when the store keeps dying. */
#pragma once

#include "base/err.h"

struct supervise;

struct supervise_conf {
    const char *program;  /* path of daizong-store; NULL: beside this program */
    const char *library;  /* path of libchdb.so; NULL: daizong-store looks for it */
    const char *data_dir; /* the node's data folder: the store uses data_dir/store, store.sock */
    const char *listen;   /* loopback address for reading clients, "127.0.0.1:8123"; NULL: none */
    /* State changed: called from the watching thread. May be NULL. */
    void (*changed)(void *ctx);
    void *ctx;
};

enum supervise_state { SUPERVISE_STARTING, SUPERVISE_READY, SUPERVISE_DOWN };

struct supervise_status {
    enum supervise_state state;
    int pid; /* 0: not running */
    unsigned restarts;
    char detail[256]; /* one line: why it is down or was last */
};

bool supervise_start(const struct supervise_conf *conf, struct supervise **ret,
                     struct err *e) MUST_CHECK;
void supervise_get(struct supervise *s, struct supervise_status *ret);
/* SIGTERM, then SIGKILL after 10 s; returns when the process is gone. */
void supervise_stop(struct supervise *s);
