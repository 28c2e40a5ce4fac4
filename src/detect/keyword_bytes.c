/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords that compute with the bytes: byte_test, byte_jump, byte_extract, byte_math, isdataat. */
#include "detect/setup.h"

/* A condition on bytes: where it belongs, and that dce is used with DCE/RPC only. */
static bool place_bytes(struct build *b, const struct option *o, const void *data, uint16_t flags)
{
    if ((flags & BYTE_DCE) && b->r->app != PROTO_NONE) {
        uint8_t dcerpc = app_find(SPAN("dcerpc")), smb = app_find(SPAN("smb"));
        if (b->r->app != dcerpc && b->r->app != smb)
            return rule_fail(b, "dce goes with protocol dcerpc or smb only");
    }
    return build_place(b, o->keyword, data, flags & BYTE_RELATIVE) != NULL;
}

/* A number, or a variable that was set before. */
static bool byte_value(struct build *b, struct span text, int64_t min, int64_t max,
                       struct byte_value *ret)
{
    uint64_t u;
    if (text.n && ascii_is_alpha(text.p[0])) {
        int var = build_var(b, text);
        if (var < 0)
            return rule_fail_at(b, text.p, "variable \"%.*s\" is not set before",
                                (int)min_size(text.n, 64), (const char *)text.p);
        *ret = (struct byte_value){var, true};
        return true;
    }
    if (text.n > 2 && text.p[0] == '0' && (text.p[1] | 0x20) == 'x' &&
        parse_uint(text, false, &u)) {
        ret->n = (int64_t)u;
        return (max == INT64_MAX || (ret->n >= min && ret->n <= max)) ||
               rule_fail_at(b, text.p, "the number is too large");
    }
    if (max == INT64_MAX && span_u64(text, &u)) {
        ret->n = (int64_t)u;
        return true;
    }
    if (!text.n)
        return rule_fail(b, "a number is missing");
    if (!parse_int(text, min, max, &ret->n))
        return rule_fail_at(b, text.p, "\"%.*s\" is not a number from %lld to %lld, nor a variable",
                            (int)min_size(text.n, 40), (const char *)text.p, (long long)min,
                            (long long)max);
    return true;
}

static bool byte_bitmask(struct build *b, struct span text, uint64_t *mask, uint8_t *shift)
{
    if (!parse_uint(text, false, mask) || *mask == 0 || *mask > UINT32_MAX)
        return rule_fail_at(b, text.p, "\"%.*s\" is not a bit mask", (int)min_size(text.n, 40),
                            (const char *)text.p);
    *shift = (uint8_t)__builtin_ctzll(*mask);
    return true;
}

/* Words that all four keywords share; false when it is none of them. */
static bool byte_word(struct span word, uint16_t *flags, uint8_t *base)
{
    static const struct {
        const char *name;
        uint16_t flag;
        uint8_t base;
    } words[] = {{"relative", BYTE_RELATIVE, 0},
                 {"string", BYTE_STRING, 0},
                 {"hex", 0, 16},
                 {"dec", 0, 10},
                 {"oct", 0, 8},
                 {"big", 0, 0},
                 {"little", BYTE_LITTLE, 0},
                 {"dce", BYTE_DCE, 0}};
    for (size_t i = 0; i < LEN(words); i++) {
        if (!span_ieq(word, span_str(words[i].name)))
            continue;
        *flags |= words[i].flag;
        if (words[i].base)
            *base = words[i].base;
        return true;
    }
    return false;
}

/* How many bytes: 1 to 8 binary, up to 23 digits of text; 0 digits: as many as there are. */
static bool byte_count(struct build *b, const struct byte_value *n, uint16_t flags, uint8_t *base)
{
    if (flags & BYTE_STRING) {
        if (!*base)
            *base = 10;
        if (!n->is_var && n->n > 23)
            return rule_fail(b, "a number in text has at most 23 digits");
    } else {
        *base = 0;
        if (!n->is_var && (n->n < 1 || n->n > 8))
            return rule_fail(b, "a binary number has 1 to 8 bytes");
    }
    return true;
}

static bool byte_test_op(struct build *b, struct span text, struct byte_test *t)
{
    static const struct {
        const char *sign;
        uint8_t op;
    } ops[] = {{"<=", BYTE_LE}, {">=", BYTE_GE}, {"<", BYTE_LT}, {">", BYTE_GT},
               {"=", BYTE_EQ},  {"&", BYTE_AND}, {"^", BYTE_OR}};
    struct span sign = text;
    if (sign.n && sign.p[0] == '!') {
        t->flags |= BYTE_NEGATED;
        sign = span_trim(span_from(sign, 1));
        if (!sign.n) {
            t->op = BYTE_EQ;
            return true;
        }
    }
    for (size_t i = 0; i < LEN(ops); i++)
        if (span_eq(sign, span_str(ops[i].sign))) {
            t->op = ops[i].op;
            return true;
        }
    return rule_fail_at(b, text.p, "\"%.*s\" is not a comparison", (int)min_size(text.n, 20),
                        (const char *)text.p);
}

