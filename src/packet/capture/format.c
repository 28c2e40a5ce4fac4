/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the formats apart and reads pcap. What libpcap accepts is accepted: the quirks of files
 * older than version 2.4, records with a longer head, packets longer than the snapshot length
 * (cut to it). */
#include "packet/capture/format.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rd.h"

enum {
    PCAP_HEAD = 24,
    RECORD_HEAD = 16,
    RECORD_HEAD_MODIFIED = 24,
    PACKET_MOST = 262144, /* beyond the snapshot length; libpcap's bound for most links */
};

#define PCAP_MICRO    0xa1b2c3d4u
#define PCAP_NANO     0xa1b23c4du
#define PCAP_MODIFIED 0xa1b2cd34u
#define PCAPNG_BLOCK  0x0a0d0d0au

static uint32_t num32(const struct pcap_file *f, const uint8_t *p)
{
    return f->swapped ? be32(p) : le32(p);
}

static bool pcap_magic(struct pcap_file *f, uint32_t magic)
{
    f->nano = magic == PCAP_NANO;
    f->modified = magic == PCAP_MODIFIED;
    return magic == PCAP_MICRO || f->nano || f->modified;
}

static bool pcap_open(struct pcap_file *f, struct stream *s, struct err *e)
{
    struct span head;

    if (!stream_peek(s, PCAP_HEAD, &head, e))
        return false;
    f->swapped = !pcap_magic(f, le32(head.p));
    if (f->swapped && !pcap_magic(f, be32(head.p)))
        return err_set(e, ERR_PARSE,
                       "%s: byte 0: not a capture file (it begins with %02x%02x%02x%02x)",
                       stream_path(s), head.p[0], head.p[1], head.p[2], head.p[3]);
    if (head.n < PCAP_HEAD)
        return err_set(e, ERR_PARSE, "%s: byte %zu: the file ends inside its header",
                       stream_path(s), head.n);
    uint16_t major = f->swapped ? be16(head.p + 4) : le16(head.p + 4);
    uint16_t minor = f->swapped ? be16(head.p + 6) : le16(head.p + 6);
    if (major < 2 || (major > 2 && major != 543))
        return err_set(e, ERR_UNSUPPORTED, "%s: byte 4: pcap version %u.%u is not supported",
                       stream_path(s), major, minor);
    /* before 2.3 the two lengths stood the other way round, in 2.3 sometimes */
    f->lengths = minor < 3 ? 1 : minor == 3 ? 2 : 0;
    if (major == 543)
        f->lengths = 2;
    f->snap_n = num32(f, head.p + 16);
    if (f->snap_n == 0 || f->snap_n > INT32_MAX)
        f->snap_n = PACKET_MOST;
    f->link = num32(f, head.p + 20) & 0xffff;
    stream_take(s, PCAP_HEAD);
    return true;
}

bool format_open(struct format *f, struct stream *s, struct err *e)
{
    struct span head;

    *f = (struct format){0};
    if (!stream_peek(s, 4, &head, e))
        return false;
    if (head.n < 4)
        return err_set(e, ERR_PARSE, "%s: byte %zu: the file ends before its header",
                       stream_path(s), head.n);
    if (le32(head.p) != PCAPNG_BLOCK)
        return pcap_open(&f->pcap, s, e);
    f->kind = FORMAT_PCAPNG;
    f->ng = mem_zero(sizeof(*f->ng));
    return pcapng_open(f->ng, s, e);
}

void format_close(struct format *f)
{
    mem_free(f->ng);
    f->ng = NULL;
}

static enum capture_state cut_off(const struct stream *s, size_t want, size_t got, struct err *e)
{
    err_set(e, ERR_PARSE, "%s: byte %llu: the file is cut off: %zu bytes wanted, %zu there",
            stream_path(s), (unsigned long long)stream_at(s), want, got);
    return CAPTURE_FAILED;
}

static enum capture_state pcap_next(struct pcap_file *f, struct stream *s, struct capture_packet *p,
                                    struct err *e)
{
    size_t head_n = f->modified ? RECORD_HEAD_MODIFIED : RECORD_HEAD;
    struct span b;

    if (!stream_peek(s, head_n, &b, e))
        return CAPTURE_FAILED;
    if (UNLIKELY(b.n < head_n))
        return b.n == 0 ? CAPTURE_END : cut_off(s, head_n, b.n, e);
    uint32_t sec = num32(f, b.p);
    uint32_t frac = num32(f, b.p + 4);
    uint32_t n = num32(f, b.p + 8);
    uint32_t wire_n = num32(f, b.p + 12);
    if (UNLIKELY(f->lengths == 1 || (f->lengths == 2 && n > wire_n))) {
        uint32_t t = n;
        n = wire_n;
        wire_n = t;
    }
    if (UNLIKELY(n > STREAM_MOST - head_n || (n > f->snap_n && n > PACKET_MOST))) {
        err_set(e, ERR_PARSE, "%s: byte %llu: a packet claims %u bytes, more than any can have",
                stream_path(s), (unsigned long long)stream_at(s), n);
        return CAPTURE_FAILED;
    }
    if (!stream_peek(s, head_n + n, &b, e))
        return CAPTURE_FAILED;
    if (UNLIKELY(b.n < head_n + n))
        return cut_off(s, head_n + n, b.n, e);
    p->ts_ns = (uint64_t)sec * NS_PER_S + (f->nano ? frac : (uint64_t)frac * NS_PER_US);
    p->data = (struct span){b.p + head_n, n > f->snap_n ? f->snap_n : n};
    p->wire_n = wire_n;
    p->link = f->link;
    stream_take(s, head_n + n);
    return CAPTURE_OK;
}

enum capture_state format_next(struct format *f, struct stream *s, struct capture_packet *p,
                               struct err *e)
{
    p->vlan_stripped = false;
    p->vlan = 0;
    if (LIKELY(f->kind == FORMAT_PCAP))
        return pcap_next(&f->pcap, s, p, e);
    return pcapng_next(f->ng, s, p, e);
}
