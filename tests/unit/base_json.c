/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON pull parser: accepts and rejects, exact numbers, escapes, limits; and the writer. */
#include "base/json.h"

#include "unit.h"

static bool accepts(const char *text)
{
    struct json j;
    struct json_value v;

    json_init(&j, span_str(text));
    json_next(&j, &v);
    return json_skip(&j, &v) && json_done(&j);
}

static void shapes(void)
{
    static const char *const good[] = {"{}",
                                       "[]",
                                       " { \"a\" : [ 1 , 2 , { } ] } ",
                                       "0",
                                       "-1",
                                       "1.5e-3",
                                       "\"x\"",
                                       "true",
                                       "[null,1e5]",
                                       "{\"a\":{\"b\":{\"c\":[[]]}}}",
                                       "\"\\u00e9\\ud83d\\ude00\""};
    static const char *const bad[] = {"",      "{",          "[1,]",     "{\"a\":}", "{\"a\" 1}",
                                      "{a:1}", "01",         "1.",       "+1",       "nul",
                                      "[1 2]", "{\"a\":1,}", "\"\x01\"", "\"\\x\"",  "1 2",
                                      "[}",    "\"abc",      "\"\xff\"", "-",        "1e"};
    for (size_t i = 0; i < LEN(good); i++)
        CHECK(accepts(good[i]));
    for (size_t i = 0; i < LEN(bad); i++)
        CHECK(!accepts(bad[i]));
    char deep[JSON_DEPTH + 2];
    memset(deep, '[', sizeof(deep));
    deep[sizeof(deep) - 1] = '\0';
    CHECK(!accepts(deep));
}

static void values(void)
{
    struct json j;
    struct json_value v;

    json_init(&j, SPAN("{\"i\":-9223372036854775808,\"u\":18446744073709551615,\"d\":0.25,"
                       "\"s\":\"a\\n\\u0041\",\"o\":{\"x\":[1,2]},\"b\":true}"));
    CHECK(json_next(&j, &v) == JSON_OBJECT);
    CHECK(json_next(&j, &v) == JSON_INT && v.i == INT64_MIN && json_key_is(&v, SPAN("i")));
    CHECK(json_next(&j, &v) == JSON_UINT && v.u == UINT64_MAX);
    CHECK(json_next(&j, &v) == JSON_DOUBLE && v.d > 0.24 && v.d < 0.26);
    CHECK(json_next(&j, &v) == JSON_STRING && v.escaped);
    struct buf b = buf_new(100);
    json_unescape(&b, v.raw);
    CHECK(span_eq(buf_span(&b), SPAN("a\nA")));
    CHECK(json_next(&j, &v) == JSON_OBJECT && json_skip(&j, &v));
    CHECK(span_eq(v.raw, SPAN("{\"x\":[1,2]}")));
    CHECK(json_next(&j, &v) == JSON_BOOL && v.b);
    CHECK(json_next(&j, &v) == JSON_END && json_done(&j));
    buf_free(&b);
}

static void writes(struct span in, const char *want)
{
    struct buf b = buf_new(1000);

    json_add_string(&b, in);
    CHECK_STR(buf_cstr(&b), want);
    buf_free(&b);
}

int main(void)
{
    shapes();
    values();
    writes(SPAN("a\"b\\c\n\x01\x7f"), "\"a\\\"b\\\\c\\n\\u0001\\u007f\"");
    writes(SPAN("\xe5\xb2\xb1"), "\"\xe5\xb2\xb1\"");
    writes(SPAN("\xe5\xb2z\xff"), "\"\\\\xe5\\\\xb2z\\\\xff\"");
    struct buf b = buf_new(100);
    json_add_double(&b, 0.1);
    CHECK_STR(buf_cstr(&b), "0.1");
    buf_free(&b);
    return unit_end();
}
