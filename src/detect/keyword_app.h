/* SPDX-License-Identifier: Apache-2.0 */
/* Data of the keywords on application protocols, their values and files. Part of keyword.h, which
 * is what to include. */
#pragma once

#include "detect/keyword_payload.h"

enum app_proto_side {
    APP_EITHER,
    APP_FINAL,
    APP_BOTH_SIDES,
    APP_DIRECTION,
    APP_TS,
    APP_TC,
    APP_ORIGINAL
};
struct app_proto_cond {
    uint8_t app; /* as rule.app; APP_FAILED, APP_UNKNOWN of buffers.h */
    bool negated;
    uint8_t side; /* enum app_proto_side */
};
enum { APP_EVENT_NEVER = 255 }; /* no parser has so many anomalies */
struct app_event_cond {
    uint8_t proto; /* enum proto_id, or PROTO_NONE: enum app_layer_event of proto/app.h */
    uint8_t event;
};
struct app_state_cond {   /* app-layer-state */
    uint8_t op, progress; /* enum uint_op */
    uint8_t dir;
};
/* A value of a transaction. One source per protocol that has it. */
struct value_source {
    uint8_t proto; /* enum proto_id */
    const struct proto_value *value;
};
struct value_cond {
    const char *name; /* "dns.opcode" */
    const struct value_source *sources;
    uint8_t n_sources;
    uint8_t which; /* enum index_which; COUNT: how many there are */
    int32_t index; /* with INDEX_ONE */
    struct uint_cond cond;
};
struct tls_version {  /* tls.version */
    uint16_t version; /* 0x0303 */
    bool negated;
    const struct value_cond *value; /* "tls.version", or NULL: no protocol offers it */
};
struct ssl_version { /* ssl_version: any of the wire versions, or none of those negated */
    uint8_t n;
    struct {
        uint16_t version;
        bool negated;
    } list[8];
    const struct value_cond *value;
};
enum ssl_state_bit {
    SSL_CLIENT_HELLO = 1,
    SSL_SERVER_HELLO = 2,
    SSL_CLIENT_KEYX = 4,
    SSL_SERVER_KEYX = 8,
    SSL_UNKNOWN = 16
};
struct ssl_state { /* against value "ssl_state" */
    uint8_t mask;  /* any of these … */
    bool negated;  /* … none of these */
    const struct value_cond *value;
};
struct cert_time { /* tls_cert_notbefore, tls_cert_notafter: seconds since 1970 */
    struct uint_cond cond;
    const struct value_cond *value; /* "tls.cert_notbefore", "tls.cert_notafter" */
};
/* Files; filename and fileext become contents on the file.name buffer. filesize: a uint_cond. */
struct filestore {
    uint8_t dir;   /* bit 1 << DIR_TS, 1 << DIR_TC; 0: the direction of the rule */
    uint8_t scope; /* 0 this file, 1 all of the transaction, 2 all of the flow */
};
struct file_hash {   /* filemd5, filesha1, filesha256 */
    uint8_t n_bytes; /* 16, 20, 32 */
    bool negated;
    const uint8_t *sorted; /* n digests, ascending */
    uint32_t n;
};
