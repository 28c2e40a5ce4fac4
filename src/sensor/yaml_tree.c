/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml events into a tree. A duplicate key's later value wins, as Suricata takes it. */
#include "sensor/yaml_tree.h"

#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <limits.h>
#include <yaml.h>

enum { YAML_DEPTH = 32, YAML_NODES = 100000, YAML_INCLUDES = 16, YAML_BYTES = 16 << 20 };

struct reading {
    yaml_parser_t parser;
    const char *file;
    size_t nodes;
    unsigned includes;
    struct err *e;
};

struct yaml_name {
    struct yaml_name *next;
    char text[];
};

static struct yaml_name *name_new(const char *path)
{
    size_t n = strlen(path) + 1;
    struct yaml_name *name = mem_get(sizeof(*name) + n);

    name->next = NULL;
    memcpy(name->text, path, n);
    return name;
}

static void names_free(struct yaml_name *n)
{
    while (n) {
        struct yaml_name *next = n->next;
        mem_free(n);
        n = next;
    }
}

/* The owner of names moves with the nodes that point at them. */
static void names_move(struct yaml *to, struct yaml *from)
{
    struct yaml_name **at = &to->names;

    while (*at)
        at = &(*at)->next;
    *at = from->names;
    from->names = NULL;
}

static struct yaml *node_new(enum yaml_kind kind, const char *file, const yaml_mark_t *at)
{
    struct yaml *y = mem_zero(sizeof(*y));

    y->kind = kind;
    y->file = file;
    if (at) {
        y->line = (uint32_t)at->line + 1;
        y->column = (uint32_t)at->column + 1;
    }
    return y;
}

void tree_free(struct yaml *y)
{
    while (y) {
        struct yaml *next = y->next;
        tree_free(y->first);
        names_free(y->names);
        mem_free(y->key);
        mem_free(y->value);
        mem_free(y);
        y = next;
    }
}

struct yaml *tree_new_map(void)
{
    return node_new(YAML_MAP, "", NULL);
}

static bool yaml_fault(struct reading *r, const char *what)
{
    const yaml_parser_t *p = &r->parser;

    return err_set(r->e, ERR_CONFIG, "%s:%zu:%zu: %s", r->file,
                   (p->problem ? p->problem_mark.line : p->mark.line) + 1,
                   (p->problem ? p->problem_mark.column : p->mark.column) + 1,
                   p->problem ? p->problem : what);
}

static bool yaml_node(struct reading *r, yaml_event_t *ev, unsigned depth, struct yaml **ret);

static void yaml_append(struct yaml *parent, struct yaml *child)
{
    struct yaml **at = &parent->first;

    while (*at) {
        if (parent->kind == YAML_MAP && strcmp((*at)->key, child->key) == 0) {
            child->next = (*at)->next;
            (*at)->next = NULL;
            tree_free(*at);
            *at = child;
            return;
        }
        at = &(*at)->next;
    }
    *at = child;
}

/* Reads the members of the included file into `parent`, relative to the including file. */
static bool yaml_include(struct reading *r, struct yaml *parent, const char *name)
{
    char path[PATH_MAX];
    struct yaml *tree;
    const char *slash = strrchr(r->file, '/');

    if (++r->includes > YAML_INCLUDES)
        return yaml_fault(r, "too many includes");
    if (name[0] == '/' || !slash)
        snprintf(path, sizeof(path), "%s", name);
    else
        snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - r->file), r->file, name);
    if (!tree_load(path, &tree, r->e))
        return err_wrap(r->e, "%s: include", r->file);
    names_move(parent, tree);
    while (tree->first) {
        struct yaml *child = tree->first;
        tree->first = child->next;
        child->next = NULL;
        yaml_append(parent, child);
    }
    tree_free(tree);
    return true;
}

static bool yaml_member(struct reading *r, struct yaml *map, yaml_event_t *ev, unsigned depth)
{
    struct yaml *child;

    if (ev->type != YAML_SCALAR_EVENT)
        return yaml_fault(r, "a key must be plain text");
    char *key = mem_strdup((const char *)ev->data.scalar.value);
    yaml_event_delete(ev);
    if (!yaml_parser_parse(&r->parser, ev)) {
        mem_free(key);
        return yaml_fault(r, "cannot be read");
    }
    if (!yaml_node(r, ev, depth, &child)) {
        mem_free(key);
        return false;
    }
    if (strcmp(key, "include") == 0) {
        bool ok = true;
        if (child->kind == YAML_SCALAR)
            ok = yaml_include(r, map, child->value);
        for (struct yaml *c = child->first; c && ok && child->kind == YAML_LIST; c = c->next)
            ok = c->kind == YAML_SCALAR && yaml_include(r, map, c->value);
        mem_free(key);
        tree_free(child);
        return ok;
    }
    child->key = key;
    yaml_append(map, child);
    return true;
}

