/* SPDX-License-Identifier: Apache-2.0 */
/* Variables that rules set and test: flowbits, xbits, hostbits, flowint, flowvar, pktvar, tag. What
 * tests is a condition on the packet, what sets is done after the match. */
#include "base/must.h"
#include "detect/names.h"
#include "detect/setup.h"

static const char *const bit_ops[] = {[BIT_SET] = "set",
                                      [BIT_UNSET] = "unset",
                                      [BIT_TOGGLE] = "toggle",
                                      [BIT_ISSET] = "isset",
                                      [BIT_ISNOTSET] = "isnotset"};

static bool bit_op(struct build *b, struct span word, uint8_t *ret)
{
    for (size_t i = 0; i < LEN(bit_ops); i++)
        if (span_ieq(word, span_str(bit_ops[i]))) {
            *ret = (uint8_t)i;
            return true;
        }
    return rule_fail_at(b, word.p, "set, unset, toggle, isset or isnotset expected");
}

static enum match_list bit_list(uint8_t op)
{
    return op == BIT_ISSET || op == BIT_ISNOTSET ? LIST_PACKET : LIST_POST;
}

static bool bit_name(struct build *b, struct span name)
{
    if (!name.n)
        return rule_fail_at(b, name.p, "the name is missing");
    for (size_t i = 0; i < name.n; i++)
        if (ascii_is_space(name.p[i]))
            return rule_fail_at(b, name.p + i, "a name holds no space");
    return true;
}

bool setup_flowbits(struct build *b, const struct option *o)
{
    struct flowbits *f = build_get(b, sizeof(*f));
    struct span rest = o->value;
    struct span word = next_element(&rest);
    uint32_t n = 1;
    rest = span_trim(rest);
    if (span_ieq(word, SPAN("noalert"))) {
        if (rest.n)
            return rule_fail_at(b, rest.p, "noalert has no name");
        b->r->flags |= RULE_NOALERT;
        return true;
    }
    if (!bit_op(b, word, &f->op))
        return false;
    for (size_t i = 0; i < rest.n; i++)
        n += rest.p[i] == '|';
    if (n > 1 && f->op != BIT_ISSET && f->op != BIT_ISNOTSET)
        return rule_fail_at(b, rest.p, "| goes with isset and isnotset only");
    uint32_t *ids = build_get(b, n * sizeof(*ids));
    for (; f->n < n; f->n++) {
        struct span name = span_trim(span_split(&rest, '|'));
        if (!bit_name(b, name))
            return false;
        ids[f->n] = build_name(b, b->l->flowbits, name);
    }
    f->ids = ids;
    build_add(b, bit_list(f->op), KW_FLOWBITS, f);
    return true;
}

static bool xbits_track(struct build *b, struct span word, struct xbits *x)
{
    static const struct {
        const char *name;
        uint8_t track;
    } tracks[] = {
        {"ip_src", TRACK_SRC}, {"ip_dst", TRACK_DST}, {"ip_pair", TRACK_BOTH}, {"tx", TRACK_FLOW}};
    for (size_t i = 0; i < LEN(tracks); i++)
        if (span_ieq(word, span_str(tracks[i].name))) {
            x->track = tracks[i].track;
            return true;
        }
    return rule_fail_at(b, word.p, "ip_src, ip_dst, ip_pair or tx expected");
}

