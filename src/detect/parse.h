/* SPDX-License-Identifier: Apache-2.0 */
/* From one rule's text to its checked intermediate form. Inside the front end only. */
#pragma once

#include "detect/setup.h"

enum rule_result {
    RULE_OK,
    RULE_BAD,     /* the diagnostic says why */
    RULE_SKIPPED, /* its `requires` is not fulfilled */
};

/* Parses a rule onto the loader's arena. `b` is scratch memory, kept between calls. The diagnostic
 * of a bad rule, and reserves, go to the loader's ruleset. */
enum rule_result rule_parse(struct loader *l, struct build *b, const struct lex_rule *text,
                            struct rule **ret);
/* Adds to the ruleset's diagnostics. */
void diagnostic_add(struct loader *l, const struct diagnostic *d);
