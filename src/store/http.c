/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets without blocking under poll, chunked and counted bodies, TLS where asked. */
#include "store/http.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_PIECE = 64 << 10, FILE_PIECE = 256 << 10 };

struct http_conn {
    int fd;
    SSL *ssl;
    struct buf in; /* read but not used */
    bool keep;
};

bool http_target_parse(const char *url, struct http_target *ret, struct err *e)
{
    struct span s = span_str(url);

    *ret = (struct http_target){0};
    if (span_starts(s, SPAN("unix:"))) {
        s = span_from(s, 5);
        if (s.n == 0 || s.n >= sizeof(ret->path))
            return err_set(e, ERR_CONFIG, "store URL %s: the socket's path has 1 to %zu bytes", url,
                           sizeof(ret->path) - 1);
        ret->local = true;
        span_copy(s, ret->path, sizeof(ret->path));
        return true;
    }
    ret->tls = span_starts(s, SPAN("https://"));
    if (!ret->tls && !span_starts(s, SPAN("http://")))
        return err_set(e, ERR_CONFIG, "store URL %s: begins with unix:, http:// or https://", url);
    s = span_from(s, ret->tls ? 8 : 7);
    s = span_cut(s, 0, span_find_byte(s, '/'));
    struct span port = span_str(ret->tls ? "8443" : "8123");
    if (s.n && s.p[0] == '[') {
        size_t end = span_find_byte(s, ']');
        if (end + 1 < s.n && s.p[end + 1] == ':')
            port = span_from(s, end + 2);
        s = span_cut(s, 1, end - 1);
    } else {
        size_t colon = span_find_byte(s, ':');
        if (colon < s.n)
            port = span_from(s, colon + 1);
        s = span_cut(s, 0, colon);
    }
    uint64_t n;
    if (s.n == 0 || s.n >= sizeof(ret->host) || !span_u64(port, &n) || n == 0 || n > 65535 ||
        span_find_byte(s, '@') < s.n)
        return err_set(e, ERR_CONFIG, "store URL %s: HOST or HOST:PORT is expected", url);
    span_copy(s, ret->host, sizeof(ret->host));
    span_copy(port, ret->port, sizeof(ret->port));
    return true;
}

static bool tls_fail(struct err *e, const char *what)
{
    char text[256];

    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    return err_set(e, ERR_UNAVAILABLE, "%s: %s", what, text);
}

bool http_target_tls(struct http_target *t, const char *ca_file, struct err *e)
{
    if (!t->tls)
        return true;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx)
        return tls_fail(e, "TLS");
    t->tls_context = ctx;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (ca_file ? SSL_CTX_load_verify_locations(ctx, ca_file, NULL) != 1
                : SSL_CTX_set_default_verify_paths(ctx) != 1)
        return tls_fail(e, ca_file ? ca_file : "the system's certificates");
    return true;
}

void http_target_free(struct http_target *t)
{
    SSL_CTX_free(t->tls_context);
    t->tls_context = NULL;
}

static bool wait_for(int fd, short events, uint64_t deadline_ns, struct err *e)
{
    for (;;) {
        uint64_t now = clock_mono_ns();
        if (now >= deadline_ns)
            return err_set(e, ERR_TIMEOUT, "the store did not answer in time");
        uint64_t ms = (deadline_ns - now) / NS_PER_MS + 1;
        struct pollfd p = {.fd = fd, .events = events};
        int rc = poll(&p, 1, ms > 60000 ? 60000 : (int)ms);
        if (rc > 0)
            return true;
        if (rc < 0 && errno != EINTR)
            return err_set(e, ERR_IO, "poll: %m");
    }
}

