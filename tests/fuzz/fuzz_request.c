/* SPDX-License-Identifier: Apache-2.0 */
/* Requests at the store's HTTP interface over an engine that answers what the input says. The
 * input: a byte of flags, parameters as lines NAME=VALUE up to an empty one, then the body, in
 * pieces. Held: what is borrowed from the engine goes back, one answer or one error comes out, and
 * no setting's text leaves its quotes. */
#include "scratch.h"

#include "fuzz.h"

#include "base/mem.h"
#include "embedded/request.h"

enum { SESSIONS = 64 }; /* more than the engine keeps */

struct chdb_conn {
    int unused;
};
struct chdb_result {
    const char *error, *text;
};
struct chdb_insert {
    unsigned appended, fail_at;
};

static struct {
    long conns, results, inserts, streams;
    unsigned flags, pieces_left;
} fake;

static struct chdb_conn **fake_connect(int argc, char **argv)
{
    static struct chdb_conn conn, *to = &conn;

    must(argc >= 2 && argv[argc] == NULL);
    fake.conns++;
    return &to;
}

static void fake_close(struct chdb_conn **c)
{
    must(c);
    fake.conns--;
}

static struct chdb_result *result(const char *error, const char *text)
{
    struct chdb_result *r = mem_zero(sizeof(*r));

    r->error = error;
    r->text = text;
    fake.results++;
    return r;
}

static struct chdb_result *fails_or(unsigned bit, const char *text)
{
    return fake.flags & bit ? result("Code: 60. DB::Exception: x. (UNKNOWN_TABLE)", NULL)
                            : result(NULL, text);
}

/* SET a = 'v', b = 'w': names and values alternate and every quote is closed. */
static void check_set(struct span s)
{
    bool quoted = false;

    for (size_t i = 0; i < s.n; i++) {
        if (quoted && s.p[i] == '\\')
            i++;
        else if (s.p[i] == '\'')
            quoted = !quoted;
        else
            must(quoted || ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i]) || s.p[i] == '_' ||
                 s.p[i] == ' ' || s.p[i] == ',' || s.p[i] == '=');
    }
    must(!quoted);
}

static struct chdb_result *fake_query(struct chdb_conn *conn, const char *sql, size_t n,
                                      const char *format, size_t format_n)
{
    struct span s = span_of(sql, n);

    must(conn && format_n == strlen(format));
    if (span_starts(s, SPAN("SET ")))
        check_set(s);
    else
        must(span_starts(s, SPAN("USE `")));
    return fails_or(1, "");
}

static struct chdb_result *fake_query_params(struct chdb_conn *conn, const char *sql, size_t n,
                                             const char *format, size_t format_n,
                                             const char *const *names, const size_t *names_n,
                                             const char *const *values, const size_t *values_n,
                                             size_t params)
{
    must(conn && sql && n && format_n == strlen(format) && params <= REQUEST_PARAMS);
    for (size_t i = 0; i < params; i++)
        must((names[i] || !names_n[i]) && (values[i] || !values_n[i]));
    return fails_or(2, "1\n");
}

static struct chdb_result *fake_stream(struct chdb_conn *conn, const char *sql, size_t n,
                                       const char *format, size_t format_n,
                                       const char *const *names, const size_t *names_n,
                                       const char *const *values, const size_t *values_n,
                                       size_t params)
{
    fake.streams++;
    fake.pieces_left = 5;
    return fake_query_params(conn, sql, n, format, format_n, names, names_n, values, values_n,
                             params);
}

static struct chdb_result *fake_fetch(struct chdb_conn *conn, struct chdb_result *stream)
{
    static char piece[40 << 10];

    must(conn && stream && !stream->error);
    memset(piece, 'x', sizeof(piece) - 1);
    if (fake.pieces_left == 0)
        return result(NULL, "");
    return --fake.pieces_left == 1 ? fails_or(4, piece) : result(NULL, piece);
}

static void fake_cancel(struct chdb_conn *conn, struct chdb_result *stream)
{
    must(conn && stream);
}

static void fake_destroy(struct chdb_result *r)
{
    must(r);
    fake.results--;
    mem_free(r);
}

static struct chdb_insert *fake_insert(struct chdb_conn *conn, const char *sql, size_t n,
                                       const char *format, size_t format_n)
{
    struct chdb_insert *s = mem_zero(sizeof(*s));

    must(conn && (sql || !n) && (format || !format_n));
    s->fail_at = fake.flags & 8 ? 2 : UINT32_MAX;
    fake.inserts++;
    return s;
}

