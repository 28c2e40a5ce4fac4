/* SPDX-License-Identifier: Apache-2.0 */
/* The sensor's configuration files: the first byte says which. Bit 0 to 1: the YAML file (read,
 * explained), classification, reference and threshold files (with a rule they apply to). */
#include "fuzz.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "detect/classification.h"
#include "sensor/conf.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct file {
    int fd;
    char path[64];
};

static struct file file_of(struct span s)
{
    struct file f = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};

    must(f.fd >= 0 && write(f.fd, s.p, s.n) == (ssize_t)s.n);
    snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
    return f;
}

static void yaml(const char *path)
{
    struct sensor_conf c = {0};
    struct buf text = buf_new(1 << 20);
    struct err e;

    conf_default(&c);
    if (conf_load(&c, path, NULL, 0, &e))
        conf_explain(&c, &text);
    else
        must(e.text[0]);
    conf_free(&c);
    buf_free(&text);
}

static void thresholds(const char *path)
{
    struct file rule =
        file_of(SPAN("alert ip any any -> any any (msg:\"a\"; content:\"ab\"; sid:1;)\n"));
    const char *files[] = {rule.path};
    struct detect_conf conf;
    struct ruleset *rs;
    struct err e;

    detect_conf_default(&conf);
    conf.threshold_file = path;
    if (ruleset_load(&conf, files, 1, &rs, &e)) {
        struct buf b = buf_new(1 << 20);
        ruleset_report_json(rs, &b);
        buf_free(&b);
        ruleset_free(rs);
    }
    close(rule.fd);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    struct class_list *classes;
    struct reference_list *references;
    struct err e;

    if (n < 1)
        return 0;
    log_set_level(LOG_ERROR);
    struct file f = file_of(span_of(p + 1, n - 1));
    switch (p[0] & 3) {
    case 0:
        yaml(f.path);
        break;
    case 1:
        if (class_list_load(f.path, &classes, &e)) {
            (void)class_find(classes, SPAN("misc-attack"));
            class_list_free(classes);
        }
        break;
    case 2:
        if (reference_list_load(f.path, &references, &e)) {
            (void)reference_prefix(references, SPAN("cve"));
            reference_list_free(references);
        }
        break;
    default:
        thresholds(f.path);
    }
    close(f.fd);
    return 0;
}