bool setup_byte_test(struct build *b, const struct option *o)
{
    struct byte_test *t = build_get(b, sizeof(*t));
    struct span rest = o->value;
    if (!byte_value(b, next_element(&rest), 0, 23, &t->n_bytes) ||
        !byte_test_op(b, next_element(&rest), t) ||
        !byte_value(b, next_element(&rest), 0, INT64_MAX, &t->value) ||
        !byte_value(b, next_element(&rest), INT32_MIN, INT32_MAX, &t->offset))
        return false;
    while (rest.n) {
        struct span word = next_element(&rest);
        if (span_starts(word, SPAN("bitmask"))) {
            if (!byte_bitmask(b, span_trim(span_from(word, 7)), &t->bitmask, &t->shift))
                return false;
        } else if (!byte_word(word, &t->flags, &t->base)) {
            return rule_fail_at(b, word.p, "unknown modifier \"%.*s\"", (int)min_size(word.n, 40),
                                (const char *)word.p);
        }
    }
    return byte_count(b, &t->n_bytes, t->flags, &t->base) && place_bytes(b, o, t, t->flags);
}

static bool byte_jump_word(struct build *b, struct span word, struct byte_jump *j)
{
    int64_t v;
    uint64_t u;
    if (span_ieq(word, SPAN("align")))
        j->flags |= BYTE_ALIGN;
    else if (span_ieq(word, SPAN("from_beginning")))
        j->flags |= BYTE_FROM_BEGINNING;
    else if (span_ieq(word, SPAN("from_end")))
        j->flags |= BYTE_FROM_END;
    else if (span_starts(word, SPAN("bitmask")))
        return byte_bitmask(b, span_trim(span_from(word, 7)), &j->bitmask, &j->shift);
    else if (span_starts(word, SPAN("multiplier "))) {
        if (!span_u64(span_trim(span_from(word, 11)), &u) || u < 1 || u > 65535)
            return rule_fail_at(b, word.p, "the multiplier is a number from 1 to 65535");
        j->multiplier = (uint32_t)u;
    } else if (span_starts(word, SPAN("post_offset "))) {
        if (!parse_int(span_trim(span_from(word, 12)), -65535, 65535, &v))
            return rule_fail_at(b, word.p, "post_offset is a number from -65535 to 65535");
        j->post_offset = (int32_t)v;
    } else if (!byte_word(word, &j->flags, &j->base)) {
        return rule_fail_at(b, word.p, "unknown modifier \"%.*s\"", (int)min_size(word.n, 40),
                            (const char *)word.p);
    }
    return true;
}

bool setup_byte_jump(struct build *b, const struct option *o)
{
    struct byte_jump *j = build_get(b, sizeof(*j));
    struct span rest = o->value;
    j->multiplier = 1;
    if (!byte_value(b, next_element(&rest), 0, 23, &j->n_bytes) ||
        !byte_value(b, next_element(&rest), INT32_MIN, INT32_MAX, &j->offset))
        return false;
    while (rest.n)
        if (!byte_jump_word(b, next_element(&rest), j))
            return false;
    if ((j->flags & BYTE_FROM_BEGINNING) && (j->flags & BYTE_FROM_END))
        return rule_fail(b, "from_beginning and from_end contradict each other");
    bool none = !j->n_bytes.is_var && j->n_bytes.n == 0; /* post_offset alone moves */
    return (none || byte_count(b, &j->n_bytes, j->flags, &j->base)) &&
           place_bytes(b, o, j, j->flags);
}

bool setup_byte_extract(struct build *b, const struct option *o)
{
    struct byte_extract *x = build_get(b, sizeof(*x));
    struct byte_value n = {0}, offset = {0};
    struct span rest = o->value;
    x->multiplier = 1;
    struct span count = next_element(&rest);
    struct span at = next_element(&rest);
    struct span name = next_element(&rest);
    uint64_t u;
    if (!byte_value(b, count, 1, 23, &n) || !byte_value(b, at, -65535, 65535, &offset))
        return false;
    if (n.is_var || offset.is_var)
        return rule_fail(b, "a number is expected here, not a variable");
    while (rest.n) {
        struct span word = next_element(&rest);
        if (span_starts(word, SPAN("multiplier "))) {
            if (!span_u64(span_trim(span_from(word, 11)), &u) || u < 1 || u > 65535)
                return rule_fail_at(b, word.p, "the multiplier is a number from 1 to 65535");
            x->multiplier = (uint32_t)u;
        } else if (span_starts(word, SPAN("align "))) {
            if (!span_u64(span_trim(span_from(word, 6)), &u) || (u != 2 && u != 4))
                return rule_fail_at(b, word.p, "align is 2 or 4");
            x->align = (uint8_t)u;
        } else if (!byte_word(word, &x->flags, &x->base)) {
            return rule_fail_at(b, word.p, "unknown modifier \"%.*s\"", (int)min_size(word.n, 40),
                                (const char *)word.p);
        }
    }
    if (!byte_count(b, &n, x->flags, &x->base) || !build_var_add(b, name, &x->var))
        return false;
    x->n_bytes = (uint8_t)n.n;
    x->offset = (int32_t)offset.n;
    return place_bytes(b, o, x, x->flags);
}

