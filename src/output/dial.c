/* SPDX-License-Identifier: Apache-2.0 */
/* The socket is non-blocking from the start; connecting and the handshake wait with poll. The name
 * is looked up at each connect, since a node may move. */
#include "output/dial.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/span.h"
#include "event/link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONNECT_MS = 10000 };

struct dial {
    char *address;
    char host[256], port[8]; /* host empty: a Unix socket at address */
    SSL_CTX *ctx;            /* tls */
    SSL *ssl;
    int fd;
};

static bool split(struct dial *d, struct span where, struct err *e)
{
    struct span host = where, port = {NULL, 0};
    uint64_t number = LINK_PORT;
    if (where.n && where.p[0] == '[') {
        size_t end = span_find_byte(where, ']');
        host = span_cut(where, 1, end - 1);
        port = span_from(where, end + 1);
    } else {
        size_t colon = span_find_byte(where, ':');
        host = span_cut(where, 0, colon);
        port = span_from(where, colon);
    }
    bool ok = port.n == 0 || (port.p[0] == ':' && span_u64(span_from(port, 1), &number));
    if (!ok || host.n == 0 || host.n >= sizeof(d->host) || number == 0 || number > 65535)
        return err_set(e, ERR_CONFIG,
                       "%s: write a socket's path, tcp://HOST:PORT or tls://HOST:PORT", d->address);
    span_copy(host, d->host, sizeof(d->host));
    snprintf(d->port, sizeof(d->port), "%u", (unsigned)number);
    return true;
}

