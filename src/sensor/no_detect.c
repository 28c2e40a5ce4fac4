/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the detection library until it is linked: loads nothing, detects nothing. */
#include "base/mem.h"
#include "detect/detect.h"
#include "detect/vars.h"
struct rule_vars {
    int x;
};
struct rule_vars *vars_new(void)
{
    return mem_zero(4);
}
void vars_free(struct rule_vars *v)
{
    mem_free(v);
}
void vars_set_address(struct rule_vars *v, const char *n, const char *t)
{
    (void)v;
    (void)n;
    (void)t;
}
void vars_set_port(struct rule_vars *v, const char *n, const char *t)
{
    (void)v;
    (void)n;
    (void)t;
}
void detect_conf_default(struct detect_conf *c)
{
    memset(c, 0, sizeof *c);
}
bool ruleset_load(const struct detect_conf *c, const char *const *f, size_t n, struct ruleset **r,
                  struct err *e)
{
    (void)c;
    (void)f;
    (void)n;
    (void)e;
    *r = NULL;
    return true;
}
void ruleset_free(struct ruleset *r)
{
    (void)r;
}
size_t ruleset_loaded(const struct ruleset *r)
{
    (void)r;
    return 0;
}
size_t ruleset_failed(const struct ruleset *r)
{
    (void)r;
    return 0;
}
const struct diagnostic *ruleset_diagnostics(const struct ruleset *r, size_t *n)
{
    (void)r;
    *n = 0;
    return NULL;
}
void ruleset_report_json(const struct ruleset *r, struct buf *o)
{
    (void)r;
    (void)o;
}
void ruleset_report_text(const struct ruleset *r, struct buf *o)
{
    (void)r;
    (void)o;
}
struct detect *detect_new(const struct ruleset *r, const struct detect_conf *c)
{
    (void)r;
    (void)c;
    return NULL;
}
void detect_free(struct detect *d)
{
    (void)d;
}
void detect_packet(struct detect *d, struct packet *p, struct flow *f, struct app *a,
                   struct alerts *al)
{
    (void)d;
    (void)p;
    (void)f;
    (void)a;
    (void)al;
}
void detect_flow_free(struct detect *d, struct flow *f)
{
    (void)d;
    (void)f;
}
void detect_alert_log(const struct detect *d, const struct alert *a, const struct packet *p,
                      struct event *ev)
{
    (void)d;
    (void)a;
    (void)p;
    (void)ev;
}
bool detect_metadata_log(const struct flow *f, const struct ruleset *r, struct event *ev)
{
    (void)f;
    (void)r;
    (void)ev;
    return false;
}
bool alert_is_silent(const struct alert *a)
{
    (void)a;
    return false;
}
const char *detect_counter_name(enum counter_detect c)
{
    (void)c;
    return NULL;
}
static uint64_t z[16];
const uint64_t *detect_counters(const struct detect *d)
{
    (void)d;
    return z;
}
void keywords_list(struct buf *o, bool c)
{
    (void)o;
    (void)c;
}
bool ruleset_wants_digest(const struct ruleset *r, unsigned n)
{
    (void)r;
    (void)n;
    return false;
}
