/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the catalogue of the rule language's names once per ruleset: buffers of the packet and of
 * files, every protocol's buffers (one entry for a name that several protocols have) and values,
 * and the names of protocols that have no parser. Everything lives on the ruleset's arena. */
#include "detect/buffers.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"
#include "detect/setup.h"

#include <netinet/in.h>

enum { CATALOGUE_BUFFERS = 512, CATALOGUE_VALUES = 256, CATALOGUE_NAMES = 4096 };

struct foreign_proto {
    const char *name;
    uint8_t transports;
};

static const struct foreign_proto foreign_protos[] = {
#define FOREIGN_PROTO(name, transports) {name, transports},
#define FOREIGN_BUFFER(name, aliases, modifier, proto, dirs)
#define FOREIGN_VALUE(names, proto)
#define FOREIGN_EVENT(names, proto)
#include "detect/foreign.def"
#undef FOREIGN_PROTO
#undef FOREIGN_BUFFER
#undef FOREIGN_VALUE
#undef FOREIGN_EVENT
};

static const struct foreign_buffer {
    const char *name, *aliases, *modifier, *proto;
    uint8_t dirs;
} foreign_buffers[] = {
#define FOREIGN_PROTO(name, transports)
#define FOREIGN_BUFFER(name, aliases, modifier, proto, dirs) {name, aliases, modifier, proto, dirs},
#define FOREIGN_VALUE(names, proto)
#define FOREIGN_EVENT(names, proto)
#include "detect/foreign.def"
#undef FOREIGN_PROTO
#undef FOREIGN_BUFFER
#undef FOREIGN_VALUE
#undef FOREIGN_EVENT
};

static const struct foreign_value {
    const char *names, *proto;
} foreign_values[] = {
#define FOREIGN_PROTO(name, transports)
#define FOREIGN_BUFFER(name, aliases, modifier, proto, dirs)
#define FOREIGN_VALUE(names, proto) {names, proto},
#define FOREIGN_EVENT(names, proto)
#include "detect/foreign.def"
#undef FOREIGN_PROTO
#undef FOREIGN_BUFFER
#undef FOREIGN_VALUE
#undef FOREIGN_EVENT
};

static const struct foreign_value foreign_events[] = {
#define FOREIGN_PROTO(name, transports)
#define FOREIGN_BUFFER(name, aliases, modifier, proto, dirs)
#define FOREIGN_VALUE(names, proto)
#define FOREIGN_EVENT(names, proto) {names, proto},
#include "detect/foreign.def"
#undef FOREIGN_PROTO
#undef FOREIGN_BUFFER
#undef FOREIGN_VALUE
#undef FOREIGN_EVENT
};

const char *foreign_value_names(size_t i)
{
    return i < LEN(foreign_values) ? foreign_values[i].names : NULL;
}

bool event_is_foreign(const char *proto, struct span event)
{
    for (size_t i = 0; i < LEN(foreign_events); i++) {
        struct span rest = span_str(foreign_events[i].names);
        while (strcmp(foreign_events[i].proto, proto) == 0 && rest.n)
            if (span_ieq(span_split(&rest, ' '), event))
                return true;
    }
    return false;
}

uint8_t app_find(struct span name)
{
    const struct proto *p = proto_find(name);
    if (p && !p->parse)
        p = NULL; /* of the language it has the header alone: app_recognised */
    if (!p && span_ieq(name, SPAN("http1")))
        p = proto_find(SPAN("http"));
    if (span_ieq(name, SPAN("ikev2")))
        name = SPAN("ike");
    for (int i = 1; p && i < PROTO_COUNT; i++)
        if (proto_table[i] == p)
            return (uint8_t)i;
    for (size_t i = 0; i < LEN(foreign_protos); i++)
        if (span_ieq(span_str(foreign_protos[i].name), name))
            return (uint8_t)(APP_FOREIGN + i);
    return PROTO_NONE;
}

uint8_t app_recognised(uint8_t app)
{
    if (app < APP_FOREIGN || app - APP_FOREIGN >= (int)LEN(foreign_protos))
        return app;
    for (int i = 1; i < PROTO_COUNT; i++)
        if (strcmp(proto_table[i]->name, foreign_protos[app - APP_FOREIGN].name) == 0)
            return (uint8_t)i;
    return app;
}

