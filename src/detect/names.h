/* SPDX-License-Identifier: Apache-2.0 */
/* Texts by number: flow variable names, strings that many rules share, and values kept under their
 * text. Grows while loading; the texts live on the arena that is given, the table is freed. */
#pragma once

#include "base/arena.h"
#include "detect/rule.h"

struct name_table;

struct name_table *names_new(void);
void names_free(struct name_table *t);
/* The number of a text, new ones copied onto the arena: 0, 1, 2 … */
uint32_t names_id(struct name_table *t, struct arena *a, struct span text);
/* Its text on the arena. */
const char *names_text(const struct name_table *t, uint32_t id);
/* A pointer kept with a text, NULL at first. */
const void **names_value(struct name_table *t, uint32_t id);
/* All texts in order of their numbers, on the arena. */
struct names names_list(const struct name_table *t, struct arena *a);
