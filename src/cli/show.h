/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that show events share: the path of a request, an event as a line, and a wrong
 * query with its place marked. */
#pragma once

#include "cli/client.h"

void path_param(struct buf *path, const char *name, const char *value); /* NULL: nothing */
/* The words of the command as one query; q is "" before and keeps it for show_position. */
void path_query(struct buf *path, const struct cli *c, struct buf *q);
void show_event(const struct cli *c, struct span event);
/* Puts the query and a caret below its wrong place behind the error's text; position SIZE_MAX or
 * --json: nothing. False, for the caller to return. */
bool show_position(const struct cli *c, struct buf *q, size_t position, struct err *e);
