/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates address and port expressions. An expression is flattened into what it names and what it
 * excludes, however deep its lists and variables nest; the set is the first less the second, or
 * everything less the second when nothing is named. That is done per address family, so that
 * "not these IPv4 networks" names no IPv6 address, which is what rule writers have relied on. */
#include "detect/vars.h"

#include "base/nearest.h"

#include "base/mem.h"
#include "base/must.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { VAR_DEPTH = 16, VAR_RANGES = 1 << 20 };

struct var {
    char *name, *text;
};

struct var_list {
    struct var *v;
    size_t n;
};

struct rule_vars {
    struct var_list address, port;
};

static const char *const default_addresses[][2] = {
    {"HOME_NET", "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]"},
    {"EXTERNAL_NET", "!$HOME_NET"},
    {"HTTP_SERVERS", "$HOME_NET"},
    {"SMTP_SERVERS", "$HOME_NET"},
    {"SQL_SERVERS", "$HOME_NET"},
    {"DNS_SERVERS", "$HOME_NET"},
    {"TELNET_SERVERS", "$HOME_NET"},
    {"AIM_SERVERS", "$EXTERNAL_NET"},
    {"DC_SERVERS", "$HOME_NET"},
    {"DNP3_SERVER", "$HOME_NET"},
    {"DNP3_CLIENT", "$HOME_NET"},
    {"MODBUS_CLIENT", "$HOME_NET"},
    {"MODBUS_SERVER", "$HOME_NET"},
    {"ENIP_CLIENT", "$HOME_NET"},
    {"ENIP_SERVER", "$HOME_NET"},
};

static const char *const default_ports[][2] = {
    {"HTTP_PORTS", "80"},
    {"SHELLCODE_PORTS", "!80"},
    {"ORACLE_PORTS", "1521"},
    {"SSH_PORTS", "22"},
    {"DNP3_PORTS", "20000"},
    {"MODBUS_PORTS", "502"},
    {"FILE_DATA_PORTS", "[$HTTP_PORTS,110,143]"},
    {"FTP_PORTS", "21"},
    {"GENEVE_PORTS", "6081"},
    {"VXLAN_PORTS", "4789"},
    {"TEREDO_PORTS", "3544"},
    {"SIP_PORTS", "[5060,5061]"},
};

static void list_set(struct var_list *l, const char *name, const char *text)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i].name, name) == 0) {
            mem_free(l->v[i].text);
            l->v[i].text = mem_strdup(text);
            return;
        }
    l->v = mem_resize(l->v, (l->n + 1) * sizeof(*l->v));
    l->v[l->n].name = mem_strdup(name);
    l->v[l->n].text = mem_strdup(text);
    l->n++;
}

static const char *list_get(const struct var_list *l, struct span name)
{
    for (size_t i = 0; i < l->n; i++)
        if (span_eq(span_str(l->v[i].name), name))
            return l->v[i].text;
    return NULL;
}

static void list_free(struct var_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        mem_free(l->v[i].name);
        mem_free(l->v[i].text);
    }
    mem_free(l->v);
}

struct rule_vars *vars_new(void)
{
    struct rule_vars *v = mem_zero(sizeof(*v));
    for (size_t i = 0; i < LEN(default_addresses); i++)
        list_set(&v->address, default_addresses[i][0], default_addresses[i][1]);
    for (size_t i = 0; i < LEN(default_ports); i++)
        list_set(&v->port, default_ports[i][0], default_ports[i][1]);
    return v;
}

void vars_free(struct rule_vars *v)
{
    if (!v)
        return;
    list_free(&v->address);
    list_free(&v->port);
    mem_free(v);
}

void vars_set_address(struct rule_vars *v, const char *name, const char *text)
{
    list_set(&v->address, name, text);
}

void vars_set_port(struct rule_vars *v, const char *name, const char *text)
{
    list_set(&v->port, name, text);
}

const char *vars_address(const struct rule_vars *v, struct span name)
{
    return v ? list_get(&v->address, name) : NULL;
}

