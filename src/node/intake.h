/* SPDX-License-Identifier: Apache-2.0 */
/* Where events come in: sensors over their link (a Unix socket in the data folder and, when asked,
 * a TCP address with a token, in TLS if there is a certificate), and EVE files and sockets of any
 * Suricata. All end in the store's ingest, which says what is durable; acknowledgements go back
 * from there. */
#pragma once

#include "node/sensors.h"
#include "store/ingest.h"

struct intake;

struct intake_conf {
    struct accounts *accounts;
    const char *unix_path;
    const char *tcp_address; /* NULL: none */
    const char *certificate; /* PEM: sensors elsewhere must speak TLS; NULL: plain TCP */
    const char *key;         /* NULL: in the certificate's file */
};

/* Opens the sockets and starts no thread: what has threads of its own comes with intake_run. */
struct intake *intake_open(const struct intake_conf *conf, struct err *e) MUST_CHECK;
bool intake_run(struct intake *in, struct sensors *sensors, struct ingest *ingest,
                struct stream_hub *hub, struct err *e) MUST_CHECK;
/* Says goodbye to the sensors and ends the threads; ingest must still be open. */
void intake_stop(struct intake *in);
void intake_close(struct intake *in);

/* For struct ingest_conf; ctx is the intake. */
void intake_durable(void *ctx, struct ingest_source *src, uint64_t seq);
void intake_event(void *ctx, struct ingest_source *src, uint64_t seq, int64_t timestamp_us,
                  struct span line);

/* Follows an EVE file from where it was left, across renaming and truncation, as sensor `name`. */
bool intake_follow(struct intake *in, const char *path, const char *name, struct err *e) MUST_CHECK;
/* Listens on a Unix socket that a Suricata writes EVE lines or datagrams to, as sensor `name`. */
bool intake_eve_socket(struct intake *in, const char *path, const char *name, bool datagram,
                       struct err *e) MUST_CHECK;
/* Reads an EVE file once, blocking; progress (0..1) may be read by other threads. */
struct intake_file {
    const char *path, *name;
    uint64_t stream; /* the same for the same reading: what was taken is passed over */
    _Atomic bool *stop;
    _Atomic uint64_t *progress_ppm;
    uint64_t events;
};
bool intake_read(struct intake *in, struct intake_file *file, struct err *e) MUST_CHECK;
