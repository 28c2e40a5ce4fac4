/* SPDX-License-Identifier: Apache-2.0 */
/* TLS hellos built here and SSH banners: what events say of them, a byte at a time, and what is
 * refused. */
#include "base/wr.h"
#include "http_unit.h"
#include "proto/tls.h"

static const char *log_of(struct http_flow *f)
{
    struct event ev;

    buf_clear(&f->log);
    event_begin(&ev, &f->log);
    if (!f->app.first || !f->app.proto->log(&f->app, f->app.first, DIR_TS, false, &ev))
        return "";
    CHECK(event_end(&ev));
    return buf_cstr(&f->log);
}

static void has(struct http_flow *f, const char *what)
{
    bool there = strstr(log_of(f), what) != NULL;

    CHECK(there);
    if (!there)
        fprintf(stderr, "  %s is not in %s\n", what, log_of(f));
}

/* A ClientHello with a GREASE value, server name, two ALPNs and supported versions. */
static struct span client_hello(uint8_t *room, size_t cap, uint16_t record_version)
{
    struct wr w = wr_into(room, cap);

    wr_u8(&w, 22);
    wr_u16(&w, record_version);
    size_t record = wr_len_open(&w, 2);
    wr_u8(&w, 1);
    size_t message = wr_len_open(&w, 3);
    wr_u16(&w, record_version == 0x0101 ? 0x0101 : 0x0303);
    for (int i = 0; i < 8; i++)
        wr_u32(&w, 0x01020304);
    wr_u8(&w, 0); /* session id */
    size_t ciphers = wr_len_open(&w, 2);
    wr_u16(&w, 0x1a1a);
    wr_u16(&w, 0x1301);
    wr_u16(&w, 0xe013);
    wr_len_close(&w, ciphers, 2);
    wr_u16(&w, 0x0100); /* compression */
    size_t extensions = wr_len_open(&w, 2);
    wr_u16(&w, 0);
    size_t sni = wr_len_open(&w, 2);
    wr_u16(&w, 16);
    wr_u8(&w, 0);
    wr_u16(&w, 13);
    wr_bytes(&w, SPAN("plant.example"));
    wr_len_close(&w, sni, 2);
    wr_u16(&w, 16);
    size_t alpn = wr_len_open(&w, 2);
    wr_u16(&w, 12);
    wr_u8(&w, 2);
    wr_bytes(&w, SPAN("h2"));
    wr_u8(&w, 8);
    wr_bytes(&w, SPAN("http/1.1"));
    wr_len_close(&w, alpn, 2);
    wr_u16(&w, 43);
    size_t versions = wr_len_open(&w, 2);
    wr_u8(&w, 4);
    wr_u16(&w, 0x0304);
    wr_u16(&w, 0x0303);
    wr_len_close(&w, versions, 2);
    wr_len_close(&w, extensions, 2);
    wr_len_close(&w, message, 3);
    wr_len_close(&w, record, 2);
    CHECK(!w.full);
    return wr_span(&w);
}

static void tls_hello(void)
{
    uint8_t room[512];
    struct span hello = client_hello(room, sizeof(room), 0x0301);

    for (int each = 0; each < 2; each++) {
        struct http_flow f;
        flow_begin(&f);
        if (each)
            feed_bytes(&f, DIR_TS, hello);
        else
            feed_span(&f, DIR_TS, hello);
        CHECK(f.app.proto && strcmp(f.app.proto->name, "tls") == 0);
        CHECK_STR(look(&f, 0, DIR_TS, "tls.random_time"), "\\x01\\x02\\x03\\x04");
        /* A hello alone is no session yet; one that both sides have closed is worth an event. */
        CHECK_STR(log_of(&f), "");
        flow_eof(&f);
        has(&f, "\"sni\":\"plant.example\"");
        has(&f, "\"client_alpns\":[\"h2\",\"http/1.1\"]");
        /* Two ciphers and three extensions count, GREASE does not. */
        has(&f, "\"ja4\":\"t13d0203h2_");
        flow_end(&f);
    }
}

/* `custom` says which fields there are. */
static void tls_custom(void)
{
    struct http_flow f;
    uint8_t room[512];

    flow_begin(&f);
    f.conf.log.tls = (struct tls_log_conf){.custom = (uint64_t)1 << TLF_CLIENT_HANDSHAKE};
    feed_span(&f, DIR_TS, client_hello(room, sizeof(room), 0x0301));
    flow_eof(&f);
    CHECK_STR(log_of(&f), "{\"tls\":{\"client_handshake\":{\"version\":\"TLS 1.3\",\"ciphers\":"
                          "[4865,57363],\"exts\":[0,16,43]}}}\n");
    flow_end(&f);
}

