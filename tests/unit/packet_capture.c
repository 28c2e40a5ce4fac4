/* SPDX-License-Identifier: Apache-2.0 */
/* Capture files in every form that is read, whole and broken, and folders, pipes and filters. Files
 * are written below a temporary folder that goes at the end. */
#include "packet/capture/capture.h"

#include "base/mem.h"
#include "base/rd.h"
#include "base/wr.h"
#include "unit.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

static char folder[] = "/tmp/daizong-capture-XXXXXX";
static uint8_t bytes[1 << 20];

static char *path_of(const char *name)
{
    return mem_printf("%s/%s", folder, name);
}

static void write_file(const char *name, struct span s)
{
    char *path = path_of(name);
    FILE *f = fopen(path, "wb");

    CHECK(f && fwrite(s.p, 1, s.n, f) == s.n);
    if (f)
        fclose(f);
    mem_free(path);
}

static void put32(struct wr *w, bool big, uint32_t v)
{
    uint8_t *p = wr_room(w, 4);

    must(p);
    if (big)
        put_be32(p, v);
    else
        put_le32(p, v);
}

static void put16(struct wr *w, bool big, uint16_t v)
{
    uint8_t *p = wr_room(w, 2);

    must(p);
    p[big ? 1 : 0] = (uint8_t)v;
    p[big ? 0 : 1] = (uint8_t)(v >> 8);
}

/* A UDP datagram in Ethernet to this port; 60 bytes. */
static struct span datagram(uint16_t port)
{
    static uint8_t b[60];

    memset(b, 0, sizeof(b));
    memcpy(b + 12, "\x08\0\x45\0\0\x1c\0\1\0\0\x40\x11", 12);
    memcpy(b + 26, "\x0a\0\0\1\x0a\0\0\2\0\7", 10);
    put_be16(b + 36, port);
    put_be16(b + 38, 8);
    return span_of(b, sizeof(b));
}

struct shape {
    uint32_t magic;
    bool big;
    uint16_t minor;
    uint32_t snap_n;
};

static void pcap_head(struct wr *w, struct shape s)
{
    put32(w, s.big, s.magic);
    put16(w, s.big, 2);
    put16(w, s.big, s.minor);
    put32(w, s.big, 0);
    put32(w, s.big, 0);
    put32(w, s.big, s.snap_n);
    put32(w, s.big, LINK_ETHERNET);
}

static void pcap_packet(struct wr *w, struct shape s, uint32_t frac, struct span data)
{
    put32(w, s.big, 1700000000);
    put32(w, s.big, frac);
    put32(w, s.big, s.minor < 3 ? 1514 : (uint32_t)data.n);
    put32(w, s.big, s.minor < 3 ? (uint32_t)data.n : 1514);
    if (s.magic == 0xa1b2cd34)
        wr_u64(w, 0);
    wr_bytes(w, data);
}

static struct wr pcap_of(struct shape s, uint16_t first_port, unsigned n)
{
    struct wr w = wr_into(bytes, sizeof(bytes));

    pcap_head(&w, s);
    for (unsigned i = 0; i < n; i++)
        pcap_packet(&w, s, 5 + i, datagram((uint16_t)(first_port + i)));
    return w;
}

/* What reading a path came to. */
struct outcome {
    unsigned packets;
    enum capture_state end;
    struct capture_packet first, last;
    uint16_t first_port, last_port;
    struct capture_stats stats;
    struct err e;
};

static struct outcome read_path(const char *path, const char *filter)
{
    struct outcome o = {.end = CAPTURE_FAILED};
    struct capture_packet p;
    struct capture *c = capture_open_file(path, filter, &o.e);

    if (!c)
        return o;
    while ((o.end = capture_next(c, &p, &o.e)) == CAPTURE_OK) {
        uint16_t port = p.data.n >= 38 ? be16(p.data.p + 36) : 0;
        if (o.packets++ == 0) {
            o.first = p;
            o.first_port = port;
        }
        o.last = p;
        o.last_port = port;
    }
    CHECK(capture_name(c) && !capture_is_live(c));
    capture_stats(c, &o.stats);
    capture_close(c);
    return o;
}

