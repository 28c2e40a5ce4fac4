/* SPDX-License-Identifier: Apache-2.0 */
/* Levenshtein's distance without regard to case, one row at a time. */
#include "detect/nearest.h"

#include <stdio.h>

enum { NAME_MOST = 60 };

static unsigned edit_distance(struct span a, struct span b)
{
    unsigned row[NAME_MOST + 1];

    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned change = diagonal + (ascii_lower(a.p[i - 1]) != ascii_lower(b.p[j - 1]));
            unsigned step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[b.n];
}

struct nearest nearest_to(struct span wrong)
{
    unsigned limit = wrong.n < 4 ? 1 : wrong.n < 8 ? 2 : 3;

    return (struct nearest){.wrong = wrong, .distance = limit};
}

void nearest_try(struct nearest *n, struct span known)
{
    if (n->wrong.n > NAME_MOST || known.n > NAME_MOST || !known.n)
        return;
    unsigned d = edit_distance(n->wrong, known);
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
