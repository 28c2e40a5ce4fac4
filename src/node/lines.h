/* SPDX-License-Identifier: Apache-2.0 */
/* Lines out of a stream of bytes that comes in blocks. A line beyond the ceiling of ingest keeps
 * its beginning, so that it stands in quarantine with its reason, and is over at its line feed. */
#pragma once

#include "base/buf.h"

#include <sys/types.h>

enum { LINES_MOST = 1 << 20, LINES_BLOCK = 1 << 20 };

struct lines {
    struct buf b;     /* bytes not yet cut into lines begin at `at` */
    size_t at, seen;  /* up to `seen` behind `at` there is no line feed */
    uint64_t offset;  /* of the stream, behind what was cut */
    uint64_t dropped; /* bytes of the line at `at` that are not kept */
};

void lines_open(struct lines *l);
void lines_close(struct lines *l);
/* Room for LINES_BLOCK more bytes at the returned place; NULL: no memory. lines_grown says how many
 * were put there. Spans given before are invalid from now on. */
uint8_t *lines_room(struct lines *l);
void lines_grown(struct lines *l, size_t n);
/* The next line without its line feed; l->offset is then behind it. False: more bytes are needed.
 */
bool lines_cut(struct lines *l, struct span *ret);
/* What stands behind the last line feed, as a line; false when nothing does. */
bool lines_rest(struct lines *l, struct span *ret);
