/* SPDX-License-Identifier: Apache-2.0 */
/* Native format, written after ClickHouse's description of it: for a block the counts of columns
 * and rows, for a column its name, type and data. Numbers are little-endian, strings have a length
 * before them; LowCardinality is a dictionary and one index for each row; an array is its offsets
 * and its items. */
#include "store/block.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/wr.h"

enum {
    COLUMN_MAX = 1 << 30,
    LC_SLOTS_FIRST = 256,
    LC_RECENT = 64,
    /* Serialization of LowCardinality: version, and flags of a block that brings its own keys. */
    LC_VERSION = 1,
    LC_ADDITIONAL_KEYS = 1 << 9,
    LC_UPDATE_DICTIONARY = 1 << 10,
};

/* Keys of a LowCardinality column; key 0 is the empty string. */
struct dictionary {
    struct buf keys; /* in Native form */
    uint32_t *slots; /* number of a key + 1 */
    uint32_t *at;    /* where each key's bytes lie in keys */
    uint16_t *tag;
    uint32_t mask, n, cap;
    uint32_t recent[LC_RECENT]; /* keys by their ends: most values come again soon; 0: none */
};

struct column {
    enum field_column kind;
    const char *name, *type;
    size_t from;   /* index in a row */
    uint32_t rows; /* filled so far */
    struct buf data;
    struct buf items; /* COL_STRS: the strings */
    uint64_t items_n;
    struct dictionary dict;
};

struct block {
    struct column *columns;
    uint16_t *of_row; /* row's column → own, UINT16_MAX: none */
    size_t columns_n, row_n;
    uint32_t rows;
    size_t bytes;
};

void row_init(struct row *r)
{
    memset(r, 0, sizeof(*r));
    r->v = mem_array(schema_columns_n, sizeof(*r->v));
}

void row_free(struct row *r)
{
    mem_free(r->v);
}

static size_t width(enum field_column kind)
{
    switch (kind) {
    case COL_BOOL:
    case COL_U8:
        return 1;
    case COL_U16:
        return 2;
    case COL_U32:
        return 4;
    case COL_U64:
    case COL_TIME:
        return 8;
    case COL_IP:
        return 16;
    case COL_LC:
        return 4; /* an index while it is built */
    case COL_STR:
        return 1; /* the length of an empty one */
    case COL_STRS:
        return 8;
    default:
        must(false); /* every kind is above */
        return 0;
    }
}

