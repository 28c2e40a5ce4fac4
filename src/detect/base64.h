/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648 section 4) as rules undo it: as far as it goes, into a fixed buffer. */
#pragma once

#include "detect/keyword.h"

/* Decodes s into out until the alphabet ends, padding is met or out is full; returns the bytes
 * written. BASE64_RFC2045 passes over foreign bytes, BASE64_STRICT yields nothing unless all of s
 * is well formed. */
size_t base64_decode_into(uint8_t *out, size_t cap, struct span s, enum base64_mode mode);
