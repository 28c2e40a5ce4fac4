/* SPDX-License-Identifier: Apache-2.0 */
/* Which content of a rule the prefilter looks for: the one marked fast_pattern, else one that is
 * not negated in the most selective kind of buffer, and there the longest and least ordinary. The
 * choice is a matter of speed alone, what matches does not depend on it. */
#include "detect/parse.h"

/* How selective bytes are: length first, then how rarely they occur in ordinary traffic. */
static uint32_t pattern_strength(struct span s)
{
    uint32_t sum = 0;
    uint64_t seen[4] = {0};
    for (size_t i = 0; i < s.n && i < 64; i++) {
        uint8_t c = s.p[i];
        bool again = seen[c >> 6] >> (c & 63) & 1;
        seen[c >> 6] |= (uint64_t)1 << (c & 63);
        uint32_t worth = ascii_is_alpha(c) ? 3 : ascii_is_print(c) ? 4 : 6;
        if (c == 0 || c == 0xff || c == 0x20 || c == 1)
            worth = 2;
        sum += again ? 1 : worth;
    }
    return sum;
}

static struct span content_fast(const struct content *c)
{
    return c->fast_length ? span_cut(c->bytes, c->fast_offset, c->fast_length) : c->bytes;
}

struct choice {
    const struct content *c;
    const struct buffer_matches *run;
    uint8_t priority;
    uint32_t strength;
    size_t n;
};

static void choose(struct choice *best, const struct match *list, const struct buffer_matches *run,
                   uint8_t priority)
{
    for (const struct match *m = list; m; m = m->next) {
        const struct content *c = m->data;
        if (m->kind != KW_CONTENT || (c->flags & CONTENT_NEGATED))
            continue;
        bool marked = c->flags & (CONTENT_FAST | CONTENT_FAST_ONLY | CONTENT_FAST_CHOP);
        struct choice x = {.c = c, .run = run, .priority = marked ? 0 : priority};
        x.n = content_fast(c).n;
        x.strength = pattern_strength(content_fast(c));
        if (!best->c || x.priority < best->priority ||
            (x.priority == best->priority &&
             (x.n > best->n || (x.n == best->n && x.strength > best->strength))))
            *best = x;
    }
}

/* A run that may also hold because its buffer is absent cannot be filtered by. */
static bool may_be_absent(const struct buffer_matches *run)
{
    return run->matches && run->matches->kind == KW_ABSENT;
}

void rule_choose_fast(struct rule *r, const struct catalogue *c)
{
    struct choice best = {0};
    choose(&best, r->payload_matches, NULL, 3);
    for (const struct buffer_matches *run = r->buffers; run; run = run->next)
        if (!may_be_absent(run))
            choose(&best, run->matches, run, c->specs[run->buffer].priority);
    r->fast = best.c;
    r->fast_run = best.run;
    r->fast_list = best.run ? LIST_BUFFER + best.run->buffer : LIST_PAYLOAD;
}
