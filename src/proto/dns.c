/* SPDX-License-Identifier: Apache-2.0 */
/* DNS over UDP and TCP (RFC 1035, 6891). Each message is a transaction of its own, towards the
 * server or the client. A message that cannot be read
 * leaves the anomaly malformed_data on the transaction before it. */
#include "proto/dns.h"

enum {
    DNS_HEADER = 12,
    DNS_PORT = 53,
    DNS_RECORDS_MAX = 4096,
    DNS_DONE = 1,
};

enum dns_event {
    DNS_MALFORMED_DATA,
    DNS_NOT_REQUEST,
    DNS_NOT_RESPONSE,
    DNS_Z_FLAG_SET,
    DNS_INVALID_OPCODE,
    DNS_NAME_TOO_LONG_EVENT,
    DNS_INFINITE_LOOP,
    DNS_TOO_MANY_LABELS,
    DNS_INVALID_ADDITIONALS,
    DNS_INVALID_AUTHORITIES,
};

static const char *const dns_event_names[] = {
    [DNS_MALFORMED_DATA] = "malformed_data",
    [DNS_NOT_REQUEST] = "not_request",
    [DNS_NOT_RESPONSE] = "not_response",
    [DNS_Z_FLAG_SET] = "z_flag_set",
    [DNS_INVALID_OPCODE] = "invalid_opcode",
    [DNS_NAME_TOO_LONG_EVENT] = "name_too_long",
    [DNS_INFINITE_LOOP] = "infinite_loop",
    [DNS_TOO_MANY_LABELS] = "too_many_labels",
    [DNS_INVALID_ADDITIONALS] = "invalid_additionals",
    [DNS_INVALID_AUTHORITIES] = "invalid_authorities",
};

enum { DNS_QUIET = 16 };

struct dns_state {
    bool gap[2];     /* bytes are missing: look for the next message's head */
    struct tx *last; /* the newest, for anomalies of what cannot be read */
    /* requests whose answers are not to be logged; the oldest gives way */
    uint16_t quiet[DNS_QUIET];
    uint8_t n_quiet, next_quiet;
};

struct dns_head {
    uint16_t id, flags, count[DNS_SECTIONS];
};

static struct dns_head dns_head_read(struct rd *r)
{
    const uint8_t *p = rd_fixed(r, DNS_HEADER);
    struct dns_head h = {.id = be16(p), .flags = be16(p + 2)};

    for (size_t i = 0; i < DNS_SECTIONS; i++)
        h.count[i] = be16(p + 4 + 2 * i);
    return h;
}

/* Could the counts fit into a message of n bytes? */
static bool dns_head_plausible(const struct dns_head *h, size_t n)
{
    size_t records = 0;

    for (size_t i = 0; i < DNS_SECTIONS; i++)
        records += h->count[i];
    return 2 * records <= n;
}

/* A name's plausibility away from port 53: labels of host-like bytes. */
static bool dns_question_plausible(struct span message)
{
    size_t at = DNS_HEADER;

    while (at < message.n && message.p[at] != 0) {
        size_t n = message.p[at];
        if (n > 63 || at + n >= message.n)
            return false;
        for (size_t i = 1; i <= n; i++) {
            uint8_t c = message.p[at + i];
            if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
                return false;
        }
        at += n + 1;
    }
    if (at + 5 > message.n || at == DNS_HEADER)
        return false;
    uint16_t type = be16(message.p + at + 1), class = be16(message.p + at + 3);
    return type > 0 && type <= 260 && class == 1;
}

/* Does the configuration bind recognition to ports, and is one of them the flow's? */
static bool dns_port_bound(const struct probe_hint *hint, bool *ret_port)
{
    const struct dns_conf *c = &hint->conf->dns;
    bool tcp = hint->transport == TRANSPORT_TCP;
    const uint16_t *ports = tcp ? c->tcp_ports : c->udp_ports;
    size_t n = tcp ? c->n_tcp_ports : c->n_udp_ports;

    if (n == 0)
        return false;
    *ret_port = false;
    for (size_t i = 0; i < n; i++)
        *ret_port |= ports[i] == hint->sport || ports[i] == hint->dport;
    return true;
}

