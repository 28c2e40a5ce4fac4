/* SPDX-License-Identifier: Apache-2.0 */
/* TLS ends here: a thread of our own with OpenSSL turns each TLS connection into a plain one on a
 * socketpair that the server behind it gets. So the TLS library is exchangeable (TLCP later)
 * without that server's knowledge. TLS 1.2 and 1.3 only. */
#pragma once

#include "api/httpd.h"

struct tls;

/* Loads certificate (PEM, leaf first) and key (NULL: in the certificate's file). */
struct tls *tls_open(const char *certificate, const char *key, struct err *e) MUST_CHECK;
/* Gets the plain side of a connection once its handshake is done, and with it the descriptor;
 * false: it was closed. Called in the relay's thread. */
typedef bool tls_hand(void *ctx, int fd, const struct sockaddr *peer, unsigned peer_len);
bool tls_run(struct tls *t, tls_hand *hand, void *ctx, struct err *e) MUST_CHECK;
/* Takes over a freshly accepted, non-blocking socket. Any thread. */
void tls_add(struct tls *t, int fd, const struct sockaddr *peer, unsigned peer_len);
/* NULL is accepted. */
void tls_close(struct tls *t);
