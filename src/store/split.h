/* SPDX-License-Identifier: Apache-2.0 */
/* A line of JSON in two texts, so that it costs little to keep: its form, which thousands of lines
 * share (keys, punctuation, short words), and the values that stood in it. A mark in the form says
 * where a value was, each value ends with one; put together they are the line, byte for byte. */
#pragma once

#include "base/buf.h"

enum { SPLIT_MARK = 1, SPLIT_FORM_MAX = 4096, SPLIT_VALUES_MAX = 1024 };

struct split {
    struct buf form, values;
};

void split_init(struct split *s);
void split_free(struct split *s);
/* Takes numbers and strings out of the line; with keep_words strings that are one short word stay
 * in the form. False: this line cannot be split (it holds the mark, no value, or too much for one
 * form). */
bool split_line(struct split *s, struct span line, bool keep_words);
