/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a rule file into rules and a rule into its header fields and options, with the place of each
 * in the file. Knows the language's punctuation (continuation, comments, brackets, escaped
 * semicolons, quotes), not its words. Works on borrowed text and never allocates but for rules that
 * go over several lines. */
#pragma once

#include "base/buf.h"

enum { RULE_BYTES_MAX = 65536 };

/* A rule file being read. */
struct lex_file {
    struct span text;
    size_t at;
    uint32_t line; /* of text.p[at], from 1 */
    struct buf joined;
};

/* One rule's text. Of a rule over several lines: joined, with the place of each join. */
struct lex_rule {
    struct span text;
    uint32_t line; /* of its first byte */
    uint32_t n_joins;
    struct {
        uint32_t at; /* in text: what follows came from the next line */
    } joins[64];
    bool too_long, cut_off; /* more than RULE_BYTES_MAX, or the file ends in a continuation */
    bool indented;          /* begins with a space: by tradition such a line is not read */
};

void lex_file_init(struct lex_file *f, struct span text);
void lex_file_free(struct lex_file *f);
/* The next line that is neither empty nor a comment; false at the end. The text is valid until the
 * next call. */
bool lex_next_rule(struct lex_file *f, struct lex_rule *ret);
/* Line and column, both from 1, of a byte of the rule's text (or of its end). */
void lex_position(const struct lex_rule *r, const uint8_t *p, uint32_t *ret_line,
                  uint32_t *ret_column);

/* The seven header fields and what stands between the parentheses. */
struct lex_header {
    struct span action, proto, src, sport, direction, dst, dport, options;
};
/* False with *ret_at and *ret_reason when a field is missing. */
bool lex_header(struct span rule, struct lex_header *ret, const uint8_t **ret_at,
                const char **ret_reason);

struct lex_option {
    struct span name, value; /* trimmed; value as written, quotes and escapes included */
    bool has_value;
};
/* The next option of *options, which moves on; false at the end, or with *ret_reason set. */
bool lex_option(struct span *options, struct lex_option *ret, const char **ret_reason);
