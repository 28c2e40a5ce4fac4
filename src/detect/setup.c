/* SPDX-License-Identifier: Apache-2.0 */
/* The tools of the set-up functions: placing conditions, following the sticky buffer, variables of
 * byte_extract, faults with their place, and the number and content forms that keywords share. */
#include "detect/setup.h"

#include "base/mem.h"
#include "base/must.h"
#include "detect/names.h"

#include <stdarg.h>
#include <stdio.h>

static bool PRINTF_LIKE(3, 0)
    fail_va(struct build *b, const uint8_t *at, const char *fmt, va_list ap)
{
    if (!b->failed) {
        b->failed = true;
        b->at = at;
        vsnprintf(b->reason, sizeof(b->reason), fmt, ap);
    }
    return false;
}

bool rule_fail(struct build *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail_va(b, b->at, fmt, ap);
    va_end(ap);
    return false;
}

bool rule_fail_at(struct build *b, const uint8_t *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail_va(b, at, fmt, ap);
    va_end(ap);
    return false;
}

void *build_get(struct build *b, size_t n)
{
    void *p = arena_zero(b->l->a, n);
    mem_need(p, n);
    return p;
}

const char *build_str(struct build *b, struct span s)
{
    struct name_table *t = b->l->strings;
    return names_text(t, names_id(t, b->l->a, s));
}

uint32_t build_name(struct build *b, struct name_table *t, struct span name)
{
    return names_id(t, b->l->a, name);
}

static struct match *match_new(struct build *b, enum keyword_id kind, const void *data)
{
    struct match *m = build_get(b, sizeof(*m));
    m->kind = (uint16_t)kind;
    m->data = data;
    b->last = m;
    return m;
}

void build_add(struct build *b, enum match_list list, enum keyword_id kind, const void *data)
{
    struct match *m = match_new(b, kind, data);
    struct match **head = list == LIST_PACKET ? &b->r->packet_matches
                          : list == LIST_TX   ? &b->r->tx_matches
                                              : &b->r->post_matches;
    struct match **tail = list == LIST_PACKET ? &b->packet_tail
                          : list == LIST_TX   ? &b->tx_tail
                                              : &b->post_tail;
    if (*tail)
        (*tail)->next = m;
    else
        *head = m;
    *tail = m;
}

void build_add_packet(struct build *b, enum keyword_id kind, const void *data)
{
    build_add(b, LIST_PACKET, kind, data);
    b->wants_packet = true;
}

static bool transforms_equal(const struct transform *x, const struct transform *y, uint16_t n)
{
    for (uint16_t i = 0; i < n; i++)
        if (x[i].kind != y[i].kind || !span_eq(x[i].key, y[i].key) || x[i].pcre != y[i].pcre ||
            x[i].base64_mode != y[i].base64_mode || x[i].n_bytes != y[i].n_bytes ||
            x[i].offset != y[i].offset || x[i].max_size != y[i].max_size)
            return false;
    return true;
}

static struct buffer_matches *run_new(struct build *b, uint16_t buffer)
{
    struct buffer_matches *run = build_get(b, sizeof(*run));
    run->buffer = buffer;
    run->dirs = b->list_dirs;
    if (b->runs_tail)
        b->runs_tail->next = run;
    else
        b->r->buffers = run;
    b->runs_tail = run;
    return run;
}

static struct buffer_matches *run_find(struct build *b, uint16_t buffer,
                                       const struct transform *transforms, uint16_t n)
{
    struct buffer_matches *found = NULL;
    for (struct buffer_matches *run = b->r->buffers; run; run = run->next)
        if (run->buffer == buffer && run->transform_n == n && run->dirs == b->list_dirs &&
            transforms_equal(run->transforms, transforms, n))
            found = run;
    return found;
}

struct buffer_matches *build_run(struct build *b, uint16_t buffer)
{
    struct buffer_matches *run = run_find(b, buffer, NULL, 0);
    return run ? run : run_new(b, buffer);
}

/* The run that conditions now go to: made when the sticky buffer gets its first one. */
static struct buffer_matches *build_current_run(struct build *b)
{
    uint16_t buffer = (uint16_t)(b->list - LIST_BUFFER);
    if (!b->list_fresh)
        return b->run;
    b->list_fresh = false;
    if (!b->l->catalogue->specs[buffer].multi) {
        b->run = run_find(b, buffer, b->transforms, b->n_transforms);
        if (b->run)
            return b->run;
    }
    b->run = run_new(b, buffer);
    if (b->n_transforms) {
        struct transform *t = build_get(b, b->n_transforms * sizeof(*t));
        memcpy(t, b->transforms, b->n_transforms * sizeof(*t));
        b->run->transforms = t;
        b->run->transform_n = b->n_transforms;
    }
    return b->run;
}

