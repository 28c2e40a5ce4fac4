/* SPDX-License-Identifier: Apache-2.0 */
/* The doors of the node: a TCP address, with TLS when a certificate is given, and a Unix socket in
 * the data folder. One thread accepts and hands sockets to the HTTP server. */
#pragma once

#include "api/httpd.h"
#include "api/tls.h"

struct listener;

struct listen_config {
    const char *address;     /* "127.0.0.1:8600", "[::1]:8600", ":8600"; NULL: none */
    const char *unix_path;   /* NULL: none */
    const char *certificate; /* PEM with chain; NULL: plain HTTP */
    const char *key;
};

/* Binds and listens but does not accept yet: so that a port in use is known before anything else
 * starts. */
struct listener *listener_open(const struct listen_config *config, struct err *e) MUST_CHECK;
/* Starts accepting for this server. */
bool listener_run(struct listener *l, struct httpd *h, struct err *e) MUST_CHECK;
/* Stops accepting, closes the sockets, removes the Unix socket's file. */
void listener_close(struct listener *l);
/* The port that was bound (0 in the address picks one). */
unsigned listener_port(const struct listener *l);
bool listener_tls(const struct listener *l);
