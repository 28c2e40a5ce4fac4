/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords on application protocols: which one the flow is, anomalies, progress, and values of
 * transactions compared with numbers or the names that stand for them. */
#include "base/must.h"
#include "detect/setup.h"
#include "proto/app.h"

#include <time.h>

/* Names that may stand for numbers. */
static const struct value_name {
    const char *value, *name;
    uint32_t number;
} value_names[] = {
#define VALUE_NAME(value, name, number) {value, name, number},
#include "detect/value_names.def"
#undef VALUE_NAME
};

static bool value_name_find(const char *value, struct span name, uint64_t *ret)
{
    for (size_t i = 0; i < LEN(value_names); i++)
        if (strcmp(value_names[i].value, value) == 0 &&
            span_ieq(name, span_str(value_names[i].name))) {
            *ret = value_names[i].number;
            return true;
        }
    return false;
}

/* A condition on the value of that name; NULL when no protocol offers it. */
static struct value_cond *value_cond_new(struct build *b, const char *name)
{
    const struct catalogue *c = b->l->catalogue;
    for (uint16_t i = 0; i < c->n_values; i++) {
        if (strcmp(c->values[i].name, name) != 0)
            continue;
        struct value_cond *v = build_get(b, sizeof(*v));
        v->name = c->values[i].name;
        v->sources = c->values[i].sources;
        v->n_sources = c->values[i].n_sources;
        return v;
    }
    return NULL;
}

/* A value that exists in one direction only settles the rule's. */
static void value_needs(struct build *b, const struct value_info *v)
{
    if (v->dirs == 1 << DIR_TS || v->dirs == 1 << DIR_TC)
        b->dirs_needed |= v->dirs;
    b->r->flags |= RULE_NEEDS_APP;
}

static bool value_which(struct build *b, struct span text, struct value_cond *v)
{
    int64_t n;
    v->which = INDEX_ANY;
    if (span_eq(text, SPAN("all")))
        v->which = INDEX_ALL;
    else if (span_eq(text, SPAN("all1")))
        v->which = INDEX_ALL1;
    else if (span_eq(text, SPAN("count")))
        v->which = INDEX_COUNT;
    else if (parse_int(text, INT32_MIN, INT32_MAX, &n)) {
        v->which = INDEX_ONE;
        v->index = (int32_t)n;
    } else if (text.n && !span_eq(text, SPAN("any")))
        return rule_fail_at(b, text.p, "any, all, all1, count or an index expected");
    return true;
}

bool setup_value(struct build *b, const struct option *o)
{
    const struct value_info *info = &b->l->catalogue->values[o->index];
    struct value_cond *v = value_cond_new(b, info->name);
    struct span rest = o->value;
    struct span number = next_element(&rest);
    struct span name = number;
    must(v);
    if (info->n_sources == 1 && !build_app(b, info->sources[0].proto))
        return false;
    if (!value_which(b, span_trim(rest), v))
        return false;
    bool negated = name.n && name.p[0] == '!';
    if (negated)
        name = span_trim(span_from(name, 1));
    v->cond.op = negated ? UINT_NE : UINT_EQ;
    if (!value_name_find(info->name, name, &v->cond.a) &&
        !parse_uint_cond(b, number, UINT64_MAX, &v->cond))
        return false;
    value_needs(b, info);
    build_add(b, LIST_TX, KW_TX_VALUE, v);
    return true;
}

/* A keyword of a protocol without a parser: its value is not looked at. */
bool setup_foreign(struct build *b, const struct option *o)
{
    b->r->flags |= RULE_NEEDS_APP;
    b->foreign = true;
    return build_app(b, (uint8_t)o->index);
}

/* "name" of the rule's protocol, or "protocol.name": loads on protocols that are not parsed, as
 * their other keywords do. */
