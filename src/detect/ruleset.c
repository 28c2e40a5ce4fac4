/* SPDX-License-Identifier: Apache-2.0 */
/* Many rule files into one ruleset: reads, parses rule by rule, settles duplicates, applies
 * threshold.config, orders, and reports. One bad rule costs itself and nothing else. */
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/must.h"
#include "detect/classification.h"
#include "detect/dataset.h"
#include "detect/iprep.h"
#include "detect/names.h"
#include "detect/order.h"
#include "detect/parse.h"
#include "detect/threshold_parse.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <zlib.h>

enum { RULE_FILE_BYTES = 1 << 30 };
static const size_t ruleset_bytes = (size_t)4 << 30;

void detect_conf_default(struct detect_conf *c)
{
    *c = (struct detect_conf){
        .inspection_recursion_limit = 3000,
        .pcre_match_limit = 3500,
        .pcre_recursion_limit = 1500,
        .max_alerts = 15,
        .alert_metadata = true,
        .stream_tx_log_limit = 4,
    };
}

/* Rules by gid and sid, for duplicates: open addressing, index + 1 into ruleset.rules. */
struct sid_table {
    uint32_t *slots;
    uint32_t mask, n;
};

static uint32_t *sid_slot(struct sid_table *t, const struct ruleset *rs, const struct rule *r)
{
    uint32_t at = (uint32_t)hash_mix((uint64_t)r->gid << 32 | r->sid) & t->mask;
    for (; t->slots[at]; at = (at + 1) & t->mask) {
        const struct rule *other = rs->rules[t->slots[at] - 1];
        if (other->sid == r->sid && other->gid == r->gid)
            break;
    }
    return &t->slots[at];
}

static void sid_grow(struct sid_table *t, const struct ruleset *rs)
{
    mem_free(t->slots);
    t->mask = t->mask ? t->mask * 2 + 1 : 1023;
    t->slots = mem_zero((t->mask + (size_t)1) * sizeof(*t->slots));
    for (size_t i = 0; i < rs->n_rules; i++)
        *sid_slot(t, rs, rs->rules[i]) = (uint32_t)i + 1;
}

static void loader_diagnose(struct loader *l, const struct rule *r, const char *keyword,
                            bool warning, const char *reason)
{
    diagnostic_add(l, &(struct diagnostic){.file = r->file,
                                           .line = r->line,
                                           .column = 1,
                                           .sid = r->sid,
                                           .keyword = keyword,
                                           .reason = reason,
                                           .warning = warning});
}

static void rule_keep(struct loader *l, struct sid_table *t, struct rule *r)
{
    struct ruleset *rs = l->rs;
    if (t->n * 2 >= t->mask)
        sid_grow(t, rs);
    uint32_t *slot = sid_slot(t, rs, r);
    if (*slot) {
        struct rule **old = &rs->rules[*slot - 1];
        if (r->rev <= (*old)->rev) {
            loader_diagnose(l, r, "sid", false,
                            "a rule with this sid and the same or a newer "
                            "revision is there already");
            rs->failed++;
            return;
        }
        loader_diagnose(l, *old, "sid", true, "replaced by a newer revision");
        *old = r;
        return;
    }
    if (rs->n_rules == l->cap_rules) {
        l->cap_rules = l->cap_rules ? l->cap_rules * 2 : 1024;
        rs->rules = mem_resize(rs->rules, l->cap_rules * sizeof(*rs->rules));
    }
    rs->rules[rs->n_rules++] = r;
    *slot = (uint32_t)rs->n_rules;
    t->n++;
}

static void load_text(struct loader *l, struct sid_table *t, struct build *b, struct span text)
{
    struct lex_file f;
    struct lex_rule line;
    struct ruleset *rs = l->rs;
    lex_file_init(&f, text);
    while (lex_next_rule(&f, &line)) {
        struct rule *r = NULL;
        if (line.indented) {
            struct rule nowhere = {.file = l->file, .line = line.line};
            loader_diagnose(l, &nowhere, NULL, true, "a line that begins with a space is not read");
            continue;
        }
        rs->active++;
        enum rule_result result = rule_parse(l, b, &line, &r);
        if (result == RULE_BAD)
            rs->failed++;
        if (result == RULE_SKIPPED)
            rs->skipped++;
        if (result != RULE_OK)
            continue;
        if (l->conf->alert_raw_rule)
            r->text = arena_str(l->a, line.text);
        rule_keep(l, t, r);
    }
    lex_file_free(&f);
}

