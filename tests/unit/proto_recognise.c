/* SPDX-License-Identifier: Apache-2.0 */
/* Protocols that are recognised and not parsed: first bytes of each, made here, get its name, and
 * no beginning of them reads beyond its end. */
#include "http_unit.h"

enum { TCP = TRANSPORT_TCP, UDP = TRANSPORT_UDP };

#define ZEROS8  "\0\0\0\0\0\0\0\0"
#define ZEROS40 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8
#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static const struct sample {
    const char *name;
    uint8_t over; /* enum transport */
    enum dir dir;
    uint16_t port;
    struct span bytes;
} samples[] = {
    {"http2", TCP, DIR_TS, 8080, BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
    {"smb", TCP, DIR_TS, 445,
     BYTES("\0\0\0\x54\xff"
           "SMB\x72")},
    {"smb", TCP, DIR_TC, 4450,
     BYTES("\0\0\0\x54\xfe"
           "SMB\x40")},
    {"dcerpc", TCP, DIR_TS, 49152, BYTES("\5\0\x0b\3\x10\0\0\0\x48\0\0\0\1\0\0\0")},
    {"dcerpc", UDP, DIR_TS, 34964, BYTES("\4\0\x20\0\0\0\0\0" ZEROS40 ZEROS8 ZEROS8 ZEROS8 ZEROS8)},
    {"rfb", TCP, DIR_TC, 5900, BYTES("RFB 003.008\n")},
    {"sip", UDP, DIR_TS, 5060, BYTES("REGISTER sip:plant.example SIP/2.0\r\n")},
    {"sip", TCP, DIR_TC, 5070, BYTES("SIP/2.0 200 OK\r\n")},
    {"mqtt", TCP, DIR_TS, 1884, BYTES("\x10\x10\0\4MQTT\4\2\0\x3c\0\4test")},
    {"smtp", TCP, DIR_TS, 2525, BYTES("EHLO client.example\r\n")},
    {"smtp", TCP, DIR_TC, 25, BYTES("220 mail.example\r\n")},
    {"pop3", TCP, DIR_TC, 110, BYTES("+OK ready\r\n")},
    {"imap", TCP, DIR_TC, 143, BYTES("* OK ready\r\n")},
    {"imap", TCP, DIR_TS, 1430, BYTES("a1 CAPABILITY\r\n")},
    {"ftp", TCP, DIR_TS, 2121, BYTES("USER anonymous\r\n")},
    {"telnet", TCP, DIR_TC, 23, BYTES("\xff\xfd\x18")},
    {"rdp", TCP, DIR_TS, 3389, BYTES("\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0")},
    {"krb5", UDP, DIR_TS, 88, BYTES("\x6a\x81\x10")},
    {"krb5", TCP, DIR_TS, 88, BYTES("\0\0\0\x80\x6a\x7e")},
    {"ldap", TCP, DIR_TS, 389, BYTES("\x30\x0c\2\1\1\x60\7")},
    {"nfs", TCP, DIR_TS, 2049,
     BYTES("\x80\0\0\x28\0\0\0\1\0\0\0\0\0\0\0\2\0\1\x86\xa3\0\0\0\3\0\0\0\0")},
    {"pgsql", TCP, DIR_TS, 5432, BYTES("\0\0\0\x08\4\xd2\x16\x2f")},
    {"dnp3", TCP, DIR_TS, 20000, BYTES("\5\x64\5\xc0\1\0\0\4\xe9\x21")},
    {"modbus", TCP, DIR_TS, 502, BYTES("\0\1\0\0\0\6\1\3\0\0\0\1")},
    {"enip", TCP, DIR_TS, 44818, BYTES("\x65\0\4\0" ZEROS8 ZEROS8 "\0\0\0\0")},
    {"quic", UDP, DIR_TS, 443, BYTES("\xc3\0\0\0\1\x08" ZEROS8 "\0\0")},
    {"mdns", UDP, DIR_TS, 5353, BYTES("\0\0\0\0\0\1\0\0\0\0\0\0")},
    {"ntp", UDP, DIR_TS, 123, BYTES("\x23" ZEROS40 "\0\0\0\0\0\0\0")},
    {"dhcp", UDP, DIR_TS, 67,
     BYTES("\1\1\6\0" ZEROS40 ZEROS40 ZEROS40 ZEROS40 ZEROS40 ZEROS8 ZEROS8 ZEROS8 ZEROS8
           "\x63\x82\x53\x63")},
    {"snmp", UDP, DIR_TS, 161, BYTES("\x30\x26\2\1\1\4\6public")},
    {"tftp", UDP, DIR_TS, 69, BYTES("\0\1boot\0octet\0")},
    {"ike", UDP, DIR_TS, 500,
     BYTES("\1\1\1\1\1\1\1\1" ZEROS8 "\x21\x20\x22\x08\0\0\0\0\0\0\0\x1c")},
    {"bittorrent-dht", UDP, DIR_TS, 6881, BYTES("d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa")},
};

/* What the bytes are taken for, read from memory of their own size; "" for nothing. */
static const char *taken_for(const struct sample *s, size_t n, uint16_t port)
{
    struct http_flow f;
    uint8_t *copy = malloc(n ? n : 1);
    static char name[32];

    memcpy(copy, s->bytes.p, n);
    flow_begin(&f);
    app_free(&f.app);
    for (unsigned i = 1; i < PROTO_COUNT; i++)
        f.conf.enabled[i] = true;
    app_init(&f.app, &f.env, s->over, 40000, port);
    (void)app_feed(&f.app, s->dir, span_of(copy, n), 0);
    span_copy(span_str(f.app.proto ? f.app.proto->name : ""), name, sizeof(name));
    /* The other side is not asked, and there is nothing to parse. */
    if (f.app.proto && !f.app.proto->parse)
        CHECK(f.app.parser_off && !f.app.state && !f.app.n_layer_events &&
              strcmp(app_side_name(&f.app, dir_other(s->dir)), name) == 0);
    flow_end(&f);
    free(copy);
    return name;
}

static void names(void)
{
    for (size_t i = 0; i < LEN(samples); i++)
        CHECK_STR(taken_for(&samples[i], samples[i].bytes.n, samples[i].port), samples[i].name);
}

/* A beginning is either the same or nothing, never something else. */
static void beginnings(void)
{
    for (size_t i = 0; i < LEN(samples); i++) {
        for (size_t n = 0; n < samples[i].bytes.n; n++) {
            const char *name = taken_for(&samples[i], n, samples[i].port);
            CHECK(!*name || strcmp(name, samples[i].name) == 0);
        }
    }
}

/* Where few bytes say little the port has to be right. */
static void ports(void)
{
    for (size_t i = 0; i < LEN(samples); i++) {
        uint16_t port = samples[i].port;
        bool bound = port == 23 || port == 3389 || port == 88 || port == 389 || port == 2049 ||
                     port == 5432 || port == 20000 || port == 502 || port == 44818 || port == 123 ||
                     port == 161 || port == 69 || port == 500;
        if (bound)
            CHECK_STR(taken_for(&samples[i], samples[i].bytes.n, 7777), "");
    }
}

/* Industrial protocols are looked for where the configuration says so. */
static void defaults(void)
{
    struct proto_conf c;

    proto_conf_default(&c);
    for (unsigned i = 1; i < PROTO_COUNT; i++) {
        const char *name = proto_table[i]->name;
        bool off = !strcmp(name, "modbus") || !strcmp(name, "dnp3") || !strcmp(name, "enip");
        CHECK(c.enabled[i] == !off);
    }
}

int main(void)
{
    names();
    beginnings();
    ports();
    defaults();
    return unit_end();
}