static enum probe dns_probe_message(struct span m, size_t whole, const struct probe_hint *hint,
                                    bool *ret_response)
{
    struct verdict v = {0};
    struct rd r = rd_whole(m, &v);
    struct dns_head h = dns_head_read(&r);
    bool port = hint->sport == DNS_PORT || hint->dport == DNS_PORT;
    bool bound = dns_port_bound(hint, &port);

    if (v.state != RD_OK)
        return PROBE_NO;
    if (!dns_head_plausible(&h, whole))
        return PROBE_NO;
    *ret_response = h.flags & 0x8000;
    if (port)
        return PROBE_YES;
    if (bound)
        return PROBE_NO;
    /* mDNS, LLMNR and NetBIOS names look alike but are protocols of their own. */
    static const uint16_t others[] = {5353, 5355, 137, 138};
    for (size_t i = 0; i < LEN(others); i++)
        if (hint->sport == others[i] || hint->dport == others[i])
            return PROBE_NO;
    if (h.count[DNS_QUERIES] != 1 || (h.flags & 0x7840) != 0 || (h.flags & 0xf) > 10 ||
        h.count[DNS_ANSWERS] > 64 || (!*ret_response && h.count[DNS_ANSWERS] > 0))
        return PROBE_NO;
    return dns_question_plausible(m) ? PROBE_YES : PROBE_NO;
}

static enum probe dns_probe(struct span data, enum dir dir, const struct probe_hint *hint,
                            bool *ret_swap)
{
    bool response = false;
    size_t whole = data.n;

    if (hint->transport == TRANSPORT_TCP) {
        if (data.n < 2 + DNS_HEADER)
            return data.n < 2 || be16(data.p) >= DNS_HEADER ? PROBE_MAYBE : PROBE_NO;
        whole = be16(data.p);
        data = span_cut(data, 2, whole);
        if (whole < DNS_HEADER)
            return PROBE_NO;
    }
    enum probe verdict = dns_probe_message(data, whole, hint, &response);
    if (verdict == PROBE_YES && response == (dir == DIR_TS)) {
        /* An answer without its question turns a UDP flow round where beginnings may be unseen. */
        if (hint->transport == TRANSPORT_UDP && !hint->conf->midstream)
            return PROBE_NO;
        *ret_swap = true;
    }
    return verdict;
}

/* What the record's type puts into its data. */
static void dns_rdata(struct dns_record *rec, struct rd *data, struct span message,
                      struct arena *mem, unsigned *faults)
{
    const size_t max = 1025;

    switch (rec->type) {
    case T_CNAME:
    case T_NS:
    case T_PTR:
        rec->target = dns_name_read(data, message, mem, max, faults);
        break;
    case T_MX:
        rd_u16(data);
        rec->target = dns_name_read(data, message, mem, max, faults);
        break;
    case T_SOA:
        rec->target = dns_name_read(data, message, mem, max, faults);
        rec->rname = dns_name_read(data, message, mem, max, faults);
        for (size_t i = 0; i < LEN(rec->soa); i++)
            rec->soa[i] = rd_u32(data);
        break;
    case T_SRV:
        for (size_t i = 0; i < LEN(rec->srv); i++)
            rec->srv[i] = rd_u16(data);
        rec->target = dns_name_read(data, message, mem, max, faults);
        break;
    default:
        break;
    }
}

/* Owner names that are one pointer, the same as the record's before, are one text. */
struct dns_again {
    uint16_t pointer; /* 0: none yet */
    struct dns_name name;
};

static struct dns_name dns_owner(struct rd *r, struct span message, struct arena *mem,
                                 struct dns_again *again, unsigned *faults)
{
    uint16_t pointer = r->n >= 2 ? be16(r->p) : 0;

    if (pointer >= 0xc000 && pointer == again->pointer) {
        rd_skip(r, 2);
        return again->name;
    }
    struct dns_name name = dns_name_read(r, message, mem, 1025, faults);
    if (pointer >= 0xc000 && rd_ok(r))
        *again = (struct dns_again){pointer, name};
    return name;
}

static struct dns_record *dns_record_new(struct rd *r, struct arena *mem)
{
    struct dns_record *rec = arena_zero(mem, sizeof(*rec));

    if (!rec)
        rd_bad(r, "no memory for the record");
    return rec;
}

/* TXT data are several strings: each becomes a record of its own, as EVE lists them. */
static struct dns_record **dns_txt(struct dns_record *first, struct rd *r, struct rd *data,
                                   struct arena *mem)
{
    struct dns_record *rec = first;

