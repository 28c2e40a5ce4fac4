/* SPDX-License-Identifier: Apache-2.0 */
/* The best of what is offered, by the changes it takes. */
#include "base/nearest.h"

#include <stdio.h>

struct nearest nearest_to(struct span wrong)
{
    unsigned limit = wrong.n < 4 ? 1 : wrong.n < 8 ? 2 : 3;

    return (struct nearest){.wrong = wrong, .distance = limit};
}

void nearest_try(struct nearest *n, struct span known)
{
    if (!known.n)
        return;
    unsigned d = span_distance(n->wrong, known);
    if (d > n->distance || (d == n->distance && n->best.n && span_cmp(known, n->best) >= 0))
        return;
    n->distance = d;
    n->best = known;
}

void nearest_words(struct nearest *n, const char *words)
{
    struct span rest = span_str(words);

    while (rest.n)
        nearest_try(n, span_split(&rest, ' '));
}

const char *nearest_text(struct nearest *n)
{
    n->text[0] = 0;
    if (n->best.n)
        snprintf(n->text, sizeof(n->text), "; the nearest is \"%.*s\"", (int)n->best.n,
                 (const char *)n->best.p);
    return n->text;
}