static void put_varint(struct buf *b, uint64_t v)
{
    uint8_t p[10];
    size_t n = 0;

    while (v >= 0x80) {
        p[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    p[n++] = (uint8_t)v;
    buf_add(b, p, n);
}

static void put_string(struct buf *b, struct span s)
{
    if (LIKELY(s.n < 0x80 && buf_room(b, s.n + 1))) {
        b->p[b->n++] = (uint8_t)s.n;
        if (s.n)
            memcpy(b->p + b->n, s.p, s.n);
        b->n += s.n;
        return;
    }
    put_varint(b, s.n);
    buf_span_add(b, s);
}

static void put_number(struct buf *b, uint64_t v, size_t n)
{
    uint8_t p[8];

    put_le64(p, v);
    buf_add(b, p, n);
}

static void dictionary_clear(struct dictionary *d)
{
    buf_clear(&d->keys);
    if (d->slots)
        memset(d->slots, 0, ((size_t)d->mask + 1) * sizeof(*d->slots));
    d->n = 1;
    memset(d->recent, 0, sizeof(d->recent));
    buf_byte(&d->keys, 0);
}

static struct span dictionary_key(const struct dictionary *d, uint32_t i)
{
    struct span s = span_from(buf_span(&d->keys), d->at[i]);
    size_t n = s.p[0], used = 1;

    if (n >= 0x80) {
        n &= 0x7f;
        for (unsigned shift = 7; used < s.n; shift += 7) {
            uint8_t c = s.p[used++];
            n |= (size_t)(c & 0x7f) << shift;
            if (!(c & 0x80))
                break;
        }
    }
    return span_cut(s, used, n);
}

static void dictionary_grow(struct dictionary *d)
{
    uint32_t slots = d->slots ? (d->mask + 1) * 2 : LC_SLOTS_FIRST;

    mem_free(d->slots);
    d->slots = mem_zero(slots * sizeof(*d->slots));
    d->mask = slots - 1;
    d->cap = slots / 2;
    d->at = mem_resize(d->at, d->cap * sizeof(*d->at));
    d->tag = mem_resize(d->tag, d->cap * sizeof(*d->tag));
    for (uint32_t i = 1; i < d->n; i++) {
        struct span key = dictionary_key(d, i);
        uint32_t at = (uint32_t)hash_span(key) & d->mask;
        while (d->slots[at])
            at = (at + 1) & d->mask;
        d->slots[at] = i + 1;
    }
}

static uint32_t *dictionary_recent(struct dictionary *d, struct span s)
{
    size_t mix = s.n * 31 + s.p[s.n - 1] * 7u + s.p[s.n / 2] * 3u + s.p[0];

    return &d->recent[mix % LC_RECENT];
}

static uint32_t dictionary_find(struct dictionary *d, struct span s)
{
    if (s.n == 0)
        return 0;
    uint32_t *recent = dictionary_recent(d, s);
    if (*recent && span_eq(dictionary_key(d, *recent), s))
        return *recent;
    if (d->n >= d->cap)
        dictionary_grow(d);
    uint64_t hash = hash_span(s);
    uint32_t at = (uint32_t)hash & d->mask;
    uint16_t tag = (uint16_t)(hash >> 48);
    while (d->slots[at]) {
        uint32_t i = d->slots[at] - 1;
        if (d->tag[i] == tag && span_eq(dictionary_key(d, i), s))
            return *recent = i;
        at = (at + 1) & d->mask;
    }
    uint32_t i = d->n++;
    d->slots[at] = i + 1;
    d->at[i] = (uint32_t)d->keys.n;
    d->tag[i] = tag;
    put_string(&d->keys, s);
    return *recent = i;
}

static void column_init(struct column *c, const struct block_column *from, size_t row_index)
{
    *c = (struct column){.kind = from->kind, .name = from->name, .type = from->type};
    c->from = row_index;
    c->data = buf_new(COLUMN_MAX);
    c->items = buf_new(COLUMN_MAX);
    c->dict.keys = buf_new(COLUMN_MAX);
    if (c->kind == COL_LC)
        dictionary_clear(&c->dict);
}

struct block *block_new(const struct block_column *columns, size_t n)
{
    struct block *b = mem_zero(sizeof(*b));

    b->columns = mem_array(n, sizeof(*b->columns));
    b->of_row = mem_array(n, sizeof(*b->of_row));
    b->columns_n = b->row_n = n;
    for (size_t i = 0; i < n; i++) {
        column_init(&b->columns[i], &columns[i], i);
        b->of_row[i] = (uint16_t)i;
    }
    return b;
}

struct block *block_new_events(void)
{
    struct block *b = mem_zero(sizeof(*b));

    b->columns = mem_array(schema_columns_n, sizeof(*b->columns));
    b->of_row = mem_array(schema_columns_n, sizeof(*b->of_row));
    b->row_n = schema_columns_n;
    for (size_t i = 0; i < schema_columns_n; i++) {
        const struct schema_column *sc = &schema_columns[i];
        b->of_row[i] = UINT16_MAX;
        if (sc->kind == COL_NONE)
            continue;
        struct block_column from = {sc->name, schema_type(sc->kind), sc->kind};
        if (i == SCHEMA_INGEST_TS)
            from.type = "DateTime('UTC')";
        b->of_row[i] = (uint16_t)b->columns_n;
        column_init(&b->columns[b->columns_n++], &from, i);
    }
    return b;
}

void block_free(struct block *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->columns_n; i++) {
        struct column *c = &b->columns[i];
        buf_free(&c->data);
        buf_free(&c->items);
        buf_free(&c->dict.keys);
        mem_free(c->dict.slots);
        mem_free(c->dict.at);
        mem_free(c->dict.tag);
    }
    mem_free(b->columns);
    mem_free(b->of_row);
    mem_free(b);
}

void block_clear(struct block *b)
{
    for (size_t i = 0; i < b->columns_n; i++) {
        struct column *c = &b->columns[i];
        buf_clear(&c->data);
        buf_clear(&c->items);
        c->items_n = 0;
        c->rows = 0;
        if (c->kind == COL_LC)
            dictionary_clear(&c->dict);
    }
    b->rows = 0;
    b->bytes = 0;
}

/* Default values up to (not with) row `rows`. */
static void column_pad(struct column *c, uint32_t rows)
{
    size_t each = width(c->kind), n = (size_t)(rows - c->rows) * each;

    if (c->rows == rows)
        return;
    if (buf_room(&c->data, n)) {
        uint8_t *to = c->data.p + c->data.n;
        if (c->kind == COL_STRS) {
            for (size_t i = 0; i < rows - c->rows; i++)
                put_le64(to + 8 * i, c->items_n);
        } else {
            memset(to, 0, n);
        }
        c->data.n += n;
    }
    c->rows = rows;
}

static void column_add(struct column *c, const struct row_value *v)
{
    switch (c->kind) {
    case COL_LC: {
        uint32_t key = dictionary_find(&c->dict, v->s);
        buf_add(&c->data, &key, sizeof(key));
        break;
    }
    case COL_STR:
        put_string(&c->data, v->s);
        break;
    case COL_IP: {
        uint8_t p[16];
        memcpy(p, v->ip.b, 16);
        if (v->ip.family == 4)
            p[10] = p[11] = 0xff;
        buf_add(&c->data, p, 16);
        break;
    }
    default:
        put_number(&c->data, v->u, width(c->kind));
    }
    c->rows++;
}

void block_add(struct block *b, const struct row *r)
{
    size_t bytes = 0;

    for (size_t w = 0; w < LEN(r->set); w++) {
        for (uint64_t left = r->set[w]; left; left &= left - 1) {
            size_t i = w * 64 + (size_t)__builtin_ctzll(left);
            if (i >= b->row_n || b->of_row[i] == UINT16_MAX)
                continue;
            struct column *c = &b->columns[b->of_row[i]];
            column_pad(c, b->rows);
            size_t before = c->data.n;
            column_add(c, &r->v[i]);
            bytes += c->data.n - before;
        }
    }
    for (size_t k = 0; k < r->items_n; k++) {
        size_t i = r->items[k].column;
        must(i < b->row_n && b->of_row[i] != UINT16_MAX);
        struct column *c = &b->columns[b->of_row[i]];
        column_pad(c, b->rows);
        put_string(&c->items, r->items[k].s);
        c->items_n++;
        bytes += r->items[k].s.n + 1;
    }
    b->rows++;
    /* A row's arrays are closed when its items are in. */
    for (size_t k = 0; k < r->items_n; k++)
        column_pad(&b->columns[b->of_row[r->items[k].column]], b->rows);
    b->bytes += bytes;
}

uint32_t block_rows(const struct block *b)
{
    return b->rows;
}

uint32_t block_keys(const struct block *b, size_t column)
{
    must(column < b->row_n && b->of_row[column] != UINT16_MAX);
    return b->columns[b->of_row[column]].dict.n;
}

size_t block_bytes(const struct block *b)
{
    return b->bytes;
}

static void write_low_cardinality(const struct column *c, uint32_t rows, struct buf *out)
{
    uint32_t n = c->dict.n;
    unsigned type = n <= UINT8_MAX ? 0 : n <= UINT16_MAX ? 1 : 2;
    size_t each = (size_t)1 << type;

    put_number(out, LC_VERSION, 8);
    put_number(out, LC_ADDITIONAL_KEYS | LC_UPDATE_DICTIONARY | type, 8);
    put_number(out, n, 8);
    buf_span_add(out, buf_span(&c->dict.keys));
    put_number(out, rows, 8);
    if (!buf_room(out, rows * each))
        return;
    uint8_t *to = out->p + out->n;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t key;
        memcpy(&key, c->data.p + 4 * (size_t)i, 4);
        memcpy(to + i * each, &key, each); /* little-endian, as the machines we build for */
    }
    out->n += rows * each;
}

