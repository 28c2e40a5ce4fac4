/* SPDX-License-Identifier: Apache-2.0 */
/* Lexer and recursive-descent parser of the query language. Precedence: NOT and '-' bind to what
 * follows, words side by side are AND, OR binds loosest. A word with a colon is field:value when
 * what stands before the colon can be a field's name; an address or a URL is free text. */
#include "api/query.h"

#include "api/timespec.h"

#include <stdarg.h>

struct parser {
    struct arena *arena;
    struct span text;
    size_t at;
    unsigned depth, nodes;
    uint64_t now_ns;
    struct query_error *error;
    bool failed;
};

static struct query *parse_or(struct parser *p);

static struct query *fail(struct parser *p, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);
static struct query *fail(struct parser *p, size_t at, const char *fmt, ...)
{
    va_list ap;
    if (p->failed)
        return NULL;
    p->failed = true;
    p->error->position = (unsigned)at;
    va_start(ap, fmt);
    vsnprintf(p->error->text, sizeof(p->error->text), fmt, ap);
    va_end(ap);
    return NULL;
}

static struct query *node(struct parser *p, enum query_kind kind, size_t at)
{
    struct query *q = NULL;
    if (++p->nodes > QUERY_MAX_NODES)
        return fail(p, at, "the query has more than %d parts", QUERY_MAX_NODES);
    q = arena_zero(p->arena, sizeof(*q));
    if (!q)
        return fail(p, at, "the query is too large");
    q->kind = kind;
    q->position = (unsigned)at;
    return q;
}

static struct query *pair(struct parser *p, enum query_kind kind, struct query *l, struct query *r)
{
    struct query *q = l && r ? node(p, kind, l->position) : NULL;
    if (q) {
        q->left = l;
        q->right = r;
    }
    return q;
}

/* --- lexing --- */

static void skip_space(struct parser *p)
{
    while (p->at < p->text.n && ascii_is_space(p->text.p[p->at]))
        p->at++;
}

static int peek(struct parser *p)
{
    return p->at < p->text.n ? p->text.p[p->at] : -1;
}

static bool is_word_byte(uint8_t c)
{
    return !ascii_is_space(c) && c != '(' && c != ')' && c != '"';
}

static struct span peek_word(struct parser *p)
{
    size_t end = p->at;
    while (end < p->text.n && is_word_byte(p->text.p[end]))
        end++;
    return span_cut(p->text, p->at, end - p->at);
}

static bool take_keyword(struct parser *p, struct span word)
{
    skip_space(p);
    if (!span_eq(peek_word(p), word))
        return false;
    p->at += word.n;
    return true;
}

/* At the opening quote: the content, with \" and \\ undone. */
static bool take_phrase(struct parser *p, struct span *ret)
{
    size_t open = p->at++, n = 0;
    uint8_t *to = arena_get(p->arena, p->text.n);
    if (!to)
        return fail(p, open, "the query is too large") != NULL;
    while (p->at < p->text.n) {
        uint8_t c = p->text.p[p->at++];
        if (c == '"') {
            *ret = span_of(to, n);
            return true;
        }
        if (c == '\\' && (peek(p) == '"' || peek(p) == '\\'))
            c = p->text.p[p->at++];
        to[n++] = c;
    }
    fail(p, open, "the quote is not closed");
    return false;
}

/* --- names --- */

static const struct alias {
    const char *name;
    enum field a, b;
} aliases[] = {
    {"ip", F_src_ip, F_dest_ip},
    {"port", F_src_port, F_dest_port},
    {"sid", F_alert_signature_id, F_root},
    {"signature", F_alert_signature, F_root},
    {"category", F_alert_category, F_root},
    {"severity", F_daizong_severity, F_root},
    {"technique", F_daizong_techniques, F_root},
    {"sensor", F_daizong_sensor, F_root},
    {"unit", F_daizong_unit, F_root},
    {"type", F_event_type, F_root},
    {"mac", F_ether_src_mac, F_ether_dest_mac},
};

bool query_target_find(struct span name, struct query_target *ret)
{
    struct span rest = name;
    enum field f = F_root;
    for (size_t i = 0; i < LEN(aliases); i++)
        if (span_eq(name, span_str(aliases[i].name))) {
            *ret = (struct query_target){.field = aliases[i].a};
            return true;
        }
    while (rest.n > 0) {
        struct span key = span_split(&rest, '.');
        f = field_find(f, key);
        if (f == F_root)
            return false;
        if (field_table[f].type == T_MAP && rest.n > 0)
            break; /* the rest of the path is data */
    }
    *ret = (struct query_target){.field = f, .key = rest};
    return f != F_root;
}

