/* SPDX-License-Identifier: Apache-2.0 */
/* The lexer: words, quoted things, comments, everything else one byte at a time. */
#include "embedded/sql.h"

enum token_type { TOK_END, TOK_WORD, TOK_QUOTED, TOK_STRING, TOK_OTHER };

struct token {
    enum token_type type;
    struct span s; /* TOK_QUOTED and TOK_STRING: without quotes */
    bool escaped;
};

struct lexer {
    struct span text;
    size_t at;
    unsigned depth; /* of round brackets */
};

static bool word_byte(uint8_t c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c >= 0x80;
}

static uint8_t peek(const struct lexer *l, size_t ahead)
{
    return l->at + ahead < l->text.n ? l->text.p[l->at + ahead] : 0;
}

static void skip_to(struct lexer *l, struct span end)
{
    size_t found = span_find(span_from(l->text, l->at), end);
    l->at = found == SIZE_MAX ? l->text.n : l->at + found + end.n;
}

static void skip_blank(struct lexer *l)
{
    while (l->at < l->text.n) {
        uint8_t c = peek(l, 0), d = peek(l, 1);
        if (ascii_is_space(c)) {
            l->at++;
        } else if ((c == '-' && d == '-') || c == '#') {
            skip_to(l, SPAN("\n"));
        } else if (c == '/' && d == '*') {
            l->at += 2;
            skip_to(l, SPAN("*/"));
        } else {
            return;
        }
    }
}

static struct token quoted(struct lexer *l, uint8_t quote)
{
    struct token t = {quote == '\'' ? TOK_STRING : TOK_QUOTED, {NULL, 0}, false};
    size_t start = ++l->at;

    while (l->at < l->text.n) {
        uint8_t c = peek(l, 0);
        if (c == '\\') {
            t.escaped = true;
            l->at += 2;
        } else if (c == quote && peek(l, 1) == quote) {
            t.escaped = true;
            l->at += 2;
        } else if (c == quote) {
            break;
        } else {
            l->at++;
        }
    }
    if (l->at > l->text.n)
        l->at = l->text.n;
    t.s = span_cut(l->text, start, l->at - start);
    if (l->at < l->text.n)
        l->at++;
    return t;
}

static struct token next(struct lexer *l)
{
    struct token t = {TOK_END, {NULL, 0}, false};

    skip_blank(l);
    if (l->at >= l->text.n)
        return t;
    uint8_t c = peek(l, 0);
    if (c == '\'' || c == '"' || c == '`')
        return quoted(l, c);
    size_t start = l->at;
    if (word_byte(c)) {
        while (l->at < l->text.n && word_byte(peek(l, 0)))
            l->at++;
        t.type = TOK_WORD;
    } else {
        l->at++;
        t.type = TOK_OTHER;
        if (c == '(')
            l->depth++;
        else if (c == ')' && l->depth)
            l->depth--;
    }
    t.s = span_cut(l->text, start, l->at - start);
    return t;
}

static bool is_word(const struct token *t, struct span word)
{
    return t->type == TOK_WORD && span_ieq(t->s, word);
}

/* After FORMAT x: blanks but one line end are not data. */
static size_t data_start(struct span text, size_t at)
{
    while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\t' || text.p[at] == '\f'))
        at++;
    if (at < text.n && text.p[at] == ';')
        at++;
    if (at < text.n && text.p[at] == '\r')
        at++;
    if (at < text.n && text.p[at] == '\n')
        at++;
    return at;
}

static struct sql split_insert(struct lexer *l, struct span text, bool whole)
{
    struct sql s = {.kind = SQL_INSERT_INLINE, .text = text};

    for (;;) {
        struct token t = next(l);
        if (t.type == TOK_END)
            break;
        if (l->depth > 0)
            continue;
        if (is_word(&t, SPAN("VALUES")) || is_word(&t, SPAN("SELECT")) || is_word(&t, SPAN("WITH")))
            return s;
        if (!is_word(&t, SPAN("FORMAT")))
            continue;
        size_t at = (size_t)(t.s.p - text.p);
        struct token name = next(l);
        /* A name at the end of the text may not be whole yet. */
        if (name.type != TOK_WORD || (l->at == text.n && !whole))
            break;
        if (is_word(&name, SPAN("VALUES")))
            return s;
        s.kind = SQL_INSERT_DATA;
        s.format = name.s;
        s.text = span_cut(text, 0, at);
        s.data = span_from(text, data_start(text, l->at));
        return s;
    }
    s.more = !whole;
    return s;
}

