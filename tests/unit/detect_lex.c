/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, continuations, header fields and options. */
#include "detect/lex.h"

#include "unit.h"

static bool is(struct span s, const char *text)
{
    return span_eq(s, span_str(text));
}

static void test_lines(void)
{
    static const char text[] = "\xef\xbb\xbf# comment\n\n  # indented comment\nfirst\r\n indented\n"
                               "a \\\n  b\\\nc\n;x\nlast \\";
    struct lex_file f;
    struct lex_rule r;
    uint32_t line, column;
    lex_file_init(&f, span_str(text));
    CHECK(lex_next_rule(&f, &r) && is(r.text, "first") && r.line == 4 && !r.indented);
    CHECK(lex_next_rule(&f, &r) && r.indented && r.line == 5);
    CHECK(lex_next_rule(&f, &r) && is(r.text, "a   bc") && r.line == 6 && r.n_joins == 2);
    lex_position(&r, r.text.p + 4, &line, &column);
    CHECK(line == 7 && column == 3);
    lex_position(&r, r.text.p + 5, &line, &column);
    CHECK(line == 8 && column == 1);
    lex_position(&r, r.text.p, &line, &column);
    CHECK(line == 6 && column == 1);
    CHECK(lex_next_rule(&f, &r) && r.cut_off && r.line == 10);
    CHECK(!lex_next_rule(&f, &r));
    lex_file_free(&f);
}

static void test_header(void)
{
    struct lex_header h;
    const uint8_t *at;
    const char *reason;
    CHECK(lex_header(SPAN("alert  tcp [1.1.1.1, 2.2.2.2] any\t-> any 80(a:b; c;) "), &h, &at,
                     &reason));
    CHECK(is(h.action, "alert") && is(h.proto, "tcp") && is(h.src, "[1.1.1.1, 2.2.2.2]"));
    CHECK(is(h.sport, "any") && is(h.direction, "->") && is(h.dst, "any") && is(h.dport, "80"));
    CHECK(is(h.options, "a:b; c;"));
    CHECK(!lex_header(SPAN("alert tcp any any -> any (a;)"), &h, &at, &reason));
    CHECK(*at == '(' && strstr(reason, "destination port"));
    CHECK(!lex_header(SPAN("alert tcp any any -> any any (a;"), &h, &at, &reason));
    CHECK(!lex_header(SPAN("alert tcp any any -> any any"), &h, &at, &reason));
    CHECK(!lex_header(SPAN("("), &h, &at, &reason));
    CHECK(!lex_header(SPAN(""), &h, &at, &reason));
}

static void test_options(void)
{
    struct span rest = SPAN(" content : \"a\\;b:c\" ; nocase;flow:;; x");
    struct lex_option o;
    const char *reason;
    CHECK(lex_option(&rest, &o, &reason) && is(o.name, "content") && is(o.value, "\"a\\;b:c\""));
    CHECK(lex_option(&rest, &o, &reason) && is(o.name, "nocase") && !o.has_value);
    CHECK(lex_option(&rest, &o, &reason) && is(o.name, "flow") && o.has_value && !o.value.n);
    CHECK(lex_option(&rest, &o, &reason) && !o.name.n);
    CHECK(!lex_option(&rest, &o, &reason) && reason && is(rest, "x"));
    rest = SPAN("   ");
    CHECK(!lex_option(&rest, &o, &reason) && !reason);
}

static void test_too_long(void)
{
    static char text[RULE_BYTES_MAX + 64];
    struct lex_file f;
    struct lex_rule r;
    memset(text, 'a', sizeof(text));
    lex_file_init(&f, span_of(text, sizeof(text)));
    CHECK(lex_next_rule(&f, &r) && r.too_long);
    lex_file_free(&f);
    memcpy(text + 40000, "\\\n", 2);
    lex_file_init(&f, span_of(text, sizeof(text)));
    CHECK(lex_next_rule(&f, &r) && r.too_long);
    CHECK(!lex_next_rule(&f, &r));
    lex_file_free(&f);
}

int main(void)
{
    test_lines();
    test_header();
    test_options();
    test_too_long();
    return unit_end();
}
