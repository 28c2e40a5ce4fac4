/* SPDX-License-Identifier: Apache-2.0 */
/* Packs a block for the way to the store: a ZSTD frame, which the store's HTTP interface takes as
 * it is (Content-Encoding: zstd). An eighth of the block is what the spool writes, syncs and reads
 * again: on a slow disk that, not the cores, bounds the intake. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct packer;

struct packer *packer_new(void);
void packer_free(struct packer *p); /* NULL: nothing */
/* Packs the pieces, one after the other, into `out` (emptied before). ERR_NOMEM: its ceiling. */
bool packer_pack(struct packer *p, const struct span *pieces, size_t n, struct buf *out,
                 struct err *e) MUST_CHECK;
