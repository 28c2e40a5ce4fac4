/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords on the flow and the TCP stream: flow, flow.age, flow.pkts, flow.bytes, stream_size. */
#include "detect/setup.h"

static bool flow_flag(struct build *b, struct span word, uint32_t flag, uint32_t against)
{
    if (b->r->flags & flag)
        return rule_fail_at(b, word.p, "\"%.*s\" is said twice", (int)word.n, (const char *)word.p);
    if (b->r->flags & against)
        return rule_fail_at(b, word.p, "\"%.*s\" contradicts what is said before", (int)word.n,
                            (const char *)word.p);
    b->r->flags |= flag;
    return true;
}

bool setup_flow(struct build *b, const struct option *o)
{
    static const struct {
        const char *name;
        uint32_t flag, against;
    } words[] = {
        {"established", RULE_ESTABLISHED, RULE_NOT_ESTABLISHED | RULE_STATELESS},
        {"not_established", RULE_NOT_ESTABLISHED, RULE_ESTABLISHED},
        {"stateless", RULE_STATELESS, RULE_ESTABLISHED},
        {"to_client", RULE_TO_CLIENT, RULE_TO_SERVER},
        {"from_server", RULE_TO_CLIENT, RULE_TO_SERVER},
        {"to_server", RULE_TO_SERVER, RULE_TO_CLIENT},
        {"from_client", RULE_TO_SERVER, RULE_TO_CLIENT},
        {"only_stream", RULE_ONLY_STREAM, RULE_NO_STREAM},
        {"no_stream", RULE_NO_STREAM, RULE_ONLY_STREAM},
        {"only_frag", RULE_ONLY_FRAG, RULE_NO_FRAG},
        {"no_frag", RULE_NO_FRAG, RULE_ONLY_FRAG},
    };
    struct span rest = o->value;
    if (b->has_flow)
        return rule_fail(b, "it stands twice in the rule");
    b->has_flow = true;
    do {
        struct span word = next_element(&rest);
        size_t i = 0;
        while (i < LEN(words) && !span_ieq(word, span_str(words[i].name)))
            i++;
        struct nearest near = nearest_to(word);
        for (size_t k = 0; i == LEN(words) && k < LEN(words); k++)
            nearest_try(&near, span_str(words[k].name));
        if (i == LEN(words))
            return rule_fail_at(b, word.p, "\"%.*s\" is not a state or direction of a flow%s",
                                (int)min_size(word.n, 40), (const char *)word.p,
                                nearest_text(&near));
        if (!flow_flag(b, word, words[i].flag, words[i].against))
            return false;
    } while (rest.n);
    if ((b->r->flags & RULE_TX_BOTH) && (b->r->flags & (RULE_TO_CLIENT | RULE_TO_SERVER)))
        return rule_fail(b, "a rule with => covers both directions");
    b->wants_stream = b->wants_stream || (b->r->flags & RULE_ONLY_STREAM);
    b->wants_packet = b->wants_packet || (b->r->flags & RULE_NO_STREAM);
    return true;
}

bool setup_flow_age(struct build *b, const struct option *o)
{
    struct uint_cond *c = build_get(b, sizeof(*c));
    if (!parse_uint_cond(b, o->value, UINT32_MAX, c))
        return false;
    build_add(b, LIST_PACKET, KW_FLOW_AGE, c);
    return true;
}

static bool flow_count_add(struct build *b, const struct option *o, struct span value,
                           enum flow_count_side side)
{
    struct flow_count *c = build_get(b, sizeof(*c));
    bool bytes = o->keyword == KW_FLOW_BYTES || o->keyword == KW_FLOW_BYTES_TS ||
                 o->keyword == KW_FLOW_BYTES_TC;
    c->side = (uint8_t)side;
    if (!parse_uint_cond(b, value, bytes ? UINT64_MAX : UINT32_MAX, &c->n))
        return false;
    build_add(b, LIST_PACKET, o->keyword, c);
    return true;
}

bool setup_flow_count_ts(struct build *b, const struct option *o)
{
    return flow_count_add(b, o, o->value, FLOW_COUNT_TS);
}

bool setup_flow_count_tc(struct build *b, const struct option *o)
{
    return flow_count_add(b, o, o->value, FLOW_COUNT_TC);
}

bool setup_flow_count(struct build *b, const struct option *o)
{
    static const char *const sides[] = {[FLOW_COUNT_TS] = "toserver",
                                        [FLOW_COUNT_TC] = "toclient",
                                        [FLOW_COUNT_EITHER] = "either",
                                        [FLOW_COUNT_BOTH] = "both"};
    struct span rest = o->value;
    struct span side = next_element(&rest);
    for (size_t i = 0; i < LEN(sides); i++)
        if (span_ieq(side, span_str(sides[i])))
            return flow_count_add(b, o, rest, (enum flow_count_side)i);
    return rule_fail_at(b, side.p, "toserver, toclient, either or both expected");
}

bool setup_stream_size(struct build *b, const struct option *o)
{
    static const char *const sides[] = {"server", "client", "both", "either"};
    struct stream_size *s = build_get(b, sizeof(*s));
    struct span rest = o->value;
    struct span side = next_element(&rest);
    for (size_t i = 0; i < LEN(sides); i++)
        if (span_ieq(side, span_str(sides[i])))
            s->side = (uint8_t)sides[i][0];
    if (!s->side)
        return rule_fail_at(b, side.p, "server, client, both or either expected");
    /* the operator stands in an element of its own: "server,<,1111" */
    char text[64];
    struct span sign = next_element(&rest);
    struct span number = span_trim(rest);
    if (!sign.n || sign.n > 2 || !number.n || number.n > 32)
        return rule_fail_at(b, sign.p, "a comparison and a number expected");
    memcpy(text, sign.p, sign.n);
    memcpy(text + sign.n, number.p, number.n);
    b->at = sign.p;
    if (!parse_uint_cond(b, span_of(text, sign.n + number.n), UINT32_MAX, &s->n))
        return false;
    build_add(b, LIST_PACKET, KW_STREAM_SIZE, s);
    return true;
}
