/* SPDX-License-Identifier: Apache-2.0 */
/* Durable blocks on their way to the store: a folder of append-only segments. A record is a block
 * of events, a block for quarantine (either may be empty), and for each stream in it the last
 * number it holds. After spool_append returns the record survives any crash (fdatasync). Records
 * have numbers without gaps; the oldest that the store has not confirmed is next. A segment goes
 * when all of it is confirmed; each new one opens with the positions of all streams, so that the
 * folder always knows them. Checksums (SipHash) tell a torn tail, which is cut off, from a whole
 * record. One process at a time (a locked file); calls on one spool from several threads are
 * allowed. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct spool;

enum { SPOOL_STREAMS = 65536, SPOOL_RECORD_MAX = 512 << 20, SPOOL_PIECES = 1000 };

struct spool_position {
    uint64_t stream, seq;
};

struct spool_record {
    uint64_t number;
    uint32_t events_n, quarantine_n; /* rows */
    struct span events_into;         /* texts: borrowed from the buffer given to spool_read */
    struct span quarantine_into, quarantine;
    /* The block of events may be large. spool_append takes it in pieces (at most SPOOL_PIECES),
     * spool_read says where in a file it lies, until the record is confirmed. */
    const struct span *events;
    size_t events_pieces;
    bool events_packed; /* they are a ZSTD frame */
    int events_fd;
    uint64_t events_at, events_bytes;
    const struct spool_position *positions; /* spool_append only */
    size_t positions_n;
};

/* Opens and recovers. ERR_BUSY: another process has it. */
bool spool_open(const char *dir, struct spool **ret, struct err *e) MUST_CHECK;
void spool_close(struct spool *s);
/* Makes the record durable under the next number. ERR_FULL or ERR_IO leave the spool as it was. */
bool spool_append(struct spool *s, const struct spool_record *r, struct err *e) MUST_CHECK;
/* The oldest unconfirmed record, its texts in buf; *found false when there is none. It was checked
 * whole. */
bool spool_read(struct spool *s, struct buf *buf, struct spool_record *ret, bool *found,
                struct err *e) MUST_CHECK;
/* The record of that number is in the store. Numbers are confirmed in order. */
void spool_confirm(struct spool *s, uint64_t number);
/* The last durable number of a stream, 0 for an unknown one. */
uint64_t spool_position_get(struct spool *s, uint64_t stream);
/* "7f3a…-12": what makes a repeat of this record harmless at the store. */
enum { SPOOL_TOKEN = 48 };
void spool_token(const struct spool *s, uint64_t number, char text[SPOOL_TOKEN]);

struct spool_count {
    uint64_t bytes;   /* on disk */
    uint64_t waiting; /* records */
    uint64_t waiting_rows;
    uint64_t oldest_ns;         /* wall clock when the oldest waiting one was written, 0: none */
    uint64_t torn;              /* tails cut off when opening */
    uint64_t newest, confirmed; /* numbers: the last one written, and up to which all is stored */
};
void spool_count(struct spool *s, struct spool_count *ret);