const char *vars_port(const struct rule_vars *v, struct span name)
{
    return v ? list_get(&v->port, name) : NULL;
}

/* ---- the grammar that addresses and ports share ---- */

struct expression;
typedef bool item_fn(struct expression *x, struct span item, bool negated, size_t at);

struct expression {
    const struct var_list *vars;
    struct vars_fault *fault;
    item_fn *item;
    const char *what;
    void *user;
    unsigned depth;
};

static PRINTF_LIKE(3, 4) bool fault_set(struct vars_fault *f, size_t at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    f->at = at;
    vsnprintf(f->reason, sizeof(f->reason), fmt, ap);
    va_end(ap);
    return false;
}

static bool expression_read(struct expression *x, struct span text, bool negated, size_t at);

static bool expression_var(struct expression *x, struct span name, bool negated, size_t at)
{
    const char *text = x->vars ? list_get(x->vars, name) : NULL;
    if (!text) {
        struct nearest near = nearest_to(name);
        for (size_t i = 0; x->vars && i < x->vars->n; i++)
            nearest_try(&near, span_str(x->vars->v[i].name));
        return fault_set(x->fault, at, "%s variable \"%.*s\" is not defined%s", x->what,
                         (int)min_size(name.n, 60), (const char *)name.p, nearest_text(&near));
    }
    if (++x->depth > VAR_DEPTH)
        return fault_set(x->fault, at, "variable \"%.*s\" refers to itself or nests too deep",
                         (int)min_size(name.n, 60), (const char *)name.p);
    struct vars_fault inner = {0};
    struct vars_fault *outer = x->fault;
    x->fault = &inner;
    bool ok = expression_read(x, span_trim(span_str(text)), negated, 0);
    x->fault = outer;
    x->depth--;
    return ok || fault_set(outer, at, "%s", inner.reason);
}

/* The length of the item at the front of s: up to a comma outside brackets; SIZE_MAX when brackets
 * do not match. */
static size_t item_length(struct span s)
{
    size_t depth = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '[')
            depth++;
        else if (s.p[i] == ']' && depth-- == 0)
            return SIZE_MAX;
        else if (s.p[i] == ',' && depth == 0)
            return i;
    }
    return depth ? SIZE_MAX : s.n;
}

static bool expression_item(struct expression *x, struct span item, bool negated, size_t at)
{
    const uint8_t *begin = item.p;
    item = span_trim(item);
    if (item.n && item.p[0] == '!') {
        negated = !negated;
        item = span_trim(span_from(item, 1));
    }
    at += (size_t)(item.p - begin);
    if (!item.n)
        return fault_set(x->fault, at, "an element of the %s list is empty", x->what);
    if (item.p[0] == '!')
        return fault_set(x->fault, at, "double negation");
    if (item.p[0] == '[') {
        if (item.p[item.n - 1] != ']')
            return fault_set(x->fault, at, "']' expected at the end of the %s list", x->what);
        if (++x->depth > VAR_DEPTH)
            return fault_set(x->fault, at, "lists nest too deep");
        bool ok = expression_read(x, span_cut(item, 1, item.n - 2), negated, at + 1);
        x->depth--;
        return ok;
    }
    if (item.p[0] == '$')
        return expression_var(x, span_from(item, 1), negated, at);
    return x->item(x, item, negated, at);
}

static bool expression_read(struct expression *x, struct span text, bool negated, size_t at)
{
    struct span rest = text;
    do {
        size_t n = item_length(rest);
        if (n == SIZE_MAX)
            return fault_set(x->fault, at, "brackets of the %s list do not match", x->what);
        if (!expression_item(x, span_cut(rest, 0, n), negated, at))
            return false;
        bool more = n < rest.n;
        at += n + 1;
        rest = span_from(rest, n + 1);
        if (!more)
            return true;
    } while (true);
}

/* ---- addresses ---- */

struct ranges {
    struct ip_range *r;
    size_t n, cap;
};