const char *app_name_of(uint8_t app)
{
    if (app == APP_FAILED)
        return "failed";
    if (app >= APP_FOREIGN && app - APP_FOREIGN < (int)LEN(foreign_protos))
        return foreign_protos[app - APP_FOREIGN].name;
    return app && app < PROTO_COUNT ? proto_table[app]->name : "unknown";
}

uint8_t app_transports(uint8_t app)
{
    if (app >= APP_FOREIGN && app - APP_FOREIGN < (int)LEN(foreign_protos))
        return foreign_protos[app - APP_FOREIGN].transports;
    return app && app < PROTO_COUNT ? proto_table[app]->transports : 0;
}

/* ---- buffers of the packet ---- */

static bool ip_header_get(const struct packet *p, uint8_t version, struct span *ret)
{
    if (p->ip_v != version || !p->ip)
        return false;
    *ret = (struct span){p->ip, p->ip_head_n};
    return true;
}

static bool ipv4_hdr_get(const struct packet *p, struct span *ret)
{
    return ip_header_get(p, 4, ret);
}

static bool ipv6_hdr_get(const struct packet *p, struct span *ret)
{
    return ip_header_get(p, 6, ret);
}

static bool tcp_hdr_get(const struct packet *p, struct span *ret)
{
    if (!packet_is(p, IPPROTO_TCP))
        return false;
    *ret = (struct span){p->l4, p->tcp.header_n};
    return true;
}

static bool udp_hdr_get(const struct packet *p, struct span *ret)
{
    if (!packet_is(p, IPPROTO_UDP))
        return false;
    *ret = (struct span){p->l4, 8};
    return true;
}

/* An ICMP header is 8 bytes and what its type adds, unless less of it was captured. */
static bool icmp_header_get(const struct packet *p, uint8_t proto, size_t more, struct span *ret)
{
    if (!packet_is(p, proto) || p->ip_payload.p != p->l4)
        return false;
    *ret = span_cut(p->ip_payload, 0, p->ip_payload.n < 8 + more ? 8 : 8 + more);
    return true;
}

enum {
    ICMP_ROUTERS = 9,
    ICMP_STAMP = 13,
    ICMP_STAMP_REPLY = 14,
    ICMP_MASK = 17,
    ICMP_MASK_REPLY = 18
};

/* RFC 792: time stamps; RFC 950: address mask; RFC 1256: the routers' addresses. */
static size_t icmpv4_more(const struct packet *p)
{
    if (p->ip_payload.n < 8)
        return 0;
    switch (p->icmp_type) {
    case ICMP_STAMP:
    case ICMP_STAMP_REPLY:
        return 12;
    case ICMP_MASK:
    case ICMP_MASK_REPLY:
        return 4;
    case ICMP_ROUTERS:
        return (size_t)p->ip_payload.p[4] * p->ip_payload.p[5] * 4;
    default:
        return 0;
    }
}

static bool icmpv4_hdr_get(const struct packet *p, struct span *ret)
{
    return icmp_header_get(p, IPPROTO_ICMP, icmpv4_more(p), ret);
}

static bool icmpv6_hdr_get(const struct packet *p, struct span *ret)
{
    return icmp_header_get(p, IPPROTO_ICMPV6, 0, ret);
}

static bool address_get(const struct ip *ip, struct span *ret)
{
    if (!ip->family)
        return false;
    *ret = ip->family == 4 ? (struct span){ip->b + 12, 4} : (struct span){ip->b, 16};
    return true;
}

static bool ip_src_get(const struct packet *p, struct span *ret)
{
    return address_get(&p->src, ret);
}

static bool ip_dst_get(const struct packet *p, struct span *ret)
{
    return address_get(&p->dst, ret);
}

typedef bool packet_get_fn(const struct packet *p, struct span *ret);
static packet_get_fn *const packet_gets[BUFFERS_FIXED] = {
    [BUFFER_IPV4_HDR] = ipv4_hdr_get,     [BUFFER_IPV6_HDR] = ipv6_hdr_get,
    [BUFFER_TCP_HDR] = tcp_hdr_get,       [BUFFER_UDP_HDR] = udp_hdr_get,
    [BUFFER_ICMPV4_HDR] = icmpv4_hdr_get, [BUFFER_ICMPV6_HDR] = icmpv6_hdr_get,
    [BUFFER_IP_SRC] = ip_src_get,         [BUFFER_IP_DST] = ip_dst_get,
};

