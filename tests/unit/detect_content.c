/* SPDX-License-Identifier: Apache-2.0 */
/* Contents and numbers in a buffer, with conditions built by hand: windows, relative matching and
 * going back, negation, sizes, base64. */
#include "base/mem.h"
#include "detect/base64.h"
#include "detect/content.h"
#include "detect/keyword.h"
#include "detect/search.h"
#include "detect/worker.h"

#include "unit.h"

static struct detect *worker;

static struct match list[8];
static struct content contents[8];
static unsigned n_list;

static void start(void)
{
    memset(list, 0, sizeof(list));
    memset(contents, 0, sizeof(contents));
    n_list = 0;
}

static void add(uint16_t kind, const void *data)
{
    list[n_list] = (struct match){NULL, data, kind};
    if (n_list)
        list[n_list - 1].next = &list[n_list];
    n_list++;
}

static struct content *add_content(struct span bytes, uint32_t flags)
{
    struct content *c = &contents[n_list];

    c->bytes = bytes;
    c->flags = flags;
    add(KW_CONTENT, c);
    return c;
}

static bool holds_at(struct span buf, uint64_t at, bool final)
{
    worker->in.buf = buf;
    worker->in.buf_at = at;
    worker->in.buf_final = final;
    return content_inspect(&worker->in, list);
}

static bool holds(struct span buf)
{
    return holds_at(buf, 0, true);
}

static void searches(void)
{
    uint8_t text[200];
    struct span s = {text, sizeof(text)};

    for (size_t n = 1; n <= 40; n++) {
        for (size_t at = 0; at + n <= sizeof(text); at += 7) {
            memset(text, 'A', sizeof(text));
            for (size_t i = 0; i < n; i++)
                text[at + i] = (uint8_t)('b' + i % 20);
            uint8_t what[40];
            memcpy(what, text + at, n);
            CHECK(search_span(s, 0, (struct span){what, n}, false) == at);
            CHECK(search_span(s, at + 1, (struct span){what, n}, false) == SIZE_MAX || n == 0);
            for (size_t i = 0; i < n; i++)
                text[at + i] = (uint8_t)(text[at + i] - 0x20);
            CHECK(search_span(s, 0, (struct span){what, n}, true) == at);
            CHECK(search_span(s, 0, (struct span){what, n}, false) == SIZE_MAX);
        }
    }
    CHECK(search_span(SPAN("@[`{"), 0, SPAN("`"), true) == 2);
    CHECK(search_span(SPAN("aaa"), 3, SPAN(""), false) == 3);
    CHECK(search_at(SPAN("abc"), 1, SPAN("bc"), false) &&
          !search_at(SPAN("abc"), 2, SPAN("bc"), false));
}

static void windows(void)
{
    start();
    add_content(SPAN("abc"), CONTENT_DEPTH)->depth = 5;
    CHECK(holds(SPAN("xxabcx")) && !holds(SPAN("xxxabcx")));
    start();
    struct content *c = add_content(SPAN("abc"), CONTENT_OFFSET | CONTENT_DEPTH);
    c->offset = 2;
    c->depth = 5;
    CHECK(holds(SPAN("xxabc")) && !holds(SPAN("abcxx")) && !holds(SPAN("xxxabc")));
    start();
    add_content(SPAN("abc"), CONTENT_ENDS);
    CHECK(holds(SPAN("abcabc")) && !holds(SPAN("abcabcx")) && !holds(SPAN("bc")));
    start();
    add_content(SPAN("abc"), CONTENT_NOCASE);
    CHECK(holds(SPAN("xABc")) && !holds(SPAN("")));
    /* in a stream that begins later, depth counts from the stream's start */
    start();
    add_content(SPAN("abc"), CONTENT_DEPTH)->depth = 10;
    CHECK(holds_at(SPAN("xxabc"), 5, true) && !holds_at(SPAN("xxabc"), 10, true) &&
          !holds_at(SPAN("xxxabc"), 5, true));
}

static void relatives(void)
{
    /* the second "ab" has to be found by going back */
    start();
    add_content(SPAN("ab"), CONTENT_RELATIVE_NEXT);
    add_content(SPAN("cd"), CONTENT_WITHIN | CONTENT_DISTANCE)->within = 3;
    CHECK(holds(SPAN("ab..ab.cd")) && !holds(SPAN("ab..cd")) && holds(SPAN("abcd")));
    start();
    add_content(SPAN("ab"), CONTENT_RELATIVE_NEXT);
    add_content(SPAN("cd"), CONTENT_DISTANCE)->distance = 2;
    CHECK(holds(SPAN("ab..cd")) && !holds(SPAN("ab.cd")) && holds(SPAN("ab.cd.cd")));
    start();
    add_content(SPAN("ab"), CONTENT_RELATIVE_NEXT);
    add_content(SPAN("cd"), CONTENT_DISTANCE)->distance = -4;
    CHECK(holds(SPAN("cdab")) && !holds(SPAN("cd.ab")));
    /* three deep */
    start();
    add_content(SPAN("a"), CONTENT_RELATIVE_NEXT);
    add_content(SPAN("b"), CONTENT_DISTANCE | CONTENT_WITHIN | CONTENT_RELATIVE_NEXT)->within = 2;
    add_content(SPAN("c"), CONTENT_DISTANCE | CONTENT_WITHIN)->within = 1;
    CHECK(holds(SPAN("ab.a.bc")) && !holds(SPAN("ab.a..bc")));
    /* negated and relative */
    start();
    add_content(SPAN("ab"), CONTENT_RELATIVE_NEXT);
    add_content(SPAN("cd"), CONTENT_NEGATED | CONTENT_WITHIN)->within = 4;
    CHECK(holds(SPAN("ab..ef")) && holds(SPAN("abcd..ab..")) && !holds(SPAN("abcd")));
    start();
    add_content(SPAN("cd"), CONTENT_NEGATED);
    CHECK(holds(SPAN("ab")) && !holds(SPAN("abcd")) && holds(SPAN("")));
}

