/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS relay: one thread, edge-triggered epoll, two bounded buffers a connection. A side that
 * does not read stops the other side's reading, so back-pressure passes through. A handshake has
 * ten seconds; after it the HTTP server's own timeouts close the inner side, and with it the outer.
 */
#include "api/tls.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK = 16 << 10, RELAYS = 1024, HANDSHAKE_S = 10, EVENTS = 64 };

struct pipe {
    uint8_t bytes[BLOCK];
    size_t at, n;
    bool ended; /* its source has no more */
};

struct relay {
    int outer, inner; /* the client's socket; our end of the pair, -1 before the handshake */
    SSL *ssl;
    struct pipe in, out;
    struct sockaddr_storage peer;
    unsigned peer_len;
    uint64_t since_ns;
    bool told; /* the inner side knows that the client has ended */
    bool done;
    struct relay *next, **prev;
};

struct tls {
    SSL_CTX *ctx;
    tls_hand *hand;
    void *hand_ctx;
    int epoll, wake;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    struct relay *added; /* by other threads */
    unsigned count;
    bool stopping;
    struct relay *all; /* the thread's own */
};

static bool ssl_fail(struct err *e, const char *what)
{
    char text[200];
    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    return err_set(e, ERR_CONFIG, "%s: %s", what, text);
}

static bool load(struct tls *t, const char *certificate, const char *key, struct err *e)
{
    t->ctx = SSL_CTX_new(TLS_server_method());
    if (!t->ctx)
        return ssl_fail(e, "TLS");
    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                    SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_use_certificate_chain_file(t->ctx, certificate) != 1)
        return ssl_fail(e, certificate);
    if (!key)
        key = certificate;
    if (SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) != 1)
        return ssl_fail(e, key);
    return SSL_CTX_check_private_key(t->ctx) == 1 ||
           err_set(e, ERR_CONFIG, "%s does not belong to the certificate %s", key, certificate);
}

struct tls *tls_open(const char *certificate, const char *key, struct err *e)
{
    struct tls *t = mem_zero(sizeof(*t));
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&t->lock, NULL);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    bool ok =
        t->epoll >= 0 && t->wake >= 0 && epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->wake, &ev) == 0;
    if (!ok)
        err_set(e, ERR_IO, "epoll: %m");
    if (ok && load(t, certificate, key, e))
        return t;
    tls_close(t);
    return NULL;
}

static void relay_free(struct tls *t, struct relay *r)
{
    if (r->prev) {
        *r->prev = r->next;
        if (r->next)
            r->next->prev = r->prev;
    }
    SSL_free(r->ssl);
    close(r->outer);
    if (r->inner >= 0)
        close(r->inner);
    mem_free(r);
    pthread_mutex_lock(&t->lock);
    t->count--;
    pthread_mutex_unlock(&t->lock);
}

void tls_add(struct tls *t, int fd, const struct sockaddr *peer, unsigned peer_len)
{
    struct relay *r = mem_zero(sizeof(*r));
    r->outer = fd;
    r->inner = -1;
    r->since_ns = clock_mono_ns();
    r->peer_len = (unsigned)min_size(peer_len, sizeof(r->peer));
    memcpy(&r->peer, peer, r->peer_len);
    pthread_mutex_lock(&t->lock);
    bool room = t->count < RELAYS && !t->stopping;
    if (room) {
        r->next = t->added;
        t->added = r;
        t->count++;
    }
    pthread_mutex_unlock(&t->lock);
    if (!room) {
        close(fd);
        mem_free(r);
        return;
    }
    uint64_t one = 1;
    if (write(t->wake, &one, sizeof(one)) < 0)
        log_debug("tls: wake: %m");
}

static bool watch(struct tls *t, int fd, struct relay *r)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = r};
    return epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

/* Asks OpenSSL what its answer meant: true when it only has to wait. */
static bool must_wait(struct relay *r, int rc)
{
    int why = SSL_get_error(r->ssl, rc);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static void handshake(struct tls *t, struct relay *r)
{
    int pair[2];
    int rc = SSL_do_handshake(r->ssl);
    if (rc != 1) {
        r->done = !must_wait(r, rc);
        return;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        r->done = true;
        return;
    }
    r->inner = pair[0];
    bool ok = t->hand(t->hand_ctx, pair[1], (const struct sockaddr *)&r->peer, r->peer_len);
    r->done = !ok || !watch(t, r->inner, r);
}

static bool read_outer(struct relay *r)
{
    if (r->in.n > r->in.at || r->in.ended)
        return false;
    int n = SSL_read(r->ssl, r->in.bytes, BLOCK);
    r->in.at = 0;
    r->in.n = n > 0 ? (size_t)n : 0;
    if (n <= 0)
        r->in.ended = !must_wait(r, n);
    return n > 0 || r->in.ended;
}

static bool write_inner(struct relay *r)
{
    if (r->in.n == r->in.at)
        return false;
    ssize_t n = send(r->inner, r->in.bytes + r->in.at, r->in.n - r->in.at, MSG_NOSIGNAL);
    if (n > 0)
        r->in.at += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR)
        r->done = true;
    return n > 0;
}