struct placed *build_place(struct build *b, enum keyword_id kind, const void *data, bool relative)
{
    if (b->n_placed == BUILD_PLACED) {
        rule_fail(b, "more than %d conditions in one rule", BUILD_PLACED);
        return NULL;
    }
    struct placed *p = &b->placed[b->n_placed];
    *p = (struct placed){.list = LIST_PAYLOAD, .at = b->at};
    if (b->list >= LIST_BUFFER) {
        p->list = b->list;
        p->run = build_current_run(b);
    } else if (b->list == LIST_BASE64) {
        p->list = LIST_BASE64;
        p->base64 = b->base64;
        b->list_fresh = false;
    } else if (relative && b->n_placed) {
        p->list = p[-1].list;
        p->run = p[-1].run;
        p->base64 = p[-1].base64;
    }
    p->m = match_new(b, kind, data);
    b->n_placed++;
    return p;
}

struct placed *build_last(struct build *b, enum keyword_id kind, enum keyword_id or_kind)
{
    for (uint32_t i = b->n_placed; i-- > 0;) {
        struct placed *p = &b->placed[i];
        if (b->list >= LIST_BUFFER && (b->list_fresh || p->run != b->run))
            continue;
        if (b->list == LIST_BASE64 && p->list != LIST_BASE64)
            continue;
        if (p->m->kind == kind || p->m->kind == or_kind)
            return p;
    }
    return NULL;
}

/* A fingerprint that the configuration forbids to compute. */
static bool fingerprint_allowed(struct build *b, uint16_t buffer)
{
    const struct detect_conf *conf = b->l->conf;
    struct span name = span_str(b->l->catalogue->buffers[buffer].name);
    if (conf->ja3_off && span_starts(name, SPAN("ja3")))
        return rule_fail(b, "app-layer.protocols.tls.ja3-fingerprints is switched off");
    if (conf->ja4_off && span_starts(name, SPAN("ja4")))
        return rule_fail(b, "app-layer.protocols.tls.ja4-fingerprints is switched off");
    if (conf->hassh_off && span_starts(name, SPAN("ssh.hassh")))
        return rule_fail(b, "app-layer.protocols.ssh.hassh is switched off");
    return true;
}

bool build_sticky(struct build *b, uint16_t buffer)
{
    const struct catalogue *c = b->l->catalogue;
    const struct buffer_spec *s = &c->specs[buffer];
    if (!fingerprint_allowed(b, buffer))
        return false;
    if (b->list == LIST_BASE64)
        return rule_fail(b, "no other buffer can follow base64_data");
    if (b->list_fresh && b->n_transforms)
        return rule_fail(b, "the transforms before it have nothing to work on");
    if (b->list_fresh)
        return rule_fail(b, "the sticky buffer before it has no condition");
    if (s->kind == BUFFER_OF_APP && s->app != PROTO_NONE && !build_app(b, s->app))
        return false;
    /* addresses are those of the flow too, and go with buffers of protocols */
    if (s->kind == BUFFER_OF_PACKET && buffer != BUFFER_IP_SRC && buffer != BUFFER_IP_DST)
        b->wants_packet = true;
    if (s->kind == BUFFER_OF_FILE)
        b->r->flags |= RULE_FILES;
    if (s->kind != BUFFER_OF_PACKET)
        b->r->flags |= RULE_NEEDS_APP;
    b->list = LIST_BUFFER + buffer;
    b->list_at = b->at;
    b->run = NULL;
    b->list_fresh = true;
    b->n_transforms = 0;
    return true;
}

/* Protocols that carry another one's transactions: a rule on the first may use the second's
 * keywords. */
static bool app_carries(uint8_t app, uint8_t other)
{
    static const char *const pairs[][2] = {{"http2", "http"}, {"doh2", "http"}, {"doh2", "http2"},
                                           {"doh2", "dns"},   {"quic", "tls"},  {"smb", "dcerpc"},
                                           {"mdns", "dns"}};
    for (size_t i = 0; i < LEN(pairs); i++)
        if (app == app_find(span_str(pairs[i][0])) && other == app_find(span_str(pairs[i][1])))
            return true;
    return false;
}

