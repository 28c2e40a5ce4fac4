/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server over libmicrohttpd. One exchange is made when the request line is there, lives
 * until the connection has sent the answer, and wanders: I/O thread (head, body) → suspended while
 * a worker runs it → I/O thread again (answer). Streams stay on the I/O thread and are suspended
 * while they have nothing to say. libmicrohttpd frees what it was given last, so an exchange is
 * released in its completion callback and nowhere else. */
#include "api/httpd.h"

#include "api/gzip.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ARENA_MAX = 24u << 20, /* the most alert groups of an answer need 16 MB */
    HEAD_MAX = 64u << 10,
    STREAM_BLOCK = 16u << 10,
};

enum stage { STAGE_HEAD, STAGE_BODY, STAGE_RUNNING, STAGE_DONE, STAGE_SENT };

struct exchange {
    struct http_request rq;
    struct span raw_uri;
    _Atomic enum stage stage;
    bool bad_uri, too_long;
    int body_fd;
    atomic_bool asleep; /* stream: suspended */
    struct exchange *next, **prev;
    struct exchange *next_job;
};

struct httpd {
    struct MHD_Daemon *mhd;
    struct http_handler handler;
    struct httpd_config config;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct exchange *jobs_first, **jobs_last;
    unsigned jobs, workers;
    pthread_t worker[64];
    struct exchange *streams;
    unsigned stream_count;
    bool stopping;             /* under the lock */
    atomic_bool streams_ended; /* the same, for streams */
    _Atomic uint64_t requests, connections, refused_full, refused_uri, answers_5xx, answers_4xx,
        bytes_out;
    _Atomic unsigned open;
};

/* --- the request line --- */

bool http_decode(struct arena *a, struct span raw, bool plus, struct span *ret)
{
    uint8_t *to = arena_get(a, raw.n + 1);
    size_t n = 0;
    if (!to)
        return false;
    for (size_t i = 0; i < raw.n; i++) {
        uint8_t c = raw.p[i];
        if (c == '%') {
            if (raw.n - i < 3)
                return false;
            int high = ascii_hex(raw.p[i + 1]);
            int low = ascii_hex(raw.p[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == 0)
            return false;
        to[n++] = c;
    }
    to[n] = 0;
    *ret = span_of(to, n);
    return true;
}

static bool parse_uri(struct http_request *rq, struct span uri)
{
    struct span path = span_split(&uri, '?');
    if (path.n == 0 || path.p[0] != '/' || !http_decode(&rq->arena, path, false, &rq->path))
        return false;
    while (uri.n > 0) {
        struct span part = span_split(&uri, '&');
        if (part.n == 0)
            continue;
        struct span name = span_split(&part, '=');
        if (rq->queries == HTTP_QUERY_MAX)
            return false;
        struct http_pair *pair = &rq->query[rq->queries++];
        if (!http_decode(&rq->arena, name, true, &pair->name))
            return false;
        if (!http_decode(&rq->arena, part, true, &pair->value))
            return false;
    }
    return true;
}

static enum http_method method_of(const char *name)
{
    static const struct {
        const char *name;
        enum http_method method;
    } known[] = {{"GET", HTTP_GET},
                 {"HEAD", HTTP_HEAD},
                 {"POST", HTTP_POST},
                 {"PUT", HTTP_PUT},
                 {"DELETE", HTTP_DELETE}};
    for (size_t i = 0; i < LEN(known); i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].method;
    return HTTP_OTHER;
}

/* libmicrohttpd calls this with the raw request line and keeps what it returns as the context. */
static void *uri_seen(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct httpd *h = cls;
    struct exchange *x = mem_zero(sizeof(*x));
    x->body_fd = -1;
    x->rq.server = h;
    x->rq.connection = connection;
    arena_init(&x->rq.arena, NULL, ARENA_MAX);
    x->rq.body = buf_new(0);
    x->rq.answer.body = buf_new(256u << 20);
    struct span raw = arena_dup(&x->rq.arena, span_str(uri));
    x->bad_uri = !raw.p || !parse_uri(&x->rq, raw);
    return x;
}

static void read_peer(struct http_request *rq)
{
    const union MHD_ConnectionInfo *info;
    rq->peer = (struct http_peer){.uid = (uid_t)-1, .text = "unknown"};
    info = MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int fd = info ? info->connect_fd : -1;
    int domain = 0;
    socklen_t len = sizeof(domain);
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0)
        return;
    info = MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *sa = info ? info->client_addr : NULL;
    if (!sa)
        return;
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)sa;
        rq->peer.ip = ip_v4((const uint8_t *)&in->sin_addr);
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)sa;
        const uint8_t *b = in6->sin6_addr.s6_addr;
        rq->peer.ip = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? ip_v4(b + 12) : ip_v6(b);
    } else if (domain == AF_UNIX) {
        struct ucred who;
        len = sizeof(who);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0) {
            rq->peer.local = true;
            rq->peer.uid = who.uid;
            memcpy(rq->peer.text, "local", sizeof("local"));
        }
        return;
    } else {
        return;
    }
    ip_text(&rq->peer.ip, rq->peer.text);
    rq->peer.tls = domain == AF_UNIX; /* the relay's socketpair with the client's address */
}

