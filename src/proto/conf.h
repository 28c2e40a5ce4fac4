/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the protocols, filled by the sensor from its configuration (app-layer.protocols.*,
 * outputs.eve-log.types.*); proto_conf_default gives Suricata's shipped ones. */
#pragma once

#include "proto/proto.h"

struct http_conf {
    uint32_t request_body_limit, response_body_limit;     /* bytes, 0: none */
    uint32_t request_inspect_min, request_inspect_window; /* bytes */
    uint32_t response_inspect_min, response_inspect_window;
    uint8_t decompress_layers; /* content codings undone one after another */
    uint32_t decompress_ratio;
    uint64_t decompress_limit; /* bytes that one body may expand to */
    uint8_t lzma_layers;       /* LZMA codings undone in one message, 0: none */
    uint32_t lzma_memlimit;    /* bytes an LZMA stream may look back */
    uint32_t max_headers;
    uint32_t max_tx; /* live transactions of a flow */
    bool double_decode_path, double_decode_query, http_inline;
    bool no_bodies; /* nobody looks into bodies: do not keep them */
};

struct http_log_conf {
    bool extended;
    bool all_request_headers, all_response_headers;
    uint64_t custom; /* bit per header of http's table */
    enum xff_mode { XFF_OFF, XFF_EXTRA, XFF_OVERWRITE } xff_mode;
    bool xff_forward;    /* the first address of the list is the client, else the last */
    char xff_header[64]; /* lower case */
};

struct tls_conf {
    bool ja3, ja4;
    bool encrypt_full;   /* go on parsing after the handshake */
    bool encrypt_bypass; /* pass the flow over once it is encrypted */
};

struct tls_log_conf {
    bool extended, session_resumption;
    bool ja3, ja4;
    uint64_t custom; /* bit per name of tls_log_fields */
};

struct dns_conf {
    uint32_t max_tx;
    uint16_t max_name; /* names longer than this are cut: 1025 */
    /* detection-ports of the configuration: recognise on these alone; none: by content anywhere */
    uint16_t udp_ports[8], tcp_ports[8];
    uint8_t n_udp_ports, n_tcp_ports;
};

struct dns_log_conf {
    bool requests, responses;
    bool grouped, detailed;
    uint8_t version;   /* 2 or 3 */
    uint64_t types[4]; /* bit per RR type 0..255: log only these; all zero: every one */
};

struct ssh_conf {
    bool hassh;
    bool encrypt_bypass;
};

struct file_conf {
    bool md5, sha1, sha256, sm3; /* always computed for every file */
    bool magic;
    uint32_t window_bytes;
    bool store_all;       /* keep every file, whatever rules say */
    uint32_t keep_bytes;  /* of a file that a rule may still want */
    uint32_t store_depth; /* of a stream that carries a wanted file, 0: all of it */
};

/* What an output wants of each protocol's events. */
struct log_conf {
    struct http_log_conf http;
    struct tls_log_conf tls;
    struct dns_log_conf dns;
};

struct proto_conf {
    bool enabled[PROTO_COUNT], detection_only[PROTO_COUNT];
    struct http_conf http;
    struct tls_conf tls;
    struct dns_conf dns;
    struct ssh_conf ssh;
    struct file_conf file;
    struct log_conf log; /* for outputs that ask for nothing of their own */
    bool midstream;
};

/* Headers that http events can hold beside the extended ones (`custom` names them in lower case
 * with underscores, or as on the wire). */
struct http_log_header {
    const char *name;   /* "accept_language" */
    const char *header; /* "accept-language", lower case, as on the wire */
    enum field field;
    bool response; /* of the response's header */
};
extern const struct http_log_header http_log_headers[];
extern const size_t n_http_log_headers;
/* The fields that tls.custom may name, in the order of the bits. */
extern const char *const tls_log_fields[];
extern const size_t n_tls_log_fields;

void proto_conf_default(struct proto_conf *c);
/* What the shipped configuration has events say. */
void log_conf_default(struct log_conf *c);