static bool name_looks_like_field(struct span s)
{
    if (s.n == 0 || !ascii_is_alpha(s.p[0]))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '_' && c != '.' && c != '-')
            return false;
    }
    return true;
}

static struct query *unknown_field(struct parser *p, size_t at, struct span name)
{
    char text[FIELD_PATH], best[FIELD_PATH] = "";
    unsigned least = 3;
    for (unsigned f = F_root + 1; f < F_COUNT; f++) {
        struct span path = field_path((enum field)f, text, sizeof(text));
        bool last_part =
            span_ends(path, name) && path.n > name.n && path.p[path.n - name.n - 1] == '.';
        unsigned d = last_part ? 1 : span_distance(name, path);
        if (d < least) {
            least = d;
            span_copy(path, best, sizeof(best));
        }
    }
    if (best[0])
        return fail(p, at, "there is no field %.*s; did you mean %s?", (int)min_size(name.n, 60),
                    name.p, best);
    return fail(p, at, "there is no field %.*s", (int)min_size(name.n, 60), name.p);
}

/* --- values --- */

static bool has_glob(struct span s)
{
    return span_find_byte(s, '*') < s.n || span_find_byte(s, '?') < s.n;
}

static bool is_number(enum field_type t)
{
    return t == T_UINT || t == T_INT || t == T_UINTS || t == T_DOUBLE;
}

static bool number_value(struct span s, struct query_value *v)
{
    int64_t i;
    if (span_u64(s, &v->u))
        return true;
    if (!span_i64(s, &i))
        return false;
    v->negative = true;
    v->u = (uint64_t)i;
    return true;
}

/* "10.*", "10.1.*": a network by octets. */
static bool glob_network(struct span s, struct cidr *ret)
{
    char text[24];
    unsigned dots = 0;
    if (s.n < 3 || s.n > 14 || !span_ends(s, SPAN(".*")) || has_glob(span_cut(s, 0, s.n - 2)))
        return false;
    for (size_t i = 0; i < s.n - 2; i++)
        dots += s.p[i] == '.';
    if (dots > 2)
        return false;
    static const char *const rest[] = {".0.0.0/8", ".0.0/16", ".0/24"};
    snprintf(text, sizeof(text), "%.*s%s", (int)(s.n - 2), s.p, rest[dots]);
    return cidr_parse(span_str(text), ret);
}

/* Reads the value of a field of type t; false with the failure set. */
static bool typed_value(struct parser *p, size_t at, enum field_type t, struct query_value *v)
{
    bool ok = true;
    const char *want = "";
    switch (t) {
    case T_IP:
        ok = cidr_parse(v->text, &v->cidr) || glob_network(v->text, &v->cidr);
        want = "an address or network (10.0.0.0/8)";
        break;
    case T_TIME:
        ok = timespec_parse(v->text, p->now_ns, &v->u);
        want = "a time (2026-01-31T12:00:00Z, now-1h)";
        break;
    case T_BOOL:
        v->u = span_eq(v->text, SPAN("true")) || span_eq(v->text, SPAN("1"));
        ok = v->u || span_eq(v->text, SPAN("false")) || span_eq(v->text, SPAN("0"));
        want = "true or false";
        break;
    default:
        if (is_number(t)) {
            ok = number_value(v->text, v);
            want = "a whole number";
        }
        break;
    }
    if (!ok)
        fail(p, at, "%.*s is not %s", (int)min_size(v->text.n, 60), v->text.p, want);
    return ok;
}

static enum field_type target_type(const struct query_target *t)
{
    return t->key.n > 0 ? T_STR : (enum field_type)field_table[t->field].type;
}

static bool is_container(enum field_type t)
{
    return t == T_OBJ || t == T_LIST || t == T_MAP || t == T_OBJS;
}

