/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to rows to Native blocks, and the spool: byte for byte what is expected, whole after every
 * cut, and no harm from any input. */
#include "base/clock.h"
#include "base/mem.h"
#include "store/block.h"
#include "store/eve.h"
#include "store/pack.h"
#include "store/spool.h"

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static const struct block_column columns[] = {{"n", "UInt16", COL_U16},
                                              {"w", "LowCardinality(String)", COL_LC},
                                              {"a", "Array(String)", COL_STRS}};

static void native_form(void)
{
    /* Three rows: (1, "x", []), (0, "", ["p", "qq"]), (258, "x", []). */
    static const uint8_t want[] =
        "\3\3"
        "\1n\6UInt16\1\0\0\0\2\1"
        "\1w\26LowCardinality(String)\1\0\0\0\0\0\0\0\0\6\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\1x"
        "\3\0\0\0\0\0\0\0\1\0\1"
        "\1a\15Array(String)\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1p\2qq";
    struct block *b = block_new(columns, LEN(columns));
    struct buf out = buf_new(1 << 16);
    struct row r;

    row_init(&r);
    for (int twice = 0; twice < 2; twice++) {
        row_clear(&r);
        row_set(&r, 0)->u = 1;
        row_set(&r, 1)->s = SPAN("x");
        block_add(b, &r);
        row_clear(&r);
        row_item(&r, 2, SPAN("p"));
        row_item(&r, 2, SPAN("qq"));
        block_add(b, &r);
        row_clear(&r);
        row_set(&r, 0)->u = 258;
        row_set(&r, 1)->s = SPAN("x");
        block_add(b, &r);
        CHECK(block_rows(b) == 3);
        buf_clear(&out);
        block_write(b, &out);
        CHECK(span_eq(buf_span(&out), span_of(want, sizeof(want) - 1)));
        block_clear(b);
    }
    /* Many keys: the index widens, every row finds its own. */
    char text[32];
    for (unsigned i = 0; i < 70000; i++) {
        row_clear(&r);
        snprintf(text, sizeof(text), "key %u", i % 66000);
        row_set(&r, 1)->s = span_str(text);
        block_add(b, &r);
    }
    buf_clear(&out);
    out.max = 8 << 20;
    block_write(b, &out);
    CHECK(!out.full && out.n > 70000 * 4);
    block_into(b, "t", &out);
    CHECK(span_ends(buf_span(&out), SPAN("t (n, w, a)")));
    row_free(&r);
    block_free(b);
    buf_free(&out);
}

#define HEAD "{\"timestamp\":\"2026-01-02T03:04:05.678901+0800\",\"event_type\":\"alert\""

static const char *reads(struct eve *v, const char *line)
{
    return eve_read(v, span_str(line));
}

static void eve_lines(void)
{
    struct eve v;

    eve_init(&v);
    CHECK(
        !reads(&v, HEAD
               ",\"src_ip\":\"fe80::1\",\"alert\":{\"severity\":1,\"signature\":\"a\\\"b\\u00e9\","
               "\"metadata\":{\"x\":[[{}]],\"signature_severity\":[\"Critical\"],"
               "\"mitre_technique_id\":[\"T1\",\"T2\"]}},\"dns\":{\"queries\":[{\"rrname\":"
               "\"q\"},7,{\"rrname\":\"r\"}]}}"));
    CHECK(v.timestamp_us == 1767294245678901);
    CHECK(span_eq(v.event_type, SPAN("alert")));
    CHECK(span_eq(v.row.v[row_column(F_alert_signature)].s, SPAN("a\"b\xc3\xa9")));
    CHECK(span_eq(v.row.v[row_column(F_daizong_severity)].s, SPAN("critical")));
    CHECK(v.row.v[row_column(F_src_ip)].ip.family == 6);
    CHECK(v.row.items_n == 4 && span_eq(v.row.items[0].s, SPAN("T1")));
    CHECK(v.row.items[3].column == row_column(F_dns_queries_rrname));
    CHECK(!row_has(&v.row, row_column(F_dest_ip)));
    CHECK(!reads(&v, HEAD ",\"alert\":{\"severity\":9}}"));
    CHECK(span_eq(v.row.v[row_column(F_daizong_severity)].s, SPAN("info")));
    uint64_t before = v.mismatches;
    CHECK(!reads(&v, HEAD
                 ",\"http\":{\"status\":\"x\",\"length\":-1,\"url\":{\"a\":1},\"hostname\":[1]},"
                 "\"dns\":3,\"src_port\":null}"));
    CHECK(v.mismatches == before + 4);
    CHECK_STR(reads(&v, HEAD ",\"src_ip\":\"x\"}"), "address is not an IP address");
    CHECK_STR(reads(&v, HEAD ",\"src_ip\":7}"), "address is not an IP address");
    CHECK_STR(reads(&v, HEAD ",\"dest_port\":65536}"), "port or flow_id is not a number in range");
    CHECK_STR(reads(&v, "{\"event_type\":\"dns\"}"), "no timestamp");
    CHECK_STR(reads(&v, HEAD "} {}"), "text after the JSON object");
    CHECK_STR(reads(&v, "[]"), "not a JSON object");
    CHECK(reads(&v, HEAD) != NULL);
    eve_free(&v);
}

