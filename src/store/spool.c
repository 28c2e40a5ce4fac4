/* SPDX-License-Identifier: Apache-2.0 */
/* Segments NNNNNNNNNNNNNNNN.seg named by their first record. Layout of a record, little-endian:
 *   magic u32, kind u32, number u64, written_ns u64, events_n u32, quarantine_n u32,
 *   length of five parts u32 ×5, checksum u64 over all of this (with 0 here) and the parts;
 *   parts: positions (16 bytes each), events_into, events, quarantine_into, quarantine.
 * `reserve` is room to begin a segment when the disk is full, so that confirmed ones can go.
 * The file `stored` holds the number of the last confirmed record; an old one costs a repeat, which
 * the token makes harmless. */
#include "store/spool.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/htab.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/rd.h"
#include "base/wr.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    HEAD = 60,
    MAGIC = 0x535a4431,
    KIND_BLOCK = 1,
    KIND_POSITIONS = 2,
    KIND_PACKED = 3, /* a block whose events are a ZSTD frame */
    SEGMENT_BYTES = 64 << 20,
    RESERVE = 256 << 10,
    READ_PIECE = 256 << 10,
};

/* Parts follow each other in this order. */
enum part {
    PART_POSITIONS,
    PART_EVENTS_INTO,
    PART_EVENTS,
    PART_QUARANTINE_INTO,
    PART_QUARANTINE,
    PARTS,
};

struct segment {
    uint64_t first, last; /* record numbers; last < first: none */
    uint64_t bytes;
    struct segment *next;
};

struct place { /* of a waiting record */
    uint64_t number, segment, offset, written_ns;
    uint32_t rows, n;
};

struct stream {
    struct hnode node;
    uint64_t stream, seq;
};

struct spool {
    char *dir;
    int dir_fd, lock_fd, write_fd, read_fd, stored_fd;
    uint64_t read_segment;
    uint64_t id;
    pthread_mutex_t lock;
    struct segment *oldest, *newest;
    struct place *places;
    size_t places_from, places_n, places_cap;
    uint64_t next_number, bytes, waiting_rows, torn;
    struct htab streams;
};

static void segment_name(uint64_t first, char text[32])
{
    snprintf(text, 32, "%016llx.seg", (unsigned long long)first);
}

static bool stream_equal(const struct hnode *node, const void *key)
{
    const struct stream *st = (const void *)((const char *)node - offsetof(struct stream, node));

    return st->stream == *(const uint64_t *)key;
}

static struct stream *stream_find(struct spool *s, uint64_t id)
{
    struct hnode *n = htab_find(&s->streams, hash_bytes(&id, sizeof(id)), stream_equal, &id);

    return n ? CONTAINER_OF(n, struct stream, node) : NULL;
}

static void position_set(struct spool *s, uint64_t id, uint64_t seq)
{
    struct stream *st = stream_find(s, id);

    if (!st) {
        /* At the ceiling any one goes: its sensor would have to come back after 65,536 others. */
        if (s->streams.count >= SPOOL_STREAMS) {
            size_t at = 0;
            struct hnode *old = htab_next(&s->streams, &at, NULL);
            htab_remove(&s->streams, old);
            mem_free(CONTAINER_OF(old, struct stream, node));
        }
        st = mem_zero(sizeof(*st));
        st->stream = id;
        htab_add(&s->streams, hash_bytes(&id, sizeof(id)), &st->node);
    }
    if (seq > st->seq)
        st->seq = seq;
}

/* Of the head and of each part, one after the other: begin, then a part at a time. */
static uint64_t checksum_begin(const uint8_t head[HEAD])
{
    return hash_bytes_key(MAGIC, HEAD, head, HEAD - 8);
}

static uint64_t checksum_part(uint64_t sum, enum part i, const struct span *pieces, size_t n)
{
    struct hash_stream h;

    hash_begin(&h, sum, i);
    for (size_t k = 0; k < n; k++)
        hash_add(&h, pieces[k].p, pieces[k].n);
    return hash_end(&h);
}

