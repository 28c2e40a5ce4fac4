/* SPDX-License-Identifier: Apache-2.0 */
/* Content of kept files on disk, in the layout of Suricata's file-store version 2: while it comes,
 * DIR/tmp/file.N; then DIR/ab/abcd… by the SHA-256 of the content, so that the same content is kept
 * once. Shared by all workers; each kept file belongs to one of them. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct filestore;
struct filestore_file;

struct filestore_conf {
    const char *dir;         /* made where it is missing */
    uint32_t max_open_files; /* beyond these a file is opened anew for every write; 0: 1000 */
};

struct filestore_stats {
    uint64_t open_files, open_files_max_hit, fs_errors;
};

bool filestore_open(const struct filestore_conf *conf, struct filestore **ret, struct err *e);
void filestore_stats(const struct filestore *s, struct filestore_stats *ret);
void filestore_close(struct filestore *s);

/* Begins a file; NULL where that fails, which is counted. *ret_id: its number, from 1. */
struct filestore_file *filestore_begin(struct filestore *s, uint32_t *ret_id);
/* A failed write is counted; the file is then not kept. */
void filestore_write(struct filestore_file *f, struct span data);
/* Gives it its name, or with sha256 == NULL throws it away. False: it is not kept. Frees f. */
bool filestore_end(struct filestore_file *f, const uint8_t *sha256);
/* Puts what is known of the kept file id beside it, as one line of JSON. */
void filestore_note(struct filestore *s, const uint8_t *sha256, uint32_t id, uint64_t ts_ns,
                    struct span json);
