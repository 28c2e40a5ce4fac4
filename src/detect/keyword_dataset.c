/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords on sets of values: dataset, datarep, iprep. The first rule that names a set makes it and
 * reads its file, later ones share it. Files to read lie beside the rule file, files to write in
 * the data folder, unless the configuration allows other places. */
#include "base/mem.h"
#include "base/must.h"
#include "detect/dataset.h"
#include "detect/iprep.h"
#include "detect/setup.h"

#include <unistd.h>

/* What stands behind the name. */
struct set_options {
    bool has_type;
    enum dataset_type type;
    struct span load, save; /* `state` is both */
    bool state;
    uint64_t memcap;
    struct dataset_source how;
    struct span context;
};

static bool format_find(struct span name, uint8_t *ret)
{
    static const char *const names[] = {
        [DATASET_CSV] = "csv", [DATASET_JSON] = "json", [DATASET_NDJSON] = "ndjson"};
    for (size_t i = 0; i < LEN(names); i++)
        if (span_ieq(name, span_str(names[i]))) {
            *ret = (uint8_t)i;
            return true;
        }
    return false;
}

static bool set_option(struct build *b, struct span key, struct span value, struct set_options *s)
{
    uint64_t n;
    const struct {
        const char *key;
        struct span *to;
    } texts[] = {{"load", &s->load},
                 {"save", &s->save},
                 {"state", &s->save},
                 {"value_key", &s->how.value},
                 {"array_key", &s->how.array},
                 {"context_key", &s->context},
                 {"enrichment_key", &s->context}};
    if (span_ieq(key, SPAN("remove_key"))) {
        s->how.remove_value = true;
        return !value.n || rule_fail_at(b, value.p, "no value goes with remove_key");
    }
    if (!value.n)
        return rule_fail_at(b, key.p, "\"%.*s\" has no value", (int)min_size(key.n, 40),
                            (const char *)key.p);
    for (size_t i = 0; i < LEN(texts); i++)
        if (span_ieq(key, span_str(texts[i].key))) {
            *texts[i].to = value;
            s->state = s->state || span_ieq(key, SPAN("state"));
            return true;
        }
    if (span_ieq(key, SPAN("type"))) {
        s->has_type = true;
        return dataset_type_find(value, &s->type) ||
               rule_fail_at(b, value.p, "string, md5, sha256, ipv4 or ip expected");
    }
    if (span_ieq(key, SPAN("format")))
        return format_find(value, &s->how.format) ||
               rule_fail_at(b, value.p, "csv, json or ndjson expected");
    if (span_ieq(key, SPAN("memcap")) || span_ieq(key, SPAN("hashsize"))) {
        if (!parse_uint(value, true, &n) || n == 0)
            return rule_fail_at(b, value.p, "a size expected");
        if (span_ieq(key, SPAN("memcap")))
            s->memcap = n;
        return true;
    }
    return rule_fail_at(b, key.p, "unknown option \"%.*s\" of a set", (int)min_size(key.n, 40),
                        (const char *)key.p);
}

static bool set_options_read(struct build *b, struct span rest, struct set_options *s)
{
    while (rest.n) {
        struct span value = next_element(&rest);
        struct span key = span_split(&value, ' ');
        if (!set_option(b, key, span_trim(value), s))
            return false;
    }
    if (s->state)
        s->load = s->save;
    if (s->how.format != DATASET_CSV && (!s->how.value.n || !s->load.n || s->save.n))
        return rule_fail(b, "a set of JSON needs load and value_key and cannot be saved");
    return true;
}

/* The path in the folder, or as it is when it is absolute. */
static const char *path_in(struct loader *l, struct span dir, struct span path)
{
    const char *slash = dir.n && dir.p[dir.n - 1] != '/' ? "/" : "";
    if (path.p[0] == '/')
        dir.n = 0;
    const char *r =
        arena_printf(l->a, "%.*s%s%.*s", (int)min_size(dir.n, 4096), (const char *)dir.p,
                     dir.n ? slash : "", (int)min_size(path.n, 4096), (const char *)path.p);
    must(r);
    return r;
}

static const char *beside_rules(struct build *b, struct span path)
{
    struct span dir = span_str(b->l->file);
    while (dir.n && dir.p[dir.n - 1] != '/')
        dir.n--;
    return path_in(b->l, dir, path);
}

