/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the listening sockets and the accept thread. A stale Unix socket (nobody answers) is
 * replaced; one that answers is another node. When the process runs out of descriptors the thread
 * pauses instead of spinning. */
#include "api/listen.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128, FULL_PAUSE_MS = 100 };

struct listener {
    int tcp, local, stop;
    char *unix_path;
    unsigned port;
    struct tls *tls;
    struct httpd *http;
    pthread_t thread;
    bool running;
};

static bool split_address(const char *address, char *host, size_t host_cap, char *port,
                          size_t port_cap, struct err *e)
{
    struct span s = span_str(address);
    struct span h, p;
    if (s.n > 0 && s.p[0] == '[') {
        size_t end = span_find_byte(s, ']');
        h = span_cut(s, 1, end > 0 ? end - 1 : 0);
        p = span_from(s, end + 1);
        if (p.n > 0 && p.p[0] == ':')
            p = span_from(p, 1);
    } else {
        size_t colon = s.n;
        for (size_t i = 0; i < s.n; i++)
            if (s.p[i] == ':')
                colon = i;
        h = span_cut(s, 0, colon);
        p = span_from(s, colon + 1);
        if (colon == s.n) { /* only a port, or only a host */
            uint64_t number;
            bool is_port = span_u64(s, &number);
            h = is_port ? SPAN("127.0.0.1") : s;
            p = is_port ? s : SPAN("8600");
        }
    }
    uint64_t number;
    if (!span_u64(p, &number) || number > 65535 || h.n >= host_cap)
        return err_set(e, ERR_USAGE,
                       "--listen %s: not an address (write HOST:PORT, for example 127.0.0.1:8600)",
                       address);
    span_copy(h, host, host_cap);
    span_copy(p, port, port_cap);
    return true;
}

static int bind_one(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static bool open_tcp(struct listener *l, const char *address, struct err *e)
{
    char host[256], port[8];
    if (!split_address(address, host, sizeof(host), port, sizeof(port), e))
        return false;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    int rc = getaddrinfo(host[0] ? host : NULL, port, &hints, &list);
    if (rc != 0)
        return err_set(e, ERR_USAGE, "--listen %s: %s", address, gai_strerror(rc));
    for (const struct addrinfo *ai = list; ai && l->tcp < 0; ai = ai->ai_next)
        l->tcp = bind_one(ai);
    int saved = errno;
    freeaddrinfo(list);
    errno = saved;
    if (l->tcp < 0 && errno == EADDRINUSE)
        return err_set(e, ERR_BUSY,
                       "%s is in use by another program (choose another with --listen HOST:PORT)",
                       address);
    if (l->tcp < 0)
        return err_set(e, ERR_IO, "cannot listen on %s: %m", address);
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    if (getsockname(l->tcp, (struct sockaddr *)&sa, &len) == 0) {
        const struct sockaddr_in *in = (const void *)&sa;
        l->port = ntohs(in->sin_port); /* at the same place for IPv6 */
    }
    return true;
}

static bool open_unix(struct listener *l, const char *path, struct err *e)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(sa.sun_path))
        return err_set(e, ERR_CONFIG, "%s: the path is too long for a socket (at most %zu bytes)",
                       path, sizeof(sa.sun_path) - 1);
    span_copy(span_str(path), sa.sun_path, sizeof(sa.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(e, ERR_IO, "socket: %m");
    if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0) {
        close(fd);
        return err_set(e, ERR_BUSY, "%s: another node answers there", path);
    }
    close(fd);
    unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    bool ok = fd >= 0 && bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0 &&
              listen(fd, BACKLOG) == 0;
    umask(mask);
    if (!ok) {
        err_set(e, ERR_IO, "cannot listen on %s: %m", path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    l->local = fd;
    l->unix_path = mem_strdup(path);
    return true;
}

struct listener *listener_open(const struct listen_config *config, struct err *e)
{
    struct listener *l = mem_zero(sizeof(*l));
    l->tcp = l->local = -1;
    l->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool ok = l->stop >= 0 || err_set(e, ERR_IO, "eventfd: %m");
    if (ok && config->certificate) {
        l->tls = tls_open(config->certificate, config->key, e);
        ok = l->tls != NULL;
    }
    if (ok && config->address)
        ok = open_tcp(l, config->address, e);
    if (ok && config->unix_path)
        ok = open_unix(l, config->unix_path, e);
    if (ok)
        return l;
    listener_close(l);
    return NULL;
}

/* Returns false when the process has no descriptors left. */
static bool accept_one(struct listener *l, int from)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    int fd = accept4(from, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return errno != EMFILE && errno != ENFILE;
    if (from == l->local) {
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        httpd_add(l->http, fd, (const struct sockaddr *)&un, sizeof(un));
        return true;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (l->tls)
        tls_add(l->tls, fd, (const struct sockaddr *)&sa, len);
    else
        httpd_add(l->http, fd, (const struct sockaddr *)&sa, len);
    return true;
}

static void *accept_main(void *cls)
{
    struct listener *l = cls;
    pthread_setname_np(pthread_self(), "http-accept");
    for (;;) {
        struct pollfd p[3] = {{.fd = l->stop, .events = POLLIN},
                              {.fd = l->tcp, .events = POLLIN},
                              {.fd = l->local, .events = POLLIN}};
        if (poll(p, LEN(p), -1) < 0 && errno != EINTR)
            return NULL;
        if (p[0].revents)
            return NULL;
        for (size_t i = 1; i < LEN(p); i++)
            if (p[i].revents && !accept_one(l, p[i].fd)) {
                log_warn("http: no file descriptors left, pausing");
                poll(NULL, 0, FULL_PAUSE_MS);
            }
    }
}

static bool hand_to_http(void *ctx, int fd, const struct sockaddr *peer, unsigned peer_len)
{
    return httpd_add(ctx, fd, peer, peer_len);
}

bool listener_run(struct listener *l, struct httpd *h, struct err *e)
{
    l->http = h;
    if (l->tls && !tls_run(l->tls, hand_to_http, h, e))
        return false;
    if (pthread_create(&l->thread, NULL, accept_main, l) != 0)
        return err_set(e, ERR_NOMEM, "cannot start the accept thread");
    l->running = true;
    return true;
}

void listener_close(struct listener *l)
{
    if (!l)
        return;
    if (l->running) {
        uint64_t one = 1;
        if (write(l->stop, &one, sizeof(one)) == sizeof(one))
            pthread_join(l->thread, NULL);
    }
    tls_close(l->tls);
    if (l->tcp >= 0)
        close(l->tcp);
    if (l->local >= 0)
        close(l->local);
    if (l->stop >= 0)
        close(l->stop);
    if (l->unix_path)
        unlink(l->unix_path);
    mem_free(l->unix_path);
    mem_free(l);
}

unsigned listener_port(const struct listener *l)
{
    return l->port;
}

bool listener_tls(const struct listener *l)
{
    return l->tls != NULL;
}
