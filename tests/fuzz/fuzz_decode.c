/* SPDX-License-Identifier: Apache-2.0 */
/* Capture readers and decoders. An input that begins as a capture file is read as one; any other
 * is a link type followed by packets, each after its length in two bytes, so that fragments and
 * tunnels are reached without a file around them. Every span that a packet holds is touched. */
#include "fuzz.h"

#include "base/rd.h"
#include "packet/capture/capture.h"
#include "packet/checksum.h"
#include "packet/decode.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint16_t links[] = {
    LINK_ETHERNET, LINK_NULL,      LINK_PPP,        LINK_RAW, LINK_CHDLC,
    LINK_LOOP,     LINK_LINUX_SLL, LINK_LINUX_SLL2, 105,
};

static uint32_t touched;

static void touch(struct span s)
{
    for (size_t i = 0; i < s.n; i += 7)
        touched += s.p[i];
    if (s.n)
        touched += s.p[s.n - 1];
}

static void look(void *user, struct packet *p)
{
    unsigned *visits = user;

    must(++*visits <= 64);
    must(p->n_events <= PKT_EVENTS && p->n_vlan <= PKT_VLANS && p->depth <= 16);
    must(!p->ip_v || (p->ip_head_n >= 20 && p->ip));
    for (size_t i = 0; i < p->n_events; i++)
        must(decode_event_eve((enum decode_event)p->events[i]));
    touch(p->data);
    touch(p->payload);
    touch(p->ip_payload);
    touch(p->ip_options);
    touch(p->tcp.options);
    if (p->tcp.n_sack)
        touch(span_of(p->tcp.sack, p->tcp.n_sack * 8u));
    if (p->arp)
        touch(span_of(p->arp, 28));
    if (p->ethernet)
        touch(span_of(p->ethernet, 14));
    touched += checksum_ip_ok(p) + checksum_l4_ok(p);
}

static struct decoder *decoder(void)
{
    struct decode_conf c;

    decode_conf_default(&c);
    c.gtp = true;
    c.erspan_type_1 = true;
    c.defrag_trackers = 64;
    c.defrag_frags = 512;
    return decoder_new(&c);
}

static void read_capture(const uint8_t *p, size_t n)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct decoder *d = decoder();
    struct capture_packet c;
    struct packet packet;
    struct err e = {0};
    char path[64];

    must(fd >= 0);
    for (size_t at = 0; at < n;) {
        ssize_t w = write(fd, p + at, n - at);
        must(w > 0);
        at += (size_t)w;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct capture *capture = capture_open_file(path, NULL, &e);
    must(capture || e.text[0]);
    if (capture) {
        enum capture_state st;
        uint64_t number = 0;
        while ((st = capture_next(capture, &c, &e)) == CAPTURE_OK) {
            unsigned visits = 0;
            must(c.number == ++number);
            decode_captured(d, &c, &packet, look, &visits);
            must(visits >= 1);
        }
        must(st == CAPTURE_END || (st == CAPTURE_FAILED && e.text[0]));
        capture_close(capture);
    }
    decoder_free(d);
    close(fd);
}

static void read_packets(struct span s)
{
    struct decoder *d = decoder();
    struct packet packet;
    struct verdict v = {0};
    struct rd r = rd_whole(s, &v);
    uint16_t link = links[rd_u8(&r) % LEN(links)];

    packet.ts_ns = 1000;
    packet.number = 1;
    packet.source = SRC_WIRE;
    while (rd_more(&r)) {
        unsigned visits = 0;
        size_t n = rd_u16(&r);
        packet.data = rd_bytes(&r, min_size(n, r.n));
        packet.wire_n = (uint32_t)packet.data.n;
        decode_packet(d, link, &packet, look, &visits);
        packet.ts_ns += 1000000;
    }
    decoder_free(d);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34, 0x0a0d0d0a, 0xfd2fb528};
    bool capture = n >= 2 && p[0] == 0x1f && p[1] == 0x8b;

    for (size_t i = 0; n >= 4 && i < LEN(magics); i++)
        capture = capture || le32(p) == magics[i] || be32(p) == magics[i];
    if (capture)
        read_capture(p, n);
    else
        read_packets((struct span){p, n});
    return 0;
}