static void bounded(void)
{
    static uint8_t many[4000];

    memset(many, 'a', sizeof(many));
    start();
    for (int i = 0; i < 6; i++)
        add_content(SPAN("a"), CONTENT_RELATIVE_NEXT | (i ? CONTENT_DISTANCE | CONTENT_WITHIN : 0))
            ->within = 3000;
    add_content(SPAN("b"), CONTENT_DISTANCE | CONTENT_WITHIN)->within = 1;
    CHECK(!holds((struct span){many, sizeof(many)}));
    CHECK(worker->in.steps <= worker->conf.inspection_recursion_limit);
}

static void numbers(void)
{
    struct byte_test t = {.n_bytes = {2, false}, .op = BYTE_GT, .value = {256, false}};

    start();
    add_content(SPAN("L"), CONTENT_RELATIVE_NEXT);
    t.flags = BYTE_RELATIVE;
    add(KW_BYTE_TEST, &t);
    CHECK(holds(SPAN("L\x01\x01")) && !holds(SPAN("L\x01\x00")) && !holds(SPAN("L\x01")));
    t.flags = BYTE_RELATIVE | BYTE_LITTLE;
    CHECK(!holds(SPAN("L\xff\x00")) && holds(SPAN("L\x00\x02")));
    t = (struct byte_test){.n_bytes = {4, false}, .op = BYTE_EQ, .value = {123, false}, .base = 10};
    t.flags = BYTE_STRING;
    start();
    add(KW_BYTE_TEST, &t);
    CHECK(holds(SPAN("0123")) && holds(SPAN("123 ")) && !holds(SPAN("abcd")) &&
          !holds(SPAN("123")));
    /* jump over a counted field to "X" */
    struct byte_jump j = {.n_bytes = {1, false}, .multiplier = 1};
    start();
    add(KW_BYTE_JUMP, &j);
    struct content *c = add_content(SPAN("X"), CONTENT_DISTANCE | CONTENT_WITHIN);
    c->within = 1;
    CHECK(holds(SPAN("\x02"
                     "abX")) &&
          !holds(SPAN("\x01"
                      "abX")) &&
          !holds(SPAN("\x09"
                      "abX")));
    j.post_offset = -3;
    CHECK(!holds(SPAN("\x01"
                      "abX")));
    /* a length that was read is a depth */
    struct byte_extract x = {.n_bytes = 1, .var = 3, .multiplier = 1};
    start();
    add(KW_BYTE_EXTRACT, &x);
    c = add_content(SPAN("X"), CONTENT_WITHIN | CONTENT_WITHIN_VAR);
    c->within = 3;
    CHECK(holds(SPAN("\x03"
                     "abX")) &&
          !holds(SPAN("\x02"
                      "abX")));
    struct byte_math math = {.n_bytes = {1, false}, .op = MATH_DIV, .operand = {0, false}};
    start();
    add(KW_BYTE_MATH, &math);
    CHECK(!holds(SPAN("\x08")));
    math.operand.n = 4;
    CHECK(holds(SPAN("\x08")) && worker->in.vars[0] == 2);
}

static void sizes(void)
{
    struct isdataat d = {.at = {2, false}, .relative = true};
    struct uint_cond n = {UINT_EQ, 4, 0};

    start();
    add_content(SPAN("ab"), CONTENT_RELATIVE_NEXT);
    add(KW_ISDATAAT, &d);
    CHECK(holds(SPAN("abcd")) && !holds(SPAN("abc")));
    d.negated = true;
    CHECK(!holds(SPAN("abcd")) && holds(SPAN("abc")));
    start();
    add(KW_BSIZE, &n);
    CHECK(holds(SPAN("abcd")) && !holds(SPAN("abc")) && !holds_at(SPAN("abcd"), 0, false) &&
          holds_at(SPAN("cd"), 2, true));
    n = (struct uint_cond){UINT_EQ, 0, 0};
    CHECK(holds(SPAN("")));
}

static void base64(void)
{
    uint8_t out[16];
    struct base64_decode b = {.relative = true};
    struct content inner = {.bytes = SPAN("secret")};
    struct match inside = {NULL, &inner, KW_CONTENT};

    CHECK(base64_decode_into(out, sizeof(out), SPAN("YWJj"), BASE64_RFC4648) == 3);
    CHECK(base64_decode_into(out, sizeof(out), SPAN("YWI="), BASE64_RFC4648) == 2);
    CHECK(base64_decode_into(out, sizeof(out), SPAN("YW\r\nJj"), BASE64_RFC2045) == 3);
    CHECK(base64_decode_into(out, sizeof(out), SPAN("YWJj!"), BASE64_STRICT) == 0);
    CHECK(base64_decode_into(out, 2, SPAN("YWJj"), BASE64_RFC4648) == 0);
    start();
    add_content(SPAN("Basic "), CONTENT_RELATIVE_NEXT);
    b.matches = &inside;
    add(KW_BASE64_DECODE, &b);
    CHECK(holds(SPAN("Basic dG9wc2VjcmV0")) && !holds(SPAN("Basic AAAA")));
}

int main(void)
{
    worker = mem_zero(sizeof(*worker));
    worker->in.d = worker;
    worker->conf.inspection_recursion_limit = 3000;
    worker->base64 = mem_get(BASE64_BYTES);
    searches();
    windows();
    relatives();
    bounded();
    numbers();
    sizes();
    base64();
    mem_free(worker->base64);
    mem_free(worker);
    return unit_end();
}
