/* SPDX-License-Identifier: Apache-2.0 */
/* What SQL must never reach, whatever the engine thinks: other files (Landlock, where the kernel
 * has it), the network, other programs (seccomp). Called after the library is loaded and the
 * sockets are open, before the engine starts its threads. */
#pragma once

#include "base/err.h"

struct confine_done {
    bool files, calls;
};

/* data_dir and scratch (may be NULL) stay writable; what the engine must read of the system stays
 * readable. No core dumps, no new privileges. What the kernel lacks is reported in *done. */
bool confine_self(const char *data_dir, const char *scratch, struct confine_done *done,
                  struct err *e) MUST_CHECK;
