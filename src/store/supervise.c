/* SPDX-License-Identifier: Apache-2.0 */
/* One thread forks, reads the child's standard error line by line, waits, and starts again. */
#include "store/supervise.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_FIRST_MS = 100, WAIT_MOST_MS = 10000, HEALTHY_S = 60, END_WAIT_S = 10, ARGS = 12 };

struct supervise {
    struct supervise_conf conf;
    char *program, *store_dir, *socket, *library, *listen;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    struct supervise_status status;
};

static void changed(struct supervise *s)
{
    if (s->conf.changed)
        s->conf.changed(s->conf.ctx);
}

static void status_set(struct supervise *s, enum supervise_state state, int pid, struct span detail)
{
    pthread_mutex_lock(&s->lock);
    s->status.state = state;
    s->status.pid = pid;
    if (detail.n)
        span_copy(detail, s->status.detail, sizeof(s->status.detail));
    pthread_mutex_unlock(&s->lock);
    changed(s);
}

static void line_take(struct supervise *s, struct span line, int pid)
{
    static const char prefix[] = "daizong-store: ";

    if (span_starts(line, span_str(prefix)))
        line = span_from(line, strlen(prefix));
    if (span_starts(line, SPAN("error: ")))
        line = span_from(line, 7);
    if (line.n == 0)
        return;
    log_info("store: %.*s", (int)min_size(line.n, 400), (const char *)line.p);
    if (span_starts(line, SPAN("ready:")))
        status_set(s, SUPERVISE_READY, pid, line);
    else
        status_set(s, s->status.state, pid, line);
}

/* Only async-signal-safe calls: other threads' locks may be held in this copy. */
NORETURN static void child_run(char *const argv[], int err_fd, pid_t parent)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_NET_RAW, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_NET_ADMIN, 0, 0);
    setpgid(0, 0); /* Ctrl-C in a terminal is for the node, which ends the store itself */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < 32; sig++)
        signal(sig, SIG_DFL);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(err_fd, 2);
    execv(argv[0], argv);
    static const char text[] = "cannot be started: the program is missing or not executable\n";
    if (write(2, text, sizeof(text) - 1) < 0)
        _exit(126);
    _exit(127);
}

static pid_t child_start(struct supervise *s, int *ret_fd)
{
    int fds[2];
    size_t n = 0;
    char data[] = "--data", sock[] = "--socket", lib[] = "--libchdb", lis[] = "--listen";
    char *argv[ARGS] = {s->program, data, s->store_dir, sock, s->socket};

    n = 5;
    if (s->library) {
        argv[n++] = lib;
        argv[n++] = s->library;
    }
    if (s->listen) {
        argv[n++] = lis;
        argv[n++] = s->listen;
    }
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        child_run(argv, fds[1], parent);
    close(fds[1]);
    if (pid < 0)
        close(fds[0]);
    else
        *ret_fd = fds[0];
    return pid;
}