static struct outcome read_name(const char *name, const char *filter)
{
    char *path = path_of(name);
    struct outcome o = read_path(path, filter);

    mem_free(path);
    return o;
}

static void pcap_forms(void)
{
    static const struct shape shapes[] = {
        {0xa1b2c3d4, false, 4, 65535}, {0xa1b2c3d4, true, 4, 65535}, {0xa1b23c4d, false, 4, 65535},
        {0xa1b23c4d, true, 4, 65535},  {0xa1b2cd34, false, 4, 0},    {0xa1b2c3d4, false, 2, 65535},
        {0xa1b2c3d4, false, 4, 40},
    };

    for (size_t i = 0; i < LEN(shapes); i++) {
        struct wr w = pcap_of(shapes[i], 100, 3);
        write_file("a.pcap", wr_span(&w));
        struct outcome o = read_name("a.pcap", NULL);
        CHECK(o.end == CAPTURE_END && o.packets == 3 && o.last_port == 102);
        CHECK(o.first.number == 1 && o.last.number == 3 && o.first.link == LINK_ETHERNET);
        CHECK(o.first.ts_ns == 1700000000000000000u + (shapes[i].magic == 0xa1b23c4d ? 5 : 5000));
        CHECK(o.first.wire_n == 1514 && o.first.data.n == (shapes[i].snap_n == 40 ? 40 : 60));
        CHECK(o.stats.packets == 3 && o.stats.truncated == 3);
    }
}

/* Cut anywhere: all packets before the cut, then a message with the place, unless it lies between
 * two packets. */
static void pcap_cut(void)
{
    struct shape s = {0xa1b2c3d4, false, 4, 65535};
    struct wr w = pcap_of(s, 100, 3);

    for (size_t n = 0; n < w.n; n++) {
        write_file("cut.pcap", span_of(w.p, n));
        struct outcome o = read_name("cut.pcap", NULL);
        CHECK(o.packets == (n < 24 ? 0 : (n - 24) / 76));
        if (n >= 24 && (n - 24) % 76 == 0)
            CHECK(o.end == CAPTURE_END);
        else
            CHECK(o.end == CAPTURE_FAILED && strstr(o.e.text, "byte ") &&
                  strstr(o.e.text, "cut.pcap"));
    }
    write_file("no.pcap", SPAN("this is not a capture file at all"));
    struct outcome o = read_name("no.pcap", NULL);
    CHECK(o.end == CAPTURE_FAILED && o.e.kind == ERR_PARSE);
    w = pcap_of(s, 100, 2);
    put_le32(w.p + 24 + 76 + 8, 0x7fffffff);
    write_file("huge.pcap", wr_span(&w));
    o = read_name("huge.pcap", NULL);
    CHECK(o.packets == 1 && o.end == CAPTURE_FAILED && strstr(o.e.text, "byte 100"));
    o = read_name("missing.pcap", NULL);
    CHECK(o.end == CAPTURE_FAILED && o.e.kind == ERR_NOT_FOUND);
}

