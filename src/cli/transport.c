/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to a node. */
#include "cli/transport.h"

#include "base/mem.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct transport {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
    char host[300];
};

static bool open_unix(struct transport *t, const struct cli *c, struct err *e)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/daizong.sock", c->data_dir);
    if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
        return err_set(e, ERR_CONFIG, "%s: the path is too long for a socket", c->data_dir);
    snprintf(t->host, sizeof(t->host), "localhost");
    t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (t->fd >= 0 && connect(t->fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
        return true;
    if (errno == ENOENT || errno == ECONNREFUSED)
        return err_set(
            e, ERR_UNAVAILABLE,
            "no node runs on the data folder %s (start one: daizong up --data %s; or name "
            "one with --url)",
            c->data_dir, c->data_dir);
    return err_set(e, errno == EACCES ? ERR_DENIED : ERR_IO, "%s: %m", sa.sun_path);
}

static bool dial(struct transport *t, const char *host, const char *port, struct err *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int rc = getaddrinfo(host, port, &hints, &list);
    if (rc != 0)
        return err_set(e, ERR_UNAVAILABLE, "--url: the host %s is not found: %s", host,
                       gai_strerror(rc));
    for (const struct addrinfo *ai = list; ai && t->fd < 0; ai = ai->ai_next) {
        t->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (t->fd < 0 || connect(t->fd, ai->ai_addr, ai->ai_addrlen) == 0)
            break;
        int saved = errno;
        close(t->fd);
        t->fd = -1;
        errno = saved;
    }
    int saved = errno;
    freeaddrinfo(list);
    errno = saved;
    return t->fd >= 0 ||
           err_set(e, ERR_UNAVAILABLE,
                   "no node answers at %s port %s: %m (does it run there, with this --listen "
                   "address?)",
                   host, port);
}

static bool start_tls(struct transport *t, const char *host, struct err *e)
{
    const char *ca = getenv("DAIZONG_CA");
    t->ctx = SSL_CTX_new(TLS_client_method());
    if (!t->ctx)
        return err_set(e, ERR_INTERNAL, "TLS cannot be started");
    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    int loaded = ca && *ca ? SSL_CTX_load_verify_locations(t->ctx, ca, NULL)
                           : SSL_CTX_set_default_verify_paths(t->ctx);
    t->ssl = loaded == 1 ? SSL_new(t->ctx) : NULL;
    if (!t->ssl)
        return err_set(e, ERR_CONFIG, "%s: the authorities cannot be read", ca ? ca : "system");
    X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1)
        SSL_set1_host(t->ssl, host);
    SSL_ctrl(t->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             (void *)(uintptr_t)host);
    if (SSL_set_fd(t->ssl, t->fd) == 1 && SSL_connect(t->ssl) == 1)
        return true;
    long verify = SSL_get_verify_result(t->ssl);
    return err_set(e, ERR_DENIED, "%s: %s", host,
                   verify != X509_V_OK
                       ? X509_verify_cert_error_string(verify)
                       : "the TLS handshake failed (a node without --certificate speaks http://)");
}

static bool open_url(struct transport *t, const char *url, struct err *e)
{
    struct span s = span_str(url);
    bool tls = span_starts(s, SPAN("https://"));
    char host[256], port[8];
    if (!tls && !span_starts(s, SPAN("http://")))
        return err_set(e, ERR_USAGE, "--url %s: write http://HOST:PORT or https://HOST:PORT", url);
    s = span_from(s, tls ? 8 : 7);
    struct span where = span_split(&s, '/');
    if (where.n == 0)
        return err_set(e, ERR_USAGE, "--url %s: write http://HOST:PORT or https://HOST:PORT", url);
    struct span name = where;
    struct span number = SPAN("8600");
    if (where.n > 0 && where.p[0] == '[') {
        size_t end = span_find_byte(where, ']');
        name = span_cut(where, 1, end > 0 ? end - 1 : 0);
        if (end + 2 < where.n)
            number = span_from(where, end + 2);
    } else {
        struct span rest = where;
        name = span_split(&rest, ':');
        if (rest.n > 0)
            number = rest;
    }
    span_copy(name, host, sizeof(host));
    span_copy(number, port, sizeof(port));
    span_copy(where, t->host, sizeof(t->host));
    return dial(t, host, port, e) && (!tls || start_tls(t, host, e));
}

bool transport_open(const struct cli *c, struct transport **ret, struct err *e)
{
    struct transport *t = mem_zero(sizeof(*t));
    const char *url = cli_value(c, OPT_URL);
    t->fd = -1;
    if (!url)
        url = getenv("DAIZONG_URL");
    signal(SIGPIPE, SIG_IGN);
    bool ok = url && *url ? open_url(t, url, e) : open_unix(t, c, e);
    if (!ok) {
        transport_close(t);
        return false;
    }
    *ret = t;
    return true;
}

bool transport_write(struct transport *t, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t done =
            t->ssl ? SSL_write(t->ssl, at, (int)min_size(n, 1 << 20)) : write(t->fd, at, n);
        if (done < 0 && errno == EINTR && !t->ssl)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

ssize_t transport_read(struct transport *t, void *p, size_t cap)
{
    for (;;) {
        ssize_t n = t->ssl ? SSL_read(t->ssl, p, (int)cap) : read(t->fd, p, cap);
        if (n < 0 && errno == EINTR && !t->ssl)
            continue;
        return n;
    }
}

const char *transport_host(const struct transport *t)
{
    return t->host;
}

void transport_close(struct transport *t)
{
    if (t->ssl) {
        SSL_shutdown(t->ssl);
        SSL_free(t->ssl);
    }
    SSL_CTX_free(t->ctx);
    if (t->fd >= 0)
        close(t->fd);
    mem_free(t);
}