/* --- the answer --- */

static void wake(struct exchange *x)
{
    bool expect = true;
    if (atomic_compare_exchange_strong(&x->asleep, &expect, false))
        MHD_resume_connection(x->rq.connection);
}

static ssize_t stream_read(void *cls, uint64_t pos, char *to, size_t cap)
{
    struct exchange *x = cls;
    struct httpd *h = x->rq.server;
    struct http_answer *a = &x->rq.answer;
    (void)pos;
    if (h->streams_ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    ssize_t n = a->pull(a->stream, to, cap);
    if (n < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (n > 0) {
        h->bytes_out += (uint64_t)n;
        return n;
    }
    /* Announce sleep before looking once more: a wake between the two is then never lost. */
    MHD_suspend_connection(x->rq.connection);
    atomic_store(&x->asleep, true);
    if (h->streams_ended || a->ready(a->stream))
        wake(x);
    return 0;
}

void http_wake(struct http_request *rq)
{
    wake(CONTAINER_OF(rq, struct exchange, rq));
}

static void add_headers(struct MHD_Response *r, const struct http_answer *a)
{
    static const struct http_header always[] = {
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
        {"Content-Security-Policy",
         "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
         "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    };
    for (size_t i = 0; i < LEN(always); i++)
        MHD_add_response_header(r, always[i].name, always[i].value);
    if (a->type)
        MHD_add_response_header(r, "Content-Type", a->type);
    bool cache = false;
    for (size_t i = 0; i < a->headers; i++) {
        MHD_add_response_header(r, a->header[i].name, a->header[i].value);
        cache |= strcmp(a->header[i].name, "Cache-Control") == 0;
    }
    if (!cache)
        MHD_add_response_header(r, "Cache-Control", "no-store");
}

/* The bytes stay where they are until the exchange is released. */
static struct MHD_Response *response_of(struct span s)
{
    void *p;
    memcpy(&p, &s.p, sizeof(p));
    return MHD_create_response_from_buffer(s.n, p, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_answer(struct exchange *x)
{
    struct http_answer *a = &x->rq.answer;
    struct httpd *h = x->rq.server;
    struct MHD_Response *r;
    if (a->body.full) {
        a->status = 500;
        buf_clear(&a->body);
        buf_str(&a->body,
                "{\"error\":{\"code\":\"internal\",\"message\":\"the answer is larger than "
                "256 MiB\",\"hint\":\"ask for less\"}}\n");
    }
    if (a->stream)
        r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, x, NULL);
    else if (a->constant.n > 0)
        r = response_of(a->constant);
    else
        r = response_of(buf_span(&a->body));
    if (!r)
        return MHD_NO;
    add_headers(r, a);
    if (a->status >= 500)
        h->answers_5xx++;
    else if (a->status >= 400)
        h->answers_4xx++;
    if (!a->stream)
        h->bytes_out += a->constant.n ? a->constant.n : a->body.n;
    x->stage = STAGE_SENT;
    enum MHD_Result ok = MHD_queue_response(x->rq.connection, a->status, r);
    MHD_destroy_response(r); /* the connection holds its own reference */
    return ok;
}

static enum MHD_Result refuse(struct exchange *x, unsigned status, const char *code,
                              const char *message, const char *hint)
{
    struct http_answer *a = &x->rq.answer;
    a->status = status;
    a->type = "application/json";
    buf_clear(&a->body);
    buf_printf(&a->body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"hint\":\"%s\"}}\n", code,
               message, hint);
    return send_answer(x);
}

/* --- the life of an exchange --- */

static bool enqueue(struct exchange *x)
{
    struct httpd *h = x->rq.server;
    pthread_mutex_lock(&h->lock);
    bool room = h->jobs < h->config.queue && !h->stopping;
    if (room) {
        MHD_suspend_connection(x->rq.connection);
        x->stage = STAGE_RUNNING;
        x->next_job = NULL;
        *h->jobs_last = x;
        h->jobs_last = &x->next_job;
        h->jobs++;
        pthread_cond_signal(&h->wake);
    }
    pthread_mutex_unlock(&h->lock);
    return room;
}

static void *worker_main(void *cls)
{
    struct httpd *h = cls;
    pthread_setname_np(pthread_self(), "http-worker");
    pthread_mutex_lock(&h->lock);
    for (;;) {
        while (!h->jobs_first && !h->stopping)
            pthread_cond_wait(&h->wake, &h->lock);
        struct exchange *x = h->jobs_first;
        if (!x)
            break;
        h->jobs_first = x->next_job;
        if (!h->jobs_first)
            h->jobs_last = &h->jobs_first;
        h->jobs--;
        pthread_mutex_unlock(&h->lock);
        h->handler.run(h->handler.ctx, &x->rq);
        http_gzip(&x->rq);
        x->stage = STAGE_DONE;
        MHD_resume_connection(x->rq.connection);
        pthread_mutex_lock(&h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static enum MHD_Result head_is_there(struct exchange *x, const char *method)
{
    struct httpd *h = x->rq.server;
    h->requests++;
    x->rq.method = method_of(method);
    read_peer(&x->rq);
    if (x->bad_uri) {
        h->refused_uri++;
        return refuse(x, 400, "bad_request", "the request line is not well formed",
                      "check the path's and the parameters' percent signs");
    }
    if (!h->handler.admit(h->handler.ctx, &x->rq))
        return send_answer(x);
    struct span length = http_header_get(&x->rq, "Content-Length");
    uint64_t n;
    if (length.n > 0 && (!span_u64(length, &n) || n > x->rq.body_max))
        return refuse(x, 413, "too_large", "the body is larger than this route takes",
                      "send less at a time");
    if (x->rq.body_file) {
        x->body_fd = open(x->rq.body_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (x->body_fd < 0) {
            log_error("cannot write %s: %m", x->rq.body_file);
            return refuse(x, 507, "full", "the capture folder cannot be written",
                          "make room in the node's data folder");
        }
    } else {
        x->rq.body = buf_new(x->rq.body_max + 1);
    }
    x->stage = STAGE_BODY;
    return MHD_YES;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static void body_part(struct exchange *x, const char *data, size_t n)
{
    x->rq.body_bytes += n;
    if (x->too_long || x->rq.body_bytes > x->rq.body_max) {
        x->too_long = true;
        return;
    }
    if (x->body_fd >= 0) {
        if (!write_all(x->body_fd, data, n))
            x->too_long = true;
    } else {
        buf_add(&x->rq.body, data, n);
    }
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_n, void **context)
{
    struct exchange *x = *context;
    (void)cls, (void)connection, (void)url, (void)version;
    if (!x)
        return MHD_NO;
    switch ((enum stage)atomic_load(&x->stage)) {
    case STAGE_HEAD:
        return head_is_there(x, method);
    case STAGE_BODY:
        if (*data_n > 0) {
            body_part(x, data, *data_n);
            *data_n = 0;
            return MHD_YES;
        }
        if (x->body_fd >= 0) {
            close(x->body_fd);
            x->body_fd = -1;
        }
        if (x->too_long)
            return refuse(x, 413, "too_large", "the body is larger than this route takes",
                          "send less at a time");
        if (!enqueue(x)) {
            x->rq.server->refused_full++;
            http_header_set(&x->rq, "Retry-After", "1");
            return refuse(x, 503, "busy", "too many requests are waiting",
                          "try again in some seconds");
        }
        return MHD_YES;
    case STAGE_RUNNING:
        return MHD_YES; /* woken before its time */
    case STAGE_DONE:
        if (x->rq.answer.stream) {
            struct httpd *h = x->rq.server;
            pthread_mutex_lock(&h->lock);
            x->next = h->streams;
            x->prev = &h->streams;
            if (h->streams)
                h->streams->prev = &x->next;
            h->streams = x;
            h->stream_count++;
            pthread_mutex_unlock(&h->lock);
        }
        return send_answer(x);
    default:
        return MHD_NO;
    }
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct httpd *h = cls;
    struct exchange *x = *context;
    (void)connection, (void)why;
    if (!x)
        return;
    *context = NULL;
    if (x->prev) {
        pthread_mutex_lock(&h->lock);
        *x->prev = x->next;
        if (x->next)
            x->next->prev = x->prev;
        h->stream_count--;
        pthread_mutex_unlock(&h->lock);
    }
    if (x->rq.answer.stream && x->rq.answer.close)
        x->rq.answer.close(x->rq.answer.stream);
    if (x->body_fd >= 0)
        close(x->body_fd);
    if (x->rq.body_file && x->stage < STAGE_RUNNING)
        unlink(x->rq.body_file);
    buf_free(&x->rq.body);
    buf_free(&x->rq.answer.body);
    arena_free(&x->rq.arena);
    mem_free(x);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct httpd *h = cls;
    (void)connection, (void)context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        h->open++;
        h->connections++;
    } else {
        h->open--;
    }
}

/* --- start and stop --- */

static void log_mhd(void *cls, const char *fmt, va_list ap)
{
    char text[300];
    (void)cls;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(text, sizeof(text), fmt, ap);
#pragma GCC diagnostic pop
    text[strcspn(text, "\n")] = '\0';
    log_debug("http: %s", text);
}

struct httpd *httpd_start(const struct httpd_config *config, const struct http_handler *handler,
                          struct err *e)
{
    struct httpd *h = mem_zero(sizeof(*h));
    h->handler = *handler;
    h->config = *config;
    h->jobs_last = &h->jobs_first;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    h->mhd = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
            MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, log_mhd, NULL,
        MHD_OPTION_THREAD_POOL_SIZE, config->io_threads, MHD_OPTION_CONNECTION_LIMIT,
        config->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->connections_per_ip,
        MHD_OPTION_CONNECTION_TIMEOUT, config->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEAD_MAX, MHD_OPTION_URI_LOG_CALLBACK, uri_seen, h, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!h->mhd) {
        err_set(e, ERR_INTERNAL, "the HTTP server does not start");
        pthread_mutex_destroy(&h->lock);
        pthread_cond_destroy(&h->wake);
        mem_free(h);
        return NULL;
    }
    h->workers = config->workers < LEN(h->worker) ? config->workers : LEN(h->worker);
    for (unsigned i = 0; i < h->workers; i++)
        if (pthread_create(&h->worker[i], NULL, worker_main, h) != 0) {
            h->workers = i;
            break;
        }
    return h;
}

void httpd_stop(struct httpd *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    h->streams_ended = true;
    pthread_cond_broadcast(&h->wake);
    for (struct exchange *x = h->streams; x; x = x->next)
        wake(x);
    pthread_mutex_unlock(&h->lock);
    for (unsigned i = 0; i < h->workers; i++)
        pthread_join(h->worker[i], NULL);
    MHD_stop_daemon(h->mhd);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->wake);
    mem_free(h);
}

bool httpd_add(struct httpd *h, int fd, const struct sockaddr *peer, unsigned peer_len)
{
    return MHD_add_connection(h->mhd, fd, peer, (socklen_t)peer_len) == MHD_YES;
}

struct span http_header_get(const struct http_request *rq, const char *name)
{
    const char *v = MHD_lookup_connection_value(rq->connection, MHD_HEADER_KIND, name);
    return span_str(v);
}

struct span http_cookie_get(const struct http_request *rq, const char *name)
{
    const char *v = MHD_lookup_connection_value(rq->connection, MHD_COOKIE_KIND, name);
    return span_str(v);
}

void http_header_set(struct http_request *rq, const char *name, const char *value)
{
    struct http_answer *a = &rq->answer;
    if (value && a->headers < HTTP_HEADERS_MAX)
        a->header[a->headers++] = (struct http_header){name, value};
}

struct http_counters httpd_counters(struct httpd *h)
{
    struct http_counters c = {.requests = h->requests,
                              .connections = h->connections,
                              .refused_full = h->refused_full,
                              .refused_uri = h->refused_uri,
                              .answers_5xx = h->answers_5xx,
                              .answers_4xx = h->answers_4xx,
                              .bytes_out = h->bytes_out,
                              .open = h->open};
    pthread_mutex_lock(&h->lock);
    c.queued = h->jobs;
    c.streams = h->stream_count;
    pthread_mutex_unlock(&h->lock);
    return c;
}