static void eve_noise(void)
{
    static const char line[] = HEAD
        ",\"src_ip\":\"10.0.0.1\",\"alert\":{\"metadata\":{\"mitre_technique_id\":[\"T1\"],"
        "\"signature_severity\":\"critical\"},\"severity\":1},\"http\":{\"url\":\"/\\u00e9\\n\"},"
        "\"dns\":{\"queries\":[{\"rrname\":\"q\"}]},\"flow\":{\"alerted\":true,\"age\":3}}";
    static const char bytes[] = "{}[]\",:\\0u\xff-e1 ";
    struct block *b = block_new_events();
    struct buf out = buf_new(64 << 20);
    struct eve v;
    unsigned seed = 3, taken = 0;

    eve_init(&v);
    for (unsigned i = 0; i < 40000; i++) {
        char copy[sizeof(line)];
        memcpy(copy, line, sizeof(line));
        for (unsigned k = 0; k < i % 4; k++) {
            seed = seed * 1664525u + 1013904223u;
            copy[(seed >> 8) % (sizeof(line) - 1)] = bytes[(seed >> 20) % (sizeof(bytes) - 1)];
        }
        size_t n = i % 5 ? sizeof(line) - 1 : (seed >> 4) % sizeof(line);
        if (!eve_read(&v, span_of(copy, n))) {
            block_add(b, &v.row);
            taken++;
        }
    }
    block_write(b, &out);
    CHECK(taken > 8000 && block_rows(b) == taken && !out.full);
    eve_free(&v);
    block_free(b);
    buf_free(&out);
}

static char dir[64];

static void dir_clear(void)
{
    DIR *d = opendir(dir);
    struct dirent *x;

    while (d && (x = readdir(d)) != NULL)
        unlinkat(dirfd(d), x->d_name, 0);
    if (d)
        closedir(d);
    rmdir(dir);
}

enum { PACKED_STREAM = 6 };

static bool append(struct spool *s, const char *data, uint64_t stream, uint64_t seq)
{
    struct err e;
    struct spool_position p = {stream, seq};
    size_t half = strlen(data) / 2; /* in two pieces */
    struct span pieces[] = {span_of(data, half), span_str(data + half)};
    struct spool_record r = {.events_n = 1,
                             .events_into = SPAN("events (a)"),
                             .events = pieces,
                             .events_pieces = LEN(pieces),
                             .events_packed = stream == PACKED_STREAM,
                             .quarantine = SPAN(""),
                             .quarantine_into = SPAN("q"),
                             .positions = &p,
                             .positions_n = 1};
    return spool_append(s, &r, &e);
}

static bool events_are(const struct spool_record *r, struct span want)
{
    char text[64];

    return r->events_bytes == want.n &&
           pread(r->events_fd, text, want.n, (off_t)r->events_at) == (ssize_t)want.n &&
           memcmp(text, want.p, want.n) == 0;
}

/* What is packed in pieces comes out whole, the context is good for another one, a ceiling is met.
 */
static void packing(void)
{
    enum { BYTES = 3 << 20 };
    struct packer *p = packer_new();
    struct buf packed = buf_new(BYTES), small = buf_new(1 << 10);
    uint8_t *data = mem_get(BYTES), *again = mem_get(BYTES);
    struct err e;
    uint32_t random = 1;

    for (size_t i = 0; i < BYTES; i++) {
        random = random * 1664525 + 1013904223;
        data[i] = i % 7 ? (uint8_t)(i / 64) : (uint8_t)(random >> 24);
    }
    for (int round = 0; round < 2; round++) {
        struct span pieces[] = {span_of(data, 1), span_of(data + 1, 0),
                                span_of(data + 1, BYTES / 2), span_of(NULL, 0)};
        pieces[3] = span_of(data + 1 + BYTES / 2, BYTES - 1 - BYTES / 2);
        CHECK(packer_pack(p, pieces, LEN(pieces), &packed, &e));
        CHECK(packed.n < BYTES / 2);
        CHECK(ZSTD_decompress(again, BYTES, packed.p, packed.n) == BYTES);
        CHECK(memcmp(data, again, BYTES) == 0);
        CHECK(!packer_pack(p, pieces, LEN(pieces), &small, &e) && e.kind == ERR_NOMEM);
    }
    CHECK(packer_pack(p, NULL, 0, &packed, &e));
    CHECK(ZSTD_decompress(again, BYTES, packed.p, packed.n) == 0);
    mem_free(data);
    mem_free(again);
    buf_free(&packed);
    buf_free(&small);
    packer_free(p);
}

