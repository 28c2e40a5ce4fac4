/* SPDX-License-Identifier: Apache-2.0 */
/* One pass from quote to quote. Nothing is checked: what is not JSON is cut in odd places, and
 * comes together again all the same. */
#include "store/split.h"

#include "base/rd.h"

enum { WORD_MAX = 16, VALUES_BYTES_MAX = 4 << 20 };

struct cut {
    struct split *out;
    const uint8_t *literal; /* what of the line is not in the form yet */
    size_t values;
    bool full;
};

void split_init(struct split *s)
{
    s->form = buf_new(SPLIT_FORM_MAX);
    s->values = buf_new(VALUES_BYTES_MAX);
}

void split_free(struct split *s)
{
    buf_free(&s->form);
    buf_free(&s->values);
}

static void value_out(struct cut *c, const uint8_t *from, const uint8_t *to)
{
    struct buf *form = &c->out->form, *values = &c->out->values;
    size_t literal = (size_t)(from - c->literal), n = (size_t)(to - from);

    if (++c->values > SPLIT_VALUES_MAX || !buf_room(form, literal + 1) ||
        !buf_room(values, n + 1)) {
        c->full = true;
        return;
    }
    memcpy(form->p + form->n, c->literal, literal);
    form->n += literal;
    form->p[form->n++] = SPLIT_MARK;
    memcpy(values->p + values->n, from, n);
    values->n += n;
    values->p[values->n++] = SPLIT_MARK;
    c->literal = to;
}

/* The high bit of each byte of v that is c; above the lowest such byte there may be others. */
static uint64_t bytes_that_are(uint64_t v, uint8_t c)
{
    const uint64_t ones = UINT64_MAX / 255;

    v ^= ones * c;
    return (v - ones) & ~v & ones << 7;
}

/* The quote that ends a string whose text begins at p; end when there is none. */
static const uint8_t *string_end(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p != '"') {
        uint64_t hit = 0;
        if (end - p >= 8) {
            uint64_t v = le64(p);
            hit = bytes_that_are(v, '"') | bytes_that_are(v, '\\');
            if (!hit) {
                p += 8;
                continue;
            }
            p += __builtin_ctzll(hit) / 8;
        }
        if (*p != '"')
            p += *p == '\\' && p + 1 < end ? 2 : 1;
    }
    return p;
}

static bool is_word(const uint8_t *p, const uint8_t *end)
{
    if (end - p > WORD_MAX)
        return false;
    for (; p < end; p++)
        if (!ascii_is_alpha(*p) && *p != '_' && *p != '/' && *p != '-')
            return false;
    return true;
}

static bool is_key(const uint8_t *after, const uint8_t *end)
{
    while (after < end && ascii_is_space(*after))
        after++;
    return after < end && *after == ':';
}

static const uint8_t *number_end(const uint8_t *p, const uint8_t *end)
{
    while (p < end &&
           (ascii_is_digit(*p) || *p == '.' || *p == '-' || *p == '+' || (*p | 0x20) == 'e'))
        p++;
    return p;
}

bool split_line(struct split *s, struct span line, bool keep_words)
{
    const uint8_t *p = line.p, *end = line.p + line.n;
    struct cut c = {.out = s, .literal = p};

    buf_clear(&s->form);
    buf_clear(&s->values);
    if (span_find_byte(line, SPLIT_MARK) < line.n)
        return false;
    while (p < end && !c.full) {
        if (*p == '"') {
            const uint8_t *close = string_end(p + 1, end);
            if (close == end)
                break;
            if (!is_key(close + 1, end) && !(keep_words && is_word(p + 1, close)))
                value_out(&c, p + 1, close);
            p = close + 1;
        } else if (ascii_is_digit(*p) || *p == '-') {
            const uint8_t *to = number_end(p, end);
            value_out(&c, p, to);
            p = to;
        } else {
            p++;
        }
    }
    buf_add(&s->form, c.literal, (size_t)(end - c.literal));
    return !c.full && !s->form.full && c.values > 0;
}
