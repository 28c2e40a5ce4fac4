/* SPDX-License-Identifier: Apache-2.0 */
/* Between libmicrohttpd and requests: reads parameters and headers, feeds the body, sends answers.
 */
#include "embedded/server.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "embedded/request.h"

#include <microhttpd.h>
#include <sys/random.h>
#include <unistd.h>

enum { BODY_PIECE = 64 << 10 };

struct server {
    const struct chdb *chdb;
    struct engine *en;
    struct server_conf conf;
    struct MHD_Daemon *daemon;
};

/* What MHD keeps for one request. */
struct exchange {
    struct server *srv;
    struct request *req;
    bool parsed;
};

static struct span copy_value(const char *value, size_t n)
{
    return value ? span_of(value, n) : (struct span){(const uint8_t *)"", 0};
}

static enum MHD_Result on_param(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_n,
                                const char *value, size_t value_n)
{
    (void)kind;
    return request_param(cls, span_of(key, key_n), copy_value(value, value_n)) ? MHD_YES : MHD_NO;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static void id_make(struct request *r)
{
    uint8_t b[16];
    char hex[33];

    if (r->query_id.n && r->query_id.n < sizeof(r->id)) {
        span_copy(r->query_id, r->id, sizeof(r->id));
        for (char *p = r->id; *p; p++)
            if (!ascii_is_print((uint8_t)*p))
                *p = '_';
        return;
    }
    if (getrandom(b, sizeof(b), 0) != sizeof(b))
        memset(b, 0, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    hex_text(span_of(b, sizeof(b)), hex);
    snprintf(r->id, sizeof(r->id), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
}

static bool same_secret(const char *a, const char *b)
{
    size_t an = strlen(a), bn = strlen(b);
    unsigned char diff = an != bn;

    for (size_t i = 0; i < an; i++)
        diff |= (unsigned char)(a[i] ^ b[bn ? i % bn : 0]);
    return diff == 0;
}

static bool allowed(struct server *srv, struct MHD_Connection *c)
{
    char *password = NULL;

    if (!srv->conf.password)
        return true;
    const char *key = header(c, "X-ClickHouse-Key");
    if (!key)
        key = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "password");
    if (key)
        return same_secret(key, srv->conf.password);
    char *user = MHD_basic_auth_get_username_password(c, &password);
    bool ok = password && same_secret(password, srv->conf.password);
    MHD_free(user);
    MHD_free(password);
    return ok;
}

static void head_read(struct exchange *x, struct MHD_Connection *c)
{
    struct request *r = x->req;

    x->parsed = true;
    if (!r->error.n && !allowed(x->srv, c))
        engine_error(&r->error, 516, "AUTHENTICATION_FAILED",
                     "default: Authentication failed: password is incorrect");
    MHD_get_connection_values_n(c, MHD_GET_ARGUMENT_KIND, on_param, r);
    if (r->settings_n == REQUEST_SETTINGS || r->params_n == REQUEST_PARAMS)
        engine_error(&r->error, 36, "BAD_ARGUMENTS", "Too many parameters");
    const char *h = header(c, "X-ClickHouse-Database");
    if (h && !r->database.n)
        r->database = span_str(h);
    h = header(c, "X-ClickHouse-Format");
    if (h && !r->default_format.n)
        r->default_format = span_str(h);
    h = header(c, "Accept-Encoding");
    r->accept = h ? codec_accepted(h) : CODEC_NONE;
    enum codec_type coding = codec_named(header(c, "Content-Encoding"));
    if (coding == CODEC_UNKNOWN)
        engine_error(&r->error, 48, "NOT_IMPLEMENTED",
                     "Content-Encoding is not one of gzip, deflate, zstd, lz4");
    else if (coding != CODEC_NONE)
        r->decoder = codec_decoder(coding);
    id_make(r);
}

static void headers_add(struct exchange *x, struct MHD_Response *resp, const char *type)
{
    struct request *r = x->req;
    char text[320];

    MHD_add_response_header(resp, "Content-Type", type);
    MHD_add_response_header(resp, "X-ClickHouse-Query-Id", r->id);
    MHD_add_response_header(resp, "X-ClickHouse-Server-Display-Name", x->srv->conf.name);
    MHD_add_response_header(resp, "X-ClickHouse-Timezone", "UTC");
    if (r->format_text[0])
        MHD_add_response_header(resp, "X-ClickHouse-Format", r->format_text);
    snprintf(text, sizeof(text),
             "{\"read_rows\":\"%llu\",\"read_bytes\":\"%llu\",\"written_rows\":\"%llu\","
             "\"written_bytes\":\"%llu\",\"total_rows_to_read\":\"0\",\"result_rows\":\"%llu\","
             "\"result_bytes\":\"%llu\",\"elapsed_ns\":\"%llu\"}",
             (unsigned long long)r->rows_read, (unsigned long long)r->bytes_read,
             (unsigned long long)r->rows_written, (unsigned long long)r->bytes_written,
             (unsigned long long)r->result_rows, (unsigned long long)r->out.n,
             (unsigned long long)(clock_mono_ns() - r->started_ns));
    MHD_add_response_header(resp, "X-ClickHouse-Summary", text);
}

static enum MHD_Result send_error(struct exchange *x, struct MHD_Connection *c)
{
    struct request *r = x->req;
    unsigned code = request_error_code(r);
    char text[16];

    buf_byte(&r->error, '\n');
    struct MHD_Response *resp =
        MHD_create_response_from_buffer(r->error.n, r->error.p, MHD_RESPMEM_MUST_COPY);
    snprintf(text, sizeof(text), "%u", code ? code : 1002);
    r->format_text[0] = '\0';
    headers_add(x, resp, "text/plain; charset=UTF-8");
    MHD_add_response_header(resp, "X-ClickHouse-Exception-Code", text);
    if (code == 516)
        MHD_add_response_header(resp, "WWW-Authenticate",
                                "Basic realm=\"ClickHouse server HTTP API\"");
    enum MHD_Result ok = MHD_queue_response(c, request_http_status(code), resp);
    MHD_destroy_response(resp);
    return ok;
}

static ssize_t stream_read(void *cls, uint64_t at, char *to, size_t max)
{
    struct request *r = cls;

    (void)at;
    if (r->out_at == r->out.n) {
        if (r->broken)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (r->last)
            return MHD_CONTENT_READER_END_OF_STREAM;
        request_more(r);
        if (r->out.n == 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t n = min_size(max, r->out.n - r->out_at);
    memcpy(to, r->out.p + r->out_at, n);
    r->out_at += n;
    return (ssize_t)n;
}

static enum MHD_Result send_answer(struct exchange *x, struct MHD_Connection *c)
{
    struct request *r = x->req;
    struct MHD_Response *resp;

    if (r->last) {
        resp = MHD_create_response_from_buffer(r->out.n, r->out.n ? r->out.p : NULL,
                                               MHD_RESPMEM_PERSISTENT);
    } else {
        resp = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 64 << 10, stream_read, r, NULL);
    }
    if (!resp)
        return MHD_NO;
    headers_add(x, resp, request_content_type(span_str(r->format_text)));
    if (r->encoder && r->out.n)
        MHD_add_response_header(resp, "Content-Encoding", codec_name(r->accept));
    enum MHD_Result ok = MHD_queue_response(c, MHD_HTTP_OK, resp);
    MHD_destroy_response(resp);
    return ok;
}

static enum MHD_Result send_text(struct MHD_Connection *c, unsigned status, const char *text)
{
    struct MHD_Response *resp = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

    MHD_add_response_header(resp, "Content-Type", "text/html; charset=UTF-8");
    enum MHD_Result ok = MHD_queue_response(c, status, resp);
    MHD_destroy_response(resp);
    return ok;
}

static bool is_post(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
}

static enum MHD_Result respond(struct exchange *x, struct MHD_Connection *c, const char *url,
                               const char *method)
{
    struct request *r = x->req;

    if (strcmp(url, "/ping") == 0 || strcmp(url, "/replicas_status") == 0)
        return send_text(c, MHD_HTTP_OK, "Ok.\n");
    if (strcmp(url, "/") != 0)
        return send_text(c, MHD_HTTP_NOT_FOUND,
                         "There is no handle for this path: use /ping or /?query=…\n");
    if (!is_post(method) && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return send_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "Use GET or POST\n");
    if (!is_post(method) && !r->has_query && !r->error.n)
        return send_text(c, MHD_HTTP_OK, "Ok.\n");
    /* As a server does: GET never changes anything. */
    if (!is_post(method))
        r->reader = true;
    request_run(r);
    return r->error.n ? send_error(x, c) : send_answer(x, c);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_n, void **state)
{
    struct server *srv = cls;
    struct exchange *x = *state;

    (void)version;
    if (!x) {
        x = mem_zero(sizeof(*x));
        x->srv = srv;
        x->req = request_new(srv->chdb, srv->en, srv->conf.reader);
        *state = x;
        return MHD_YES;
    }
    if (!x->parsed)
        head_read(x, c);
    if (*body_n) {
        request_body(x->req, span_of(body, *body_n));
        *body_n = 0;
        return MHD_YES;
    }
    return respond(x, c, url, method);
}

static void on_end(void *cls, struct MHD_Connection *c, void **state,
                   enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *state;

    (void)cls, (void)c, (void)why;
    if (!x)
        return;
    request_free(x->req);
    mem_free(x);
    *state = NULL;
}

bool server_start(const struct chdb *chdb, struct engine *en, const struct server_conf *conf,
                  struct server **ret, struct err *e)
{
    struct server *s = mem_zero(sizeof(*s));

    s->chdb = chdb;
    s->en = en;
    s->conf = *conf;
    s->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL,
        NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, conf->fd, MHD_OPTION_NOTIFY_COMPLETED,
        on_end, NULL, MHD_OPTION_CONNECTION_LIMIT, conf->connections ? conf->connections : 64,
        MHD_OPTION_CONNECTION_TIMEOUT, 120, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)(BODY_PIECE * 4), MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)BODY_PIECE,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)(512 << 10), MHD_OPTION_END);
    if (!s->daemon) {
        mem_free(s);
        return err_set(e, ERR_IO, "cannot serve HTTP: %m");
    }
    *ret = s;
    return true;
}

void server_stop(struct server *s)
{
    if (!s)
        return;
    MHD_stop_daemon(s->daemon);
    mem_free(s);
}