/* May a rule have this file written? */
static bool save_allowed(struct build *b, struct span path)
{
    const struct detect_conf *c = b->l->conf;
    int n = (int)min_size(path.n, 200);
    if (c->dataset_no_write)
        return rule_fail_at(b, path.p, "datasets.rules.allow-write forbids rules to save sets");
    if (path.p[0] == '/' && !c->dataset_absolute)
        return rule_fail_at(b, path.p, "absolute paths are not allowed here: %.*s", n,
                            (const char *)path.p);
    struct span rest = path;
    while (rest.n)
        if (span_eq(span_split(&rest, '/'), SPAN("..")) && !c->dataset_absolute)
            return rule_fail_at(b, path.p, "the path leaves the data folder: %.*s", n,
                                (const char *)path.p);
    return true;
}

static const char *data_path(struct loader *l, struct span path)
{
    return path_in(l, span_str(l->conf->data_dir ? l->conf->data_dir : "."), path);
}

static bool set_load(struct build *b, struct dataset *set, const struct set_options *s)
{
    struct err e;
    if (!s->load.n)
        return true;
    const char *path = s->state ? data_path(b->l, s->load) : beside_rules(b, s->load);
    if (s->state && access(path, F_OK) != 0)
        return true;
    return dataset_load(set, path, &s->how, &e) || rule_fail_at(b, s->load.p, "%s", e.text);
}

static struct dataset *set_known(const struct loader *l, struct span name)
{
    for (size_t i = 0; i < l->rs->n_datasets; i++)
        if (span_eq(name, span_str(dataset_name(l->rs->datasets[i]))))
            return l->rs->datasets[i];
    return NULL;
}

static void set_keep(struct loader *l, struct dataset *set)
{
    struct ruleset *rs = l->rs;
    rs->datasets = mem_resize(rs->datasets, (rs->n_datasets + 1) * sizeof(struct dataset *));
    rs->datasets[rs->n_datasets++] = set;
}

static struct dataset *set_get(struct build *b, struct span name, struct set_options *s)
{
    struct dataset *set = set_known(b->l, name);
    if (set) {
        if (s->has_type && s->type != dataset_type(set)) {
            rule_fail_at(b, name.p, "set %s is of another type already", dataset_name(set));
            return NULL;
        }
        return set;
    }
    if (!s->has_type) {
        rule_fail_at(b, name.p, "set \"%.*s\" is new: its type is missing", (int)name.n,
                     (const char *)name.p);
        return NULL;
    }
    if (s->save.n && !save_allowed(b, s->save))
        return NULL;
    uint64_t memcap = s->memcap ? s->memcap : b->l->conf->dataset_memcap;
    set = dataset_new(build_str(b, name), s->type, memcap ? memcap : DATASET_BYTES);
    if (!set_load(b, set, s)) {
        dataset_free(set);
        return NULL;
    }
    if (s->save.n)
        dataset_set_save_path(set, data_path(b->l, s->save));
    set_keep(b->l, set);
    return set;
}

bool datasets_preset(struct loader *l, struct err *e)
{
    for (size_t i = 0; i < l->conf->n_datasets; i++) {
        const struct dataset_preset *p = &l->conf->datasets[i];
        const struct dataset_source how = {.format = DATASET_CSV};
        enum dataset_type type;
        uint64_t memcap = p->memcap ? p->memcap : l->conf->dataset_memcap;
        if (!p->type || !dataset_type_find(span_str(p->type), &type))
            return err_set(e, ERR_CONFIG,
                           "datasets.%s.type: string, md5, sha256, ipv4 or ip expected", p->name);
        struct dataset *set = dataset_new(p->name, type, memcap ? memcap : DATASET_BYTES);
        set_keep(l, set);
        const char *load = p->load ? data_path(l, span_str(p->load)) : NULL;
        bool there = load && (!p->state || access(load, F_OK) == 0);
        if (there && !dataset_load(set, load, &how, e))
            return false;
        if (p->save)
            dataset_set_save_path(set, data_path(l, span_str(p->save)));
    }
    return true;
}

static bool set_name(struct build *b, struct span name)
{
    if (!name.n || name.n >= DATASET_NAME)
        return rule_fail_at(b, name.p, "a set's name has 1 to %d characters", DATASET_NAME - 1);
    return b->list >= LIST_BUFFER || rule_fail(b, "no sticky buffer stands before it");
}

