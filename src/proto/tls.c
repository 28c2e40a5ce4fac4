/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.0 to 1.3 (RFC 5246, 8446) and TLCP (GB/T 38636-2020): records, handshake messages over
 * several records, hellos and certificates. One transaction a flow; after the handshake nothing is
 * read any more unless the configuration asks for it. */
#include "proto/tls.h"

enum {
    RECORD_CHANGE_CIPHER = 20,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_DATA = 23,
    RECORD_HEARTBEAT = 24,
    ALERT_FATAL = 2,
    RECORD_HEAD = 5,
    RECORD_MOST = 16384 + 2048,
    HS_CLIENT_HELLO = 1,
    HS_SERVER_HELLO = 2,
    HS_CERTIFICATE = 11,
    HS_CERTIFICATE_REQUEST = 13,
    SSL2_RECORD = 0x80, /* top bit: a record of SSL 2 with a two byte head */
    SSL2_CLIENT_HELLO = 1,
    SSL2_HEAD = 11,
    HS_MOST = 128 << 10,
    EXT_SNI = 0,
    EXT_GROUPS = 10,
    EXT_FORMATS = 11,
    EXT_SIGALGS = 13,
    EXT_ALPN = 16,
    EXT_TICKET = 35,
    EXT_EARLY_DATA = 42,
    EXT_VERSIONS = 43,
};

static const char *const tls_event_names[TLS_EVENTS] = {
#define TLS_EVENT(id, name) [TLS_EV_##id] = name,
#include "proto/tls_events.def"
#undef TLS_EVENT
};

struct tls_state {
    struct tls_tx *t;
    bool done; /* the handshake is over: nothing more is read */
};

static bool tls_version_known(uint16_t v)
{
    return (v >= 0x0300 && v <= 0x0304) || v == TLS_VERSION_TLCP;
}

/* Is it a client hello in SSL 2's form? Its lengths have to add up. */
static enum probe tls_probe_ssl2(struct span data)
{
    if (data.n < SSL2_HEAD)
        return data.n < 3 || data.p[2] == SSL2_CLIENT_HELLO ? PROBE_MAYBE : PROBE_NO;
    const uint8_t *p = data.p;
    size_t n = be16(p) & 0x7fff, ciphers = be16(p + 5), id = be16(p + 7), challenge = be16(p + 9);
    bool version = be16(p + 3) == 2 || tls_version_known(be16(p + 3));

    return p[2] == SSL2_CLIENT_HELLO && version && ciphers % 3 == 0 && challenge >= 16 &&
                   n == SSL2_HEAD - 2 + ciphers + id + challenge
               ? PROBE_YES
               : PROBE_NO;
}

static enum probe tls_probe(struct span data, enum dir dir, const struct probe_hint *hint,
                            bool *ret_swap)
{
    (void)hint;
    if (data.n == 0)
        return PROBE_MAYBE;
    if (dir == DIR_TS && (data.p[0] & SSL2_RECORD))
        return tls_probe_ssl2(data);
    if (data.p[0] != RECORD_HANDSHAKE && (dir == DIR_TS || data.p[0] != RECORD_ALERT))
        return PROBE_NO;
    if (data.n < RECORD_HEAD + 1)
        return data.n < 3 || tls_version_known(be16(data.p + 1)) ? PROBE_MAYBE : PROBE_NO;
    if (!tls_version_known(be16(data.p + 1)) || be16(data.p + 3) > RECORD_MOST)
        return PROBE_NO;
    uint8_t type = data.p[RECORD_HEAD];
    *ret_swap = data.p[0] == RECORD_HANDSHAKE && ((dir == DIR_TS && type == HS_SERVER_HELLO) ||
                                                  (dir == DIR_TC && type == HS_CLIENT_HELLO));
    return PROBE_YES;
}

static size_t tls_u16s(struct rd *r, uint16_t *to, size_t cap)
{
    size_t n = 0;

    while (rd_more(r)) {
        uint16_t v = rd_u16(r);
        if (n < cap && rd_ok(r))
            to[n++] = v;
    }
    return n;
}

