/* SPDX-License-Identifier: Apache-2.0 */
/* pcapng (draft-ietf-opsawg-pcapng): sections in either byte order, any number of interfaces with
 * their own link type and clock. Blocks that hold no packets are passed over. */
#include "packet/capture/format.h"

#include "base/clock.h"
#include "base/rd.h"

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OLD = 2,
    BLOCK_SIMPLE = 3,
    BLOCK_PACKET = 6,
    BLOCK_LEAST = 12,
    OPT_END = 0,
    OPT_RESOLUTION = 9,
    OPT_OFFSET = 14,
};

#define BLOCK_SECTION 0x0a0d0d0au
#define BYTE_ORDER_OK 0x1a2b3c4du

static uint32_t num32(const struct pcapng_file *f, const uint8_t *p)
{
    return f->swapped ? be32(p) : le32(p);
}

static uint16_t num16(const struct pcapng_file *f, const uint8_t *p)
{
    return f->swapped ? be16(p) : le16(p);
}

static bool ng_fault(const struct stream *s, const char *what, struct err *e)
{
    return err_set(e, ERR_PARSE, "%s: byte %llu: %s", stream_path(s),
                   (unsigned long long)stream_at(s), what);
}

/* The whole next block, not yet taken; empty at the end of the file. */
static bool next_block(struct pcapng_file *f, struct stream *s, struct span *ret, struct err *e)
{
    struct span b;

    if (!stream_peek(s, BLOCK_LEAST, &b, e))
        return false;
    *ret = (struct span){b.p, 0};
    if (b.n == 0)
        return true;
    if (b.n < BLOCK_LEAST)
        return ng_fault(s, "the file is cut off inside a block's head", e);
    if (le32(b.p) == BLOCK_SECTION) { /* a new section may have another byte order */
        bool little = le32(b.p + 8) == BYTE_ORDER_OK;
        if (!little && be32(b.p + 8) != BYTE_ORDER_OK)
            return ng_fault(s, "a section has no known byte order", e);
        f->swapped = !little;
    }
    uint32_t n = num32(f, b.p + 4);
    if (n < BLOCK_LEAST || n > STREAM_MOST)
        return ng_fault(s, "a block's length cannot be", e);
    n = (n + 3) & ~3u;
    if (n > STREAM_MOST)
        return ng_fault(s, "a block's length cannot be", e);
    if (!stream_peek(s, n, &b, e))
        return false;
    if (b.n < n)
        return ng_fault(s, "the file is cut off inside a block", e);
    *ret = (struct span){b.p, n};
    return true;
}

/* if_tsresol: a negative power of ten, or of two with the high bit; 0 when it is out of reach. */
static uint64_t resolution(uint8_t v)
{
    uint64_t units = 1;

    if (v & 0x80)
        return (v & 0x7f) < 64 ? (uint64_t)1 << (v & 0x7f) : 0;
    if (v > 19)
        return 0;
    for (uint8_t i = 0; i < v; i++)
        units *= 10;
    return units;
}

static bool read_interface(struct pcapng_file *f, const struct stream *s, struct span b,
                           struct err *e)
{
    if (b.n < 20)
        return ng_fault(s, "an interface block is too short", e);
    if (f->n_interfaces == NG_INTERFACES)
        return ng_fault(s, "too many interfaces", e);
    struct ng_interface *i = &f->interfaces[f->n_interfaces++];
    *i = (struct ng_interface){.link = num16(f, b.p + 8), .snap_n = num32(f, b.p + 12)};
    i->units = 1000000;
    struct span o = span_cut(b, 16, b.n - 20);
    while (o.n >= 4) {
        uint16_t code = num16(f, o.p);
        size_t n = num16(f, o.p + 2);
        if (code == OPT_END || n > o.n - 4)
            break;
        if (code == OPT_RESOLUTION && n == 1) {
            i->units = resolution(o.p[4]);
            if (i->units == 0)
                return ng_fault(s, "an interface's clock resolution cannot be", e);
        }
        if (code == OPT_OFFSET && n == 8) {
            uint64_t v = f->swapped ? be64(o.p + 4) : le64(o.p + 4);
            i->offset_s = (int64_t)v;
        }
        o = span_from(o, 4 + ((n + 3) & ~(size_t)3));
    }
    return true;
}