/* "isset|isnotset|set|unset,name[,option value …]" */
bool setup_dataset(struct build *b, const struct option *o)
{
    static const char *const commands[] = {"isset", "isnotset", "set", "unset"};
    struct set_options s = {0};
    struct span rest = o->value;
    struct span command = next_element(&rest);
    struct span name = next_element(&rest);
    uint8_t op = 0;
    while (op < LEN(commands) && !span_ieq(command, span_str(commands[op])))
        op++;
    if (op == LEN(commands))
        return rule_fail_at(b, command.p, "isset, isnotset, set or unset expected");
    if (!set_name(b, name) || !set_options_read(b, rest, &s))
        return false;
    struct dataset_match *m = build_get(b, sizeof(*m));
    m->op = op;
    m->set = set_get(b, name, &s);
    if (!m->set)
        return false;
    if (dataset_is_fixed(m->set) && op >= DATASET_OP_SET)
        return rule_fail_at(b, command.p, "a set read from JSON cannot be changed");
    if (s.context.n)
        m->context = build_str(b, s.context);
    return build_place(b, KW_DATASET, m, false) != NULL;
}

/* "name,<|>|==,number[,option value …]" */
bool setup_datarep(struct build *b, const struct option *o)
{
    struct set_options s = {.how = {.reputation = true}};
    struct span rest = o->value;
    struct span name = next_element(&rest);
    struct span sign = next_element(&rest);
    struct span number = next_element(&rest);
    uint64_t v;
    struct datarep_match *m = build_get(b, sizeof(*m));
    if (!set_name(b, name))
        return false;
    if (span_eq(sign, SPAN("<")))
        m->cond.op = UINT_LT;
    else if (span_eq(sign, SPAN(">")))
        m->cond.op = UINT_GT;
    else if (span_eq(sign, SPAN("==")) || span_eq(sign, SPAN("=")))
        m->cond.op = UINT_EQ;
    else
        return rule_fail_at(b, sign.p, "< > or == expected");
    if (!span_u64(number, &v) || v > UINT16_MAX)
        return rule_fail_at(b, number.p, "a reputation from 0 to 65535 expected");
    m->cond.a = v;
    if (!set_options_read(b, rest, &s))
        return false;
    m->set = set_get(b, name, &s);
    return m->set && build_place(b, KW_DATAREP, m, false) != NULL;
}

/* "any|src|dst|both,category,<|<=|>|>=|==|!=,number" or ",isset", ",isnotset" */
bool setup_iprep(struct build *b, const struct option *o)
{
    static const char *const sides[] = {"any", "src", "dst", "both"};
    static const struct {
        const char *sign;
        uint8_t op;
    } signs[] = {{"<", UINT_LT},  {"<=", UINT_LE}, {">", UINT_GT}, {">=", UINT_GE},
                 {"==", UINT_EQ}, {"=", UINT_EQ},  {"!=", UINT_NE}};
    struct iprep_cond *c = build_get(b, sizeof(*c));
    struct span rest = o->value;
    struct span side = next_element(&rest);
    struct span category = next_element(&rest);
    struct span sign = next_element(&rest);
    struct span number = span_trim(rest);
    while (c->side < LEN(sides) && !span_ieq(side, span_str(sides[c->side])))
        c->side++;
    if (c->side == LEN(sides))
        return rule_fail_at(b, side.p, "any, src, dst or both expected");
    c->list = b->l->rs->iprep;
    if (!c->list)
        return rule_fail(b, "there are no reputations: reputation-categories-file is not set");
    c->category = iprep_category(c->list, category);
    if (!c->category)
        return rule_fail_at(b, category.p, "there is no category \"%.*s\"",
                            (int)min_size(category.n, 40), (const char *)category.p);
    build_add(b, LIST_PACKET, KW_IPREP, c);
    bool isset = span_ieq(sign, SPAN("isset"));
    if (isset || span_ieq(sign, SPAN("isnotset"))) {
        c->value.op = isset ? UINT_GT : UINT_EQ;
        return !number.n || rule_fail_at(b, number.p, "no number goes with it");
    }
    size_t i = 0;
    while (i < LEN(signs) && !span_eq(sign, span_str(signs[i].sign)))
        i++;
    if (i == LEN(signs))
        return rule_fail_at(b, sign.p, "a comparison, isset or isnotset expected");
    c->value.op = signs[i].op;
    if (!span_u64(number, &c->value.a) || c->value.a > IPREP_MOST || c->value.a == 0)
        return rule_fail_at(b, number.p, "a reputation from 1 to %d expected", IPREP_MOST);
    return true;
}
