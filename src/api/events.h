/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the events table as EVE events with sensor, unit and identity. */
#pragma once

#include "api/ask.h"
#include "store/schema.h"

struct event_list {
    size_t n;
    bool more;                 /* there are more than the limit */
    char last[SCHEMA_ID_TEXT]; /* identity of the last one */
};

/* Appends a JSON array of the events that `where` (SQL from WHERE's condition on, with its order)
 * finds, at most `limit`. False: the error answer is there. */
bool events_write(struct api_call *c, const char *where, uint64_t limit, struct event_list *ret);
/* The same for the latest that match the condition. */
bool events_json(struct api_call *c, const char *where, unsigned limit);