static void tls_sni(struct tls_tx *t, struct tls_hello *h, struct rd *r)
{
    if (h->sni.p) {
        tx_event(&t->tx, TLS_EV_MULTIPLE_SNI_EXTENSIONS);
        return;
    }
    if (r->n == 0)
        return; /* the server's confirmation is empty */
    struct rd list = rd_vec16(r);
    uint8_t type = rd_u8(&list);
    struct rd name = rd_vec16(&list);
    if (!rd_ok(r)) {
        tx_event(&t->tx, TLS_EV_INVALID_SNI_LENGTH);
        return;
    }
    if (type != 0) {
        tx_event(&t->tx, TLS_EV_INVALID_SNI_TYPE);
        return;
    }
    h->sni = arena_dup(&t->tx.mem, span_of(name.p, name.n));
}

static void tls_alpn(struct tls_tx *t, struct tls_hello *h, struct rd *r)
{
    struct rd list = rd_vec16(r);

    while (rd_more(&list) && h->n_alpns < LEN(h->alpns)) {
        struct rd name = rd_vec8(&list);
        struct span kept = arena_dup(&t->tx.mem, span_of(name.p, name.n));
        if (kept.p && rd_ok(&list))
            h->alpns[h->n_alpns++] = kept;
    }
}

static void tls_versions(struct tls_hello *h, struct rd *r, bool server)
{
    if (server) {
        h->chosen = rd_u16(r);
        if (tls_version_known(h->chosen))
            h->plain = h->chosen;
        return;
    }
    struct rd list = rd_vec8(r);
    while (rd_more(&list)) {
        uint16_t v = rd_u16(&list);
        if (!tls_is_grease(v) && v > h->chosen)
            h->chosen = v;
        if ((tls_version_known(v) || (v >= 0x7f10 && v <= 0x7f1c)) && v > h->plain)
            h->plain = v;
    }
}

static void tls_extension(struct tls_tx *t, struct tls_hello *h, uint16_t type, struct rd *r,
                          bool server)
{
    struct rd list;

    switch (type) {
    case EXT_SNI:
        tls_sni(t, h, r);
        break;
    case EXT_GROUPS:
        list = rd_vec16(r);
        h->n_groups = tls_u16s(&list, h->groups, LEN(h->groups));
        break;
    case EXT_FORMATS:
        list = rd_vec8(r);
        h->n_formats = min_size(list.n, sizeof(h->formats));
        memcpy(h->formats, list.p, h->n_formats);
        break;
    case EXT_SIGALGS:
        list = rd_vec16(r);
        h->n_sigalgs = tls_u16s(&list, h->sigalgs, LEN(h->sigalgs));
        break;
    case EXT_ALPN:
        tls_alpn(t, h, r);
        break;
    case EXT_TICKET:
        h->ticket = true;
        break;
    case EXT_EARLY_DATA:
        h->early_data = true;
        break;
    case EXT_VERSIONS:
        tls_versions(h, r, server);
        break;
    default:
        break;
    }
}

static void tls_extensions(struct tls_tx *t, struct tls_hello *h, struct rd *r, bool server)
{
    struct rd all = rd_vec16(r);

    while (rd_more(&all)) {
        struct verdict own = {0}; /* one broken extension does not hide the others */
        uint16_t type = rd_u16(&all);
        struct rd body = rd_vec16(&all);
        if (!rd_ok(&all))
            return;
        if (h->n_extensions < LEN(h->extensions))
            h->extensions[h->n_extensions++] = type;
        struct rd inner = rd_whole(span_of(body.p, body.n), &own);
        tls_extension(t, h, type, &inner, server);
    }
}

