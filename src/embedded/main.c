/* SPDX-License-Identifier: Apache-2.0 */
/* daizong-store: the event store's own process. Serves ClickHouse's HTTP interface over libchdb, on
 * a Unix socket in the data folder for the node (mode 0600) and, when asked, on a loopback port for
 * reading clients. One process for a data folder (a locked file says so). SIGTERM and SIGINT end it
 * in order: no new requests, those under way finish, connections closed, _exit(): the library does
 * not survive a normal exit with data open. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "embedded/confine.h"
#include "embedded/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct options {
    const char *data, *socket, *listen, *library, *sha256, *password_file;
    bool writable, unconfined;
    struct engine_conf engine;
};

static const char usage[] =
    "daizong-store --data DIR [option…]: the event store, ClickHouse's HTTP interface over "
    "libchdb\n"
    "  --data DIR            where the data lie; made when missing\n"
    "  --socket PATH         Unix socket to serve (default DIR/../store.sock)\n"
    "  --listen ADDR:PORT    also serve readers on a loopback address\n"
    "  --writable            the port of --listen may also change data\n"
    "  --password-file FILE  ask requests on the port of --listen for this password\n"
    "  --libchdb PATH        the engine (default: beside this program)\n"
    "  --libchdb-sha256 HEX  its checksum, or `any`\n"
    "  --memory-mb N         ceiling of the engine (1536)\n"
    "  --query-memory-mb N   ceiling of one reader's query (1024)\n"
    "  --query-time-s N      of its time (30)\n"
    "  --slots N             statements at a time (cores + 2)\n"
    "  --queue N             statements that may wait (64)\n"
    "  --unconfined          without the limits on files and system calls (for debugging)\n"
    "  --help, --version\n";

static bool number(const char *text, uint64_t most, uint64_t *ret)
{
    return span_u64(span_str(text), ret) && *ret > 0 && *ret <= most;
}

static bool option_take(struct options *o, int c, const char *arg, struct err *e)
{
    uint64_t n = 0;

    if (c >= 'M' && c <= 'Q' && !number(arg, 1 << 20, &n))
        return err_set(e, ERR_USAGE, "'%s' is not a number from 1", arg);
    switch (c) {
    case 'd':
        o->data = arg;
        break;
    case 's':
        o->socket = arg;
        break;
    case 'l':
        o->listen = arg;
        break;
    case 'w':
        o->writable = true;
        break;
    case 'p':
        o->password_file = arg;
        break;
    case 'c':
        o->library = arg;
        break;
    case 'h':
        o->sha256 = arg;
        break;
    case 'u':
        o->unconfined = true;
        break;
    case 'M':
        o->engine.memory = n << 20;
        break;
    case 'N':
        o->engine.query_memory = n << 20;
        break;
    case 'O':
        o->engine.query_time_s = (unsigned)n;
        break;
    case 'P':
        o->engine.slots = (unsigned)n;
        break;
    case 'Q':
        o->engine.queue = (unsigned)n;
        break;
    default:
        return err_set(e, ERR_USAGE, "see daizong-store --help");
    }
    return true;
}

static bool options_read(int argc, char **argv, struct options *o, struct err *e)
{
    static const struct option longs[] = {
        {"data", 1, NULL, 'd'},           {"socket", 1, NULL, 's'},
        {"listen", 1, NULL, 'l'},         {"writable", 0, NULL, 'w'},
        {"password-file", 1, NULL, 'p'},  {"libchdb", 1, NULL, 'c'},
        {"libchdb-sha256", 1, NULL, 'h'}, {"unconfined", 0, NULL, 'u'},
        {"memory-mb", 1, NULL, 'M'},      {"query-memory-mb", 1, NULL, 'N'},
        {"query-time-s", 1, NULL, 'O'},   {"slots", 1, NULL, 'P'},
        {"queue", 1, NULL, 'Q'},          {"help", 0, NULL, 'H'},
        {"version", 0, NULL, 'V'},        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'H' || c == 'V') {
            fputs(c == 'H' ? usage
                           : "daizong-store " DAIZONG_VERSION " (libchdb " CHDB_WANTED ")\n",
                  stdout);
            exit(0);
        }
        if (!option_take(o, c, optarg, e))
            return false;
    }
    if (optind < argc)
        return err_set(e, ERR_USAGE, "'%s' is not an option; see daizong-store --help",
                       argv[optind]);
    if (!o->data)
        return err_set(e, ERR_USAGE, "--data DIR is needed; see daizong-store --help");
    return true;
}

/* Makes and locks the data folder; the descriptor stays open as long as the process lives. */
static bool folder_lock(const char *dir, char **ret_path, struct err *e)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set(e, ERR_IO, "cannot make the folder %s: %m", dir);
    char *path = realpath(dir, NULL);
    if (!path)
        return err_set(e, ERR_IO, "cannot use the folder %s: %m", dir);
    *ret_path = mem_strdup(path);
    free(path);
    char *lock CLEANUP(mem_freep) = mem_printf("%s/daizong-store.lock", *ret_path);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, ERR_IO, "cannot write to the folder %s: %m", *ret_path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(e, ERR_BUSY, "another daizong-store uses the folder %s", *ret_path);
    return true;
}

