/* SPDX-License-Identifier: Apache-2.0 */
/* The tls object of events, and the buffers and values that rules look into. */
#include "proto/app.h"
#include "proto/tls.h"

const char *tls_version_name(uint16_t v, char text[24])
{
    switch (v) {
    case 0:
        return "UNDETERMINED";
    case 0x0002:
        return "SSLv2";
    case 0x0300:
        return "SSLv3";
    case 0x0301:
        return "TLSv1";
    case 0x0302:
        return "TLS 1.1";
    case 0x0303:
        return "TLS 1.2";
    case 0x0304:
        return "TLS 1.3";
    case TLS_VERSION_TLCP:
        return "TLCP 1.1";
    case 0xfb1a:
        return "TLS 1.3 draft-26-fb";
    default:
        break;
    }
    if (v >> 8 == 0x7f && (v & 0xff) >= 16 && (v & 0xff) <= 28)
        snprintf(text, 24, "TLS 1.3 draft-%u", v & 0xff);
    else if (v >> 8 == 0x7f)
        return "TLS 1.3 draft-<16";
    else
        snprintf(text, 24, "%u", v);
    return text;
}

/* Drafts of TLS 1.3 before the sixteenth put its number where all since have TLS 1.2's. */
static uint16_t hello_version(const struct tls_hello *h)
{
    if (h->chosen)
        return h->chosen;
    return h->version == 0x0304 ? 0x7f01 : h->version;
}

uint16_t tls_version(const struct tls_tx *t)
{
    const struct tls_side *s = &t->side[DIR_TC];

    if (s->hello.seen)
        return hello_version(&s->hello);
    if (s->record_version)
        return s->record_version;
    const struct tls_side *c = &t->side[DIR_TS];
    return c->hello.seen ? c->hello.version : c->record_version;
}

static uint64_t bit(enum tls_log_field f)
{
    return (uint64_t)1 << f;
}

static uint64_t log_fields(const struct tls_log_conf *c, bool alert)
{
    uint64_t basic = bit(TLF_SUBJECT) | bit(TLF_ISSUER) | bit(TLF_SUBJECTALTNAME);
    uint64_t extended = basic | bit(TLF_VERSION) | bit(TLF_SERIAL) | bit(TLF_FINGERPRINT) |
                        bit(TLF_NOT_BEFORE) | bit(TLF_NOT_AFTER) | bit(TLF_JA3) | bit(TLF_JA3S) |
                        bit(TLF_JA4) | bit(TLF_CLIENT) | bit(TLF_CLIENT_ALPNS) |
                        bit(TLF_SERVER_ALPNS) | bit(TLF_SNI);
    uint64_t fields = c->custom ? c->custom : c->extended ? extended : basic;

    if (alert)
        return extended;
    if (c->session_resumption)
        fields |= bit(TLF_SESSION_RESUMED);
    if (c->ja4)
        fields |= bit(TLF_JA4);
    if (fields & (bit(TLF_CLIENT_CERTIFICATE) | bit(TLF_CLIENT_CHAIN)))
        fields |= bit(TLF_CLIENT);
    return fields;
}

/* Certificates as they were sent. */
static void log_der(struct event *ev, const struct tls_side *s, bool client, uint64_t fields)
{
    if (s->n_certs == 0)
        return;
    if (fields & bit(client ? TLF_CLIENT_CERTIFICATE : TLF_CERTIFICATE))
        event_base64(ev, client ? F_tls_client_certificate : F_tls_certificate, s->certs[0].der);
    if (!(fields & bit(client ? TLF_CLIENT_CHAIN : TLF_CHAIN)))
        return;
    event_open(ev, client ? F_tls_client_chain : F_tls_chain);
    for (size_t i = 0; i < s->n_certs; i++)
        event_item_base64(ev, s->certs[i].der);
    event_close(ev);
}