static int connect_one(const struct sockaddr *a, socklen_t n, int family, uint64_t deadline_ns,
                       struct err *e)
{
    int one = 1, bad = 0;
    socklen_t bad_n = sizeof(bad);

    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        err_set(e, ERR_IO, "cannot make a socket: %m");
        return -1;
    }
    int rc = connect(fd, a, n);
    if (rc != 0 && (errno == EINPROGRESS || errno == EAGAIN)) {
        if (!wait_for(fd, POLLOUT, deadline_ns, e)) {
            close(fd);
            return -1;
        }
        rc = getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &bad_n);
        errno = bad;
        rc = bad ? -1 : rc;
    }
    if (rc != 0) {
        err_set(e, ERR_UNAVAILABLE, "the store is not reachable: %m");
        close(fd);
        return -1;
    }
    if (family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static int connect_tcp(const struct http_target *t, uint64_t deadline_ns, struct err *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list;
    int fd = -1;

    int rc = getaddrinfo(t->host, t->port, &hints, &list);
    if (rc != 0) {
        err_set(e, ERR_UNAVAILABLE, "the store's host %s: %s", t->host, gai_strerror(rc));
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = connect_one(a->ai_addr, a->ai_addrlen, a->ai_family, deadline_ns, e);
    freeaddrinfo(list);
    if (fd < 0)
        err_wrap(e, "%s:%s", t->host, t->port);
    return fd;
}

static bool tls_connect(struct http_conn *c, const struct http_target *t, uint64_t deadline_ns,
                        struct err *e)
{
    c->ssl = SSL_new(t->tls_context);
    if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_set1_host(c->ssl, t->host) != 1 ||
        SSL_ctrl(c->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 (void *)(uintptr_t)t->host) != 1)
        return tls_fail(e, "TLS");
    for (;;) {
        int rc = SSL_connect(c->ssl);
        if (rc == 1)
            return true;
        int why = SSL_get_error(c->ssl, rc);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            return tls_fail(e, t->host);
        if (!wait_for(c->fd, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline_ns, e))
            return false;
    }
}

bool http_connect(const struct http_target *t, struct http_conn **ret, struct err *e)
{
    uint64_t deadline = clock_mono_ns() + (uint64_t)t->connect_timeout_ms * NS_PER_MS;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd;

    if (t->local) {
        memcpy(un.sun_path, t->path, sizeof(t->path));
        fd = connect_one((struct sockaddr *)&un, sizeof(un), AF_UNIX, deadline, e);
    } else {
        fd = connect_tcp(t, deadline, e);
    }
    if (fd < 0)
        return false;
    struct http_conn *c = mem_zero(sizeof(*c));
    c->fd = fd;
    c->keep = true;
    c->in = buf_new(HTTP_HEAD_MAX + READ_PIECE);
    if (t->tls && !tls_connect(c, t, deadline, e)) {
        http_close(c);
        return false;
    }
    *ret = c;
    return true;
}

void http_close(struct http_conn *c)
{
    if (!c)
        return;
    SSL_free(c->ssl);
    close(c->fd);
    buf_free(&c->in);
    mem_free(c);
}

bool http_alive(struct http_conn *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};

    /* Between requests nothing may come: readable means closed or out of step. */
    return c->keep && c->in.n == 0 && poll(&p, 1, 0) == 0;
}

static bool write_all(struct http_conn *c, struct span s, uint64_t deadline_ns, struct err *e)
{
    while (s.n) {
        ssize_t n;
        short want = POLLOUT;
        if (c->ssl) {
            n = SSL_write(c->ssl, s.p, (int)min_size(s.n, 1 << 20));
            if (n <= 0) {
                int why = SSL_get_error(c->ssl, (int)n);
                if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
                    return tls_fail(e, "sending to the store");
                want = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
            }
        } else {
            n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                return err_set(e, ERR_UNAVAILABLE, "sending to the store: %m");
        }
        if (n > 0)
            s = span_from(s, (size_t)n);
        else if (!wait_for(c->fd, want, deadline_ns, e))
            return false;
    }
    return true;
}

static bool write_file(struct http_conn *c, const struct http_body *body, uint64_t deadline_ns,
                       struct err *e)
{
    uint8_t *piece CLEANUP(mem_freep) = mem_get(FILE_PIECE);
    uint64_t at = body->at, end = body->at + body->n;

