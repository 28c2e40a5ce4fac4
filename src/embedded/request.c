/* SPDX-License-Identifier: Apache-2.0 */
/* From parameters and body to a statement, from the statement to an answer. Binary inserts go only
 * through the insert stream (the query call loses them silently). Answers of formats whose pieces
 * may follow each other are streamed, others are made whole. */
#include "embedded/request.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"

#include <sys/random.h>

struct request *request_new(const struct chdb *chdb, struct engine *en, bool reader)
{
    struct request *r = mem_zero(sizeof(*r));

    r->chdb = chdb;
    r->en = en;
    r->reader = reader;
    r->level = 3;
    r->text = buf_new(REQUEST_SQL_MAX + (256 << 10));
    r->error = buf_new(64 << 10);
    r->out = buf_new(REQUEST_ANSWER_MAX);
    r->started_ns = clock_mono_ns();
    return r;
}

static void request_release(struct request *r)
{
    if (r->stream) {
        r->chdb->stream_cancel(slot_conn(r->slot), r->stream);
        r->chdb->destroy(r->stream);
        r->stream = NULL;
    }
    if (r->insert) {
        r->chdb->insert_cancel(r->insert);
        r->chdb->insert_destroy(r->insert);
        r->insert = NULL;
    }
    if (r->slot)
        slot_put(r->slot);
    r->slot = NULL;
}

void request_free(struct request *r)
{
    if (!r)
        return;
    request_release(r);
    codec_free(r->decoder);
    codec_free(r->encoder);
    buf_free(&r->text);
    buf_free(&r->error);
    buf_free(&r->out);
    mem_free(r);
}

static bool truthy(struct span v)
{
    return span_eq(v, SPAN("1")) || span_ieq(v, SPAN("true"));
}

/* Parameters that are the interface's own or mean nothing here. */
static bool param_ignored(struct span name)
{
    static const char *const names[] = {
        "user",
        "password",
        "quota_key",
        "session_check",
        "buffer_size",
        "client_protocol_version",
        "stacktrace",
        "role",
        "add_http_cors_header",
        "close_session",
        "http_write_exception_in_output_format",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "cancel_http_readonly_queries_on_client_close",
        "async_insert",
        "wait_for_async_insert",
        "http_response_buffer_size",
    };

    for (size_t i = 0; i < LEN(names); i++)
        if (span_eq(name, span_str(names[i])))
            return true;
    return false;
}

bool request_param(struct request *r, struct span name, struct span value)
{
    uint64_t n;

    if (span_eq(name, SPAN("query"))) {
        r->url_sql = value;
        r->has_query = true;
    } else if (span_eq(name, SPAN("database"))) {
        r->database = value;
    } else if (span_eq(name, SPAN("session_id"))) {
        r->session = value;
    } else if (span_eq(name, SPAN("session_timeout"))) {
        if (span_u64(value, &n) && n > 0 && n <= 3600)
            r->session_timeout_s = (unsigned)n;
    } else if (span_eq(name, SPAN("query_id"))) {
        r->query_id = value;
    } else if (span_eq(name, SPAN("default_format"))) {
        r->default_format = value;
    } else if (span_eq(name, SPAN("wait_end_of_query"))) {
        r->wait_end = truthy(value);
    } else if (span_eq(name, SPAN("enable_http_compression"))) {
        r->compress = truthy(value);
    } else if (span_eq(name, SPAN("http_zlib_compression_level"))) {
        if (span_u64(value, &n) && n >= 1 && n <= 9)
            r->level = (int)n;
    } else if (span_eq(name, SPAN("readonly"))) {
        r->reader = r->reader || !span_eq(value, SPAN("0"));
    } else if (span_eq(name, SPAN("decompress")) || span_eq(name, SPAN("compress"))) {
        if (truthy(value))
            engine_error(&r->error, 48, "NOT_IMPLEMENTED",
                         "ClickHouse's own compressed form is not spoken here: use "
                         "Content-Encoding and enable_http_compression");
    } else if (span_starts(name, SPAN("param_"))) {
        if (r->params_n == REQUEST_PARAMS)
            return false;
        r->params[r->params_n].name = span_from(name, 6);
        r->params[r->params_n++].value = value;
    } else if (!param_ignored(name)) {
        if (r->settings_n == REQUEST_SETTINGS)
            return false;
        r->settings[r->settings_n++] = (struct engine_setting){name, value};
    }
    return true;
}

