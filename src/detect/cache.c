/* SPDX-License-Identifier: Apache-2.0 */
/* One file per database, named after a keyed hash of everything that goes into it. Written to a
 * temporary name and renamed, so that a reader sees a whole file or none; the content carries its
 * own length and hash and is checked before the library sees it. */
#include "detect/cache.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rd.h"
#include "base/wr.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 32, CACHE_MAX_BYTES = 256 << 20, KEY_BYTES = 64 << 20 };

static const char magic[8] = "DZPATDB1";

struct key {
    uint64_t a, b;
};

/* What the key covers: library version, processor features, and every literal with its flags. */
static struct key key_of(const struct cache_literals *l)
{
    struct buf b = buf_new(KEY_BYTES);
    hs_platform_info_t platform = {0};

    (void)hs_populate_platform(&platform);
    buf_str(&b, hs_version());
    buf_add(&b, &platform.cpu_features, sizeof(platform.cpu_features));
    buf_add(&b, &platform.tune, sizeof(platform.tune));
    for (uint32_t i = 0; i < l->n; i++) {
        uint32_t head[3] = {(uint32_t)l->lengths[i], l->flags[i], l->ids[i]};
        buf_add(&b, head, sizeof(head));
        buf_add(&b, l->texts[i], l->lengths[i]);
    }
    struct span s = buf_span(&b);
    struct key k = {hash_bytes_key(0x6461697a6f6e6731u, 1, s.p, s.n),
                    hash_bytes_key(0x6461697a6f6e6732u, b.full, s.p, s.n)};
    buf_free(&b);
    return k;
}

static char *path_of(const char *dir, struct key k)
{
    return mem_printf("%s/%016lx%016lx.pat", dir, (unsigned long)k.a, (unsigned long)k.b);
}

static bool read_all(int fd, uint8_t *p, size_t n)
{
    while (n) {
        ssize_t got = read(fd, p, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

static uint64_t content_hash(const uint8_t *p, size_t n)
{
    return hash_bytes_key(0x6461697a6f6e6733u, n, p, n);
}

static hs_database_t *load_from(int fd)
{
    struct stat st;
    hs_database_t *db = NULL;

    if (fstat(fd, &st) != 0 || st.st_size <= HEAD_BYTES || st.st_size > CACHE_MAX_BYTES)
        return NULL;
    size_t n = (size_t)st.st_size;
    uint8_t *p = mem_try(n);
    if (!p)
        return NULL;
    if (read_all(fd, p, n) && memcmp(p, magic, sizeof(magic)) == 0 &&
        le64(p + 8) == n - HEAD_BYTES &&
        le64(p + 16) == content_hash(p + HEAD_BYTES, n - HEAD_BYTES) &&
        hs_deserialize_database((const char *)p + HEAD_BYTES, n - HEAD_BYTES, &db) != HS_SUCCESS)
        db = NULL;
    mem_free(p);
    return db;
}

static hs_database_t *load(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    hs_database_t *db = load_from(fd);
    (void)close(fd);
    return db;
}

static void save(const char *path, const hs_database_t *db)
{
    char *bytes = NULL;
    size_t n = 0;

    if (hs_serialize_database(db, &bytes, &n) != HS_SUCCESS)
        return;
    uint8_t head[HEAD_BYTES] = {0};
    memcpy(head, magic, sizeof(magic));
    put_le64(head + 8, n);
    put_le64(head + 16, content_hash((const uint8_t *)bytes, n));
    char *temporary = mem_printf("%s.%ld", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        bool ok = write_all(fd, head, sizeof(head)) && write_all(fd, (const uint8_t *)bytes, n);
        ok = close(fd) == 0 && ok;
        if (!ok || rename(temporary, path) != 0)
            (void)unlink(temporary);
    }
    mem_free(temporary);
    free(bytes); /* the library's, from malloc */
}

/* The library's literal interface takes a pattern that begins with a zero byte for an empty one:
 * sets with such patterns are written as expressions. */
static bool needs_expressions(const struct cache_literals *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->texts[i][0] == 0)
            return true;
    return false;
}

static hs_error_t compile_expressions(const struct cache_literals *l, hs_database_t **ret,
                                      hs_compile_error_t **why)
{
    static const char digits[] = "0123456789abcdef";
    char **texts = mem_array(l->n, sizeof(*texts));

    for (uint32_t i = 0; i < l->n; i++) {
        char *to = texts[i] = mem_get(4 * l->lengths[i] + 1);
        for (size_t k = 0; k < l->lengths[i]; k++) {
            uint8_t c = (uint8_t)l->texts[i][k];
            *to++ = '\\';
            *to++ = 'x';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
        *to = 0;
    }
    hs_error_t r = hs_compile_multi((const char *const *)texts, l->flags, l->ids, l->n,
                                    HS_MODE_BLOCK, NULL, ret, why);
    for (uint32_t i = 0; i < l->n; i++)
        mem_free(texts[i]);
    mem_free(texts);
    return r;
}

bool cache_compile(const struct cache_literals *l, const char *dir, hs_database_t **ret,
                   struct err *e)
{
    char *path = dir ? path_of(dir, key_of(l)) : NULL;
    hs_compile_error_t *why = NULL;

    *ret = path ? load(path) : NULL;
    if (!*ret) {
        hs_error_t r = needs_expressions(l)
                           ? compile_expressions(l, ret, &why)
                           : hs_compile_lit_multi(l->texts, l->flags, l->ids, l->lengths, l->n,
                                                  HS_MODE_BLOCK, NULL, ret, &why);
        if (r != HS_SUCCESS) {
            (void)err_set(e, ERR_INTERNAL, "compiling %u patterns: %s", l->n,
                          why ? why->message : "no memory");
            hs_free_compile_error(why);
            mem_free(path);
            return false;
        }
        if (path)
            save(path, *ret);
    }
    mem_free(path);
    return true;
}
