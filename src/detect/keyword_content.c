/* SPDX-License-Identifier: Apache-2.0 */
/* content and everything that modifies one, sticky buffers and the old modifiers that move a
 * content into a buffer. A modifier applies to the last content where contents go now. */
#include "base/must.h"
#include "detect/setup.h"

enum { CONTENT_VALUE_MAX = 1024 * 1024 };

static const uint32_t relative_flags = CONTENT_DISTANCE | CONTENT_WITHIN;
static const uint32_t absolute_flags = CONTENT_OFFSET | CONTENT_DEPTH;

bool setup_content(struct build *b, const struct option *o)
{
    struct content *c = build_get(b, sizeof(*c));
    b->at = o->value.p;
    if (!parse_content(b, o->value, &c->bytes))
        return false;
    c->flags = o->negated ? CONTENT_NEGATED : 0;
    return build_place(b, KW_CONTENT, c, false) != NULL;
}

/* The fixed form of an old modifier: a content on http.uri. */
bool setup_uricontent(struct build *b, const struct option *o)
{
    const struct name_ref *uri = catalogue_find(b->l->catalogue, SPAN("http.uri"));
    if (!uri)
        return rule_fail(b, "there is no buffer http.uri");
    if (b->list != PLACE_NONE)
        return rule_fail(b, "it does not go with a sticky buffer; pkt_data ends that one");
    struct content *c = build_get(b, sizeof(*c));
    b->at = o->value.p;
    if (!parse_content(b, o->value, &c->bytes) ||
        !build_app(b, b->l->catalogue->specs[uri->index].app))
        return false;
    c->flags = o->negated ? CONTENT_NEGATED : 0;
    return content_on_buffer(b, c, uri->index);
}

bool setup_sticky(struct build *b, const struct option *o)
{
    uint8_t dirs = 0;
    if (o->has_value && (b->r->flags & RULE_TX_BOTH)) {
        dirs = span_eq(o->value, SPAN("to_client"))   ? 1 << DIR_TC
               : span_eq(o->value, SPAN("to_server")) ? 1 << DIR_TS
                                                      : 0;
        if (!dirs)
            return rule_fail_at(b, o->value.p, "to_client or to_server expected");
    } else if (o->has_value) {
        return rule_fail_at(b, o->value.p, "a value is allowed in a rule with => only");
    }
    if (!build_sticky(b, o->index))
        return false;
    b->list_dirs = dirs;
    return true;
}

bool setup_pkt_data(struct build *b, const struct option *o)
{
    (void)o;
    if (b->list_fresh && b->list >= LIST_BUFFER)
        return rule_fail(b, "the sticky buffer before it has no condition");
    b->list = PLACE_NONE;
    b->list_fresh = false;
    b->list_dirs = 0;
    b->run = NULL;
    b->n_transforms = 0;
    return true;
}

bool content_on_buffer(struct build *b, struct content *c, uint16_t buffer)
{
    struct placed *p = build_place(b, KW_CONTENT, c, false);
    if (!p)
        return false;
    p->list = LIST_BUFFER + buffer;
    p->run = build_run(b, buffer);
    p->base64 = NULL;
    b->r->flags |= RULE_NEEDS_APP;
    return true;
}

static struct content *last_content(struct build *b)
{
    struct placed *p = build_last(b, KW_CONTENT, KW_CONTENT);
    if (!p) {
        rule_fail(b, "no content stands before it");
        return NULL;
    }
    return match_data(p->m);
}

bool setup_modifier(struct build *b, const struct option *o)
{
    const struct buffer_spec *s = &b->l->catalogue->specs[o->index];
    if (b->list != PLACE_NONE)
        return rule_fail(b, "it does not go with a sticky buffer; pkt_data ends that one");
    struct placed *p = build_last(b, KW_CONTENT, KW_CONTENT);
    if (!p || p->list != LIST_PAYLOAD)
        return rule_fail(b, "no content stands before it");
    const struct content *c = p->m->data;
    if (c->flags & CONTENT_RAWBYTES)
        return rule_fail(b, "it does not go with rawbytes");
    if (c->flags & CONTENT_REPLACE)
        return rule_fail(b, "it does not go with replace");
    if (s->app != PROTO_NONE && !build_app(b, s->app))
        return false;
    b->r->flags |= RULE_NEEDS_APP;
    p->list = LIST_BUFFER + o->index;
    p->run = build_run(b, o->index);
    return true;
}