bool build_app(struct build *b, uint8_t app)
{
    if (b->r->app == app || app == PROTO_NONE || app_carries(b->r->app, app))
        return true;
    if (b->r->app != PROTO_NONE)
        return rule_fail(b, "it needs protocol %s, but the rule is on %s", app_name_of(app),
                         app_name_of(b->r->app));
    b->r->app = app;
    return true;
}

int build_var(const struct build *b, struct span name)
{
    for (uint8_t i = 0; i < b->n_vars; i++)
        if (span_eq(span_str(b->vars[i]), name))
            return i;
    return -1;
}

bool build_var_add(struct build *b, struct span name, uint8_t *ret)
{
    if (!name.n)
        return rule_fail(b, "the name of the variable is missing");
    if (!ascii_is_alpha(name.p[0]))
        return rule_fail(b, "the name of a variable begins with a letter");
    if (build_var(b, name) >= 0)
        return rule_fail(b, "variable \"%.*s\" is set twice", (int)min_size(name.n, 64),
                         (const char *)name.p);
    if (b->n_vars == BUILD_VARS)
        return rule_fail(b, "more than %d variables in one rule", BUILD_VARS);
    *ret = b->n_vars;
    b->vars[b->n_vars++] = build_str(b, name);
    return true;
}

/* ---- forms of values ---- */

struct span next_element(struct span *rest)
{
    return span_trim(span_split(rest, ','));
}

bool parse_uint(struct span text, bool units, uint64_t *ret)
{
    static const struct {
        const char *name;
        unsigned shift;
    } unit[] = {{"kb", 10}, {"kib", 10}, {"mb", 20}, {"mib", 20}, {"gb", 30}, {"gib", 30}};
    uint64_t v = 0;
    unsigned shift = 0;
    size_t i = 0;
    if (text.n > 2 && text.p[0] == '0' && (text.p[1] | 0x20) == 'x') {
        if (text.n > 18)
            return false;
        for (i = 2; i < text.n; i++) {
            int digit = ascii_hex(text.p[i]);
            if (digit < 0)
                return false;
            v = v << 4 | (unsigned)digit;
        }
        *ret = v;
        return true;
    }
    while (i < text.n && ascii_is_digit(text.p[i]))
        i++;
    if (i < text.n) {
        struct span name = span_trim(span_from(text, i));
        for (size_t k = 0; units && k < LEN(unit); k++)
            if (span_ieq(name, span_str(unit[k].name)))
                shift = unit[k].shift;
        if (!shift)
            return false;
    }
    if (!span_u64(span_cut(text, 0, i), &v) || v > UINT64_MAX >> shift)
        return false;
    *ret = v << shift;
    return true;
}

bool parse_int(struct span text, int64_t min, int64_t max, int64_t *ret)
{
    if (text.n && text.p[0] == '+')
        text = span_from(text, 1);
    return span_i64(text, ret) && *ret >= min && *ret <= max;
}

/* Is there a range "a-b" or "a<>b" in text? Cuts it. */
static bool split_range(struct span text, struct span *low, struct span *high)
{
    size_t at = span_find(text, SPAN("<>"));
    size_t n = 2;
    if (at == SIZE_MAX) {
        at = span_find_byte(text, '-');
        n = 1;
        if (at == text.n)
            return false;
    }
    *low = span_trim(span_cut(text, 0, at));
    *high = span_trim(span_from(text, at + n));
    return true;
}

static bool uint_mask(struct span text, struct uint_cond *ret)
{
    size_t eq = span_find_byte(text, '=');
    struct span mask = span_trim(span_cut(text, 0, eq));
    bool negated = mask.n && mask.p[mask.n - 1] == '!';
    if (negated)
        mask = span_trim(span_cut(mask, 0, mask.n - 1));
    ret->op = negated ? UINT_NOT_MASK : UINT_MASK;
    return eq < text.n && parse_uint(mask, false, &ret->a) &&
           parse_uint(span_trim(span_from(text, eq + 1)), false, &ret->b);
}