static bool yaml_container(struct reading *r, struct yaml *y, unsigned depth)
{
    yaml_event_type_t end = y->kind == YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    yaml_event_t ev;
    unsigned index = 0;

    if (depth > YAML_DEPTH)
        return yaml_fault(r, "nested too deep");
    for (;;) {
        if (!yaml_parser_parse(&r->parser, &ev))
            return yaml_fault(r, "cannot be read");
        if (ev.type == end) {
            yaml_event_delete(&ev);
            return true;
        }
        bool ok;
        if (y->kind == YAML_MAP) {
            ok = yaml_member(r, y, &ev, depth);
        } else {
            struct yaml *child;
            ok = yaml_node(r, &ev, depth, &child);
            if (ok) {
                child->key = mem_printf("%u", index++);
                yaml_append(y, child);
            }
        }
        if (!ok) {
            yaml_event_delete(&ev);
            return false;
        }
    }
}

/* Consumes *ev and what belongs to it. */
static bool yaml_node(struct reading *r, yaml_event_t *ev, unsigned depth, struct yaml **ret)
{
    struct yaml *y;

    if (++r->nodes > YAML_NODES)
        return yaml_fault(r, "too large");
    switch (ev->type) {
    case YAML_SCALAR_EVENT:
        if (ev->data.scalar.anchor)
            return yaml_fault(r, "anchors are not supported");
        y = node_new(YAML_SCALAR, r->file, &ev->start_mark);
        y->value = mem_strdup((const char *)ev->data.scalar.value);
        if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(y->value, "~") == 0)
            y->value[0] = '\0';
        break;
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        y = node_new(ev->type == YAML_MAPPING_START_EVENT ? YAML_MAP : YAML_LIST, r->file,
                     &ev->start_mark);
        yaml_event_delete(ev);
        memset(ev, 0, sizeof(*ev));
        if (!yaml_container(r, y, depth + 1)) {
            tree_free(y);
            return false;
        }
        *ret = y;
        return true;
    case YAML_ALIAS_EVENT:
        return yaml_fault(r, "aliases are not supported: write the value out");
    default:
        return yaml_fault(r, "unexpected end");
    }
    yaml_event_delete(ev);
    memset(ev, 0, sizeof(*ev));
    *ret = y;
    return true;
}

static bool yaml_document(struct reading *r, struct yaml **ret)
{
    yaml_event_t ev;

    for (;;) {
        if (!yaml_parser_parse(&r->parser, &ev))
            return yaml_fault(r, "cannot be read");
        if (ev.type == YAML_STREAM_END_EVENT) {
            yaml_event_delete(&ev);
            *ret = tree_new_map(); /* an empty file sets nothing */
            return true;
        }
        if (ev.type != YAML_STREAM_START_EVENT && ev.type != YAML_DOCUMENT_START_EVENT)
            break;
        yaml_event_delete(&ev);
    }
    if (!yaml_node(r, &ev, 0, ret)) {
        yaml_event_delete(&ev);
        return false;
    }
    if ((*ret)->kind == YAML_SCALAR && (*ret)->value[0] == '\0')
        (*ret)->kind = YAML_MAP;
    if ((*ret)->kind != YAML_MAP) {
        tree_free(*ret);
        return err_set(r->e, ERR_CONFIG, "%s: is not a map of settings", r->file);
    }
    return true;
}

bool tree_parse(struct span text, const char *name, struct yaml **ret, struct err *e)
{
    struct yaml_name *file = name_new(name);
    struct reading r = {.file = file->text, .e = e};

    if (!yaml_parser_initialize(&r.parser)) {
        names_free(file);
        return err_set(e, ERR_NOMEM, "%s: no memory to read it", name);
    }
    yaml_parser_set_input_string(&r.parser, text.p, text.n);
    bool ok = yaml_document(&r, ret);
    yaml_parser_delete(&r.parser);
    if (!ok) {
        names_free(file);
        return false;
    }
    file->next = (*ret)->names;
    (*ret)->names = file;
    return true;
}