static void place_add(struct spool *s, const struct place *p)
{
    if (s->places_from == s->places_n)
        s->places_from = s->places_n = 0;
    if (s->places_from > s->places_cap / 2) {
        s->places_n -= s->places_from;
        memmove(s->places, s->places + s->places_from, s->places_n * sizeof(*s->places));
        s->places_from = 0;
    }
    if (s->places_n == s->places_cap) {
        s->places_cap = s->places_cap ? s->places_cap * 2 : 256;
        s->places = mem_resize(s->places, s->places_cap * sizeof(*s->places));
    }
    s->places[s->places_n++] = *p;
    s->waiting_rows += p->rows;
}

static struct segment *segment_add(struct spool *s, uint64_t first)
{
    struct segment *g = mem_zero(sizeof(*g));

    g->first = first;
    g->last = first - 1;
    if (s->newest)
        s->newest->next = g;
    else
        s->oldest = g;
    s->newest = g;
    return g;
}

struct head {
    uint32_t kind, events_n, quarantine_n, parts[PARTS];
    uint64_t number, written_ns, sum, total;
};

static bool head_read(const uint8_t p[HEAD], struct head *h)
{
    h->kind = le32(p + 4);
    h->number = le64(p + 8);
    h->written_ns = le64(p + 16);
    h->events_n = le32(p + 24);
    h->quarantine_n = le32(p + 28);
    h->total = 0;
    for (size_t i = 0; i < PARTS; i++) {
        h->parts[i] = le32(p + 32 + 4 * i);
        h->total += h->parts[i];
    }
    h->sum = le64(p + 52);
    return le32(p) == MAGIC && h->total <= SPOOL_RECORD_MAX;
}