static bool uint_read(struct span text, struct uint_cond *ret)
{
    static const struct {
        const char *sign;
        uint8_t op;
    } ops[] = {{"<=", UINT_LE}, {">=", UINT_GE}, {"!=", UINT_NE}, {"<", UINT_LT},
               {">", UINT_GT},  {"=", UINT_EQ},  {"!", UINT_NE}};
    struct span low, high;
    *ret = (struct uint_cond){.op = UINT_EQ};
    if (text.n && text.p[0] == '&')
        return uint_mask(span_trim(span_from(text, 1)), ret);
    for (size_t i = 0; i < LEN(ops); i++)
        if (span_starts(text, span_str(ops[i].sign)) && !span_starts(text, SPAN("<>"))) {
            ret->op = ops[i].op;
            text = span_trim(span_from(text, strlen(ops[i].sign)));
            break;
        }
    if ((ret->op == UINT_EQ || ret->op == UINT_NE) && split_range(text, &low, &high)) {
        ret->op = ret->op == UINT_EQ ? UINT_RANGE : UINT_NOT_RANGE;
        return parse_uint(low, true, &ret->a) && parse_uint(high, true, &ret->b);
    }
    return parse_uint(text, true, &ret->a);
}

bool parse_uint_cond(struct build *b, struct span text, uint64_t max, struct uint_cond *ret)
{
    text = span_trim(text);
    int n = (int)min_size(text.n, 64);
    if (!uint_read(text, ret))
        return rule_fail_at(b, text.p, "\"%.*s\" is not a number or comparison", n,
                            (const char *)text.p);
    if (ret->a > max || ret->b > max)
        return rule_fail_at(b, text.p, "\"%.*s\": the largest possible value is %llu", n,
                            (const char *)text.p, (unsigned long long)max);
    if ((ret->op == UINT_RANGE || ret->op == UINT_NOT_RANGE) &&
        (ret->a >= ret->b || ret->b - ret->a == 1))
        return rule_fail_at(b, text.p, "the range \"%.*s\" is empty (both ends are exclusive)", n,
                            (const char *)text.p);
    if ((ret->op == UINT_LT && ret->a == 0) || (ret->op == UINT_GT && ret->a == max))
        return rule_fail_at(b, text.p, "\"%.*s\" can never match", n, (const char *)text.p);
    return true;
}

/* One escaped or hex-coded byte or plain character of a content. */
struct content_reader {
    struct build *b;
    struct span text;
    size_t i;
    bool hex;
    int high; /* first digit of a hex pair, or -1 */
};

/* 1: a byte in *ret; 0: nothing to add; -1: failed */
static int content_step(struct content_reader *c, uint8_t *ret)
{
    uint8_t ch = c->text.p[c->i];
    const uint8_t *at = c->text.p + c->i++;
    if (ch == '|') {
        if (c->hex && c->high >= 0)
            return rule_fail_at(c->b, at, "a hex byte has only one digit") - 1;
        c->hex = !c->hex;
        return 0;
    }
    if (c->hex) {
        int digit = ascii_hex(ch);
        if (ascii_is_space(ch))
            return 0;
        if (digit < 0)
            return rule_fail_at(c->b, at, "'%c' is not a hex digit", ch) - 1;
        if (c->high < 0) {
            c->high = digit;
            return 0;
        }
        *ret = (uint8_t)(c->high << 4 | digit);
        c->high = -1;
        return 1;
    }
    if (ch == '"')
        return rule_fail_at(c->b, at, "a double quote inside the content is not escaped") - 1;
    if (ch == '\\') {
        if (c->i == c->text.n)
            return rule_fail_at(c->b, at, "nothing follows the backslash") - 1;
        ch = c->text.p[c->i++];
        if (ch != ';' && ch != ':' && ch != '\\' && ch != '"')
            return rule_fail_at(c->b, at, "'%c' cannot be escaped, only ; : \\ and \"", ch) - 1;
    }
    *ret = ch;
    return 1;
}

bool parse_content(struct build *b, struct span text, struct span *ret)
{
    struct content_reader c = {.b = b, .text = text, .high = -1};
    uint8_t *out = build_get(b, text.n + 1);
    size_t n = 0;
    if (!text.n)
        return rule_fail(b, "the content is empty");
    while (c.i < text.n) {
        int got = content_step(&c, &out[n]);
        if (got < 0)
            return false;
        n += (size_t)got;
    }
    if (c.hex)
        return rule_fail_at(b, text.p + text.n, "'|' expected at the end of the hex bytes");
    if (!n)
        return rule_fail(b, "the content is empty");
    *ret = span_of(out, n);
    return true;
}
