/* SPDX-License-Identifier: Apache-2.0 */
/* Names are relative to the folder's descriptor, which is opened before the sensor confines itself.
 * Names on the network never become names on disk: those are numbers and digests. */
#include "output/filestore.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHA256_BYTES = 32, NAME_BYTES = 128, OPEN_DEFAULT = 1000 };

struct filestore {
    int dir_fd;
    uint32_t max_open;
    atomic_uint last_id;
    atomic_ullong open_files, open_files_max_hit, fs_errors;
    atomic_bool said; /* the first failure was named */
};

struct filestore_file {
    struct filestore *store;
    char tmp[NAME_BYTES];
    int fd; /* -1: opened for every write */
    bool failed;
};

static void failed(struct filestore *s, const char *name)
{
    atomic_fetch_add(&s->fs_errors, 1);
    if (!atomic_exchange(&s->said, true))
        log_warn("file-store: %s: %m; further failures are counted in file_store.fs_errors", name);
}

static bool make_dir(int at, const char *name, struct err *e)
{
    if (mkdirat(at, name, 0750) == 0 || errno == EEXIST)
        return true;
    return err_set(e, ERR_IO, "file-store: %s: cannot be made: %m", name);
}

bool filestore_open(const struct filestore_conf *conf, struct filestore **ret, struct err *e)
{
    if (!make_dir(AT_FDCWD, conf->dir, e))
        return false;
    int fd = open(conf->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, ERR_IO, "file-store: %s: %m", conf->dir);
    bool ok = make_dir(fd, "tmp", e);
    for (unsigned i = 0; ok && i < 256; i++) {
        char name[3];
        snprintf(name, sizeof(name), "%02x", i);
        ok = make_dir(fd, name, e);
    }
    if (!ok) {
        close(fd);
        return false;
    }
    struct filestore *s = mem_zero(sizeof(*s));
    s->dir_fd = fd;
    s->max_open = conf->max_open_files ? conf->max_open_files : OPEN_DEFAULT;
    *ret = s;
    return true;
}

void filestore_stats(const struct filestore *s, struct filestore_stats *ret)
{
    ret->open_files = atomic_load(&s->open_files);
    ret->open_files_max_hit = atomic_load(&s->open_files_max_hit);
    ret->fs_errors = atomic_load(&s->fs_errors);
}

void filestore_close(struct filestore *s)
{
    if (!s)
        return;
    close(s->dir_fd);
    mem_free(s);
}

struct filestore_file *filestore_begin(struct filestore *s, uint32_t *ret_id)
{
    struct filestore_file *f = mem_zero(sizeof(*f));

    *ret_id = atomic_fetch_add(&s->last_id, 1) + 1;
    f->store = s;
    snprintf(f->tmp, sizeof(f->tmp), "tmp/file.%u", *ret_id);
    /* What an earlier run left under this number is not ours to continue. */
    f->fd = openat(s->dir_fd, f->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (f->fd < 0) {
        failed(s, f->tmp);
        mem_free(f);
        return NULL;
    }
    if (atomic_fetch_add(&s->open_files, 1) >= s->max_open) {
        atomic_fetch_add(&s->open_files_max_hit, 1);
        close(f->fd);
        f->fd = -1;
    }
    return f;
}

static bool write_all(int fd, struct span data)
{
    while (data.n) {
        ssize_t n = write(fd, data.p, data.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data = span_from(data, (size_t)n);
    }
    return true;
}

void filestore_write(struct filestore_file *f, struct span data)
{
    struct filestore *s = f->store;
    int fd = f->fd;

    if (f->failed)
        return;
    if (fd < 0)
        fd = openat(s->dir_fd, f->tmp, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    f->failed = fd < 0 || !write_all(fd, data);
    if (f->failed)
        failed(s, f->tmp);
    if (f->fd < 0 && fd >= 0)
        close(fd);
}

/* "ab/abcd…" */
static void name_of(const uint8_t *sha256, char name[static NAME_BYTES])
{
    hex_text(span_of(sha256, SHA256_BYTES), name + 3);
    name[0] = name[3];
    name[1] = name[4];
    name[2] = '/';
}

/* The same content again: only its time changes, which is what cleaning up goes by. */
static bool keep(struct filestore_file *f, const uint8_t *sha256)
{
    struct filestore *s = f->store;
    char name[NAME_BYTES];

    name_of(sha256, name);
    if (utimensat(s->dir_fd, name, NULL, AT_SYMLINK_NOFOLLOW) == 0) {
        (void)unlinkat(s->dir_fd, f->tmp, 0);
        return true;
    }
    if (renameat(s->dir_fd, f->tmp, s->dir_fd, name) == 0)
        return true;
    failed(s, name);
    return false;
}

bool filestore_end(struct filestore_file *f, const uint8_t *sha256)
{
    struct filestore *s = f->store;

    if (f->fd >= 0)
        close(f->fd);
    atomic_fetch_sub(&s->open_files, 1);
    bool kept = sha256 && !f->failed && keep(f, sha256);
    if (!kept)
        (void)unlinkat(s->dir_fd, f->tmp, 0);
    mem_free(f);
    return kept;
}

void filestore_note(struct filestore *s, const uint8_t *sha256, uint32_t id, uint64_t ts_ns,
                    struct span json)
{
    char name[NAME_BYTES];

    name_of(sha256, name);
    size_t n = strlen(name);
    snprintf(name + n, sizeof(name) - n, ".%llu.%u.json", (unsigned long long)(ts_ns / NS_PER_S),
             id);
    int fd = openat(s->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0 || !write_all(fd, json))
        failed(s, name);
    if (fd >= 0)
        close(fd);
}
