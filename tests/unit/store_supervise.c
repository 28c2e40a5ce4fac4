/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor with programs that say ready, die, or are missing: state, reason, new starts, end.
 */
#include "base/clock.h"
#include "base/log.h"
#include "store/supervise.h"

#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char path[64];

static void script(const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static bool reaches(struct supervise *s, enum supervise_state state, unsigned restarts)
{
    const struct timespec step = {0, 10 * NS_PER_MS};
    struct supervise_status st;

    for (int i = 0; i < 1000; i++) {
        supervise_get(s, &st);
        if (st.state == state && st.restarts >= restarts)
            return true;
        nanosleep(&step, NULL);
    }
    return false;
}

int main(void)
{
    struct supervise_conf conf = {.program = path, .data_dir = "/tmp"};
    struct supervise_status st;
    struct supervise *s;
    struct err e = {0};

    log_set_level(LOG_ERROR);
    snprintf(path, sizeof(path), "/tmp/daizong-supervise-%d", (int)getpid());
    script("#!/bin/sh\necho 'daizong-store: ready: here' >&2\nexec sleep 60\n");
    CHECK(supervise_start(&conf, &s, &e) && reaches(s, SUPERVISE_READY, 0));
    supervise_get(s, &st);
    CHECK(st.pid > 0 && st.restarts == 0);
    CHECK_STR(st.detail, "ready: here");
    /* Killed: it comes back under another number. */
    int first = st.pid;
    CHECK(kill(first, SIGKILL) == 0 && reaches(s, SUPERVISE_READY, 1));
    supervise_get(s, &st);
    CHECK(st.pid > 0 && st.pid != first);
    int second = st.pid;
    supervise_stop(s);
    CHECK(kill(second, 0) != 0);
    /* Dying with a reason, again and again: each pause is longer than the one before. */
    script("#!/bin/sh\necho 'daizong-store: error: the disk is gone' >&2\nexit 74\n");
    uint64_t began = clock_mono_ns();
    CHECK(supervise_start(&conf, &s, &e) && reaches(s, SUPERVISE_DOWN, 4));
    CHECK(clock_mono_ns() - began > 650 * (uint64_t)NS_PER_MS);
    supervise_get(s, &st);
    CHECK_STR(st.detail, "the disk is gone");
    supervise_stop(s);
    unlink(path);
    CHECK(supervise_start(&conf, &s, &e) && reaches(s, SUPERVISE_DOWN, 1));
    supervise_get(s, &st);
    CHECK(strstr(st.detail, "missing or not executable") != NULL);
    supervise_stop(s);
    return unit_end();
}
