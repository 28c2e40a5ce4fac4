/* SPDX-License-Identifier: Apache-2.0 */
/* How one condition of a rule is tested: every row of keywords.def that decides something names a
 * match function declared here. One signature serves conditions on the packet, the flow, a
 * transaction and a buffer; what a function may look at stands in struct inspection. A function
 * reads its keyword's data (keyword.h) from m->data and keeps nothing between calls. */
#pragma once

#include "detect/rule.h"

enum { BYTE_VARS_MAX = 32 };

enum found {
    FOUND_NEVER =
        -1, /* no match, and no other way through the contents before it can change that */
    FOUND_NOT = 0,
    FOUND = 1,
};

/* What is being inspected; one per worker, filled in as inspection walks. */
struct inspection {
    struct detect *d;
    const struct rule *rule;
    struct packet *p;
    struct flow *f;  /* or NULL */
    struct app *app; /* or NULL */
    struct tx *tx;   /* only in LIST_TX and in the protocols' buffers */
    enum dir dir;
    /* a run of conditions on a buffer */
    struct span buf;    /* what there is of it */
    uint64_t buf_at;    /* offset of buf.p[0] in the whole */
    bool buf_final;     /* nothing will be added behind buf */
    bool buf_absent;    /* the buffer does not exist: only `absent` may match */
    uint32_t at;        /* where relative conditions start: end of the last match, in buf */
    uint32_t pcre_from; /* where the next try of an expression starts, 0: at its beginning */
    uint32_t steps;     /* counted against the recursion limit */
    uint64_t vars[BYTE_VARS_MAX];
    struct span base64; /* what base64_decode made */
};

typedef enum found match_fn(struct inspection *in, const struct match *m);
/* By struct match.kind; NULL for keywords that decide nothing. */
extern match_fn *const match_table[];

/* Conditions that run through a buffer (LIST_PAYLOAD, buffers). content and pcre are driven by
 * content.c itself, which tries their further occurrences. */
match_fn match_content, match_pcre, match_isdataat, match_byte_test, match_byte_jump,
    match_byte_extract, match_byte_math, match_base64_decode, match_base64_data, match_bsize,
    match_urilen, match_entropy, match_absent, match_dataset, match_datarep, match_asn1, match_rpc,
    match_ftpbounce;

/* Conditions on the packet (LIST_PACKET). */
match_fn match_tcp_flags, match_tcp_seq, match_tcp_ack, match_tcp_window, match_tcp_mss,
    match_tcp_wscale, match_ttl, match_tos, match_ip_id, match_ipopts, match_ip_proto,
    match_l3_proto, match_fragbits, match_fragoffset, match_sameip, match_dsize, match_itype,
    match_icode, match_icmp_id, match_icmp_seq, match_icmpv6_mtu, match_csum, match_decode_event,
    match_stream_event, match_stream_size, match_vlan_id, match_vlan_layers, match_icmpv4_type,
    match_iprep;

/* Conditions on the flow and on variables (LIST_PACKET); those that set do it in LIST_POST. */
match_fn match_flow, match_flow_age, match_flow_pkts, match_flow_bytes, match_flowbits,
    match_flowint, match_flowvar, match_pktvar, match_xbits, match_hostbits,
    match_app_layer_protocol, match_app_layer_state, match_detection_filter, match_bypass;

/* Conditions on a transaction (LIST_TX). */
match_fn match_app_layer_event, match_tx_value, match_tls_version, match_ssl_version,
    match_ssl_state, match_tls_store, match_filesize, match_filestore, match_file_hash,
    match_file_name, match_tls_cert_expired, match_tls_cert_valid, match_tls_cert_not_before,
    match_tls_cert_not_after, match_config;
