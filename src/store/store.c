/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of connections, requests made of queries, answers turned into errors. */
#include "store/store.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/must.h"
#include "store/http.h"
#include "store/schema.h"

#include <pthread.h>
#include <time.h>

enum { CONNECTIONS_MAX = 32, REQUEST_MAX = 1 << 20, ERROR_TEXT = 8 << 10 };

struct store {
    struct http_target target;
    char *headers, *database;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    struct http_conn *idle[CONNECTIONS_MAX];
    unsigned idle_n, used, max;
};

static char *headers_make(const struct store_conf *conf, struct err *e)
{
    struct buf b CLEANUP(buf_free) = buf_new(4096);

    if (conf->user)
        buf_printf(&b, "X-ClickHouse-User: %s\r\n", conf->user);
    if (conf->password)
        buf_printf(&b, "X-ClickHouse-Key: %s\r\n", conf->password);
    buf_str(&b, "Content-Type: application/octet-stream\r\n");
    if (b.full || (conf->user && strpbrk(conf->user, "\r\n")) ||
        (conf->password && strpbrk(conf->password, "\r\n"))) {
        err_set(e, ERR_CONFIG, "the store's user or password holds a line end or is too long");
        return NULL;
    }
    return mem_strdup(buf_cstr(&b));
}

bool store_open(const struct store_conf *conf, struct store **ret, struct err *e)
{
    struct http_target target;

    if (!http_target_parse(conf->url, &target, e))
        return false;
    target.connect_timeout_ms = conf->connect_timeout_ms ? conf->connect_timeout_ms : 2000;
    char *headers = headers_make(conf, e);
    if (!headers)
        return false;
    if (!http_target_tls(&target, conf->ca_file, e)) {
        mem_free(headers);
        http_target_free(&target);
        return false;
    }
    struct store *s = mem_zero(sizeof(*s));
    s->target = target;
    s->headers = headers;
    s->database = mem_strdup(conf->database ? conf->database : "daizong");
    s->max = conf->connections ? conf->connections : 8;
    if (s->max > CONNECTIONS_MAX)
        s->max = CONNECTIONS_MAX;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->freed, NULL);
    *ret = s;
    return true;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    must(s->used == 0);
    for (unsigned i = 0; i < s->idle_n; i++)
        http_close(s->idle[i]);
    http_target_free(&s->target);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->freed);
    mem_free(s->headers);
    mem_free(s->database);
    mem_free(s);
}

const char *store_database(const struct store *s)
{
    return s->database;
}

/* A connection from the pool, *fresh when it was made now. */
static struct http_conn *conn_take(struct store *s, bool *fresh, struct err *e)
{
    struct http_conn *c = NULL;

    pthread_mutex_lock(&s->lock);
    while (s->used >= s->max)
        pthread_cond_wait(&s->freed, &s->lock);
    s->used++;
    while (s->idle_n && !c) {
        c = s->idle[--s->idle_n];
        if (!http_alive(c)) {
            http_close(c);
            c = NULL;
        }
    }
    pthread_mutex_unlock(&s->lock);
    *fresh = c == NULL;
    if (!c && !http_connect(&s->target, &c, e)) {
        pthread_mutex_lock(&s->lock);
        s->used--;
        pthread_cond_signal(&s->freed);
        pthread_mutex_unlock(&s->lock);
        return NULL;
    }
    return c;
}

static void conn_put(struct store *s, struct http_conn *c, bool good)
{
    pthread_mutex_lock(&s->lock);
    s->used--;
    if (good && s->idle_n < s->max)
        s->idle[s->idle_n++] = c;
    else
        http_close(c);
    pthread_cond_signal(&s->freed);
    pthread_mutex_unlock(&s->lock);
}

static void url_add(struct buf *b, struct span s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '-' || c == '.') {
            buf_byte(b, c);
        } else {
            buf_byte(b, '%');
            buf_byte(b, (uint8_t)hex[c >> 4]);
            buf_byte(b, (uint8_t)hex[c & 15]);
        }
    }
}

static void param_add(struct buf *b, const char *name, struct span value)
{
    buf_byte(b, '&');
    buf_str(b, name);
    buf_byte(b, '=');
    url_add(b, value);
}