    while (rd_more(data)) {
        if (rec != first || rec->data.p) {
            struct dns_record *more = dns_record_new(r, mem);
            if (!more)
                break;
            more->name = first->name;
            more->type = first->type;
            more->class = first->class;
            more->ttl = first->ttl;
            rec->next = more;
            rec = more;
        }
        size_t n = rd_u8(data);
        struct span text = rd_bytes(data, n);
        rec->data = arena_dup(mem, text);
        if (!rec->data.p)
            rd_bad(r, "no memory for the text");
    }
    return &rec->next;
}

static bool dns_section_read(struct rd *r, struct span message, struct dns_record **at,
                             size_t count, struct arena *mem, unsigned *faults)
{
    struct dns_again again = {0};

    for (size_t i = 0; i < count && rd_ok(r); i++) {
        if (i >= DNS_RECORDS_MAX)
            return false;
        struct dns_record *rec = dns_record_new(r, mem);
        if (!rec)
            return false;
        rec->name = dns_owner(r, message, mem, &again, faults);
        const uint8_t *head = rd_fixed(r, 8);
        rec->type = be16(head);
        rec->class = be16(head + 2);
        rec->ttl = be32(head + 4);
        struct rd data = rd_vec16(r);
        if (!rd_ok(r))
            return false;
        *at = rec;
        at = &rec->next;
        if (rec->type == T_TXT) {
            at = dns_txt(rec, r, &data, mem);
            continue;
        }
        struct span raw = {data.p, data.n};
        dns_rdata(rec, &data, message, mem, faults);
        rec->data = arena_dup(mem, raw);
        if (!rec->data.p)
            return false;
    }
    return rd_ok(r);
}

static bool dns_queries_read(struct rd *r, struct span message, struct dns_tx *t, size_t count,
                             unsigned *faults)
{
    struct dns_again again = {0};

    struct dns_record **at = &t->section[DNS_QUERIES];

    for (size_t i = 0; i < count && rd_ok(r); i++) {
        struct dns_record *rec = i < DNS_RECORDS_MAX ? dns_record_new(r, &t->tx.mem) : NULL;
        if (!rec)
            return false;
        rec->name = dns_owner(r, message, &t->tx.mem, &again, faults);
        const uint8_t *head = rd_fixed(r, 4);
        rec->type = be16(head);
        rec->class = be16(head + 2);
        if (!rd_ok(r))
            return false;
        *at = rec;
        at = &rec->next;
    }
    return rd_ok(r);
}

static void dns_note(struct app *app, enum dns_event e)
{
    struct dns_state *s = app_state(app);

    if (s->last)
        tx_event(s->last, (uint8_t)e);
    else
        app_event(app, (uint8_t)e);
}

static void dns_quiet(struct app *app, const struct tx *tx)
{
    struct dns_state *s = app_state(app);
    const struct dns_tx *t = (const struct dns_tx *)(const void *)tx;

    if (t->response)
        return;
    s->quiet[s->next_quiet] = t->id;
    s->next_quiet = (uint8_t)((s->next_quiet + 1) % DNS_QUIET);
    if (s->n_quiet < DNS_QUIET)
        s->n_quiet++;
}

static bool dns_quiet_take(struct dns_state *s, uint16_t id)
{
    for (uint8_t i = 0; i < s->n_quiet; i++) {
        if (s->quiet[i] != id)
            continue;
        s->quiet[i] = s->quiet[--s->n_quiet];
        s->next_quiet = s->n_quiet;
        return true;
    }
    return false;
}

static void dns_anomalies(struct dns_tx *t, unsigned faults)
{
    if (faults & DNS_NAME_TOO_LONG)
        tx_event(&t->tx, DNS_NAME_TOO_LONG_EVENT);
    if (faults & DNS_NAME_LABELS)
        tx_event(&t->tx, DNS_TOO_MANY_LABELS);
    if (faults & DNS_NAME_LOOP)
        tx_event(&t->tx, DNS_INFINITE_LOOP);
    if (t->flags & 0x0040)
        tx_event(&t->tx, DNS_Z_FLAG_SET);
    if ((t->flags >> 11 & 15) >= 7)
        tx_event(&t->tx, DNS_INVALID_OPCODE);
}

