/* SPDX-License-Identifier: Apache-2.0 */
/* Events into a file, with rotation by size or age: the full file is renamed to NAME.TIME and a new
 * one begins. A write that fails is said once, counted, and tried anew with the next batch. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "output/output_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct file_state {
    int fd;
    uint64_t size, opened_ns;
};

static bool file_begin(struct output *o, bool append, struct err *e)
{
    struct file_state *s = o->state;

    if (strcmp(o->conf.path, "-") == 0) {
        s->fd = STDOUT_FILENO;
        return true;
    }
    s->fd =
        open(o->conf.path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0640);
    if (s->fd < 0)
        return err_set(e, ERR_IO, "%s: cannot be opened for writing: %m", o->conf.path);
    off_t at = lseek(s->fd, 0, SEEK_END);
    s->size = at > 0 ? (uint64_t)at : 0;
    s->opened_ns = clock_now_ns();
    return true;
}

static bool file_open(struct output *o, struct err *e)
{
    o->state = mem_zero(sizeof(struct file_state));
    if (file_begin(o, o->conf.append, e))
        return true;
    mem_free(o->state);
    return false;
}

static void file_end(struct output *o)
{
    struct file_state *s = o->state;

    if (s->fd > STDOUT_FILENO)
        close(s->fd);
    s->fd = -1;
}

static void file_reopen(struct output *o)
{
    struct err e;

    file_end(o);
    if (!file_begin(o, true, &e))
        log_error("%s", e.text);
}

static void file_rotate(struct output *o)
{
    const struct file_state *s = o->state;
    char when[CLOCK_TEXT];
    bool due = (o->conf.rotate_bytes && s->size >= o->conf.rotate_bytes) ||
               (o->conf.rotate_s &&
                clock_now_ns() - s->opened_ns >= (uint64_t)o->conf.rotate_s * NS_PER_S);

    if (!due || s->fd <= STDOUT_FILENO || s->size == 0)
        return;
    clock_rfc3339(clock_now_ns(), when);
    char *to = mem_printf("%s.%s", o->conf.path, when);
    if (rename(o->conf.path, to) != 0)
        log_error("%s: cannot be renamed to %s: %m", o->conf.path, to);
    mem_free(to);
    file_reopen(o);
}

static void file_write(struct output *o, struct span lines, uint64_t n_events)
{
    struct file_state *s = o->state;
    size_t done = 0;

    file_rotate(o);
    while (done < lines.n) {
        ssize_t n = s->fd < 0 ? -1 : write(s->fd, lines.p + done, lines.n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (!o->failed)
                log_error("%s: events cannot be written: %m; they are counted as lost until it "
                          "works again",
                          o->conf.path);
            o->failed = true;
            o->stats.lost_events += n_events;
            return;
        }
        done += (size_t)n;
    }
    o->failed = false;
    s->size += lines.n;
    o->stats.events += n_events;
    o->stats.bytes += lines.n;
}

static void file_flush(struct output *o)
{
    (void)o; /* every batch is written at once */
}

static bool file_close(struct output *o, struct err *e)
{
    bool ok = o->stats.lost_events == 0;

    if (!ok)
        err_set(e, ERR_IO, "%s: %llu events could not be written", o->conf.path,
                (unsigned long long)o->stats.lost_events);
    file_end(o);
    mem_free(o->state);
    return ok;
}

const struct output_kind output_file = {
    .name = "file",
    .open = file_open,
    .write = file_write,
    .flush = file_flush,
    .reopen = file_reopen,
    .close = file_close,
};