static void param_u64(struct buf *b, const char *name, uint64_t v)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
    param_add(b, name, span_str(text));
}

/* TSV escapes, as ClickHouse reads the value of a parameter. */
static void value_escape(struct buf *b, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c == '\\' || c == '\t' || c == '\n' || c == '\r' || c == 0) {
            buf_byte(b, '\\');
            buf_byte(b, c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c == 0 ? '0' : c);
        } else {
            buf_byte(b, c);
        }
    }
}

/* Where the answer goes, and the text of an error. */
struct reader {
    store_sink *sink;
    void *ctx;
    uint64_t left;
    const struct http_answer *answer;
    struct buf error;
    bool stopped;
};

static bool reader_take(void *ctx, struct span piece)
{
    struct reader *r = ctx;

    if (r->answer->status != 200) {
        buf_span_add(&r->error, span_cut(piece, 0, ERROR_TEXT - min_size(r->error.n, ERROR_TEXT)));
        return true;
    }
    if (piece.n > r->left)
        return false;
    r->left -= piece.n;
    r->stopped = !r->sink(r->ctx, piece);
    return !r->stopped;
}

static enum err_kind kind_of(unsigned code, unsigned status)
{
    switch (code) {
    case 159: /* TIMEOUT_EXCEEDED */
    case 160: /* TOO_SLOW */
        return ERR_TIMEOUT;
    case 158: /* TOO_MANY_ROWS */
    case 241: /* MEMORY_LIMIT_EXCEEDED */
    case 243: /* NOT_ENOUGH_SPACE */
    case 307: /* TOO_MANY_BYTES */
    case 396: /* TOO_MANY_ROWS_OR_BYTES */
        return ERR_FULL;
    case 60: /* UNKNOWN_TABLE */
    case 81: /* UNKNOWN_DATABASE */
        return ERR_NOT_FOUND;
    case 164: /* READONLY */
    case 497: /* ACCESS_DENIED */
        return ERR_DENIED;
    case 192: /* UNKNOWN_USER */
    case 193: /* WRONG_PASSWORD */
    case 194: /* REQUIRED_PASSWORD */
    case 516: /* AUTHENTICATION_FAILED */
        return ERR_CONFIG;
    case 202: /* TOO_MANY_SIMULTANEOUS_QUERIES */
    case 209: /* SOCKET_TIMEOUT */
    case 210: /* NETWORK_ERROR */
    case 252: /* TOO_MANY_PARTS */
        return ERR_UNAVAILABLE;
    default:
        return status == 503 ? ERR_UNAVAILABLE : ERR_INVALID;
    }
}

static bool answer_error(const struct http_answer *a, struct buf *text, struct err *e)
{
    struct span s = buf_span(text);
    uint64_t code = a->exception;

    if (!code && span_starts(s, SPAN("Code: "))) {
        struct span rest = span_from(s, 6);
        span_u64(span_cut(rest, 0, span_find_byte(rest, '.')), &code);
    }
    s = span_trim(s);
    return err_set(e, kind_of((unsigned)code, a->status), "store: %.*s", (int)min_size(s.n, 400),
                   (const char *)s.p);
}

static void stats_read(const char *summary, struct store_stats *st)
{
    struct json j;
    struct json_value v;

    *st = (struct store_stats){0};
    json_init(&j, span_str(summary));
    if (json_next(&j, &v) != JSON_OBJECT)
        return;
    while (json_next(&j, &v) == JSON_STRING) {
        uint64_t n = 0;
        if (!span_u64(v.raw, &n))
            continue;
        if (json_key_is(&v, SPAN("read_rows")))
            st->read_rows = n;
        else if (json_key_is(&v, SPAN("read_bytes")))
            st->read_bytes = n;
        else if (json_key_is(&v, SPAN("result_rows")))
            st->result_rows = n;
        else if (json_key_is(&v, SPAN("elapsed_ns")))
            st->elapsed_ns = n;
    }
}

struct call {
    struct span path;
    struct http_body body;
    uint64_t timeout_ns;
    struct reader reader;
    struct store_stats *stats;
};

/* One exchange; *stale: it failed on a kept connection before any answer, and may be tried again.
 */
