/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions that read numbers out of a buffer or ask for its size: byte_test, byte_jump,
 * byte_extract, byte_math, isdataat, bsize, urilen, entropy, absent, base64_decode. Offsets may
 * come from the buffer itself through variables, so all arithmetic is in 64 bits and every place is
 * checked against the buffer before it is read. */
#include "base/rd.h"
#include "detect/base64.h"
#include "detect/content.h"
#include "detect/keyword.h"
#include "detect/worker.h"

#include <errno.h>
#include <math.h>

static int64_t value_of(const struct inspection *in, const struct byte_value *v)
{
    return v->is_var ? (int64_t)in->vars[(uint64_t)v->n % BYTE_VARS_MAX] : v->n;
}

/* n bytes at offset (relative to the last match if asked); false when they are not all there. */
static bool bytes_at(const struct inspection *in, bool relative, int64_t offset, int64_t n,
                     size_t *ret_at)
{
    int64_t base = relative ? in->at : 0, size = (int64_t)in->buf.n;

    if (offset > INT32_MAX || offset < INT32_MIN || n < 0 || n > size)
        return false;
    int64_t at = base + offset;
    if (at < 0 || at >= size || n > size - at)
        return false;
    *ret_at = (size_t)at;
    return true;
}

static uint64_t binary_number(const uint8_t *p, size_t n, bool little)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[little ? n - 1 - i : i];
    return v;
}

/* Digits as strtoull reads them (leading space and sign included); how many bytes it took. */
static size_t digits_number(const uint8_t *p, size_t n, int base, uint64_t *ret)
{
    char text[24];
    char *end = NULL;

    if (n >= sizeof(text))
        return 0;
    memcpy(text, p, n);
    text[n] = 0;
    errno = 0;
    *ret = strtoull(text, &end, base);
    return errno == ERANGE ? 0 : (size_t)(end - text);
}

/* The number at `at`; *ret_n: bytes it took; false when there is none. */
static bool number_at(const struct inspection *in, size_t at, size_t n, uint16_t flags,
                      uint8_t base, uint64_t *ret, size_t *ret_n)
{
    const uint8_t *p = in->buf.p + at;

    *ret = 0;
    if (flags & BYTE_STRING) {
        *ret_n = digits_number(p, n, base, ret);
        return *ret_n > 0;
    }
    *ret_n = n;
    if (n > 8)
        return false;
    *ret = binary_number(p, n, flags & BYTE_LITTLE);
    return true;
}

static uint64_t masked(uint64_t v, uint64_t mask, uint8_t shift)
{
    return mask ? (v & mask) >> (shift & 63) : v;
}

enum found match_byte_test(struct inspection *in, const struct match *m)
{
    const struct byte_test *t = m->data;
    int64_t n = value_of(in, &t->n_bytes);
    uint64_t value = (uint64_t)value_of(in, &t->value), v;
    size_t at, took;
    bool holds;

    if (!bytes_at(in, t->flags & BYTE_RELATIVE, value_of(in, &t->offset), n, &at) ||
        !number_at(in, at, (size_t)n, t->flags, t->base, &v, &took))
        return FOUND_NOT;
    v = masked(v, t->bitmask, t->shift);
    switch (t->op) {
    case BYTE_LT:
        holds = v < value;
        break;
    case BYTE_GT:
        holds = v > value;
        break;
    case BYTE_EQ:
        holds = v == value;
        break;
    case BYTE_AND:
        holds = (v & value) != 0;
        break;
    case BYTE_OR:
        holds = (v ^ value) != 0;
        break;
    case BYTE_GE:
        holds = v >= value;
        break;
    default:
        holds = v <= value;
        break;
    }
    return holds != !!(t->flags & BYTE_NEGATED) ? FOUND : FOUND_NOT;
}