static void packed(void)
{
    struct shape s = {0xa1b2c3d4, false, 4, 65535};
    struct wr w = pcap_of(s, 1000, 9000); /* more than one buffer */
    char *path = path_of("p.gz");
    gzFile gz = gzopen(path, "wb");

    /* two members, as `cat a.gz b.gz` makes them */
    CHECK(gz && gzwrite(gz, w.p, 5000) == 5000 && gzclose(gz) == Z_OK);
    gz = gzopen(path, "ab");
    CHECK(gz && gzwrite(gz, w.p + 5000, (unsigned)w.n - 5000) > 0 && gzclose(gz) == Z_OK);
    struct outcome o = read_name("p.gz", NULL);
    CHECK(o.end == CAPTURE_END && o.packets == 9000 && o.last_port == 9999);
    struct stat st;
    CHECK(stat(path, &st) == 0 && truncate(path, st.st_size / 2) == 0);
    o = read_name("p.gz", NULL);
    CHECK(o.end == CAPTURE_FAILED && o.packets > 100 && strstr(o.e.text, "gzip"));
    mem_free(path);
    size_t cap = ZSTD_compressBound(w.n);
    uint8_t *z = mem_get(cap);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t n = ZSTD_compress2(context, z, cap, w.p, w.n);
    ZSTD_freeCCtx(context);
    write_file("p.zst", span_of(z, n));
    o = read_name("p.zst", NULL);
    CHECK(o.end == CAPTURE_END && o.packets == 9000 && o.last_port == 9999);
    write_file("p.zst", span_of(z, n - 3));
    o = read_name("p.zst", NULL);
    CHECK(o.end == CAPTURE_FAILED && strstr(o.e.text, "zstd"));
    z[n / 2] ^= 0x40;
    write_file("p.zst", span_of(z, n));
    o = read_name("p.zst", NULL);
    CHECK(o.end == CAPTURE_FAILED);
    mem_free(z);
}

static size_t ng_open(struct wr *w, bool big, uint32_t type)
{
    put32(w, big, type);
    put32(w, big, 0);
    return w->n - 8;
}

static void ng_close(struct wr *w, bool big, size_t at)
{
    while (w->n % 4)
        wr_u8(w, 0);
    uint32_t n = (uint32_t)(w->n - at) + 4;
    put32(w, big, n);
    memcpy(w->p + at + 4, w->p + w->n - 4, 4);
}

static void ng_interface(struct wr *w, bool big, uint16_t link, uint8_t resolution)
{
    size_t at = ng_open(w, big, 1);

    put16(w, big, link);
    put16(w, big, 0);
    put32(w, big, 0);
    put16(w, big, 9);
    put16(w, big, 1);
    wr_u32(w, (uint32_t)resolution << 24);
    put16(w, big, 0);
    put16(w, big, 0);
    ng_close(w, big, at);
}

static void ng_packet(struct wr *w, bool big, uint32_t interface, uint64_t t, struct span data)
{
    size_t at = ng_open(w, big, 6);

    put32(w, big, interface);
    put32(w, big, (uint32_t)(t >> 32));
    put32(w, big, (uint32_t)t);
    put32(w, big, (uint32_t)data.n);
    put32(w, big, 1514);
    wr_bytes(w, data);
    ng_close(w, big, at);
}

static void ng_section(struct wr *w, bool big)
{
    size_t at = ng_open(w, big, 0x0a0d0d0a);

    put32(w, big, 0x1a2b3c4d);
    put16(w, big, 1);
    put16(w, big, 0);
    wr_u64(w, UINT64_MAX);
    ng_close(w, big, at);
}

static void pcapng(void)
{
    for (int big = 0; big < 2; big++) {
        struct wr w = wr_into(bytes, sizeof(bytes));
        ng_section(&w, big);
        ng_interface(&w, big, LINK_ETHERNET, 9);
        ng_interface(&w, big, LINK_RAW, 0x80 | 10); /* 1/1024 s */
        ng_packet(&w, big, 0, 1700000000000000005u, datagram(7));
        size_t at = ng_open(&w, big, 5); /* statistics: passed over */
        wr_u64(&w, 0);
        ng_close(&w, big, at);
        ng_packet(&w, big, 1, 1700000000u * (uint64_t)1024 + 512, span_from(datagram(8), 14));
        size_t first_section = w.n;
        ng_section(&w, !big); /* the other byte order, interfaces anew */
        ng_interface(&w, !big, LINK_ETHERNET, 6);
        at = ng_open(&w, !big, 3);
        put32(&w, !big, 60);
        wr_bytes(&w, datagram(9));
        ng_close(&w, !big, at);
        write_file("a.pcapng", wr_span(&w));
        struct outcome o = read_name("a.pcapng", NULL);
        CHECK(o.end == CAPTURE_END && o.packets == 3);
        CHECK(o.first.ts_ns == 1700000000000000005u && o.first_port == 7);
        CHECK(o.last_port == 9 && o.last.wire_n == 60 && o.last.link == LINK_ETHERNET);
        write_file("a.pcapng", span_of(w.p, first_section));
        o = read_name("a.pcapng", NULL);
        CHECK(o.packets == 2 && o.last.link == LINK_RAW);
        CHECK(o.last.ts_ns == 1700000000500000000u && o.last.data.n == 46);
        for (size_t n = 4; n < first_section; n += 3) {
            write_file("a.pcapng", span_of(w.p, n));
            o = read_name("a.pcapng", NULL);
            CHECK(o.packets <= 2 && (o.end == CAPTURE_END || strstr(o.e.text, "byte ")));
        }
    }
    struct wr w = wr_into(bytes, sizeof(bytes));
    ng_section(&w, false);
    ng_packet(&w, false, 3, 1, datagram(7));
    write_file("a.pcapng", wr_span(&w));
    struct outcome o = read_name("a.pcapng", NULL);
    CHECK(o.end == CAPTURE_FAILED && strstr(o.e.text, "interface"));
}