static bool call_once(struct store *s, struct call *call, bool *stale, struct err *e)
{
    struct http_answer a = {0};
    uint64_t deadline = clock_mono_ns() + call->timeout_ns;
    bool fresh;

    *stale = false;
    struct http_conn *c = conn_take(s, &fresh, e);
    if (!c)
        return false;
    call->reader.answer = &a;
    bool ok = http_post(c, s->target.local ? "store" : s->target.host, call->path,
                        span_str(s->headers), &call->body, deadline, e) &&
              http_read(c, &a, reader_take, &call->reader, deadline, e);
    conn_put(s, c, ok);
    if (!ok) {
        *stale = !fresh && !a.begun && e->kind != ERR_TIMEOUT;
        return false;
    }
    if (a.status != 200)
        return answer_error(&a, &call->reader.error, e);
    if (call->stats)
        stats_read(a.summary, call->stats);
    return true;
}

static bool call_run(struct store *s, struct call *call, struct err *e)
{
    bool stale;

    call->reader.error = buf_new(ERROR_TEXT + 1024);
    bool ok = call_once(s, call, &stale, e);
    if (!ok && stale) {
        buf_clear(&call->reader.error);
        ok = call_once(s, call, &stale, e);
    }
    buf_free(&call->reader.error);
    return ok;
}

static bool sink_none(void *ctx, struct span piece)
{
    (void)ctx;
    (void)piece;
    return true;
}

static bool sink_buf(void *ctx, struct span piece)
{
    struct buf *b = ctx;

    buf_span_add(b, piece);
    return !b->full;
}

static void path_begin(struct store *s, struct buf *path)
{
    buf_str(path, "/?database=");
    url_add(path, span_str(s->database));
}

bool store_ping(struct store *s, char *version, size_t version_cap, struct err *e)
{
    struct buf out CLEANUP(buf_free) = buf_new(256);
    struct call call = {.path = SPAN("/?default_format=TabSeparated"),
                        .body.text = SPAN("SELECT version()"),
                        .timeout_ns = 5 * (uint64_t)NS_PER_S,
                        .reader = {.sink = sink_buf, .ctx = &out, .left = 200}};

    if (!call_run(s, &call, e))
        return false;
    if (version)
        span_copy(span_trim(buf_span(&out)), version, version_cap);
    return true;
}