bool setup_nocase(struct build *b, const struct option *o)
{
    struct content *c = last_content(b);
    (void)o;
    if (!c)
        return false;
    if (c->flags & CONTENT_NOCASE)
        return rule_fail(b, "it stands twice for the same content");
    uint8_t *lower = build_get(b, c->bytes.n);
    for (size_t i = 0; i < c->bytes.n; i++)
        lower[i] = ascii_lower(c->bytes.p[i]);
    c->bytes.p = lower;
    c->flags |= CONTENT_NOCASE;
    return true;
}

/* What depth, offset, distance, within and startswith have in common. */
static struct content *positioned(struct build *b, uint32_t flag, uint32_t against)
{
    struct content *c = last_content(b);
    if (!c)
        return NULL;
    if (c->flags & flag)
        rule_fail(b, "it stands twice for the same content");
    else if (c->flags & against)
        rule_fail(b, "distance and within do not go with offset, depth and startswith on the same "
                     "content");
    else if ((c->flags & CONTENT_NEGATED) && (c->flags & CONTENT_FAST))
        rule_fail(b, "a negated content with a position cannot be the fast_pattern");
    else if (c->flags & CONTENT_FAST_ONLY)
        rule_fail(b, "a content with fast_pattern:only has no position");
    return b->failed ? NULL : c;
}

/* A number or the name of a byte_extract/byte_math variable (then *flags gets var_flag). */
static bool position_value(struct build *b, const struct option *o, int64_t min, int64_t max,
                           uint32_t var_flag, struct content *c, int32_t *ret)
{
    int64_t v;
    if (ascii_is_alpha(o->value.p[0])) {
        int var = build_var(b, o->value);
        if (var < 0)
            return rule_fail_at(b, o->value.p, "variable \"%.*s\" is not set before",
                                (int)min_size(o->value.n, 64), (const char *)o->value.p);
        *ret = var;
        c->flags |= var_flag;
        return true;
    }
    if (!parse_int(o->value, min, max, &v))
        return rule_fail_at(b, o->value.p, "a number from %lld to %lld expected", (long long)min,
                            (long long)max);
    *ret = (int32_t)v;
    return true;
}

bool setup_depth(struct build *b, const struct option *o)
{
    struct content *c = positioned(b, CONTENT_DEPTH, relative_flags);
    if (!c || !position_value(b, o, 0, 65535, CONTENT_DEPTH_VAR, c, &c->depth))
        return false;
    c->flags |= CONTENT_DEPTH;
    if (c->flags & CONTENT_DEPTH_VAR)
        return true;
    if (c->depth < (int64_t)c->bytes.n)
        return rule_fail_at(b, o->value.p, "depth %d is less than the content's %zu bytes",
                            c->depth, c->bytes.n);
    if (!(c->flags & CONTENT_OFFSET_VAR))
        c->depth += c->offset;
    return true;
}

bool setup_offset(struct build *b, const struct option *o)
{
    struct content *c = positioned(b, CONTENT_OFFSET, relative_flags);
    if (!c)
        return false;
    if (c->flags & CONTENT_STARTS)
        return rule_fail(b, "offset does not go with startswith");
    if (!position_value(b, o, 0, 65535, CONTENT_OFFSET_VAR, c, &c->offset))
        return false;
    c->flags |= CONTENT_OFFSET;
    if ((c->flags & CONTENT_DEPTH) && !(c->flags & (CONTENT_OFFSET_VAR | CONTENT_DEPTH_VAR)))
        c->depth += c->offset;
    return true;
}

bool setup_distance(struct build *b, const struct option *o)
{
    struct content *c = positioned(b, CONTENT_DISTANCE, absolute_flags);
    if (!c || !position_value(b, o, -CONTENT_VALUE_MAX, CONTENT_VALUE_MAX, CONTENT_DISTANCE_VAR, c,
                              &c->distance))
        return false;
    c->flags |= CONTENT_DISTANCE;
    return true;
}

/* A relative content's predecessor must not be one that only the prefilter sees. */
static bool before_is_placed(struct build *b)
{
    uint32_t seen = 0;
    for (uint32_t i = b->n_placed; i-- > 0;) {
        const struct placed *p = &b->placed[i];
        if (p->run != b->placed[b->n_placed - 1].run || p->m->kind != KW_CONTENT)
            continue;
        if (seen++ == 1)
            return !(((const struct content *)p->m->data)->flags & CONTENT_FAST_ONLY);
    }
    return true;
}

