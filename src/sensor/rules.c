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
static void rules_needs(struct sensor *s)
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

bool sensor_load_rules(struct sensor *s, struct err *e)
{
    struct file_list l = {0};
    bool ok = true;

    if (s->options->disable_detection)
        return true;
    ok = rules_files(s, &l, e);
    if (ok && l.n > 0) {
        s->conf.detect.inline_mode = s->conf.simulate_ips;
        if (s->options->data_dir)
            s->conf.detect.data_dir = s->options->data_dir;
        rules_alert_fields(s);
        ok = ruleset_load(&s->conf.detect, (const char *const *)l.names, l.n, &s->rules, e);
        rules_needs(s);
    } else if (ok && !s->options->test) {
        log_info("no rules: traffic is recorded, nothing is detected");
    }
    list_free(&l);
    return ok;
}