/* Reads the child's lines until it closes them, which it does by ending. */
static void child_listen(struct supervise *s, int fd, pid_t pid)
{
    uint8_t text[2048];
    size_t n = 0;

    for (;;) {
        ssize_t got = read(fd, text + n, sizeof(text) - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
        struct span rest = span_of(text, n);
        size_t end;
        while ((end = span_find_byte(rest, '\n')) < rest.n) {
            line_take(s, span_cut(rest, 0, end), pid);
            rest = span_from(rest, end + 1);
        }
        if (rest.n == sizeof(text)) {
            line_take(s, rest, pid);
            rest.n = 0;
        }
        memmove(text, rest.p, rest.n);
        n = rest.n;
    }
    line_take(s, span_of(text, n), pid);
    close(fd);
}

static bool stopping(struct supervise *s)
{
    pthread_mutex_lock(&s->lock);
    bool yes = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return yes;
}

static void pause_ms(struct supervise *s, unsigned ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * (long)NS_PER_MS;
    if (until.tv_nsec >= (long)NS_PER_S) {
        until.tv_nsec -= (long)NS_PER_S;
        until.tv_sec++;
    }
    pthread_mutex_lock(&s->lock);
    while (!s->stopping && pthread_cond_timedwait(&s->wake, &s->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&s->lock);
}

static void ended(struct supervise *s, int wait_status, unsigned wait_ms)
{
    char how[64] = "", detail[256];

    if (WIFSIGNALED(wait_status))
        snprintf(how, sizeof(how), "killed by signal %d", WTERMSIG(wait_status));
    else
        snprintf(how, sizeof(how), "exit status %d", WEXITSTATUS(wait_status));
    pthread_mutex_lock(&s->lock);
    /* What it said last explains an exit, not a kill. */
    if (WIFSIGNALED(wait_status) || s->status.detail[0] == '\0' ||
        strncmp(s->status.detail, "ready:", 6) == 0)
        span_copy(span_str(how), s->status.detail, sizeof(s->status.detail));
    s->status.state = SUPERVISE_DOWN;
    s->status.pid = 0;
    s->status.restarts++;
    span_copy(span_str(s->status.detail), detail, sizeof(detail));
    unsigned restarts = s->status.restarts;
    pthread_mutex_unlock(&s->lock);
    log_error("the store ended: %s; it is started again in %u.%u s (%u so far)", detail,
              wait_ms / 1000, wait_ms % 1000 / 100, restarts);
    changed(s);
}

static void *run(void *arg)
{
    struct supervise *s = arg;
    unsigned wait_ms = WAIT_FIRST_MS;

    while (!stopping(s)) {
        int fd = -1, wait_status = 0;
        uint64_t began = clock_mono_ns();
        pid_t pid = child_start(s, &fd);
        if (pid > 0) {
            status_set(s, SUPERVISE_STARTING, pid, SPAN(""));
            /* stop may have come between the check and the fork */
            if (stopping(s))
                kill(pid, SIGTERM);
            child_listen(s, fd, pid);
            while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
                continue;
        } else {
            status_set(s, SUPERVISE_DOWN, 0, SPAN("no process can be started"));
        }
        if (stopping(s))
            break;
        if (clock_mono_ns() - began > (uint64_t)HEALTHY_S * NS_PER_S)
            wait_ms = WAIT_FIRST_MS;
        ended(s, wait_status, wait_ms);
        pause_ms(s, wait_ms);
        wait_ms = wait_ms * 2 > WAIT_MOST_MS ? WAIT_MOST_MS : wait_ms * 2;
    }
    status_set(s, SUPERVISE_DOWN, 0, SPAN(""));
    return NULL;
}

static char *program_find(void)
{
    char self[512];

    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    int dir_n = slash ? (int)(slash - self) : 0;
    char *path = mem_printf("%.*s/daizong-store", dir_n, self);
    if (access(path, X_OK) == 0)
        return path;
    char *tree = mem_printf("%.*s/../embedded/daizong-store", dir_n, self);
    if (access(tree, X_OK) == 0) {
        mem_free(path);
        return tree;
    }
    mem_free(tree);
    return path;
}

bool supervise_start(const struct supervise_conf *conf, struct supervise **ret, struct err *e)
{
    struct supervise *s = mem_zero(sizeof(*s));

    s->conf = *conf;
    s->program = conf->program ? mem_strdup(conf->program) : program_find();
    s->store_dir = mem_printf("%s/store", conf->data_dir);
    s->socket = mem_printf("%s/store.sock", conf->data_dir);
    s->library = conf->library ? mem_strdup(conf->library) : NULL;
    s->listen = conf->listen ? mem_strdup(conf->listen) : NULL;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    s->status.state = SUPERVISE_STARTING;
    int rc = pthread_create(&s->thread, NULL, run, s);
    if (rc != 0) {
        errno = rc;
        return err_set(e, ERR_INTERNAL, "no thread to watch the store: %m");
    }
    *ret = s;
    return true;
}

void supervise_get(struct supervise *s, struct supervise_status *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->status;
    pthread_mutex_unlock(&s->lock);
}

void supervise_stop(struct supervise *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    int pid = s->status.pid;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    const struct timespec step = {0, 20 * NS_PER_MS};
    if (pid > 0)
        kill(pid, SIGTERM);
    for (int i = 0; pid > 0 && i < END_WAIT_S * 50; i++) {
        struct supervise_status st;
        supervise_get(s, &st);
        if (st.pid == 0)
            break;
        if (i == END_WAIT_S * 50 - 1)
            kill(pid, SIGKILL);
        nanosleep(&step, NULL);
    }
    pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    mem_free(s->program);
    mem_free(s->store_dir);
    mem_free(s->socket);
    mem_free(s->library);
    mem_free(s->listen);
    mem_free(s);
}