static bool load_authorities(struct dial *d, const char *ca_file, struct err *e)
{
    d->ctx = SSL_CTX_new(TLS_client_method());
    if (!d->ctx)
        return err_set(e, ERR_INTERNAL, "TLS cannot be started");
    SSL_CTX_set_min_proto_version(d->ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(d->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(d->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    int ok = ca_file[0] ? SSL_CTX_load_verify_locations(d->ctx, ca_file, NULL)
                        : SSL_CTX_set_default_verify_paths(d->ctx);
    ERR_clear_error();
    return ok == 1 || err_set(e, ERR_CONFIG, "%s: no certificates can be read from it",
                              ca_file[0] ? ca_file : "the system's authorities");
}

bool dial_open(const char *address, const char *ca_file, struct dial **ret, struct err *e)
{
    struct dial *d = mem_zero(sizeof(*d));
    struct span s = span_str(address);
    bool tls = span_starts(s, SPAN("tls://")), ok = true;
    d->fd = -1;
    d->address = mem_strdup(address);
    if (tls || span_starts(s, SPAN("tcp://")))
        ok = split(d, span_from(s, 6), e) && (!tls || load_authorities(d, ca_file, e));
    else if (s.n >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        ok = err_set(e, ERR_CONFIG, "%s: the path is too long for a socket", address);
    if (ok)
        *ret = d;
    else
        dial_close(d);
    return ok;
}

void dial_hang_up(struct dial *d)
{
    SSL_free(d->ssl);
    d->ssl = NULL;
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

void dial_close(struct dial *d)
{
    if (!d)
        return;
    dial_hang_up(d);
    SSL_CTX_free(d->ctx);
    mem_free(d->address);
    mem_free(d);
}

static bool wait_for(int fd, short what, uint64_t until)
{
    struct pollfd p = {.fd = fd, .events = what};
    for (;;) {
        uint64_t now = clock_mono_ns();
        int n = now < until ? poll(&p, 1, (int)((until - now) / NS_PER_MS) + 1) : 0;
        if (n > 0 || (n < 0 && errno != EINTR))
            return n > 0;
        if (n == 0) {
            errno = ETIMEDOUT;
            return false;
        }
    }
}

static bool connect_to(struct dial *d, int family, const struct sockaddr *sa, socklen_t len,
                       uint64_t until)
{
    int on = 1, wrong = 0;
    socklen_t wrong_n = sizeof(wrong);
    d->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (d->fd < 0)
        return false;
    if (family != AF_UNIX)
        setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(d->fd, sa, len) == 0)
        return true;
    bool ok = errno == EINPROGRESS && wait_for(d->fd, POLLOUT, until) &&
              getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &wrong, &wrong_n) == 0 && wrong == 0;
    if (ok)
        return true;
    int saved = wrong ? wrong : errno;
    close(d->fd);
    d->fd = -1;
    errno = saved;
    return false;
}

static bool connect_host(struct dial *d, uint64_t until, struct err *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int rc = getaddrinfo(d->host, d->port, &hints, &list);
    if (rc != 0)
        return err_set(e, ERR_UNAVAILABLE, "%s: %s", d->address, gai_strerror(rc));
    for (const struct addrinfo *ai = list; ai && d->fd < 0; ai = ai->ai_next)
        if (connect_to(d, ai->ai_family, ai->ai_addr, ai->ai_addrlen, until))
            break;
    err_set(e, ERR_UNAVAILABLE, "%s: %m", d->address);
    freeaddrinfo(list);
    return d->fd >= 0;
}

/* How long OpenSSL has to wait: EAGAIN in errno, or a broken connection. */
static ssize_t tls_result(struct dial *d, int n)
{
    if (n > 0)
        return n;
    int why = SSL_get_error(d->ssl, n);
    ERR_clear_error();
    if (why == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return -1;
}

static bool handshake(struct dial *d, uint64_t until, struct err *e)
{
    d->ssl = SSL_new(d->ctx);
    if (!d->ssl || SSL_set_fd(d->ssl, d->fd) != 1)
        return err_set(e, ERR_INTERNAL, "TLS cannot be started");
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(d->ssl), d->host) != 1) {
        SSL_set1_host(d->ssl, d->host);
        SSL_ctrl(d->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, d->host);
    }
    for (;;) {
        int n = SSL_connect(d->ssl);
        if (n == 1)
            return true;
        int why = SSL_get_error(d->ssl, n);
        short what = why == SSL_ERROR_WANT_READ    ? POLLIN
                     : why == SSL_ERROR_WANT_WRITE ? POLLOUT
                                                   : 0;
        ERR_clear_error();
        if (what && wait_for(d->fd, what, until))
            continue;
        long verify = SSL_get_verify_result(d->ssl);
        return err_set(e, verify != X509_V_OK ? ERR_DENIED : ERR_UNAVAILABLE, "%s: %s", d->address,
                       verify != X509_V_OK ? X509_verify_cert_error_string(verify)
                                           : "the TLS handshake failed");
    }
}

bool dial_connect(struct dial *d, struct err *e)
{
    uint64_t until = clock_mono_ns() + (uint64_t)CONNECT_MS * NS_PER_MS;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    bool ok;
    if (d->host[0]) {
        ok = connect_host(d, until, e) && (!d->ctx || handshake(d, until, e));
    } else {
        span_copy(span_str(d->address), a.sun_path, sizeof(a.sun_path));
        ok = connect_to(d, AF_UNIX, (const struct sockaddr *)&a, sizeof(a), until) ||
             err_set(e, ERR_UNAVAILABLE, "%s: %m", d->address);
    }
    if (!ok)
        dial_hang_up(d);
    return ok;
}

int dial_fd(const struct dial *d)
{
    return d->fd;
}

ssize_t dial_read(struct dial *d, void *p, size_t cap)
{
    if (d->ssl)
        return tls_result(d, SSL_read(d->ssl, p, (int)min_size(cap, 1 << 30)));
    return recv(d->fd, p, cap, 0);
}

ssize_t dial_write(struct dial *d, const void *p, size_t n)
{
    if (d->ssl)
        return tls_result(d, SSL_write(d->ssl, p, (int)min_size(n, 1 << 30)));
    return send(d->fd, p, n, MSG_NOSIGNAL);
}
