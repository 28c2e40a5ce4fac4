/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, header fields and options of rules. A semicolon ends an option wherever it stands unless a
 * backslash is before it, inside quotes too: that is how rule writers escape it. */
#include "detect/lex.h"

void lex_file_init(struct lex_file *f, struct span text)
{
    *f = (struct lex_file){.text = text, .line = 1, .joined = buf_new(RULE_BYTES_MAX + 1)};
    if (span_starts(text, SPAN("\xef\xbb\xbf")))
        f->at = 3;
}

void lex_file_free(struct lex_file *f)
{
    buf_free(&f->joined);
}

/* The line at the front, without its end; f moves on. */
static struct span lex_line(struct lex_file *f)
{
    struct span rest = span_from(f->text, f->at);
    size_t n = span_find_byte(rest, '\n');
    f->at += n < rest.n ? n + 1 : n;
    f->line++;
    struct span line = span_cut(rest, 0, n);
    while (line.n && ascii_is_space(line.p[line.n - 1]))
        line.n--;
    return line;
}

static void lex_join(struct lex_file *f, struct lex_rule *r, struct span line)
{
    buf_clear(&f->joined);
    while (line.n && line.p[line.n - 1] == '\\') {
        buf_add(&f->joined, line.p, line.n - 1);
        if (f->at >= f->text.n) {
            r->cut_off = true;
            line.n = 0;
            break;
        }
        line = lex_line(f);
        if (r->n_joins < LEN(r->joins))
            r->joins[r->n_joins++].at = (uint32_t)f->joined.n;
    }
    buf_span_add(&f->joined, line);
    r->text = buf_span(&f->joined);
    r->too_long = f->joined.full;
}

bool lex_next_rule(struct lex_file *f, struct lex_rule *ret)
{
    while (f->at < f->text.n) {
        uint32_t line_number = f->line;
        struct span line = lex_line(f);
        if (!line.n || line.p[0] == '#' || line.p[0] == ';')
            continue;
        size_t blank = 0;
        while (blank < line.n && ascii_is_space(line.p[blank]))
            blank++;
        if (line.p[blank] == '#')
            continue;
        ret->line = line_number;
        ret->n_joins = 0;
        ret->cut_off = false;
        ret->indented = line.p[0] == ' ';
        ret->text = line;
        ret->too_long = line.n > RULE_BYTES_MAX;
        if (line.p[line.n - 1] == '\\')
            lex_join(f, ret, line);
        return true;
    }
    return false;
}

void lex_position(const struct lex_rule *r, const uint8_t *p, uint32_t *ret_line,
                  uint32_t *ret_column)
{
    size_t at = p >= r->text.p && p <= r->text.p + r->text.n ? (size_t)(p - r->text.p) : 0;
    size_t line_begin = 0;
    *ret_line = r->line;
    for (uint32_t i = 0; i < r->n_joins && r->joins[i].at <= at; i++) {
        line_begin = r->joins[i].at;
        ++*ret_line;
    }
    *ret_column = (uint32_t)(at - line_begin) + 1;
}

static struct span skip_space(struct span s)
{
    while (s.n && ascii_is_space(s.p[0]))
        s = span_from(s, 1);
    return s;
}

/* A field ends at white space outside brackets, or where the options begin. */
static struct span lex_field(struct span *rest)
{
    size_t i = 0, depth = 0;
    *rest = skip_space(*rest);
    for (; i < rest->n; i++) {
        uint8_t c = rest->p[i];
        if (c == '[')
            depth++;
        else if (c == ']' && depth)
            depth--;
        else if (c == '(' || (ascii_is_space(c) && !depth))
            break;
    }
    struct span field = span_cut(*rest, 0, i);
    *rest = span_from(*rest, i);
    return field;
}

bool lex_header(struct span rule, struct lex_header *ret, const uint8_t **ret_at,
                const char **ret_reason)
{
    static const char *const missing[] = {
        "the action is missing",          "the protocol is missing",
        "the source address is missing",  "the source port is missing",
        "the direction is missing",       "the destination address is missing",
        "the destination port is missing"};
    struct span *const fields[] = {&ret->action,    &ret->proto, &ret->src,  &ret->sport,
                                   &ret->direction, &ret->dst,   &ret->dport};
    struct span rest = rule;
    for (size_t i = 0; i < LEN(fields); i++) {
        *fields[i] = lex_field(&rest);
        if (!fields[i]->n) {
            *ret_at = rest.p;
            *ret_reason = missing[i];
            return false;
        }
    }
    rest = skip_space(rest);
    *ret_at = rest.p;
    if (!rest.n || rest.p[0] != '(') {
        *ret_reason = "'(' expected before the options";
        return false;
    }
    struct span body = span_trim(rest);
    if (body.p[body.n - 1] != ')') {
        *ret_at = body.p + body.n;
        *ret_reason = "')' expected at the end of the rule";
        return false;
    }
    ret->options = span_cut(body, 1, body.n - 2);
    return true;
}

bool lex_option(struct span *options, struct lex_option *ret, const char **ret_reason)
{
    struct span rest = skip_space(*options);
    size_t i = 0;
    *ret_reason = NULL;
    *options = rest;
    if (!rest.n)
        return false;
    while (i < rest.n && !(rest.p[i] == ';' && (i == 0 || rest.p[i - 1] != '\\')))
        i++;
    struct span option = span_cut(rest, 0, i);
    size_t colon = span_find_byte(option, ':');
    ret->name = span_trim(span_cut(option, 0, colon));
    ret->has_value = colon < option.n;
    ret->value = span_trim(span_from(option, colon + 1));
    if (i == rest.n) {
        *ret_reason = "';' expected at the end of the option";
        return false;
    }
    *options = span_from(rest, i + 1);
    return true;
}