/* Reads the four sections into a transaction that is not yet in the list's eyes complete. */
static bool dns_body(struct dns_tx *t, struct rd *r, struct span message, const struct dns_head *h)
{
    unsigned faults = 0;

    if (!dns_queries_read(r, message, t, h->count[DNS_QUERIES], &faults) ||
        !dns_section_read(r, message, &t->section[DNS_ANSWERS], h->count[DNS_ANSWERS], &t->tx.mem,
                          &faults))
        return false;
    if (!dns_section_read(r, message, &t->section[DNS_AUTHORITIES], h->count[DNS_AUTHORITIES],
                          &t->tx.mem, &faults)) {
        tx_event(&t->tx, DNS_INVALID_AUTHORITIES);
        t->section[DNS_AUTHORITIES] = NULL;
    } else if (!dns_section_read(r, message, &t->section[DNS_ADDITIONALS],
                                 h->count[DNS_ADDITIONALS], &t->tx.mem, &faults)) {
        tx_event(&t->tx, DNS_INVALID_ADDITIONALS);
        t->section[DNS_ADDITIONALS] = NULL;
    }
    dns_anomalies(t, faults);
    return true;
}

static void dns_message(struct app *app, enum dir dir, struct span message)
{
    struct dns_state *s = app_state(app);
    struct verdict v = {0};
    struct rd r = rd_whole(message, &v);
    struct dns_head h = dns_head_read(&r);
    bool response = h.flags & 0x8000;

    if (v.state != RD_OK || !dns_head_plausible(&h, message.n)) {
        dns_note(app, DNS_MALFORMED_DATA);
        return;
    }
    if (response != (dir == DIR_TC)) {
        dns_note(app, dir == DIR_TC ? DNS_NOT_RESPONSE : DNS_NOT_REQUEST);
        return;
    }
    struct dns_tx *t = (struct dns_tx *)(void *)app_tx_new(app);
    if (!t)
        return;
    t->tx.one_way = true;
    t->tx.way = (uint8_t)dir;
    t->id = h.id;
    t->flags = h.flags;
    t->response = response;
    if (response && dns_quiet_take(s, h.id))
        t->tx.logged[DIR_TS] = t->tx.logged[DIR_TC] = true;
    if (!dns_body(t, &r, message, &h)) {
        app_tx_drop(app, &t->tx);
        dns_note(app, DNS_MALFORMED_DATA);
        return;
    }
    s->last = &t->tx;
    tx_progress(&t->tx, dir, DNS_DONE);
}

static void dns_forget(struct app *app, const struct tx *tx)
{
    struct dns_state *s = app_state(app);

    if (s->last == tx)
        s->last = NULL;
}

/* After a gap: do these bytes begin a message of this direction? */
static bool dns_resumes(struct span data, enum dir dir)
{
    struct verdict v = {0};
    struct rd r = rd_whole(span_from(data, 2), &v);
    struct dns_head h = dns_head_read(&r);

    return v.state == RD_OK && be16(data.p) >= DNS_HEADER && dns_head_plausible(&h, be16(data.p)) &&
           !!(h.flags & 0x8000) == (dir == DIR_TC);
}

static enum parse dns_parse(struct app *app, enum dir dir, struct span data, unsigned flags,
                            size_t *consumed)
{
    (void)flags;
    if (app_transport(app) == TRANSPORT_UDP) {
        dns_message(app, dir, data);
        *consumed = data.n;
        return PARSE_OK;
    }
    struct dns_state *s = app_state(app);
    if (s->gap[dir] && !dns_resumes(data, dir)) {
        *consumed = data.n;
        return PARSE_OK;
    }
    s->gap[dir] = false;
    while (data.n - *consumed >= 2) {
        size_t n = be16(data.p + *consumed);
        if (data.n - *consumed - 2 < n)
            break;
        if (n > 0)
            dns_message(app, dir, span_cut(data, *consumed + 2, n));
        *consumed += 2 + n;
    }
    return PARSE_OK;
}

static enum parse dns_gap(struct app *app, enum dir dir, uint64_t n)
{
    struct dns_state *s = app_state(app);

    (void)n;
    s->gap[dir] = true;
    return PARSE_OK;
}

/* The index-th name of a section, or none. */
static bool dns_name_at(struct tx *tx, enum dns_section s, uint32_t index, struct inspect *ret)
{
    struct dns_record *rec = ((struct dns_tx *)(void *)tx)->section[s];

    while (rec && index--)
        rec = rec->next;
    if (rec)
        *ret = (struct inspect){.data = rec->name.text, .final = true};
    return rec != NULL;
}

static bool dns_query_get(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return tx->way == dir && dns_name_at(tx, DNS_QUERIES, index, ret);
}

static bool dns_answer_get(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return tx->way == dir && dns_name_at(tx, DNS_ANSWERS, index, ret);
}