bool setup_frame(struct build *b, const struct option *o)
{
    struct span name = o->value;
    uint8_t app = b->r->app;
    if (app == PROTO_NONE)
        app = app_find(span_split(&name, '.'));
    if (app == PROTO_NONE)
        return rule_fail_at(b, o->value.p, "the frame's protocol is missing");
    if (app < APP_FOREIGN)
        return rule_fail(b, "not supported: frames of %s", app_name_of(app));
    b->foreign = true;
    return build_app(b, app) && build_sticky(b, BUFFER_FRAME);
}

static bool app_unknown(struct build *b, struct span name)
{
    struct nearest near = nearest_to(name);
    app_names_try(&near);
    return rule_fail_at(b, name.p, "\"%.*s\" is not a protocol%s", (int)min_size(name.n, 40),
                        (const char *)name.p, nearest_text(&near));
}

bool setup_app_layer_protocol(struct build *b, const struct option *o)
{
    static const char *const sides[] = {
        [APP_EITHER] = "either",
        [APP_FINAL] = "final",
        [APP_DIRECTION] = "direction",
        [APP_TS] = "to_server",
        [APP_TC] = "to_client",
        [APP_ORIGINAL] = "original",
        [APP_BOTH_SIDES] = "both_directions",
    };
    struct app_proto_cond *c = build_get(b, sizeof(*c));
    struct span rest = o->value;
    struct span name = next_element(&rest);
    struct span side = span_trim(rest);
    if (b->r->app != PROTO_NONE)
        return rule_fail(b, "the rule is on protocol %s already", app_name_of(b->r->app));
    c->negated = o->negated;
    c->side = APP_DIRECTION;
    if (span_eq(name, SPAN("failed")))
        c->app = APP_FAILED;
    else if (span_eq(name, SPAN("unknown")))
        c->app = APP_UNKNOWN;
    else
        c->app = app_recognised(app_find(name));
    if (c->app == PROTO_NONE)
        return app_unknown(b, name);
    for (size_t i = 0; side.n && i <= LEN(sides); i++) {
        if (i == LEN(sides))
            return rule_fail_at(b, side.p, "\"%.*s\" is not a side", (int)min_size(side.n, 40),
                                (const char *)side.p);
        if (!span_eq(side, span_str(sides[i])))
            continue;
        c->side = (uint8_t)i;
        break;
    }
    for (const struct match *m = b->r->packet_matches; m; m = m->next) {
        const struct app_proto_cond *other = m->data;
        if (m->kind == KW_APP_LAYER_PROTOCOL && other->side == c->side &&
            (other->negated != c->negated || !c->negated))
            return rule_fail(b, "it contradicts the one before it");
    }
    build_add(b, LIST_PACKET, KW_APP_LAYER_PROTOCOL, c);
    return true;
}

/* The anomalies of recognition, as rules name them: EVE's names in lower case. */
static bool layer_event(struct build *b, struct span name)
{
    for (size_t i = 0; i < APP_LAYER_EVENTS; i++) {
        if (!span_ieq(name, span_str(app_layer_event_names[i])))
            continue;
        struct app_event_cond *e = build_get(b, sizeof(*e));
        e->event = (uint8_t)i;
        build_add(b, LIST_PACKET, KW_APP_LAYER_EVENT, e);
        return true;
    }
    return rule_fail_at(b, name.p, "\"%.*s\" is not the name of an event",
                        (int)min_size(name.n, 60), (const char *)name.p);
}

bool setup_app_layer_event(struct build *b, const struct option *o)
{
    struct span name = o->value;
    size_t dot = span_find_byte(name, '.');
    if (dot == name.n)
        return layer_event(b, name);
    uint8_t app = app_find(span_cut(name, 0, dot));
    if (app == PROTO_NONE)
        return app_unknown(b, span_cut(name, 0, dot));
    if (!build_app(b, app))
        return false;
    b->r->flags |= RULE_NEEDS_APP;
    if (app >= APP_FOREIGN) {
        b->foreign = true;
        return true;
    }
    struct span event = span_from(name, dot + 1);
    const struct proto *p = proto_table[app];
    size_t i = 0;
    while (i < p->n_events && !span_ieq(event, span_str(p->event_names[i])))
        i++;
    struct app_event_cond *e = build_get(b, sizeof(*e));
    e->proto = app;
    e->event = i < p->n_events ? (uint8_t)i : APP_EVENT_NEVER;
    build_add(b, LIST_TX, KW_APP_LAYER_EVENT, e);
    if (i < p->n_events)
        return true;
    if (event_is_foreign(p->name, event)) {
        rule_warn(b, "this anomaly of %s is not looked for: the rule cannot match", p->name);
        return true;
    }
    struct nearest near = nearest_to(event);
    for (i = 0; i < p->n_events; i++)
        nearest_try(&near, span_str(p->event_names[i]));
    return rule_fail_at(b, event.p, "protocol %s has no event \"%.*s\"%s", p->name,
                        (int)min_size(event.n, 60), (const char *)event.p, nearest_text(&near));
}