static struct query *range_value(struct parser *p, struct query *q, enum field_type t)
{
    size_t open = p->at++;
    skip_space(p);
    size_t low_at = p->at;
    q->low.text = peek_word(p);
    p->at += q->low.text.n;
    if (!take_keyword(p, SPAN("TO")))
        return fail(p, p->at, "a range is written [100 TO 200]");
    skip_space(p);
    size_t high_at = p->at;
    q->high.text = peek_word(p);
    size_t close = span_find_byte(q->high.text, ']');
    bool closed = close < q->high.text.n;
    if (closed)
        q->high.text = span_cut(q->high.text, 0, close);
    p->at += q->high.text.n;
    skip_space(p);
    if (peek(p) != ']')
        return fail(p, open, "the range is not closed");
    p->at++;
    if (!is_number(t) && t != T_IP && t != T_TIME)
        return fail(p, open, "this field has no order: ranges do not work with it");
    q->op = QUERY_RANGE;
    if (span_eq(q->low.text, SPAN("*"))) {
        q->op = QUERY_LE;
        q->low = q->high;
        return typed_value(p, high_at, t, &q->low) ? q : NULL;
    }
    if (!typed_value(p, low_at, t, &q->low))
        return NULL;
    if (span_eq(q->high.text, SPAN("*"))) {
        q->op = QUERY_GE;
        return q;
    }
    return typed_value(p, high_at, t, &q->high) ? q : NULL;
}

static struct query *compare_value(struct parser *p, struct query *q, enum field_type t)
{
    bool greater = peek(p) == '>';
    size_t at = p->at++;
    bool equal = peek(p) == '=';
    if (equal)
        p->at++;
    q->op = greater ? (equal ? QUERY_GE : QUERY_GT) : (equal ? QUERY_LE : QUERY_LT);
    size_t value_at = p->at;
    q->low.text = peek_word(p);
    p->at += q->low.text.n;
    if (q->low.text.n == 0)
        return fail(p, at, "a value is missing after the comparison");
    if (!is_number(t) && t != T_TIME && t != T_IP)
        return fail(p, at, "this field has no order: < and > do not work with it");
    return typed_value(p, value_at, t, &q->low) ? q : NULL;
}

static struct query *plain_value(struct parser *p, struct query *q, enum field_type t)
{
    size_t at = p->at;
    bool quoted = peek(p) == '"';
    if (quoted) {
        if (!take_phrase(p, &q->low.text))
            return NULL;
    } else {
        q->low.text = peek_word(p);
        p->at += q->low.text.n;
    }
    if (!quoted && span_eq(q->low.text, SPAN("*"))) {
        q->op = QUERY_EXISTS;
        return q;
    }
    if (is_container(t))
        return fail(p, at, "this is an object: name one of its members, or ask field:*");
    if (!quoted && q->low.text.n == 0)
        return fail(p, at, "a value is missing");
    if (!quoted && (t == T_STR || t == T_STRS) && has_glob(q->low.text)) {
        q->op = QUERY_LIKE;
        return q;
    }
    if (!typed_value(p, at, t, &q->low))
        return NULL;
    unsigned whole = q->low.cidr.ip.family == 4 ? 32 : 128;
    q->op = t == T_IP && q->low.cidr.bits < whole ? QUERY_CIDR : QUERY_EQ;
    return q;
}

struct named {
    struct query_target target[2];
    unsigned targets;
    size_t at;
};

static struct query *one_value(struct parser *p, const struct named *n)
{
    struct query *q = node(p, QUERY_FIELD, n->at);
    if (!q)
        return NULL;
    memcpy(q->target, n->target, sizeof(q->target));
    q->targets = n->targets;
    enum field_type t = target_type(&q->target[0]);
    int c = peek(p);
    if (c == '[')
        return range_value(p, q, t);
    if (c == '>' || c == '<')
        return compare_value(p, q, t);
    return plain_value(p, q, t);
}

/* field:(a OR b c) */
static struct query *value_group(struct parser *p, const struct named *n)
{
    size_t open = p->at++;
    struct query *all = NULL;
    for (;;) {
        skip_space(p);
        if (peek(p) == ')') {
            p->at++;
            return all ? all : fail(p, open, "the group is empty");
        }
        if (peek(p) < 0)
            return fail(p, open, "the parenthesis is not closed");
        bool either = all && take_keyword(p, SPAN("OR"));
        skip_space(p);
        if (peek(p) == '(' || peek(p) == ')')
            return fail(p, p->at, "a value is missing");
        struct query *one = one_value(p, n);
        if (!one)
            return NULL;
        all = all ? pair(p, either ? QUERY_OR : QUERY_AND, all, one) : one;
        if (!all)
            return NULL;
    }
}

