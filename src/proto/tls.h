/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the TLS family share: the one transaction of a flow with both hellos and both
 * sides' certificates. Inside the family only. */
#pragma once

#include "proto/conf.h"
#include "proto/proto.h"

enum {
    TLS_CIPHERS = 512, /* that are kept of a hello */
    TLS_EXTENSIONS = 64,
    TLS_GROUPS = 64,
    TLS_SIGALGS = 64,
    TLS_CERTS = 8,
    TLS_VERSION_TLCP = 0x0101,
    TLS_VERSION_10 = 0x0301,
    TLS_VERSION_13 = 0x0304,
};

/* Bits of tls_log_conf.custom, in the order of tls_log_fields. */
enum tls_log_field {
    TLF_SUBJECT,
    TLF_ISSUER,
    TLF_SESSION_RESUMED,
    TLF_SERIAL,
    TLF_FINGERPRINT,
    TLF_SNI,
    TLF_VERSION,
    TLF_NOT_BEFORE,
    TLF_NOT_AFTER,
    TLF_CERTIFICATE,
    TLF_CHAIN,
    TLF_JA3,
    TLF_JA3S,
    TLF_JA4,
    TLF_SUBJECTALTNAME,
    TLF_CLIENT,
    TLF_CLIENT_CERTIFICATE,
    TLF_CLIENT_CHAIN,
    TLF_CLIENT_ALPNS,
    TLF_SERVER_ALPNS,
    TLF_CLIENT_HANDSHAKE,
    TLF_SERVER_HANDSHAKE,
    TLF_COUNT
};

/* Progress of a direction. */
enum tls_progress { TLS_START, TLS_HELLO, TLS_CERT, TLS_HANDSHAKE_DONE, TLS_FINISHED };

enum tls_event {
#define TLS_EVENT(id, name) TLS_EV_##id,
#include "proto/tls_events.def"
#undef TLS_EVENT
    TLS_EVENTS
};

struct tls_cert {
    struct span der;
    bool parsed;
    struct span subject, issuer, serial, fingerprint; /* texts */
    char not_before[24], not_after[24];
    size_t n_names, cap_names;
    struct span *names; /* subject alternative names */
};

struct tls_hello {
    bool seen;
    uint16_t version;   /* legacy_version */
    uint16_t chosen;    /* of supported_versions, or 0 */
    uint16_t ssl2_asks; /* a hello in SSL 2's form: the version it would like; or 0 */
    uint16_t plain;     /* highest of both that tools know: published, or a late draft of 1.3 */
    struct span session_id;
    size_t n_ciphers, n_extensions, n_groups, n_formats, n_sigalgs, n_alpns;
    uint16_t *ciphers; /* on the transaction's arena */
    uint16_t extensions[TLS_EXTENSIONS], groups[TLS_GROUPS];
    uint16_t sigalgs[TLS_SIGALGS];
    uint8_t formats[16];
    struct span alpns[16];
    struct span sni;
    const uint8_t *random; /* 32 bytes on the arena, or NULL */
    bool ticket;           /* it has a session ticket, or would take one */
    bool early_data;       /* the client sends data before the answer */
};

struct tls_side {
    struct tls_hello hello;
    struct tls_cert certs[TLS_CERTS];
    size_t n_certs;
    uint16_t record_version;
    bool change_cipher, application, ja_done;
    char ja3[33];
    struct span ja3_string;
    /* handshake bytes that do not yet make a whole message */
    uint8_t *held;
    size_t held_n, held_cap;
};

struct tls_tx {
    struct tx tx;
    struct tls_side side[2];
    bool client_asked; /* the server wants the client's certificate */
    char ja4[40];
};

/* Reads one DER certificate (RFC 5280) into texts on `mem`; false: it is not one. */
bool tls_cert_read(struct tls_cert *c, struct span der, struct arena *mem);
/* JA3 of the client, JA3S of the server, on `mem`. */
void tls_ja3(struct tls_side *s, bool server, struct arena *mem);
void tls_ja4(const struct tls_hello *h, char text[40], struct arena *mem);
bool tls_is_grease(uint16_t v);
/* The version that was agreed: "TLS 1.2". */
const char *tls_version_name(uint16_t version, char text[24]);
uint16_t tls_version(const struct tls_tx *t);
/* Is there something to say of the session: a certificate, one that may be resumed, TLS 1.3, where
 * neither can be seen, or one that both sides have closed? */
bool tls_worth_logging(const struct tls_tx *t, bool resumption);
bool tls_log(struct app *app, struct tx *tx, enum dir dir, bool alert, struct event *ev);
enum { TLS_N_BUFFERS = 16, TLS_N_VALUES = 2 };
extern const struct proto_buffer tls_buffers[TLS_N_BUFFERS];
extern const struct proto_value tls_values[TLS_N_VALUES];