static void tls_hello(struct app *app, struct tls_tx *t, enum dir dir, struct span body)
{
    struct tls_side *s = &t->side[dir];
    struct tls_hello *h = &s->hello;
    struct verdict v = {0};
    struct rd r = rd_whole(body, &v);
    bool server = dir == DIR_TC;
    const struct tls_conf *conf = &app_conf(app)->tls;

    if (h->seen && !server)
        return; /* the answer to a HelloRetryRequest says the same again */
    *h = (struct tls_hello){.seen = true};
    h->version = h->plain = rd_u16(&r);
    struct span random = arena_dup(&t->tx.mem, rd_bytes(&r, 32));
    h->random = random.n == 32 ? random.p : NULL;
    struct rd id = rd_vec8(&r);
    h->session_id = arena_dup(&t->tx.mem, span_of(id.p, id.n));
    struct rd ciphers = server ? rd_sub(&r, 2) : rd_vec16(&r);
    size_t room = min_size(ciphers.n / 2, TLS_CIPHERS);
    h->ciphers = arena_get(&t->tx.mem, room * sizeof(*h->ciphers));
    if (h->ciphers)
        h->n_ciphers = tls_u16s(&ciphers, h->ciphers, room);
    if (server)
        rd_u8(&r);
    else
        rd_vec8(&r);
    if (v.state == RD_OK && r.n > 0)
        tls_extensions(t, h, &r, server);
    if (v.state != RD_OK)
        tx_event(&t->tx, TLS_EV_INVALID_HANDSHAKE_MESSAGE);
    if (conf->ja3)
        tls_ja3(s, server, &t->tx.mem);
    if (!server)
        tls_ja4(h, t->ja4, &t->tx.mem);
    tx_progress(&t->tx, dir, TLS_HELLO);
}

static void tls_certificate(struct tls_tx *t, enum dir dir, struct span body)
{
    struct tls_side *s = &t->side[dir];
    struct verdict v = {0};
    struct rd r = rd_whole(body, &v);
    struct rd list = rd_vec24(&r);

    while (rd_more(&list) && s->n_certs < LEN(s->certs)) {
        struct rd der = rd_vec24(&list);
        if (v.state != RD_OK)
            break;
        struct tls_cert *c = &s->certs[s->n_certs];
        struct span kept = arena_dup(&t->tx.mem, span_of(der.p, der.n));
        if (!kept.p)
            break;
        c->der = kept;
        /* TLCP: the first two are for signing and encryption; TLS: only the first is described. */
        if (s->n_certs < 2 && !tls_cert_read(c, kept, &t->tx.mem) && s->n_certs == 0)
            tx_event(&t->tx, TLS_EV_CERTIFICATE_INVALID_DER);
        s->n_certs++;
    }
    if (v.state != RD_OK)
        tx_event(&t->tx, TLS_EV_INVALID_CERTIFICATE);
    tx_progress(&t->tx, dir, TLS_CERT);
}

static void tls_message(struct app *app, struct tls_tx *t, enum dir dir, uint8_t type,
                        struct span body)
{
    switch (type) {
    case HS_CLIENT_HELLO:
        if (dir == DIR_TS)
            tls_hello(app, t, dir, body);
        break;
    case HS_SERVER_HELLO:
        if (dir == DIR_TC)
            tls_hello(app, t, dir, body);
        break;
    case HS_CERTIFICATE:
        if (t->side[dir].n_certs == 0)
            tls_certificate(t, dir, body);
        break;
    case HS_CERTIFICATE_REQUEST:
        if (dir == DIR_TC)
            t->client_asked = true;
        break;
    default:
        break;
    }
}

/* Keeps what is left of a message until the next record. */
static bool tls_hold(struct tls_tx *t, struct tls_side *s, struct span rest)
{
    if (s->held_n + rest.n > HS_MOST)
        return false;
    if (s->held_n + rest.n > s->held_cap) {
        size_t cap = max_size(2 * (s->held_n + rest.n), 4096);
        uint8_t *p = arena_get(&t->tx.mem, cap);
        if (!p)
            return false;
        if (s->held_n)
            memcpy(p, s->held, s->held_n);
        s->held = p;
        s->held_cap = cap;
    }
    memcpy(s->held + s->held_n, rest.p, rest.n);
    s->held_n += rest.n;
    return true;
}

