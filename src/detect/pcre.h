/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions at work: each worker compiles the ones it meets to machine code for itself and runs
 * them under match limits, so that a hostile buffer costs bounded time. */
#pragma once

#include "detect/keyword.h"
#include "detect/match.h"

struct pcre_worker;

/* match_limit, recursion_limit: 0 for the library's. */
struct pcre_worker *pcre_worker_new(uint32_t match_limit, uint32_t recursion_limit);
void pcre_worker_free(struct pcre_worker *w);
/* One try of x on in->buf from in->pcre_from or in->at on; moves in->at behind what matched and
 * in->pcre_from to where the next try may start (0 after a negated one). Keeps captures for the
 * rule's end. Running into a limit is no match. */
bool pcre_try(struct inspection *in, const struct pcre *x);
/* The first capture of x in s, or false (the pcrexform transform). */
bool pcre_first_capture(struct pcre_worker *w, const struct pcre *x, struct span s,
                        struct span *ret);