enum found match_byte_jump(struct inspection *in, const struct match *m)
{
    const struct byte_jump *j = m->data;
    int64_t n = value_of(in, &j->n_bytes), to;
    uint64_t v = 0;
    size_t at, took = 0;

    if (n == 0) /* a jump by post_offset alone may begin at the very end */
        at = (j->flags & BYTE_RELATIVE) ? in->at : 0;
    else if (!bytes_at(in, j->flags & BYTE_RELATIVE, value_of(in, &j->offset), n, &at))
        return FOUND_NOT;
    if (n > 0 && !number_at(in, at, (size_t)n, j->flags, j->base, &v, &took))
        return FOUND_NOT;
    v = masked(v, j->bitmask, j->shift) * (j->multiplier ? j->multiplier : 1);
    if ((j->flags & BYTE_ALIGN) && v % 4)
        v += 4 - v % 4;
    v += (uint64_t)(int64_t)j->post_offset;
    int64_t size = (int64_t)in->buf.n, step = (int64_t)v;
    if (step > INT32_MAX || step < -(int64_t)INT32_MAX)
        return FOUND_NOT;
    if (j->flags & BYTE_FROM_BEGINNING)
        to = step;
    else if (j->flags & BYTE_FROM_END)
        to = size + step;
    else
        to = (int64_t)(at + took) + step;
    if (to < 0) /* a step back beyond the beginning ends there */
        to = 0;
    if (to >= size)
        return FOUND_NOT;
    in->at = (uint32_t)to;
    return FOUND;
}

enum found match_byte_extract(struct inspection *in, const struct match *m)
{
    const struct byte_extract *x = m->data;
    uint64_t v;
    size_t at, took;

    if (!bytes_at(in, x->flags & BYTE_RELATIVE, x->offset, x->n_bytes, &at) ||
        !number_at(in, at, x->n_bytes, x->flags, x->base, &v, &took))
        return FOUND_NOT;
    v *= x->multiplier ? x->multiplier : 1;
    if (x->align && v % x->align)
        v += x->align - v % x->align;
    in->at = (uint32_t)(at + took);
    in->vars[x->var % BYTE_VARS_MAX] = v;
    return FOUND;
}

enum found match_byte_math(struct inspection *in, const struct match *m)
{
    const struct byte_math *x = m->data;
    int64_t n = value_of(in, &x->n_bytes);
    uint64_t operand = (uint64_t)value_of(in, &x->operand), v;
    size_t at, took;

    if (!bytes_at(in, x->flags & BYTE_RELATIVE, x->offset, n, &at) ||
        !number_at(in, at, (size_t)n, x->flags, x->base, &v, &took))
        return FOUND_NOT;
    switch (x->op) {
    case MATH_ADD:
        v += operand;
        break;
    case MATH_SUB:
        v -= operand;
        break;
    case MATH_MUL:
        v *= operand;
        break;
    case MATH_DIV:
        if (operand == 0)
            return FOUND_NOT;
        v /= operand;
        break;
    case MATH_SHIFT_LEFT:
        v = operand < 64 ? v << operand : 0;
        break;
    default:
        v = operand < 64 ? v >> operand : 0;
        break;
    }
    in->at = (uint32_t)(at + took);
    in->vars[x->var % BYTE_VARS_MAX] = masked(v, x->bitmask, x->shift);
    return FOUND;
}

enum found match_isdataat(struct inspection *in, const struct match *m)
{
    const struct isdataat *d = m->data;
    uint64_t at = (uint64_t)value_of(in, &d->at), n = in->buf.n;
    bool there;

    if (d->at.is_var && at >= 100000000)
        return d->negated ? FOUND : FOUND_NOT;
    if (d->relative)
        there = in->at + at <= n;
    else
        there = at < n;
    if (there != d->negated)
        return FOUND;
    if (d->at.is_var || (d->relative && d->negated))
        return FOUND_NOT;
    return FOUND_NEVER;
}

