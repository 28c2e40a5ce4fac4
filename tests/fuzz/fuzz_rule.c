/* SPDX-License-Identifier: Apache-2.0 */
/* The rule language on any bytes: a file of rules with continuations, each rule parsed and checked.
 * What loads must be consistent: every run has a buffer, every rule a sid and its header sets. */
#include "fuzz.h"

#include "base/mem.h"
#include "base/must.h"
#include "detect/buffers.h"
#include "detect/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void check_rule(const struct ruleset *rs, const struct rule *r)
{
    must(r->sid && r->src && r->dst && r->sport && r->dport);
    must(r->src->n_v4 + r->src->n_v6 > 0 && r->sport->n > 0);
    for (const struct buffer_matches *run = r->buffers; run; run = run->next) {
        must(run->buffer < rs->catalogue->n_buffers);
        must(run->matches && run->last && !run->last->next);
    }
    for (const struct match *m = r->payload_matches; m; m = m->next) {
        const struct content *c = m->data;
        must(m->kind > KW_NONE && m->kind < KEYWORDS);
        must(m->kind != KW_CONTENT || c->bytes.n > 0);
    }
    must(!r->fast || r->fast->bytes.n >= (size_t)r->fast->fast_offset + r->fast->fast_length);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    char path[] = "/tmp/fuzz-rule-XXXXXX";
    const char *files[] = {path};
    struct detect_conf conf;
    struct ruleset *rs;
    struct err e;
    int fd = mkstemp(path);
    must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    close(fd);
    detect_conf_default(&conf);
    if (ruleset_parse(&conf, files, 1, &rs, &e)) {
        must(rs->n_rules + rs->failed + rs->skipped <= rs->active);
        for (size_t i = 0; i < rs->n_rules; i++)
            check_rule(rs, rs->rules[i]);
        struct buf b = buf_new(1 << 24);
        ruleset_report_json(rs, &b);
        buf_free(&b);
        ruleset_release(rs);
    }
    unlink(path);
    return 0;
}
