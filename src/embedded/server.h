/* SPDX-License-Identifier: Apache-2.0 */
/* ClickHouse's HTTP interface on a listening socket, over an engine. GET and POST /?query=…, SQL in
 * the parameter or the body, data of an INSERT as the body, settings, param_x and sessions as URL
 * parameters, answers and errors as a server gives them. One thread for each connection, at most
 * `connections` of them. */
#pragma once

#include "embedded/engine.h"

struct server;

struct server_conf {
    int fd;               /* listening; owned by the server from now on */
    bool reader;          /* every request is a reader's */
    unsigned connections; /* 0: 64 */
    const char *password; /* asked from every request; NULL: none */
    const char *name;     /* X-ClickHouse-Server-Display-Name */
};

bool server_start(const struct chdb *chdb, struct engine *en, const struct server_conf *conf,
                  struct server **ret, struct err *e) MUST_CHECK;
/* Takes no more connections; returns when the requests under way have ended. */
void server_stop(struct server *s);
