/* SPDX-License-Identifier: Apache-2.0 */
/* Where events go: whole JSON lines, in batches, to a file, a Unix socket or the node. One struct
 * of functions per kind; a kind is one file and one line in outputs.def. Outputs may be written to
 * by several workers: each locks for itself. What cannot be delivered is counted, never silent. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct output_conf {
    const char *kind; /* "file", "socket", "link" */
    const char *path; /* file or socket; "-" is standard output */
    bool datagram;    /* socket: one line per datagram */
    bool append;      /* file */
    bool lossless;    /* a full queue makes the writer wait (replay) instead of counting a loss */
    uint64_t rotate_bytes;
    uint32_t rotate_s;
    const char *sensor, *unit, *source, *program; /* link: who is speaking */
    const char *token, *ca_file;                  /* link: to a node elsewhere */
    uint64_t stream; /* link: id of a run of numbers that is the same each time; 0: random */
};

struct output_stats {
    uint64_t events, bytes, lost_events, acknowledged, reconnects;
};

struct output;

struct output_kind {
    const char *name;
    bool (*open)(struct output *o, struct err *e);
    /* Whole lines; n_events of them. */
    void (*write)(struct output *o, struct span lines, uint64_t n_events);
    /* Puts out what is held back; may be called at any time. */
    void (*flush)(struct output *o);
    /* SIGHUP: opens the file anew under its name. May be NULL. */
    void (*reopen)(struct output *o);
    /* Delivers the rest (bounded in time) and closes. False: something could not be delivered. */
    bool (*close)(struct output *o, struct err *e);
};

bool output_open(const struct output_conf *conf, struct output **ret, struct err *e);
void output_write(struct output *o, struct span lines, uint64_t n_events);
void output_flush(struct output *o);
void output_reopen(struct output *o);
void output_stats(struct output *o, struct output_stats *ret);
bool output_close(struct output *o, struct err *e);