/* The condition on a state by name, in the direction that has it. */
static bool state_add(struct build *b, struct span name, enum uint_op op)
{
    const struct proto *p = proto_table[b->r->app];
    for (uint8_t dir = DIR_TS; dir <= DIR_TC; dir++) {
        if (!p->progress_names[dir] ||
            (b->r->flags & (dir == DIR_TS ? RULE_TO_CLIENT : RULE_TO_SERVER)))
            continue;
        for (unsigned i = 0; i <= p->done[dir]; i++) {
            const char *known = p->progress_names[dir][i];
            if (!known || !span_ieq(name, span_str(known)))
                continue;
            struct app_state_cond *c = build_get(b, sizeof(*c));
            *c = (struct app_state_cond){(uint8_t)op, (uint8_t)i, dir};
            b->dirs_needed |= (uint8_t)(1u << dir);
            build_add(b, LIST_TX, KW_APP_LAYER_STATE, c);
            return true;
        }
    }
    struct nearest near = nearest_to(name);
    for (uint8_t dir = DIR_TS; dir <= DIR_TC; dir++)
        for (unsigned i = 0; p->progress_names[dir] && i <= p->done[dir]; i++)
            if (p->progress_names[dir][i])
                nearest_try(&near, span_str(p->progress_names[dir][i]));
    return rule_fail_at(b, name.p, "protocol %s has no state \"%.*s\"%s", p->name,
                        (int)min_size(name.n, 60), (const char *)name.p, nearest_text(&near));
}

bool rule_hook(struct build *b, struct span state)
{
    if (b->r->app == PROTO_NONE || b->r->app >= PROTO_COUNT)
        return b->r->app >= APP_FOREIGN ||
               rule_fail_at(b, state.p, "only a protocol that is parsed has states");
    return state_add(b, state, UINT_GE);
}

/* "client_hello_done", "<client_hello_done" */
bool setup_app_layer_state(struct build *b, const struct option *o)
{
    static const struct {
        const char *sign;
        uint8_t op;
    } ops[] = {{"<=", UINT_LE}, {">=", UINT_GE}, {"<", UINT_LT}, {">", UINT_GT}};
    struct span name = o->value;
    enum uint_op op = UINT_EQ;
    for (size_t i = 0; i < LEN(ops); i++)
        if (span_starts(name, span_str(ops[i].sign))) {
            op = (enum uint_op)ops[i].op;
            name = span_trim(span_from(name, strlen(ops[i].sign)));
            break;
        }
    if (b->r->app == PROTO_NONE || b->r->app >= PROTO_COUNT)
        return rule_fail(b, "the rule must be on a protocol that is parsed");
    return state_add(b, name, op);
}

/* ---- TLS ---- */

static bool need_tls(struct build *b)
{
    b->r->flags |= RULE_NEEDS_APP;
    return build_app(b, app_find(SPAN("tls")));
}

bool setup_tls_version(struct build *b, const struct option *o)
{
    struct tls_version *t = build_get(b, sizeof(*t));
    uint64_t v;
    if (!value_name_find("tls.version", o->value, &v) &&
        !(span_starts(o->value, SPAN("0x")) && parse_uint(o->value, false, &v) && v <= UINT16_MAX))
        return rule_fail_at(b, o->value.p, "\"%.*s\" is not a version of TLS",
                            (int)min_size(o->value.n, 40), (const char *)o->value.p);
    t->version = (uint16_t)v;
    t->negated = o->negated;
    t->value = value_cond_new(b, "tls.version");
    build_add(b, LIST_TX, KW_TLS_VERSION, t);
    return need_tls(b);
}

