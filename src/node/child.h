/* SPDX-License-Identifier: Apache-2.0 */
/* A child process of the node: started without a shell, ended with the node, its last words kept.
 */
#pragma once

#include "base/err.h"

#include <sys/types.h>

enum { CHILD_ARGS = 48, CHILD_WORDS = 400 };

struct child {
    pid_t pid;               /* 0: none */
    int errors;              /* its standard error, non-blocking; -1 when closed */
    char words[CHILD_WORDS]; /* the last line of it */
    size_t words_n;
    char line[CHILD_WORDS]; /* the line that is coming in */
    size_t line_n;
    bool ended;
    int status; /* of waitpid, once ended */
};

struct child_args {
    const char *v[CHILD_ARGS];
    size_t n;
    bool captures;    /* it keeps the capabilities that capturing takes */
    int death_signal; /* what it gets when the node dies; 0: SIGTERM */
};

static inline void child_arg(struct child_args *a, const char *s)
{
    if (a->n + 1 < CHILD_ARGS)
        a->v[a->n++] = s;
}

/* args.v[0] is the program's path. Standard output goes to /dev/null. */
bool child_start(struct child *c, const struct child_args *args, struct err *e) MUST_CHECK;
/* Reads what it said, up to wait_ms, and notes its end. True while it runs. */
bool child_poll(struct child *c, unsigned wait_ms);
/* SIGTERM, then SIGKILL after grace_ms (0: at once). Returns when it is gone. */
void child_stop(struct child *c, unsigned grace_ms);
/* Ended by itself with exit status 0? */
bool child_succeeded(const struct child *c);
/* Ended by SIGKILL, which no program deserves by itself: somebody's hand, or want of memory. */
bool child_killed(const struct child *c);
/* The path of a program of ours: `override` if not NULL, else the one beside this program. Text of
 * at least 4096 bytes. */
void child_program(const char *name, const char *override, char *text, size_t cap);
