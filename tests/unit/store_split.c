/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a line: the form shared by many and the values, which give the line back. */
#include "base/mem.h"
#include "store/split.h"

#include "unit.h"

/* As the store's column `line` does it. */
static bool joins(const struct split *s, struct span line)
{
    struct span form = buf_span(&s->form), values = buf_span(&s->values);
    struct buf out = buf_new(1 << 20);

    for (size_t mark; (mark = span_find_byte(form, SPLIT_MARK)) < form.n;) {
        buf_span_add(&out, span_cut(form, 0, mark));
        buf_span_add(&out, span_split(&values, SPLIT_MARK));
        form = span_from(form, mark + 1);
    }
    buf_span_add(&out, form);
    bool same = values.n == 0 && span_eq(buf_span(&out), line);
    buf_free(&out);
    return same;
}

static void forms_and_values(void)
{
    static const struct {
        const char *line, *form, *values; /* | stands for the mark */
        bool words;
    } cases[] = {
        {"{\"a\":\"tcp\",\"b\":-1.5e+3}", "{\"a\":\"tcp\",\"b\":|}", "-1.5e+3|", true},
        {"{\"a\":\"tcp\",\"b\":12}", "{\"a\":\"|\",\"b\":|}", "tcp|12|", false},
        {"{\"n\":4001}", "{\"n\":|}", "4001|", true},
        {"{ \"a\" : [ 1 , \"x1\" ], \"b\":true}", "{ \"a\" : [ | , \"|\" ], \"b\":true}", "1|x1|",
         true},
        {"{\"k1\":\"q \\\" 5\",\"e\":\"\",\"z\":\"\\\\\"}", "{\"k1\":\"|\",\"e\":\"\",\"z\":\"|\"}",
         "q \\\" 5|\\\\|", true},
        {"{\"word\":\"abcdefghijklmnop\",\"long\":\"abcdefghijklmnopq\"}",
         "{\"word\":\"abcdefghijklmnop\",\"long\":\"|\"}", "abcdefghijklmnopq|", true},
        {"[\"\xc3\xa9\",{}]", "[\"|\",{}]", "\xc3\xa9|", true},
        /* Not JSON: cut somehow, whole again. */
        {"7\"a\"8:\"", "|\"a\"|:\"", "7|8|", true},
        {"\"9\\", NULL, NULL, true},
        {"{}", NULL, NULL, true},
        {"", NULL, NULL, true},
        {"{\"a\":\"\1\",\"b\":1}", NULL, NULL, true},
    };
    struct split s;

    split_init(&s);
    for (size_t i = 0; i < LEN(cases); i++) {
        /* Its memory ends where it ends. */
        struct span text = span_str(cases[i].line);
        uint8_t *copy = mem_get(text.n ? text.n : 1);
        if (text.n)
            memcpy(copy, text.p, text.n);
        struct span line = span_of(copy, text.n);
        bool ok = split_line(&s, line, cases[i].words);
        CHECK(ok == (cases[i].form != NULL));
        if (ok) {
            CHECK(joins(&s, line));
            for (size_t k = 0; k < s.form.n; k++)
                s.form.p[k] = s.form.p[k] == SPLIT_MARK ? '|' : s.form.p[k];
            for (size_t k = 0; k < s.values.n; k++)
                s.values.p[k] = s.values.p[k] == SPLIT_MARK ? '|' : s.values.p[k];
            CHECK(span_eq(buf_span(&s.form), span_str(cases[i].form)));
            CHECK(span_eq(buf_span(&s.values), span_str(cases[i].values)));
        }
        mem_free(copy);
    }
    split_free(&s);
}

static void ceilings(void)
{
    struct buf line = buf_new(1 << 20);
    struct split s;

    split_init(&s);
    /* As many values as there may be, then one more. */
    buf_byte(&line, '[');
    for (unsigned i = 1; i < SPLIT_VALUES_MAX; i++)
        buf_str(&line, "1,");
    buf_str(&line, "1]");
    CHECK(split_line(&s, buf_span(&line), true) && joins(&s, buf_span(&line)));
    line.n--;
    buf_str(&line, ",1]");
    CHECK(!split_line(&s, buf_span(&line), true));
    /* A form that just fits, and one that does not. */
    for (size_t more = 0; more < 2; more++) {
        buf_clear(&line);
        buf_str(&line, "{\"");
        while (line.n < SPLIT_FORM_MAX - 4 + more)
            buf_byte(&line, 'k');
        buf_str(&line, "\":");
        buf_str(&line, "12345}");
        CHECK(split_line(&s, buf_span(&line), true) == !more);
        CHECK(more || (s.form.n == SPLIT_FORM_MAX && joins(&s, buf_span(&line))));
    }
    /* A refusal leaves nothing behind. */
    CHECK(split_line(&s, SPAN("{\"a\":1}"), true) && joins(&s, SPAN("{\"a\":1}")));
    split_free(&s);
    buf_free(&line);
}

int main(void)
{
    forms_and_values();
    ceilings();
    return unit_end();
}