static void log_cert(struct event *ev, const struct tls_side *s, bool client, uint64_t fields)
{
    const struct tls_cert *c = &s->certs[0];
    const struct {
        enum field f;
        enum tls_log_field asked;
        struct span v;
    } rows[] = {
        {client ? F_tls_client_subject : F_tls_subject, TLF_SUBJECT, c->subject},
        {client ? F_tls_client_issuerdn : F_tls_issuerdn, TLF_ISSUER, c->issuer},
        {client ? F_tls_client_serial : F_tls_serial, TLF_SERIAL, c->serial},
        {client ? F_tls_client_fingerprint : F_tls_fingerprint, TLF_FINGERPRINT, c->fingerprint},
        {client ? F_tls_client_notbefore : F_tls_notbefore, TLF_NOT_BEFORE,
         span_str(c->not_before)},
        {client ? F_tls_client_notafter : F_tls_notafter, TLF_NOT_AFTER, span_str(c->not_after)},
    };

    if (s->n_certs == 0)
        return;
    for (size_t i = 0; i < LEN(rows); i++)
        if (rows[i].v.n && (client || (fields & bit(rows[i].asked))))
            event_str(ev, rows[i].f, rows[i].v);
    if (c->n_names == 0 || client || !(fields & bit(TLF_SUBJECTALTNAME)))
        return;
    event_open(ev, F_tls_subjectaltname);
    for (size_t i = 0; i < c->n_names; i++)
        event_item(ev, c->names[i]);
    event_close(ev);
}

static void log_numbers(struct event *ev, enum field f, const uint16_t *v, size_t n)
{
    if (n == 0)
        return;
    event_open(ev, f);
    for (size_t i = 0; i < n; i++)
        if (!tls_is_grease(v[i]))
            event_item_uint(ev, v[i]);
    event_close(ev);
}

/* What the hellos offer and choose. */
static void log_hellos(struct event *ev, const struct tls_tx *t, uint64_t fields)
{
    const struct tls_hello *c = &t->side[DIR_TS].hello, *s = &t->side[DIR_TC].hello;
    char text[24];

    if (c->seen && (fields & bit(TLF_CLIENT_HANDSHAKE))) {
        event_open(ev, F_tls_client_handshake);
        event_text(ev, F_tls_client_handshake_version, tls_version_name(c->plain, text));
        log_numbers(ev, F_tls_client_handshake_ciphers, c->ciphers, c->n_ciphers);
        log_numbers(ev, F_tls_client_handshake_exts, c->extensions, c->n_extensions);
        log_numbers(ev, F_tls_client_handshake_sig_algs, c->sigalgs, c->n_sigalgs);
        event_close(ev);
    }
    if (s->seen && (fields & bit(TLF_SERVER_HANDSHAKE))) {
        event_open(ev, F_tls_server_handshake);
        event_text(ev, F_tls_server_handshake_version, tls_version_name(s->plain, text));
        if (s->n_ciphers)
            event_uint(ev, F_tls_server_handshake_cipher, s->ciphers[0]);
        log_numbers(ev, F_tls_server_handshake_exts, s->extensions, s->n_extensions);
        event_close(ev);
    }
}

static void log_alpns(struct event *ev, const struct tls_hello *h, enum field f)
{
    if (h->n_alpns == 0)
        return;
    event_open(ev, f);
    for (size_t i = 0; i < h->n_alpns; i++)
        event_item(ev, h->alpns[i]);
    event_close(ev);
}

static void log_ja3(struct event *ev, const struct tls_side *s, bool server)
{
    if (!s->ja3[0])
        return;
    event_open(ev, server ? F_tls_ja3s : F_tls_ja3);
    event_text(ev, server ? F_tls_ja3s_hash : F_tls_ja3_hash, s->ja3);
    event_str(ev, server ? F_tls_ja3s_string : F_tls_ja3_string, s->ja3_string);
    event_close(ev);
}

/* Could the session be one that goes on from an earlier one, as far as the hellos tell: the server
 * repeats the identifier, or the client knows tickets? */
