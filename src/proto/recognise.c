/* SPDX-License-Identifier: Apache-2.0 */
/* Recognisers of protocols that have no parser here: a flow gets its name, rules on the protocol
 * alone can match. Content decides; where a protocol's first bytes say little, its port is asked
 * for too, as the field's sensors do. Each looks at a direction's first bytes, all reads checked
 * against what is there; none keeps anything. */
#include "proto/proto.h"

/* Of a direction's first bytes: client and server were the other way round. */
struct seen {
    struct span d;
    enum dir dir;
    const struct probe_hint *hint;
    bool swap;
};

static bool on_port(const struct seen *s, uint16_t port)
{
    return s->hint->sport == port || s->hint->dport == port;
}

static bool starts(struct span d, const char *text)
{
    struct span t = span_str(text);

    return d.n >= t.n && span_ieq(span_cut(d, 0, t.n), t);
}

static bool starts_any(struct span d, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (starts(d, texts[i]))
            return true;
    return false;
}

/* RFC 9113 3.4: the client's preface. */
static bool is_http2(struct seen *s)
{
    return starts(s->d, "PRI * HTTP/2.0\r\n\r\nSM");
}

/* NetBIOS session message around SMB 1, 2 or an encrypted 3 ([MS-SMB2] 2.1). */
static bool is_smb(struct seen *s)
{
    const uint8_t *p = s->d.p;

    return s->d.n >= 8 && p[0] == 0 && p[4] >= 0xfd && memcmp(p + 5, "SMB", 3) == 0;
}

enum { DCE_REQUEST = 0, DCE_RESPONSE = 2, DCE_BIND_ACK = 12, DCE_BIND_NAK = 13, DCE_LAST = 19 };

/* C706 12.6.3: connection-oriented, version 5.0; 12.5.2: datagrams, version 4. */
static bool is_dcerpc(struct seen *s)
{
    const uint8_t *p = s->d.p;

    if (s->hint->transport == TRANSPORT_UDP)
        return s->dir == DIR_TS && s->d.n >= 80 && p[0] == 4 && p[1] == DCE_REQUEST &&
               !(p[2] & 0x80) && !(p[3] & 0xfc) && !(p[4] & 0xee) && p[5] <= 3;
    if (s->d.n < 16 || p[0] != 5 || p[1] != 0 || p[2] > DCE_LAST || (p[4] & 0xee) || p[5] > 3)
        return false;
    unsigned whole = p[4] & 0x10 ? p[8] | (unsigned)p[9] << 8 : be16(p + 8);
    bool answer = p[2] == DCE_RESPONSE || p[2] == DCE_BIND_ACK || p[2] == DCE_BIND_NAK;
    s->swap = whole >= 16 && answer == (s->dir == DIR_TS);
    return whole >= 16;
}

/* RFC 6143 7.1.1: both sides begin with "RFB 003.008\n". */
static bool is_rfb(struct seen *s)
{
    return s->d.n >= 4 && memcmp(s->d.p, "RFB ", 4) == 0;
}

/* RFC 3261 7: a method with a SIP address, or a status line. */
static bool is_sip(struct seen *s)
{
    static const char *const methods[] = {
        "REGISTER ", "INVITE ",  "ACK ",       "BYE ",    "CANCEL ",  "UPDATE ",  "REFER ",
        "PRACK ",    "OPTIONS ", "SUBSCRIBE ", "NOTIFY ", "PUBLISH ", "MESSAGE ", "INFO "};

    if (starts(s->d, "SIP/2.0 "))
        return true;
    if (!starts_any(s->d, methods, LEN(methods)))
        return false;
    struct span uri = span_from(s->d, span_find_byte(s->d, ' ') + 1);
    return starts(uri, "sip:") || starts(uri, "sips:") || starts(uri, "tel:");
}

/* MQTT 3.1.1 3.1: CONNECT with the protocol's name, behind a length of one to four bytes. */
static bool is_mqtt(struct seen *s)
{
    size_t at = 1;

    if (s->d.n < 2 || s->d.p[0] != 0x10)
        return false;
    while (at < s->d.n && at < 4 && (s->d.p[at] & 0x80))
        at++;
    struct span name = span_from(s->d, min_size(at + 1, s->d.n));
    return (name.n >= 6 && memcmp(name.p, "\0\4MQTT", 6) == 0) ||
           (name.n >= 8 && memcmp(name.p, "\0\6MQIsdp", 8) == 0);
}

/* RFC 5321 4.1.1.1; a greeting alone says it on the protocol's own ports. */
static bool is_smtp(struct seen *s)
{
    if (starts(s->d, "EHLO ") || starts(s->d, "HELO "))
        return true;
    return s->dir == DIR_TC && (on_port(s, 25) || on_port(s, 465)) && starts(s->d, "220");
}