struct address_work {
    struct ranges named[2], excluded[2]; /* IPv4, IPv6 */
};

static bool ranges_add(struct ranges *l, struct ip_range r)
{
    if (l->n == l->cap) {
        if (l->cap >= VAR_RANGES)
            return false;
        l->cap = l->cap ? l->cap * 2 : 16;
        l->r = mem_resize(l->r, l->cap * sizeof(*l->r));
    }
    l->r[l->n++] = r;
    return true;
}

static struct ip_range range_all(uint8_t family)
{
    struct ip_range r = {{.family = family}, {.family = family}};
    memset(r.last.b + (family == 4 ? 12 : 0), 0xff, family == 4 ? 4 : 16);
    return r;
}

/* The address before or after; the caller knows that there is one. */
static struct ip ip_step(struct ip a, bool up)
{
    for (int i = 15; i >= 0; i--) {
        a.b[i] = (uint8_t)(a.b[i] + (up ? 1 : 0xff));
        if (a.b[i] != (up ? 0 : 0xff))
            break;
    }
    return a;
}

static int range_compare(const void *a, const void *b)
{
    return ip_cmp(&((const struct ip_range *)a)->first, &((const struct ip_range *)b)->first);
}

/* Sorts and joins what overlaps or touches. */
static void ranges_normalise(struct ranges *l)
{
    if (l->n < 2)
        return;
    qsort(l->r, l->n, sizeof(*l->r), range_compare);
    size_t out = 0;
    for (size_t i = 1; i < l->n; i++) {
        struct ip_range *prev = &l->r[out];
        struct ip_range all = range_all(prev->first.family);
        bool joins = ip_eq(&prev->last, &all.last);
        if (!joins) {
            struct ip next = ip_step(prev->last, true);
            joins = ip_cmp(&l->r[i].first, &next) <= 0;
        }
        if (!joins)
            l->r[++out] = l->r[i];
        else if (ip_cmp(&l->r[i].last, &prev->last) > 0)
            prev->last = l->r[i].last;
    }
    l->n = out + 1;
}

/* named less excluded, both normalised, into out. */
static void ranges_subtract(const struct ranges *named, const struct ranges *excluded,
                            struct ranges *out)
{
    size_t j = 0;
    for (size_t i = 0; i < named->n; i++) {
        struct ip_range r = named->r[i];
        bool left = true;
        while (j < excluded->n && ip_cmp(&excluded->r[j].last, &r.first) < 0)
            j++;
        for (size_t k = j; k < excluded->n && left; k++) {
            const struct ip_range *x = &excluded->r[k];
            if (ip_cmp(&x->first, &r.last) > 0)
                break;
            if (ip_cmp(&x->first, &r.first) > 0)
                ranges_add(out, (struct ip_range){r.first, ip_step(x->first, false)});
            if (ip_cmp(&x->last, &r.last) >= 0)
                left = false;
            else
                r.first = ip_step(x->last, true);
        }
        if (left)
            ranges_add(out, r);
    }
}

static bool address_item(struct expression *x, struct span item, bool negated, size_t at)
{
    struct address_work *w = x->user;
    struct ip_range r;
    if (span_ieq(item, SPAN("any"))) {
        if (negated)
            return fault_set(x->fault, at, "!any matches nothing");
        ranges_add(&w->named[0], range_all(4));
        return ranges_add(&w->named[1], range_all(6));
    }
    size_t dash = span_find_byte(item, '-');
    if (dash < item.n) {
        if (!ip_parse(span_trim(span_cut(item, 0, dash)), &r.first) ||
            !ip_parse(span_trim(span_from(item, dash + 1)), &r.last))
            return fault_set(x->fault, at, "\"%.*s\" is not a range of addresses",
                             (int)min_size(item.n, 60), (const char *)item.p);
        if (r.first.family != r.last.family || ip_cmp(&r.first, &r.last) > 0)
            return fault_set(x->fault, at, "the range \"%.*s\" runs backwards",
                             (int)min_size(item.n, 60), (const char *)item.p);
    } else {
        struct cidr c;
        if (!cidr_parse(item, &c))
            return fault_set(x->fault, at, "\"%.*s\" is not an address or network",
                             (int)min_size(item.n, 60), (const char *)item.p);
        cidr_range(&c, &r.first, &r.last);
    }
    struct ranges *l = negated ? w->excluded : w->named;
    return ranges_add(&l[r.first.family == 6], r) ||
           fault_set(x->fault, at, "too many addresses in one list");
}