struct math_parts {
    struct span bytes, offset, oper, rvalue, result;
};

static bool byte_math_operator(struct build *b, struct span text, uint8_t *ret)
{
    static const char *const ops[] = {
        [MATH_ADD] = "+", [MATH_SUB] = "-",         [MATH_MUL] = "*",
        [MATH_DIV] = "/", [MATH_SHIFT_LEFT] = "<<", [MATH_SHIFT_RIGHT] = ">>"};
    for (size_t i = 0; i < LEN(ops); i++)
        if (span_eq(text, span_str(ops[i]))) {
            *ret = (uint8_t)i;
            return true;
        }
    return rule_fail_at(b, text.p, "+ - * / << or >> expected");
}

static bool byte_math_word(struct build *b, struct span word, struct math_parts *m,
                           struct byte_math *x)
{
    struct span value = word;
    struct span key = span_split(&value, ' ');
    value = span_trim(value);
    if (span_ieq(key, SPAN("bytes")))
        m->bytes = value;
    else if (span_ieq(key, SPAN("offset")))
        m->offset = value;
    else if (span_ieq(key, SPAN("oper")))
        m->oper = value;
    else if (span_ieq(key, SPAN("rvalue")))
        m->rvalue = value;
    else if (span_ieq(key, SPAN("result")))
        m->result = value;
    else if (span_ieq(key, SPAN("bitmask")))
        return byte_bitmask(b, value, &x->bitmask, &x->shift);
    else if (span_ieq(key, SPAN("endian")) && byte_word(value, &x->flags, &x->base))
        return true;
    else if (span_ieq(key, SPAN("string")) && byte_word(value, &x->flags, &x->base))
        x->flags |= BYTE_STRING;
    else if (!value.n && byte_word(word, &x->flags, &x->base))
        return true;
    else
        return rule_fail_at(b, word.p, "unknown modifier \"%.*s\"", (int)min_size(word.n, 40),
                            (const char *)word.p);
    return true;
}

bool setup_byte_math(struct build *b, const struct option *o)
{
    struct byte_math *x = build_get(b, sizeof(*x));
    struct math_parts m = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    struct byte_value offset = {0};
    struct span rest = o->value;
    while (rest.n)
        if (!byte_math_word(b, next_element(&rest), &m, x))
            return false;
    if (!m.bytes.n || !m.offset.n || !m.oper.n || !m.rvalue.n || !m.result.n)
        return rule_fail_at(b, o->value.p, "bytes, offset, oper, rvalue and result are needed");
    if (!byte_value(b, m.bytes, 1, 10, &x->n_bytes) ||
        !byte_value(b, m.offset, -65535, 65535, &offset) ||
        !byte_math_operator(b, m.oper, &x->op) ||
        !byte_value(b, m.rvalue, 0, UINT32_MAX, &x->operand))
        return false;
    if (offset.is_var)
        return rule_fail_at(b, m.offset.p, "a number is expected here, not a variable");
    x->offset = (int32_t)offset.n;
    if (x->op == MATH_DIV && !x->operand.is_var && x->operand.n == 0)
        return rule_fail_at(b, m.rvalue.p, "division by zero");
    if (!(x->flags & BYTE_STRING) && !x->n_bytes.is_var && x->n_bytes.n > 4)
        return rule_fail_at(b, m.bytes.p, "a binary number has 1 to 4 bytes here");
    if (!byte_count(b, &x->n_bytes, x->flags, &x->base) || !build_var_add(b, m.result, &x->var))
        return false;
    return place_bytes(b, o, x, x->flags);
}

bool setup_isdataat(struct build *b, const struct option *o)
{
    struct isdataat *d = build_get(b, sizeof(*d));
    struct span rest = o->value;
    struct span at = next_element(&rest);
    d->negated = o->negated;
    if (at.n && at.p[0] == '!') {
        d->negated = true;
        at = span_trim(span_from(at, 1));
    }
    if (!byte_value(b, at, 0, 65535, &d->at))
        return false;
    while (rest.n) {
        struct span word = next_element(&rest);
        if (span_ieq(word, SPAN("relative")))
            d->relative = true;
        else if (span_ieq(word, SPAN("rawbytes")))
            d->rawbytes = true;
        else
            return rule_fail_at(b, word.p, "relative or rawbytes expected");
    }
    return build_place(b, KW_ISDATAAT, d, d->relative) != NULL;
}