/* ---- making the catalogue ---- */

static uint64_t name_hash(struct span name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < name.n; i++)
        h = (h ^ ascii_lower(name.p[i])) * 0x100000001b3u;
    return hash_mix(h);
}

static bool name_add(struct catalogue *c, struct span name, enum name_kind kind, size_t index)
{
    uint32_t i = (uint32_t)name_hash(name) & c->mask;
    if (!name.n)
        return false;
    for (; c->names[i].name; i = (i + 1) & c->mask)
        if (span_ieq(span_of(c->names[i].name, c->names[i].len), name))
            return false;
    c->names[i] =
        (struct name_ref){(const char *)name.p, (uint8_t)name.n, (uint8_t)kind, (uint16_t)index};
    return true;
}

static void names_add(struct catalogue *c, const char *list, enum name_kind kind, size_t index)
{
    struct span rest = span_str(list);
    while (rest.n)
        name_add(c, span_split(&rest, ' '), kind, index);
}

const struct name_ref *catalogue_find(const struct catalogue *c, struct span name)
{
    for (uint32_t i = (uint32_t)name_hash(name) & c->mask; c->names[i].name; i = (i + 1) & c->mask)
        if (span_ieq(span_of(c->names[i].name, c->names[i].len), name))
            return &c->names[i];
    return NULL;
}

static uint16_t buffer_add(struct catalogue *c, const char *name, struct buffer_spec spec)
{
    must(c->n_buffers < CATALOGUE_BUFFERS);
    uint16_t i = c->n_buffers++;
    c->buffers[i].name = name;
    c->specs[i] = spec;
    name_add(c, span_str(name), NAME_BUFFER, i);
    names_add(c, spec.aliases, NAME_BUFFER, i);
    if (spec.modifier)
        name_add(c, span_str(spec.modifier), NAME_MODIFIER, i);
    return i;
}

/* Which buffers are the better place to filter by: rare and selective first. */
static uint8_t buffer_priority(const char *name)
{
    static const char *const poor[] = {"http.method",      "http.stat_code",    "http.stat_msg",
                                       "http.protocol",    "http.header_names", "http.accept",
                                       "http.accept_enc",  "http.accept_lang",  "http.connection",
                                       "http.content_len", "http.start"};
    for (size_t i = 0; i < LEN(poor); i++)
        if (strcmp(poor[i], name) == 0)
            return 4;
    return 2;
}

static void source_add(struct catalogue *c, struct arena *a, uint16_t at, uint8_t proto,
                       const struct proto_buffer *b)
{
    struct buffer_info *info = &c->buffers[at];
    struct buffer_source *s = arena_get(a, (info->n_sources + 1u) * sizeof(*s));
    mem_need(s, sizeof(*s));
    if (info->n_sources)
        memcpy(s, info->sources, info->n_sources * sizeof(*s));
    s[info->n_sources++] = (struct buffer_source){proto, b};
    info->sources = s;
}

static void proto_buffers_add(struct catalogue *c, struct arena *a, uint8_t proto)
{
    const struct proto *p = proto_table[proto];
    for (size_t i = 0; i < p->n_buffers; i++) {
        const struct proto_buffer *b = &p->buffers[i];
        const struct name_ref *known = catalogue_find(c, span_str(b->name));
        uint16_t at;
        if (known && known->kind == NAME_BUFFER) {
            at = known->index;
            c->specs[at].dirs |= b->dirs;
            c->specs[at].multi |= b->multi;
            if (c->specs[at].kind == BUFFER_OF_APP)
                c->specs[at].app = PROTO_NONE;
        } else {
            struct buffer_spec spec = {.aliases = b->aliases,
                                       .modifier = b->modifier,
                                       .help = b->help,
                                       .kind = BUFFER_OF_APP,
                                       .dirs = b->dirs,
                                       .multi = b->multi,
                                       .app = proto,
                                       .priority = buffer_priority(b->name)};
            at = buffer_add(c, b->name, spec);
        }
        source_add(c, a, at, proto, b);
    }
}

