/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to the node: over its Unix socket, TCP, or TLS over TCP with the node's certificate
 * checked. What needs files is read when the dialler is opened, before the process confines itself.
 * Belongs to one thread. */
#pragma once

#include "base/err.h"

#include <sys/types.h>

struct dial;

/* address: a socket's path, "tcp://HOST:PORT" or "tls://HOST:PORT" (port 8601 when left out);
 * ca_file: PEM of the authorities for tls, "" for the system's. ERR_CONFIG when either is wrong. */
bool dial_open(const char *address, const char *ca_file, struct dial **ret,
               struct err *e) MUST_CHECK;
void dial_close(struct dial *d);
/* Connects, at most 10 s, handshake included. ERR_UNAVAILABLE, or ERR_DENIED for a certificate that
 * is not to be trusted. */
bool dial_connect(struct dial *d, struct err *e) MUST_CHECK;
void dial_hang_up(struct dial *d);
/* The connected socket, to wait on; -1 when there is none. */
int dial_fd(const struct dial *d);
/* As recv and send on a non-blocking socket: -1 with errno EAGAIN when it has to wait, 0 from
 * dial_read at the end. */
ssize_t dial_read(struct dial *d, void *p, size_t cap);
ssize_t dial_write(struct dial *d, const void *p, size_t n);