/* SSL 2's form of a client hello (RFC 6101 appendix E.1). */
static void tls_ssl2(void)
{
    uint8_t hello[2 + 9 + 3 + 16] = {0x80, 28, 1, 3, 1, 0, 3, 0, 0, 0, 16};
    struct http_flow f;

    flow_begin(&f);
    feed_bytes(&f, DIR_TS, span_of(hello, sizeof(hello)));
    CHECK(f.app.proto && strcmp(f.app.proto->name, "tls") == 0);
    flow_eof(&f);
    has(&f, "\"version\":\"SSLv2\"");
    flow_end(&f);
    /* Lengths that do not add up are something else. */
    flow_begin(&f);
    hello[6] = 6;
    (void)app_feed(&f.app, DIR_TS, span_of(hello, sizeof(hello)), 0);
    CHECK(!f.app.proto);
    flow_end(&f);
}

static void tls_version_names(void)
{
    char text[24];

    CHECK_STR(tls_version_name(0x7f1c, text), "TLS 1.3 draft-28");
    CHECK_STR(tls_version_name(0x7f0e, text), "TLS 1.3 draft-<16");
    CHECK_STR(tls_version_name(0x0303, text), "TLS 1.2");
    CHECK_STR(tls_version_name(0x3230, text), "12848");
}

/* Hellos of early drafts: 1.3 where all since have 1.2, and no list of versions. */
static void tls_draft(void)
{
    struct http_flow f;
    uint8_t room[512], server[5 + 4 + 2 + 32 + 4] = {22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 4};

    flow_begin(&f);
    feed_span(&f, DIR_TS, client_hello(room, sizeof(room), 0x0301));
    feed_span(&f, DIR_TC, span_of(server, sizeof(server)));
    flow_eof(&f);
    has(&f, "\"version\":\"TLS 1.3 draft-<16\"");
    flow_end(&f);
}

static void tls_refused(void)
{
    struct http_flow f;
    uint8_t room[512];

    flow_begin(&f);
    struct span hello = client_hello(room, sizeof(room), 0x0301);
    feed_span(&f, DIR_TS, hello);
    feed_span(&f, DIR_TS, SPAN("\x63\x03\x01\x00\x01x"));
    CHECK(f.app.parser_off);
    CHECK(f.app.first && f.app.first->n_events == 1);
    CHECK_STR(f.app.proto->event_names[f.app.first->events[0]], "invalid_record_type");
    flow_end(&f);
    /* A length that lies is bounded by its record. */
    flow_begin(&f);
    room[8] = 0xff;
    feed_span(&f, DIR_TS, hello);
    CHECK(f.app.first && f.app.first->progress[DIR_TS] == 0);
    flow_end(&f);
}

static void tlcp(void)
{
    struct http_flow f;
    uint8_t room[512];

    flow_begin(&f);
    feed_span(&f, DIR_TS, client_hello(room, sizeof(room), 0x0101));
    flow_eof(&f);
    has(&f, "\"version\":\"TLCP 1.1\"");
    has(&f, "\"tlcp\":");
    flow_end(&f);
}

static void ssh(void)
{
    struct http_flow f;

    flow_begin(&f);
    feed_bytes(&f, DIR_TS, SPAN("SSH-2.0-OpenSSH_9.2p1 Debian\r\n"));
    feed(&f, DIR_TC, "SSH-1.99-dropbear_2022.83\n");
    has(&f, "\"client\":{\"proto_version\":\"2.0\",\"software_version\":\"OpenSSH_9.2p1\"}");
    has(&f, "\"server\":{\"proto_version\":\"1.99\",\"software_version\":\"dropbear_2022.83\"}");
    feed_span(&f, DIR_TS, SPAN("\x00\x00\x00\x0c\x0a\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"));
    CHECK(!app_wants(&f.app, DIR_TS));
    flow_end(&f);
    flow_begin(&f);
    feed(&f, DIR_TS, "SSH-broken\r\n");
    CHECK(f.app.parser_off && f.app.first && f.app.first->n_events == 1);
    CHECK_STR(f.app.proto->event_names[f.app.first->events[0]], "invalid_banner");
    flow_end(&f);
}

int main(void)
{
    tls_hello();
    tls_custom();
    tls_ssl2();
    tls_version_names();
    tls_draft();
    tls_refused();
    tlcp();
    ssh();
    return unit_end();
}
