/* SPDX-License-Identifier: Apache-2.0 */
/* The table of keywords, and the list that --list-keywords prints: keywords, buffers and values,
 * each with its help. */
#include "detect/keyword.h"

#include "base/must.h"
#include "detect/setup.h"

const struct keyword keyword_table[KEYWORDS] = {
#define KEYWORD(id, name, aliases, setup, match, flags, help)                                      \
    [KW_##id] = {name, aliases, setup_##setup, flags, help},
#include "detect/keywords.def"
#undef KEYWORD
};

const char *keyword_name(enum keyword_id id)
{
    return keyword_table[id].name;
}

static void list_row(struct buf *out, bool csv, const char *name, const char *kind,
                     const char *help)
{
    if (csv)
        buf_printf(out, "%s;%s;%s\n", name, kind, help);
    else
        buf_printf(out, "%-32s %-14s %s\n", name, kind, help);
}

void keywords_list(struct buf *out, bool csv)
{
    struct arena a;
    arena_init(&a, NULL, (size_t)8 << 20);
    const struct catalogue *c = catalogue_new(&a);
    if (csv)
        buf_str(out, "name;kind;description\n");
    for (int i = 1; i < KEYWORDS; i++)
        if (*keyword_table[i].name && keyword_table[i].setup != setup_unsupported)
            list_row(out, csv, keyword_table[i].name, "keyword", keyword_table[i].help);
    for (uint16_t i = 0; i < c->n_buffers; i++) {
        bool there = c->buffers[i].n_sources || c->specs[i].kind == BUFFER_OF_PACKET;
        if (!there && c->specs[i].kind != BUFFER_OF_FILE)
            continue;
        list_row(out, csv, c->buffers[i].name, "sticky buffer", c->specs[i].help);
        if (c->specs[i].modifier)
            list_row(out, csv, c->specs[i].modifier, "modifier", c->specs[i].help);
    }
    for (uint16_t i = 0; i < c->n_values; i++)
        list_row(out, csv, c->values[i].name, "value", "a number of a transaction");
    arena_free(&a);
}