/* Plain or gzip, told apart by the content. */
static bool rule_file_read(const char *path, char **ret, size_t *ret_n, struct err *e)
{
    if (!text_file_read(path, RULE_FILE_BYTES, ret, ret_n, e))
        return false;
    if (*ret_n < 2 || (uint8_t)(*ret)[0] != 0x1f || (uint8_t)(*ret)[1] != 0x8b)
        return true;
    z_stream z = {.next_in = (Bytef *)*ret, .avail_in = (uInt)*ret_n};
    struct buf out = buf_new(RULE_FILE_BYTES);
    int result = inflateInit2(&z, 16 + MAX_WBITS);
    while (result == Z_OK) {
        if (!buf_grow(&out, 1 << 20))
            break;
        z.next_out = out.p + out.n;
        z.avail_out = (uInt)(out.cap - out.n);
        result = inflate(&z, Z_NO_FLUSH);
        out.n = (size_t)(z.next_out - out.p);
    }
    inflateEnd(&z);
    mem_free(*ret);
    if (result != Z_STREAM_END) {
        buf_free(&out);
        return err_set(e, ERR_PARSE, "%s: the gzip data are damaged", path);
    }
    *ret = (char *)out.p;
    *ret_n = out.n;
    return true;
}

static bool loader_init(struct loader *l, const struct detect_conf *conf, struct ruleset *rs,
                        struct err *e)
{
    *l = (struct loader){.rs = rs, .a = &rs->arena, .conf = conf, .vars = conf->vars};
    if (!l->vars)
        l->vars = l->own_vars = vars_new();
    l->catalogue = rs->catalogue = catalogue_new(l->a);
    l->strings = names_new();
    l->flowbits = names_new();
    l->xbits = names_new();
    l->flowints = names_new();
    l->flowvars = names_new();
    l->addresses = names_new();
    l->ports = names_new();
    return class_list_load(conf->classification_file, &l->classes, e) &&
           reference_list_load(conf->reference_file, &l->references, e);
}

static void loader_free(struct loader *l)
{
    vars_free(l->own_vars);
    class_list_free(l->classes);
    reference_list_free(l->references);
    names_free(l->strings);
    names_free(l->flowbits);
    names_free(l->xbits);
    names_free(l->flowints);
    names_free(l->flowvars);
    names_free(l->addresses);
    names_free(l->ports);
}

/* A file that cannot be read is a diagnostic; true if it could. */
static bool load_file(struct loader *l, struct sid_table *t, struct build *b, const char *path)
{
    struct err e;
    char *text;
    size_t n;
    l->file = arena_str(l->a, span_str(path));
    mem_need(l->file, strlen(path));
    if (!rule_file_read(path, &text, &n, &e)) {
        struct diagnostic d = {.file = l->file, .line = 1, .column = 1};
        d.reason = arena_str(l->a, span_str(e.text));
        diagnostic_add(l, &d);
        return false;
    }
    load_text(l, t, b, span_of(text, n));
    mem_free(text);
    return true;
}

static bool load_all(struct loader *l, const char *const *files, size_t n_files, struct err *e)
{
    struct sid_table t = {0};
    struct build *b = mem_zero(sizeof(*b));
    size_t read = 0;
    for (size_t i = 0; i < n_files; i++)
        read += load_file(l, &t, b, files[i]);
    mem_free(b);
    mem_free(t.slots);
    if (n_files && !read)
        return err_set(e, ERR_IO, "no rule file could be read: %s",
                       l->rs->diagnostics[l->rs->n_diagnostics - 1].reason);
    if (l->conf->threshold_file && !threshold_config_apply(l, l->conf->threshold_file, e))
        return false;
    return true;
}

static bool reputations_load(struct loader *l, struct err *e)
{
    const struct detect_conf *c = l->conf;
    return !c->iprep_categories ||
           iprep_load(c->iprep_categories, (const char *const *)c->iprep_files, c->n_iprep_files,
                      &l->rs->iprep, e);
}