static void proto_values_add(struct catalogue *c, uint8_t proto)
{
    const struct proto *p = proto_table[proto];
    for (size_t i = 0; i < p->n_values; i++) {
        const struct proto_value *v = &p->values[i];
        struct value_info *info = NULL;
        for (uint16_t k = 0; k < c->n_values && !info; k++)
            if (strcmp(c->values[k].name, v->name) == 0)
                info = &c->values[k];
        if (!info) {
            must(c->n_values < CATALOGUE_VALUES);
            info = &c->values[c->n_values];
            info->name = v->name;
            name_add(c, span_str(v->name), NAME_VALUE, c->n_values++);
        }
        must(info->n_sources < LEN(info->sources));
        info->sources[info->n_sources++] = (struct value_source){proto, v};
        info->dirs |= v->dirs;
    }
}

static void foreign_add(struct catalogue *c)
{
    for (size_t i = 0; i < LEN(foreign_buffers); i++) {
        const struct foreign_buffer *f = &foreign_buffers[i];
        const struct name_ref *known = catalogue_find(c, span_str(f->name));
        if (known) {
            names_add(c, f->aliases, NAME_BUFFER, known->index);
            continue;
        }
        struct buffer_spec spec = {.aliases = f->aliases,
                                   .modifier = *f->modifier ? f->modifier : NULL,
                                   .help = "of a protocol that is not parsed",
                                   .kind = BUFFER_OF_APP,
                                   .dirs = f->dirs,
                                   .app = app_find(span_str(f->proto)),
                                   .priority = buffer_priority(f->name)};
        buffer_add(c, f->name, spec);
    }
    for (size_t i = 0; i < LEN(foreign_values); i++)
        names_add(c, foreign_values[i].names, NAME_FOREIGN,
                  app_find(span_str(foreign_values[i].proto)));
}

const struct catalogue *catalogue_new(struct arena *a)
{
    static const struct buffer_spec fixed[] = {
#define BUFFER(id, name_, aliases_, kind_, dirs_, help_)                                           \
    [BUFFER_##id] = {.aliases = aliases_, .help = help_, .kind = BUFFER_OF_##kind_, .dirs = dirs_},
#include "detect/buffers.def"
#undef BUFFER
    };
    static const char *const fixed_names[] = {
#define BUFFER(id, name, aliases, kind, dirs, help) name,
#include "detect/buffers.def"
#undef BUFFER
    };
    struct catalogue *c = arena_zero(a, sizeof(*c));
    mem_need(c, sizeof(*c));
    c->buffers = arena_zero(a, CATALOGUE_BUFFERS * sizeof(*c->buffers));
    c->specs = arena_zero(a, CATALOGUE_BUFFERS * sizeof(*c->specs));
    c->values = arena_zero(a, CATALOGUE_VALUES * sizeof(*c->values));
    c->names = arena_zero(a, CATALOGUE_NAMES * sizeof(*c->names));
    mem_need(c->buffers, CATALOGUE_BUFFERS * sizeof(*c->buffers));
    mem_need(c->specs, CATALOGUE_BUFFERS * sizeof(*c->specs));
    mem_need(c->values, CATALOGUE_VALUES * sizeof(*c->values));
    mem_need(c->names, CATALOGUE_NAMES * sizeof(*c->names));
    c->mask = CATALOGUE_NAMES - 1;
    for (int i = 1; i < KEYWORDS; i++) {
        names_add(c, keyword_table[i].name, NAME_KEYWORD, (size_t)i);
        names_add(c, keyword_table[i].aliases, NAME_KEYWORD, (size_t)i);
    }
    for (size_t i = 0; i < BUFFERS_FIXED; i++) {
        uint16_t at = buffer_add(c, fixed_names[i], fixed[i]);
        c->buffers[at].packet_get = packet_gets[i];
        c->specs[at].priority = c->specs[at].kind == BUFFER_OF_FILE ? 2 : 4;
    }
    for (uint8_t i = 1; i < PROTO_COUNT; i++) {
        proto_buffers_add(c, a, i);
        proto_values_add(c, i);
    }
    foreign_add(c);
    return c;
}

struct span catalogue_nearest(const struct catalogue *c, struct span name)
{
    struct nearest near = nearest_to(name);
    for (uint32_t i = 0; i <= c->mask; i++)
        if (c->names[i].name)
            nearest_try(&near, span_of(c->names[i].name, c->names[i].len));
    return near.best;
}

void app_names_try(struct nearest *n)
{
    for (int i = 1; i < PROTO_COUNT; i++)
        nearest_try(n, span_str(proto_table[i]->name));
    for (size_t i = 0; i < LEN(foreign_protos); i++)
        nearest_try(n, span_str(foreign_protos[i].name));
}
