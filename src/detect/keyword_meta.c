/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords about the rule itself: number, text, class, references, metadata, requirements. */
#include "base/must.h"
#include "detect/classification.h"
#include "detect/setup.h"

static bool number(struct build *b, const struct option *o, uint32_t min, uint32_t *ret)
{
    uint64_t v;
    if (!span_u64(o->value, &v) || v < min || v > UINT32_MAX)
        return rule_fail_at(b, o->value.p, "\"%.*s\" is not a number from %u to %u",
                            (int)min_size(o->value.n, 40), (const char *)o->value.p, min,
                            UINT32_MAX);
    *ret = (uint32_t)v;
    return true;
}

static bool once(struct build *b, bool *seen)
{
    if (*seen)
        return rule_fail(b, "it stands twice in the rule");
    return *seen = true;
}

bool setup_sid(struct build *b, const struct option *o)
{
    return once(b, &b->has_sid) && number(b, o, 1, &b->r->sid);
}

bool setup_rev(struct build *b, const struct option *o)
{
    return once(b, &b->has_rev) && number(b, o, 1, &b->r->rev);
}

bool setup_gid(struct build *b, const struct option *o)
{
    return number(b, o, 0, &b->r->gid);
}

bool setup_msg(struct build *b, const struct option *o)
{
    uint8_t *text = build_get(b, o->value.n + 1);
    size_t n = 0;
    if (!once(b, &b->has_msg))
        return false;
    for (size_t i = 0; i < o->value.n; i++) {
        uint8_t c = o->value.p[i];
        if (c == '\\' && i + 1 < o->value.n)
            c = o->value.p[++i];
        else if (c == '\\')
            break;
        text[n++] = c;
    }
    b->r->msg = (const char *)text;
    return true;
}

bool setup_classtype(struct build *b, const struct option *o)
{
    const struct class_info *c = class_find(b->l->classes, o->value);
    if (b->has_classtype) {
        rule_warn(b, "a second classtype is not read");
        return true;
    }
    b->has_classtype = true;
    if (!c) {
        rule_warn(b, "class \"%.*s\" is not known: priority 3", (int)min_size(o->value.n, 60),
                  (const char *)o->value.p);
        c = class_add(b->l->classes, o->value, o->value, 3);
    }
    b->r->class_name = build_str(b, span_str(c->name));
    b->r->class_text = build_str(b, span_str(c->text));
    if (!(b->r->flags & RULE_PRIORITY_GIVEN))
        b->r->priority = c->priority;
    return true;
}

bool setup_priority(struct build *b, const struct option *o)
{
    uint32_t v;
    if (b->r->flags & RULE_PRIORITY_GIVEN)
        return rule_fail(b, "it stands twice in the rule");
    if (!number(b, o, 1, &v))
        return false;
    if (v > 255)
        return rule_fail_at(b, o->value.p, "the priority is a number from 1 to 255");
    b->r->flags |= RULE_PRIORITY_GIVEN;
    b->r->priority = (uint8_t)v;
    return true;
}

bool setup_reference(struct build *b, const struct option *o)
{
    struct span rest = o->value;
    struct span key = next_element(&rest);
    rest = span_trim(rest);
    if (!key.n || !rest.n)
        return rule_fail_at(b, o->value.p, "\"system,id\" expected");
    const char *prefix = reference_prefix(b->l->references, key);
    if (!prefix) {
        rule_warn(b, "reference system \"%.*s\" is not known", (int)min_size(key.n, 60),
                  (const char *)key.p);
        prefix = reference_add(b->l->references, key, SPAN(""));
    }
    struct rule *r = b->r;
    const char **list = build_get(b, (r->n_references + (size_t)1) * sizeof(*list));
    if (r->n_references)
        memcpy(list, r->references, r->n_references * sizeof(*list));
    char *text = arena_printf(b->l->a, "%s%.*s", prefix, (int)rest.n, (const char *)rest.p);
    must(text);
    list[r->n_references++] = text;
    r->references = list;
    return true;
}

bool setup_metadata(struct build *b, const struct option *o)
{
    struct span rest = o->value;
    struct rule *r = b->r;
    uint32_t n = 1;
    for (size_t i = 0; i < rest.n; i++)
        n += rest.p[i] == ',';
    struct rule_metadata *list = build_get(b, (r->n_metadata + (size_t)n) * sizeof(*list));
    if (r->n_metadata)
        memcpy(list, r->metadata, r->n_metadata * sizeof(*list));
    r->metadata = list;
    while (rest.n) {
        struct span value = next_element(&rest);
        struct span key = span_split(&value, ' ');
        value = span_trim(value);
        if (!key.n)
            continue;
        list[r->n_metadata++] = (struct rule_metadata){build_str(b, key), build_str(b, value)};
    }
    return true;
}