static bool tls_handshake(struct app *app, struct tls_tx *t, enum dir dir, struct span record)
{
    struct tls_side *s = &t->side[dir];
    struct span all = record;

    if (s->held_n) {
        if (!tls_hold(t, s, record))
            return false;
        all = span_of(s->held, s->held_n);
    }
    while (all.n >= 4) {
        size_t n = be24(all.p + 1);
        if (n > HS_MOST) {
            tx_event(&t->tx, TLS_EV_HANDSHAKE_INVALID_LENGTH);
            return false;
        }
        if (all.n - 4 < n)
            break;
        tls_message(app, t, dir, all.p[0], span_cut(all, 4, n));
        all = span_from(all, 4 + n);
    }
    if (s->held_n) {
        memmove(s->held, all.p, all.n);
        s->held_n = all.n;
        return true;
    }
    return all.n == 0 || tls_hold(t, s, all);
}

/* The record's side goes over to encryption: what follows cannot be read. */
static void tls_done(struct tls_tx *t, enum dir dir)
{
    tx_progress(&t->tx, dir, TLS_HANDSHAKE_DONE);
}

static bool tls_record(struct app *app, struct tls_tx *t, enum dir dir, uint8_t type,
                       struct span body)
{
    struct tls_side *s = &t->side[dir];

    switch (type) {
    case RECORD_HANDSHAKE:
        return s->change_cipher || tls_handshake(app, t, dir, body);
    case RECORD_CHANGE_CIPHER:
        s->change_cipher = true;
        if (dir == DIR_TS)
            tls_done(t, dir);
        return true;
    case RECORD_DATA:
        /* Early data (RFC 8446 2.3) come before the handshake is over. */
        if (t->side[DIR_TS].hello.early_data && !t->side[DIR_TC].hello.seen)
            return true;
        s->application = s->change_cipher = true;
        tls_done(t, dir);
        if (app_conf(app)->tls.encrypt_bypass)
            app_bypass(app);
        return true;
    case RECORD_ALERT:
        if (!s->change_cipher && body.n != 2)
            tx_event(&t->tx, TLS_EV_INVALID_ALERT_MESSAGE);
        if (body.n == 2 && body.p[0] == ALERT_FATAL) {
            tx_progress(&t->tx, DIR_TS, TLS_FINISHED);
            tx_progress(&t->tx, DIR_TC, TLS_FINISHED);
        }
        return true;
    case RECORD_HEARTBEAT:
        tx_event(&t->tx, TLS_EV_HEARTBEAT_MESSAGE);
        return true;
    default:
        tx_event(&t->tx, TLS_EV_INVALID_RECORD_TYPE);
        return false;
    }
}

static bool tls_finished(const struct tls_tx *t)
{
    const struct tls_side *c = &t->side[DIR_TS], *s = &t->side[DIR_TC];

    return c->application && s->application;
}

/* A client hello in SSL 2's form (RFC 6101 appendix E): what versions it asks for, nothing else. */
static size_t tls_ssl2(struct tls_tx *t, struct span data)
{
    size_t n = 2 + (size_t)(be16(data.p) & 0x7fff);

    if (data.n < n)
        return 0;
    t->side[DIR_TS].hello.seen = true;
    uint16_t asked = be16(data.p + 3);
    t->side[DIR_TS].hello.version = 2;
    t->side[DIR_TS].hello.ssl2_asks = tls_version_known(asked) ? asked : 2;
    tls_ja4(&t->side[DIR_TS].hello, t->ja4, &t->tx.mem);
    tx_progress(&t->tx, DIR_TS, TLS_HELLO);
    return n;
}

