/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates a query tree on an event's JSON. For each condition the text is walked once along the
 * field's path; lists on the way are tried element by element. */
#include "api/match.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

enum { ARENA_MAX = 256 << 10 };

struct match {
    struct arena arena;
    struct query *tree;
};

bool match_compile(struct span text, uint64_t now_ns, struct match **ret, struct query_error *error)
{
    struct match *m = mem_zero(sizeof(*m));
    arena_init(&m->arena, NULL, ARENA_MAX);
    struct span copy = arena_dup(&m->arena, text);
    if (query_parse(&m->arena, copy, now_ns, &m->tree, error)) {
        *ret = m;
        return true;
    }
    match_free(m);
    return false;
}

void match_free(struct match *m)
{
    if (!m)
        return;
    arena_free(&m->arena);
    mem_free(m);
}

/* -1, 0, 1 of two numbers of which either may be below zero. */
static int compare(const struct json_value *v, const struct query_value *want)
{
    bool negative = v->type == JSON_INT && v->i < 0;
    uint64_t u = v->type == JSON_UINT ? v->u : (uint64_t)v->i;
    if (negative != want->negative)
        return negative ? -1 : 1;
    return u < want->u ? -1 : u > want->u;
}

static bool ordered(enum query_op op, int low, int high)
{
    switch (op) {
    case QUERY_LT:
        return low < 0;
    case QUERY_LE:
        return low <= 0;
    case QUERY_GT:
        return low > 0;
    case QUERY_GE:
        return low >= 0;
    case QUERY_RANGE:
        return low >= 0 && high <= 0;
    default:
        return low == 0;
    }
}

static bool test_ip(const struct query *q, struct span text)
{
    struct ip ip, first, last;
    if (!ip_parse(text, &ip) || ip.family != q->low.cidr.ip.family)
        return false;
    if (q->op == QUERY_EQ || q->op == QUERY_CIDR)
        return cidr_has(&q->low.cidr, &ip);
    cidr_range(q->op == QUERY_RANGE ? &q->high.cidr : &q->low.cidr, &first, &last);
    return ordered(q->op, ip_cmp(&ip, &q->low.cidr.ip), ip_cmp(&ip, &last));
}

static bool test_time(const struct query *q, struct span text)
{
    uint64_t ns;
    if (!clock_parse(text, &ns))
        return false;
    int low = ns < q->low.u ? -1 : ns > q->low.u;
    int high = ns < q->high.u ? -1 : ns > q->high.u;
    return ordered(q->op, low, high);
}

static bool test_text(const struct query *q, const struct query_target *t,
                      const struct json_value *v)
{
    bool lower = !t->key.n && field_table[t->field].column == COL_LC;
    struct span s = v->raw;
    struct buf b = buf_new(v->raw.n + 1);
    if (v->escaped) {
        json_unescape(&b, v->raw);
        s = buf_span(&b);
    }
    bool good;
    if (q->op == QUERY_LIKE)
        good = query_glob(q->low.text, s);
    else
        good = lower ? span_ieq(s, q->low.text) : span_eq(s, q->low.text);
    buf_free(&b);
    return good;
}

static bool test_value(const struct query *q, const struct query_target *t,
                       const struct json_value *v)
{
    enum field_type type = t->key.n ? T_STR : (enum field_type)field_table[t->field].type;
    if (q->op == QUERY_EXISTS)
        return v->type != JSON_NULL;
    switch (v->type) {
    case JSON_INT:
    case JSON_UINT:
        if (type == T_STR)
            return span_eq(v->raw, q->low.text);
        return ordered(q->op, compare(v, &q->low), compare(v, &q->high));
    case JSON_BOOL:
        return v->b == (q->low.u != 0);
    case JSON_STRING:
        if (type == T_IP)
            return test_ip(q, v->raw);
        return type == T_TIME ? test_time(q, v->raw) : test_text(q, t, v);
    default:
        return false;
    }
}

/* The value that was just read lies on the path, of which `rest` is still to go. Unless something
 * is found the value is read to its end. */
static bool walk(struct json *j, struct json_value *v, struct span rest, const struct query *q,
                 const struct query_target *t)
{
    struct json_value inner;
    bool found = false;
    if (v->type == JSON_ARRAY) {
        while (!found && json_next(j, &inner) > JSON_END)
            found = walk(j, &inner, rest, q, t);
        return found || (rest.n == 0 && q->op == QUERY_EXISTS);
    }
    if (rest.n == 0 && v->type == JSON_OBJECT)
        return json_skip(j, v) && q->op == QUERY_EXISTS;
    if (rest.n == 0)
        return test_value(q, t, v);
    if (v->type != JSON_OBJECT)
        return false;
    struct span after = rest;
    struct span key = span_split(&after, '.');
    while (!found && json_next(j, &inner) > JSON_END) {
        if (json_key_is(&inner, key))
            found = walk(j, &inner, after, q, t);
        else if (!json_skip(j, &inner))
            return false;
    }
    return found;
}

static bool test_target(const struct query *q, const struct query_target *t, struct span line)
{
    char text[FIELD_PATH + 256];
    struct json j;
    struct json_value v;
    struct span path = field_path(t->field, text, FIELD_PATH);
    if (t->key.n) {
        snprintf(text + path.n, sizeof(text) - path.n, ".%.*s", (int)t->key.n, t->key.p);
        path = span_str(text);
    }
    json_init(&j, line);
    if (json_next(&j, &v) != JSON_OBJECT)
        return false;
    return walk(&j, &v, path, q, t);
}

static bool contains(struct span line, struct span what)
{
    for (size_t i = 0; i + what.n <= line.n; i++)
        if (span_ieq(span_cut(line, i, what.n), what))
            return true;
    return false;
}

static bool eval(const struct query *q, struct span line)
{
    switch (q->kind) {
    case QUERY_ALL:
        return true;
    case QUERY_AND:
        return eval(q->left, line) && eval(q->right, line);
    case QUERY_OR:
        return eval(q->left, line) || eval(q->right, line);
    case QUERY_NOT:
        return !eval(q->left, line);
    case QUERY_TEXT:
        return contains(line, q->low.text);
    case QUERY_FIELD:
        for (unsigned i = 0; i < q->targets; i++)
            if (test_target(q, &q->target[i], line))
                return true;
        return false;
    }
    return false;
}

bool match_line(const struct match *m, struct span line)
{
    return eval(m->tree, line);
}
