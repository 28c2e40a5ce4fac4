/* SPDX-License-Identifier: Apache-2.0 */
/* Own parsing over one table, because Suricata's long options come with and without `=` and short
 * ones may be glued to their value. */
#include "sensor/options.h"

#include "base/mem.h"
#include "base/span.h"

#include <stdio.h>

enum option_form { FORM_FLAG, FORM_VALUE, FORM_OPTIONAL };

struct option_row {
    char letter;
    const char *name;
    enum option_form form;
    const char *value, *help;
};

#define OPTION(id, letter, name, form, value, help) OPT_##id,
enum option_id {
#include "sensor/options.def"
    OPTIONS
};
#undef OPTION

static const struct option_row option_rows[OPTIONS] = {
#define OPTION(id, letter, name, form, value, help)                                                \
    [OPT_##id] = {letter, name, FORM_##form, value, help},
#include "sensor/options.def"
#undef OPTION
};

static bool option_push(const char **list, size_t *n, const char *value, const char *name,
                        struct err *e)
{
    if (*n == OPTION_LIST)
        return err_set(e, ERR_USAGE, "%s: at most %d times", name, OPTION_LIST);
    list[(*n)++] = value;
    return true;
}

static bool option_checksums(struct options *o, const char *v, struct err *e)
{
    if (strcmp(v, "none") != 0 && strcmp(v, "all") != 0)
        return err_set(e, ERR_USAGE, "-k %s: all or none expected", v);
    o->checksums = strcmp(v, "all") == 0;
    o->checksums_set = true;
    return true;
}

static bool option_workers(struct options *o, const char *v, struct err *e)
{
    uint64_t n;

    if (!span_u64(span_str(v), &n) || n < 1 || n > 256)
        return err_set(e, ERR_USAGE, "--workers %s: 1 to 256 expected", v);
    o->workers = (unsigned)n;
    return true;
}

static bool option_runmode(struct options *o, const char *v, struct err *e)
{
    if (strcmp(v, "single") != 0 && strcmp(v, "workers") != 0 && strcmp(v, "autofp") != 0)
        return err_set(e, ERR_USAGE, "--runmode %s: single, workers or autofp expected", v);
    o->runmode = v;
    return true;
}

static bool option_switch(struct options *o, enum option_id id)
{
    bool *const flags[OPTIONS] = {
        [OPT_TEST] = &o->test,
        [OPT_JSON] = &o->json,
        [OPT_NO_DETECTION] = &o->disable_detection,
        [OPT_SIMULATE] = &o->simulate_ips,
        [OPT_FATAL] = &o->init_errors_fatal,
        [OPT_LIST_PROTOCOLS] = &o->list_protocols,
        [OPT_LIST_RUNMODES] = &o->list_runmodes,
        [OPT_LIST_FIELDS] = &o->list_fields,
        [OPT_VERSION] = &o->version,
        [OPT_HELP] = &o->help,
        [OPT_BUILD_INFO] = &o->build_info,
        [OPT_PROGRESS] = &o->progress,
        [OPT_NO_CONFINE] = &o->no_confine,
    };

    if (id == OPT_VERBOSE)
        o->verbose++;
    if (!flags[id])
        return false;
    *flags[id] = true;
    return true;
}

static bool option_apply(struct options *o, enum option_id id, const char *v, struct err *e)
{
    const char **const texts[OPTIONS] = {
        [OPT_CONFIG] = &o->config,
        [OPT_LOG_DIR] = &o->log_dir,
        [OPT_DATA_DIR] = &o->data_dir,
        [OPT_RULES_ONLY] = &o->rules_only,
        [OPT_FILTER_FILE] = &o->filter_file,
        [OPT_USER] = &o->user,
        [OPT_GROUP] = &o->group,
        [OPT_NODE] = &o->node,
        [OPT_UNIT] = &o->unit,
        [OPT_SENSOR_NAME] = &o->sensor_name,
    };
    const char *name = option_rows[id].name;

    /* Nothing here is random that --no-random could fix. */
    if (option_switch(o, id) || id == OPT_VERBOSE || id == OPT_NO_RANDOM)
        return true;
    if (texts[id]) {
        *texts[id] = v;
        return true;
    }
    switch (id) {
    case OPT_READ:
        return option_push(o->files, &o->n_files, v, "-r", e);
    case OPT_INTERFACE:
    case OPT_AF_PACKET:
        return !v || option_push(o->interfaces, &o->n_interfaces, v, "-i", e);
    case OPT_RULES:
        return option_push(o->rules, &o->n_rules, v, "-s", e);
    case OPT_SET:
        if (!strchr(v, '='))
            return err_set(e, ERR_USAGE, "--set %s: KEY=VALUE expected", v);
        return option_push(o->sets, &o->n_sets, v, "--set", e);
    case OPT_CHECKSUMS:
        return option_checksums(o, v, e);
    case OPT_WORKERS:
        return option_workers(o, v, e);
    case OPT_RUNMODE:
        return option_runmode(o, v, e);
    case OPT_LIST_KEYWORDS:
        o->list_keywords = true;
        o->list_csv = v && strcmp(v, "csv") == 0;
        return true;
    case OPT_ACCEPTED:
    case OPT_NO_RANDOM: /* a replay is the same every time without it */
        return true;
    default:
        return err_set(e, ERR_INTERNAL, "option %s has no effect", name);
    }
}

static const char *option_nearest(struct span name)
{
    const char *best = NULL;
    size_t most = 2;

    for (size_t i = 0; i < OPTIONS; i++) {
        struct span n = span_str(option_rows[i].name);
        size_t same = 0;
        while (same < n.n && same < name.n && n.p[same] == name.p[same])
            same++;
        if (same > most) {
            most = same;
            best = option_rows[i].name;
        }
    }
    return best;
}

static bool option_unknown(const char *arg, struct err *e)
{
    struct span name = span_str(arg + (arg[1] == '-' ? 2 : 1));
    const char *near = option_nearest(span_split(&name, '='));

    if (near)
        return err_set(e, ERR_USAGE, "unknown option %s; did you mean --%s? (--help lists all)",
                       arg, near);
    return err_set(e, ERR_USAGE, "unknown option %s (--help lists all)", arg);
}

static bool option_long(struct options *o, int argc, char **argv, int *i, struct err *e)
{
    struct span value = span_str(argv[*i] + 2);
    struct span name = span_split(&value, '=');
    bool has_value = span_find_byte(span_str(argv[*i]), '=') < strlen(argv[*i]);

    for (size_t k = 0; k < OPTIONS; k++) {
        const struct option_row *r = &option_rows[k];
        if (!span_eq(name, span_str(r->name)))
            continue;
        if (r->form == FORM_FLAG && has_value)
            return err_set(e, ERR_USAGE, "--%s takes no value", r->name);
        const char *v = has_value ? (const char *)value.p : NULL;
        if (r->form == FORM_VALUE && !v) {
            if (*i + 1 >= argc)
                return err_set(e, ERR_USAGE, "--%s needs a value: %s", r->name, r->value);
            v = argv[++*i];
        }
        return option_apply(o, (enum option_id)k, v, e);
    }
    return option_unknown(argv[*i], e);
}

static bool option_short(struct options *o, int argc, char **argv, int *i, struct err *e)
{
    for (const char *c = argv[*i] + 1; *c; c++) {
        size_t k = 0;
        while (k < OPTIONS && option_rows[k].letter != *c)
            k++;
        if (k == OPTIONS)
            return option_unknown(argv[*i], e);
        if (option_rows[k].form == FORM_FLAG) {
            if (!option_apply(o, (enum option_id)k, NULL, e))
                return false;
            continue;
        }
        const char *v = c[1] ? c + 1 : NULL;
        if (!v && *i + 1 < argc)
            v = argv[++*i];
        if (!v)
            return err_set(e, ERR_USAGE, "-%c needs a value: %s", *c, option_rows[k].value);
        return option_apply(o, (enum option_id)k, v[0] == '=' ? v + 1 : v, e);
    }
    return true;
}

bool options_read(struct options *o, int argc, char **argv, struct err *e)
{
    *o = (struct options){0};
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (a[0] == '-' && a[1] == '-' && a[2]) {
            if (!option_long(o, argc, argv, &i, e))
                return false;
        } else if (a[0] == '-' && a[1] && a[1] != '-') {
            if (!option_short(o, argc, argv, &i, e))
                return false;
        } else {
            /* What is left is a filter expression. */
            char *joined =
                mem_printf("%s%s%s", o->filter ? o->filter : "", o->filter ? " " : "", a);
            mem_free(o->filter);
            o->filter = joined;
        }
    }
    return true;
}

void options_help(void)
{
    printf("usage: daizong-sensor [-c FILE] (-r CAPTURE | -i INTERFACE) [options] [BPF filter]\n\n"
           "Watches traffic and writes EVE JSON events. Rules, events, configuration and options\n"
           "are Suricata's where they mean the same.\n\n");
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option_row *r = &option_rows[i];
        char left[64];
        if (r->help[0] == '\0')
            continue;
        snprintf(left, sizeof(left), "%s%c%s--%s%s%s", r->letter ? "-" : " ",
                 r->letter ? r->letter : ' ', r->letter ? ", " : "  ", r->name,
                 r->form == FORM_FLAG       ? ""
                 : r->form == FORM_OPTIONAL ? "[="
                                            : " ",
                 r->form == FORM_FLAG ? "" : r->value);
        printf("  %-34s%s\n", left, r->help);
    }
    printf("\nexamples:\n"
           "  daizong-sensor -r capture.pcap -S local.rules -l out      inspect a capture\n"
           "  daizong-sensor -i eth0 -l /var/log/daizong                watch an interface\n"
           "  daizong-sensor -T -c sensor.yaml                          check a configuration\n"
           "  daizong-sensor -T -S local.rules --json                   check rules\n");
}
