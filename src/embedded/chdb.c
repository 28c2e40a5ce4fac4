/* SPDX-License-Identifier: Apache-2.0 */
/* Loading of libchdb: where it may lie, whether it is the right one, and its symbols. The file is
 * 570 MB, so its checksum is computed once and remembered with device, inode, size and times. */
#include "embedded/chdb.h"

#include "base/buf.h"
#include "base/hex.h"
#include "base/mem.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

static const char wanted_sha256[] =
    "36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5";

static const struct symbol {
    const char *name;
    size_t at;
} symbols[] = {
    {"chdb_version", offsetof(struct chdb, version)},
    {"chdb_set_signal_handlers_enabled", offsetof(struct chdb, set_signals)},
    {"chdb_connect", offsetof(struct chdb, connect)},
    {"chdb_close_conn", offsetof(struct chdb, close)},
    {"chdb_query_n", offsetof(struct chdb, query)},
    {"chdb_query_with_params_n", offsetof(struct chdb, query_params)},
    {"chdb_stream_query_with_params_n", offsetof(struct chdb, stream_params)},
    {"chdb_stream_fetch_result", offsetof(struct chdb, stream_fetch)},
    {"chdb_stream_cancel_query", offsetof(struct chdb, stream_cancel)},
    {"chdb_destroy_query_result", offsetof(struct chdb, destroy)},
    {"chdb_stream_insert_n", offsetof(struct chdb, insert_open)},
    {"chdb_stream_append", offsetof(struct chdb, insert_append)},
    {"chdb_stream_done", offsetof(struct chdb, insert_done)},
    {"chdb_stream_cancel_insert", offsetof(struct chdb, insert_cancel)},
    {"chdb_stream_insert_error", offsetof(struct chdb, insert_error)},
    {"chdb_destroy_insert_stream", offsetof(struct chdb, insert_destroy)},
    {"chdb_result_buffer", offsetof(struct chdb, buffer)},
    {"chdb_result_length", offsetof(struct chdb, length)},
    {"chdb_result_elapsed", offsetof(struct chdb, elapsed)},
    {"chdb_result_rows_read", offsetof(struct chdb, rows)},
    {"chdb_result_bytes_read", offsetof(struct chdb, bytes)},
    {"chdb_result_storage_rows_read", offsetof(struct chdb, rows_read)},
    {"chdb_result_storage_bytes_read", offsetof(struct chdb, bytes_read)},
    {"chdb_result_rows_written", offsetof(struct chdb, rows_written)},
    {"chdb_result_bytes_written", offsetof(struct chdb, bytes_written)},
    {"chdb_result_error", offsetof(struct chdb, error)},
    {"chdb_classify_query_n", offsetof(struct chdb, classify)},
};

/* The first place that has it, or NULL. */
static char *library_find(void)
{
    static const char *const beside[] = {"libchdb.so", "../lib/daizong/libchdb.so",
                                         "../third_party/libchdb/libchdb.so",
                                         "../../../third_party/libchdb/libchdb.so"};
    static const char *const fixed[] = {"/usr/lib/daizong/libchdb.so", "/usr/local/lib/libchdb.so"};
    char self[512];

    const char *env = getenv("DAIZONG_LIBCHDB");
    if (env && *env)
        return mem_strdup(env);
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    for (size_t i = 0; slash && i < LEN(beside); i++) {
        char *path = mem_printf("%.*s/%s", (int)(slash - self), self, beside[i]);
        if (access(path, R_OK) == 0)
            return path;
        mem_free(path);
    }
    for (size_t i = 0; i < LEN(fixed); i++)
        if (access(fixed[i], R_OK) == 0)
            return mem_strdup(fixed[i]);
    return NULL;
}

static bool file_sha256(int fd, char text[65], struct err *e)
{
    uint8_t digest[32];
    unsigned digest_n = sizeof(digest);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    uint8_t *block = mem_get(1 << 20);
    bool ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
    ssize_t n = 0;

    while (ok && (n = read(fd, block, 1 << 20)) > 0)
        ok = EVP_DigestUpdate(md, block, (size_t)n) == 1;
    ok = ok && n == 0 && EVP_DigestFinal_ex(md, digest, &digest_n) == 1;
    EVP_MD_CTX_free(md);
    mem_free(block);
    if (!ok)
        return err_set(e, ERR_IO, "cannot read it: %m");
    hex_text(span_of(digest, sizeof(digest)), text);
    return true;
}

static bool seen_before(const char *seen, const char *identity)
{
    char text[256];
    int fd = open(seen, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strcmp(text, identity) == 0;
}

static void seen_remember(const char *seen, const char *identity)
{
    int fd = open(seen, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return;
    ssize_t n = write(fd, identity, strlen(identity));
    close(fd);
    if (n != (ssize_t)strlen(identity))
        unlink(seen);
}

static bool library_check(const char *path, const char *sha256, const char *seen, struct err *e)
{
    char identity[256], got[65];
    struct stat st;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(
            e, ERR_UNAVAILABLE,
            "the embedded engine %s cannot be opened: %m (tools/fetch-libchdb brings it)", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(e, ERR_UNAVAILABLE, "the embedded engine %s is not a file", path);
    }
    if (strcmp(sha256, "any") == 0) {
        close(fd);
        return true;
    }
    snprintf(identity, sizeof(identity), "%s %llx:%llx %lld %lld.%09ld %lld.%09ld", sha256,
             (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, (long long)st.st_size,
             (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
             st.st_ctim.tv_nsec);
    if (seen && seen_before(seen, identity)) {
        close(fd);
        return true;
    }
    bool ok = file_sha256(fd, got, e);
    close(fd);
    if (!ok)
        return err_wrap(e, "the embedded engine %s", path);
    if (strcmp(got, sha256) != 0)
        return err_set(e, ERR_UNAVAILABLE,
                       "the embedded engine %s is not the expected one (SHA-256 %.16s…, expected "
                       "%.16s…): tools/fetch-libchdb brings version " CHDB_WANTED,
                       path, got, sha256);
    if (seen)
        seen_remember(seen, identity);
    return true;
}

static bool library_bind(struct chdb *ret, void *handle, const char *path, struct err *e)
{
    for (size_t i = 0; i < LEN(symbols); i++) {
        void *at = dlsym(handle, symbols[i].name);
        if (!at)
            return err_set(e, ERR_UNAVAILABLE,
                           "the embedded engine %s lacks %s: it is not libchdb " CHDB_WANTED, path,
                           symbols[i].name);
        memcpy((char *)ret + symbols[i].at, &at, sizeof(at));
    }
    if (strcmp(ret->version(), CHDB_WANTED) != 0)
        return err_set(e, ERR_UNAVAILABLE,
                       "the embedded engine %s is version %s, this program needs " CHDB_WANTED,
                       path, ret->version());
    return true;
}

bool chdb_load(struct chdb *ret, const char *path, const char *sha256, const char *seen,
               struct err *e)
{
    char *found CLEANUP(mem_freep) = path ? mem_strdup(path) : library_find();

    *ret = (struct chdb){0};
    if (!found)
        return err_set(e, ERR_UNAVAILABLE,
                       "the embedded engine libchdb.so was not found beside this program: "
                       "tools/fetch-libchdb brings it, --libchdb or DAIZONG_LIBCHDB names it");
    if (!library_check(found, sha256 ? sha256 : wanted_sha256, seen, e))
        return false;
    void *handle = dlopen(found, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return err_set(e, ERR_UNAVAILABLE, "the embedded engine %s cannot be loaded: %s", found,
                       dlerror());
    return library_bind(ret, handle, found, e);
}
