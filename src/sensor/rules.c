/* SPDX-License-Identifier: Apache-2.0 */
/* Which rule files are loaded: -S alone, or the configured ones and -s. Names may be patterns and
 * are relative to default-rule-path. */
#include "base/log.h"
#include "base/mem.h"
#include "sensor/sensor.h"

#include <glob.h>
#include <sys/stat.h>

struct file_list {
    char **names;
    size_t n;
};

static void list_add(struct file_list *l, const char *name)
{
    l->names = mem_resize(l->names, (l->n + 1) * sizeof(*l->names));
    l->names[l->n++] = mem_strdup(name);
}

static void list_free(struct file_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        mem_free(l->names[i]);
    mem_free(l->names);
}

/* Adds the files that a pattern names; false when there are none. */
static bool list_pattern(struct file_list *l, const char *dir, const char *pattern)
{
    glob_t found;
    bool relative = pattern[0] != '/' && dir;
    char *path = relative ? mem_printf("%s/%s", dir, pattern) : mem_strdup(pattern);
    int rc = glob(path, 0, NULL, &found);

    for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
        list_add(l, found.gl_pathv[i]);
    if (rc == 0)
        globfree(&found);
    mem_free(path);
    return rc == 0;
}

static bool rules_files(struct sensor *s, struct file_list *l, struct err *e)
{
    const struct options *o = s->options;

    if (o->rules_only) {
        if (!list_pattern(l, NULL, o->rules_only))
            return err_set(e, ERR_NOT_FOUND, "-S %s: no such rule file", o->rules_only);
        return true;
    }
    for (size_t i = 0; i < s->conf.n_rule_files; i++)
        if (!list_pattern(l, s->conf.rule_path, s->conf.rule_files[i]))
            log_warn("rule-files: %s: no such file%s%s", s->conf.rule_files[i],
                     s->conf.rule_path ? " in " : "", s->conf.rule_path ? s->conf.rule_path : "");
    for (size_t i = 0; i < o->n_rules; i++)
        if (!list_pattern(l, NULL, o->rules[i]))
            return err_set(e, ERR_NOT_FOUND, "-s %s: no such rule file", o->rules[i]);
    return true;
}

/* What any of the outputs wants alerts to say of their rule. */
static void rules_alert_fields(struct sensor *s)
{
    struct detect_conf *d = &s->conf.detect;

    d->alert_metadata = s->conf.node_socket != NULL;
    for (size_t i = 0; i < s->conf.n_eve; i++) {
        const struct eve_alert_conf *a = &s->conf.eve[i].alert;
        d->alert_metadata = d->alert_metadata || a->rule_metadata;
        d->alert_references = d->alert_references || a->rule_reference;
        d->alert_raw_rule = d->alert_raw_rule || a->rule_raw;
    }
}

/* Files are hashed and fingerprints made as the rules need it. */
void sensor_rules_needs(struct sensor *s)
{
    struct proto_conf *p = &s->conf.proto;
    struct file_conf *f = &p->file;

    if (!s->rules)
        return;
    p->tls.ja3 = p->tls.ja3 || ruleset_wants_buffer(s->rules, "ja3");
    p->tls.ja4 = p->tls.ja4 || ruleset_wants_buffer(s->rules, "ja4");
    p->ssh.hassh = p->ssh.hassh || ruleset_wants_buffer(s->rules, "ssh.hassh");
    f->md5 = f->md5 || ruleset_wants_digest(s->rules, 16);
    f->sha1 = f->sha1 || ruleset_wants_digest(s->rules, 20);
    f->sha256 = f->sha256 || ruleset_wants_digest(s->rules, 32);
    s->conf.stream.check_overlap =
        s->conf.stream.check_overlap ||
        ruleset_wants_stream_event(s->rules, SEV_REASSEMBLY_OVERLAP_DIFFERENT_DATA);
}