    while (at < end) {
        size_t want = end - at < FILE_PIECE ? (size_t)(end - at) : FILE_PIECE;
        ssize_t n = pread(body->fd, piece, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(e, ERR_IO, "reading what goes to the store: %s",
                           n < 0 ? strerror(errno) : "the file is too short");
        if (!write_all(c, span_of(piece, (size_t)n), deadline_ns, e))
            return false;
        at += (uint64_t)n;
    }
    return true;
}

/* More bytes into c->in; false at the end of the connection too. */
static bool read_some(struct http_conn *c, uint64_t deadline_ns, struct err *e)
{
    if (!buf_room(&c->in, READ_PIECE))
        return err_set(e, ERR_PROTOCOL, "the store's answer has too long a head");
    for (;;) {
        ssize_t n;
        short want = POLLIN;
        if (c->ssl) {
            n = SSL_read(c->ssl, c->in.p + c->in.n, READ_PIECE);
            if (n <= 0) {
                int why = SSL_get_error(c->ssl, (int)n);
                if (why == SSL_ERROR_ZERO_RETURN)
                    return err_set(e, ERR_UNAVAILABLE, "the store closed the connection");
                if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
                    return tls_fail(e, "reading from the store");
                want = why == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
            }
        } else {
            n = recv(c->fd, c->in.p + c->in.n, READ_PIECE, 0);
            if (n == 0)
                return err_set(e, ERR_UNAVAILABLE, "the store closed the connection");
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                return err_set(e, ERR_UNAVAILABLE, "reading from the store: %m");
        }
        if (n > 0) {
            c->in.n += (size_t)n;
            return true;
        }
        if (!wait_for(c->fd, want, deadline_ns, e))
            return false;
    }
}

bool http_post(struct http_conn *c, const char *host, struct span path, struct span headers,
               const struct http_body *body, uint64_t deadline_ns, struct err *e)
{
    struct buf head CLEANUP(buf_free) = buf_new(1 << 20);
    uint64_t length = body->n ? body->n : body->text.n;

    buf_str(&head, "POST ");
    buf_span_add(&head, path);
    buf_printf(&head, " HTTP/1.1\r\nHost: %s\r\nContent-Length: %llu\r\n", host,
               (unsigned long long)length);
    buf_span_add(&head, headers);
    buf_str(&head, body->packed ? "Content-Encoding: zstd\r\n\r\n" : "\r\n");
    /* A small body travels with the head. */
    bool joined = body->n == 0 && length < 16 << 10;
    if (joined)
        buf_span_add(&head, body->text);
    if (head.full)
        return err_set(e, ERR_INVALID, "the request to the store is too long");
    if (!write_all(c, buf_span(&head), deadline_ns, e))
        return false;
    if (body->n)
        return write_file(c, body, deadline_ns, e);
    return joined || write_all(c, body->text, deadline_ns, e);
}

struct head {
    uint64_t length;
    bool has_length, chunked, close;
};

static void header_take(struct span line, struct http_answer *a, struct head *h)
{
    struct span value = line;
    struct span name = span_split(&value, ':');
    uint64_t n;

    value = span_trim(value);
    if (span_ieq(name, SPAN("Content-Length"))) {
        h->has_length = span_u64(value, &h->length);
    } else if (span_ieq(name, SPAN("Transfer-Encoding"))) {
        h->chunked = span_ifind(value, SPAN("chunked")) != SIZE_MAX;
    } else if (span_ieq(name, SPAN("Connection"))) {
        h->close = span_ieq(value, SPAN("close"));
    } else if (span_ieq(name, SPAN("X-ClickHouse-Summary"))) {
        span_copy(value, a->summary, sizeof(a->summary));
    } else if (span_ieq(name, SPAN("X-ClickHouse-Exception-Code"))) {
        if (span_u64(value, &n) && n <= UINT32_MAX)
            a->exception = (unsigned)n;
    }
}

static bool head_read(struct http_conn *c, struct http_answer *a, struct head *h,
                      uint64_t deadline_ns, struct err *e)
{
    size_t end;
    uint64_t status;

    while ((end = span_find(buf_span(&c->in), SPAN("\r\n\r\n"))) == SIZE_MAX) {
        if (c->in.n > HTTP_HEAD_MAX)
            return err_set(e, ERR_PROTOCOL, "the store's answer has too long a head");
        if (!read_some(c, deadline_ns, e))
            return false;
        a->begun = true;
    }
    struct span head = span_cut(buf_span(&c->in), 0, end);
    struct span line = span_split(&head, '\n');
    if (!span_starts(line, SPAN("HTTP/1.")) || !span_u64(span_cut(line, 9, 3), &status))
        return err_set(e, ERR_PROTOCOL, "what answers at the store's address does not speak HTTP");
    a->status = (unsigned)status;
    while (head.n) {
        line = span_split(&head, '\n');
        header_take(line, a, h);
    }
    buf_drop(&c->in, end + 4);
    return true;
}

/* Exactly n bytes to the sink. */
static bool body_bytes(struct http_conn *c, uint64_t n, bool (*sink)(void *, struct span),
                       void *ctx, uint64_t deadline_ns, struct err *e)
{
    while (n) {
        if (c->in.n == 0 && !read_some(c, deadline_ns, e))
            return false;
        size_t take = c->in.n < n ? c->in.n : (size_t)n;
        if (!sink(ctx, span_cut(buf_span(&c->in), 0, take)))
            return err_set(e, ERR_FULL, "the store's answer is longer than asked for");
        buf_drop(&c->in, take);
        n -= take;
    }
    return true;
}

static bool line_read(struct http_conn *c, char text[64], uint64_t deadline_ns, struct err *e)
{
    size_t end;

    while ((end = span_find(buf_span(&c->in), SPAN("\r\n"))) == SIZE_MAX) {
        if (c->in.n > 1024)
            return err_set(e, ERR_PROTOCOL, "the store's answer is not well formed");
        if (!read_some(c, deadline_ns, e))
            return false;
    }
    span_copy(span_cut(buf_span(&c->in), 0, end), text, 64);
    buf_drop(&c->in, end + 2);
    return true;
}

static bool chunks_read(struct http_conn *c, bool (*sink)(void *, struct span), void *ctx,
                        uint64_t deadline_ns, struct err *e)
{
    char text[64];

    for (;;) {
        uint64_t n = 0;
        if (!line_read(c, text, deadline_ns, e))
            return false;
        size_t digits = 0;
        for (; digits < 15 && ascii_hex((uint8_t)text[digits]) >= 0; digits++)
            n = n << 4 | (uint64_t)ascii_hex((uint8_t)text[digits]);
        if (digits == 0 || digits == 15)
            return err_set(e, ERR_PROTOCOL, "the store's answer is not well formed");
        if (n == 0)
            break;
        if (!body_bytes(c, n, sink, ctx, deadline_ns, e) || !line_read(c, text, deadline_ns, e))
            return false;
    }
    do {
        if (!line_read(c, text, deadline_ns, e))
            return false;
    } while (text[0]);
    return true;
}

bool http_read(struct http_conn *c, struct http_answer *a, bool (*sink)(void *, struct span),
               void *ctx, uint64_t deadline_ns, struct err *e)
{
    struct head h = {0};

    *a = (struct http_answer){0};
    if (!head_read(c, a, &h, deadline_ns, e))
        return false;
    while (a->status == 100) {
        h = (struct head){0};
        if (!head_read(c, a, &h, deadline_ns, e))
            return false;
    }
    if (h.close)
        c->keep = false;
    if (h.chunked)
        return chunks_read(c, sink, ctx, deadline_ns, e);
    if (h.has_length)
        return body_bytes(c, h.length, sink, ctx, deadline_ns, e);
    return err_set(e, ERR_PROTOCOL, "the store's answer has no length");
}
