/* SPDX-License-Identifier: Apache-2.0 */
/* pcre: "/expression/flags, captures". The flags choose options of the expression and, in capital
 * letters, the buffer it looks into. Expressions are compiled here, so that a wrong one is
 * diagnosed with its place; the engine adds what makes them fast. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/mem.h"
#include "base/must.h"
#include "detect/setup.h"

#include <pcre2.h>

enum { CAPTURES_MAX = 8 };

/* Capital letters that name a buffer, as old rules have them. */
static const struct {
    char letter;
    const char *buffer;
} pcre_buffers[] = {
    {'U', "http.uri"},      {'I', "http.uri.raw"},    {'P', "http.request_body"},
    {'Q', "file.data"},     {'H', "http.header"},     {'D', "http.header.raw"},
    {'M', "http.method"},   {'C', "http.cookie"},     {'S', "http.stat_code"},
    {'Y', "http.stat_msg"}, {'V', "http.user_agent"}, {'W', "http.host"},
    {'Z', "http.host.raw"},
};

static const struct {
    char letter;
    uint32_t option;
} pcre_options[] = {
    {'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE}, {'s', PCRE2_DOTALL},
    {'x', PCRE2_EXTENDED}, {'A', PCRE2_ANCHORED},  {'E', PCRE2_DOLLAR_ENDONLY},
    {'G', PCRE2_UNGREEDY},
};

static const char *pcre_letter_buffer(uint8_t c)
{
    for (size_t i = 0; i < LEN(pcre_buffers); i++)
        if (pcre_buffers[i].letter == c)
            return pcre_buffers[i].buffer;
    return NULL;
}

static bool pcre_letter_option(uint8_t c, uint32_t *options)
{
    for (size_t i = 0; i < LEN(pcre_options); i++)
        if (pcre_options[i].letter == c) {
            *options |= pcre_options[i].option;
            return true;
        }
    return false;
}

static void pcre_keep(struct build *b, pcre2_code *code)
{
    struct loader *l = b->l;
    struct ruleset *rs = l->rs;
    if (rs->n_compiled == l->cap_compiled) {
        l->cap_compiled = l->cap_compiled ? l->cap_compiled * 2 : 256;
        rs->compiled = mem_resize(rs->compiled, l->cap_compiled * sizeof(*rs->compiled));
    }
    rs->compiled[rs->n_compiled++] = code;
}

static bool pcre_compile(struct build *b, struct span text, struct pcre *p)
{
    int code;
    PCRE2_SIZE at;
    bool captures = p->n_captures || (p->options & PCRE2_NO_AUTO_CAPTURE) == 0;
    uint32_t plain = p->options | (captures ? 0 : PCRE2_NO_AUTO_CAPTURE);
    pcre2_code *c = pcre2_compile(text.p, text.n, plain, &code, &at, NULL);
    if (!c && !p->n_captures && (plain & PCRE2_NO_AUTO_CAPTURE)) {
        /* a back-reference needs the groups that were not to be captured */
        plain &= ~(uint32_t)PCRE2_NO_AUTO_CAPTURE;
        c = pcre2_compile(text.p, text.n, plain, &code, &at, NULL);
    }
    if (!c) {
        PCRE2_UCHAR message[160];
        pcre2_get_error_message(code, message, sizeof(message));
        return rule_fail_at(b, text.p + min_size(at, text.n), "the expression is wrong: %s",
                            (const char *)message);
    }
    p->code = c;
    p->options = plain;
    p->pattern = build_str(b, text);
    pcre_keep(b, c);
    return true;
}

static uint8_t variable_kind_find(struct span name)
{
    static const char *const kinds[] = {
        [VARIABLE_FLOW] = "flow", [VARIABLE_PACKET] = "pkt", [VARIABLE_ALERT] = "alert"};
    for (uint8_t i = 1; i < LEN(kinds); i++)
        if (span_eq(name, span_str(kinds[i])))
            return i;
    return VARIABLE_NONE;
}

/* Groups that are named "flow_x", "pkt_x", "alert_x" in the expression itself. */
static bool pcre_named_captures(struct build *b, struct pcre *p, struct pcre_capture *list)
{
    uint32_t n = 0, each = 0;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &n);
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &each);
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t i = 0; i < n; i++, table += each) {
        unsigned group = (unsigned)table[0] << 8 | table[1];
        struct span name = span_str((const char *)table + 2);
        uint8_t kind = variable_kind_find(span_split(&name, '_'));
        if (kind == VARIABLE_NONE || !name.n)
            continue;
        if (group > CAPTURES_MAX)
            return rule_fail(b, "more than %d captures", CAPTURES_MAX);
        list[group - 1] = (struct pcre_capture){kind, build_name(b, b->l->flowvars, name)};
        if (p->n_captures < group)
            p->n_captures = (uint8_t)group;
    }
    return true;
}