/* "set,name,track ip_src,expire 60" */
bool setup_xbits(struct build *b, const struct option *o)
{
    struct xbits *x = build_get(b, sizeof(*x));
    struct span rest = o->value;
    struct span word = next_element(&rest);
    bool tracked = false, expires = false;
    if (span_ieq(word, SPAN("noalert"))) {
        b->r->flags |= RULE_NOALERT;
        return true;
    }
    if (!bit_op(b, word, &x->op))
        return false;
    struct span name = next_element(&rest);
    if (!bit_name(b, name))
        return false;
    x->id = build_name(b, b->l->xbits, name);
    x->expire_s = 30;
    while (rest.n) {
        struct span value = next_element(&rest);
        struct span key = span_split(&value, ' ');
        uint64_t v;
        value = span_trim(value);
        if (span_ieq(key, SPAN("track")) && !tracked) {
            if (!xbits_track(b, value, x))
                return false;
            tracked = true;
        } else if (span_ieq(key, SPAN("expire")) && !expires) {
            if (!span_u64(value, &v) || v == 0 || v > UINT32_MAX)
                return rule_fail_at(b, value.p, "a number of seconds expected");
            x->expire_s = (uint32_t)v;
            expires = true;
        } else {
            return rule_fail_at(b, key.p,
                                "\"track ip_src|ip_dst|ip_pair|tx\" or \"expire N\" expected");
        }
    }
    if (!tracked)
        return rule_fail_at(b, o->value.p, "what it is tracked by is missing");
    if (x->track == TRACK_FLOW) {
        if (expires)
            return rule_fail(b, "a bit on a transaction does not expire");
        if (x->op != BIT_SET && x->op != BIT_ISSET)
            return rule_fail(b, "a bit on a transaction can be set and isset only");
        build_add(b, x->op == BIT_ISSET ? LIST_TX : LIST_POST, KW_XBITS, x);
        return true;
    }
    build_add(b, bit_list(x->op), KW_XBITS, x);
    return true;
}

/* "set,name,src": src unless it is said; both. */
bool setup_hostbits(struct build *b, const struct option *o)
{
    struct xbits *x = build_get(b, sizeof(*x));
    struct span rest = o->value;
    struct span word = next_element(&rest);
    if (span_ieq(word, SPAN("noalert"))) {
        b->r->flags |= RULE_NOALERT;
        return true;
    }
    if (!bit_op(b, word, &x->op))
        return false;
    struct span name = next_element(&rest);
    struct span side = span_trim(rest);
    if (!bit_name(b, name))
        return false;
    x->id = build_name(b, b->l->xbits, name);
    x->expire_s = 300;
    x->track = TRACK_SRC;
    if (span_ieq(side, SPAN("dst")))
        x->track = TRACK_DST;
    else if (span_ieq(side, SPAN("both")))
        return rule_fail_at(b, side.p, "\"both\" is not supported");
    else if (side.n && !span_ieq(side, SPAN("src")))
        return rule_fail_at(b, side.p, "src or dst expected");
    build_add(b, bit_list(x->op), KW_HOSTBITS, x);
    return true;
}

/* "name,modifier,value": the value a number or another variable. */
bool setup_flowint(struct build *b, const struct option *o)
{
    static const char *const ops[] = {[FLOWINT_SET] = "=",
                                      [FLOWINT_ADD] = "+",
                                      [FLOWINT_SUB] = "-",
                                      [FLOWINT_LT] = "<",
                                      [FLOWINT_LE] = "<=",
                                      [FLOWINT_EQ] = "==",
                                      [FLOWINT_NE] = "!=",
                                      [FLOWINT_GE] = ">=",
                                      [FLOWINT_GT] = ">",
                                      [FLOWINT_ISSET] = "isset",
                                      [FLOWINT_ISNOTSET] = "isnotset"};
    struct flowint *f = build_get(b, sizeof(*f));
    struct span rest = o->value;
    struct span name = next_element(&rest);
    struct span sign = next_element(&rest);
    struct span operand = span_trim(rest);
    size_t i = 0;
    uint64_t v;
    while (i < LEN(ops) && !span_ieq(sign, span_str(ops[i])))
        i++;
    if (!name.n || (i == LEN(ops) && !span_ieq(sign, SPAN("notset"))))
        return rule_fail_at(b, o->value.p, "\"name,operator,value\" expected");
    f->op = (uint8_t)(i == LEN(ops) ? FLOWINT_ISNOTSET : i);
    f->id = build_name(b, b->l->flowints, name);
    bool unary = f->op == FLOWINT_ISSET || f->op == FLOWINT_ISNOTSET;
    if (unary != !operand.n)
        return rule_fail_at(b, sign.p, unary ? "no value goes with it" : "the value is missing");
    if (!unary && span_u64(operand, &v)) {
        if (v > UINT32_MAX)
            return rule_fail_at(b, operand.p, "the largest value is %u", UINT32_MAX);
        f->value = (uint32_t)v;
    } else if (!unary) {
        f->by_name = true;
        f->other = build_name(b, b->l->flowints, operand);
    }
    build_add(b, f->op <= FLOWINT_SUB ? LIST_POST : LIST_PACKET, KW_FLOWINT, f);
    return true;
}