struct sql sql_split(struct span text, bool whole)
{
    struct sql s = {.kind = SQL_OTHER, .text = text};
    struct lexer l = {.text = text};
    struct token before = {TOK_END, {NULL, 0}, false};

    struct token t = next(&l);
    if (is_word(&t, SPAN("INSERT")))
        return split_insert(&l, text, whole);
    if (!whole) {
        s.more = true;
        return s;
    }
    for (; t.type != TOK_END; before = t, t = next(&l)) {
        if (l.depth > 0 || !is_word(&t, SPAN("FORMAT")) || span_eq(before.s, SPAN(".")) ||
            is_word(&before, SPAN("AS")))
            continue;
        struct lexer ahead = l;
        struct token name = next(&ahead), after = next(&ahead);
        if (name.type == TOK_WORD &&
            (after.type == TOK_END || span_eq(after.s, SPAN(";")) ||
             is_word(&after, SPAN("SETTINGS")) || is_word(&after, SPAN("PARALLEL"))))
            s.format = name.s;
    }
    return s;
}

/* Heredocs ($x$…$x$) and typographic quotes (U+2018, 2019, 201C, 201D) quote too, in ways that this
 * lexer does not follow: a reader does without them. */
static bool other_quotes(struct span s)
{
    if (s.n && s.p[0] == '$')
        return true;
    for (size_t i = 0; i + 2 < s.n; i++)
        if (s.p[i] == 0xe2 && s.p[i + 1] == 0x80 && (s.p[i + 2] & 0xfa) == 0x98)
            return true;
    return false;
}

struct span sql_outside_call(struct span text)
{
    static const char *const names[] = {
        "file",
        "filecluster",
        "filesystem",
        "catboostevaluate",
        "executable",
        "url",
        "urlcluster",
        "remote",
        "remotesecure",
        "mysql",
        "postgresql",
        "mongodb",
        "redis",
        "sqlite",
        "jdbc",
        "odbc",
        "input",
        "gcs",
        "oss",
        "cosn",
        "ytsaurus",
        "arrowstream",
        "showcertificate",
    };
    static const char *const heads[] = {"s3",        "hdfs", "azure",  "iceberg",
                                        "deltalake", "hudi", "paimon", "prometheusquery"};
    struct lexer l = {.text = text};
    struct token t, before = {TOK_END, {NULL, 0}, false};

    for (t = next(&l); t.type != TOK_END; before = t, t = next(&l)) {
        if (other_quotes(t.s))
            return t.s;
        if (t.type != TOK_OTHER || t.s.p[0] != '(')
            continue;
        if (before.type == TOK_QUOTED && before.escaped)
            return before.s;
        if (before.type != TOK_WORD && before.type != TOK_QUOTED)
            continue;
        for (size_t i = 0; i < LEN(names); i++)
            if (span_ieq(before.s, span_str(names[i])))
                return before.s;
        for (size_t i = 0; i < LEN(heads); i++)
            if (span_ieq(span_cut(before.s, 0, strlen(heads[i])), span_str(heads[i])))
                return before.s;
    }
    return (struct span){text.p, 0};
}

bool sql_format_streams(struct span format)
{
    static const char *const names[] = {"Native",
                                        "JSONEachRow",
                                        "JSONStringsEachRow",
                                        "JSONCompactEachRow",
                                        "JSONCompactStringsEachRow",
                                        "JSONLines",
                                        "NDJSON",
                                        "TabSeparated",
                                        "TSV",
                                        "TabSeparatedRaw",
                                        "TSVRaw",
                                        "CSV",
                                        "RowBinary",
                                        "TSKV",
                                        "LineAsString",
                                        "RawBLOB"};

    for (size_t i = 0; i < LEN(names); i++)
        if (span_ieq(format, span_str(names[i])))
            return true;
    return false;
}