static bool read_inner(struct relay *r)
{
    if (r->out.n > r->out.at || r->out.ended)
        return false;
    ssize_t n = recv(r->inner, r->out.bytes, BLOCK, 0);
    r->out.at = 0;
    r->out.n = n > 0 ? (size_t)n : 0;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        r->out.ended = true;
    return n > 0 || r->out.ended;
}

static bool write_outer(struct relay *r)
{
    if (r->out.n == r->out.at)
        return false;
    int n = SSL_write(r->ssl, r->out.bytes + r->out.at, (int)(r->out.n - r->out.at));
    if (n > 0)
        r->out.at += (size_t)n;
    else if (!must_wait(r, n))
        r->done = true;
    return n > 0;
}

static void pump(struct tls *t, struct relay *r)
{
    if (r->inner < 0)
        handshake(t, r);
    while (!r->done && r->inner >= 0) {
        bool moved = read_outer(r);
        moved |= write_inner(r);
        moved |= read_inner(r);
        moved |= write_outer(r);
        if (r->in.ended && r->in.at == r->in.n && !r->told) {
            shutdown(r->inner, SHUT_WR);
            r->told = true;
        }
        if (r->out.ended && r->out.at == r->out.n) {
            SSL_shutdown(r->ssl);
            ERR_clear_error();
            r->done = true;
        }
        if (!moved)
            break;
    }
}

static void take_added(struct tls *t)
{
    pthread_mutex_lock(&t->lock);
    struct relay *list = t->added;
    t->added = NULL;
    pthread_mutex_unlock(&t->lock);
    while (list) {
        struct relay *r = list;
        list = r->next;
        r->next = t->all;
        r->prev = &t->all;
        if (t->all)
            t->all->prev = &r->next;
        t->all = r;
        r->ssl = SSL_new(t->ctx);
        r->done = !r->ssl || SSL_set_fd(r->ssl, r->outer) != 1 || !watch(t, r->outer, r);
        if (r->ssl)
            SSL_set_accept_state(r->ssl);
        if (!r->done)
            pump(t, r);
    }
}

static void sweep(struct tls *t)
{
    uint64_t now = clock_mono_ns();
    for (struct relay *r = t->all, *next; r; r = next) {
        next = r->next;
        if (r->inner < 0 && now - r->since_ns > (uint64_t)HANDSHAKE_S * NS_PER_S)
            r->done = true;
        if (r->done)
            relay_free(t, r);
    }
}

static void *relay_main(void *cls)
{
    struct tls *t = cls;
    struct epoll_event ev[EVENTS];
    pthread_setname_np(pthread_self(), "tls");
    for (;;) {
        int n = epoll_wait(t->epoll, ev, EVENTS, 1000);
        bool news = false;
        for (int i = 0; i < n; i++) {
            struct relay *r = ev[i].data.ptr;
            if (!r)
                news = true;
            else if (!r->done)
                pump(t, r);
        }
        if (news) {
            uint64_t count;
            if (read(t->wake, &count, sizeof(count)) < 0)
                log_debug("tls: wake: %m");
            take_added(t);
        }
        sweep(t);
        pthread_mutex_lock(&t->lock);
        bool stop = t->stopping;
        pthread_mutex_unlock(&t->lock);
        if (stop)
            return NULL;
    }
}

bool tls_run(struct tls *t, tls_hand *hand, void *ctx, struct err *e)
{
    t->hand = hand;
    t->hand_ctx = ctx;
    if (pthread_create(&t->thread, NULL, relay_main, t) != 0)
        return err_set(e, ERR_NOMEM, "cannot start the TLS thread");
    t->running = true;
    return true;
}

void tls_close(struct tls *t)
{
    if (!t)
        return;
    if (t->running) {
        uint64_t one = 1;
        pthread_mutex_lock(&t->lock);
        t->stopping = true;
        pthread_mutex_unlock(&t->lock);
        if (write(t->wake, &one, sizeof(one)) < 0)
            log_debug("tls: wake: %m");
        pthread_join(t->thread, NULL);
        take_added(t);
        while (t->all)
            relay_free(t, t->all);
    }
    SSL_CTX_free(t->ctx);
    if (t->epoll >= 0)
        close(t->epoll);
    if (t->wake >= 0)
        close(t->wake);
    pthread_mutex_destroy(&t->lock);
    mem_free(t);
}
