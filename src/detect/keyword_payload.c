/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords on the size and encoding of a buffer, and transforms: bsize, urilen, base64_decode,
 * absent, entropy, asn1, rpc, ftpbounce, dotprefix … */
#include "base/must.h"
#include "detect/setup.h"

#include <stdlib.h>

bool setup_bsize(struct build *b, const struct option *o)
{
    struct uint_cond *c = build_get(b, sizeof(*c));
    if (b->list < LIST_BUFFER)
        return rule_fail(b, "no sticky buffer stands before it");
    if (!parse_uint_cond(b, o->value, UINT64_MAX, c))
        return false;
    return build_place(b, KW_BSIZE, c, false) != NULL;
}

/* "12", "<3", "3<>20", each with ",raw" or ",norm": the size of one of the URI buffers. */
bool setup_urilen(struct build *b, const struct option *o)
{
    struct span rest = o->value;
    struct span size = next_element(&rest);
    struct span which = span_trim(rest);
    struct uint_cond *c = build_get(b, sizeof(*c));
    bool raw = span_ieq(which, SPAN("raw"));
    if (which.n && !raw && !span_ieq(which, SPAN("norm")))
        return rule_fail_at(b, which.p, "raw or norm expected");
    if (!parse_uint_cond(b, size, UINT16_MAX, c))
        return false;
    const struct name_ref *ref =
        catalogue_find(b->l->catalogue, raw ? SPAN("http.uri.raw") : SPAN("http.uri"));
    if (!ref)
        return rule_fail(b, "there is no buffer for it");
    if (!build_app(b, b->l->catalogue->specs[ref->index].app))
        return false;
    /* the run is http.uri's whatever the sticky buffer is */
    int32_t list = b->list;
    struct buffer_matches *run = b->run;
    bool fresh = b->list_fresh;
    b->list = LIST_BUFFER + ref->index;
    b->run = build_run(b, ref->index);
    b->list_fresh = false;
    bool ok = build_place(b, KW_URILEN, c, false) != NULL;
    bool here = list == b->list && fresh;
    b->list = list;
    b->run = here ? b->run : run;
    b->list_fresh = fresh && !here;
    b->r->flags |= RULE_NEEDS_APP;
    return ok;
}

bool setup_base64_decode(struct build *b, const struct option *o)
{
    struct base64_decode *d = build_get(b, sizeof(*d));
    struct span rest = o->value;
    while (rest.n) {
        struct span word = next_element(&rest);
        struct span value = word;
        struct span key = span_split(&value, ' ');
        uint64_t v = 0;
        bool number = span_u64(span_trim(value), &v) && v <= UINT32_MAX;
        if (span_ieq(word, SPAN("relative")))
            d->relative = true;
        else if (span_ieq(key, SPAN("bytes")) && number && v)
            d->n_bytes = (uint32_t)v;
        else if (span_ieq(key, SPAN("offset")) && number)
            d->offset = (uint32_t)v;
        else
            return rule_fail_at(b, word.p, "\"bytes N\", \"offset N\" or \"relative\" expected");
    }
    b->base64 = d;
    return build_place(b, KW_BASE64_DECODE, d, b->list == PLACE_NONE) != NULL;
}

bool setup_base64_data(struct build *b, const struct option *o)
{
    (void)o;
    if (!b->base64)
        return rule_fail(b, "base64_decode is needed before it");
    b->list = LIST_BASE64;
    b->list_fresh = true;
    b->run = NULL;
    b->n_transforms = 0;
    return true;
}

bool setup_absent(struct build *b, const struct option *o)
{
    struct absent *a = build_get(b, sizeof(*a));
    if (b->list < LIST_BUFFER)
        return rule_fail(b, "no sticky buffer stands before it");
    if (o->has_value) {
        if (!span_ieq(o->value, SPAN("or_else")))
            return rule_fail_at(b, o->value.p, "or_else expected");
        a->or_else = true;
    }
    if (!b->list_fresh)
        return rule_fail(b, "it must be the first condition on the buffer");
    return build_place(b, KW_ABSENT, a, false) != NULL;
}

static bool read_double(struct span s, double *ret)
{
    char text[32], *end;
    if (!s.n || s.n >= sizeof(text))
        return false;
    span_copy(s, text, sizeof(text));
    *ret = strtod(text, &end);
    return *end == 0 && *ret >= 0 && *ret <= 8;
}