static bool tls_resumable(const struct tls_tx *t)
{
    const struct tls_hello *c = &t->side[DIR_TS].hello, *s = &t->side[DIR_TC].hello;

    return c->ticket || (c->session_id.n && span_eq(c->session_id, s->session_id));
}

static bool tls_has_cert(const struct tls_side *s)
{
    return s->n_certs && s->certs[0].subject.n && s->certs[0].issuer.n;
}

/* Drafts and experiments have higher numbers. */
static bool tls_is_13(uint16_t v)
{
    return v >= TLS_VERSION_13;
}

static bool tls_resumed(const struct tls_tx *t)
{
    const struct tls_side *s = &t->side[DIR_TC];

    return s->hello.seen && s->n_certs == 0 && tls_resumable(t) && !tls_is_13(tls_version(t));
}

bool tls_worth_logging(const struct tls_tx *t, bool resumption)
{
    const struct tls_side *s = &t->side[DIR_TC];

    return tls_has_cert(s) || (resumption && tls_resumable(t)) ||
           (s->hello.seen && tls_is_13(tls_version(t))) ||
           (t->tx.progress[DIR_TS] >= TLS_FINISHED && t->tx.progress[DIR_TC] >= TLS_FINISHED);
}

/* The national protocol's suite and both certificates stand under `daizong`. */
static void log_tlcp(struct event *ev, const struct tls_tx *t)
{
    const struct tls_side *s = &t->side[DIR_TC];
    char suite[16];

    event_open(ev, F_daizong);
    event_open(ev, F_daizong_tlcp);
    snprintf(suite, sizeof(suite), "0x%04x", s->hello.n_ciphers ? s->hello.ciphers[0] : 0);
    event_text(ev, F_daizong_tlcp_suite, suite);
    if (s->n_certs > 0 && s->certs[0].parsed) {
        event_str(ev, F_daizong_tlcp_sign_subject, s->certs[0].subject);
        event_str(ev, F_daizong_tlcp_sign_serial, s->certs[0].serial);
    }
    if (s->n_certs > 1 && s->certs[1].parsed) {
        event_str(ev, F_daizong_tlcp_enc_subject, s->certs[1].subject);
        event_str(ev, F_daizong_tlcp_enc_serial, s->certs[1].serial);
    }
    event_close(ev);
    event_close(ev);
}

static void log_session(struct event *ev, const struct tls_tx *t, uint64_t fields)
{
    const struct tls_side *c = &t->side[DIR_TS], *s = &t->side[DIR_TC];
    char text[24];

    log_cert(ev, s, false, fields);
    log_der(ev, s, false, fields);
    if ((fields & bit(TLF_SESSION_RESUMED)) && tls_resumed(t))
        event_bool(ev, F_tls_session_resumed, true);
    if ((fields & bit(TLF_SNI)) && c->hello.sni.n)
        event_str(ev, F_tls_sni, c->hello.sni);
    if (fields & bit(TLF_VERSION))
        event_text(ev, F_tls_version, tls_version_name(tls_version(t), text));
    if ((fields & bit(TLF_CLIENT)) && c->n_certs) {
        event_open(ev, F_tls_client);
        log_cert(ev, c, true, fields);
        log_der(ev, c, true, fields);
        event_close(ev);
    }
    if (fields & bit(TLF_JA3))
        log_ja3(ev, c, false);
    if (fields & bit(TLF_JA3S))
        log_ja3(ev, s, true);
    if ((fields & bit(TLF_JA4)) && t->ja4[0])
        event_text(ev, F_tls_ja4, t->ja4);
    if (fields & bit(TLF_CLIENT_ALPNS))
        log_alpns(ev, &c->hello, F_tls_client_alpns);
    if (fields & bit(TLF_SERVER_ALPNS))
        log_alpns(ev, &s->hello, F_tls_server_alpns);
    log_hellos(ev, t, fields);
}