bool setup_ssl_version(struct build *b, const struct option *o)
{
    struct ssl_version *s = build_get(b, sizeof(*s));
    struct span rest = o->value;
    do {
        struct span name = next_element(&rest);
        bool negated = name.n && name.p[0] == '!';
        uint64_t v;
        if (negated)
            name = span_trim(span_from(name, 1));
        if (!value_name_find("ssl_version", name, &v))
            return rule_fail_at(b, name.p, "\"%.*s\" is not a version of SSL or TLS",
                                (int)min_size(name.n, 40), (const char *)name.p);
        for (uint8_t i = 0; i < s->n; i++)
            if (s->list[i].version == v)
                return rule_fail_at(b, name.p, "it is said twice");
        must(s->n < LEN(s->list));
        s->list[s->n].version = (uint16_t)v;
        s->list[s->n++].negated = negated;
    } while (rest.n);
    s->value = value_cond_new(b, "tls.version");
    build_add(b, LIST_TX, KW_SSL_VERSION, s);
    return need_tls(b);
}

bool setup_ssl_state(struct build *b, const struct option *o)
{
    struct ssl_state *s = build_get(b, sizeof(*s));
    struct span rest = o->value;
    bool first = true;
    while (rest.n) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ',' && rest.p[n] != '|')
            n++;
        struct span name = span_trim(span_cut(rest, 0, n));
        rest = span_from(rest, n + 1);
        bool negated = name.n && name.p[0] == '!';
        uint64_t bit;
        if (negated)
            name = span_trim(span_from(name, 1));
        if (!value_name_find("ssl_state", name, &bit))
            return rule_fail_at(b, name.p, "\"%.*s\" is not a state", (int)min_size(name.n, 40),
                                (const char *)name.p);
        if (!first && negated != s->negated)
            return rule_fail_at(b, name.p, "negated states do not go with others");
        s->mask |= (uint8_t)bit;
        s->negated = negated;
        first = false;
    }
    s->value = value_cond_new(b, "ssl_state");
    build_add(b, LIST_TX, KW_SSL_STATE, s);
    return need_tls(b);
}

/* Keywords from before the sticky buffers: bytes in what the buffer of today holds; a fingerprint
 * is compared as a whole. */
bool setup_tls_legacy(struct build *b, const struct option *o)
{
    struct content *c = build_get(b, sizeof(*c));
    bool whole = o->keyword == KW_TLS_FINGERPRINT;
    struct span name = whole                          ? SPAN("tls.cert_fingerprint")
                       : o->keyword == KW_TLS_SUBJECT ? SPAN("tls.cert_subject")
                                                      : SPAN("tls.cert_issuer");
    const struct name_ref *ref = catalogue_find(b->l->catalogue, name);
    if (!ref)
        return rule_fail(b, "there is no buffer for it");
    if (!setup_pkt_data(b, o) || !need_tls(b))
        return false;
    b->at = o->value.p;
    if (!parse_content(b, o->value, &c->bytes))
        return false;
    c->flags = o->negated ? CONTENT_NEGATED : 0;
    if (whole) {
        c->flags |= CONTENT_STARTS | CONTENT_DEPTH | CONTENT_ENDS;
        c->depth = (int32_t)c->bytes.n;
    }
    b->dirs_needed |= 1 << DIR_TC;
    return content_on_buffer(b, c, ref->index);
}

