/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings of HTTP bodies as streams: gzip, deflate (zlib) and zstd in
 * both directions, lz4 frames inwards. A
 * decoder hands on pieces as they come, so that a small body which unpacks to much costs time but
 * no memory. */
#pragma once

#include "base/buf.h"

enum codec_type { CODEC_NONE, CODEC_GZIP, CODEC_DEFLATE, CODEC_ZSTD, CODEC_LZ4, CODEC_UNKNOWN };

struct codec;

/* Of a Content-Encoding header; NULL or "identity": CODEC_NONE. */
enum codec_type codec_named(const char *name);
/* The best one that an Accept-Encoding header admits; CODEC_NONE otherwise. */
enum codec_type codec_accepted(const char *header);
const char *codec_name(enum codec_type type);

/* type is not CODEC_NONE or CODEC_UNKNOWN. */
struct codec *codec_decoder(enum codec_type type);
struct codec *codec_encoder(enum codec_type type, int level);
void codec_free(struct codec *c);
/* False from the sink stops the work. */
typedef bool codec_sink(void *ctx, struct span piece);
/* False: the input is broken, or the sink said so. */
bool codec_decode(struct codec *c, struct span in, codec_sink *sink, void *ctx);
/* Was the input complete? */
bool codec_ended(const struct codec *c);
/* Appends the coded form to out; `end` closes the stream. */
bool codec_encode(struct codec *c, struct span in, bool end, struct buf *out);