/* "value >= 4.5", also "value 4.5" and a range "value 2-4". */
static bool entropy_value(struct span s, struct entropy *e)
{
    static const struct {
        const char *sign;
        uint8_t op;
    } ops[] = {{"<=", UINT_LE}, {">=", UINT_GE}, {"!=", UINT_NE}, {"<", UINT_LT},
               {">", UINT_GT},  {"=", UINT_EQ},  {"!", UINT_NE}};
    e->op = UINT_EQ;
    for (size_t i = 0; i < LEN(ops); i++)
        if (span_starts(s, span_str(ops[i].sign))) {
            e->op = ops[i].op;
            return read_double(span_trim(span_from(s, strlen(ops[i].sign))), &e->value);
        }
    size_t dash = span_find_byte(s, '-');
    if (dash == s.n)
        return read_double(s, &e->value);
    e->op = UINT_RANGE;
    return read_double(span_trim(span_cut(s, 0, dash)), &e->value) &&
           read_double(span_trim(span_from(s, dash + 1)), &e->value2) && e->value < e->value2;
}

bool setup_entropy(struct build *b, const struct option *o)
{
    struct entropy *e = build_get(b, sizeof(*e));
    struct span rest = o->value;
    bool has_value = false;
    while (rest.n) {
        struct span value = next_element(&rest);
        struct span key = span_split(&value, ' ');
        int64_t v;
        bool ok = false;
        value = span_trim(value);
        if (span_ieq(key, SPAN("value"))) {
            ok = has_value = entropy_value(value, e);
        } else if (span_ieq(key, SPAN("bytes"))) {
            ok = parse_int(value, 0, 65535, &v);
            e->n_bytes.n = v;
        } else if (span_ieq(key, SPAN("offset"))) {
            ok = parse_int(value, -65535, 65535, &v);
            e->offset.n = v;
        }
        if (!ok)
            return rule_fail_at(
                b, key.p, "\"bytes N\", \"offset N\" or \"value COMPARISON\" (0 to 8) expected");
    }
    if (!has_value)
        return rule_fail_at(b, o->value.p, "the value to compare with is missing");
    return build_place(b, KW_ENTROPY, e, false) != NULL;
}

bool setup_asn1(struct build *b, const struct option *o)
{
    struct asn1 *a = build_get(b, sizeof(*a));
    struct span rest = o->value;
    while (rest.n) {
        struct span value = next_element(&rest);
        struct span key = span_split(&value, ' ');
        int64_t v = 0;
        value = span_trim(value);
        bool number = parse_int(value, INT32_MIN, UINT32_MAX, &v);
        if (span_ieq(key, SPAN("bitstring_overflow"))) {
            a->bitstring_overflow = true;
        } else if (span_ieq(key, SPAN("double_overflow"))) {
            a->double_overflow = true;
        } else if (span_ieq(key, SPAN("oversize_length")) && number && v > 0) {
            a->has_oversize = true;
            a->oversize_length = (uint32_t)v;
        } else if (span_ieq(key, SPAN("absolute_offset")) && number && v <= INT32_MAX) {
            a->has_absolute_offset = true;
            a->offset = (int32_t)v;
        } else if (span_ieq(key, SPAN("relative_offset")) && number && v <= INT32_MAX) {
            a->relative = true;
            a->offset = (int32_t)v;
        } else {
            return rule_fail_at(b, key.p, "\"%.*s\" is not an option of asn1",
                                (int)min_size(key.n, 40), (const char *)key.p);
        }
    }
    return build_place(b, KW_ASN1, a, a->relative) != NULL;
}

/* program, then version and procedure, each a number or *. */
bool setup_rpc(struct build *b, const struct option *o)
{
    struct rpc *r = build_get(b, sizeof(*r));
    struct span rest = o->value;
    struct {
        bool *has;
        uint32_t *value;
    } parts[] = {{&r->has_program, &r->program},
                 {&r->has_version, &r->version},
                 {&r->has_procedure, &r->procedure}};
    for (size_t i = 0; i < LEN(parts) && rest.n; i++) {
        struct span word = next_element(&rest);
        uint64_t v;
        if (i && span_eq(word, SPAN("*")))
            continue;
        if (!parse_uint(word, false, &v) || v > UINT32_MAX)
            return rule_fail_at(b, word.p, "a number expected");
        *parts[i].value = (uint32_t)v;
        *parts[i].has = true;
    }
    build_add_packet(b, KW_RPC, r);
    return true;
}

/* Belongs to FTP: with no parser for it the rule cannot match. */
bool setup_ftpbounce(struct build *b, const struct option *o)
{
    (void)o;
    b->foreign = true;
    return build_app(b, app_find(SPAN("ftp"))) && build_place(b, KW_FTPBOUNCE, NULL, false);
}

/* ---- transforms ---- */

