/* SPDX-License-Identifier: Apache-2.0 */
/* Transport: TCP (RFC 9293) with its options, UDP, SCTP, ESP. ICMP is in decode_icmp.c. */
#include "packet/checksum.h"
#include "packet/decode_priv.h"

enum { TCP_N = 20, UDP_N = 8, SCTP_N = 12, ESP_N = 8 };
enum {
    OPT_EOL = 0,
    OPT_NOP = 1,
    OPT_MSS = 2,
    OPT_WSCALE = 3,
    OPT_SACK_OK = 4,
    OPT_SACK = 5,
    OPT_TS = 8,
    OPT_MD5 = 19,
    OPT_AO = 29,
    OPT_TFO = 34,
    OPT_EXP1 = 253,
    OPT_EXP2 = 254,
};

static void check(struct decoder *d, struct packet *p)
{
    if (!d->check || checksum_l4_ok(p))
        return;
    p->flags |= PKT_CHECKSUM_BAD;
    if (p->proto == PROTO_TCP)
        d->bad_checksums++;
}

/* Length not as the option's document says, or the option met before: both are noted, the packet
 * stays valid. */
static bool option_fresh(struct packet *p, bool right, bool seen)
{
    if (!right)
        decode_event(p, DEV_TCP_OPT_INVALID_LEN);
    else if (seen)
        decode_event(p, DEV_TCP_OPT_DUPLICATE);
    return right && !seen;
}

static void decode_sack(struct packet *p, struct span o)
{
    struct tcp_head *t = &p->tcp;
    bool right = o.n == 2 || (o.n >= 10 && o.n <= 34 && (o.n - 2) % 8 == 0);

    if (!option_fresh(p, right, t->has_sack))
        return;
    t->has_sack = true;
    t->n_sack = (uint8_t)((o.n - 2) / 8);
    t->sack = o.p + 2;
}

static void decode_fast_open(struct packet *p, struct span o, size_t head)
{
    struct tcp_head *t = &p->tcp;
    size_t cookie_n = o.n - head;
    bool right = cookie_n == 0 || (cookie_n >= 4 && cookie_n <= 16 && cookie_n % 2 == 0);

    if (option_fresh(p, right, t->has_tfo))
        t->has_tfo = true;
}

static void decode_option(struct packet *p, struct span o)
{
    struct tcp_head *t = &p->tcp;

    switch (o.p[0]) {
    case OPT_MSS:
        if (option_fresh(p, o.n == 4, t->has_mss)) {
            t->has_mss = true;
            t->mss = be16(o.p + 2);
        }
        break;
    case OPT_WSCALE:
        if (option_fresh(p, o.n == 3, t->has_wscale)) {
            t->has_wscale = true;
            t->wscale = o.p[2] <= 14 ? o.p[2] : 0; /* RFC 7323 2.3 */
        }
        break;
    case OPT_SACK_OK:
        if (option_fresh(p, o.n == 2, t->sack_ok))
            t->sack_ok = true;
        break;
    case OPT_SACK:
        decode_sack(p, o);
        break;
    case OPT_TS:
        if (option_fresh(p, o.n == 10, t->has_ts)) {
            t->has_ts = true;
            t->ts_value = be32(o.p + 2);
            t->ts_echo = be32(o.p + 6);
        }
        break;
    case OPT_TFO:
        decode_fast_open(p, o, 2);
        break;
    case OPT_EXP1:
    case OPT_EXP2: /* RFC 6994 identifier of fast open */
        if ((o.n == 4 || o.n == 12) && be16(o.p + 2) == 0xf989)
            decode_fast_open(p, o, 4);
        break;
    case OPT_MD5:
        if (option_fresh(p, o.n == 18, t->has_md5))
            t->has_md5 = true;
        break;
    case OPT_AO:
        if (option_fresh(p, o.n >= 4, t->has_ao))
            t->has_ao = true;
        break;
    default:
        break;
    }
}

static void decode_options(struct packet *p)
{
    struct span s = p->tcp.options;

    /* what nearly every segment of a connection carries: two fillers and timestamps */
    if (s.n == 12 && be32(s.p) == 0x0101080a) {
        p->tcp.has_ts = true;
        p->tcp.ts_value = be32(s.p + 4);
        p->tcp.ts_echo = be32(s.p + 8);
        return;
    }
    while (s.n > 0 && s.p[0] != OPT_EOL) {
        if (s.p[0] == OPT_NOP) {
            s = span_from(s, 1);
            continue;
        }
        if (s.n < 2)
            return;
        uint8_t n = s.p[1];
        if (n > s.n || n < 2) {
            decode_bad(p, DEV_TCP_OPT_INVALID_LEN);
            return;
        }
        decode_option(p, span_cut(s, 0, n));
        s = span_from(s, n);
    }
}

bool decode_tcp(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_TCP);
    if (UNLIKELY(s.n < TCP_N))
        return decode_bad(p, DEV_TCP_PKT_TOO_SMALL);
    const uint8_t *h = s.p;
    size_t head_n = (size_t)(h[12] >> 4) * 4;
    if (UNLIKELY(s.n < head_n))
        return decode_bad(p, DEV_TCP_HLEN_TOO_SMALL);
    if (UNLIKELY(head_n < TCP_N))
        return decode_bad(p, DEV_TCP_INVALID_OPTLEN);
    p->l4 = h;
    p->sport = be16(h);
    p->dport = be16(h + 2);
    p->tcp.seq = be32(h + 4);
    p->tcp.ack = be32(h + 8);
    p->tcp.header_n = (uint8_t)head_n;
    p->tcp.flags = h[13];
    p->tcp.window = be16(h + 14);
    p->tcp.urgent = be16(h + 18);
    p->payload = (struct span){h + head_n, s.n - head_n};
    if (head_n > TCP_N) {
        p->tcp.options = (struct span){h + TCP_N, head_n - TCP_N};
        decode_options(p);
    }
    check(d, p);
    p->flags |= PKT_WANTS_FLOW;
    return true;
}

bool decode_udp(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_UDP);
    if (UNLIKELY(s.n < UDP_N))
        return decode_bad(p, DEV_UDP_HLEN_TOO_SMALL);
    const uint8_t *h = s.p;
    size_t n = be16(h + 4);
    if (UNLIKELY(s.n < n))
        return decode_bad(p, DEV_UDP_PKT_TOO_SMALL);
    if (UNLIKELY(n < UDP_N))
        return decode_bad(p, DEV_UDP_LEN_INVALID);
    p->l4 = h;
    p->sport = be16(h);
    p->dport = be16(h + 2);
    p->payload = (struct span){h + UDP_N, n - UDP_N};
    check(d, p);
    decode_udp_tunnel(d, p, p->payload);
    p->flags |= PKT_WANTS_FLOW;
    return true;
}

bool decode_sctp(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_SCTP);
    if (s.n < SCTP_N)
        return decode_bad(p, DEV_SCTP_PKT_TOO_SMALL);
    p->l4 = s.p;
    p->sport = be16(s.p);
    p->dport = be16(s.p + 2);
    p->payload = span_from(s, SCTP_N);
    p->flags |= PKT_WANTS_FLOW;
    return true;
}

bool decode_esp(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_ESP);
    if (s.n < ESP_N)
        return decode_bad(p, DEV_ESP_PKT_TOO_SMALL);
    p->l4 = s.p;
    p->esp_spi = be32(s.p);
    p->payload = span_from(s, ESP_N);
    p->flags |= PKT_WANTS_FLOW;
    return true;
}