static struct query *field_term(struct parser *p, struct span name, size_t at)
{
    struct named n = {.targets = 1, .at = at};
    if (!query_target_find(name, &n.target[0]))
        return unknown_field(p, at, name);
    for (size_t i = 0; i < LEN(aliases); i++)
        if (aliases[i].b != F_root && span_eq(name, span_str(aliases[i].name)))
            n.target[n.targets++].field = aliases[i].b;
    p->at += name.n + 1;
    return peek(p) == '(' ? value_group(p, &n) : one_value(p, &n);
}

/* --- structure --- */

static struct query *term(struct parser *p)
{
    size_t at = p->at;
    if (peek(p) == '"') {
        struct span phrase;
        if (!take_phrase(p, &phrase))
            return NULL;
        struct query *q = node(p, phrase.n ? QUERY_TEXT : QUERY_ALL, at);
        if (q)
            q->low.text = phrase;
        return q;
    }
    struct span word = peek_word(p);
    struct span after = word;
    struct span name = span_split(&after, ':');
    struct ip ip;
    bool colon = name.n < word.n;
    if (colon && !ip_parse(word, &ip) && !span_starts(after, SPAN("//")) &&
        name_looks_like_field(name))
        return field_term(p, name, at);
    struct query *q = node(p, QUERY_TEXT, at);
    if (!q)
        return NULL;
    p->at += word.n;
    q->low.text = word;
    if (span_eq(word, SPAN("*")))
        q->kind = QUERY_ALL;
    return q;
}

static struct query *unary(struct parser *p)
{
    struct query *inner;
    skip_space(p);
    size_t at = p->at;
    if (p->depth >= QUERY_MAX_DEPTH)
        return fail(p, at, "the query is nested deeper than %d", QUERY_MAX_DEPTH);
    bool minus = peek(p) == '-' && p->at + 1 < p->text.n && !ascii_is_space(p->text.p[p->at + 1]);
    if (minus)
        p->at++;
    if (minus || take_keyword(p, SPAN("NOT"))) {
        p->depth++;
        inner = unary(p);
        p->depth--;
        struct query *q = inner ? node(p, QUERY_NOT, at) : NULL;
        if (q)
            q->left = inner;
        return q;
    }
    if (peek(p) == '(') {
        p->at++;
        p->depth++;
        inner = parse_or(p);
        p->depth--;
        skip_space(p);
        if (inner && peek(p) != ')')
            return fail(p, at, "the parenthesis is not closed");
        p->at++;
        return inner;
    }
    if (peek(p) == ')')
        return fail(p, at, "there is no opening parenthesis for this one");
    if (peek(p) < 0)
        return fail(p, at, "something is missing at the end");
    struct span word = peek_word(p);
    if (span_eq(word, SPAN("OR")) || span_eq(word, SPAN("AND")))
        return fail(p, at, "%.*s stands between two things", (int)word.n, word.p);
    return term(p);
}

static struct query *parse_and(struct parser *p)
{
    struct query *all = unary(p);
    while (all) {
        skip_space(p);
        if (peek(p) < 0 || (peek(p) == ')' && p->depth > 0))
            break;
        if (span_eq(peek_word(p), SPAN("OR")))
            break;
        (void)take_keyword(p, SPAN("AND"));
        all = pair(p, QUERY_AND, all, unary(p));
    }
    return all;
}

static struct query *parse_or(struct parser *p)
{
    struct query *all = parse_and(p);
    while (all && take_keyword(p, SPAN("OR")))
        all = pair(p, QUERY_OR, all, parse_and(p));
    return all;
}

bool query_parse(struct arena *a, struct span text, uint64_t now_ns, struct query **ret,
                 struct query_error *error)
{
    struct parser p = {.arena = a, .text = text, .now_ns = now_ns, .error = error};
    *error = (struct query_error){0};
    if (text.n > QUERY_MAX_BYTES) {
        fail(&p, QUERY_MAX_BYTES, "the query is longer than %d bytes", QUERY_MAX_BYTES);
        return false;
    }
    skip_space(&p);
    *ret = p.at == text.n ? node(&p, QUERY_ALL, 0) : parse_or(&p);
    return *ret != NULL && !p.failed;
}

bool query_glob(struct span pattern, struct span text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, back = 0;
    while (t < text.n) {
        uint8_t c = p < pattern.n ? pattern.p[p] : 0;
        if (p < pattern.n && c == '*') {
            star = p++;
            back = t;
        } else if (p < pattern.n && (c == '?' || ascii_lower(c) == ascii_lower(text.p[t]))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++back;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}