/* RFC 1939. */
static bool is_pop3(struct seen *s)
{
    static const char *const words[] = {"USER ", "PASS ", "APOP ", "AUTH", "CAPA", "STLS", "QUIT"};

    if (!on_port(s, 110))
        return false;
    if (s->dir == DIR_TC)
        return starts(s->d, "+OK") || starts(s->d, "-ERR");
    return starts_any(s->d, words, LEN(words));
}

/* RFC 9051 7.1.1: the greeting; 6.1.1: a first command behind its tag. */
static bool is_imap(struct seen *s)
{
    if (s->dir == DIR_TC)
        return starts(s->d, "* OK ");
    size_t tag = span_find_byte(s->d, ' ');
    return tag > 0 && tag < min_size(s->d.n, 32) &&
           starts(span_from(s->d, tag + 1), "capability\r\n");
}

/* RFC 959: a session begins with a user's name. */
static bool is_ftp(struct seen *s)
{
    static const char *const words[] = {"USER ", "PASS ", "PORT ", "EPRT "};

    return s->dir == DIR_TS && !on_port(s, 110) && starts_any(s->d, words, LEN(words));
}

/* RFC 854: negotiation begins with IAC WILL, WON'T, DO or DON'T. */
static bool is_telnet(struct seen *s)
{
    return on_port(s, 23) && s->d.n >= 3 && s->d.p[0] == 0xff && s->d.p[1] >= 0xfb &&
           s->d.p[1] <= 0xfe;
}

/* RFC 1006 and X.224: a connection request or its confirmation. */
static bool is_rdp(struct seen *s)
{
    const uint8_t *p = s->d.p;

    return on_port(s, 3389) && s->d.n >= 7 && p[0] == 3 && p[1] == 0 && be16(p + 2) >= 11 &&
           p[5] == (s->dir == DIR_TS ? 0xe0 : 0xd0);
}

/* RFC 4120 5.10: an application tag; over TCP behind a length (7.2.2). */
static bool is_krb5(struct seen *s)
{
    struct span d = s->d;

    if (s->hint->transport == TRANSPORT_TCP) {
        if (d.n < 5 || d.p[0])
            return false;
        d = span_from(d, 4);
    }
    if (!on_port(s, 88) || d.n < 2)
        return false;
    unsigned tag = d.p[0] & 0x1f;
    return (d.p[0] & 0xe0) == 0x60 && ((tag >= 10 && tag <= 15) || tag == 30);
}

/* The length of a BER element's head: tag and length bytes; 0 where they are not there. */
static size_t ber_head(struct span d)
{
    size_t more = d.n >= 2 && (d.p[1] & 0x80) ? d.p[1] & 0x7fu : 0;

    return d.n >= 2 + more && more <= 4 ? 2 + more : 0;
}

/* RFC 4511 4.1.1: a sequence of a number and an operation. */
static bool is_ldap(struct seen *s)
{
    if ((!on_port(s, 389) && !on_port(s, 3268)) || s->d.n < 7 || s->d.p[0] != 0x30)
        return false;
    size_t head = ber_head(s->d);
    struct span rest = span_from(s->d, head);
    if (head == 0 || rest.n < 3 || rest.p[0] != 2 || rest.p[1] < 1 || rest.p[1] > 4 ||
        rest.n < 3u + rest.p[1])
        return false;
    return (rest.p[2 + rest.p[1]] & 0xc0) == 0x40;
}

/* RFC 5531 9: a call of program 100003 or an answer. */
static bool is_nfs(struct seen *s)
{
    struct span d = s->d;

    if (!on_port(s, 2049))
        return false;
    if (s->hint->transport == TRANSPORT_TCP)
        d = span_from(d, min_size(d.n, 4));
    if (d.n < 24)
        return false;
    uint32_t type = be32(d.p + 4);
    return type == 1 ? be32(d.p + 8) <= 1
                     : type == 0 && be32(d.p + 8) == 2 && be32(d.p + 12) == 100003;
}

/* The frontend's start-up or request for TLS; the backend's answers. */
static bool is_pgsql(struct seen *s)
{
    if (!on_port(s, 5432) || s->dir != DIR_TS || s->d.n < 8)
        return false;
    uint32_t n = be32(s->d.p), code = be32(s->d.p + 4);
    return n >= 8 && n <= 65536 && (code == 0x00030000 || code == 80877103);
}

/* IEEE 1815 9.2: the link header. */
static bool is_dnp3(struct seen *s)
{
    return on_port(s, 20000) && s->d.n >= 10 && s->d.p[0] == 5 && s->d.p[1] == 0x64 &&
           s->d.p[2] >= 5;
}

