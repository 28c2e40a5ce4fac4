/* SPDX-License-Identifier: Apache-2.0 */
/* Event lines as the store takes them: each line of the input becomes a row or is refused with a
 * reason; the rows become a block. Every line goes through its form and values too. */
#include "fuzz.h"

#include "base/mem.h"
#include "base/must.h"
#include "store/eve.h"
#include "store/split.h"

/* Whatever the line is, its two parts are it. */
static void split_and_join(struct span line, bool keep_words)
{
    static struct split s;
    size_t at = 0;

    if (!s.form.max)
        split_init(&s);
    if (!split_line(&s, line, keep_words))
        return;
    struct span values = buf_span(&s.values);
    for (size_t i = 0; i < s.form.n; i++) {
        struct span piece = span_cut(buf_span(&s.form), i, 1);
        if (piece.p[0] == SPLIT_MARK)
            piece = span_split(&values, SPLIT_MARK);
        must(span_eq(span_cut(line, at, piece.n), piece));
        at += piece.n;
    }
    must(at == line.n && values.n == 0);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    static struct eve v;
    static struct block *block;
    struct span in = span_of(p, n);
    struct buf out = buf_new(64 << 20);

    if (!block) {
        eve_init(&v);
        block = block_new_events();
    }
    block_clear(block);
    while (in.n) {
        /* each line ends where its memory ends */
        struct span s = span_split(&in, '\n');
        uint8_t *copy = mem_get(s.n ? s.n : 1);
        if (s.n)
            memcpy(copy, s.p, s.n);
        const char *why = eve_read(&v, span_of(copy, s.n));
        split_and_join(span_of(copy, s.n), true);
        split_and_join(span_of(copy, s.n), false);
        if (!why) {
            must(v.event_type.n > 0);
            block_add(block, &v.row);
        }
        mem_free(copy);
    }
    uint32_t rows = block_rows(block);
    if (rows)
        block_write(block, &out);
    must(!rows || out.n > 0);
    buf_free(&out);
    return 0;
}
