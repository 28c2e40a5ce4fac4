/* SPDX-License-Identifier: Apache-2.0 */
/* The spool's folder after something happened to its files. Three records are written, the first is
 * confirmed; then the input changes files (bit 7 of the first byte: the segment is the rest of the
 * input; else each step is a file, a place and a byte, or a new end) and the folder is opened
 * again. Whatever comes out is one of the records, whole, and the spool takes another. */
#include "scratch.h"

#include "fuzz.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rd.h"
#include "store/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { RECORDS = 3, STREAM = 7 };

static const char *const texts[RECORDS + 1] = {"first of all", "second", "the third record", "new"};

static bool append(struct spool *s, size_t i)
{
    struct span piece = span_str(texts[i]);
    struct spool_position at = {STREAM, i + 1};
    struct spool_record r = {.events_n = (uint32_t)i + 1,
                             .events_into = SPAN("INSERT"),
                             .events = &piece,
                             .events_pieces = 1,
                             .quarantine = SPAN("odd"),
                             .quarantine_n = 1,
                             .positions = &at,
                             .positions_n = 1};
    struct err e;

    return spool_append(s, &r, &e);
}

/* The oldest record is one of ours, byte for byte. */
static bool read_one(struct spool *s, uint64_t *number)
{
    struct buf b = buf_new(SPOOL_RECORD_MAX);
    struct spool_record r;
    struct err e = {0};
    char text[64] = "";
    bool found, ok = spool_read(s, &b, &r, &found, &e);

    must(ok || e.text[0]);
    if (ok && found) {
        must(r.events_bytes < sizeof(text));
        must(pread(r.events_fd, text, r.events_bytes, (off_t)r.events_at) ==
             (ssize_t)r.events_bytes);
        must(r.events_n >= 1 && r.events_n <= RECORDS + 1 && r.quarantine_n == 1);
        must(strcmp(text, texts[r.events_n - 1]) == 0);
        must(span_eq(r.events_into, SPAN("INSERT")) && span_eq(r.quarantine, SPAN("odd")));
        *number = r.number;
    }
    buf_free(&b);
    return ok && found;
}

static void change(const char *dir, struct span s)
{
    static const char *const names[] = {"0000000000000001.seg", "stored", "reserve",
                                        "0000000000000009.seg"};
    struct verdict v = {0};
    struct rd r = rd_whole(span_from(s, 1), &v);
    char path[128];

    if (s.p[0] & 0x80) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[0]);
        int fd = open(path, O_WRONLY | O_TRUNC);
        must(fd >= 0 && write(fd, s.p + 1, s.n - 1) == (ssize_t)(s.n - 1));
        close(fd);
        return;
    }
    while (rd_more(&r)) {
        uint8_t what = rd_u8(&r);
        uint16_t place = rd_u16(&r);
        uint8_t byte = rd_u8(&r);
        struct stat st;
        if (!rd_ok(&r))
            break;
        snprintf(path, sizeof(path), "%s/%s", dir, names[what % LEN(names)]);
        int fd = open(path, O_RDWR | O_CREAT, 0600);
        must(fd >= 0 && fstat(fd, &st) == 0);
        place = (uint16_t)(st.st_size ? place % st.st_size : 0);
        if (what & 0x80)
            must(ftruncate(fd, place) == 0);
        else
            must(pwrite(fd, &byte, 1, place) == 1);
        close(fd);
    }
}

static void remove_all(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *one;

    while (d && (one = readdir(d)))
        if (one->d_name[0] != '.')
            unlinkat(dirfd(d), one->d_name, 0);
    if (d)
        closedir(d);
    rmdir(dir);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    struct spool *s;
    struct err e = {0};
    char dir[64];
    uint64_t number, before = 0;

    if (n == 0)
        return 0;
    log_set_level(LOG_ERROR);
    scratch_folder(dir);
    must(spool_open(dir, &s, &e));
    for (size_t i = 0; i < RECORDS; i++)
        must(append(s, i));
    spool_confirm(s, 1);
    spool_close(s);
    change(dir, span_of(p, n));
    if (spool_open(dir, &s, &e)) {
        must(spool_position_get(s, STREAM) <= RECORDS);
        must(append(s, RECORDS));
        for (size_t i = 0; i <= RECORDS + 1 && read_one(s, &number); i++) {
            must(number > before);
            before = number;
            spool_confirm(s, number);
        }
        spool_close(s);
    } else {
        must(e.text[0]);
    }
    remove_all(dir);
    return 0;
}