bool ruleset_parse(const struct detect_conf *conf, const char *const *files, size_t n_files,
                   struct ruleset **ret, struct err *e)
{
    struct ruleset *rs = mem_zero(sizeof(*rs));
    struct loader l;
    arena_init(&rs->arena, NULL, ruleset_bytes);
    bool ok = loader_init(&l, conf, rs, e) && datasets_preset(&l, e) && reputations_load(&l, e) &&
              load_all(&l, files, n_files, e);
    if (ok) {
        rules_order(rs, conf);
        rs->flowbits = names_list(l.flowbits, l.a);
        rs->xbits = names_list(l.xbits, l.a);
        rs->flowints = names_list(l.flowints, l.a);
        rs->flowvars = names_list(l.flowvars, l.a);
    }
    loader_free(&l);
    if (!ok) {
        ruleset_release(rs);
        return false;
    }
    *ret = rs;
    return true;
}

void ruleset_release(struct ruleset *rs)
{
    if (!rs)
        return;
    for (size_t i = 0; i < rs->n_datasets; i++)
        dataset_free(rs->datasets[i]);
    mem_free(rs->datasets);
    iprep_free(rs->iprep);
    for (size_t i = 0; i < rs->n_compiled; i++)
        pcre2_code_free(rs->compiled[i]);
    mem_free(rs->compiled);
    mem_free(rs->diagnostics);
    mem_free(rs->rules);
    arena_free(&rs->arena);
    mem_free(rs);
}

bool ruleset_data_open(struct ruleset *r, struct err *e)
{
    for (size_t i = 0; i < r->n_datasets; i++)
        if (!dataset_open(r->datasets[i], e))
            return false;
    return true;
}

bool ruleset_data_save(struct ruleset *r, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; i < r->n_datasets; i++)
        ok = dataset_save(r->datasets[i], e) && ok;
    return ok;
}

size_t ruleset_active(const struct ruleset *r)
{
    return r->active;
}

size_t ruleset_loaded(const struct ruleset *r)
{
    return r->n_rules;
}

size_t ruleset_failed(const struct ruleset *r)
{
    return r->failed;
}

size_t ruleset_skipped(const struct ruleset *r)
{
    return r->skipped;
}

const struct diagnostic *ruleset_diagnostics(const struct ruleset *r, size_t *ret_n)
{
    *ret_n = r->n_diagnostics;
    return r->diagnostics;
}

static void diagnostic_json(struct buf *out, const struct diagnostic *d)
{
    buf_str(out, "{\"file\":");
    json_add_string(out, span_str(d->file));
    buf_printf(out, ",\"line\":%u,\"column\":%u,\"sid\":%u,\"keyword\":", d->line, d->column,
               d->sid);
    if (d->keyword)
        json_add_string(out, span_str(d->keyword));
    else
        buf_str(out, "null");
    buf_str(out, ",\"reason\":");
    json_add_string(out, span_str(d->reason));
    buf_byte(out, '}');
}

static void diagnostics_json(const struct ruleset *r, struct buf *out, const char *name,
                             bool warnings)
{
    bool first = true;
    buf_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < r->n_diagnostics; i++) {
        if (r->diagnostics[i].warning != warnings)
            continue;
        if (!first)
            buf_byte(out, ',');
        first = false;
        diagnostic_json(out, &r->diagnostics[i]);
    }
    buf_byte(out, ']');
}

void ruleset_report_json(const struct ruleset *r, struct buf *out)
{
    buf_printf(out, "{\"rules\":{\"active\":%zu,\"loaded\":%zu,\"failed\":%zu}", r->active,
               r->n_rules, r->failed);
    diagnostics_json(r, out, "diagnostics", false);
    diagnostics_json(r, out, "warnings", true);
    buf_str(out, "}\n");
}

void ruleset_report_text(const struct ruleset *r, struct buf *out)
{
    for (size_t i = 0; i < r->n_diagnostics; i++) {
        const struct diagnostic *d = &r->diagnostics[i];
        buf_printf(out, "%s:%u:%u: %s: ", d->file, d->line, d->column,
                   d->warning ? "warning" : "error");
        if (d->sid)
            buf_printf(out, "sid %u: ", d->sid);
        if (d->keyword)
            buf_printf(out, "%s: ", d->keyword);
        buf_printf(out, "%s\n", d->reason);
    }
    buf_printf(out, "%zu rules active, %zu loaded, %zu failed", r->active, r->n_rules, r->failed);
    if (r->skipped)
        buf_printf(out, ", %zu left out by what they require", r->skipped);
    buf_byte(out, '\n');
}
