/* SPDX-License-Identifier: Apache-2.0 */
/* The content of HTTP messages: chunks taken apart, encodings undone, handed to the window that
 * rules look into and to files. */
#pragma once

#include "proto/http.h"

/* http_body.c: content after chunks and encodings are undone */
/* Bytes of content that are looked into, 0: all. A file that is to be kept goes further. */
uint64_t http_body_limit(const struct http_tx *tx, enum dir dir);
void http_body_data(struct http_conn *c, struct http_tx *tx, enum dir dir, struct span data);
void http_body_gap(struct http_conn *c, struct http_tx *tx, enum dir dir, uint64_t n);
/* The message is complete. */
void http_body_end(struct http_conn *c, struct http_tx *tx, enum dir dir);
/* Wire bytes of a body: decoded where an encoding is undone, then as http_body_data. */
void http_message_data(struct http_conn *c, struct http_tx *tx, enum dir dir, struct span data);
void http_message_end(struct http_conn *c, struct http_tx *tx, enum dir dir);
/* http_multipart.c */
void http_multipart(struct http_conn *c, struct http_tx *tx, bool complete);

/* http_decode.c */
/* Reads Content-Encoding and prepares what undoes it (tx.side[dir].decoder, or none). */
void http_decode_begin(struct http_conn *c, struct http_tx *tx, enum dir dir);
void http_decode(struct http_conn *c, struct http_tx *tx, enum dir dir, struct span data);
/* Gives back what decoding holds. */
void http_decode_free(struct http_tx *tx, enum dir dir);
void http_decode_end(struct http_conn *c, struct http_tx *tx, enum dir dir);