/* The same for SSH: the whole of what a side says of itself, or versions that speak version 2. */
bool setup_ssh_legacy(struct build *b, const struct option *o)
{
    bool version = o->keyword == KW_SSH_PROTOVERSION;
    const struct name_ref *ref =
        catalogue_find(b->l->catalogue, version ? SPAN("ssh.proto") : SPAN("ssh.software"));
    struct content *c = build_get(b, sizeof(*c));
    if (!ref)
        return rule_fail(b, "there is no buffer for it");
    if (!setup_pkt_data(b, o) || !build_app(b, app_find(SPAN("ssh"))))
        return false;
    if (version && span_eq(o->value, SPAN("2_compat"))) {
        const struct option compatible = {.value = SPAN("/^(?:2|1\\.99)/"), .has_value = true};
        return build_sticky(b, ref->index) && setup_pcre(b, &compatible) && setup_pkt_data(b, o);
    }
    b->at = o->value.p;
    b->r->flags |= RULE_NEEDS_APP;
    if (!parse_content(b, span_trim(o->value), &c->bytes))
        return false;
    c->flags = CONTENT_STARTS | CONTENT_DEPTH | CONTENT_ENDS;
    c->depth = (int32_t)c->bytes.n;
    return content_on_buffer(b, c, ref->index);
}

bool setup_tls_store(struct build *b, const struct option *o)
{
    build_add(b, LIST_POST, o->keyword, NULL);
    return need_tls(b);
}

/* Expired or valid at the packet's time: the match function asks for both ends by name. */
bool setup_cert_now(struct build *b, const struct option *o)
{
    b->dirs_needed |= 1 << DIR_TC;
    build_add(b, LIST_TX, o->keyword, NULL);
    return need_tls(b);
}

/* Seconds since 1970, or as much of "2015-10-22T23:59:59" as is given, UTC. */
static bool read_time(struct span s, uint64_t *ret)
{
    int part[6] = {1970, 1, 1, 0, 0, 0};
    size_t n = 0, i = 0;
    if (span_find_byte(s, '-') == s.n)
        return span_u64(s, ret);
    while (i < s.n && n < LEN(part)) {
        size_t from = i;
        uint64_t v;
        while (i < s.n && ascii_is_digit(s.p[i]))
            i++;
        if (!span_u64(span_cut(s, from, i - from), &v) || v > 9999)
            return false;
        part[n++] = (int)v;
        if (i == s.n)
            break;
        uint8_t c = s.p[i++];
        static const char *const between[] = {"-", "-", "T ", ":", ":", ""};
        if (!strchr(between[n - 1], c) || i == s.n)
            return false;
    }
    struct tm t = {.tm_year = part[0] - 1900,
                   .tm_mon = part[1] - 1,
                   .tm_mday = part[2],
                   .tm_hour = part[3],
                   .tm_min = part[4],
                   .tm_sec = part[5]};
    time_t at = timegm(&t);
    *ret = (uint64_t)at;
    return i == s.n && n >= 2 && at >= 0 && t.tm_mon == part[1] - 1;
}

bool setup_cert_time(struct build *b, const struct option *o)
{
    struct cert_time *c = build_get(b, sizeof(*c));
    struct span s = o->value;
    size_t between = span_find(s, SPAN("<>"));
    bool ok;
    c->cond.op = UINT_EQ;
    if (between != SIZE_MAX) {
        c->cond.op = UINT_RANGE;
        ok = read_time(span_trim(span_cut(s, 0, between)), &c->cond.a) &&
             read_time(span_trim(span_from(s, between + 2)), &c->cond.b) && c->cond.a < c->cond.b;
    } else {
        if (s.p[0] == '<' || s.p[0] == '>') {
            c->cond.op = s.p[0] == '<' ? UINT_LT : UINT_GT;
            s = span_trim(span_from(s, 1));
        }
        ok = read_time(s, &c->cond.a);
    }
    if (!ok)
        return rule_fail_at(b, s.p, "\"%.*s\" is not a time", (int)min_size(s.n, 60),
                            (const char *)s.p);
    c->value = value_cond_new(b, o->keyword == KW_TLS_CERT_NOTBEFORE ? "tls.cert_notbefore"
                                                                     : "tls.cert_notafter");
    b->dirs_needed |= 1 << DIR_TC;
    build_add(b, LIST_TX, o->keyword, c);
    return need_tls(b);
}
