/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text: hex, Base64 (RFC 4648), UTF-8 validity. */
#pragma once

#include "base/buf.h"

/* Lower-case hex of s; `separator` between bytes unless 0. */
void hex_add(struct buf *b, struct span s, char separator);
/* 2 * s.n + 1 bytes are written to `text`. */
void hex_text(struct span s, char *text);
/* Standard alphabet with padding. */
void base64_add(struct buf *b, struct span s);
/* Decodes up to `cap` bytes into `to`; stops at the first byte that is not of the alphabet.
 * Returns how many were written, *ret_used (may be NULL) how many characters they took. */
size_t base64_decode(struct span s, uint8_t *to, size_t cap, size_t *ret_used);
bool utf8_valid(struct span s) PURE;
/* How many characters (code points) valid UTF-8 has. */
size_t utf8_length(struct span s) PURE;