static bool read_exact(int fd, void *to, size_t n, uint64_t at)
{
    uint8_t *p = to;

    while (n) {
        ssize_t got = pread(fd, p, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return true;
}

/* A part of n bytes at `at`, which is not kept. */
static bool checksum_file(uint64_t *sum, enum part i, int fd, uint64_t at, uint64_t n)
{
    uint8_t *piece CLEANUP(mem_freep) = mem_get(READ_PIECE);
    struct hash_stream h;

    hash_begin(&h, *sum, i);
    while (n) {
        size_t take = n < READ_PIECE ? (size_t)n : READ_PIECE;
        if (!read_exact(fd, piece, take, at))
            return false;
        hash_add(&h, piece, take);
        at += take;
        n -= take;
    }
    *sum = hash_end(&h);
    return true;
}

/* The record at `at`, whole and unhurt: its parts but the events into buf. */
static bool record_get(int fd, uint64_t at, struct buf *buf, struct head *h,
                       struct span parts[PARTS])
{
    uint8_t head[HEAD];

    buf_clear(buf);
    if (!read_exact(fd, head, HEAD, at) || !head_read(head, h) ||
        !buf_room(buf, h->total - h->parts[PART_EVENTS]))
        return false;
    uint64_t sum = checksum_begin(head);
    uint8_t *to = buf->p ? buf->p : head;
    at += HEAD;
    for (enum part i = 0; i < PARTS; at += h->parts[i], i++) {
        parts[i] = (struct span){to, 0};
        if (i == PART_EVENTS) {
            if (!checksum_file(&sum, i, fd, at, h->parts[i]))
                return false;
            continue;
        }
        parts[i].n = h->parts[i];
        if (!read_exact(fd, to, parts[i].n, at))
            return false;
        to += parts[i].n;
        sum = checksum_part(sum, i, &parts[i], 1);
    }
    return sum == h->sum;
}

static void positions_take(struct spool *s, struct span part)
{
    for (; part.n >= 16; part = span_from(part, 16))
        position_set(s, le64(part.p), le64(part.p + 8));
}

/* Reads one segment when opening; what follows its last whole record is cut off. */
static bool segment_recover(struct spool *s, uint64_t first, uint64_t stored, struct buf *buf,
                            struct err *e)
{
    struct span parts[PARTS];
    char name[32];
    struct stat st;
    struct head h;
    uint64_t at = 0;

    segment_name(first, name);
    int fd = openat(s->dir_fd, name, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0)
            close(fd);
        return err_set(e, ERR_IO, "spool %s/%s: %m", s->dir, name);
    }
    struct segment *g = segment_add(s, first);
    while (at < (uint64_t)st.st_size && record_get(fd, at, buf, &h, parts)) {
        positions_take(s, parts[PART_POSITIONS]);
        if (h.kind == KIND_BLOCK || h.kind == KIND_PACKED) {
            g->last = h.number;
            s->next_number = h.number + 1;
            if (h.number > stored)
                place_add(s,
                          &(struct place){h.number, first, at, h.written_ns,
                                          h.events_n + h.quarantine_n, (uint32_t)(HEAD + h.total)});
        }
        at += HEAD + h.total;
    }
    if (at < (uint64_t)st.st_size) {
        s->torn++;
        log_warn("spool %s/%s: %llu bytes of an unfinished record are cut off", s->dir, name,
                 (unsigned long long)st.st_size - at);
        if (ftruncate(fd, (off_t)at) != 0) {
            close(fd);
            return err_set(e, ERR_IO, "spool %s/%s: %m", s->dir, name);
        }
    }
    close(fd);
    g->bytes = at;
    s->bytes += at;
    return true;
}

static int number_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool segments_list(struct spool *s, uint64_t **ret, size_t *ret_n, struct err *e)
{
    size_t cap = 64;
    struct dirent *d;

    *ret_n = 0;
    *ret = mem_array(cap, sizeof(**ret));
    DIR *dir = opendir(s->dir);
    if (!dir)
        return err_set(e, ERR_IO, "spool %s: %m", s->dir);
    while ((d = readdir(dir)) != NULL) {
        char name[32];
        char *end;
        uint64_t first = strtoull(d->d_name, &end, 16);
        segment_name(first, name);
        if (strcmp(name, d->d_name) != 0)
            continue;
        if (*ret_n == cap) {
            cap *= 2;
            *ret = mem_resize(*ret, cap * sizeof(**ret));
        }
        (*ret)[(*ret_n)++] = first;
    }
    closedir(dir);
    qsort(*ret, *ret_n, sizeof(**ret), number_compare);
    return true;
}

static bool recover(struct spool *s, struct err *e)
{
    struct buf buf CLEANUP(buf_free) = buf_new(SPOOL_RECORD_MAX + 4096);
    uint8_t stored[16] = {0};
    uint64_t *firsts CLEANUP(mem_freep) = NULL;
    size_t n;

    if (read_exact(s->stored_fd, stored, 16, 0))
        s->id = le64(stored);
    else if (getrandom(&s->id, sizeof(s->id), 0) != sizeof(s->id))
        return err_set(e, ERR_INTERNAL, "no random numbers: %m");
    uint64_t last = le64(stored + 8);
    s->next_number = last + 1;
    if (!segments_list(s, &firsts, &n, e))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!segment_recover(s, firsts[i], last, &buf, e))
            return false;
    put_le64(stored, s->id);
    put_le64(stored + 8, last);
    if (pwrite(s->stored_fd, stored, 16, 0) != 16 || fsync(s->stored_fd) != 0)
        return err_set(e, ERR_IO, "spool %s/stored: %m", s->dir);
    return true;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Room set aside; without it a full disk is only harder to leave. */
static void reserve_make(struct spool *s)
{
    static const uint8_t zeros[4096];

    int fd = openat(s->dir_fd, "reserve", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool ok = fd >= 0;
    for (size_t n = 0; ok && n < RESERVE; n += sizeof(zeros))
        ok = write(fd, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros);
    close_fd(fd);
}

bool spool_open(const char *dir, struct spool **ret, struct err *e)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set(e, ERR_IO, "cannot make the spool's folder %s: %m", dir);
    struct spool *s = mem_zero(sizeof(*s));
    s->write_fd = s->read_fd = s->stored_fd = s->lock_fd = -1;
    s->dir = mem_strdup(dir);
    pthread_mutex_init(&s->lock, NULL);
    htab_init(&s->streams, 64);
    s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir_fd >= 0)
        s->lock_fd = openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0) {
        err_set(e, ERR_IO, "cannot write to the spool's folder %s: %m", dir);
    } else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        err_set(e, ERR_BUSY, "another process uses the spool's folder %s", dir);
    } else {
        s->stored_fd = openat(s->dir_fd, "stored", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (s->stored_fd < 0)
            err_set(e, ERR_IO, "cannot write to the spool's folder %s: %m", dir);
        else if (recover(s, e)) {
            reserve_make(s);
            *ret = s;
            return true;
        }
    }
    spool_close(s);
    return false;
}

