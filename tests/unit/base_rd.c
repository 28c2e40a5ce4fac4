/* SPDX-License-Identifier: Apache-2.0 */
/* The reader and the writer: exhaustive on small sizes against a naive reading, and each promise of
 * their headers once. */
#include "base/rd.h"
#include "base/wr.h"

#include "unit.h"

static uint64_t naive(const uint8_t *p, size_t n, bool little)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[little ? n - 1 - i : i];
    return v;
}

static uint64_t read_as(struct rd *r, size_t n, bool little)
{
    switch (n) {
    case 1:
        return rd_u8(r);
    case 2:
        return little ? rd_le16(r) : rd_u16(r);
    case 3:
        return rd_u24(r);
    case 4:
        return little ? rd_le32(r) : rd_u32(r);
    default:
        return little ? rd_le64(r) : rd_u64(r);
    }
}

static void numbers(void)
{
    static const size_t widths[] = {1, 2, 3, 4, 8};
    uint8_t bytes[16];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + 5);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        for (size_t w = 0; w < LEN(widths); w++) {
            for (int little = 0; little < 2; little++) {
                bool le = little && widths[w] != 1 && widths[w] != 3;
                struct verdict v = {0};
                struct rd r = rd_whole(span_of(bytes, len), &v);
                uint64_t got = read_as(&r, widths[w], le);
                if (len >= widths[w]) {
                    CHECK(got == naive(bytes, widths[w], le) && v.state == RD_OK);
                    CHECK(r.n == len - widths[w]);
                } else {
                    CHECK(got == 0 && v.state == RD_BAD && r.n == 0);
                }
            }
        }
    }
}

static void more_and_bad(void)
{
    struct verdict v = {0};
    struct rd r = rd_stream(SPAN("\x00\x05"
                                 "abc"),
                            &v);
    struct rd inner = rd_vec16(&r);
    CHECK(v.state == RD_MORE && inner.n == 0 && inner.p != NULL);
    v = (struct verdict){0};
    r = rd_stream(SPAN("\x00\x03"
                       "abc"),
                  &v);
    inner = rd_vec16(&r);
    CHECK(v.state == RD_OK && inner.n == 3);
    rd_u32(&inner); /* a complete frame that lies is bad, not short */
    CHECK(v.state == RD_BAD);
    rd_bad(&r, "second failure");
    CHECK_STR(v.why, "input too short");
    CHECK(!rd_more(&r));
}

static void helpers(void)
{
    struct verdict v = {0};
    struct rd r = rd_whole(SPAN("key:value"), &v);
    struct span s = rd_until(&r, ':', 5);
    CHECK(span_eq(s, SPAN("key")) && span_eq(rd_rest(&r), SPAN("value")) && v.state == RD_OK);
    r = rd_stream(SPAN("keykey"), &v);
    rd_until(&r, ':', 3);
    CHECK(v.state == RD_BAD);
    v = (struct verdict){0};
    r = rd_stream(SPAN("key"), &v);
    rd_until(&r, ':', 3);
    CHECK(v.state == RD_MORE);
    v = (struct verdict){0};
    r = rd_whole(SPAN("\xac\x02"), &v);
    CHECK(rd_varint(&r) == 300 && v.state == RD_OK);
    r = rd_whole(SPAN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), &v);
    rd_varint(&r);
    CHECK(v.state == RD_BAD);
    v = (struct verdict){0};
    r = rd_whole(SPAN("12345678"), &v);
    CHECK(rd_count(&r, 4, 2) == 4 && rd_count(&r, 5, 2) == 0 && v.state == RD_BAD);
    v = (struct verdict){0};
    r = rd_whole(SPAN("ab"), &v);
    CHECK(rd_fixed(&r, 4)[3] == 0 && v.state == RD_BAD);
    v = (struct verdict){0};
    r = rd_whole(SPAN("ab"), &v);
    rd_skip(&r, 1);
    rd_end(&r);
    CHECK(v.state == RD_BAD);
}

static void writer(void)
{
    uint8_t room[16];

    for (size_t cap = 0; cap <= sizeof(room); cap++) {
        struct wr w = wr_into(room, cap);
        size_t mark = wr_len_open(&w, 2);
        wr_u8(&w, 7);
        wr_u24(&w, 0x010203);
        wr_u32(&w, 0xdeadbeef);
        wr_len_close(&w, mark, 2);
        CHECK(w.full == (cap < 10));
        if (!w.full)
            CHECK(memcmp(room, "\x00\x08\x07\x01\x02\x03\xde\xad\xbe\xef", 10) == 0);
        CHECK(w.n <= cap);
    }
    uint8_t big[400];
    struct wr w = wr_into(big, sizeof(big));
    size_t mark = wr_len_open(&w, 1);
    for (int i = 0; i < 64; i++)
        wr_u32(&w, 0);
    wr_len_close(&w, mark, 1);
    CHECK(w.full);
}

int main(void)
{
    numbers();
    more_and_bad();
    helpers();
    writer();
    return unit_end();
}
