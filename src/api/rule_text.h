/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up a rule's text by its number in the rule files of this node. */
#pragma once

#include "api/groups.h"

/* Appends {"text","file","line","what","todo","references":[{"url"}]}; empty text when the rule is
 * not found. `paths`: files or folders separated by ':', may be NULL. The group has been through
 * groups_json. */
void rule_json(const char *paths, const struct group *g, struct buf *b);