static enum parse tls_parse(struct app *app, enum dir dir, struct span data, unsigned flags,
                            size_t *consumed)
{
    struct tls_state *st = app_state(app);

    if (st->done)
        return PARSE_DONE;
    if (!st->t)
        st->t = (struct tls_tx *)(void *)app_tx_new(app);
    if (!st->t)
        return PARSE_FAIL;
    if ((flags & PARSE_EOF) && data.n == 0)
        tx_progress(&st->t->tx, dir, TLS_FINISHED);
    while (data.n - *consumed >= RECORD_HEAD) {
        const uint8_t *p = data.p + *consumed;
        if (dir == DIR_TS && (p[0] & SSL2_RECORD) && !st->t->side[dir].hello.seen) {
            size_t used = tls_ssl2(st->t, span_from(data, *consumed));
            if (used == 0)
                break;
            *consumed += used;
            continue;
        }
        uint16_t version = be16(p + 1);
        size_t n = be16(p + 3);
        if (version >> 8 != 3 && version != TLS_VERSION_TLCP) {
            tx_event(&st->t->tx, TLS_EV_INVALID_RECORD_VERSION);
            return PARSE_FAIL;
        }
        if (n > RECORD_MOST) {
            tx_event(&st->t->tx, TLS_EV_INVALID_RECORD_LENGTH);
            return PARSE_FAIL;
        }
        /* Encrypted data need not be whole to be passed over. */
        if (data.n - *consumed - RECORD_HEAD < n)
            break;
        st->t->side[dir].record_version = version;
        if (!tls_record(app, st->t, dir, p[0], span_of(p + RECORD_HEAD, n)))
            return PARSE_FAIL;
        *consumed += RECORD_HEAD + n;
    }
    if (tls_finished(st->t)) {
        tls_done(st->t, DIR_TS);
        tls_done(st->t, DIR_TC);
        if (!app_conf(app)->tls.encrypt_full) {
            tx_progress(&st->t->tx, DIR_TS, TLS_FINISHED);
            tx_progress(&st->t->tx, DIR_TC, TLS_FINISHED);
            st->done = true;
            return PARSE_DONE;
        }
    }
    return PARSE_OK;
}

static bool tls_cert_known(const struct tls_side *s)
{
    return s->n_certs && s->certs[0].subject.n && s->certs[0].issuer.n;
}

/* With the certificates there is all to be said; without, when both sides are through. */
static bool tls_log_ready(struct app *app, struct tx *tx, enum dir *ret_dir)
{
    const struct tls_tx *t = (const struct tls_tx *)(const void *)tx;

    (void)app;
    *ret_dir = DIR_TS;
    if (tls_cert_known(&t->side[t->client_asked ? DIR_TS : DIR_TC]))
        return true;
    return tx->progress[DIR_TS] >= TLS_HANDSHAKE_DONE && tx->progress[DIR_TC] >= TLS_HANDSHAKE_DONE;
}

static void tls_gone(struct app *app, const struct tx *tx)
{
    struct tls_state *st = app_state(app);

    if (st->t && &st->t->tx == tx) {
        st->t = NULL;
        st->done = true;
    }
}

/* Names by enum tls_progress, as the rule language has them. */
static const char *const tls_client_states[] = {"client_in_progress", "client_hello_done",
                                                "client_cert_done",   "client_handshake_done",
                                                "client_finished",    NULL};
static const char *const tls_server_states[] = {"server_in_progress", "server_hello",
                                                "server_cert_done",   "server_handshake_done",
                                                "server_finished",    NULL};

const struct proto proto_tls = {
    .name = "tls",
    .title = "TLS, TLCP",
    .transports = TRANSPORT_TCP,
    .one_tx = true,
    .state_size = sizeof(struct tls_state),
    .tx_size = sizeof(struct tls_tx),
    .done = {TLS_FINISHED, TLS_FINISHED},
    .progress_names = {tls_client_states, tls_server_states},
    .probe = tls_probe,
    .parse = tls_parse,
    .log = tls_log,
    .log_ready = tls_log_ready,
    .tx_gone = tls_gone,
    .buffers = tls_buffers,
    .n_buffers = TLS_N_BUFFERS,
    .values = tls_values,
    .n_values = TLS_N_VALUES,
    .event_names = tls_event_names,
    .n_events = TLS_EVENTS,
    .events_upper = true,
    .event_type = EVENT_tls,
};
