/* SPDX-License-Identifier: Apache-2.0 */
/* What node/intake.c and node/follow.c share. */
#pragma once

#include "node/intake.h"

#include <pthread.h>
#include <stdatomic.h>

struct link;
struct follow;
struct eve_socket;
struct tls;

enum { LINKS = 256 };

/* The user of an ingest source; lives as long as the intake. */
struct source {
    struct ingest_source *src;
    struct sensor *sensor;
    struct link *link; /* who gets acknowledgements; under the intake's lock */
    bool done;
    struct source *next;
};

struct intake {
    struct intake_conf conf;
    struct sensors *sensors;
    struct ingest *ingest;
    struct stream_hub *hub;
    int local_fd, tcp_fd, wake;
    struct tls *tls; /* NULL: plain TCP */
    pthread_t thread;
    bool running;
    atomic_bool stopping;
    pthread_mutex_t lock;
    struct source *sources;
    struct link *links; /* the accept thread's */
    unsigned links_n;
    int handed[LINKS]; /* plain sides of TLS connections for the accept thread; under the lock */
    unsigned handed_n;
    struct follow *follows;
    struct eve_socket *eve_sockets;
};

/* Announces the sensor and finds its source. NULL: too many. */
struct source *source_get(struct intake *in, const struct sensor_hello *hello, uint64_t stream,
                          uint64_t *next_seq);
/* Waits while the spool is full; false: the node stops. */
bool source_line(struct intake *in, struct source *s, uint64_t seq, struct span line);
void follow_stop_all(struct intake *in);
void eve_socket_stop_all(struct intake *in);