bool tls_log(struct app *app, struct tx *tx, enum dir dir, bool alert, struct event *ev)
{
    const struct tls_tx *t = (const struct tls_tx *)(const void *)tx;
    const struct tls_log_conf *conf = &app_log_conf(app)->tls;

    (void)dir;
    if (!alert && !tls_worth_logging(t, conf->session_resumption))
        return false;
    event_open(ev, F_tls);
    log_session(ev, t, log_fields(conf, alert));
    if (app->original != PROTO_NONE && proto_table[app->original] != app->proto)
        event_text(ev, F_tls_from_proto, proto_table[app->original]->name);
    event_close(ev);
    if (!alert && tls_version(t) == TLS_VERSION_TLCP)
        log_tlcp(ev, t);
    return true;
}

static struct tls_tx *tls_of(struct tx *tx)
{
    return (struct tls_tx *)(void *)tx;
}

static bool get_span(struct span s, uint32_t index, struct inspect *ret)
{
    if (index > 0 || !s.n)
        return false;
    *ret = (struct inspect){.data = s, .final = true};
    return true;
}

static bool get_sni(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return dir == DIR_TS && get_span(tls_of(tx)->side[DIR_TS].hello.sni, index, ret);
}

static const struct tls_cert *cert_of(struct tx *tx, enum dir dir)
{
    const struct tls_side *s = &tls_of(tx)->side[dir];
    return s->n_certs ? &s->certs[0] : NULL;
}

static bool get_subject(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct tls_cert *c = cert_of(tx, dir);
    return c && get_span(c->subject, index, ret);
}

static bool get_issuer(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct tls_cert *c = cert_of(tx, dir);
    return c && get_span(c->issuer, index, ret);
}

static bool get_serial(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct tls_cert *c = cert_of(tx, dir);
    return c && get_span(c->serial, index, ret);
}

static bool get_fingerprint(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct tls_cert *c = cert_of(tx, dir);
    return c && get_span(c->fingerprint, index, ret);
}

static bool get_names(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct tls_cert *c = cert_of(tx, dir);
    return c && index < c->n_names && get_span(c->names[index], 0, ret);
}

static bool get_certs(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct tls_side *s = &tls_of(tx)->side[dir];
    return index < s->n_certs && get_span(s->certs[index].der, 0, ret);
}

static bool get_alpn(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct tls_hello *h = &tls_of(tx)->side[dir].hello;
    return index < h->n_alpns && get_span(h->alpns[index], 0, ret);
}

static bool get_ja3(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return get_span(span_str(tls_of(tx)->side[dir].ja3), index, ret);
}

static bool get_ja3_string(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return get_span(tls_of(tx)->side[dir].ja3_string, index, ret);
}

static bool get_ja4(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return dir == DIR_TS && get_span(span_str(tls_of(tx)->ja4), index, ret);
}

static bool get_random_part(struct tx *tx, enum dir dir, uint32_t index, size_t from, size_t n,
                            struct inspect *ret)
{
    const struct tls_hello *h = &tls_of(tx)->side[dir].hello;

    return h->random && get_span(span_of(h->random + from, n), index, ret);
}

static bool get_random(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return get_random_part(tx, dir, index, 0, 32, ret);
}

static bool get_random_time(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return get_random_part(tx, dir, index, 0, 4, ret);
}

static bool get_random_bytes(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return get_random_part(tx, dir, index, 4, 28, ret);
}

enum { TS = 1 << DIR_TS, TC = 1 << DIR_TC };