static void error_take(struct request *r, const char *text)
{
    if (r->error.n)
        return;
    buf_str(&r->error, text);
    if (r->error.full) {
        buf_clear(&r->error);
        buf_add(&r->error, text, 32 << 10);
    }
}

static bool slot_ready(struct request *r)
{
    struct engine_ask ask = {.reader = r->reader,
                             .session = r->session,
                             .session_timeout_s = r->session_timeout_s,
                             .settings = r->settings,
                             .settings_n = r->settings_n,
                             .database = r->database};

    r->slot = slot_get(r->en, &ask, &r->error);
    return r->slot != NULL;
}

static void insert_begin(struct request *r, const struct sql *sql)
{
    if (!slot_ready(r))
        return;
    if (r->reader) {
        engine_error(&r->error, 164, "READONLY", "Cannot execute query in readonly mode");
        return;
    }
    r->insert = r->chdb->insert_open(slot_conn(r->slot), (const char *)sql->text.p, sql->text.n,
                                     (const char *)sql->format.p, sql->format.n);
    const char *text = r->chdb->insert_error(r->insert);
    if (text)
        error_take(r, text);
}

static bool insert_data(struct request *r, struct span piece)
{
    if (piece.n == 0 || r->chdb->insert_append(r->insert, piece.p, piece.n) == 0)
        return true;
    const char *text = r->chdb->insert_error(r->insert);
    error_take(r,
               text ? text : "Code: 1002. DB::Exception: The insert failed. (UNKNOWN_EXCEPTION)");
    return false;
}

/* With SQL in the URL the body is the insert's data, or the statement goes on in it. */
static bool body_begin_url(struct request *r)
{
    struct sql sql = sql_split(r->url_sql, true);

    if (sql.kind != SQL_INSERT_DATA)
        return true;
    insert_begin(r, &sql);
    return !r->error.n && insert_data(r, sql.data);
}

static bool body_piece(void *ctx, struct span piece)
{
    struct request *r = ctx;

    if (r->error.n)
        return false;
    if (r->insert)
        return insert_data(r, piece);
    if (r->text.n == 0 && r->has_query && r->url_sql.n) {
        if (!body_begin_url(r))
            return false;
        if (r->insert)
            return insert_data(r, piece);
        buf_span_add(&r->text, r->url_sql);
        buf_byte(&r->text, '\n');
    }
    buf_span_add(&r->text, piece);
    struct sql sql = sql_split(buf_span(&r->text), false);
    if (sql.kind == SQL_INSERT_DATA) {
        insert_begin(r, &sql);
        return !r->error.n && insert_data(r, sql.data);
    }
    if (r->text.n > REQUEST_SQL_MAX || r->text.full) {
        engine_error(&r->error, 62, "SYNTAX_ERROR", "The statement is longer than %d bytes",
                     REQUEST_SQL_MAX);
        return false;
    }
    return true;
}

void request_body(struct request *r, struct span piece)
{
    if (r->error.n || piece.n == 0)
        return;
    if (!r->decoder)
        body_piece(r, piece);
    else if (!codec_decode(r->decoder, piece, body_piece, r) && !r->error.n)
        engine_error(&r->error, 354, "ZLIB_INFLATE_FAILED", "The compressed body is broken");
}

static void stats_take(struct request *r, struct chdb_result *res)
{
    r->rows_read += r->chdb->rows_read(res);
    r->bytes_read += r->chdb->bytes_read(res);
    r->rows_written += r->chdb->rows_written(res);
    r->bytes_written += r->chdb->bytes_written(res);
    r->result_rows += r->chdb->rows(res);
}

static void insert_end(struct request *r)
{
    struct chdb_result *res = r->chdb->insert_done(r->insert);
    const char *text = r->chdb->error(res);

    if (text)
        error_take(r, text);
    else
        stats_take(r, res);
    r->chdb->destroy(res);
    r->chdb->insert_destroy(r->insert);
    r->insert = NULL;
}