static void filters(void)
{
    struct shape s = {0xa1b2c3d4, false, 4, 65535};
    struct wr w = pcap_of(s, 100, 10);

    write_file("f.pcap", wr_span(&w));
    struct outcome o = read_name("f.pcap", "udp and dst port 104");
    CHECK(o.packets == 1 && o.first_port == 104 && o.first.number == 1 && o.stats.filtered == 9);
    o = read_name("f.pcap", "udp and and");
    CHECK(o.end == CAPTURE_FAILED && o.e.kind == ERR_USAGE && strstr(o.e.text, "udp and and"));
    o = read_name("f.pcap", "");
    CHECK(o.packets == 10);
}

/* In the order of names, numbered through, hidden files and folders left out, a broken one told. */
static void folders(void)
{
    struct shape s = {0xa1b2c3d4, false, 4, 65535};
    char *dir = path_of("dir"), *inner = path_of("dir/sub");
    struct err e;

    CHECK(mkdir(dir, 0700) == 0 && mkdir(inner, 0700) == 0);
    struct wr w = pcap_of(s, 300, 2);
    write_file("dir/c.pcap", wr_span(&w));
    w = pcap_of(s, 100, 2);
    write_file("dir/a.pcap", wr_span(&w));
    write_file("dir/.hidden", SPAN("no capture"));
    struct outcome o = read_path(dir, NULL);
    CHECK(o.packets == 4 && o.first_port == 100 && o.last_port == 301 && o.last.number == 4);
    w = pcap_of(s, 200, 2);
    write_file("dir/b.pcap", span_of(w.p, w.n - 1));
    struct capture *c = capture_open_file(dir, NULL, &e);
    struct capture_packet p;
    unsigned packets = 0, failed = 0;
    for (enum capture_state st; (st = capture_next(c, &p, &e)) != CAPTURE_END;) {
        packets += st == CAPTURE_OK;
        failed += st == CAPTURE_FAILED;
    }
    CHECK(packets == 5 && failed == 1);
    capture_close(c);
    o = read_path(inner, NULL);
    CHECK(o.end == CAPTURE_FAILED && o.e.kind == ERR_NOT_FOUND);
    mem_free(dir);
    mem_free(inner);
}

static void standard_input(void)
{
    struct shape s = {0xa1b2c3d4, false, 4, 65535};
    struct wr w = pcap_of(s, 100, 4);
    int ends[2], saved = dup(STDIN_FILENO);

    CHECK(pipe(ends) == 0 && write(ends[1], w.p, w.n) == (ssize_t)w.n);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    struct outcome o = read_path("-", NULL);
    CHECK(o.packets == 4 && o.end == CAPTURE_END && o.last_port == 103);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(ends[0]);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    pcap_forms();
    pcap_cut();
    packed();
    pcapng();
    filters();
    folders();
    standard_input();
    CHECK(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
    return unit_end();
}
