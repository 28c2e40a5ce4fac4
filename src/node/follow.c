/* SPDX-License-Identifier: Apache-2.0 */
/* EVE files as a source: read once, or followed as they grow. A line's number is the file's offset
 * behind it, and the stream's id is made of the file's device, inode and first bytes: so after a
 * restart reading goes on exactly behind the last durable line, and a file that was replaced is a
 * new stream. Lines longer than the ceiling are passed over and counted. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "event/link.h"
#include "node/intake_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { LINE_MAX_BYTES = 1 << 20, BLOCK = 1 << 20, FIRST_BYTES = 256, POLL_MS = 200 };

struct follow {
    struct intake *in;
    char *path, *name;
    pthread_t thread;
    bool running;
    struct follow *next;
};

/* A reader of lines over a descriptor. */
struct lines {
    int fd;
    gzFile gz;    /* of a compressed file */
    struct buf b; /* bytes not yet cut into lines begin at `at` */
    size_t at;
    uint64_t offset; /* of the file (unpacked), behind what was cut */
    bool skipping;   /* inside a line beyond the ceiling */
    uint64_t too_long;
};

static uint64_t stream_of(int fd, const struct stat *st)
{
    uint8_t head[FIRST_BYTES];
    ssize_t n = pread(fd, head, sizeof(head), 0);
    size_t use = 0; /* the first line only: what comes later may still grow */
    while (n > 0 && use < (size_t)n && head[use] != '\n')
        use++;
    uint64_t h = hash_bytes_key((uint64_t)st->st_dev, (uint64_t)st->st_ino, head, use);
    return h ? h : 1;
}

/* Fills the buffer; 0 at the end of what there is, -1 on an error. */
static ssize_t fill(struct lines *l)
{
    if (l->at > 0) {
        buf_drop(&l->b, l->at);
        l->at = 0;
    }
    if (!buf_room(&l->b, BLOCK))
        return -1;
    ssize_t n = l->gz ? gzread(l->gz, l->b.p + l->b.n, BLOCK) : read(l->fd, l->b.p + l->b.n, BLOCK);
    if (n > 0)
        l->b.n += (size_t)n;
    return n;
}

/* The next whole line, or false when more bytes are needed. */
static bool cut(struct lines *l, struct span *ret)
{
    for (;;) {
        struct span rest = span_from(buf_span(&l->b), l->at);
        size_t end = span_find_byte(rest, '\n');
        if (end == rest.n) {
            if (rest.n > LINE_MAX_BYTES) {
                l->too_long += !l->skipping;
                l->skipping = true;
                l->offset += rest.n;
                l->at = l->b.n;
            }
            return false;
        }
        l->at += end + 1;
        l->offset += end + 1;
        if (l->skipping) {
            l->skipping = false;
            continue;
        }
        *ret = span_cut(rest, 0, end);
        return true;
    }
}

static struct source *announce(struct intake *in, const char *path, const char *name,
                               uint64_t stream, uint64_t *next)
{
    struct sensor_hello hello = {.id = span_str(name),
                                 .unit = SPAN(""),
                                 .version = SPAN("EVE file"),
                                 .source = span_str(path),
                                 .started_ns = clock_now_ns()};
    return source_get(in, &hello, stream, next);
}

