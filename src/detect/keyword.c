/* SPDX-License-Identifier: Apache-2.0 */
/* The table of keywords, and the list that --list-keywords prints: keywords, buffers and values,
 * each with its help. */
#include "detect/keyword.h"

#include "base/must.h"
#include "detect/buffers.h"
#include "detect/setup.h"

#include <stdio.h>

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

struct list {
    struct buf *out;
    bool csv;
};

static void list_row(const struct list *l, const char *name, const char *kind, bool supported,
                     const char *help)
{
    const char *yes = supported ? "supported" : "unsupported";
    if (!*name)
        return;
    if (l->csv)
        buf_printf(l->out, "%s;%s;%s;%s\n", name, kind, yes, help);
    else
        buf_printf(l->out, "%-32s %-14s %-12s %s\n", name, kind, yes, help);
}

/* A name and its older forms. */
static void list_names(const struct list *l, const char *name, const char *aliases,
                       const char *kind, bool supported, const char *help)
{
    char text[160];
    struct span rest = span_str(aliases ? aliases : "");
    list_row(l, name, kind, supported, help);
    while (rest.n) {
        struct span alias = span_split(&rest, ' ');
        char older[64];
        span_copy(alias, older, sizeof(older));
        snprintf(text, sizeof(text), "older name of %s", name);
        list_row(l, older, kind, supported, text);
    }
}

void keywords_list(struct buf *out, bool csv)
{
    struct arena a;
    arena_init(&a, NULL, (size_t)8 << 20);
    const struct catalogue *c = catalogue_new(&a);
    const struct list l = {out, csv};
    if (csv)
        buf_str(out, "name;kind;supported;description\n");
    for (int i = 1; i < KEYWORDS; i++) {
        const struct keyword *k = &keyword_table[i];
        if (*k->name)
            list_names(&l, k->name, k->aliases, "keyword",
                       k->setup != setup_unsupported && k->setup != setup_frame, k->help);
    }
    for (uint16_t i = 0; i < c->n_buffers; i++) {
        const struct buffer_spec *s = &c->specs[i];
        bool there = c->buffers[i].n_sources || s->kind != BUFFER_OF_APP;
        if (catalogue_find(c, span_str(c->buffers[i].name))->kind != NAME_BUFFER)
            continue;
        list_names(&l, c->buffers[i].name, s->aliases, "sticky buffer", there, s->help);
        if (s->modifier)
            list_row(&l, s->modifier, "modifier", there, s->help);
    }
    for (uint16_t i = 0; i < c->n_values; i++)
        if (catalogue_find(c, span_str(c->values[i].name))->kind == NAME_VALUE)
            list_row(&l, c->values[i].name, "value", true, "a number of a transaction");
    const char *names;
    for (size_t i = 0; (names = foreign_value_names(i)); i++) {
        struct span rest = span_str(names);
        while (rest.n) {
            char name[64];
            struct span word = span_split(&rest, ' ');
            const struct name_ref *ref = catalogue_find(c, word);
            span_copy(word, name, sizeof(name));
            if (ref && ref->kind == NAME_FOREIGN)
                list_row(&l, name, "value", false, "of a protocol that is not parsed");
        }
    }
    arena_free(&a);
}