const struct proto_buffer tls_buffers[TLS_N_BUFFERS] = {
    {.name = "tls.sni",
     .aliases = "tls_sni",
     .dirs = TS,
     .progress = TLS_HELLO,
     .get = get_sni,
     .help = "server name asked for"},
    {.name = "tls.cert_subject",
     .aliases = "tls_cert_subject",
     .dirs = TS | TC,
     .progress = TLS_CERT,
     .get = get_subject,
     .help = "subject of the certificate"},
    {.name = "tls.cert_issuer",
     .aliases = "tls_cert_issuer",
     .dirs = TS | TC,
     .progress = TLS_CERT,
     .get = get_issuer,
     .help = "issuer of the certificate"},
    {.name = "tls.cert_serial",
     .aliases = "tls_cert_serial",
     .dirs = TS | TC,
     .progress = TLS_CERT,
     .get = get_serial,
     .help = "serial number of the certificate"},
    {.name = "tls.cert_fingerprint",
     .aliases = "tls_cert_fingerprint",
     .dirs = TS | TC,
     .progress = TLS_CERT,
     .get = get_fingerprint,
     .help = "SHA-1 of the certificate"},
    {.name = "tls.subjectaltname",
     .dirs = TS | TC,
     .progress = TLS_CERT,
     .multi = true,
     .get = get_names,
     .help = "a further name in the certificate"},
    {.name = "tls.certs",
     .dirs = TS | TC,
     .progress = TLS_CERT,
     .multi = true,
     .get = get_certs,
     .help = "a certificate, DER"},
    {.name = "tls.alpn",
     .dirs = TS | TC,
     .progress = TLS_HELLO,
     .multi = true,
     .get = get_alpn,
     .help = "a protocol that is offered or chosen"},
    {.name = "tls.random",
     .dirs = TS | TC,
     .progress = TLS_HELLO,
     .get = get_random,
     .help = "random value of the hello, 32 bytes"},
    {.name = "tls.random_time",
     .dirs = TS | TC,
     .progress = TLS_HELLO,
     .get = get_random_time,
     .help = "its first 4 bytes, a time in older versions"},
    {.name = "tls.random_bytes",
     .dirs = TS | TC,
     .progress = TLS_HELLO,
     .get = get_random_bytes,
     .help = "its last 28 bytes"},
    {.name = "ja3.hash",
     .aliases = "ja3_hash",
     .dirs = TS,
     .progress = TLS_HELLO,
     .get = get_ja3,
     .help = "JA3 of the client"},
    {.name = "ja3.string",
     .aliases = "ja3_string",
     .dirs = TS,
     .progress = TLS_HELLO,
     .get = get_ja3_string,
     .help = "JA3 string of the client"},
    {.name = "ja3s.hash",
     .aliases = "ja3s_hash",
     .dirs = TC,
     .progress = TLS_HELLO,
     .get = get_ja3,
     .help = "JA3S of the server"},
    {.name = "ja3s.string",
     .aliases = "ja3s_string",
     .dirs = TC,
     .progress = TLS_HELLO,
     .get = get_ja3_string,
     .help = "JA3S string of the server"},
    {.name = "ja4.hash",
     .aliases = "ja4_hash",
     .dirs = TS,
     .progress = TLS_HELLO,
     .get = get_ja4,
     .help = "JA4 of the client"},
};

static bool value_version(struct tx *tx, enum dir dir, uint32_t index, uint64_t *ret)
{
    const struct tls_tx *t = tls_of(tx);
    const struct tls_side *s = &t->side[dir];

    *ret = dir == DIR_TC        ? tls_version(t)
           : !s->hello.seen     ? s->record_version
           : s->hello.ssl2_asks ? s->hello.ssl2_asks
                                : hello_version(&s->hello);
    return index == 0 && *ret != 0;
}

static bool value_chain(struct tx *tx, enum dir dir, uint32_t index, uint64_t *ret)
{
    *ret = tls_of(tx)->side[dir].n_certs;
    return index == 0 && *ret > 0;
}

const struct proto_value tls_values[TLS_N_VALUES] = {
    {.name = "tls.version", .dirs = TS | TC, .progress = TLS_HELLO, .get = value_version},
    {.name = "tls.cert_chain_len", .dirs = TS | TC, .progress = TLS_CERT, .get = value_chain},
};