/* Bytes of the answer into out, coded when the client asked for it. */
static void answer_add(struct request *r, struct span s, bool end)
{
    if (r->encoder)
        codec_encode(r->encoder, s, end, &r->out);
    else
        buf_span_add(&r->out, s);
    if (end)
        r->last = true;
    if (r->out.full && !r->error.n)
        engine_error(&r->error, 396, "TOO_MANY_ROWS_OR_BYTES",
                     "The answer is too long for this format: take one that streams");
}

/* The next piece of a stream; false at its end or on an error (r->error). */
static bool stream_piece(struct request *r)
{
    struct chdb_result *res = r->chdb->stream_fetch(slot_conn(r->slot), r->stream);
    const char *text = r->chdb->error(res);
    size_t n = text ? 0 : r->chdb->length(res);

    if (text) {
        error_take(r, text);
    } else if (n) {
        answer_add(r, span_of(r->chdb->buffer(res), n), false);
    }
    stats_take(r, res);
    r->chdb->destroy(res);
    return n > 0;
}

struct bound {
    const char *names[REQUEST_PARAMS], *values[REQUEST_PARAMS];
    size_t names_n[REQUEST_PARAMS], values_n[REQUEST_PARAMS];
};

static void bind_params(const struct request *r, struct bound *b)
{
    for (size_t i = 0; i < r->params_n; i++) {
        b->names[i] = (const char *)r->params[i].name.p;
        b->names_n[i] = r->params[i].name.n;
        b->values[i] = (const char *)r->params[i].value.p;
        b->values_n[i] = r->params[i].value.n;
    }
}

static void run_whole(struct request *r, struct span sql, const struct bound *b)
{
    struct chdb_result *res = r->chdb->query_params(
        slot_conn(r->slot), (const char *)sql.p, sql.n, r->format_text, strlen(r->format_text),
        b->names, b->names_n, b->values, b->values_n, r->params_n);
    const char *text = r->chdb->error(res);

    if (text) {
        error_take(r, text);
    } else {
        stats_take(r, res);
        answer_add(r, span_of(r->chdb->buffer(res), r->chdb->length(res)), true);
    }
    r->chdb->destroy(res);
}

static void run_stream(struct request *r, struct span sql, const struct bound *b)
{
    r->stream = r->chdb->stream_params(slot_conn(r->slot), (const char *)sql.p, sql.n,
                                       r->format_text, strlen(r->format_text), b->names, b->names_n,
                                       b->values, b->values_n, r->params_n);
    const char *text = r->chdb->error(r->stream);
    if (text) {
        error_take(r, text);
        r->chdb->destroy(r->stream);
        r->stream = NULL;
        return;
    }
    /* Small answers end here, whole; so do errors at the start, and all when asked to wait. */
    bool going = true;
    while (going && (r->wait_end || r->out.n < 64 << 10))
        going = stream_piece(r);
    if (going)
        return;
    if (!r->error.n)
        answer_add(r, SPAN(""), true);
    r->chdb->destroy(r->stream);
    r->stream = NULL;
}

/* Statements that answer with rows are streamed; others have an end to wait for. */
static bool answers_rows(struct span sql)
{
    static const char *const heads[] = {"SELECT", "WITH", "FROM", "("};
    struct span s = span_trim(sql);

    for (size_t i = 0; i < LEN(heads); i++)
        if (span_ieq(span_cut(s, 0, strlen(heads[i])), span_str(heads[i])))
            return true;
    return false;
}

static void run_statement(struct request *r, struct span text)
{
    struct sql sql = sql_split(text, true);
    struct bound bound;

    if (sql.kind == SQL_INSERT_DATA) {
        insert_begin(r, &sql);
        if (!r->error.n && insert_data(r, sql.data))
            insert_end(r);
        r->last = true;
        return;
    }
    r->format = sql.format.n          ? sql.format
                : r->default_format.n ? r->default_format
                                      : SPAN("TabSeparated");
    span_copy(r->format, r->format_text, sizeof(r->format_text));
    if (!slot_ready(r) || (r->reader && !slot_reader_may(r->slot, text, &r->error)))
        return;
    if (r->compress && r->accept != CODEC_NONE)
        r->encoder = codec_encoder(r->accept, r->level);
    bind_params(r, &bound);
    if (sql_format_streams(r->format) && answers_rows(text))
        run_stream(r, text, &bound);
    else
        run_whole(r, text, &bound);
}