static bool rules_read(struct sensor *s, struct ruleset **ret, struct err *e)
{
    struct file_list l = {0};
    bool ok = rules_files(s, &l, e);

    *ret = NULL;
    if (ok && l.n > 0) {
        s->conf.detect.inline_mode = s->conf.simulate_ips;
        if (s->options->data_dir)
            s->conf.detect.data_dir = s->options->data_dir;
        rules_alert_fields(s);
        ok = ruleset_load(&s->conf.detect, (const char *const *)l.names, l.n, ret, e);
    } else if (ok && !s->options->test) {
        log_info("no rules: traffic is recorded, nothing is detected");
    }
    list_free(&l);
    return ok;
}

bool sensor_load_rules(struct sensor *s, struct err *e)
{
    if (s->options->disable_detection)
        return true;
    bool ok = rules_read(s, &s->rules, e);
    sensor_rules_needs(s);
    return ok;
}

void sensor_rules_say(const struct ruleset *r)
{
    size_t n;
    const struct diagnostic *d = ruleset_diagnostics(r, &n);

    for (size_t i = 0; i < n; i++)
        log_write(d[i].warning ? LOG_WARN : LOG_ERROR, "%s:%u:%u: sid %u: %s%s%s", d[i].file,
                  d[i].line, d[i].column, d[i].sid, d[i].keyword ? d[i].keyword : "",
                  d[i].keyword ? ": " : "", d[i].reason);
    log_info("%zu rules loaded, %zu could not be", ruleset_loaded(r), ruleset_failed(r));
}

static bool rules_usable(const struct sensor *s, const struct ruleset *r, struct err *e)
{
    if (!r)
        return err_set(e, ERR_NOT_FOUND, "there is no rule file");
    sensor_rules_say(r);
    if (ruleset_failed(r) > 0 && ruleset_loaded(r) == 0)
        return err_set(e, ERR_CONFIG, "none of %zu rules can be loaded", ruleset_failed(r));
    if (ruleset_failed(r) > 0 && s->options->init_errors_fatal)
        return err_set(e, ERR_CONFIG, "%zu rules cannot be loaded (--init-errors-fatal)",
                       ruleset_failed(r));
    return true;
}

bool sensor_reread_rules(struct sensor *s, struct ruleset **ret, struct err *e)
{
    /* What the sets in force have learned is in the files that the new ones begin with. */
    if (!ruleset_data_save(s->rules, e) || !rules_read(s, ret, e))
        return false;
    if (rules_usable(s, *ret, e) && ruleset_data_open(*ret, e))
        return true;
    if (*ret)
        ruleset_free(*ret);
    *ret = NULL;
    return false;
}

static void list_folder(struct file_list *l, const char *dir, const char *name)
{
    if (!name)
        return;
    char *path = name[0] != '/' && dir ? mem_printf("%s/%s", dir, name) : mem_strdup(name);
    char *slash = strrchr(path, '/');
    if (slash)
        slash[slash == path] = '\0';
    list_add(l, slash ? path : ".");
    mem_free(path);
}

char **sensor_rules_folders(const struct sensor *s)
{
    const struct detect_conf *d = &s->conf.detect;
    const char *const files[] = {s->options->rules_only, d->classification_file, d->reference_file,
                                 d->threshold_file, d->iprep_categories};
    struct file_list l = {0};

    for (size_t i = 0; i < LEN(files); i++)
        list_folder(&l, NULL, files[i]);
    for (size_t i = 0; i < s->options->n_rules; i++)
        list_folder(&l, NULL, s->options->rules[i]);
    for (size_t i = 0; i < s->conf.n_rule_files; i++)
        list_folder(&l, s->conf.rule_path, s->conf.rule_files[i]);
    for (size_t i = 0; i < d->n_iprep_files; i++)
        list_folder(&l, NULL, d->iprep_files[i]);
    list_add(&l, d->data_dir ? d->data_dir : ".");
    l.names = mem_resize(l.names, (l.n + 1) * sizeof(*l.names));
    l.names[l.n] = NULL;
    return l.names;
}
