/* SPDX-License-Identifier: Apache-2.0 */
/* Rows become a block of ClickHouse's Native format, column by column. A row is filled in first and
 * taken into the block only when it is whole, so that a bad line leaves no trace. Columns that a
 * row does not set cost nothing until the block is written. Two blocks of the same kind give the
 * same bytes for the same rows. Not thread-safe. */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "store/schema.h"

enum { ROW_ITEMS = 512, ROW_SCRATCH = 1 << 20 };

struct row_value {
    union {
        uint64_t u;
        struct span s; /* borrowed until block_add */
        struct ip ip;
    };
};

/* Indexed as schema_columns is. */
struct row {
    uint64_t set[(SCHEMA_FIELDS + F_COUNT + 63) / 64];
    struct row_value *v;
    struct {
        uint16_t column;
        struct span s;
    } items[ROW_ITEMS]; /* of arrays, in order */
    size_t items_n;
};

void row_init(struct row *r);
void row_free(struct row *r);

static inline void row_clear(struct row *r)
{
    memset(r->set, 0, sizeof(r->set));
    r->items_n = 0;
}

static inline bool row_has(const struct row *r, size_t column)
{
    return r->set[column / 64] >> (column % 64) & 1;
}

static inline struct row_value *row_set(struct row *r, size_t column)
{
    r->set[column / 64] |= UINT64_C(1) << (column % 64);
    return &r->v[column];
}

static inline void row_item(struct row *r, size_t column, struct span s)
{
    if (r->items_n == ROW_ITEMS)
        return;
    r->items[r->items_n].column = (uint16_t)column;
    r->items[r->items_n++].s = s;
}

/* The column of a field, as row functions take it. */
static inline size_t row_column(enum field f)
{
    return SCHEMA_FIELDS - 1 + (size_t)f;
}

struct block;

struct block_column {
    const char *name, *type;
    enum field_column kind;
};

/* A block of the events table. */
struct block *block_new_events(void);
/* A block of other columns (name, type as ClickHouse writes it, kind); the array must outlive it.
 */
struct block *block_new(const struct block_column *columns, size_t n);
void block_free(struct block *b);
void block_clear(struct block *b);
/* Takes the row's values: of `columns` as many as the block has, in its order. */
void block_add(struct block *b, const struct row *r);
uint32_t block_rows(const struct block *b);
/* Of a LowCardinality column of the events table: how many keys it has so far. */
uint32_t block_keys(const struct block *b, size_t column);
/* About how many bytes it will be. */
size_t block_bytes(const struct block *b);
/* Appends the block in Native form. */
void block_write(struct block *b, struct buf *out);
/* The same as pieces in order, without copying what is large: they point into the block and into
 * `scratch` (emptied before) and hold until either changes. ret has room for block_pieces_most.
 * Returns how many; 0 when scratch met its ceiling. */
size_t block_pieces(struct block *b, struct buf *scratch, struct span *ret);
size_t block_pieces_most(const struct block *b);
/* "events (stream_id, stream_seq, …)": where it goes. */
void block_into(const struct block *b, const char *table, struct buf *out);