/* What the size can still become: a buffer that grows only ever gets longer. */
enum found match_bsize(struct inspection *in, const struct match *m)
{
    const struct uint_cond *c = m->data;
    uint64_t size = in->buf_at + in->buf.n;

    if (uint_cond_match(c, size)) {
        bool grows_out = c->op == UINT_EQ || c->op == UINT_LT || c->op == UINT_LE ||
                         c->op == UINT_RANGE || c->op == UINT_NE || c->op == UINT_NOT_RANGE;
        return in->buf_final || !grows_out ? FOUND : FOUND_NOT;
    }
    if (in->buf_final)
        return FOUND_NEVER;
    switch (c->op) {
    case UINT_EQ:
        return size > c->a ? FOUND_NEVER : FOUND_NOT;
    case UINT_LT:
    case UINT_LE:
        return FOUND_NEVER;
    case UINT_RANGE:
        return size >= c->b ? FOUND_NEVER : FOUND_NOT;
    default:
        return FOUND_NOT;
    }
}

enum found match_urilen(struct inspection *in, const struct match *m)
{
    uint64_t size = in->buf.n > UINT16_MAX ? UINT16_MAX : in->buf.n;

    return uint_cond_match(m->data, size) ? FOUND : FOUND_NEVER;
}

enum found match_absent(struct inspection *in, const struct match *m)
{
    const struct absent *a = m->data;

    return in->buf_absent || a->or_else ? FOUND : FOUND_NOT;
}

static double entropy_of(struct span s)
{
    uint32_t counts[256] = {0};
    double sum = 0;

    for (size_t i = 0; i < s.n; i++)
        counts[s.p[i]]++;
    for (size_t i = 0; i < LEN(counts); i++) {
        if (!counts[i])
            continue;
        double share = (double)counts[i] / (double)s.n;
        sum -= share * log2(share);
    }
    return sum;
}

static bool entropy_compare(const struct entropy *e, double v)
{
    static const double fuzz = 1e-9;

    switch (e->op) {
    case UINT_EQ:
        return fabs(v - e->value) < fuzz;
    case UINT_NE:
        return fabs(v - e->value) >= fuzz;
    case UINT_LT:
        return v < e->value;
    case UINT_LE:
        return v <= e->value;
    case UINT_GT:
        return v > e->value;
    case UINT_GE:
        return v >= e->value;
    case UINT_RANGE:
        return v > e->value && v < e->value2;
    default:
        return !(v > e->value && v < e->value2);
    }
}

enum found match_entropy(struct inspection *in, const struct match *m)
{
    const struct entropy *e = m->data;
    int64_t offset = value_of(in, &e->offset), n = value_of(in, &e->n_bytes);

    if (offset < 0 || n < 0 || (uint64_t)offset >= in->buf.n)
        return FOUND_NOT;
    struct span s = span_from(in->buf, (size_t)offset);
    if ((uint64_t)n > s.n)
        return FOUND_NOT;
    if (n)
        s = span_cut(s, 0, (size_t)n);
    double v = entropy_of(s);
    if (!entropy_compare(e, v))
        return FOUND_NOT;
    in->d->entropy = v;
    in->d->has_entropy = true;
    return FOUND;
}

bool base64_decode_run(struct inspection *in, const struct base64_decode *b)
{
    struct span s = b->relative ? span_from(in->buf, in->at) : in->buf;

    if (b->offset) {
        if (b->offset >= s.n)
            return false;
        s = span_from(s, b->offset);
    }
    if (b->n_bytes)
        s = span_cut(s, 0, b->n_bytes);
    size_t n = base64_decode_into(in->d->base64, BASE64_BYTES, s, BASE64_RFC4648);
    in->base64 = (struct span){in->d->base64, n};
    return n > 0;
}

enum found match_base64_data(struct inspection *in, const struct match *m)
{
    (void)m;
    return in->base64.n ? FOUND : FOUND_NOT;
}