void spool_close(struct spool *s)
{
    if (!s)
        return;
    close_fd(s->write_fd);
    close_fd(s->read_fd);
    close_fd(s->stored_fd);
    close_fd(s->lock_fd);
    close_fd(s->dir_fd);
    while (s->oldest) {
        struct segment *g = s->oldest;
        s->oldest = g->next;
        mem_free(g);
    }
    size_t at = 0;
    struct hnode *n = htab_next(&s->streams, &at, NULL);
    while (n) {
        struct hnode *next = htab_next(&s->streams, &at, n);
        mem_free(CONTAINER_OF(n, struct stream, node));
        n = next;
    }
    htab_free(&s->streams);
    pthread_mutex_destroy(&s->lock);
    mem_free(s->places);
    mem_free(s->dir);
    mem_free(s);
}

static bool write_parts(int fd, struct iovec *v, int n)
{
    while (n) {
        ssize_t done = writev(fd, v, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        for (; n && (size_t)done >= v->iov_len; v++, n--)
            done -= (ssize_t)v->iov_len;
        if (n) {
            v->iov_base = (uint8_t *)v->iov_base + done;
            v->iov_len -= (size_t)done;
        }
    }
    return true;
}

static void piece_add(struct iovec *v, int *n, struct span s)
{
    if (s.n)
        v[(*n)++] = (struct iovec){(void *)(uintptr_t)s.p, s.n};
}

/* Writes one record at the end of the newest segment; on failure what was written is taken back. */
static bool record_put(struct spool *s, uint32_t kind, const struct spool_record *r,
                       struct span positions, uint64_t now, struct err *e)
{
    const struct span single[PARTS] = {
        positions, r->events_into, {NULL, r->events_bytes}, r->quarantine_into, r->quarantine};
    struct segment *g = s->newest;
    struct iovec v[SPOOL_PIECES + PARTS + 1];
    uint8_t head[HEAD];
    uint64_t total = HEAD;
    int n = 0;

    put_le32(head, MAGIC);
    put_le32(head + 4, kind);
    put_le64(head + 8, r->number);
    put_le64(head + 16, now);
    put_le32(head + 24, r->events_n);
    put_le32(head + 28, r->quarantine_n);
    for (enum part i = 0; i < PARTS; i++) {
        put_le32(head + 32 + 4 * i, (uint32_t)single[i].n);
        total += single[i].n;
    }
    must(total - HEAD <= SPOOL_RECORD_MAX && r->events_pieces <= SPOOL_PIECES);
    uint64_t sum = checksum_begin(head);
    piece_add(v, &n, span_of(head, HEAD));
    for (enum part i = 0; i < PARTS; i++) {
        const struct span *pieces = i == PART_EVENTS ? r->events : &single[i];
        size_t pieces_n = i == PART_EVENTS ? r->events_pieces : 1;
        sum = checksum_part(sum, i, pieces, pieces_n);
        for (size_t k = 0; k < pieces_n; k++)
            piece_add(v, &n, pieces[k]);
    }
    put_le64(head + 52, sum);
    if (write_parts(s->write_fd, v, n) && fdatasync(s->write_fd) == 0) {
        g->bytes += total;
        s->bytes += total;
        return true;
    }
    err_set(e, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO, "spool %s: %m", s->dir);
    if (ftruncate(s->write_fd, (off_t)g->bytes) != 0 ||
        lseek(s->write_fd, (off_t)g->bytes, SEEK_SET) < 0) {
        /* Its tail is cut when the folder is opened again; go on in another segment. */
        close(s->write_fd);
        s->write_fd = -1;
    }
    return false;
}

static void put_positions(struct buf *b, uint64_t stream, uint64_t seq)
{
    uint8_t p[16];

    put_le64(p, stream);
    put_le64(p + 8, seq);
    buf_add(b, p, sizeof(p));
}

static bool segment_open(struct spool *s, uint64_t now, struct err *e)
{
    struct buf b CLEANUP(buf_free) = buf_new((size_t)SPOOL_STREAMS * 16);
    struct spool_record none = {.number = 0};
    char name[32];
    size_t at = 0;

    close_fd(s->write_fd);
    segment_name(s->next_number, name);
    /* Under another name until it knows the positions: the old ones may be the only others. */
    s->write_fd = openat(s->dir_fd, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (s->write_fd < 0)
        return err_set(e, errno == ENOSPC ? ERR_FULL : ERR_IO, "spool %s/%s: %m", s->dir, name);
    if (!s->newest || s->newest->first != s->next_number)
        segment_add(s, s->next_number);
    else
        s->bytes -= s->newest->bytes, s->newest->bytes = 0;
    for (struct hnode *n = htab_next(&s->streams, &at, NULL); n;
         n = htab_next(&s->streams, &at, n)) {
        struct stream *st = CONTAINER_OF(n, struct stream, node);
        put_positions(&b, st->stream, st->seq);
    }
    if (!record_put(s, KIND_POSITIONS, &none, buf_span(&b), now, e)) {
        close_fd(s->write_fd);
        s->write_fd = -1;
        return false;
    }
    if (renameat(s->dir_fd, "new", s->dir_fd, name) != 0 || fsync(s->dir_fd) != 0)
        return err_set(e, ERR_IO, "spool %s: %m", s->dir);
    return true;
}

/* Segments that hold nothing unconfirmed go, but not the newest: it knows the positions. */
static void segments_drop(struct spool *s)
{
    uint64_t waiting =
        s->places_from < s->places_n ? s->places[s->places_from].number : s->next_number;

    while (s->oldest && s->oldest != s->newest && s->oldest->last < waiting) {
        struct segment *g = s->oldest;
        char name[32];
        segment_name(g->first, name);
        unlinkat(s->dir_fd, name, 0);
        if (s->read_segment == g->first) {
            close_fd(s->read_fd);
            s->read_fd = -1;
        }
        s->bytes -= g->bytes;
        s->oldest = g->next;
        mem_free(g);
    }
}

/* The disk is full. When all is confirmed, a new segment lets the old ones go. */
static bool room_make(struct spool *s, uint64_t now, struct err *e)
{
    if (s->places_from < s->places_n || s->newest->last < s->newest->first)
        return false;
    unlinkat(s->dir_fd, "reserve", 0);
    if (!segment_open(s, now, e))
        return false;
    segments_drop(s);
    reserve_make(s);
    return true;
}

bool spool_append(struct spool *s, const struct spool_record *r, struct err *e)
{
    struct buf b CLEANUP(buf_free) = buf_new((size_t)SPOOL_STREAMS * 16);
    uint64_t now = clock_now_ns();
    uint32_t kind = r->events_packed ? KIND_PACKED : KIND_BLOCK;

    for (size_t i = 0; i < r->positions_n; i++)
        put_positions(&b, r->positions[i].stream, r->positions[i].seq);
    struct spool_record numbered = *r;
    numbered.events_bytes = 0;
    for (size_t i = 0; i < r->events_pieces; i++)
        numbered.events_bytes += r->events[i].n;
    must(!b.full);
    pthread_mutex_lock(&s->lock);
    bool ok = (s->write_fd >= 0 && s->newest->bytes < SEGMENT_BYTES) || segment_open(s, now, e);
    numbered.number = s->next_number;
    ok = ok && record_put(s, kind, &numbered, buf_span(&b), now, e);
    if (!ok && e->kind == ERR_FULL && s->newest && room_make(s, now, e))
        ok = record_put(s, kind, &numbered, buf_span(&b), now, e);
    if (ok) {
        uint64_t n = HEAD + b.n + r->events_into.n + numbered.events_bytes + r->quarantine_into.n +
                     r->quarantine.n;
        s->newest->last = s->next_number;
        place_add(s, &(struct place){s->next_number, s->newest->first, s->newest->bytes - n, now,
                                     r->events_n + r->quarantine_n, (uint32_t)n});
        s->next_number++;
        for (size_t i = 0; i < r->positions_n; i++)
            position_set(s, r->positions[i].stream, r->positions[i].seq);
        segments_drop(s);
    }
    pthread_mutex_unlock(&s->lock);
    return ok;
}

static bool segment_for_reading(struct spool *s, uint64_t first, struct err *e)
{
    char name[32];

    if (s->read_fd >= 0 && s->read_segment == first)
        return true;
    close_fd(s->read_fd);
    segment_name(first, name);
    s->read_segment = first;
    s->read_fd = openat(s->dir_fd, name, O_RDONLY | O_CLOEXEC);
    return s->read_fd >= 0 || err_set(e, ERR_IO, "spool %s/%s: %m", s->dir, name);
}

bool spool_read(struct spool *s, struct buf *buf, struct spool_record *ret, bool *found,
                struct err *e)
{
    struct span parts[PARTS];
    struct head h;

    pthread_mutex_lock(&s->lock);
    *found = s->places_from < s->places_n;
    struct place place = *found ? s->places[s->places_from] : (struct place){0};
    bool ok = !*found || segment_for_reading(s, place.segment, e);
    int fd = s->read_fd;
    pthread_mutex_unlock(&s->lock);
    if (!ok || !*found)
        return ok;
    /* Only this caller confirms, so the segment stays while it is read. */
    if (!record_get(fd, place.offset, buf, &h, parts))
        return err_set(e, ERR_IO, "spool %s: record %llu is damaged on disk", s->dir,
                       (unsigned long long)place.number);
    *ret = (struct spool_record){.number = h.number,
                                 .events_n = h.events_n,
                                 .quarantine_n = h.quarantine_n,
                                 .events_into = parts[PART_EVENTS_INTO],
                                 .quarantine_into = parts[PART_QUARANTINE_INTO],
                                 .quarantine = parts[PART_QUARANTINE],
                                 .events_packed = h.kind == KIND_PACKED,
                                 .events_fd = fd,
                                 .events_at = place.offset + HEAD + h.parts[PART_POSITIONS] +
                                              h.parts[PART_EVENTS_INTO],
                                 .events_bytes = h.parts[PART_EVENTS]};
    return true;
}

void spool_confirm(struct spool *s, uint64_t number)
{
    uint8_t stored[16];

    pthread_mutex_lock(&s->lock);
    must(s->places_from < s->places_n && s->places[s->places_from].number == number);
    s->waiting_rows -= s->places[s->places_from].rows;
    s->places_from++;
    put_le64(stored, s->id);
    put_le64(stored + 8, number);
    if (pwrite(s->stored_fd, stored, sizeof(stored), 0) != sizeof(stored))
        log_warn("spool %s/stored: %m", s->dir);
    segments_drop(s);
    pthread_mutex_unlock(&s->lock);
}

uint64_t spool_position_get(struct spool *s, uint64_t stream)
{
    pthread_mutex_lock(&s->lock);
    struct stream *st = stream_find(s, stream);
    uint64_t seq = st ? st->seq : 0;
    pthread_mutex_unlock(&s->lock);
    return seq;
}

void spool_token(const struct spool *s, uint64_t number, char text[SPOOL_TOKEN])
{
    snprintf(text, SPOOL_TOKEN, "%016llx-%llu", (unsigned long long)s->id,
             (unsigned long long)number);
}

void spool_count(struct spool *s, struct spool_count *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = (struct spool_count){.bytes = s->bytes,
                                .waiting = s->places_n - s->places_from,
                                .waiting_rows = s->waiting_rows,
                                .torn = s->torn,
                                .newest = s->next_number - 1,
                                .confirmed = s->next_number - 1};
    if (ret->waiting) {
        ret->oldest_ns = s->places[s->places_from].written_ns;
        ret->confirmed = s->places[s->places_from].number - 1;
    }
    pthread_mutex_unlock(&s->lock);
}