static int fake_append(struct chdb_insert *s, const void *p, size_t n)
{
    must(p && n);
    return ++s->appended >= s->fail_at ? -1 : 0;
}

static struct chdb_result *fake_done(struct chdb_insert *s)
{
    must(s);
    return fails_or(2, "");
}

static void fake_insert_cancel(struct chdb_insert *s)
{
    must(s);
}

static const char *fake_insert_error(struct chdb_insert *s)
{
    return s->appended >= s->fail_at ? "Code: 27. DB::Exception: x. (CANNOT_PARSE)" : NULL;
}

static void fake_insert_destroy(struct chdb_insert *s)
{
    fake.inserts--;
    mem_free(s);
}

static char *fake_buffer(struct chdb_result *r)
{
    return (char *)(uintptr_t)r->text;
}

static size_t fake_length(struct chdb_result *r)
{
    return r->text ? strlen(r->text) : 0;
}

static uint64_t fake_number(struct chdb_result *r)
{
    must(r);
    return 1;
}

static const char *fake_error(struct chdb_result *r)
{
    return r->error;
}

static int fake_classify(struct chdb_conn *conn, const char *sql, size_t n, const char *database,
                         size_t database_n, struct chdb_analysis *ret)
{
    must(conn && sql && n && (database || !database_n));
    ret->statements = 1;
    ret->query_class = fake.flags & 16 ? CHDB_MUTATING : CHDB_READ_ONLY;
    return 0;
}

static void fake_signals(int on)
{
    (void)on;
}

static const struct chdb chdb = {
    .set_signals = fake_signals,
    .connect = fake_connect,
    .close = fake_close,
    .query = fake_query,
    .query_params = fake_query_params,
    .stream_params = fake_stream,
    .stream_fetch = fake_fetch,
    .stream_cancel = fake_cancel,
    .destroy = fake_destroy,
    .insert_open = fake_insert,
    .insert_append = fake_append,
    .insert_done = fake_done,
    .insert_cancel = fake_insert_cancel,
    .insert_error = fake_insert_error,
    .insert_destroy = fake_insert_destroy,
    .buffer = fake_buffer,
    .length = fake_length,
    .rows = fake_number,
    .bytes = fake_number,
    .rows_read = fake_number,
    .bytes_read = fake_number,
    .rows_written = fake_number,
    .bytes_written = fake_number,
    .error = fake_error,
    .classify = fake_classify,
};

/* As the HTTP server does it: parameters, body, run, the rest of the answer. */
static void exchange(struct request *r, struct span in, unsigned step)
{
    struct span line;

    while ((line = span_split(&in, '\n')).n) {
        struct span value = line, name = span_split(&value, '=');
        if (!request_param(r, name, value))
            return;
    }
    if (fake.flags & 32)
        r->decoder = codec_decoder(CODEC_GZIP);
    if (fake.flags & 64)
        r->accept = CODEC_GZIP;
    while (in.n) {
        size_t n = min_size(in.n, step);
        request_body(r, span_cut(in, 0, n));
        in = span_from(in, n);
    }
    request_run(r);
    must(r->error.n || r->last || r->stream);
    if (r->error.n) {
        unsigned status = request_http_status(request_error_code(r));
        must(status >= 400 && status <= 599 && !r->stream && !r->insert && !r->slot);
        return;
    }
    must(request_content_type(r->format));
    for (unsigned i = 0; !r->last; i++) {
        request_more(r);
        must(i < 64 && (r->last || r->out.n));
    }
    must(!r->slot);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    static struct engine *engine;
    struct engine_conf conf = {.path = "/nowhere"};
    struct err e;

    if (n < 2)
        return 0;
    if (!engine)
        must(engine_open(&chdb, &conf, &engine, &e));
    fake.flags = p[0];
    struct request *r = request_new(&chdb, engine, p[1] & 1);
    exchange(r, span_of(p + 2, n - 2), p[1] & 2 ? 7 : 4096);
    request_free(r);
    must(fake.results == 0 && fake.inserts == 0);
    must(fake.conns >= 1 && fake.conns <= 1 + SESSIONS); /* named sessions keep theirs a while */
    return 0;
}
