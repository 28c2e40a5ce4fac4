/* SPDX-License-Identifier: Apache-2.0 */
/* The two directions of everything that flows: towards the server (who was spoken to first) and
 * towards the client. */
#pragma once

enum dir { DIR_TS = 0, DIR_TC = 1 };

static inline enum dir dir_other(enum dir d)
{
    return d == DIR_TS ? DIR_TC : DIR_TS;
}
