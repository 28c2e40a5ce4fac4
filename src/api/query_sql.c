/* SPDX-License-Identifier: Apache-2.0 */
/* From tree to SQL. A field with a column is that column; any other is taken out of the kept line
 * by JSONExtract, list by list. */
#include "api/query_sql.h"

#include "base/must.h"
#include "store/schema.h"

enum { PATH_KEYS = 16 };

/* What a condition compares: an expression and what it gives. */
struct value {
    const char *expr;
    enum field_type type;
    bool lower;  /* compare without case */
    bool column; /* its default stands for "not there" */
};

static void like_pattern(struct buf *b, struct span glob)
{
    struct buf p = buf_new(2 * glob.n + 16);
    for (size_t i = 0; i < glob.n; i++) {
        uint8_t c = glob.p[i];
        if (c == '*' || c == '?') {
            buf_byte(&p, c == '*' ? '%' : '_');
            continue;
        }
        if (c == '%' || c == '_' || c == '\\')
            buf_byte(&p, '\\');
        buf_byte(&p, c);
    }
    schema_quote(b, buf_span(&p));
    buf_free(&p);
}

static void ip_literal(struct buf *b, const struct ip *ip)
{
    char text[IP_TEXT];
    ip_text(ip, text);
    buf_printf(b, "toIPv6('%s')", text);
}

static const char *op_text(enum query_op op)
{
    switch (op) {
    case QUERY_LT:
        return "<";
    case QUERY_LE:
        return "<=";
    case QUERY_GT:
        return ">";
    case QUERY_GE:
        return ">=";
    default:
        return "=";
    }
}

static void ip_condition(struct buf *b, const struct query *q, const char *x)
{
    struct ip first, last, high_first;
    cidr_range(&q->low.cidr, &first, &last);
    if (q->op == QUERY_RANGE)
        cidr_range(&q->high.cidr, &high_first, &last);
    if (q->op == QUERY_EQ) {
        buf_printf(b, "%s = ", x);
        ip_literal(b, &first);
    } else if (q->op == QUERY_CIDR || q->op == QUERY_RANGE) {
        buf_printf(b, "(%s >= ", x);
        ip_literal(b, &first);
        buf_printf(b, " AND %s <= ", x);
        ip_literal(b, &last);
        buf_str(b, ")");
    } else {
        bool v4 = first.family == 4; /* order within the family only */
        buf_printf(b, "(%s %s ", x, op_text(q->op));
        ip_literal(b, q->op == QUERY_GT || q->op == QUERY_LE ? &last : &first);
        if (v4)
            buf_printf(b, " AND %s >= toIPv6('0.0.0.0') AND %s <= toIPv6('255.255.255.255')", x, x);
        buf_str(b, ")");
    }
}

static void number(struct buf *b, const struct query_value *v)
{
    if (v->negative)
        buf_i64(b, (int64_t)v->u);
    else
        buf_u64(b, v->u);
}

static void number_condition(struct buf *b, const struct query *q, const char *x)
{
    if (q->op == QUERY_RANGE) {
        buf_printf(b, "(%s >= ", x);
        number(b, &q->low);
        buf_printf(b, " AND %s <= ", x);
        number(b, &q->high);
        buf_str(b, ")");
        return;
    }
    buf_printf(b, "%s %s ", x, op_text(q->op));
    number(b, &q->low);
}

static void time_condition(struct buf *b, const struct query *q, const char *x)
{
    unsigned long long low = q->low.u / 1000, high = q->high.u / 1000;
    if (q->op == QUERY_RANGE)
        buf_printf(b,
                   "(%s >= fromUnixTimestamp64Micro(%llu, 'UTC') AND %s <= "
                   "fromUnixTimestamp64Micro(%llu, 'UTC'))",
                   x, low, x, high);
    else
        buf_printf(b, "%s %s fromUnixTimestamp64Micro(%llu, 'UTC')", x, op_text(q->op), low);
}

static void text_condition(struct buf *b, const struct query *q, const struct value *v)
{
    if (q->op == QUERY_LIKE) {
        buf_printf(b, "%s ILIKE ", v->expr);
        like_pattern(b, q->low.text);
    } else if (v->lower) {
        buf_printf(b, "lower(%s) = lower(", v->expr);
        schema_quote(b, q->low.text);
        buf_str(b, ")");
    } else {
        buf_printf(b, "%s = ", v->expr);
        schema_quote(b, q->low.text);
    }
}

