/* SPDX-License-Identifier: Apache-2.0 */
/* Typed look-ups in the configuration tree, and the check of every key against the table of known
 * ones. */
#include "base/log.h"
#include "base/mem.h"
#include "sensor/conf.h"

static bool conf_wrong(const struct yaml *y, const char *path, const char *want, struct err *e)
{
    if (y->from_command_line)
        return err_set(e, ERR_CONFIG, "--set %s=%s: %s expected", path,
                       y->kind == YAML_SCALAR ? y->value : "…", want);
    return err_set(e, ERR_CONFIG, "%s:%u:%u: %s: %s expected, not \"%s\"", y->file, y->line,
                   y->column, path, want, y->kind == YAML_SCALAR ? y->value : "a group");
}

static bool conf_empty(const struct yaml *y)
{
    return !y || (y->kind == YAML_SCALAR && y->value[0] == '\0');
}

bool conf_bool(struct yaml *at, const char *path, bool *ret, struct err *e)
{
    const struct yaml *y = tree_find(at, path);

    if (conf_empty(y) || tree_bool(y, ret))
        return true;
    return conf_wrong(y, path, "yes or no", e);
}

bool conf_size64(struct yaml *at, const char *path, uint64_t *ret, struct err *e)
{
    const struct yaml *y = tree_find(at, path);

    if (conf_empty(y) || tree_size(y, ret))
        return true;
    return conf_wrong(y, path, "a number (with kb, mb or gb)", e);
}

bool conf_size32(struct yaml *at, const char *path, uint32_t *ret, struct err *e)
{
    uint64_t v = *ret;

    if (!conf_size64(at, path, &v, e))
        return false;
    if (v > UINT32_MAX)
        return conf_wrong(tree_find(at, path), path, "a number below 4 GiB", e);
    *ret = (uint32_t)v;
    return true;
}

bool conf_str(struct yaml *at, const char *path, char **ret, struct err *e)
{
    const struct yaml *y = tree_find(at, path);

    if (conf_empty(y))
        return true;
    if (y->kind != YAML_SCALAR)
        return conf_wrong(y, path, "text", e);
    mem_free(*ret);
    *ret = mem_strdup(y->value);
    return true;
}

enum key_effect { KEY_YES, KEY_NO, KEY_TREE, KEY_TREE_NO };

static const struct conf_key {
    const char *path;
    enum key_effect effect;
    const char *help;
} conf_keys[] = {
#define KEY(path, effect, help) {path, KEY_##effect, help},
#include "sensor/conf_keys.def"
#undef KEY
};

/* The key cut to as many levels as path has: groups above keys are names as well. */
static struct span key_level(struct span key, struct span path)
{
    size_t dots = 0;

    for (size_t i = 0; i < path.n; i++)
        dots += path.p[i] == '.';
    for (size_t i = 0; i < key.n; i++)
        if (key.p[i] == '.' && dots-- == 0)
            return span_cut(key, 0, i);
    return key;
}

/* Empty: none is near. */
static struct span key_nearest(struct span path)
{
    struct span best = {0};
    unsigned least = 9;

    for (size_t i = 0; i < LEN(conf_keys); i++) {
        struct span known = key_level(span_str(conf_keys[i].path), path);
        unsigned d = span_distance(path, known);
        if (d < least) {
            least = d;
            best = known;
        }
    }
    return best;
}

/* Does the table know `path`, as a key, a group above keys, or below a free tree? */
static bool key_known(struct span path, bool *ret_effect, bool *ret_leaf)
{
    bool group = false;

    for (size_t i = 0; i < LEN(conf_keys); i++) {
        const struct conf_key *k = &conf_keys[i];
        struct span key = span_str(k->path);
        bool tree = k->effect == KEY_TREE || k->effect == KEY_TREE_NO;
        if (span_eq(key, path) || (tree && path.n > key.n && span_starts(path, key) &&
                                   (path.p[key.n] == '.' || path.p[key.n] == '['))) {
            *ret_effect = k->effect == KEY_YES || k->effect == KEY_TREE;
            *ret_leaf = tree;
            return true;
        }
        group |= key.n > path.n && span_starts(key, path) && key.p[path.n] == '.';
    }
    *ret_effect = true;
    *ret_leaf = false;
    return group;
}

static unsigned key_say(const struct yaml *y, const char *path, bool known)
{
    struct span nearest = known ? (struct span){0} : key_nearest(span_str(path));
    const char *where = y->from_command_line ? "--set" : y->file;

    if (known)
        log_info("%s:%u:%u: %s has no effect here", where, y->line, y->column, path);
    else if (nearest.n)
        log_warn("%s:%u:%u: unknown key %s; did you mean %.*s?", where, y->line, y->column, path,
                 (int)nearest.n, (const char *)nearest.p);
    else
        log_warn("%s:%u:%u: unknown key %s", where, y->line, y->column, path);
    return 1;
}

static unsigned conf_check_below(const struct yaml *at, const char *prefix, unsigned depth)
{
    unsigned said = 0;
    char path[256];

    for (const struct yaml *c = at->first; c && depth < 32; c = c->next) {
        bool effect, leaf;
        if (at->kind == YAML_LIST) {
            if (c->kind == YAML_SCALAR)
                snprintf(path, sizeof(path), "%s.%s", prefix, c->value);
            else
                snprintf(path, sizeof(path), "%s", prefix);
        } else {
            snprintf(path, sizeof(path), "%s%s%s", prefix, prefix[0] ? "." : "", c->key);
        }
        bool known = key_known(span_str(path), &effect, &leaf);
        if (at->kind == YAML_LIST && c->kind != YAML_SCALAR) {
            said += conf_check_below(c, path, depth + 1);
            continue;
        }
        if (!known || !effect)
            said += key_say(c, path, known);
        else if (!leaf)
            said += conf_check_below(c, path, depth + 1);
    }
    return said;
}

unsigned conf_check_keys(const struct yaml *root)
{
    return conf_check_below(root, "", 0);
}
