/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes of answers, written short: "{name:s,age?:u,tags:[s],state:on|off,next:s?,rest:@Name}".
 * s string, t time, u unsigned, i integer, n number, b bool, o any object, x anything; a member's
 * name with '?' may be missing, a type with '?' may be null. They become JSON Schema. */
#pragma once

#include "base/buf.h"

struct shape {
    const char *name, *text;
};

/* The named shapes (shapes.def). */
extern const struct shape shapes[];
extern const size_t shapes_n;

/* Appends the JSON Schema of a shape; a mistake in a shape is the programmer's and aborts. */
void shape_schema(struct buf *b, const char *text);
