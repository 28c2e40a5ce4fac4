/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of outputs share. Inside output/ only. */
#pragma once

#include "output/output.h"

#include <pthread.h>

struct output {
    const struct output_kind *kind;
    struct output_conf conf; /* its strings are copies */
    pthread_mutex_t lock;    /* of everything below and of the kind's state */
    struct output_stats stats;
    bool failed; /* said once, then counted */
    void *state;
};
