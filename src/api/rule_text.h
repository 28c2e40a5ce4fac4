/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up a rule's text by its number in the rule files of this node. */
#pragma once

#include "base/buf.h"

/* Appends {"text","file","line","what","todo","references":[{"url"}]}; empty text when the rule is
 * not found. "what" and "todo" are {"en","zh"} from advice.json beside the rule file, or null.
 * `paths`: files or folders separated by ':', may be NULL. */
void rule_json(const char *paths, uint32_t sid, struct buf *b);
