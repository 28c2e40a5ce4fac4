/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a compiled pattern database after something happened to it: with bit 7 of the first
 * byte it is the rest of the input, else each three bytes are a place and a byte, or (0xffff) the
 * file's end. What comes back is a database that finds the patterns, read or compiled anew. */
#include "scratch.h"

#include "fuzz.h"

#include "base/buf.h"
#include "base/rd.h"
#include "detect/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char *const texts[] = {"alpha", "beta"};
static const size_t lengths[] = {5, 4};
static const unsigned flags[] = {0, HS_FLAG_CASELESS}, ids[] = {1, 2};

static struct {
    char folder[64], path[400];
    struct buf good; /* the file as it was written */
} kept;

static int found(unsigned id, unsigned long long from, unsigned long long to, unsigned f,
                 void *user)
{
    (void)from, (void)to, (void)f;
    *(unsigned *)user |= 1u << id;
    return 0;
}

static void use(void)
{
    const struct cache_literals l = {texts, lengths, flags, ids, LEN(texts)};
    hs_scratch_t *scratch = NULL;
    hs_database_t *db;
    unsigned seen = 0;
    struct err e;

    must(cache_compile(&l, kept.folder, &db, &e));
    must(hs_alloc_scratch(db, &scratch) == HS_SUCCESS);
    must(hs_scan(db, "an alpha, a BETA", 16, 0, scratch, found, &seen) == HS_SUCCESS);
    must(seen == 6);
    hs_free_scratch(scratch);
    hs_free_database(db);
}

static void remove_folder(void)
{
    unlink(kept.path);
    rmdir(kept.folder);
    buf_free(&kept.good);
}

static void make_folder(void)
{
    const struct dirent *d;

    scratch_folder(kept.folder);
    use();
    DIR *dir = opendir(kept.folder);
    must(dir);
    while ((d = readdir(dir)))
        if (d->d_name[0] != '.')
            snprintf(kept.path, sizeof(kept.path), "%s/%s", kept.folder, d->d_name);
    closedir(dir);
    must(kept.path[0]);
    kept.good = buf_new(1 << 20);
    int fd = open(kept.path, O_RDONLY);
    must(fd >= 0 && buf_room(&kept.good, 256 << 10));
    ssize_t n = read(fd, kept.good.p, kept.good.cap);
    must(n > 0);
    kept.good.n = (size_t)n;
    close(fd);
    atexit(remove_folder);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    struct verdict v = {0};

    if (n == 0)
        return 0;
    if (!kept.path[0])
        make_folder();
    int fd = open(kept.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0);
    if (p[0] & 0x80) {
        must(write(fd, p + 1, n - 1) == (ssize_t)(n - 1));
    } else {
        struct rd r = rd_whole(span_of(p + 1, n - 1), &v);
        must(write(fd, kept.good.p, kept.good.n) == (ssize_t)kept.good.n);
        while (rd_more(&r)) {
            uint16_t place = rd_u16(&r);
            uint8_t byte = rd_u8(&r);
            if (place == 0xffff)
                must(ftruncate(fd, byte) == 0);
            else if (rd_ok(&r))
                must(pwrite(fd, &byte, 1, (off_t)(place % kept.good.n)) == 1);
        }
    }
    close(fd);
    use();
    return 0;
}
