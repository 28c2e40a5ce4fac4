/* SPDX-License-Identifier: Apache-2.0 */
/* The section `datasets`: what rules may do with files, and sets that are there whether or not a
 * rule names them; and the files of address reputations. Texts live with the tree. */
#include "base/mem.h"
#include "sensor/conf.h"
#include "sensor/yaml_tree.h"

static const char *text_of(struct yaml *at, const char *key)
{
    const struct yaml *y = tree_find(at, key);

    return y && y->kind == YAML_SCALAR && y->value[0] ? y->value : NULL;
}

static bool datasets_one(struct sensor_conf *c, struct yaml *y, struct err *e)
{
    struct detect_conf *d = &c->detect;

    if (y->kind != YAML_MAP)
        return err_set(e, ERR_CONFIG, "%s:%u: datasets.%s: type and load or state expected",
                       y->file, y->line, y->key);
    if (d->n_datasets == LEN(d->datasets))
        return err_set(e, ERR_CONFIG, "%s:%u: datasets: at most %zu sets", y->file, y->line,
                       LEN(d->datasets));
    struct dataset_preset *p = &d->datasets[d->n_datasets++];
    *p = (struct dataset_preset){.name = y->key, .type = text_of(y, "type")};
    p->load = text_of(y, "load");
    p->save = text_of(y, "save");
    const char *state = text_of(y, "state");
    if (state) {
        p->load = p->save = state;
        p->state = true;
    }
    return conf_size64(y, "memcap", &p->memcap, e);
}

static bool conf_reputations(struct detect_conf *d, struct yaml *root, struct err *e)
{
    const char *dir = text_of(root, "default-reputation-path");
    struct yaml *files = tree_find(root, "reputation-files");

    d->iprep_categories = text_of(root, "reputation-categories-file");
    for (struct yaml *f = files ? files->first : NULL; f; f = f->next) {
        if (f->kind != YAML_SCALAR || d->n_iprep_files == LEN(d->iprep_files))
            return err_set(e, ERR_CONFIG, "%s:%u: reputation-files: a list of at most %zu names",
                           f->file, f->line, LEN(d->iprep_files));
        bool absolute = f->value[0] == '/' || !dir;
        d->iprep_files[d->n_iprep_files++] =
            absolute ? mem_strdup(f->value) : mem_printf("%s/%s", dir, f->value);
    }
    return true;
}

bool conf_datasets(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    struct yaml *list = tree_find(root, "datasets");
    bool write = true;

    c->detect.data_dir = text_of(root, "default-data-dir");
    if (!conf_reputations(&c->detect, root, e))
        return false;
    if (!list || list->kind != YAML_MAP)
        return true;
    for (struct yaml *y = list->first; y; y = y->next) {
        struct span key = span_str(y->key);
        bool settings = span_eq(key, SPAN("defaults")) || span_eq(key, SPAN("limits")) ||
                        span_eq(key, SPAN("rules")) || span_eq(key, SPAN("enabled"));
        if (!settings && !datasets_one(c, y, e))
            return false;
    }
    if (!conf_size64(list, "defaults.memcap", &c->detect.dataset_memcap, e) ||
        !conf_bool(list, "rules.allow-write", &write, e))
        return false;
    c->detect.dataset_no_write = !write;
    return conf_bool(list, "rules.allow-absolute-filenames", &c->detect.dataset_absolute, e);
}