bool store_wait(struct store *s, unsigned timeout_ms, struct err *e)
{
    uint64_t until = clock_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    const struct timespec pause = {0, 50 * NS_PER_MS};

    while (!store_ping(s, NULL, 0, e)) {
        if (e->kind == ERR_CONFIG || clock_mono_ns() >= until)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

bool store_exec(struct store *s, const char *sql, struct err *e)
{
    struct buf path CLEANUP(buf_free) = buf_new(REQUEST_MAX);
    struct call call = {.body.text = span_str(sql),
                        .timeout_ns = 300 * (uint64_t)NS_PER_S,
                        .reader = {.sink = sink_none, .left = UINT64_MAX}};

    buf_str(&path, "/?wait_end_of_query=1");
    call.path = buf_span(&path);
    return call_run(s, &call, e);
}

static void scope_add(struct buf *path, const struct store_scope *scope)
{
    struct buf filter CLEANUP(buf_free) = buf_new(REQUEST_MAX);
    struct buf map CLEANUP(buf_free) = buf_new(REQUEST_MAX);

    if (scope->all)
        return;
    buf_str(&filter, scope->units_n ? "daizong_unit IN (" : "0");
    for (size_t i = 0; i < scope->units_n; i++) {
        if (i)
            buf_str(&filter, ", ");
        schema_quote(&filter, span_str(scope->units[i]));
    }
    if (scope->units_n)
        buf_byte(&filter, ')');
    buf_byte(&map, '{');
    for (size_t i = 0; i < schema_unit_tables_n; i++) {
        buf_str(&map, i ? ", " : "");
        schema_quote(&map, span_str(schema_unit_tables[i]));
        buf_str(&map, ": ");
        schema_quote(&map, buf_span(&filter));
    }
    buf_byte(&map, '}');
    /* A scope that does not fit must not become no scope. */
    must(!filter.full && !map.full);
    param_add(path, "additional_table_filters", buf_span(&map));
}

static void limits_add(struct buf *path, const struct store_limits *l)
{
    char text[32];
    unsigned ms = l->time_ms ? l->time_ms : 10000;

    snprintf(text, sizeof(text), "%u", (ms + 999) / 1000);
    param_add(path, "max_execution_time", span_str(text));
    param_u64(path, "max_memory_usage", l->memory_bytes ? l->memory_bytes : 512u << 20);
    param_u64(path, "max_result_rows", l->result_rows ? l->result_rows : 100000);
    param_add(path, "result_overflow_mode", l->cut ? SPAN("break") : SPAN("throw"));
    if (l->read_rows)
        param_u64(path, "max_rows_to_read", l->read_rows);
}

bool store_stream(struct store *s, const struct store_query *q, store_sink *sink, void *ctx,
                  struct store_stats *stats, struct err *e)
{
    struct buf path CLEANUP(buf_free) = buf_new(REQUEST_MAX);
    struct buf value CLEANUP(buf_free) = buf_new(REQUEST_MAX);
    unsigned ms = q->limits.time_ms ? q->limits.time_ms : 10000;
    char name[80];

    path_begin(s, &path);
    param_add(&path, "readonly", SPAN("1"));
    param_add(&path, "default_format", span_str(q->format ? q->format : "JSONCompact"));
    limits_add(&path, &q->limits);
    scope_add(&path, &q->scope);
    for (size_t i = 0; i < q->params_n; i++) {
        must(strlen(q->params[i].name) < sizeof(name) - 8);
        snprintf(name, sizeof(name), "param_%s", q->params[i].name);
        buf_clear(&value);
        value_escape(&value, q->params[i].value);
        param_add(&path, name, buf_span(&value));
    }
    if (path.full || value.full)
        return err_set(e, ERR_INVALID, "the query's parameters are too long");
    struct call call = {
        .path = buf_span(&path),
        .body.text = span_str(q->sql),
        .timeout_ns = ((uint64_t)ms + 2000) * NS_PER_MS,
        .reader = {.sink = sink,
                   .ctx = ctx,
                   .left = q->limits.answer_bytes ? q->limits.answer_bytes : 64u << 20},
        .stats = stats};
    return call_run(s, &call, e);
}

bool store_query(struct store *s, const struct store_query *q, struct buf *out,
                 struct store_stats *stats, struct err *e)
{
    size_t before = out->n;

    if (store_stream(s, q, sink_buf, out, stats, e))
        return true;
    out->n = before;
    return false;
}

bool store_query_u64(struct store *s, const struct store_query *q, uint64_t *ret, struct err *e)
{
    struct buf out CLEANUP(buf_free) = buf_new(4096);
    struct store_query one = *q;

    one.format = "TabSeparated";
    if (!store_query(s, &one, &out, NULL, e))
        return false;
    struct span rest = span_trim(buf_span(&out));
    struct span line = span_split(&rest, '\n');
    if (!span_u64(span_split(&line, '\t'), ret))
        return err_set(e, ERR_PROTOCOL, "the store did not answer with a number");
    return true;
}

bool store_insert(struct store *s, const char *into, const char *format,
                  const struct store_data *data, const char *token, struct err *e)
{
    struct buf path CLEANUP(buf_free) = buf_new(REQUEST_MAX);
    struct buf sql CLEANUP(buf_free) = buf_new(REQUEST_MAX);
    struct call call = {.body = {.text = data->text,
                                 .fd = data->fd,
                                 .at = data->at,
                                 .n = data->n,
                                 .packed = data->packed},
                        .timeout_ns = 120 * (uint64_t)NS_PER_S,
                        .reader = {.sink = sink_none, .left = UINT64_MAX}};

    path_begin(s, &path);
    buf_printf(&sql, "INSERT INTO %s FORMAT %s", into, format);
    param_add(&path, "query", buf_span(&sql));
    param_add(&path, "async_insert", SPAN("0"));
    /* Old captures span many days, and a partition is a day. */
    param_add(&path, "max_partitions_per_insert_block", SPAN("0"));
    param_add(&path, "deduplicate_blocks_in_dependent_materialized_views", SPAN("1"));
    if (token)
        param_add(&path, "insert_deduplication_token", span_str(token));
    if (path.full || sql.full)
        return err_set(e, ERR_INVALID, "the insert's statement is too long");
    call.path = buf_span(&path);
    return call_run(s, &call, e);
}
