/* SPDX-License-Identifier: Apache-2.0 */
/* EVE files as a source: read once, or followed as they grow. A line's number is the file's offset
 * behind it, and the stream's id is made of the file's device, inode and first line: so after a
 * restart reading goes on exactly behind the last durable line, a file that was put aside is known
 * again under its new name, and one that was emptied and filled again is a new stream. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "event/link.h"
#include "node/intake_impl.h"
#include "node/lines.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { FIRST_BYTES = 256, POLL_MS = 200, ASIDE_QUIET_MS = 2000, ASIDE_MOST_MS = 60000 };

struct follow {
    struct intake *in;
    char *path, *name;
    pthread_t thread;
    bool running;
    struct follow *next;
};

/* Of the first line, or as much of it as FIRST_BYTES; 0: it is not written to its end yet. */
static uint64_t stream_of(int fd, const struct stat *st)
{
    uint8_t head[FIRST_BYTES];
    ssize_t n = pread(fd, head, sizeof(head), 0);
    size_t use = n > 0 ? span_find_byte(span_of(head, (size_t)n), '\n') : 0;
    if (n <= 0 || (use == (size_t)n && use < sizeof(head)))
        return 0;
    uint64_t h = hash_bytes_key((uint64_t)st->st_dev, (uint64_t)st->st_ino, head, use);
    return h ? h : 1;
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

/* --- reading once --- */

static bool give(struct intake *in, struct source *s, struct lines *l, struct intake_file *file,
                 struct span line, struct err *e)
{
    if (line.n == 0)
        return true;
    file->events++;
    return (source_line(in, s, l->offset, line) && !*file->stop) ||
           err_set(e, ERR_UNAVAILABLE, "stopped");
}

static bool read_all(struct intake *in, struct source *s, gzFile gz, uint64_t size,
                     struct intake_file *file, struct err *e)
{
    struct lines l;
    struct span line;
    bool ok = true;
    lines_open(&l);
    while (ok) {
        uint8_t *room = lines_room(&l);
        int n = room ? gzread(gz, room, LINES_BLOCK) : -1;
        if (n < 0)
            ok = err_set(e, ERR_IO, "cannot be read to its end (damaged?)");
        if (n <= 0)
            break;
        lines_grown(&l, (size_t)n);
        while (ok && lines_cut(&l, &line))
            ok = give(in, s, &l, file, line, e);
        off_t at = gzoffset(gz);
        if (size > 0 && at >= 0)
            *file->progress_ppm = (uint64_t)at * 1000000 / size;
    }
    if (ok && lines_rest(&l, &line))
        ok = give(in, s, &l, file, line, e);
    lines_close(&l);
    return ok;
}

bool intake_read(struct intake *in, struct intake_file *file, struct err *e)
{
    struct stat st;
    uint64_t next = 0;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        err_set(e, ERR_NOT_FOUND, "%s: %m", file->path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    gzFile gz = gzdopen(fd, "rb"); /* passes plain files through */
    struct source *s = announce(in, file->name, file->name, file->stream, &next);
    bool ok = (gz && s) || err_set(e, ERR_FULL, "too many sources of events");
    ok = ok && read_all(in, s, gz, (uint64_t)st.st_size, file, e) && ingest_flush(in->ingest, e);
    if (s && s->sensor)
        sensor_gone(in->sensors, s->sensor, ok ? "done" : "offline");
    if (gz)
        gzclose(gz);
    else
        close(fd);
    return ok;
}

/* --- following --- */

/* Takes what there is from l's offset on; false: the node stops or the file cannot be read. *any:
 * there was something. */
static bool take(struct follow *f, struct source *s, int fd, struct lines *l, bool *any)
{
    for (;;) {
        struct span line;
        uint8_t *room = lines_room(l);
        ssize_t n = room ? read(fd, room, LINES_BLOCK) : -1;
        if (n < 0)
            return false;
        if (n == 0)
            return true;
        *any = true;
        lines_grown(l, (size_t)n);
        if (s->sensor)
            sensor_alive(s->sensor);
        while (lines_cut(l, &line))
            if (line.n > 0 && !source_line(f->in, s, l->offset, line))
                return false;
    }
}

/* The file was put aside. Who writes it may not know yet: it is read until it has been quiet. */
static void take_rest(struct follow *f, struct source *s, int fd, struct lines *l)
{
    struct span line;
    unsigned quiet = 0;
    for (unsigned ms = 0; ms < ASIDE_MOST_MS && quiet < ASIDE_QUIET_MS; ms += POLL_MS) {
        bool any = false;
        if (!take(f, s, fd, l, &any) || f->in->stopping)
            return; /* it is found again at the next start */
        quiet = any ? 0 : quiet + POLL_MS;
        poll(NULL, 0, POLL_MS);
    }
    if (lines_rest(l, &line))
        source_line(f->in, s, l->offset, line);
}

/* Is there another file under the name now, or other content in this one? */
static bool replaced(const struct follow *f, int fd, const struct stat *was, uint64_t stream,
                     uint64_t offset, bool *emptied)
{
    struct stat now, named;
    *emptied =
        fstat(fd, &now) == 0 && ((uint64_t)now.st_size < offset || stream_of(fd, was) != stream);
    return *emptied || (stat(f->path, &named) == 0 &&
                        (named.st_ino != was->st_ino || named.st_dev != was->st_dev));
}

/* Goes to the first line that is not durable. */
static bool resume(int fd, struct lines *l, uint64_t next)
{
    l->offset = next - 1;
    return lseek(fd, (off_t)l->offset, SEEK_SET) >= 0;
}

/* The source of a file. More of it known than it has: it was emptied and begins with the same line
 * as before, so it is the next stream of that name. */
static struct source *source_of(struct follow *f, const struct stat *st, uint64_t stream,
                                uint64_t *next)
{
    for (uint64_t again = 0; again < 64; again++) {
        uint64_t id = stream + again;
        if (!ingest_knows(f->in->ingest, span_str(f->name), id, next) ||
            *next - 1 <= (uint64_t)st->st_size)
            return announce(f->in, f->path, f->name, id, next);
    }
    return NULL;
}

/* Follows one incarnation of the file until it is replaced. */
static void follow_file(struct follow *f, int fd)
{
    struct stat st;
    struct lines l;
    uint64_t next = 0, stream = 0;
    bool emptied = false, any;
    while (!f->in->stopping && fstat(fd, &st) == 0 && !(stream = stream_of(fd, &st))) {
        poll(NULL, 0, POLL_MS); /* its first line names the stream */
        struct stat named;
        if (stat(f->path, &named) == 0 && named.st_ino != st.st_ino)
            return;
    }
    struct source *s = stream ? source_of(f, &st, stream, &next) : NULL;
    lines_open(&l);
    bool ok = s && resume(fd, &l, next);
    while (ok && !f->in->stopping) {
        ok = take(f, s, fd, &l, &any);
        if (ok && replaced(f, fd, &st, stream, l.offset + l.dropped + l.b.n - l.at, &emptied)) {
            if (!emptied)
                take_rest(f, s, fd, &l);
            break;
        }
        poll(NULL, 0, POLL_MS);
        if (s->sensor)
            sensor_alive(s->sensor);
    }
    if (s && s->sensor && f->in->stopping)
        sensor_gone(f->in->sensors, s->sensor, "offline");
    lines_close(&l);
    if (!ok)
        poll(NULL, 0, POLL_MS);
}

/* A file beside ours that was put aside while the node was away: known, and longer than is known.
 */
static void catch_up(struct follow *f, const char *path)
{
    struct stat st;
    struct lines l;
    uint64_t next = 0, stream = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        stream = stream_of(fd, &st);
    if (stream && ingest_knows(f->in->ingest, span_str(f->name), stream, &next) &&
        (uint64_t)st.st_size >= next) {
        struct source *s = announce(f->in, path, f->name, stream, &next);
        lines_open(&l);
        if (s && resume(fd, &l, next)) {
            log_notice("%s: going on at byte %llu", path, (unsigned long long)l.offset);
            take_rest(f, s, fd, &l);
        }
        lines_close(&l);
    }
    close(fd);
}

static void catch_up_beside(struct follow *f)
{
    char folder[4096], path[8192];
    const char *slash = strrchr(f->path, '/');
    const char *own = slash ? slash + 1 : f->path;
    if (slash)
        span_copy(span_of(f->path, (size_t)(slash - f->path) + 1), folder, sizeof(folder));
    DIR *dir = opendir(slash ? folder : ".");
    if (!dir)
        return;
    for (struct dirent *d; !f->in->stopping && (d = readdir(dir));) {
        if (strncmp(d->d_name, own, strlen(own)) != 0 || strcmp(d->d_name, own) == 0)
            continue;
        snprintf(path, sizeof(path), "%s%s", slash ? folder : "", d->d_name);
        catch_up(f, path);
    }
    closedir(dir);
}

static void *follow_main(void *cls)
{
    struct follow *f = cls;
    bool told = false;
    pthread_setname_np(pthread_self(), "follow");
    catch_up_beside(f);
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
        return err_set(e, ERR_INVALID,
                       "%s: not a name for a sensor; write --follow NAME=FILE with letters, "
                       "digits, '.', '_' and '-'",
                       name);
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
