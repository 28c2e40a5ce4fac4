/* SPDX-License-Identifier: Apache-2.0 */
/* Files of transactions: hashed as their content passes, with a sliding window for inspection, and
 * handed to the file store where they are to be kept.
 * Names and structs lie on the transaction's arena; digest contexts are OpenSSL's, made once and
 * recycled through the worker's pool, because making one costs more than hashing a small file. */
#include "proto/file.h"

#include "base/mem.h"
#include "proto/app.h"
#include "proto/conf.h"

#include <openssl/evp.h>

enum { FILE_DIGESTS = 4, FILES_PER_TX = 64 };

struct file_hashes {
    struct file_hashes *next;
    struct app_env *env; /* whose pool it goes back to */
    EVP_MD_CTX *ctx[FILE_DIGESTS];
    bool on[FILE_DIGESTS], made[FILE_DIGESTS];
};

static const char *const digest_names[FILE_DIGESTS] = {"MD5", "SHA1", "SHA256", "SM3"};

/* Starts the digest in a context; the algorithm is looked up only the first time. */
static bool digest_start(struct file_hashes *h, size_t i)
{
    if (h->made[i])
        return EVP_DigestInit_ex2(h->ctx[i], NULL, NULL) == 1;
    EVP_MD *md = EVP_MD_fetch(NULL, digest_names[i], NULL);
    if (!md)
        return false;
    if (!h->ctx[i])
        h->ctx[i] = EVP_MD_CTX_new();
    h->made[i] = h->ctx[i] && EVP_DigestInit_ex2(h->ctx[i], md, NULL) == 1;
    EVP_MD_free(md);
    return h->made[i];
}

static struct file_hashes *hashes_take(struct app_env *env)
{
    const struct file_conf *fc = &env->conf->file;
    const bool want[FILE_DIGESTS] = {fc->md5, fc->sha1, fc->sha256, fc->sm3};
    struct file_hashes *h = env->spare_hashes;

    if (!fc->md5 && !fc->sha1 && !fc->sha256 && !fc->sm3)
        return NULL;
    if (h)
        env->spare_hashes = h->next;
    else
        h = mem_zero(sizeof(*h));
    h->env = env;
    for (size_t i = 0; i < FILE_DIGESTS; i++)
        h->on[i] = want[i] && digest_start(h, i);
    return h;
}

static void hashes_give(struct file_hashes *h)
{
    if (!h)
        return;
    h->next = h->env->spare_hashes;
    h->env->spare_hashes = h;
}

void file_pool_free(struct app_env *env)
{
    while (env->spare_hashes) {
        struct file_hashes *h = env->spare_hashes;
        env->spare_hashes = h->next;
        for (size_t i = 0; i < FILE_DIGESTS; i++)
            EVP_MD_CTX_free(h->ctx[i]);
        mem_free(h);
    }
}

/* From here on the content goes to the sink, what has passed first. */
static void store_begin(struct file *f)
{
    const struct file_sink *sink = f->env->sink;

    if (!sink || f->storing || f->before.full)
        return;
    f->kept = sink->open(sink->store, &f->store_id);
    f->storing = f->kept != NULL;
    if (f->storing && f->before.n)
        sink->write(f->kept, buf_span(&f->before));
    buf_free(&f->before);
}

static void store_add(struct file *f, struct span data)
{
    if (f->kept) {
        f->env->sink->write(f->kept, data);
    } else if (f->before.max && !f->before.full) {
        buf_span_add(&f->before, data);
        if (f->before.full)
            buf_clear(&f->before); /* too much has passed: it cannot be kept any more */
    }
}

static void store_end(struct file *f)
{
    if (!f->kept)
        return;
    f->stored = f->env->sink->close(f->kept, f->has_sha256 ? f->sha256 : NULL);
    f->storing = false;
    f->kept = NULL;
}

void file_want(struct app *app, struct file *f)
{
    f->wanted = app->deep = true;
    if (f->stored)
        return;
    store_begin(f);
    if (f->state != FILE_OPEN)
        store_end(f);
}

struct file *file_open(struct app *app, struct tx *tx, enum dir dir, struct span name)
{
    struct file **at = &tx->files[dir];
    unsigned n = 0;

    for (; *at; at = &(*at)->next) {
        if (++n >= FILES_PER_TX)
            return NULL;
    }
    struct file *f = arena_zero(&tx->mem, sizeof(*f));
    if (!f)
        return NULL;
    f->name = arena_dup(&tx->mem, name);
    if (name.n && !f->name.p)
        return NULL;
    f->dir = (uint8_t)dir;
    f->id = ++app->n_files;
    f->window = buf_new(app->env->conf->file.window_bytes);
    f->hashes = hashes_take(app->env);
    f->env = app->env;
    *at = f;
    f->wanted = (tx->want_files | app->want_files) & 1 << dir;
    app->deep |= f->wanted;
    if (f->wanted || app->env->conf->file.store_all)
        store_begin(f);
    else if (app->env->sink)
        f->before = buf_new(app->env->conf->file.keep_bytes);
    return f;
}