bool intake_read(struct intake *in, struct intake_file *file, struct err *e)
{
    struct stat st;
    struct lines l = {.b = buf_new(BLOCK + LINE_MAX_BYTES + 64)};
    uint64_t next = 0;
    bool ok = true;
    l.fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (l.fd < 0 || fstat(l.fd, &st) != 0) {
        err_set(e, ERR_NOT_FOUND, "%s: %m", file->path);
        if (l.fd >= 0)
            close(l.fd);
        return false;
    }
    l.gz = gzdopen(dup(l.fd), "rb"); /* passes plain files through */
    struct source *s = announce(in, file->name, file->name, file->stream, &next);
    if (!l.gz || !s)
        ok = err_set(e, ERR_FULL, "too many sources of events");
    while (ok) {
        struct span line;
        ssize_t n = fill(&l);
        if (n < 0)
            ok = err_set(e, ERR_IO, "%s: cannot be read (damaged?)", file->path);
        if (n <= 0)
            break;
        while (ok && cut(&l, &line)) {
            if (line.n == 0)
                continue;
            file->events++;
            ok = source_line(in, s, l.offset, line) && !*file->stop;
            if (!ok)
                err_set(e, ERR_UNAVAILABLE, "stopped");
        }
        off_t at = gzoffset(l.gz);
        if (st.st_size > 0 && at >= 0)
            *file->progress_ppm = (uint64_t)at * 1000000 / (uint64_t)st.st_size;
    }
    struct span rest = span_from(buf_span(&l.b), l.at);
    if (ok && rest.n > 0 && !l.skipping) { /* a last line without line feed */
        file->events++;
        ok = source_line(in, s, l.offset + rest.n, rest);
    }
    if (ok)
        ok = ingest_flush(in->ingest, e);
    if (s && s->sensor)
        sensor_gone(in->conf.sensors, s->sensor, ok ? "done" : "offline");
    if (l.gz)
        gzclose(l.gz);
    close(l.fd);
    buf_free(&l.b);
    return ok;
}

/* --- following --- */

static bool replaced(const char *path, const struct stat *open_file, uint64_t offset)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    return st.st_ino != open_file->st_ino || st.st_dev != open_file->st_dev ||
           (uint64_t)st.st_size < offset;
}

/* Takes what there is; false: the node stops or the file cannot be read. */
static bool take(struct follow *f, struct source *s, struct lines *l, uint64_t from)
{
    for (;;) {
        struct span line;
        ssize_t n = fill(l);
        if (n < 0)
            return false;
        if (n == 0)
            return true;
        if (s->sensor)
            sensor_alive(s->sensor);
        while (cut(l, &line))
            if (line.n > 0 && l->offset >= from && !source_line(f->in, s, l->offset, line))
                return false;
    }
}

/* Follows one incarnation of the file until it is replaced. */
static void follow_file(struct follow *f, int fd)
{
    struct stat st;
    struct lines l = {.fd = fd, .b = buf_new(BLOCK + LINE_MAX_BYTES + 64)};
    uint64_t from = 0;
    while (!f->in->stopping && fstat(fd, &st) == 0 && st.st_size == 0)
        poll(NULL, 0, POLL_MS); /* its first line names the stream */
    struct source *s =
        f->in->stopping ? NULL : announce(f->in, f->path, f->name, stream_of(fd, &st), &from);
    while (s && !f->in->stopping) {
        if (!take(f, s, &l, from))
            break;
        if (replaced(f->path, &st, l.offset + l.b.n - l.at)) {
            take(f, s, &l, from); /* what was written before it was put aside */
            break;
        }
        poll(NULL, 0, POLL_MS);
        if (s->sensor)
            sensor_alive(s->sensor);
    }
    if (s && s->sensor && f->in->stopping)
        sensor_gone(f->in->conf.sensors, s->sensor, "offline");
    buf_free(&l.b);
}

static void *follow_main(void *cls)
{
    struct follow *f = cls;
    bool told = false;
    pthread_setname_np(pthread_self(), "follow");
    while (!f->in->stopping) {
        int fd = open(f->path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            if (!told)
                log_notice("%s: %m; waiting for it", f->path);
            told = true;
            poll(NULL, 0, POLL_MS);
            continue;
        }
        told = false;
        follow_file(f, fd);
        close(fd);
    }
    return NULL;
}

bool intake_follow(struct intake *in, const char *path, const char *name, struct err *e)
{
    if (!link_name_valid(span_str(name)))
        return err_set(e, ERR_INVALID, "%s: not a name for a sensor", name);
    struct follow *f = mem_zero(sizeof(*f));
    f->in = in;
    f->path = mem_strdup(path);
    f->name = mem_strdup(name);
    f->next = in->follows;
    in->follows = f;
    f->running = pthread_create(&f->thread, NULL, follow_main, f) == 0;
    return f->running || err_set(e, ERR_NOMEM, "cannot start a thread");
}

void follow_stop_all(struct intake *in)
{
    while (in->follows) {
        struct follow *f = in->follows;
        in->follows = f->next;
        if (f->running)
            pthread_join(f->thread, NULL);
        mem_free(f->path);
        mem_free(f->name);
        mem_free(f);
    }
}