/* A condition on one value. */
static void condition(struct buf *b, const struct query *q, const struct value *v)
{
    switch (v->type) {
    case T_IP:
        ip_condition(b, q, v->expr);
        break;
    case T_TIME:
        time_condition(b, q, v->expr);
        break;
    case T_BOOL:
        buf_printf(b, "%s = %d", v->expr, q->low.u != 0);
        break;
    case T_UINT:
    case T_INT:
    case T_DOUBLE:
    case T_UINTS:
        number_condition(b, q, v->expr);
        break;
    default:
        text_condition(b, q, v);
        break;
    }
}

/* --- columns --- */

static void column_exists(struct buf *b, enum field f)
{
    const char *id = field_table[f].id;
    switch ((enum field_column)field_table[f].column) {
    case COL_LC:
    case COL_STR:
        buf_printf(b, "%s != ''", id);
        break;
    case COL_STRS:
        buf_printf(b, "notEmpty(%s)", id);
        break;
    case COL_IP:
        buf_printf(b, "%s != toIPv6('::')", id);
        break;
    case COL_TIME:
        buf_str(b, "1");
        break;
    default:
        buf_printf(b, "%s != 0", id);
        break;
    }
}

/* Types are in lower case: compared as they are stored, the table's order finds them. */
static void event_type_condition(struct buf *b, struct span type)
{
    struct buf lower = buf_new(type.n + 1);
    for (size_t i = 0; i < type.n; i++)
        buf_byte(&lower, ascii_lower(type.p[i]));
    buf_str(b, "event_type = ");
    schema_quote(b, buf_span(&lower));
    buf_free(&lower);
}

static void column_condition(struct buf *b, const struct query *q, enum field f)
{
    const struct field_row *r = &field_table[f];
    struct value v = {.expr = r->id, .type = (enum field_type)r->type, .column = true};
    v.lower = r->column == COL_LC;
    if (q->op == QUERY_EXISTS) {
        column_exists(b, f);
    } else if (f == F_event_type && q->op == QUERY_EQ) {
        event_type_condition(b, q->low.text);
    } else if (r->column == COL_STRS && q->op == QUERY_EQ) {
        buf_printf(b, "has(%s, ", r->id); /* what its index answers */
        schema_quote(b, q->low.text);
        buf_str(b, ")");
    } else if (r->column == COL_STRS) {
        v.expr = "x";
        v.type = T_STR;
        buf_str(b, "arrayExists(x -> ");
        condition(b, q, &v);
        buf_printf(b, ", %s)", r->id);
    } else {
        condition(b, q, &v);
    }
}

/* --- the kept line --- */

struct place {
    struct span key[PATH_KEYS];
    bool list[PATH_KEYS]; /* this key holds a list of objects */
    size_t n;
};

static void place_of(const struct query_target *t, struct place *p)
{
    enum field chain[PATH_KEYS];
    size_t n = 0;
    struct span rest = t->key;
    *p = (struct place){0};
    for (enum field f = t->field; f != F_root && n < PATH_KEYS; f = field_table[f].parent)
        chain[n++] = f;
    while (n > 0) {
        const struct field_row *r = &field_table[chain[--n]];
        p->list[p->n] = r->type == T_LIST;
        p->key[p->n++] = span_of(r->key, r->key_n);
    }
    while (rest.n > 0 && p->n < PATH_KEYS)
        p->key[p->n++] = span_split(&rest, '.');
}

/* ", 'a', 'b'" for keys [from, to) */
static void keys(struct buf *b, const struct place *p, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        buf_str(b, ", ");
        schema_quote(b, p->key[i]);
    }
}

static const char *json_type_of(enum field_type t)
{
    switch (t) {
    case T_UINT:
    case T_UINTS:
        return "UInt64";
    case T_INT:
        return "Int64";
    case T_DOUBLE:
        return "Float64";
    case T_BOOL:
        return "Bool";
    default:
        return "String";
    }
}

/* Every value at the end of the path as an array of texts: a string, an array of them, or a number
 * as it is written. */
static void data_values(struct buf *b, const char *from, const struct place *p, size_t at)
{
    buf_printf(b, "arrayConcat([JSONExtractString(%s", from);
    keys(b, p, at, p->n);
    buf_printf(b, "), JSONExtractRaw(%s", from);
    keys(b, p, at, p->n);
    buf_printf(b, ")], JSONExtract(%s", from);
    keys(b, p, at, p->n);
    buf_str(b, ", 'Array(String)'))");
}