static bool dns_authority_get(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return tx->way == dir && dns_name_at(tx, DNS_AUTHORITIES, index, ret);
}

static bool dns_additional_get(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return tx->way == dir && dns_name_at(tx, DNS_ADDITIONALS, index, ret);
}

/* Every name in a response: owners in all sections, and data that are host names. */
static bool dns_response_get(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct dns_tx *t = (const struct dns_tx *)(const void *)tx;

    if (!t->response || tx->way != dir)
        return false;
    for (size_t s = 0; s < DNS_SECTIONS; s++) {
        for (const struct dns_record *rec = t->section[s]; rec; rec = rec->next) {
            bool target = s != DNS_QUERIES && rec->target.text.n > 0 && rec->type != T_SRV;
            if (index == 0)
                *ret = (struct inspect){.data = rec->name.text, .final = true};
            else if (index == 1 && target)
                *ret = (struct inspect){.data = rec->target.text, .final = true};
            if (index < 1u + target)
                return true;
            index -= 1u + target;
        }
    }
    return false;
}

/* name, aliases, modifier, directions, progress, multi, growing, get, help */
static const struct proto_buffer dns_buffers[] = {
    {"dns.query", "dns_query", NULL, 1 << DIR_TS, DNS_DONE, true, false, dns_query_get,
     "name asked for"},
    {"dns.queries.rrname", "dns.query.name", NULL, 3, DNS_DONE, true, false, dns_query_get,
     "name asked for, in requests and responses"},
    {"dns.answers.rrname", "dns.answer.name", NULL, 3, DNS_DONE, true, false, dns_answer_get,
     "owner name of an answer"},
    {"dns.authorities.rrname", NULL, NULL, 3, DNS_DONE, true, false, dns_authority_get,
     "owner name of an authority record"},
    {"dns.additionals.rrname", NULL, NULL, 3, DNS_DONE, true, false, dns_additional_get,
     "owner name of an additional record"},
    {"dns.response.rrname", NULL, NULL, 1 << DIR_TC, DNS_DONE, true, false, dns_response_get,
     "every name in a response"},
};

static bool dns_opcode_get(struct tx *tx, enum dir dir, uint32_t index, uint64_t *ret)
{
    const struct dns_tx *t = (const struct dns_tx *)(const void *)tx;

    *ret = t->flags >> 11 & 15;
    return index == 0 && tx->way == dir;
}

static bool dns_rcode_get(struct tx *tx, enum dir dir, uint32_t index, uint64_t *ret)
{
    const struct dns_tx *t = (const struct dns_tx *)(const void *)tx;

    *ret = t->flags & 15;
    return index == 0 && tx->way == dir;
}

static bool dns_rrtype_get(struct tx *tx, enum dir dir, uint32_t index, uint64_t *ret)
{
    const struct dns_tx *t = (const struct dns_tx *)(const void *)tx;

    for (size_t s = DNS_QUERIES; s <= DNS_ANSWERS; s++) {
        for (const struct dns_record *rec = t->section[s]; rec; rec = rec->next) {
            if (index-- == 0) {
                *ret = rec->type;
                return tx->way == dir;
            }
        }
    }
    return false;
}

static const struct proto_value dns_values[] = {
    {.name = "dns.opcode", .dirs = 3, .progress = DNS_DONE, .get = dns_opcode_get},
    {.name = "dns.rcode", .dirs = 3, .progress = DNS_DONE, .get = dns_rcode_get},
    {.name = "dns.rrtype", .dirs = 3, .progress = DNS_DONE, .get = dns_rrtype_get},
};

const struct proto proto_dns = {
    .name = "dns",
    .title = "DNS",
    .transports = TRANSPORT_UDP | TRANSPORT_TCP,
    .state_size = sizeof(struct dns_state),
    .tx_size = sizeof(struct dns_tx),
    .done = {DNS_DONE, DNS_DONE},
    .accepts_gaps = true,
    .probe = dns_probe,
    .parse = dns_parse,
    .gap = dns_gap,
    .log = dns_log,
    .quiet = dns_quiet,
    .tx_gone = dns_forget,
    .buffers = dns_buffers,
    .n_buffers = LEN(dns_buffers),
    .values = dns_values,
    .n_values = LEN(dns_values),
    .event_names = dns_event_names,
    .n_events = LEN(dns_event_names),
    .event_type = EVENT_dns,
};
