/* SPDX-License-Identifier: Apache-2.0 */
/* DNS over UDP and TCP (RFC 1035, 6891). Each message is a transaction of its own, towards the
 * server or the client, and gives one event in EVE's DNS form 3. A message that cannot be read
 * leaves the anomaly malformed_data on the transaction before it. */
#include "base/hex.h"
#include "proto/conf.h"
#include "proto/dns_name.h"
#include "proto/proto.h"

enum {
    DNS_HEADER = 12,
    DNS_PORT = 53,
    DNS_RECORDS_MAX = 4096,
    DNS_DONE = 1,
    T_A = 1,
    T_NS = 2,
    T_CNAME = 5,
    T_SOA = 6,
    T_NULL = 10,
    T_PTR = 12,
    T_MX = 15,
    T_TXT = 16,
    T_AAAA = 28,
    T_SRV = 33,
    T_OPT = 41,
    T_SSHFP = 44,
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

struct dns_record {
    struct dns_record *next;
    struct dns_name name;
    uint16_t type, class;
    uint32_t ttl;
    struct span data;       /* A, AAAA, TXT, NULL, SSHFP, OPT: as on the wire */
    struct dns_name target; /* CNAME, NS, PTR, MX, SOA mname, SRV */
    struct dns_name rname;  /* SOA */
    uint32_t soa[5];        /* serial, refresh, retry, expire, minimum */
    uint16_t srv[3];        /* priority, weight, port */
};

enum dns_section { DNS_QUERIES, DNS_ANSWERS, DNS_AUTHORITIES, DNS_ADDITIONALS, DNS_SECTIONS };

struct dns_tx {
    struct tx tx;
    uint16_t id, flags;
    bool response;
    struct dns_record *section[DNS_SECTIONS];
};

struct dns_state {
    bool gap[2];     /* bytes are missing: look for the next message's head */
    struct tx *last; /* the newest, for anomalies of what cannot be read */
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
        /* An answer without its question does not turn a UDP flow round. */
        if (hint->transport == TRANSPORT_UDP)
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
    for (size_t i = 0; i < count && rd_ok(r); i++) {
        if (i >= DNS_RECORDS_MAX)
            return false;
        struct dns_record *rec = dns_record_new(r, mem);
        if (!rec)
            return false;
        rec->name = dns_name_read(r, message, mem, 1025, faults);
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
    struct dns_record **at = &t->section[DNS_QUERIES];

    for (size_t i = 0; i < count && rd_ok(r); i++) {
        struct dns_record *rec = i < DNS_RECORDS_MAX ? dns_record_new(r, &t->tx.mem) : NULL;
        if (!rec)
            return false;
        rec->name = dns_name_read(r, message, &t->tx.mem, 1025, faults);
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

static const char *dns_type_name(uint16_t type, char text[8])
{
    static const char *const names[] = {
        [1] = "A",      [2] = "NS",        [3] = "MD",          [4] = "MF",     [5] = "CNAME",
        [6] = "SOA",    [7] = "MB",        [8] = "MG",          [9] = "MR",     [10] = "NULL",
        [11] = "WKS",   [12] = "PTR",      [13] = "HINFO",      [14] = "MINFO", [15] = "MX",
        [16] = "TXT",   [17] = "RP",       [18] = "AFSDB",      [19] = "X25",   [20] = "ISDN",
        [21] = "RT",    [22] = "NSAP",     [23] = "NSAPPTR",    [24] = "SIG",   [25] = "KEY",
        [26] = "PX",    [27] = "GPOS",     [28] = "AAAA",       [29] = "LOC",   [30] = "NXT",
        [33] = "SRV",   [34] = "ATMA",     [35] = "NAPTR",      [36] = "KX",    [37] = "CERT",
        [38] = "A6",    [39] = "DNAME",    [41] = "OPT",        [42] = "APL",   [43] = "DS",
        [44] = "SSHFP", [45] = "IPSECKEY", [46] = "RRSIG",      [47] = "NSEC",  [48] = "DNSKEY",
        [49] = "DHCID", [50] = "NSEC3",    [51] = "NSEC3PARAM", [52] = "TLSA",  [55] = "HIP",
        [59] = "CDS",   [60] = "CDNSKEY",  [65] = "HTTPS",      [99] = "SPF",   [249] = "TKEY",
        [250] = "TSIG", [254] = "MAILA",   [255] = "ANY",       [256] = "URI"};

    if (type < LEN(names) && names[type])
        return names[type];
    snprintf(text, 8, "%u", type);
    return text;
}

static const char *dns_rcode_name(uint16_t flags)
{
    static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                        "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                        "NXRRSET", "NOTAUTH", "NOTZONE"};
    unsigned code = flags & 15;

    return code < LEN(names) ? names[code] : "UNKNOWN";
}

/* Address text of A and AAAA data; odd lengths have none. */
static struct span dns_address(const struct dns_record *rec, char text[IP_TEXT])
{
    if (rec->data.n != 4 && rec->data.n != 16)
        return SPAN("");
    struct ip a = rec->data.n == 4 ? ip_v4(rec->data.p) : ip_v6(rec->data.p);
    size_t n = ip_eve(&a, text);
    return span_of(text, n);
}

/* The field ids of one section's records: the table declares the same members for each. */
struct dns_fields {
    enum field list, rrname, rrname_truncated, rrtype, ttl, rdata, rdata_truncated, soa, mname,
        rname, serial, refresh, retry, expire, minimum, mname_truncated, rname_truncated, srv,
        priority, weight, port, name, name_truncated, sshfp, fingerprint, algo, ftype, opt, code,
        data;
};

#define DNS_FIELDS(s)                                                                              \
    {                                                                                              \
        .list = F_dns_##s, .rrname = F_dns_##s##_rrname,                                           \
        .rrname_truncated = F_dns_##s##_rrname_truncated, .rrtype = F_dns_##s##_rrtype,            \
        .ttl = F_dns_##s##_ttl, .rdata = F_dns_##s##_rdata,                                        \
        .rdata_truncated = F_dns_##s##_rdata_truncated, .soa = F_dns_##s##_soa,                    \
        .mname = F_dns_##s##_soa_mname, .rname = F_dns_##s##_soa_rname,                            \
        .serial = F_dns_##s##_soa_serial, .refresh = F_dns_##s##_soa_refresh,                      \
        .retry = F_dns_##s##_soa_retry, .expire = F_dns_##s##_soa_expire,                          \
        .minimum = F_dns_##s##_soa_minimum, .mname_truncated = F_dns_##s##_soa_mname_truncated,    \
        .rname_truncated = F_dns_##s##_soa_rname_truncated, .srv = F_dns_##s##_srv,                \
        .priority = F_dns_##s##_srv_priority, .weight = F_dns_##s##_srv_weight,                    \
        .port = F_dns_##s##_srv_port, .name = F_dns_##s##_srv_name,                                \
        .name_truncated = F_dns_##s##_srv_name_truncated, .sshfp = F_dns_##s##_sshfp,              \
        .fingerprint = F_dns_##s##_sshfp_fingerprint, .algo = F_dns_##s##_sshfp_algo,              \
        .ftype = F_dns_##s##_sshfp_type, .opt = F_dns_##s##_opt, .code = F_dns_##s##_opt_code,     \
        .data = F_dns_##s##_opt_data                                                               \
    }

static const struct dns_fields dns_fields[DNS_SECTIONS] = {
    [DNS_ANSWERS] = DNS_FIELDS(answers),
    [DNS_AUTHORITIES] = DNS_FIELDS(authorities),
    [DNS_ADDITIONALS] = DNS_FIELDS(additionals),
};

static void dns_log_name(struct event *ev, const struct dns_name *n, enum field f, enum field cut)
{
    event_str(ev, f, n->text);
    if (n->truncated)
        event_bool(ev, cut, true);
}

static void dns_log_soa(struct event *ev, const struct dns_record *rec, const struct dns_fields *f)
{
    event_open(ev, f->soa);
    dns_log_name(ev, &rec->target, f->mname, f->mname_truncated);
    dns_log_name(ev, &rec->rname, f->rname, f->rname_truncated);
    event_uint(ev, f->serial, rec->soa[0]);
    event_uint(ev, f->refresh, rec->soa[1]);
    event_uint(ev, f->retry, rec->soa[2]);
    event_uint(ev, f->expire, rec->soa[3]);
    event_uint(ev, f->minimum, rec->soa[4]);
    event_close(ev);
}

static void dns_log_srv(struct event *ev, const struct dns_record *rec, const struct dns_fields *f)
{
    event_open(ev, f->srv);
    event_uint(ev, f->priority, rec->srv[0]);
    event_uint(ev, f->weight, rec->srv[1]);
    event_uint(ev, f->port, rec->srv[2]);
    dns_log_name(ev, &rec->target, f->name, f->name_truncated);
    event_close(ev);
}

static void dns_log_sshfp(struct event *ev, const struct dns_record *rec,
                          const struct dns_fields *f)
{
    if (rec->data.n < 2)
        return;
    event_open(ev, f->sshfp);
    event_hex(ev, f->fingerprint, span_from(rec->data, 2), ':');
    event_uint(ev, f->algo, rec->data.p[0]);
    event_uint(ev, f->ftype, rec->data.p[1]);
    event_close(ev);
}

static void dns_log_opt(struct event *ev, const struct dns_record *rec, const struct dns_fields *f)
{
    struct verdict v = {0};
    struct rd r = rd_whole(rec->data, &v);

    event_open(ev, f->opt);
    while (rd_more(&r)) {
        uint16_t code = rd_u16(&r);
        struct rd data = rd_vec16(&r);
        if (v.state != RD_OK)
            break;
        event_element(ev);
        event_uint(ev, f->code, code);
        event_hex(ev, f->data, span_of(data.p, data.n), 0);
        event_close_element(ev);
    }
    event_close(ev);
}

static void dns_log_record(struct event *ev, const struct dns_record *rec,
                           const struct dns_fields *f)
{
    char number[8], address[IP_TEXT];

    event_element(ev);
    dns_log_name(ev, &rec->name, f->rrname, f->rrname_truncated);
    event_text(ev, f->rrtype, dns_type_name(rec->type, number));
    event_uint(ev, f->ttl, rec->ttl);
    switch (rec->type) {
    case T_A:
    case T_AAAA:
        event_str(ev, f->rdata, dns_address(rec, address));
        break;
    case T_CNAME:
    case T_NS:
    case T_PTR:
    case T_MX:
        dns_log_name(ev, &rec->target, f->rdata, f->rdata_truncated);
        break;
    case T_TXT:
    case T_NULL:
        event_str(ev, f->rdata, rec->data);
        break;
    case T_SOA:
        dns_log_soa(ev, rec, f);
        break;
    case T_SRV:
        dns_log_srv(ev, rec, f);
        break;
    case T_SSHFP:
        dns_log_sshfp(ev, rec, f);
        break;
    case T_OPT:
        if (rec->data.n)
            dns_log_opt(ev, rec, f);
        break;
    default:
        break;
    }
    event_close_element(ev);
}

/* `grouped`: the answers' data by type. */
static const struct dns_group {
    uint16_t type;
    enum field field;
} dns_groups[] = {
    {T_A, F_dns_grouped_a},     {T_AAAA, F_dns_grouped_aaaa},  {T_CNAME, F_dns_grouped_cname},
    {T_MX, F_dns_grouped_mx},   {T_NS, F_dns_grouped_ns},      {T_NULL, F_dns_grouped_null},
    {T_PTR, F_dns_grouped_ptr}, {T_TXT, F_dns_grouped_txt},    {T_SRV, F_dns_grouped_srv},
    {T_SOA, F_dns_grouped_soa}, {T_SSHFP, F_dns_grouped_sshfp}};

static void dns_group_object(struct event *ev, const struct dns_record *rec)
{
    event_element(ev);
    if (rec->type == T_SRV) {
        event_key_uint(ev, SPAN("priority"), rec->srv[0]);
        event_key_uint(ev, SPAN("weight"), rec->srv[1]);
        event_key_uint(ev, SPAN("port"), rec->srv[2]);
        event_key_str(ev, SPAN("name"), rec->target.text);
    } else if (rec->type == T_SOA) {
        static const char *const names[] = {"serial", "refresh", "retry", "expire", "minimum"};
        event_key_str(ev, SPAN("mname"), rec->target.text);
        event_key_str(ev, SPAN("rname"), rec->rname.text);
        for (size_t i = 0; i < LEN(names); i++)
            event_key_uint(ev, span_str(names[i]), rec->soa[i]);
    } else if (rec->data.n >= 2) {
        struct buf hex = buf_new(1024);
        hex_add(&hex, span_from(rec->data, 2), ':');
        event_key_str(ev, SPAN("fingerprint"), buf_span(&hex));
        event_key_uint(ev, SPAN("algo"), rec->data.p[0]);
        event_key_uint(ev, SPAN("type"), rec->data.p[1]);
        buf_free(&hex);
    }
    event_close_element(ev);
}

static void dns_log_grouped(struct event *ev, const struct dns_record *answers)
{
    char address[IP_TEXT];
    bool opened = false;

    for (size_t g = 0; g < LEN(dns_groups); g++) {
        bool in_group = false;
        for (const struct dns_record *rec = answers; rec; rec = rec->next) {
            if (rec->type != dns_groups[g].type)
                continue;
            if (!opened)
                event_open(ev, F_dns_grouped);
            opened = true;
            if (!in_group)
                event_open(ev, dns_groups[g].field);
            in_group = true;
            if (rec->type == T_A || rec->type == T_AAAA)
                event_item(ev, dns_address(rec, address));
            else if (rec->type == T_TXT || rec->type == T_NULL)
                event_item(ev, rec->data);
            else if (rec->type == T_SRV || rec->type == T_SOA || rec->type == T_SSHFP)
                dns_group_object(ev, rec);
            else
                event_item(ev, rec->target.text);
        }
        if (in_group)
            event_close(ev);
    }
    if (opened)
        event_close(ev);
}

static void dns_log_queries(struct event *ev, const struct dns_record *queries)
{
    char number[8];

    event_open(ev, F_dns_queries);
    for (const struct dns_record *q = queries; q; q = q->next) {
        event_element(ev);
        dns_log_name(ev, &q->name, F_dns_queries_rrname, F_dns_queries_rrname_truncated);
        event_text(ev, F_dns_queries_rrtype, dns_type_name(q->type, number));
        event_close_element(ev);
    }
    event_close(ev);
}

static void dns_log_head(struct event *ev, const struct dns_tx *t)
{
    static const struct {
        uint16_t bit;
        enum field f;
    } bits[] = {{0x8000, F_dns_qr}, {0x0400, F_dns_aa}, {0x0200, F_dns_tc},
                {0x0100, F_dns_rd}, {0x0080, F_dns_ra}, {0x0040, F_dns_z}};
    char flags[8];

    event_uint(ev, F_dns_version, 3);
    event_text(ev, F_dns_type, t->response ? "response" : "request");
    event_uint(ev, F_dns_tx_id, t->tx.id);
    event_uint(ev, F_dns_id, t->id);
    snprintf(flags, sizeof(flags), "%x", t->flags);
    event_text(ev, F_dns_flags, flags);
    for (size_t i = 0; i < LEN(bits); i++)
        if (t->flags & bits[i].bit)
            event_bool(ev, bits[i].f, true);
    event_uint(ev, F_dns_opcode, t->flags >> 11 & 15);
    event_text(ev, F_dns_rcode, dns_rcode_name(t->flags));
}

static bool dns_log(struct app *app, struct tx *tx, enum dir dir, bool alert, struct event *ev)
{
    const struct dns_tx *t = (const struct dns_tx *)(const void *)tx;
    const struct dns_log_conf *conf = &app_conf(app)->dns_log;

    (void)dir;
    if (!alert && !(t->response ? conf->responses : conf->requests))
        return false;
    event_open(ev, F_dns);
    dns_log_head(ev, t);
    if (t->section[DNS_QUERIES])
        dns_log_queries(ev, t->section[DNS_QUERIES]);
    for (size_t s = DNS_ANSWERS; s < DNS_SECTIONS; s++) {
        bool opened = false;
        for (const struct dns_record *rec = t->section[s]; rec; rec = rec->next) {
            if ((s == DNS_ANSWERS && !conf->detailed) || (rec->type == T_OPT && rec->data.n == 0))
                continue;
            if (!opened)
                event_open(ev, dns_fields[s].list);
            opened = true;
            dns_log_record(ev, rec, &dns_fields[s]);
        }
        if (opened)
            event_close(ev);
    }
    if (conf->grouped)
        dns_log_grouped(ev, t->section[DNS_ANSWERS]);
    event_close(ev);
    return true;
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
    .tx_gone = dns_forget,
    .buffers = dns_buffers,
    .n_buffers = LEN(dns_buffers),
    .values = dns_values,
    .n_values = LEN(dns_values),
    .event_names = dns_event_names,
    .n_events = LEN(dns_event_names),
    .event_type = EVENT_dns,
};