static void leaf_condition(struct buf *b, const struct query *q, const struct query_target *t,
                           const char *from, const struct place *p, size_t at)
{
    enum field_type type = (enum field_type)field_table[t->field].type;
    struct value v = {.expr = "x", .type = type};
    struct buf expr = buf_new(4096);
    if (q->op == QUERY_EXISTS) {
        buf_printf(b, "JSONHas(%s", from);
        keys(b, p, at, p->n);
        buf_str(b, ")");
    } else if (t->key.n > 0) {
        v.type = T_STR;
        buf_str(b, "arrayExists(x -> ");
        condition(b, q, &v);
        buf_str(b, ", ");
        data_values(b, from, p, at);
        buf_str(b, ")");
    } else if (type == T_STRS || type == T_UINTS) {
        buf_str(b, "arrayExists(x -> ");
        condition(b, q, &v);
        buf_printf(b, ", JSONExtract(%s", from);
        keys(b, p, at, p->n);
        buf_printf(b, ", 'Array(%s)'))", json_type_of(type));
    } else {
        bool ip = type == T_IP;
        buf_printf(&expr, "%sJSONExtract(%s", ip ? "toIPv6OrDefault(" : "", from);
        keys(&expr, p, at, p->n);
        buf_printf(&expr, ", '%s')%s", json_type_of(type), ip ? ")" : "");
        v.expr = buf_cstr(&expr);
        buf_printf(b, "(JSONHas(%s", from); /* a missing number is not 0 */
        keys(b, p, at, p->n);
        buf_str(b, ") AND ");
        condition(b, q, &v);
        buf_str(b, ")");
    }
    buf_free(&expr);
}

/* Few forms tell of many lines that they have no such key: those are not put together. */
static void form_condition(struct buf *b, struct span key)
{
    char quoted[80];
    for (size_t i = 0; i < key.n; i++)
        if (!ascii_is_alpha(key.p[i]) && !ascii_is_digit(key.p[i]) && key.p[i] != '_' &&
            key.p[i] != '-')
            return; /* it may be written in several ways */
    int n = snprintf(quoted, sizeof(quoted), "\"%.*s\"", (int)key.n, (const char *)key.p);
    if (n < 0 || (size_t)n >= sizeof(quoted))
        return;
    buf_str(b, "(raw_form = '' OR position(raw_form, ");
    schema_quote(b, span_str(quoted));
    buf_str(b, ") > 0) AND ");
}

static void line_condition(struct buf *b, const struct query *q, const struct query_target *t)
{
    static const char *const names[] = {"line", "a", "e", "i", "o"};
    struct place p;
    size_t at = 0, depth = 0;
    place_of(t, &p);
    form_condition(b, p.key[p.n - 1]);
    for (size_t i = 0; i + 1 < p.n && depth + 1 < LEN(names); i++) {
        if (!p.list[i])
            continue;
        buf_printf(b, "arrayExists(%s -> ", names[depth + 1]);
        depth++;
        at = i + 1;
    }
    leaf_condition(b, q, t, names[depth], &p, at);
    for (size_t i = p.n - 1; depth > 0 && i > 0; i--) { /* close from the inside */
        size_t from = 0;
        if (!p.list[i - 1])
            continue;
        for (size_t k = i - 1; k > 0 && !from; k--)
            from = p.list[k - 1] ? k : 0;
        depth--;
        buf_printf(b, ", JSONExtractArrayRaw(%s", names[depth]);
        keys(b, &p, from, i);
        buf_str(b, "))");
    }
}

/* --- the tree --- */

static void field_condition(struct buf *b, const struct query *q)
{
    buf_str(b, "(");
    for (unsigned i = 0; i < q->targets; i++) {
        const struct query_target *t = &q->target[i];
        if (i > 0)
            buf_str(b, " OR ");
        if (t->key.n == 0 && field_table[t->field].column != COL_NONE)
            column_condition(b, q, t->field);
        else
            line_condition(b, q, t);
    }
    buf_str(b, ")");
}

/* Can a line hold this only within one value or one key? Quotes, brackets and commas stand between
 * them, colons and blanks beside them. */
static bool is_inside(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || memchr("\",[]{}", s.p[i], 6))
            return false;
    return s.n > 0 && !memchr(": ", s.p[0], 2) && !memchr(": ", s.p[s.n - 1], 2);
}

static void free_text_in(struct buf *b, const char *column, struct span text)
{
    buf_printf(b, "positionCaseInsensitive(%s, ", column);
    schema_quote(b, text);
    buf_str(b, ") > 0 OR ");
}