static bool unix_listen(const char *path, int *ret, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(a.sun_path))
        return err_set(e, ERR_USAGE, "the socket's path %s is longer than %zu bytes", path,
                       sizeof(a.sun_path) - 1);
    span_copy(span_str(path), a.sun_path, sizeof(a.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(e, ERR_IO, "cannot make a socket: %m");
    unlink(path); /* the folder is ours: an old socket is a dead one */
    mode_t before = umask(0177);
    int rc = bind(fd, (struct sockaddr *)&a, sizeof(a));
    umask(before);
    if (rc != 0 || listen(fd, 128) != 0) {
        err_set(e, ERR_IO, "cannot listen on %s: %m", path);
        close(fd);
        return false;
    }
    *ret = fd;
    return true;
}

/* "127.0.0.1:8123" or "[::1]:8123"; other addresses than loopback are refused. */
static bool tcp_listen(const char *where, int *ret, struct err *e)
{
    struct sockaddr_storage ss = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&ss;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ss;
    char host[64];
    uint64_t port;
    int one = 1;

    const char *colon = strrchr(where, ':');
    if (!colon || !span_u64(span_str(colon + 1), &port) || port > 65535)
        return err_set(e, ERR_USAGE, "--listen %s: ADDR:PORT is expected", where);
    struct span h = span_of(where, (size_t)(colon - where));
    if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = span_cut(h, 1, h.n - 2);
    span_copy(h, host, sizeof(host));
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
    } else {
        return err_set(e, ERR_USAGE, "--listen %s: not an address", where);
    }
    bool loopback = ss.ss_family == AF_INET ? (ntohl(v4->sin_addr.s_addr) >> 24) == 127
                                            : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    if (!loopback)
        return err_set(e, ERR_USAGE, "--listen %s: only loopback addresses are served", where);
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(e, ERR_IO, "cannot make a socket: %m");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    socklen_t n = ss.ss_family == AF_INET ? sizeof(*v4) : sizeof(*v6);
    if (bind(fd, (struct sockaddr *)&ss, n) != 0 || listen(fd, 128) != 0) {
        err_set(e, ERR_IO, "cannot listen on %s: %m", where);
        close(fd);
        return false;
    }
    *ret = fd;
    return true;
}

static bool password_read(const char *path, char *to, size_t cap, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(e, ERR_CONFIG, "cannot read the password file %s: %m", path);
    ssize_t n = read(fd, to, cap - 1);
    close(fd);
    while (n > 0 && (to[n - 1] == '\n' || to[n - 1] == '\r'))
        n--;
    if (n <= 0)
        return err_set(e, ERR_CONFIG, "the password file %s is empty", path);
    to[n] = '\0';
    return true;
}

static bool serve(const struct options *o, struct err *e)
{
    struct server *local = NULL, *tcp = NULL;
    struct confine_done done = {0};
    struct chdb chdb;
    struct engine *en;
    char *dir = NULL, password[256] = "";
    int local_fd = -1, tcp_fd = -1, sig;
    sigset_t set;

    if (!folder_lock(o->data, &dir, e))
        return false;
    char *sock = o->socket ? mem_strdup(o->socket) : mem_printf("%s/../store.sock", dir);
    char *seen = mem_printf("%s/libchdb.seen", dir);
    if (o->password_file && !password_read(o->password_file, password, sizeof(password), e))
        return false;
    if (!chdb_load(&chdb, o->library, o->sha256, seen, e) || !unix_listen(sock, &local_fd, e) ||
        (o->listen && !tcp_listen(o->listen, &tcp_fd, e)))
        return false;
    if (!o->unconfined && !confine_self(dir, NULL, &done, e))
        return false;
    /* Threads to come inherit the mask: the signals arrive at sigwait below. */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct engine_conf conf = o->engine;
    conf.path = dir;
    if (!engine_open(&chdb, &conf, &en, e))
        return false;
    struct server_conf sc = {.fd = local_fd, .name = "daizong-store"};
    if (!server_start(&chdb, en, &sc, &local, e))
        _exit(err_exit_code(e->kind));
    sc = (struct server_conf){.fd = tcp_fd,
                              .reader = !o->writable,
                              .password = password[0] ? password : NULL,
                              .name = "daizong-store"};
    if (tcp_fd >= 0 && !server_start(&chdb, en, &sc, &tcp, e))
        _exit(err_exit_code(e->kind));
    log_notice("ready: %s%s%s%s, files %s, calls %s", sock, tcp ? " and " : "",
               tcp ? o->listen : "", tcp && o->writable ? " (writable)" : "",
               done.files ? "confined" : "not confined", done.calls ? "confined" : "not confined");
    do {
        sigwait(&set, &sig);
    } while (sig == SIGHUP);
    log_notice("ending (signal %d)", sig);
    server_stop(tcp);
    server_stop(local);
    engine_close(en);
    unlink(sock);
    return true;
}

int main(int argc, char **argv)
{
    struct options o = {0};
    struct err e = {0};

    log_set_name("daizong-store");
    setenv("TZ", "UTC", 1);
    if (!options_read(argc, argv, &o, &e) || !serve(&o, &e)) {
        log_error("%s", e.text);
        fflush(NULL);
        _exit(err_exit_code(e.kind));
    }
    fflush(NULL);
    _exit(0);
}