/* MODBUS Messaging on TCP/IP 3.1.3. */
static bool is_modbus(struct seen *s)
{
    return on_port(s, 502) && s->d.n >= 8 && be16(s->d.p + 2) == 0 && be16(s->d.p + 4) >= 2 &&
           be16(s->d.p + 4) <= 254;
}

/* The encapsulation header, little endian. */
static bool is_enip(struct seen *s)
{
    static const uint8_t commands[] = {0x00, 0x04, 0x63, 0x64, 0x65, 0x66, 0x6f, 0x70};
    const uint8_t *p = s->d.p;

    if (!on_port(s, 44818) || s->d.n < 24 || p[1])
        return false;
    for (size_t i = 0; i < LEN(commands); i++)
        if (p[0] == commands[i])
            return true;
    return false;
}

/* RFC 8999 5.1: a long header with a version that exists; Google's older form. */
static bool is_quic(struct seen *s)
{
    const uint8_t *p = s->d.p;

    if ((!on_port(s, 443) && !on_port(s, 80)) || s->d.n < 14)
        return false;
    if (p[0] & 0x80) {
        uint32_t v = be32(p + 1);
        return v <= 1 || v == 0x6b3343cf || v >> 8 == 0xff0000 || p[1] == 'Q' || p[1] == 'T';
    }
    return (p[0] & 0x09) == 0x09 && p[9] == 'Q' && p[10] == '0';
}

/* RFC 6762 18. */
static bool is_mdns(struct seen *s)
{
    return on_port(s, 5353) && s->d.n >= 12 && !(s->d.p[2] & 0x78);
}

/* RFC 5905 7.3. */
static bool is_ntp(struct seen *s)
{
    unsigned version = s->d.n ? s->d.p[0] >> 3 & 7 : 0, mode = s->d.n ? s->d.p[0] & 7 : 0;

    return on_port(s, 123) && s->d.n >= (mode >= 6 ? 8 : 48) && version >= 3 && version <= 4 &&
           mode;
}

/* RFC 2131 2, 3: the fixed part and the magic cookie. */
static bool is_dhcp(struct seen *s)
{
    const uint8_t *p = s->d.p;

    return (on_port(s, 67) || on_port(s, 68)) && s->d.n >= 240 && (p[0] == 1 || p[0] == 2) &&
           be32(p + 236) == 0x63825363;
}

/* RFC 3416, 3412: a sequence that begins with the version. */
static bool is_snmp(struct seen *s)
{
    if ((!on_port(s, 161) && !on_port(s, 162)) || s->d.n < 5 || s->d.p[0] != 0x30)
        return false;
    size_t head = ber_head(s->d);
    struct span rest = span_from(s->d, head);
    return head && rest.n >= 3 && rest.p[0] == 2 && rest.p[1] == 1 &&
           (rest.p[2] <= 1 || rest.p[2] == 3);
}

/* RFC 1350 5: a request. */
static bool is_tftp(struct seen *s)
{
    return s->hint->dport == 69 && s->dir == DIR_TS && s->d.n >= 4 && s->d.p[0] == 0 &&
           s->d.p[1] >= 1 && s->d.p[1] <= 5;
}

/* RFC 7296 3.1. */
static bool is_ike(struct seen *s)
{
    const uint8_t *p = s->d.p;

    if ((!on_port(s, 500) && !on_port(s, 4500)) || s->d.n < 28)
        return false;
    return (p[17] >> 4 == 1 || p[17] >> 4 == 2) && be32(p + 24) == s->d.n &&
           (be32(p) || be32(p + 4)) && (p[17] >> 4 == 1 || p[18] >= 34);
}

/* BEP 5: the bencoded head of a query, an answer or an error. */
static bool is_bittorrent_dht(struct seen *s)
{
    return starts(s->d, "d1:ad2:id20:") || starts(s->d, "d1:rd2:id20:") ||
           starts(s->d, "d2:ip6:") || starts(s->d, "d1:eli20");
}

#define RECOGNISED(id, text, shown, over, on)                                                      \
    static enum probe probe_##id(struct span data, enum dir dir, const struct probe_hint *hint,    \
                                 bool *ret_swap)                                                   \
    {                                                                                              \
        struct seen s = {data, dir, hint, false};                                                  \
        bool yes = is_##id(&s);                                                                    \
        *ret_swap = s.swap;                                                                        \
        return yes ? PROBE_YES : PROBE_NO;                                                         \
    }                                                                                              \
    const struct proto proto_##id = {.name = text,                                                 \
                                     .title = shown,                                               \
                                     .transports = over,                                           \
                                     .off = !(on),                                                 \
                                     .probe = probe_##id,                                          \
                                     .event_type = EVENT_TYPES};
#include "proto/recognised.def"
#undef RECOGNISED
