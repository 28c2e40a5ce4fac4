/* SPDX-License-Identifier: Apache-2.0 */
/* Puts IP fragments together (RFC 815, RFC 8200 4.5) the way the destination would: where they
 * overlap its policy decides whose bytes stand. Ceilings on datagrams, fragments and bytes from
 * birth; the oldest datagram gives way, counted. One per worker. */
#pragma once

#include "packet/decode.h"

/* Room for the longest rebuilt packet with its headers, link layers included. */
enum { DEFRAG_LINK = 256, DEFRAG_BUFFER = 65535 + 40 + 256 + DEFRAG_LINK };

struct defrag;

struct fragment {
    uint32_t id;
    uint32_t offset; /* of data in the datagram's fragmentable part */
    bool more;
    uint8_t proto;    /* of the datagram; IPv6: what follows the fragment header */
    struct span head; /* the IP header; IPv6: and the extension headers before the fragment's */
    struct span data;
    size_t next_at; /* IPv6: where in head the next-header byte stands that names the fragment's */
};

/* Counters are those of enum counter_decode. */
struct defrag *defrag_new(const struct decode_conf *conf, uint64_t *counters);
void defrag_free(struct defrag *g);
/* Keeps the fragment f of packet p. When it completed one: the whole packet in a buffer of d
 * (decode_buffer), the IP header at *ret_link_n behind the first fragment's link layers; else
 * empty. Notes anomalies in p. */
struct span defrag_add(struct defrag *g, struct decoder *d, struct packet *p,
                       const struct fragment *f, size_t *ret_link_n);
void defrag_expire(struct defrag *g, uint64_t now_ns);
/* Bytes held now. */
uint64_t defrag_memory(const struct defrag *g);
