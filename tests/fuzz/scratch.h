/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs that a reader takes by path: a file in memory, and a folder that a target has for itself.
 */
#pragma once

#include "base/must.h"
#include "base/span.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct scratch_file {
    int fd;
    char path[64];
};

/* A file of these bytes, there until it is closed. */
static inline struct scratch_file scratch_file(struct span s)
{
    struct scratch_file f = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};

    must(f.fd >= 0);
    while (s.n) {
        ssize_t n = write(f.fd, s.p, s.n);
        must(n > 0);
        s = span_from(s, (size_t)n);
    }
    snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
    return f;
}

/* A fresh folder, in memory where the system has such a place. */
static inline void scratch_folder(char path[64])
{
    const char *shm = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    snprintf(path, 64, "%s/daizong-fuzz-XXXXXX", shm);
    must(mkdtemp(path));
}