bool setup_target(struct build *b, const struct option *o)
{
    if (span_eq(o->value, SPAN("src_ip")))
        b->r->flags |= RULE_TARGET_SRC;
    else if (span_eq(o->value, SPAN("dest_ip")))
        b->r->flags |= RULE_TARGET_DST;
    else
        return rule_fail_at(b, o->value.p, "src_ip or dest_ip expected");
    if ((b->r->flags & RULE_TARGET_SRC) && (b->r->flags & RULE_TARGET_DST))
        return rule_fail_at(b, o->value.p, "the other side is said to be the target before");
    return true;
}

bool setup_noalert(struct build *b, const struct option *o)
{
    (void)o;
    b->r->flags |= RULE_NOALERT;
    return true;
}

bool setup_alert(struct build *b, const struct option *o)
{
    (void)o;
    b->r->flags |= RULE_ALERT;
    return true;
}

bool setup_prefilter(struct build *b, const struct option *o)
{
    (void)o;
    if (b->r->flags & RULE_PREFILTER)
        return rule_fail(b, "it stands twice in the rule");
    if (!b->last)
        return rule_fail(b, "no keyword stands before it");
    b->r->flags |= RULE_PREFILTER;
    return true;
}

bool setup_unsupported(struct build *b, const struct option *o)
{
    const char *help = keyword_table[o->keyword].help; /* "not supported: …" */
    return rule_fail(b, "%s", help);
}

/* ---- requires ---- */

/* The version whose rule language this is. */
static const uint32_t own_version[3] = {8, 0, 6};

static bool version_read(struct span text, uint32_t ret[3])
{
    for (int i = 0; i < 3; i++) {
        uint64_t v = 0;
        struct span part = span_split(&text, '.');
        if ((i == 0 || part.n) && (!span_u64(part, &v) || v > 1000))
            return false;
        ret[i] = (uint32_t)v;
    }
    return true;
}

static int version_compare(const uint32_t v[3])
{
    for (int i = 0; i < 3; i++)
        if (own_version[i] != v[i])
            return own_version[i] < v[i] ? -1 : 1;
    return 0;
}

/* "version >= 7.0.3 < 8 | >= 9": alternatives of comparisons that all hold. */
static bool version_holds(struct build *b, struct span text, bool *ret)
{
    static const char *const signs[] = {">=", "<=", ">", "<"};
    *ret = false;
    while (text.n) {
        struct span all = span_trim(span_split(&text, '|'));
        bool holds = true;
        if (!all.n)
            return rule_fail_at(b, all.p, "a comparison of versions expected");
        while (all.n) {
            uint32_t v[3];
            size_t s = 0;
            while (s < LEN(signs) && !span_starts(all, span_str(signs[s])))
                s++;
            if (s == LEN(signs))
                return rule_fail_at(b, all.p, "a comparison of versions expected");
            all = span_trim(span_from(all, strlen(signs[s])));
            size_t n = 0;
            while (n < all.n && (ascii_is_digit(all.p[n]) || all.p[n] == '.'))
                n++;
            if (!version_read(span_cut(all, 0, n), v))
                return rule_fail_at(b, all.p, "a version expected");
            int c = version_compare(v);
            holds = holds && (s == 0 ? c >= 0 : s == 1 ? c <= 0 : s == 2 ? c > 0 : c < 0);
            all = span_trim(span_from(all, n));
        }
        *ret = *ret || holds;
    }
    return true;
}

static bool feature_known(struct span name)
{
    static const char *const features[] = {"ja3", "ja4", "output::file-store"};
    for (size_t i = 0; i < LEN(features); i++)
        if (span_eq(name, span_str(features[i])))
            return true;
    return false;
}

bool setup_requires(struct build *b, const struct option *o)
{
    struct span rest = o->value;
    if (!rest.n)
        return rule_fail(b, "what is required is missing");
    while (rest.n) {
        struct span what = next_element(&rest);
        struct span name = span_split(&what, ' ');
        bool ok = true;
        what = span_trim(what);
        if (span_eq(name, SPAN("version"))) {
            if (!version_holds(b, what, &ok))
                return false;
        } else if (span_eq(name, SPAN("feature"))) {
            ok = feature_known(what);
        } else if (span_eq(name, SPAN("keyword"))) {
            ok = catalogue_find(b->l->catalogue, what) != NULL;
        } else {
            /* a requirement of the future: cannot be fulfilled */
            ok = false;
        }
        if (!ok)
            b->silent = true;
    }
    return true;
}