/* "flow:name", "pkt:name", "alert:name" for the groups, in order. */
static bool pcre_captures(struct build *b, struct span rest, struct pcre *p,
                          struct pcre_capture *list)
{
    while (rest.n) {
        struct span name = next_element(&rest);
        struct span kind = span_trim(span_split(&name, ':'));
        uint8_t variable = variable_kind_find(kind);
        name = span_trim(name);
        if (variable == VARIABLE_NONE || !name.n)
            return rule_fail_at(b, kind.p, "flow:NAME, pkt:NAME or alert:NAME expected");
        if (p->n_captures == CAPTURES_MAX)
            return rule_fail_at(b, kind.p, "more than %d captures", CAPTURES_MAX);
        list[p->n_captures++] =
            (struct pcre_capture){variable, build_name(b, b->l->flowvars, name)};
    }
    return true;
}

/* The expression between the slashes, and what follows the second. */
static bool pcre_split(struct build *b, struct span value, struct span *ret, struct span *rest)
{
    size_t end = value.n;
    size_t from = value.n && value.p[0] == '/' ? 1 : 0;
    if (!from)
        return rule_fail_at(b, value.p, "'/' expected before the expression");
    while (end > from && value.p[end - 1] != '/')
        end--;
    /* a slash may also stand in the name of a capture, but not before its comma */
    if (end <= from)
        return rule_fail_at(b, value.p + value.n, "'/' expected after the expression");
    *ret = span_cut(value, from, end - 1 - from);
    *rest = span_from(value, end);
    return true;
}

static bool pcre_flags(struct build *b, struct span flags, struct pcre *p, const char **buffer)
{
    for (size_t i = 0; i < flags.n; i++) {
        uint8_t c = flags.p[i];
        const char *named = pcre_letter_buffer(c);
        if (named) {
            if (*buffer)
                return rule_fail_at(b, flags.p + i, "a second buffer '%c'", c);
            *buffer = named;
        } else if (c == 'R') {
            p->flags |= PCRE_RELATIVE;
        } else if (c == 'B') {
            p->flags |= PCRE_RAWBYTES;
        } else if (c == 'O') {
            p->flags |= PCRE_MATCH_LIMIT;
        } else if (!pcre_letter_option(c, &p->options)) {
            return rule_fail_at(b, flags.p + i, "unknown flag '%c'", c);
        }
    }
    return true;
}

static bool pcre_place(struct build *b, struct pcre *p, const char *buffer)
{
    if (!buffer)
        return build_place(b, KW_PCRE, p, p->flags & PCRE_RELATIVE) != NULL;
    const struct name_ref *ref = catalogue_find(b->l->catalogue, span_str(buffer));
    if (!ref)
        return rule_fail(b, "there is no buffer %s", buffer);
    /* the old flag Q and http.response_body mean the same bytes */
    const struct name_ref *body = catalogue_find(b->l->catalogue, SPAN("http.response_body"));
    bool same = body && ref->index == BUFFER_FILE_DATA && b->list == LIST_BUFFER + body->index;
    if (same || b->list == LIST_BUFFER + ref->index)
        return build_place(b, KW_PCRE, p, false) != NULL;
    if (b->list != PLACE_NONE)
        return rule_fail(b, "its flag names another buffer than the sticky buffer before it");
    const struct buffer_spec *s = &b->l->catalogue->specs[ref->index];
    if (s->app != PROTO_NONE && !build_app(b, s->app))
        return false;
    struct placed *pl = build_place(b, KW_PCRE, p, false);
    if (!pl)
        return false;
    b->r->flags |= RULE_NEEDS_APP | (s->kind == BUFFER_OF_FILE ? RULE_FILES : 0);
    pl->list = LIST_BUFFER + ref->index;
    pl->run = build_run(b, ref->index);
    return true;
}

bool setup_pcre(struct build *b, const struct option *o)
{
    struct pcre *p = build_get(b, sizeof(*p));
    struct span text, rest;
    const char *buffer = NULL;
    struct pcre_capture *captures = build_get(b, CAPTURES_MAX * sizeof(*captures));
    p->captures = captures;
    if (!pcre_split(b, o->value, &text, &rest))
        return false;
    struct span flags = next_element(&rest);
    if (!pcre_flags(b, flags, p, &buffer) || !pcre_captures(b, span_trim(rest), p, captures))
        return false;
    if (o->negated)
        p->flags |= PCRE_NEGATED;
    if (!p->n_captures)
        p->options |= PCRE2_NO_AUTO_CAPTURE;
    if (!pcre_compile(b, text, p) || !pcre_named_captures(b, p, captures))
        return false;
    if (o->negated && p->n_captures)
        return rule_fail(b, "a negated expression captures nothing");
    uint32_t groups = 0;
    pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups < p->n_captures)
        return rule_fail(b, "there are more names than groups in the expression");
    return pcre_place(b, p, buffer);
}

bool pcre_transform(struct build *b, struct span text, const struct pcre **ret)
{
    struct pcre *p = build_get(b, sizeof(*p));
    uint32_t groups = 0;
    if (!pcre_compile(b, text, p))
        return false;
    pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups != 1)
        return rule_fail(b, "the expression must have one group, it has %u", groups);
    *ret = p;
    return true;
}
