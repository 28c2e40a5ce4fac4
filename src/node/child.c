/* SPDX-License-Identifier: Apache-2.0 */
/* fork and execv with everything prepared before the fork, since other threads run: between the two
 * only calls that are safe after fork. The death signal is set before exec and the parent checked
 * after it, so that no child outlives the node. */
#include "node/child.h"

#include "base/span.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static NORETURN void become(const struct child_args *args, int null, int errors, pid_t parent)
{
    char *argv[CHILD_ARGS + 1];
    sigset_t none;
    memcpy(argv, args->v, args->n * sizeof(argv[0]));
    argv[args->n] = NULL;
    prctl(PR_SET_PDEATHSIG, args->death_signal ? args->death_signal : SIGTERM);
    if (getppid() != parent)
        _exit(127);
    if (!args->captures) {
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_NET_RAW, 0, 0);
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_NET_ADMIN, 0, 0);
    }
    setpgid(0, 0); /* Ctrl-C in a terminal is for the node, which ends its children itself */
    dup2(null, 0);
    dup2(null, 1);
    dup2(errors, 2);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execv(argv[0], argv);
    static const char sorry[] = "cannot be started\n";
    if (write(2, sorry, sizeof(sorry) - 1) < 0)
        _exit(126);
    _exit(127);
}

bool child_start(struct child *c, const struct child_args *args, struct err *e)
{
    int fds[2];
    *c = (struct child){.errors = -1};
    if (access(args->v[0], X_OK) != 0)
        return err_set(e, ERR_UNAVAILABLE, "%s: %m (is it built and beside this program?)",
                       args->v[0]);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return err_set(e, ERR_IO, "/dev/null: %m");
    if (pipe2(fds, O_CLOEXEC) != 0) {
        err_set(e, ERR_IO, "pipe: %m");
        close(null);
        return false;
    }
    pid_t parent = getpid();
    c->pid = fork();
    if (c->pid == 0)
        become(args, null, fds[1], parent);
    close(null);
    close(fds[1]);
    if (c->pid < 0) {
        close(fds[0]);
        c->pid = 0;
        return err_set(e, ERR_NOMEM, "cannot start %s: %m", args->v[0]);
    }
    c->errors = fds[0];
    fcntl(c->errors, F_SETFL, O_NONBLOCK);
    return true;
}

static void hear(struct child *c, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '\n') {
            if (c->line_n + 1 < sizeof(c->line))
                c->line[c->line_n++] = text[i];
            continue;
        }
        if (c->line_n > 0) {
            memcpy(c->words, c->line, c->line_n);
            c->words[c->line_n] = '\0';
            c->words_n = c->line_n;
        }
        c->line_n = 0;
    }
}

bool child_poll(struct child *c, unsigned wait_ms)
{
    char text[4096];
    if (!c->pid || c->ended)
        return false;
    struct pollfd p = {.fd = c->errors, .events = POLLIN};
    if (c->errors >= 0 && poll(&p, 1, (int)wait_ms) > 0) {
        ssize_t n = read(c->errors, text, sizeof(text));
        if (n > 0) {
            hear(c, text, (size_t)n);
        } else if (n == 0) {
            close(c->errors);
            c->errors = -1;
        }
    } else if (c->errors < 0) {
        poll(NULL, 0, (int)(wait_ms < 20 ? wait_ms : 20));
    }
    if (waitpid(c->pid, &c->status, WNOHANG) != c->pid)
        return true;
    c->ended = true;
    for (ssize_t n; c->errors >= 0 && (n = read(c->errors, text, sizeof(text))) > 0;)
        hear(c, text, (size_t)n);
    if (c->errors >= 0)
        close(c->errors);
    c->errors = -1;
    return false;
}

void child_stop(struct child *c, unsigned grace_ms)
{
    if (!c->pid || c->ended)
        return;
    if (grace_ms > 0)
        kill(c->pid, SIGTERM);
    for (unsigned ms = 0; ms < grace_ms && child_poll(c, 20); ms += 20)
        ;
    if (c->ended)
        return;
    kill(c->pid, SIGKILL);
    while (child_poll(c, 20))
        ;
}

bool child_succeeded(const struct child *c)
{
    return c->ended && WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0;
}

bool child_killed(const struct child *c)
{
    return c->ended && WIFSIGNALED(c->status) && WTERMSIG(c->status) == SIGKILL;
}

void child_program(const char *name, const char *override, char *text, size_t cap)
{
    if (override) {
        snprintf(text, cap, "%s", override);
        return;
    }
    ssize_t n = readlink("/proc/self/exe", text, cap - 1);
    text[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(text, '/');
    size_t folder = slash ? (size_t)(slash - text) + 1 : 0;
    snprintf(text + folder, cap - folder, "%s", name);
    char tree[4096]; /* where it is built, each program has a folder */
    int m = snprintf(tree, sizeof(tree), "%.*s../sensor/%s", (int)folder, text, name);
    if (access(text, X_OK) != 0 && m > 0 && (size_t)m < cap && access(tree, X_OK) == 0)
        snprintf(text, cap, "%s", tree);
}