bool tree_load(const char *path, struct yaml **ret, struct err *e)
{
    FILE *f = fopen(path, "rbe");

    if (!f)
        return err_set(e, ERR_CONFIG, "%s: %m", path);
    char *text = mem_get(YAML_BYTES);
    size_t n = fread(text, 1, YAML_BYTES, f);
    bool ok = !ferror(f);
    fclose(f);
    if (!ok)
        err_set(e, ERR_IO, "%s: cannot be read", path);
    else if (n == YAML_BYTES)
        ok = err_set(e, ERR_CONFIG, "%s: larger than %d MiB", path, YAML_BYTES >> 20);
    else
        ok = tree_parse(span_of(text, n), path, ret, e);
    mem_free(text);
    return ok;
}

static struct yaml *yaml_child(struct yaml *at, struct span key)
{
    for (struct yaml *c = at->first; c; c = c->next) {
        if (span_eq(span_str(c->key), key))
            return c;
        if (at->kind != YAML_LIST)
            continue;
        if (c->kind == YAML_SCALAR && span_eq(span_str(c->value), key))
            return c;
        if (c->kind == YAML_MAP && c->first && !c->first->next &&
            span_eq(span_str(c->first->key), key))
            return c->first;
    }
    return NULL;
}

struct yaml *tree_find(struct yaml *at, const char *path)
{
    struct span rest = span_str(path);

    while (at && rest.n) {
        struct span key = span_split(&rest, '.');
        at = yaml_child(at, key);
        if (at)
            at->used = true;
    }
    return at;
}

struct yaml *tree_only(struct yaml *y)
{
    return y && y->kind == YAML_MAP && y->first && !y->first->next ? y->first : y;
}

bool tree_set(struct yaml *root, struct span path, struct span value, struct err *e)
{
    struct yaml *at = root;
    struct span whole = path;

    while (path.n) {
        struct span key = span_split(&path, '.');
        if (key.n == 0 || (at->kind == YAML_SCALAR && at->value && at->value[0]))
            return err_set(e, ERR_USAGE, "--set %.*s: no such place in the configuration",
                           (int)whole.n, (const char *)whole.p);
        struct yaml *c = yaml_child(at, key);
        if (!c) {
            c = node_new(YAML_SCALAR, "--set", NULL);
            c->key = mem_printf("%.*s", (int)key.n, (const char *)key.p);
            c->value = mem_strdup("");
            if (at->kind == YAML_SCALAR)
                at->kind = YAML_MAP;
            yaml_append(at, c);
        }
        at = c;
    }
    tree_free(at->first);
    at->first = NULL;
    at->kind = YAML_SCALAR;
    at->from_command_line = true;
    mem_free(at->value);
    at->value = mem_printf("%.*s", (int)value.n, (const char *)value.p);
    return true;
}

bool tree_bool(const struct yaml *y, bool *ret)
{
    static const char *const yes[] = {"yes", "true", "on", "1"};
    static const char *const no[] = {"no", "false", "off", "0"};

    if (!y || y->kind != YAML_SCALAR)
        return false;
    for (size_t i = 0; i < LEN(yes); i++) {
        if (span_ieq(span_str(y->value), span_str(yes[i])) ||
            span_ieq(span_str(y->value), span_str(no[i]))) {
            *ret = span_ieq(span_str(y->value), span_str(yes[i]));
            return true;
        }
    }
    return false;
}

bool tree_uint(const struct yaml *y, uint64_t *ret)
{
    return y && y->kind == YAML_SCALAR && span_u64(span_trim(span_str(y->value)), ret);
}

bool tree_size(const struct yaml *y, uint64_t *ret)
{
    if (!y || y->kind != YAML_SCALAR)
        return false;
    struct span s = span_trim(span_str(y->value));
    size_t digits = 0;
    while (digits < s.n && ascii_is_digit(s.p[digits]))
        digits++;
    struct span unit = span_trim(span_from(s, digits));
    uint64_t v, scale = 1;
    if (!span_u64(span_cut(s, 0, digits), &v))
        return false;
    static const struct {
        const char *name;
        uint64_t scale;
    } units[] = {{"", 1},          {"b", 1},        {"k", 1 << 10},  {"kb", 1 << 10},
                 {"kib", 1 << 10}, {"m", 1 << 20},  {"mb", 1 << 20}, {"mib", 1 << 20},
                 {"g", 1 << 30},   {"gb", 1 << 30}, {"gib", 1 << 30}};
    for (size_t i = 0; i < LEN(units); i++) {
        if (span_ieq(unit, span_str(units[i].name))) {
            scale = units[i].scale;
            return !__builtin_mul_overflow(v, scale, ret);
        }
    }
    return false;
}
