/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file as a tree of nodes with their places, read through libyaml's events. Anchors
 * and aliases are refused, depth and size have ceilings, `include` brings in further files. What a
 * key may be is the schema's business (conf.c), not this file's. */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST };

struct yaml {
    struct yaml *next;  /* the next member or element */
    struct yaml *first; /* members or elements */
    char *key;          /* of a map's member; of a list's element its index as text */
    char *value;        /* scalars; "" for an empty one */
    const char *file;
    struct yaml_name *names; /* file names that nodes from here down point at */
    uint32_t line, column;
    enum yaml_kind kind;
    bool from_command_line;
    bool used; /* some lookup asked for it */
};

/* Reads a file with its includes. The result is freed with tree_free. */
bool tree_load(const char *path, struct yaml **ret, struct err *e);
bool tree_parse(struct span text, const char *name, struct yaml **ret, struct err *e);
void tree_free(struct yaml *y);
/* An empty map. */
struct yaml *tree_new_map(void);
/* Sets a dotted path ("stream.midstream", "outputs.1.eve-log.enabled"), making what is missing. */
bool tree_set(struct yaml *root, struct span path, struct span value, struct err *e);
/* The node at a dotted path below `at`, or NULL. In a list an element is found by its index or, if
 * the element is a map of one member or a scalar, by that name. Marks what it passes as used. */
struct yaml *tree_find(struct yaml *at, const char *path);
/* The one member of a one-member map, the node itself otherwise: `- eve-log: {…}`. */
struct yaml *tree_only(struct yaml *y);
/* "yes", "true", "on", "1" and their opposites. */
bool tree_bool(const struct yaml *y, bool *ret);
/* "64mb", "1 MiB", "2560", "1gb": bytes, K = 1024. */
bool tree_size(const struct yaml *y, uint64_t *ret);
bool tree_uint(const struct yaml *y, uint64_t *ret);
