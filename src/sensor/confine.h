/* SPDX-License-Identifier: Apache-2.0 */
/* Least privilege: once sources and outputs are open the sensor gives up its user, new privileges,
 * the file system beyond its log folder, and the system calls it has no use for. */
#pragma once

#include "base/err.h"

struct confine_conf {
    const char *user, *group;      /* NULL: as they are */
    const char *write_dir;         /* the log folder, or NULL */
    const char *store_dir;         /* the file store's, or NULL */
    const char *const *read_paths; /* captures still to be opened, ended by NULL */
    const char *socket_path;       /* the node's, or NULL */
};

/* Applies what the kernel offers; what it lacks is said at -v. False: something asked for failed.
 */
bool confine(const struct confine_conf *c, struct err *e);
