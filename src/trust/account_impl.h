/* SPDX-License-Identifier: Apache-2.0 */
/* What trust/account.c and trust/session.c share and nobody else sees. */
#pragma once

#include "trust/account.h"
#include "trust/throttle.h"

#include <pthread.h>

struct accounts {
    struct state *state;
    enum password_kind kind;
    pthread_mutex_t lock; /* of the throttle */
    struct throttle throttle;
};