size_t block_pieces_most(const struct block *b)
{
    return 3 * b->columns_n + 1;
}

size_t block_pieces(struct block *b, struct buf *scratch, struct span *ret)
{
    size_t n = 0, from = 0, at = 0;

    buf_clear(scratch);
    put_varint(scratch, b->columns_n);
    put_varint(scratch, b->rows);
    for (size_t i = 0; i < b->columns_n; i++) {
        struct column *c = &b->columns[i];
        column_pad(c, b->rows);
        must(!c->data.full && !c->items.full);
        put_string(scratch, span_str(c->name));
        put_string(scratch, span_str(c->type));
        if (c->kind == COL_LC) {
            write_low_cardinality(c, b->rows, scratch);
            continue;
        }
        /* scratch still moves: only how long its pieces are is known */
        ret[n++] = (struct span){NULL, scratch->n - from};
        from = scratch->n;
        if (c->data.n)
            ret[n++] = buf_span(&c->data);
        if (c->items.n)
            ret[n++] = buf_span(&c->items);
    }
    ret[n++] = (struct span){NULL, scratch->n - from};
    for (size_t i = 0; i < n; i++) {
        if (ret[i].p)
            continue;
        ret[i].p = scratch->p + at;
        at += ret[i].n;
    }
    return scratch->full ? 0 : n;
}

void block_write(struct block *b, struct buf *out)
{
    struct buf scratch CLEANUP(buf_free) = buf_new(COLUMN_MAX);
    struct span *pieces CLEANUP(mem_freep) = mem_array(block_pieces_most(b), sizeof(*pieces));
    size_t n = block_pieces(b, &scratch, pieces);

    for (size_t i = 0; i < n; i++)
        buf_span_add(out, pieces[i]);
    out->full |= n == 0;
}

void block_into(const struct block *b, const char *table, struct buf *out)
{
    buf_printf(out, "%s (", table);
    for (size_t i = 0; i < b->columns_n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", b->columns[i].name);
    buf_byte(out, ')');
}