static bool ranges_are_all(const struct ranges *l, uint8_t family)
{
    struct ip_range all = range_all(family);
    return l->n == 1 && ip_eq(&l->r[0].first, &all.first) && ip_eq(&l->r[0].last, &all.last);
}

static const struct ip_range *ranges_keep(struct arena *a, const struct ranges *l)
{
    struct span kept = arena_dup(a, span_of(l->r, l->n * sizeof(*l->r)));
    return (const struct ip_range *)(const void *)kept.p;
}

static const struct address_set *address_finish(struct address_work *w, struct arena *a,
                                                struct vars_fault *fault)
{
    struct ranges out[2] = {0};
    const struct address_set *ret = NULL;
    bool everything = true;
    for (int i = 0; i < 2; i++) {
        uint8_t family = i ? 6 : 4;
        ranges_normalise(&w->excluded[i]);
        if (!w->named[i].n && w->excluded[i].n)
            ranges_add(&w->named[i], range_all(family));
        ranges_normalise(&w->named[i]);
        ranges_subtract(&w->named[i], &w->excluded[i], &out[i]);
        everything = everything && ranges_are_all(&out[i], family);
    }
    if (ranges_are_all(&w->excluded[0], 4)) {
        fault_set(fault, 0, "the complete address space is negated");
    } else if (!out[0].n && !out[1].n) {
        fault_set(fault, 0, "no address is left after the negated ones are taken out");
    } else {
        struct address_set *s = arena_zero(a, sizeof(*s));
        mem_need(s, sizeof(*s));
        s->any = everything;
        s->v4 = ranges_keep(a, &out[0]);
        s->v6 = ranges_keep(a, &out[1]);
        s->n_v4 = (uint32_t)out[0].n;
        s->n_v6 = (uint32_t)out[1].n;
        ret = s;
    }
    for (int i = 0; i < 2; i++)
        mem_free(out[i].r);
    return ret;
}

const struct address_set *address_set_parse(const struct rule_vars *v, struct arena *a,
                                            struct span text, struct vars_fault *fault)
{
    struct address_work w = {0};
    struct expression x = {.vars = v ? &v->address : NULL,
                           .fault = fault,
                           .item = address_item,
                           .what = "address",
                           .user = &w};
    const struct address_set *s = NULL;
    if (expression_read(&x, text, false, 0))
        s = address_finish(&w, a, fault);
    for (int i = 0; i < 2; i++) {
        mem_free(w.named[i].r);
        mem_free(w.excluded[i].r);
    }
    return s;
}

bool address_set_has(const struct address_set *s, const struct ip *ip)
{
    if (s->any)
        return true;
    const struct ip_range *r = ip->family == 4 ? s->v4 : s->v6;
    size_t low = 0, high = ip->family == 4 ? s->n_v4 : s->n_v6;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (ip_cmp(ip, &r[mid].first) < 0)
            high = mid;
        else if (ip_cmp(ip, &r[mid].last) > 0)
            low = mid + 1;
        else
            return true;
    }
    return false;
}

/* ---- ports ---- */

struct port_work {
    uint64_t named[1024], excluded[1024]; /* a bit per port */
    bool some_named, some_excluded;
};

static bool port_number(struct span s, uint32_t absent, uint32_t *ret)
{
    uint64_t n;
    if (!s.n) {
        *ret = absent;
        return absent != UINT32_MAX;
    }
    if (!span_u64(s, &n) || n > 65535)
        return false;
    *ret = (uint32_t)n;
    return true;
}

