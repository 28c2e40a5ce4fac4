/* SPDX-License-Identifier: Apache-2.0 */
/* Files carried by transactions: name, size, gaps, hashes, and the window of content that rules on
 * file.data look into. Content is hashed as it passes and kept only as far as inspection needs. */
#pragma once

#include "proto/proto.h"

enum file_state { FILE_OPEN, FILE_CLOSED, FILE_TRUNCATED, FILE_ERROR };

struct file_hashes; /* running MD5, SHA-1, SHA-256, SM3 */

/* Where the content of kept files goes; the sensor gives one to its workers where the configuration
 * has a file-store. What fails is counted there, and the file is then not kept. */
struct file_sink {
    void *store;
    /* Begins a file: a handle for the other two, or NULL; *ret_id is its number, from 1. */
    void *(*open)(void *store, uint32_t *ret_id);
    void (*write)(void *kept, struct span data);
    /* Ends it under the name of its SHA-256, or gives it up (NULL). False: it was not kept. */
    bool (*close)(void *kept, const uint8_t *sha256);
};

struct file {
    struct file *next;
    struct span name;    /* on the transaction's arena */
    uint64_t size;       /* bytes seen */
    uint64_t start, end; /* of a range, inclusive; is_range says so */
    bool is_range, gaps, stored, logged;
    uint8_t state; /* enum file_state */
    uint8_t dir;
    uint32_t id; /* in its flow, from 1 */
    struct file_hashes *hashes;
    uint8_t md5[16], sha1[20], sha256[32], sm3[32]; /* once closed, those that were asked for */
    bool has_md5, has_sha1, has_sha256, has_sm3;
    struct app_env *env;
    bool wanted;       /* by a rule: kept, and read beyond the limits of inspection */
    bool storing;      /* its content goes to the sink */
    void *kept;        /* the sink's handle while it is open */
    struct buf before; /* content so far of a file that a rule may still want */
    uint32_t store_id;
    /* inspection window: bytes [window_at, window_at + window.n) of the content */
    struct buf window;
    uint64_t window_at;
    uint32_t n_sids, sids[8]; /* rules that matched it (filestore) */
};

/* Opens a file at the end of tx's list for dir; NULL when the transaction is at its ceiling. */
struct file *file_open(struct app *app, struct tx *tx, enum dir dir, struct span name);
void file_append(struct app *app, struct file *f, struct span data);
void file_gap(struct app *app, struct file *f, uint64_t n);
/* The end of the content; computes the digests unless it was truncated. */
void file_close(struct app *app, struct file *f, enum file_state state);
/* A rule wants the file kept. Content that has passed is kept too, where it was at most
 * file_conf.keep_bytes; also a file that has just been closed. */
void file_want(struct app *app, struct file *f);
/* Frees what is not on the transaction's arena. Called by the transaction's clean-up. */
void file_release(struct file *f);
/* Frees the digest contexts that a worker keeps for its next files. */
struct app_env;
void file_pool_free(struct app_env *env);
/* Writes fileinfo's members (or one element of `files`) into the open object. */
void file_log(struct event *ev, const struct file *f, const struct tx *tx, bool in_list);
