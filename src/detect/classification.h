/* SPDX-License-Identifier: Apache-2.0 */
/* classification.config and reference.config: what a classtype means and where a reference leads.
 * Without files the tables that Suricata ships apply. Cold code: start-up only. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct class_info {
    const char *name, *text;
    uint8_t priority;
};
struct class_list;
struct reference_list;

/* Reads the file, or with NULL takes the shipped table. Lines that are not well formed are passed
 * over and counted. */
bool class_list_load(const char *file, struct class_list **ret, struct err *e) MUST_CHECK;
void class_list_free(struct class_list *l);
/* Name without regard to case; NULL when it is not known. */
const struct class_info *class_find(const struct class_list *l, struct span name);
const struct class_info *class_add(struct class_list *l, struct span name, struct span text,
                                   uint8_t priority);
uint32_t class_list_bad_lines(const struct class_list *l);

bool reference_list_load(const char *file, struct reference_list **ret, struct err *e) MUST_CHECK;
void reference_list_free(struct reference_list *l);
/* What stands before the id in the full address ("https://"); NULL when the system is not known. */
const char *reference_prefix(const struct reference_list *l, struct span system);
const char *reference_add(struct reference_list *l, struct span system, struct span prefix);
uint32_t reference_list_bad_lines(const struct reference_list *l);

/* Reads a whole file of at most max_bytes; *ret is freed with mem_free. */
bool text_file_read(const char *file, size_t max_bytes, char **ret, size_t *ret_n,
                    struct err *e) MUST_CHECK;