/* "name,content" with or without quotes and !. */
static bool variable(struct build *b, const struct option *o)
{
    struct flowvar *v = build_get(b, sizeof(*v));
    struct span rest = o->value;
    struct span name = next_element(&rest);
    struct span text = span_trim(rest);
    if (!bit_name(b, name))
        return false;
    if (text.n && text.p[0] == '!') {
        v->negated = true;
        text = span_trim(span_from(text, 1));
    }
    if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"')
        text = span_cut(text, 1, text.n - 2);
    v->id = build_name(b, b->l->flowvars, name);
    if (!parse_content(b, text, &v->bytes))
        return false;
    build_add(b, LIST_PACKET, o->keyword, v);
    return true;
}

bool setup_flowvar(struct build *b, const struct option *o)
{
    return variable(b, o);
}

bool setup_pktvar(struct build *b, const struct option *o)
{
    return variable(b, o);
}

enum { TAG_PACKETS_MAX = 256 };

/* "session|host[,count,packets|bytes|seconds[,src|dst]]"; 256 packets of the destination when
 * nothing is said, which is also the most. */
bool setup_tag(struct build *b, const struct option *o)
{
    static const char *const metrics[] = {"packets", "seconds", "bytes"};
    struct tag *t = build_get(b, sizeof(*t));
    struct span rest = o->has_value ? o->value : SPAN("session");
    struct span type = next_element(&rest);
    struct span count = next_element(&rest);
    struct span metric = next_element(&rest);
    struct span side = span_trim(rest);
    uint64_t v = TAG_PACKETS_MAX;
    t->metric = TAG_PACKETS;
    t->track = TRACK_DST;
    t->type = span_ieq(type, SPAN("host"));
    if (!t->type && !span_ieq(type, SPAN("session")))
        return rule_fail_at(b, type.p, "session or host expected");
    if (count.n && (!span_u64(count, &v) || v > UINT32_MAX))
        return rule_fail_at(b, count.p, "a number expected");
    size_t i = 0;
    while (metric.n && i < LEN(metrics) && !span_ieq(metric, span_str(metrics[i])))
        i++;
    if (count.n && (i == LEN(metrics) || !metric.n))
        return rule_fail_at(b, count.p, "packets, seconds or bytes expected behind the number");
    if (count.n)
        t->metric = (uint8_t)i;
    if (side.n && (!t->type || !(span_ieq(side, SPAN("src")) || span_ieq(side, SPAN("dst")))))
        return rule_fail_at(b, side.p, "src or dst of a host expected");
    if (span_ieq(side, SPAN("src")))
        t->track = TRACK_SRC;
    t->count = (uint32_t)(t->metric == TAG_PACKETS && v > TAG_PACKETS_MAX ? TAG_PACKETS_MAX : v);
    build_add(b, LIST_POST, KW_TAG, t);
    return true;
}

bool setup_bypass(struct build *b, const struct option *o)
{
    (void)o;
    build_add(b, LIST_POST, KW_BYPASS, NULL);
    return true;
}

/* "logging disable, type tx|flow, scope tx|flow": the one configuration there is. */
bool setup_config(struct build *b, const struct option *o)
{
    struct span rest = o->value;
    struct span what = next_element(&rest);
    struct span type = next_element(&rest);
    struct span scope = next_element(&rest);
    if (!span_ieq(what, SPAN("logging disable")))
        return rule_fail_at(b, o->value.p, "\"logging disable\" expected");
    if (!span_ieq(type, SPAN("type tx")) && !span_ieq(type, SPAN("type flow")))
        return rule_fail_at(b, type.p, "\"type tx\" or \"type flow\" expected");
    if (!span_ieq(scope, SPAN("scope tx")) && !span_ieq(scope, SPAN("scope flow")))
        return rule_fail_at(b, scope.p, "\"scope tx\" or \"scope flow\" expected");
    struct config *c = build_get(b, sizeof(*c));
    c->scope_flow = span_ieq(scope, SPAN("scope flow"));
    build_add(b, LIST_POST, KW_CONFIG, c);
    return true;
}
