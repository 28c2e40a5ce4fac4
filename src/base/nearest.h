/* SPDX-License-Identifier: Apache-2.0 */
/* The known name that a wrong one was probably meant to be, for messages. */
#pragma once

#include "base/span.h"

struct nearest {
    struct span wrong, best;
    unsigned distance; /* changes of one character; more than the limit: none is near */
    char text[96];
};

struct nearest nearest_to(struct span wrong);
/* Offers a known name; of equally near ones the first in the alphabet stays. */
void nearest_try(struct nearest *n, struct span known);
/* All words of a text, separated by spaces. */
void nearest_words(struct nearest *n, const char *words);
/* `; the nearest is "x"`, or an empty text. Lives in n. */
const char *nearest_text(struct nearest *n);
