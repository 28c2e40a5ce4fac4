/* SPDX-License-Identifier: Apache-2.0 */
/* The byte stream below the client: a Unix socket, TCP, or TLS with the certificate checked. */
#pragma once

#include "cli/command.h"

#include <sys/types.h>

struct transport;

/* To --url (or DAIZONG_URL) if given, else to the data folder's socket. */
bool transport_open(const struct cli *c, struct transport **ret, struct err *e) MUST_CHECK;
bool transport_write(struct transport *t, const void *p, size_t n);
/* 0 at the end, -1 on an error. */
ssize_t transport_read(struct transport *t, void *p, size_t cap);
const char *transport_host(const struct transport *t);
void transport_close(struct transport *t);