static bool port_item(struct expression *x, struct span item, bool negated, size_t at)
{
    struct port_work *w = x->user;
    uint32_t first = 0, last = 65535;
    if (span_ieq(item, SPAN("any"))) {
        if (negated)
            return fault_set(x->fault, at, "!any matches nothing");
    } else {
        size_t colon = span_find_byte(item, ':');
        bool ok;
        if (colon < item.n) {
            ok = item.n > 1 && port_number(span_trim(span_cut(item, 0, colon)), 0, &first) &&
                 port_number(span_trim(span_from(item, colon + 1)), 65535, &last);
        } else {
            ok = port_number(item, UINT32_MAX, &first);
            last = first;
        }
        if (!ok)
            return fault_set(x->fault, at, "\"%.*s\" is not a port or range of ports",
                             (int)min_size(item.n, 60), (const char *)item.p);
        if (first > last)
            return fault_set(x->fault, at, "the range of ports \"%.*s\" runs backwards",
                             (int)min_size(item.n, 60), (const char *)item.p);
    }
    uint64_t *bits = negated ? w->excluded : w->named;
    *(negated ? &w->some_excluded : &w->some_named) = true;
    for (uint32_t i = first; i <= last; i++)
        bits[i >> 6] |= (uint64_t)1 << (i & 63);
    return true;
}

static const struct port_set *port_finish(struct port_work *w, struct arena *a,
                                          struct vars_fault *fault)
{
    static _Thread_local struct port_range scratch[32768];
    uint32_t n = 0;
    bool in = false;
    if (!w->some_named && w->some_excluded)
        memset(w->named, 0xff, sizeof(w->named));
    for (uint32_t i = 0; i < 65536; i++) {
        bool set = (w->named[i >> 6] & ~w->excluded[i >> 6]) >> (i & 63) & 1;
        if (set && !in)
            scratch[n].first = (uint16_t)i;
        if (set)
            scratch[n].last = (uint16_t)i;
        if (!set && in)
            n++;
        in = set;
    }
    n += in;
    if (!n) {
        fault_set(fault, 0, "no port is left after the negated ones are taken out");
        return NULL;
    }
    struct port_set *s = arena_zero(a, sizeof(*s));
    struct span kept = arena_dup(a, span_of(scratch, n * sizeof(scratch[0])));
    mem_need(s, sizeof(*s));
    mem_need(kept.p, n * sizeof(scratch[0]));
    s->any = n == 1 && scratch[0].first == 0 && scratch[0].last == 65535;
    s->r = (const struct port_range *)(const void *)kept.p;
    s->n = n;
    return s;
}

const struct port_set *port_set_parse(const struct rule_vars *v, struct arena *a, struct span text,
                                      struct vars_fault *fault)
{
    struct port_work *w = mem_zero(sizeof(*w));
    struct expression x = {
        .vars = v ? &v->port : NULL, .fault = fault, .item = port_item, .what = "port", .user = w};
    const struct port_set *s = NULL;
    if (expression_read(&x, text, false, 0))
        s = port_finish(w, a, fault);
    mem_free(w);
    return s;
}

bool vars_check(const struct rule_vars *v, struct err *e)
{
    struct arena a;
    struct vars_fault f = {0};
    bool ok = true;
    arena_init(&a, NULL, (size_t)64 << 20);
    for (size_t i = 0; ok && i < v->address.n; i++)
        if (!address_set_parse(v, &a, span_str(v->address.v[i].text), &f))
            ok = err_set(e, ERR_CONFIG, "address variable %s: %s", v->address.v[i].name, f.reason);
    for (size_t i = 0; ok && i < v->port.n; i++)
        if (!port_set_parse(v, &a, span_str(v->port.v[i].text), &f))
            ok = err_set(e, ERR_CONFIG, "port variable %s: %s", v->port.v[i].name, f.reason);
    arena_free(&a);
    return ok;
}
