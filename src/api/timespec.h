/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people and the console write them: RFC 3339 or relative to now. */
#pragma once

#include "base/span.h"

/* "2026-11-24T12:00:00Z", "now", "now-15m" (units s m h d w). False if it is neither, or outside
 * 1970..2106 where the store's times live. */
bool timespec_parse(struct span text, uint64_t now_ns, uint64_t *ret_ns);
