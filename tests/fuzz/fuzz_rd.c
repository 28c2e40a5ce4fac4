/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of outside bytes against a plain model: the first half of the input says what to read,
 * the second half is read. Values, position and verdict must be those of the model. */
#include "fuzz.h"

#include "base/rd.h"

struct model {
    struct span s;
    size_t at;
    bool failed;
};

static uint64_t number(struct model *m, size_t n, bool little)
{
    uint64_t v = 0;

    if (m->failed || m->s.n - m->at < n) {
        m->failed = true;
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t byte = m->s.p[m->at + i];
        v = little ? v | byte << (8 * i) : v << 8 | byte;
    }
    m->at += n;
    return v;
}

static uint64_t read(struct rd *r, unsigned what)
{
    switch (what) {
    case 0:
        return rd_u8(r);
    case 1:
        return rd_u16(r);
    case 2:
        return rd_u24(r);
    case 3:
        return rd_u32(r);
    case 4:
        return rd_u64(r);
    case 5:
        return rd_le16(r);
    case 6:
        return rd_le32(r);
    default:
        return rd_le64(r);
    }
}

/* Readers without a model: bounds alone. */
static void others(struct rd *r, unsigned op)
{
    struct span s = {0};

    switch (op & 7) {
    case 0:
        s = rd_until(r, (uint8_t)(op >> 3), 40);
        break;
    case 1:
        (void)rd_varint(r);
        break;
    case 2:
        must(rd_count(r, op, 3) * 3 <= r->n || !rd_ok(r));
        break;
    case 3: {
        struct rd in = rd_vec8(r);
        s = rd_rest(&in);
        break;
    }
    case 4: {
        struct rd in = rd_vec16(r);
        s = rd_bytes(&in, op);
        break;
    }
    case 5: {
        const uint8_t *p = rd_fixed(r, op & 63);
        s = span_of(p, op & 63);
        break;
    }
    case 6:
        rd_skip(r, op >> 3);
        break;
    default:
        s = rd_bytes(r, op >> 3);
    }
    for (size_t i = 0; i < s.n; i++)
        must(s.p[i] <= 255);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    static const uint8_t size[] = {1, 2, 3, 4, 8, 2, 4, 8};
    size_t half = n / 2;
    struct model m = {.s = span_of(p + half, n - half)};
    struct verdict v = {0};
    bool is_whole = n & 1;
    struct rd r = is_whole ? rd_whole(m.s, &v) : rd_stream(m.s, &v);

    for (size_t i = 0; i < half && !(p[i] & 0x80); i++) {
        unsigned what = p[i] & 7;
        uint64_t want = number(&m, size[what], what >= 5);
        must(read(&r, what) == want);
        must(rd_ok(&r) == !m.failed);
        must(m.failed || r.n == m.s.n - m.at);
    }
    if (m.failed)
        must(v.state == (is_whole ? RD_BAD : RD_MORE) && v.why);
    for (size_t i = 0; i < half; i++)
        if (p[i] & 0x80)
            others(&r, p[i] & 0x7f);
    return 0;
}
