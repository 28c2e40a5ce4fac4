/* SPDX-License-Identifier: Apache-2.0 */
/* One buffer that grows on demand up to STREAM_MOST; large reads; unpacking goes straight into it.
 * Nothing here believes a length that the file claims. */
#include "packet/capture/stream.h"

#include "base/mem.h"
#include "base/rd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { FIRST_BUFFER = 512 << 10, RAW_BUFFER = 256 << 10 };

enum packing { PLAIN, GZIP, ZSTD };

struct stream {
    char *path;
    int fd;
    enum packing packing;
    bool fd_end, end;
    uint64_t taken;
    uint8_t *buffer; /* [from, to) is ready */
    size_t cap, from, to;
    uint8_t *raw; /* packed bytes: [raw_from, raw_to) */
    size_t raw_from, raw_to;
    z_stream zlib;
    bool zlib_on, member_open;
    ZSTD_DStream *zstd;
};

static bool read_some(struct stream *s, uint8_t *to, size_t cap, size_t *ret_n, struct err *e)
{
    ssize_t n;

    do {
        n = read(s->fd, to, cap);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(e, ERR_IO, "%s: %m", s->path);
    s->fd_end = n == 0;
    *ret_n = (size_t)n;
    return true;
}

static bool fill_raw(struct stream *s, struct err *e)
{
    size_t n;

    if (s->raw_from < s->raw_to || s->fd_end)
        return true;
    s->raw_from = s->raw_to = 0;
    if (!read_some(s, s->raw, RAW_BUFFER, &n, e))
        return false;
    s->raw_to = n;
    return true;
}

static bool unpack_gzip(struct stream *s, struct err *e)
{
    if (!fill_raw(s, e))
        return false;
    if (s->raw_from == s->raw_to) {
        s->end = true;
        if (s->member_open)
            return err_set(e, ERR_PARSE, "%s: the gzip data ends early", s->path);
        return true;
    }
    if (!s->member_open && inflateReset(&s->zlib) != Z_OK)
        return err_set(e, ERR_INTERNAL, "%s: zlib cannot be reset", s->path);
    s->member_open = true;
    s->zlib.next_in = s->raw + s->raw_from;
    s->zlib.avail_in = (uInt)(s->raw_to - s->raw_from);
    s->zlib.next_out = s->buffer + s->to;
    s->zlib.avail_out = (uInt)(s->cap - s->to);
    int r = inflate(&s->zlib, Z_NO_FLUSH);
    s->raw_from = s->raw_to - s->zlib.avail_in;
    s->to = s->cap - s->zlib.avail_out;
    if (r == Z_STREAM_END)
        s->member_open = false; /* another member may follow */
    else if (r != Z_OK && r != Z_BUF_ERROR)
        return err_set(e, ERR_PARSE, "%s: broken gzip data: %s", s->path,
                       s->zlib.msg ? s->zlib.msg : "not a deflate stream");
    return true;
}

static bool unpack_zstd(struct stream *s, struct err *e)
{
    if (!fill_raw(s, e))
        return false;
    if (s->raw_from == s->raw_to) {
        s->end = true;
        if (s->member_open)
            return err_set(e, ERR_PARSE, "%s: the zstd data ends early", s->path);
        return true;
    }
    ZSTD_inBuffer in = {s->raw + s->raw_from, s->raw_to - s->raw_from, 0};
    ZSTD_outBuffer out = {s->buffer + s->to, s->cap - s->to, 0};
    size_t r = ZSTD_decompressStream(s->zstd, &out, &in);
    s->raw_from += in.pos;
    s->to += out.pos;
    if (ZSTD_isError(r))
        return err_set(e, ERR_PARSE, "%s: broken zstd data: %s", s->path, ZSTD_getErrorName(r));
    s->member_open = r != 0;
    return true;
}

static bool fill(struct stream *s, struct err *e)
{
    size_t n;

    switch (s->packing) {
    case GZIP:
        return unpack_gzip(s, e);
    case ZSTD:
        return unpack_zstd(s, e);
    default:
        if (!read_some(s, s->buffer + s->to, s->cap - s->to, &n, e))
            return false;
        s->to += n;
        s->end = s->fd_end;
        return true;
    }
}

bool stream_peek(struct stream *s, size_t n, struct span *ret, struct err *e)
{
    must(n <= STREAM_MOST);
    if (UNLIKELY(s->to - s->from < n && !s->end)) {
        if (s->from > 0) {
            memmove(s->buffer, s->buffer + s->from, s->to - s->from);
            s->to -= s->from;
            s->from = 0;
        }
        if (n > s->cap) {
            while (s->cap < n)
                s->cap *= 2;
            s->buffer = mem_resize(s->buffer, s->cap);
        }
        while (s->to < n && !s->end) {
            if (!fill(s, e)) {
                s->end = true; /* what is ready can still be had */
                return false;
            }
        }
    }
    *ret = (struct span){s->buffer + s->from, s->to - s->from};
    return true;
}

void stream_take(struct stream *s, size_t n)
{
    must(n <= s->to - s->from);
    s->from += n;
    s->taken += n;
}

uint64_t stream_at(const struct stream *s)
{
    return s->taken;
}

const char *stream_path(const struct stream *s)
{
    return s->path;
}

/* Looks at the first bytes, which then become the first packed bytes. */
static bool detect_packing(struct stream *s, struct err *e)
{
    struct span head;

    if (!stream_peek(s, 4, &head, e))
        return false;
    if (head.n >= 2 && head.p[0] == 0x1f && head.p[1] == 0x8b)
        s->packing = GZIP;
    else if (head.n >= 4 && le32(head.p) == 0xfd2fb528)
        s->packing = ZSTD;
    else
        return true;
    s->raw = mem_get(max_size(RAW_BUFFER, s->to));
    memcpy(s->raw, s->buffer, s->to);
    s->raw_to = s->to;
    s->to = 0;
    s->end = false;
    if (s->packing == GZIP) {
        if (inflateInit2(&s->zlib, 15 + 16) != Z_OK)
            return err_set(e, ERR_NOMEM, "%s: no memory for unpacking", s->path);
        s->zlib_on = true;
        return true;
    }
    s->zstd = ZSTD_createDStream();
    if (!s->zstd)
        return err_set(e, ERR_NOMEM, "%s: no memory for unpacking", s->path);
    return true;
}

struct stream *stream_open(const char *path, struct err *e)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m", path);
        return NULL;
    }
    struct stream *s = mem_zero(sizeof(*s));
    s->path = mem_strdup(is_stdin ? "standard input" : path);
    s->fd = fd;
    s->cap = FIRST_BUFFER;
    s->buffer = mem_get(s->cap);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (!detect_packing(s, e)) {
        stream_close(s);
        return NULL;
    }
    return s;
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    if (s->zlib_on)
        inflateEnd(&s->zlib);
    ZSTD_freeDStream(s->zstd);
    close(s->fd);
    mem_free(s->raw);
    mem_free(s->buffer);
    mem_free(s->path);
    mem_free(s);
}
