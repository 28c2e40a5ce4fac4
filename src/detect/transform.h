/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms between a sticky buffer and its conditions. */
#pragma once

#include "detect/group.h"

struct detect;
struct transform_cache;

struct transform_cache *transform_cache_new(void);
void transform_cache_free(struct transform_cache *c);
/* Forgets everything: the bytes it was made of are about to change. */
void transform_cache_clear(struct transform_cache *c);
/* s after transform list `number` (0: s itself). The result lives until the cache is cleared; one
 * that is too large for it (TRANSFORM_MAX bytes) is cut. */
struct span transform_apply(struct detect *d, uint16_t number, struct span s);
enum { TRANSFORM_MAX = 1 << 20 };