static uint64_t time_ns(const struct ng_interface *i, uint64_t t)
{
    uint64_t seconds = t / i->units;
    uint64_t rest = t % i->units;
    unsigned __int128 ns = (unsigned __int128)rest * NS_PER_S / i->units;

    return (seconds + (uint64_t)i->offset_s) * NS_PER_S + (uint64_t)ns;
}

static bool fill_packet(const struct pcapng_file *f, const struct stream *s, struct span data,
                        uint32_t interface, struct capture_packet *p, struct err *e)
{
    if (interface >= f->n_interfaces)
        return ng_fault(s, "a packet names an interface that is not described", e);
    const struct ng_interface *i = &f->interfaces[interface];
    p->data = data;
    if (i->snap_n && p->data.n > i->snap_n)
        p->data.n = i->snap_n;
    p->link = i->link;
    return true;
}

/* `head`: bytes of the block before the data, `n`: of the data as claimed. */
static bool data_of(const struct stream *s, struct span b, size_t head, uint32_t n,
                    struct span *ret, struct err *e)
{
    if (b.n < head + 4 || n > b.n - head - 4)
        return ng_fault(s, "a packet is longer than its block", e);
    *ret = span_cut(b, head, n);
    return true;
}

static bool read_packet(struct pcapng_file *f, const struct stream *s, struct span b, uint32_t type,
                        struct capture_packet *p, struct err *e)
{
    struct span data;

    if (b.n < 32)
        return ng_fault(s, "a packet block is too short", e);
    uint32_t interface = type == BLOCK_PACKET ? num32(f, b.p + 8) : num16(f, b.p + 8);
    uint64_t t = (uint64_t)num32(f, b.p + 12) << 32 | num32(f, b.p + 16);
    uint32_t n = num32(f, b.p + 20);
    if (!data_of(s, b, 28, n, &data, e) || !fill_packet(f, s, data, interface, p, e))
        return false;
    p->wire_n = num32(f, b.p + 24);
    p->ts_ns = time_ns(&f->interfaces[interface], t);
    return true;
}

static bool read_simple(struct pcapng_file *f, const struct stream *s, struct span b,
                        struct capture_packet *p, struct err *e)
{
    struct span data;

    if (b.n < 16)
        return ng_fault(s, "a packet block is too short", e);
    p->wire_n = num32(f, b.p + 8);
    uint32_t n = p->wire_n;
    if (f->n_interfaces && f->interfaces[0].snap_n && n > f->interfaces[0].snap_n)
        n = f->interfaces[0].snap_n;
    p->ts_ns = 0;
    return data_of(s, b, 12, n, &data, e) && fill_packet(f, s, data, 0, p, e);
}

bool pcapng_open(struct pcapng_file *f, struct stream *s, struct err *e)
{
    struct span b;

    if (!next_block(f, s, &b, e))
        return false;
    if (b.n < 28)
        return ng_fault(s, "the section header is too short", e);
    if (num16(f, b.p + 12) != 1)
        return ng_fault(s, "this version of pcapng is not supported", e);
    stream_take(s, b.n);
    return true;
}

enum capture_state pcapng_next(struct pcapng_file *f, struct stream *s, struct capture_packet *p,
                               struct err *e)
{
    for (;;) {
        struct span b;
        if (!next_block(f, s, &b, e))
            return CAPTURE_FAILED;
        if (b.n == 0)
            return CAPTURE_END;
        uint32_t type = num32(f, b.p);
        bool ok = true, packet = false;
        if (type == BLOCK_SECTION) {
            f->n_interfaces = 0;
        } else if (type == BLOCK_INTERFACE) {
            ok = read_interface(f, s, b, e);
        } else if (type == BLOCK_PACKET || type == BLOCK_PACKET_OLD) {
            packet = ok = read_packet(f, s, b, type, p, e);
        } else if (type == BLOCK_SIMPLE) {
            packet = ok = read_simple(f, s, b, p, e);
        }
        if (!ok)
            return CAPTURE_FAILED;
        stream_take(s, b.n);
        if (packet)
            return CAPTURE_OK;
    }
}
