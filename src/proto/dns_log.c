/* SPDX-License-Identifier: Apache-2.0 */
/* The dns object of events: EVE's form 3, an event for each message, and the older form 2, an event
 * for each question and one for a response. */
#include "base/hex.h"
#include "proto/dns.h"

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

static void dns_log_flags(struct event *ev, const struct dns_tx *t)
{
    static const struct {
        uint16_t bit;
        enum field f;
    } bits[] = {{0x8000, F_dns_qr}, {0x0400, F_dns_aa}, {0x0200, F_dns_tc},
                {0x0100, F_dns_rd}, {0x0080, F_dns_ra}, {0x0040, F_dns_z}};
    char flags[8];

    snprintf(flags, sizeof(flags), "%x", t->flags);
    event_text(ev, F_dns_flags, flags);
    for (size_t i = 0; i < LEN(bits); i++)
        if (t->flags & bits[i].bit)
            event_bool(ev, bits[i].f, true);
}

static void dns_log_head(struct event *ev, const struct dns_tx *t)
{
    event_uint(ev, F_dns_version, 3);
    event_text(ev, F_dns_type, t->response ? "response" : "request");
    event_uint(ev, F_dns_tx_id, t->tx.id);
    event_uint(ev, F_dns_id, t->id);
    dns_log_flags(ev, t);
    event_uint(ev, F_dns_opcode, t->flags >> 11 & 15);
    event_text(ev, F_dns_rcode, dns_rcode_name(t->flags));
}

/* Answers, authorities and additionals. */
static void dns_log_sections(struct event *ev, const struct dns_tx *t, bool detailed, bool grouped)
{
    for (size_t s = DNS_ANSWERS; s < DNS_SECTIONS; s++) {
        bool opened = false;
        for (const struct dns_record *rec = t->section[s]; rec; rec = rec->next) {
            if ((s == DNS_ANSWERS && !detailed) || (rec->type == T_OPT && rec->data.n == 0))
                continue;
            if (!opened)
                event_open(ev, dns_fields[s].list);
            opened = true;
            dns_log_record(ev, rec, &dns_fields[s]);
        }
        if (opened)
            event_close(ev);
    }
    if (grouped)
        dns_log_grouped(ev, t->section[DNS_ANSWERS]);
}

/* Is this type of record worth an event? */
static bool dns_type_wanted(const struct dns_log_conf *conf, uint16_t type)
{
    bool all = !(conf->types[0] | conf->types[1] | conf->types[2] | conf->types[3]);

    return all || (type < 256 && (conf->types[type / 64] >> type % 64 & 1));
}

static bool dns_wanted(const struct dns_log_conf *conf, const struct dns_tx *t)
{
    if (!(t->response ? conf->responses : conf->requests))
        return false;
    for (const struct dns_record *q = t->section[DNS_QUERIES]; q; q = q->next)
        if (dns_type_wanted(conf, q->type))
            return true;
    return !t->section[DNS_QUERIES] && dns_type_wanted(conf, UINT16_MAX);
}

/* Version 2: an event for each question, and one for a response, with the first question. */
static bool dns_log_2(struct event *ev, struct tx *tx, const struct dns_log_conf *conf)
{
    const struct dns_tx *t = (const struct dns_tx *)(const void *)tx;
    const struct dns_record *q = t->section[DNS_QUERIES];
    char number[8];

    for (unsigned i = 0; i < tx->log_part && q; i++)
        q = q->next;
    if (!t->response && (!q || !dns_type_wanted(conf, q->type)))
        return false;
    event_open(ev, F_dns);
    event_uint(ev, F_dns_version, 2);
    event_text(ev, F_dns_type, t->response ? "answer" : "query");
    event_uint(ev, F_dns_id, t->id);
    if (t->response)
        dns_log_flags(ev, t);
    else if (t->flags & 0x0040)
        event_bool(ev, F_dns_z, true);
    if (q) {
        dns_log_name(ev, &q->name, F_dns_rrname, F_dns_rrname_truncated);
        event_text(ev, F_dns_rrtype, dns_type_name(q->type, number));
    }
    if (!t->response)
        event_uint(ev, F_dns_tx_id, tx->id);
    event_uint(ev, F_dns_opcode, t->flags >> 11 & 15);
    if (t->response) {
        event_text(ev, F_dns_rcode, dns_rcode_name(t->flags));
        dns_log_sections(ev, t, conf->detailed, conf->grouped);
    }
    event_close(ev);
    tx->log_more = !t->response && q && q->next;
    return true;
}

bool dns_log(struct app *app, struct tx *tx, enum dir dir, bool alert, struct event *ev)
{
    const struct dns_tx *t = (const struct dns_tx *)(const void *)tx;
    const struct dns_log_conf *conf = &app_log_conf(app)->dns;

    (void)dir;
    if (!alert && !dns_wanted(conf, t))
        return false;
    if (!alert && conf->version == 2)
        return dns_log_2(ev, tx, conf);
    event_open(ev, F_dns);
    dns_log_head(ev, t);
    if (t->section[DNS_QUERIES])
        dns_log_queries(ev, t->section[DNS_QUERIES]);
    dns_log_sections(ev, t, alert || conf->detailed, !alert && conf->grouped);
    event_close(ev);
    return true;
}