static struct transform *transform_new(struct build *b, enum transform_kind kind)
{
    bool again = b->list >= LIST_BUFFER && !b->list_fresh && b->run && !b->run->transform_n;
    if (b->list < LIST_BUFFER || !(b->list_fresh || again)) {
        rule_fail(b, "a transform must follow a sticky buffer directly");
        return NULL;
    }
    if (again) { /* what follows looks into the transformed buffer, what was before does not */
        b->list_fresh = true;
        b->n_transforms = 0;
    }
    if (b->n_transforms == BUILD_TRANSFORMS) {
        rule_fail(b, "more than %d transforms of one buffer", BUILD_TRANSFORMS);
        return NULL;
    }
    struct transform *t = &b->transforms[b->n_transforms++];
    *t = (struct transform){.kind = (uint8_t)kind};
    return t;
}

bool setup_transform(struct build *b, const struct option *o)
{
    static const uint8_t kinds[KEYWORDS] = {
        [KW_STRIP_WHITESPACE] = TRANSFORM_STRIP_WHITESPACE,
        [KW_COMPRESS_WHITESPACE] = TRANSFORM_COMPRESS_WHITESPACE,
        [KW_DOTPREFIX] = TRANSFORM_DOTPREFIX,
        [KW_TO_LOWERCASE] = TRANSFORM_TO_LOWERCASE,
        [KW_TO_UPPERCASE] = TRANSFORM_TO_UPPERCASE,
        [KW_TO_MD5] = TRANSFORM_MD5,
        [KW_TO_SHA1] = TRANSFORM_SHA1,
        [KW_TO_SHA256] = TRANSFORM_SHA256,
        [KW_URL_DECODE] = TRANSFORM_URL_DECODE,
        [KW_HEADER_LOWERCASE] = TRANSFORM_HEADER_LOWERCASE,
        [KW_STRIP_PSEUDO_HEADERS] = TRANSFORM_STRIP_PSEUDO_HEADERS,
        [KW_DOMAIN] = TRANSFORM_DOMAIN,
        [KW_TLD] = TRANSFORM_TLD,
    };
    return transform_new(b, kinds[o->keyword]) != NULL;
}

bool setup_transform_xor(struct build *b, const struct option *o)
{
    struct transform *t = transform_new(b, TRANSFORM_XOR);
    if (!t)
        return false;
    uint8_t *key = build_get(b, o->value.n);
    if (o->value.n % 2)
        return rule_fail_at(b, o->value.p, "the key needs two hex digits a byte");
    for (size_t i = 0; i < o->value.n; i += 2) {
        int high = ascii_hex(o->value.p[i]), low = ascii_hex(o->value.p[i + 1]);
        if (high < 0 || low < 0)
            return rule_fail_at(b, o->value.p + i, "the key needs two hex digits a byte");
        key[i / 2] = (uint8_t)(high << 4 | low);
    }
    t->key = span_of(key, o->value.n / 2);
    return true;
}

bool setup_transform_base64(struct build *b, const struct option *o)
{
    struct transform *t = transform_new(b, TRANSFORM_FROM_BASE64);
    struct span rest = o->value;
    if (!t)
        return false;
    while (rest.n) {
        struct span value = next_element(&rest);
        struct span key = span_split(&value, ' ');
        uint64_t v = 0;
        value = span_trim(value);
        bool number = span_u64(value, &v) && v <= UINT16_MAX;
        if (span_eq(key, SPAN("bytes")) && number && v)
            t->n_bytes = (uint32_t)v;
        else if (span_eq(key, SPAN("offset")) && number)
            t->offset = (uint32_t)v;
        else if (span_eq(key, SPAN("mode")) && span_eq(value, SPAN("rfc4648")))
            t->base64_mode = BASE64_RFC4648;
        else if (span_eq(key, SPAN("mode")) && span_eq(value, SPAN("rfc2045")))
            t->base64_mode = BASE64_RFC2045;
        else if (span_eq(key, SPAN("mode")) && span_eq(value, SPAN("strict")))
            t->base64_mode = BASE64_STRICT;
        else
            return rule_fail_at(b, key.p,
                                "\"bytes N\", \"offset N\" or \"mode rfc4648|rfc2045|"
                                "strict\" expected");
    }
    return true;
}

bool setup_transform_inflate(struct build *b, const struct option *o)
{
    struct transform *t =
        transform_new(b, o->keyword == KW_GUNZIP ? TRANSFORM_GUNZIP : TRANSFORM_ZLIB_DEFLATE);
    if (!t)
        return false;
    t->max_size = 1024;
    if (!o->has_value)
        return true;
    struct span value = o->value;
    struct span key = span_split(&value, ' ');
    uint64_t v;
    if (!span_eq(key, SPAN("max-size")) || !parse_uint(span_trim(value), true, &v) || !v ||
        v > UINT32_MAX)
        return rule_fail_at(b, o->value.p, "\"max-size N\" expected");
    t->max_size = (uint32_t)v;
    return true;
}

bool setup_transform_pcre(struct build *b, const struct option *o)
{
    struct transform *t = transform_new(b, TRANSFORM_PCRE);
    return t && pcre_transform(b, o->value, &t->pcre);
}
