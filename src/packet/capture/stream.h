/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a capture file, front to back: a file, a pipe or standard input, plain or packed
 * with gzip or zstd (told by its first bytes). One buffer; what it hands out stays until the next
 * call. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct stream;

/* "-" is standard input. */
struct stream *stream_open(const char *path, struct err *e);
void stream_close(struct stream *s);
/* Makes at least n bytes (at most STREAM_MOST) ready at s and returns all that are; fewer than n
 * only at the end of the file. False: reading or unpacking failed. */
bool stream_peek(struct stream *s, size_t n, struct span *ret, struct err *e) MUST_CHECK;
/* Goes on behind n bytes that were ready. */
void stream_take(struct stream *s, size_t n);
/* How many bytes were taken: the position in the unpacked file. */
uint64_t stream_at(const struct stream *s);
const char *stream_path(const struct stream *s);

enum { STREAM_MOST = 16 << 20 };