/* Keeps the last bytes: at the ceiling the front half goes, so that each byte moves once or so. */
static void window_add(struct file *f, struct span data)
{
    struct buf *w = &f->window;

    if (!w->max)
        return;
    if (data.n > w->max) {
        f->window_at += w->n + (data.n - w->max);
        buf_clear(w);
        data = span_from(data, data.n - w->max);
    }
    if (w->n + data.n > w->max) {
        size_t drop = w->n + data.n - w->max;
        if (drop < w->n / 2)
            drop = w->n / 2;
        buf_drop(w, drop);
        f->window_at += drop;
    }
    buf_span_add(w, data);
}

void file_append(struct app *app, struct file *f, struct span data)
{
    (void)app;
    if (f->state != FILE_OPEN || !data.n)
        return;
    f->size += data.n;
    for (size_t i = 0; f->hashes && i < FILE_DIGESTS; i++) {
        if (f->hashes->on[i] && EVP_DigestUpdate(f->hashes->ctx[i], data.p, data.n) != 1)
            f->hashes->on[i] = false;
    }
    window_add(f, data);
    store_add(f, data);
}

void file_gap(struct app *app, struct file *f, uint64_t n)
{
    (void)app;
    if (f->state != FILE_OPEN)
        return;
    f->gaps = true;
    f->size += n;
    f->window_at += f->window.n + n;
    buf_clear(&f->window);
}

static bool digest_end(struct file *f, size_t i, uint8_t *to, unsigned want)
{
    unsigned n = 0;

    return f->hashes->on[i] && EVP_DigestFinal_ex(f->hashes->ctx[i], to, &n) == 1 && n == want;
}

void file_close(struct app *app, struct file *f, enum file_state state)
{
    (void)app;
    if (f->state != FILE_OPEN)
        return;
    f->state = (uint8_t)(state == FILE_CLOSED && f->gaps ? FILE_TRUNCATED : state);
    if (!f->hashes) {
        store_end(f);
        return;
    }
    f->has_md5 = digest_end(f, 0, f->md5, sizeof(f->md5));
    f->has_sha1 = digest_end(f, 1, f->sha1, sizeof(f->sha1));
    f->has_sha256 = digest_end(f, 2, f->sha256, sizeof(f->sha256));
    f->has_sm3 = digest_end(f, 3, f->sm3, sizeof(f->sm3));
    hashes_give(f->hashes);
    f->hashes = NULL;
    store_end(f);
}

void file_release(struct file *f)
{
    store_end(f);
    hashes_give(f->hashes);
    f->hashes = NULL;
    buf_free(&f->window);
    buf_free(&f->before);
}

/* The field numbers of one of the two places where a file is described. */
struct file_fields {
    enum field filename, sid, gaps, state, md5, sha1, sha256, stored, file_id, storing, size, start,
        end, tx_id;
};

static const struct file_fields fields_alone = {
    F_fileinfo_filename, F_fileinfo_sid,     F_fileinfo_gaps,   F_fileinfo_state,
    F_fileinfo_md5,      F_fileinfo_sha1,    F_fileinfo_sha256, F_fileinfo_stored,
    F_fileinfo_file_id,  F_fileinfo_storing, F_fileinfo_size,   F_fileinfo_start,
    F_fileinfo_end,      F_fileinfo_tx_id,
};
static const struct file_fields fields_list = {
    F_files_filename, F_files_sid,    F_files_gaps,   F_files_state,   F_files_md5,
    F_files_sha1,     F_files_sha256, F_files_stored, F_files_file_id, F_files_storing,
    F_files_size,     F_files_start,  F_files_end,    F_files_tx_id,
};

static const char *state_name(const struct file *f)
{
    switch (f->state) {
    case FILE_CLOSED:
        return "CLOSED";
    case FILE_TRUNCATED:
        return "TRUNCATED";
    case FILE_ERROR:
        return "ERROR";
    default:
        return "UNKNOWN";
    }
}

void file_log(struct event *ev, const struct file *f, const struct tx *tx, bool in_list)
{
    const struct file_fields *n = in_list ? &fields_list : &fields_alone;

    event_str(ev, n->filename, f->name);
    if (f->n_sids) {
        event_open(ev, n->sid);
        for (uint32_t i = 0; i < f->n_sids && i < LEN(f->sids); i++)
            event_item_uint(ev, f->sids[i]);
        event_close(ev);
    }
    event_bool(ev, n->gaps, f->gaps);
    /* By the time an event of its own is due, an open file has ended without its end. */
    event_text(ev, n->state, f->state == FILE_OPEN && !in_list ? "TRUNCATED" : state_name(f));
    if (f->state == FILE_CLOSED && f->has_md5)
        event_hex(ev, n->md5, span_of(f->md5, sizeof(f->md5)), 0);
    if (f->state == FILE_CLOSED && f->has_sha1)
        event_hex(ev, n->sha1, span_of(f->sha1, sizeof(f->sha1)), 0);
    if (f->has_sha256)
        event_hex(ev, n->sha256, span_of(f->sha256, sizeof(f->sha256)), 0);
    event_bool(ev, n->stored, f->stored);
    if (f->stored)
        event_uint(ev, n->file_id, f->store_id);
    else if (f->storing)
        event_bool(ev, n->storing, true);
    event_uint(ev, n->size, f->size);
    if (f->is_range && f->end > 0) {
        event_uint(ev, n->start, f->start);
        event_uint(ev, n->end, f->end);
    }
    event_uint(ev, n->tx_id, tx->id);
}
