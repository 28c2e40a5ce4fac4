/* SPDX-License-Identifier: Apache-2.0 */
/* Reader of LZ4 frames (the LZ4 Frame Format, version 1.6), which Python's clickhouse-connect sends
 * by default. Checksums of content are not verified: TCP and the engine's own parsing stand behind.
 */
#pragma once

#include "base/buf.h"
#include "base/rd.h"

struct lz4;

struct lz4 *lz4_new(void);
void lz4_free(struct lz4 *z);
/* A piece of input; what it decodes to goes to the sink. False: broken, or the sink said so. */
bool lz4_decode(struct lz4 *z, struct span in, bool (*sink)(void *, struct span), void *ctx);
/* Is the input at the end of a frame? */
bool lz4_ended(const struct lz4 *z);
/* One block: appends its content to out, whose content before may be referred to. */
bool lz4_block(struct span in, struct buf *out, size_t most);
