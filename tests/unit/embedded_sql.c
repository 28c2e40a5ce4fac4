/* SPDX-License-Identifier: Apache-2.0 */
/* What the store reads before the engine does: statements (kind, FORMAT, data, outside calls) and
 * LZ4 frames, also broken ones. */
#include "embedded/lz4.h"
#include "embedded/sql.h"

#include "unit.h"

static void splits(void)
{
    static const struct {
        const char *text;
        enum sql_kind kind;
        const char *format, *data;
    } cases[] = {
        {"SELECT 1", SQL_OTHER, "", ""},
        {"SELECT 1 FORMAT JSON", SQL_OTHER, "JSON", ""},
        {"SELECT 1 format JSON;  ", SQL_OTHER, "JSON", ""},
        {"SELECT 1 FORMAT JSON SETTINGS max_threads=1", SQL_OTHER, "JSON", ""},
        {"SELECT format FROM t", SQL_OTHER, "", ""},
        {"SELECT 1 AS format", SQL_OTHER, "", ""},
        {"SELECT t.format x", SQL_OTHER, "", ""},
        {"SELECT 'FORMAT JSON'", SQL_OTHER, "", ""},
        {"SELECT 1 -- FORMAT JSON", SQL_OTHER, "", ""},
        {"SELECT (SELECT 1 FORMAT JSON)", SQL_OTHER, "", ""},
        {"INSERT INTO t FORMAT CSV\n1,2\n", SQL_INSERT_DATA, "CSV", "1,2\n"},
        {"INSERT INTO t FORMAT Native \t\r\n\n1", SQL_INSERT_DATA, "Native", "\n1"},
        {"insert into `FORMAT x` (a, b) settings x='FORMAT y' format TSV 1", SQL_INSERT_DATA, "TSV",
         "1"},
        {"/* INSERT */ INSERT INTO t FORMAT RowBinary", SQL_INSERT_DATA, "RowBinary", ""},
        {"INSERT INTO t VALUES (1)", SQL_INSERT_INLINE, "", ""},
        {"INSERT INTO t FORMAT Values (1)", SQL_INSERT_INLINE, "", ""},
        {"INSERT INTO t SELECT 1 FORMAT CSV", SQL_INSERT_INLINE, "", ""},
        {"INSERT INTO t", SQL_INSERT_INLINE, "", ""},
        {"", SQL_OTHER, "", ""},
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct span text = span_str(cases[i].text);
        struct sql s = sql_split(text, true);
        CHECK(s.kind == cases[i].kind);
        CHECK(span_eq(s.format, span_str(cases[i].format)));
        CHECK(span_eq(s.data, span_str(cases[i].data)));
        /* No prefix may be taken for an insert with another format than the whole has. */
        for (size_t n = 0; n < text.n; n++) {
            struct sql part = sql_split(span_cut(text, 0, n), false);
            if (part.kind == SQL_INSERT_DATA)
                CHECK(s.kind == SQL_INSERT_DATA && span_eq(part.format, s.format));
        }
    }
    CHECK(sql_split(SPAN("INSERT INTO t FORM"), false).more);
    CHECK(sql_split(SPAN("INSERT INTO t FORMAT Row"), false).more);
    CHECK(!sql_split(SPAN("INSERT INTO t FORMAT Row"), true).more);
}

static void outside_calls(void)
{
    static const char *const bad[] = {"SELECT file('x')",      "select FILE ('x')",
                                      "SELECT `file`('x')",    "SELECT * FROM s3Cluster(1)",
                                      "SELECT url/**/('x')",   "SELECT 'a\\'', file('x')",
                                      "SELECT 'a''', file(1)", "SELECT $a$'$a$, file(1)",
                                      "SELECT `a\\x`(1)",      "SELECT * FROM icebergLocal('x')"};
    static const char *const good[] = {
        "SELECT file FROM t", "SELECT 'file(1)'",    "SELECT filex(1)",
        "SELECT profile(1)",  "SELECT 1 -- file(1)", "SELECT url, s3 FROM t WHERE (url) = 's3(1)'"};

    for (size_t i = 0; i < LEN(bad); i++)
        CHECK(sql_outside_call(span_str(bad[i])).n > 0);
    for (size_t i = 0; i < LEN(good); i++)
        CHECK(sql_outside_call(span_str(good[i])).n == 0);
}

static bool collect(void *ctx, struct span piece)
{
    buf_span_add(ctx, piece);
    return !((struct buf *)ctx)->full;
}

/* A frame of linked blocks: "abc" literal, then a match of 12 at distance 3, then "zzzzz". */
static const uint8_t frame[] = {0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0, 0x0c, 0,
                                0,    0,    0x38, 'a',  'b',  'c',  3,    0,    0x50,
                                'z',  'z',  'z',  'z',  'z',  0,    0,    0,    0};

static void lz4_frames(void)
{
    struct buf out = buf_new(1 << 20);
    unsigned seed = 7;

    for (size_t cut = 1; cut <= sizeof(frame); cut++) {
        struct lz4 *z = lz4_new();
        buf_clear(&out);
        bool ok = lz4_decode(z, span_of(frame, cut), collect, &out) &&
                  lz4_decode(z, span_of(frame + cut, sizeof(frame) - cut), collect, &out);
        CHECK(ok && lz4_ended(z) && span_eq(buf_span(&out), SPAN("abcabcabcabcabczzzzz")));
        lz4_free(z);
        z = lz4_new();
        CHECK(lz4_decode(z, span_of(frame, cut), collect, &out));
        CHECK(lz4_ended(z) == (cut == sizeof(frame)));
        lz4_free(z);
    }
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t bad[sizeof(frame)];
        memcpy(bad, frame, sizeof(frame));
        for (int k = 0; k < 2; k++) {
            seed = seed * 1664525u + 1013904223u;
            bad[(seed >> 8) % sizeof(bad)] = (uint8_t)(seed >> 24);
        }
        struct lz4 *z = lz4_new();
        buf_clear(&out);
        if (!lz4_decode(z, span_of(bad, sizeof(bad)), collect, &out))
            CHECK(memcmp(bad, frame, sizeof(frame)) != 0);
        lz4_free(z);
    }
    buf_free(&out);
}

int main(void)
{
    splits();
    outside_calls();
    lz4_frames();
    return unit_end();
}
