/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a rule's conditions through one buffer. */
#pragma once

#include "detect/match.h"

/* Do all conditions from m on hold in in->buf? Sets in->at and the byte variables on the way. A
 * content or expression that a later relative condition depends on is tried at its further
 * occurrences; in->d's recursion limit bounds the tries. */
bool content_inspect(struct inspection *in, const struct match *m);
