/* SPDX-License-Identifier: Apache-2.0 */
/* Finds one pattern in one buffer: the first and the last byte of the pattern are compared sixteen
 * places at a time, the rest only where both fit. Used by the content matcher after the prefilter
 * has thinned the rules out, so buffers are short and most searches succeed. Reads nothing outside
 * the buffer; cost is linear in practice, at worst buffer times pattern. */
#pragma once

#include "base/span.h"

/* Offset of the first occurrence of `what` in s from `from` on, or SIZE_MAX. With nocase `what` is
 * in lower case and ASCII case is ignored. */
size_t search_span(struct span s, size_t from, struct span what, bool nocase);
/* Does `what` stand at s.p[at]? Bytes beyond s are no match. */
bool search_at(struct span s, size_t at, struct span what, bool nocase);