void request_run(struct request *r)
{
    struct span text = r->text.n ? buf_span(&r->text) : r->url_sql;

    if (r->decoder && !r->error.n && !codec_ended(r->decoder) && (r->insert || r->text.n))
        engine_error(&r->error, 354, "ZLIB_INFLATE_FAILED", "The compressed body is cut off");
    if (!r->error.n && r->insert) {
        insert_end(r);
        r->last = true;
    } else if (!r->error.n && span_trim(text).n == 0) {
        engine_error(&r->error, 62, "SYNTAX_ERROR", "Empty query");
    } else if (!r->error.n) {
        run_statement(r, text);
    }
    if (r->error.n || r->last)
        request_release(r);
}

void request_more(struct request *r)
{
    buf_clear(&r->out);
    r->out_at = 0;
    if (r->last || !r->stream)
        return;
    while (r->out.n == 0 && stream_piece(r))
        continue;
    if (r->error.n) {
        /* Too late for a status: the text goes into the answer, which then breaks off. */
        buf_str(&r->out, "\n__exception__\n");
        buf_span_add(&r->out, buf_span(&r->error));
        r->broken = true;
    }
    if (r->error.n || r->out.n == 0) {
        if (!r->error.n)
            answer_add(r, SPAN(""), true);
        r->last = true;
        request_release(r);
    }
}

unsigned request_error_code(const struct request *r)
{
    struct span s = buf_span(&r->error);
    uint64_t code;

    size_t at = span_find(s, SPAN("Code: "));
    if (at == SIZE_MAX)
        return 0;
    s = span_from(s, at + 6);
    if (!span_u64(span_cut(s, 0, span_find_byte(s, '.')), &code) || code > 100000)
        return 0;
    return (unsigned)code;
}

unsigned request_http_status(unsigned code)
{
    static const struct {
        uint16_t code, status;
    } table[] = {
        {6, 400},   {26, 400},  {27, 400},  {38, 400},  {41, 400},  {42, 400},  {43, 400},
        {62, 400},  {69, 400},  {70, 400},  {72, 400},  {117, 400}, {130, 400}, {36, 400},
        {354, 400}, {456, 400}, {457, 400}, {47, 404},  {46, 404},  {50, 404},  {56, 404},
        {60, 404},  {81, 404},  {115, 404}, {180, 404}, {223, 404}, {53, 400},  {48, 501},
        {159, 408}, {160, 408}, {164, 403}, {192, 403}, {193, 403}, {194, 401}, {497, 403},
        {516, 403}, {202, 503}, {203, 503}, {210, 503}, {209, 503}, {373, 409}, {381, 411},
        {243, 507},
    };

    for (size_t i = 0; i < LEN(table); i++)
        if (table[i].code == code)
            return table[i].status;
    return 500;
}

const char *request_content_type(struct span format)
{
    if (span_ieq(format, SPAN("JSONEachRow")) || span_ieq(format, SPAN("JSONCompactEachRow")))
        return "application/x-ndjson; charset=UTF-8";
    if (span_ieq(span_cut(format, 0, 4), SPAN("JSON")))
        return "application/json; charset=UTF-8";
    if (span_ieq(span_cut(format, 0, 3), SPAN("CSV")))
        return "text/csv; charset=UTF-8; header=absent";
    if (span_ieq(span_cut(format, 0, 3), SPAN("TSV")) ||
        span_ieq(span_cut(format, 0, 12), SPAN("TabSeparated")))
        return "text/tab-separated-values; charset=UTF-8";
    if (span_ieq(span_cut(format, 0, 6), SPAN("Native")) ||
        span_ieq(span_cut(format, 0, 9), SPAN("RowBinary")))
        return "application/octet-stream";
    return "text/plain; charset=UTF-8";
}
