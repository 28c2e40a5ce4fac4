/* SPDX-License-Identifier: Apache-2.0 */
/* Capture files: one, a folder of them in the order of their names, or standard input. Packets are
 * numbered through from one file to the next. */
#include "base/mem.h"
#include "packet/capture/capture_priv.h"
#include "packet/capture/format.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

struct file_capture {
    char **paths;
    size_t n_paths, at; /* the next to open */
    struct stream *stream;
    struct format format;
    struct filter *filter;
    uint64_t number;
    bool failed;
};

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

static void add_path(struct file_capture *f, char *path)
{
    if ((f->n_paths & (f->n_paths - 1)) == 0) {
        char **grown = mem_array(f->n_paths ? f->n_paths * 2 : 1, sizeof(*grown));
        for (size_t i = 0; i < f->n_paths; i++)
            grown[i] = f->paths[i];
        mem_free(f->paths);
        f->paths = grown;
    }
    f->paths[f->n_paths++] = path;
}

/* The regular files of a folder; names that begin with a dot are left out. */
static bool list_folder(struct file_capture *f, const char *path, struct err *e)
{
    DIR *dir = opendir(path);
    const struct dirent *d;

    if (!dir)
        return err_set(e, ERR_IO, "%s: %m", path);
    while ((d = readdir(dir))) {
        struct stat st;
        if (d->d_name[0] == '.')
            continue;
        char *full = mem_printf("%s/%s", path, d->d_name);
        if (stat(full, &st) == 0 && S_ISREG(st.st_mode))
            add_path(f, full);
        else
            mem_free(full);
    }
    closedir(dir);
    if (f->n_paths == 0)
        return err_set(e, ERR_NOT_FOUND, "%s: no files in this folder", path);
    qsort(f->paths, f->n_paths, sizeof(*f->paths), by_name);
    return true;
}

static bool open_next(struct file_capture *f, struct err *e)
{
    f->stream = stream_open(f->paths[f->at++], e);
    return f->stream && format_open(&f->format, f->stream, e);
}

static void close_current(struct file_capture *f)
{
    if (!f->stream)
        return;
    format_close(&f->format);
    stream_close(f->stream);
    f->stream = NULL;
}

static bool open_all(struct file_capture *f, const char *path, const char *filter, struct err *e)
{
    struct stat st;

    if (filter && *filter) {
        f->filter = filter_new(filter, e);
        if (!f->filter)
            return false;
    }
    if (strcmp(path, "-") != 0) {
        if (stat(path, &st) != 0)
            return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m", path);
        if (S_ISDIR(st.st_mode))
            return list_folder(f, path, e);
    }
    add_path(f, mem_strdup(path));
    return open_next(f, e);
}

struct file_capture *file_capture_open(const char *path, const char *filter, struct err *e)
{
    struct file_capture *f = mem_zero(sizeof(*f));

    if (!open_all(f, path, filter, e)) {
        file_capture_close(f);
        return NULL;
    }
    return f;
}

static enum capture_state next_of_file(struct file_capture *f, struct capture_packet *p,
                                       struct capture_stats *stats, struct err *e)
{
    for (;;) {
        enum capture_state st = format_next(&f->format, f->stream, p, e);
        if (UNLIKELY(st != CAPTURE_OK))
            return st;
        if (LIKELY(!f->filter) || filter_pass(f->filter, p))
            break;
        stats->filtered++;
    }
    p->number = ++f->number;
    stats->packets++;
    stats->bytes += p->data.n;
    if (p->wire_n > p->data.n)
        stats->truncated++;
    return CAPTURE_OK;
}

/* A broken file of a folder does not keep the others from being read: it is told by FAILED once,
 * the next call goes on behind it. */
enum capture_state file_capture_next(struct file_capture *f, struct capture_packet *p,
                                     struct capture_stats *stats, struct err *e)
{
    for (;;) {
        if (UNLIKELY(!f->stream)) {
            if (f->at == f->n_paths)
                return CAPTURE_END;
            if (!open_next(f, e)) {
                close_current(f);
                return CAPTURE_FAILED;
            }
        }
        enum capture_state st = next_of_file(f, p, stats, e);
        if (LIKELY(st == CAPTURE_OK))
            return st;
        close_current(f);
        if (st == CAPTURE_FAILED)
            return st;
    }
}

const char *file_capture_name(const struct file_capture *f)
{
    return f->paths[f->at ? f->at - 1 : 0];
}

void file_capture_close(struct file_capture *f)
{
    if (!f)
        return;
    close_current(f);
    filter_free(f->filter);
    for (size_t i = 0; i < f->n_paths; i++)
        mem_free(f->paths[i]);
    mem_free(f->paths);
    mem_free(f);
}
