/* SPDX-License-Identifier: Apache-2.0 */
/* The node: opens everything in order, runs until it is told to stop, closes in the opposite order.
 * What the command line says stands in struct node_conf. */
#pragma once

#include "base/err.h"

enum { NODE_INTERFACES = 16, NODE_FOLLOWS = 16 };

struct node_conf {
    const char *data_dir;
    const char *listen;      /* HOST:PORT of the API and console */
    const char *certificate; /* NULL: no TLS */
    const char *key;
    const char *hosts;     /* further host names, comma-separated */
    const char *store_url; /* NULL: the embedded store */
    const char *store_user, *store_password;
    const char *store_program, *store_library, *store_listen;
    const char *sensor_program;
    const char *sensor_listen; /* TCP address for remote sensors; NULL: none */
    const char *rules;         /* NULL: looked for */
    const char *demo;          /* NULL: looked for */
    const char *interfaces[NODE_INTERFACES];
    unsigned interfaces_n;
    const char *follows[NODE_FOLLOWS]; /* [NAME=]FILE: EVE files */
    unsigned follows_n;
    const char *eve_sockets[NODE_FOLLOWS]; /* [NAME=][dgram:]PATH */
    unsigned eve_sockets_n;
    bool no_capture; /* no sensors on this machine's interfaces */
    bool no_confine;
    bool json; /* the start-up message as JSON */
    bool password_sm3;
};

/* Returns when the node was stopped by SIGTERM or SIGINT. */
bool node_run(const struct node_conf *conf, struct err *e) MUST_CHECK;