static void spool_order(void)
{
    struct spool *s, *other;
    struct spool_record r;
    struct spool_count c;
    struct err e = {0};
    struct buf buf = buf_new(1 << 20);
    char token[SPOOL_TOKEN], again[SPOOL_TOKEN];
    bool found;

    CHECK(spool_open(dir, &s, &e));
    CHECK(spool_read(s, &buf, &r, &found, &e) && !found);
    CHECK(append(s, "one", 5, 10) && append(s, "two", 6, 1) && append(s, "three", 5, 12));
    CHECK(!spool_open(dir, &other, &e) && e.kind == ERR_BUSY);
    CHECK(spool_read(s, &buf, &r, &found, &e) && found && events_are(&r, SPAN("one")));
    CHECK(!r.events_packed);
    CHECK(span_eq(r.events_into, SPAN("events (a)")) && span_eq(r.quarantine_into, SPAN("q")));
    spool_token(s, r.number, token);
    spool_confirm(s, r.number);
    spool_close(s);
    CHECK(spool_open(dir, &s, &e));
    CHECK(spool_position_get(s, 5) == 12 && spool_position_get(s, 6) == 1 &&
          spool_position_get(s, 7) == 0);
    CHECK(spool_read(s, &buf, &r, &found, &e) && found && events_are(&r, SPAN("two")));
    CHECK(r.events_packed); /* also after the folder was opened anew */
    spool_token(s, r.number - 1, again);
    CHECK_STR(again, token);
    spool_confirm(s, r.number);
    CHECK(append(s, "four", 5, 13));
    CHECK(spool_read(s, &buf, &r, &found, &e) && events_are(&r, SPAN("three")));
    spool_confirm(s, r.number);
    CHECK(spool_read(s, &buf, &r, &found, &e) && events_are(&r, SPAN("four")));
    spool_confirm(s, r.number);
    spool_count(s, &c);
    CHECK(c.waiting == 0 && c.waiting_rows == 0);
    spool_close(s);
    /* All confirmed and closed: what the streams had is still known, twice over. */
    for (int i = 0; i < 2; i++) {
        CHECK(spool_open(dir, &s, &e) && spool_position_get(s, 5) == 13);
        spool_close(s);
    }
    CHECK(spool_open(dir, &s, &e) && append(s, "five", 9, 1));
    CHECK(spool_position_get(s, 5) == 13);
    spool_close(s);
    buf_free(&buf);
    dir_clear();
}

/* The last segment cut at every length, or with a byte changed: whole records stay, in order. */
static void spool_damage(void)
{
    struct spool *s;
    struct spool_record r;
    struct err e = {0};
    struct buf buf = buf_new(1 << 20);
    char path[128];
    bool found;

    for (size_t at = 0;; at += 3) {
        CHECK(spool_open(dir, &s, &e));
        CHECK(append(s, "one", 5, 10) && append(s, "two", 5, 20));
        spool_close(s);
        snprintf(path, sizeof(path), "%s/%016x.seg", dir, 1);
        struct stat st;
        CHECK(stat(path, &st) == 0);
        if (at > (size_t)st.st_size) {
            dir_clear();
            break;
        }
        if (at % 2) {
            int fd = open(path, O_RDWR);
            char c = 0;
            CHECK(pread(fd, &c, 1, (off_t)at) >= 0);
            c ^= 0x20;
            CHECK(pwrite(fd, &c, 1, (off_t)at) == 1);
            close(fd);
        } else {
            CHECK(truncate(path, (off_t)at) == 0);
        }
        CHECK(spool_open(dir, &s, &e));
        uint64_t pos = spool_position_get(s, 5);
        CHECK(pos == 0 || pos == 10 || pos == 20);
        unsigned n = 0;
        while (spool_read(s, &buf, &r, &found, &e) && found) {
            n++;
            CHECK(events_are(&r, n == 1 ? SPAN("one") : SPAN("two")));
            spool_confirm(s, r.number);
        }
        CHECK(n * 10 == pos);
        CHECK(append(s, "new", 5, 30) && spool_position_get(s, 5) == 30);
        CHECK(spool_read(s, &buf, &r, &found, &e) && found && events_are(&r, SPAN("new")));
        spool_close(s);
        dir_clear();
    }
    buf_free(&buf);
}

int main(void)
{
    snprintf(dir, sizeof(dir), "/tmp/daizong-spool-%d", (int)getpid());
    native_form();
    eve_lines();
    eve_noise();
    packing();
    spool_order();
    spool_damage();
    return unit_end();
}