/* Words are looked for in the kept line; of events without one, in the columns that hold words. */
static void free_text(struct buf *b, const struct query *q)
{
    static const enum field columns[] = {F_alert_signature, F_http_hostname, F_http_url,  F_tls_sni,
                                         F_dns_rrname,      F_app_proto,     F_event_type};
    struct cidr c;
    buf_str(b, "(");
    if (is_inside(q->low.text)) { /* in place of putting each line together */
        free_text_in(b, "raw", q->low.text);
        free_text_in(b, "raw_form", q->low.text);
        free_text_in(b, "raw_values", q->low.text);
    } else {
        free_text_in(b, "line", q->low.text);
    }
    buf_str(b, "(raw = '' AND raw_form = '' AND (arrayExists(x -> positionCaseInsensitive(x, ");
    schema_quote(b, q->low.text);
    buf_str(b, ") > 0, dns_queries_rrname)");
    for (size_t i = 0; i < LEN(columns); i++) {
        buf_printf(b, " OR positionCaseInsensitive(%s, ", field_table[columns[i]].id);
        schema_quote(b, q->low.text);
        buf_str(b, ") > 0");
    }
    buf_str(b, "))");
    struct query ip = {.kind = QUERY_FIELD, .op = QUERY_EQ, .targets = 2};
    if (cidr_parse(q->low.text, &c)) {
        ip.target[0].field = F_src_ip;
        ip.target[1].field = F_dest_ip;
        ip.low.cidr = c;
        ip.op = c.bits < (c.ip.family == 4 ? 32 : 128) ? QUERY_CIDR : QUERY_EQ;
        buf_str(b, " OR ");
        field_condition(b, &ip);
    }
    buf_str(b, ")");
}

void query_sql(struct buf *b, const struct query *q)
{
    switch (q->kind) {
    case QUERY_ALL:
        buf_str(b, "1");
        break;
    case QUERY_AND:
    case QUERY_OR:
        buf_str(b, "(");
        query_sql(b, q->left);
        buf_str(b, q->kind == QUERY_AND ? " AND " : " OR ");
        query_sql(b, q->right);
        buf_str(b, ")");
        break;
    case QUERY_NOT:
        buf_str(b, "NOT (");
        query_sql(b, q->left);
        buf_str(b, ")");
        break;
    case QUERY_TEXT:
        free_text(b, q);
        break;
    case QUERY_FIELD:
        field_condition(b, q);
        break;
    }
}

static void ip_as_text(struct buf *b, const char *column)
{
    buf_printf(b, "replaceOne(IPv6NumToString(%s), '::ffff:', '')", column);
}

void query_sql_value(struct buf *b, const struct query_target *t, bool *ret_array)
{
    const struct field_row *r = &field_table[t->field];
    struct place p;
    *ret_array = false;
    if (t->key.n == 0 && r->column != COL_NONE) {
        *ret_array = r->column == COL_STRS;
        buf_str(b, r->id);
    } else {
        place_of(t, &p);
        size_t list = p.n;
        for (size_t i = 0; i + 1 < p.n; i++)
            list = p.list[i] ? i : list;
        *ret_array = true;
        if (list < p.n) { /* of a list of objects: the member of each */
            buf_str(b, "arrayMap(x -> JSONExtractString(x");
            keys(b, &p, list + 1, p.n);
            buf_str(b, "), JSONExtractArrayRaw(line");
            keys(b, &p, 0, list + 1);
            buf_str(b, "))");
        } else if (r->type == T_STRS || r->type == T_UINTS || t->key.n > 0) {
            buf_str(b, "arrayFilter(x -> x != '', ");
            data_values(b, "line", &p, 0);
            buf_str(b, ")");
        } else {
            buf_str(b, "[trim(BOTH '\"' FROM JSONExtractRaw(line");
            keys(b, &p, 0, p.n);
            buf_str(b, "))]");
        }
    }
}

void query_sql_text(struct buf *b, const struct query_target *t)
{
    if (t->key.n == 0 && field_table[t->field].column == COL_IP)
        ip_as_text(b, "v");
    else
        buf_str(b, "toString(v)");
}

bool query_sql_number(struct buf *b, const struct query_target *t)
{
    const struct field_row *r = &field_table[t->field];
    struct place p;
    if (t->key.n > 0 || (r->type != T_UINT && r->type != T_INT))
        return false;
    if (r->column != COL_NONE) {
        buf_str(b, r->id);
        return true;
    }
    place_of(t, &p);
    buf_str(b, "JSONExtract(line");
    keys(b, &p, 0, p.n);
    buf_printf(b, ", '%s')", json_type_of((enum field_type)r->type));
    return true;
}

bool query_is_rollup(const struct query *q)
{
    enum field f = q->target[0].field;
    switch (q->kind) {
    case QUERY_ALL:
        return true;
    case QUERY_AND:
    case QUERY_OR:
        return query_is_rollup(q->left) && query_is_rollup(q->right);
    case QUERY_NOT:
        return query_is_rollup(q->left);
    case QUERY_FIELD:
        return q->targets == 1 && q->target[0].key.n == 0 &&
               (f == F_event_type || f == F_app_proto || f == F_daizong_severity ||
                f == F_daizong_sensor || f == F_daizong_unit);
    default:
        return false;
    }
}