bool setup_within(struct build *b, const struct option *o)
{
    struct content *c = positioned(b, CONTENT_WITHIN, absolute_flags);
    if (!c || !position_value(b, o, -CONTENT_VALUE_MAX, CONTENT_VALUE_MAX, CONTENT_WITHIN_VAR, c,
                              &c->within))
        return false;
    c->flags |= CONTENT_WITHIN;
    if (!(c->flags & CONTENT_WITHIN_VAR) && c->within < (int64_t)c->bytes.n)
        return rule_fail_at(b, o->value.p,
                            "within %d is less than the content's %zu bytes: it can never match",
                            c->within, c->bytes.n);
    if (!before_is_placed(b))
        return rule_fail(b, "the content before it is fast_pattern:only and has no position");
    return true;
}

bool setup_startswith(struct build *b, const struct option *o)
{
    struct content *c = positioned(b, CONTENT_DEPTH, relative_flags);
    (void)o;
    if (!c)
        return false;
    if (c->flags & CONTENT_OFFSET)
        return rule_fail(b, "startswith does not go with offset");
    c->depth = (int32_t)c->bytes.n;
    c->flags |= CONTENT_DEPTH | CONTENT_STARTS;
    return true;
}

bool setup_endswith(struct build *b, const struct option *o)
{
    struct content *c = last_content(b);
    (void)o;
    if (!c)
        return false;
    if (c->flags & CONTENT_ENDS)
        return rule_fail(b, "it stands twice for the same content");
    c->flags |= CONTENT_ENDS;
    return true;
}

bool setup_rawbytes(struct build *b, const struct option *o)
{
    struct content *c = last_content(b);
    (void)o;
    if (!c)
        return false;
    if (b->list != PLACE_NONE)
        return rule_fail(b, "it does not go with a sticky buffer");
    if (c->flags & CONTENT_RAWBYTES)
        return rule_fail(b, "it stands twice for the same content");
    c->flags |= CONTENT_RAWBYTES;
    return true;
}

static bool fast_chop(struct build *b, const struct option *o, struct content *c)
{
    uint64_t offset, length;
    struct span rest = o->value;
    struct span first = next_element(&rest);
    if (!span_u64(first, &offset) || !span_u64(span_trim(rest), &length) || !length)
        return rule_fail_at(b, o->value.p, "\"only\" or \"offset,length\" expected");
    if (offset > c->bytes.n || length > c->bytes.n - offset || length > UINT16_MAX)
        return rule_fail_at(b, o->value.p, "the part lies outside the content's %zu bytes",
                            c->bytes.n);
    c->fast_offset = (uint16_t)offset;
    c->fast_length = (uint16_t)length;
    c->flags |= CONTENT_FAST_CHOP;
    return true;
}

bool setup_fast_pattern(struct build *b, const struct option *o)
{
    struct content *c = last_content(b);
    if (!c)
        return false;
    for (uint32_t i = 0; i < b->n_placed; i++) {
        const struct placed *p = &b->placed[i];
        const struct content *other = p->m->data;
        if (p->m->kind == KW_CONTENT && (other->flags & CONTENT_FAST) &&
            !(b->r->flags & RULE_TX_BOTH))
            return rule_fail(b, "only one content of a rule can be the fast_pattern");
    }
    if ((c->flags & CONTENT_NEGATED) && (c->flags & (relative_flags | absolute_flags)))
        return rule_fail(b, "a negated content with a position cannot be the fast_pattern");
    c->flags |= CONTENT_FAST;
    if (!o->has_value)
        return true;
    if (!span_eq(o->value, SPAN("only")))
        return fast_chop(b, o, c);
    if ((c->flags & CONTENT_NEGATED) || (c->flags & (relative_flags | absolute_flags)))
        return rule_fail(b, "fast_pattern:only does not go with negation or a position");
    c->flags |= CONTENT_FAST_ONLY;
    return true;
}

bool setup_replace(struct build *b, const struct option *o)
{
    struct content *c = last_content(b);
    if (!c)
        return false;
    if (b->list != PLACE_NONE)
        return rule_fail(b, "it does not go with a sticky buffer");
    if (c->flags & (CONTENT_NEGATED | CONTENT_REPLACE))
        return rule_fail(b, "it does not go with a negated content, and only once with another");
    b->at = o->value.p;
    if (!parse_content(b, o->value, &c->replace))
        return false;
    if (c->replace.n != c->bytes.n)
        return rule_fail(b, "replacement and content must be of the same length");
    c->flags |= CONTENT_REPLACE;
    b->wants_packet = true;
    return true;
}
