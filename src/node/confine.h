/* SPDX-License-Identifier: Apache-2.0 */
/* What the node gives up once its doors are open and before its threads begin, for itself and all
 * its children: new privileges, capabilities that it does not need, writing outside its folders,
 * and system calls that no part of it uses. Children confine themselves further. */
#pragma once

#include "base/err.h"

struct node_confine {
    const char *data_dir;
    const char *const *socket_paths; /* Unix sockets that are made elsewhere */
    size_t socket_paths_n;
    bool capturing; /* local sensors may be started: they inherit CAP_NET_RAW and CAP_NET_ADMIN */
};

/* What the kernel does not have is left out and said at level info; false: what it has was refused.
 */
bool node_confine(const struct node_confine *c, struct err *e) MUST_CHECK;
