/* SPDX-License-Identifier: Apache-2.0 */
/* The details of http and tls events that a configuration asks for. */
#include "base/log.h"
#include "base/mem.h"
#include "sensor/conf.h"

/* `custom` takes names with underscores or hyphens, in any case. */
static bool http_log_custom(struct http_log_conf *h, struct span name)
{
    for (size_t i = 0; i < n_http_log_headers; i++) {
        if (span_ieq(name, span_str(http_log_headers[i].name)) ||
            span_ieq(name, span_str(http_log_headers[i].header))) {
            h->custom |= (uint64_t)1 << i;
            return true;
        }
    }
    return false;
}

bool http_log_options(struct http_log_conf *h, struct yaml *y, struct err *e)
{
    const struct yaml *custom = tree_find(y, "custom");
    const struct yaml *dump = tree_find(y, "dump-all-headers");

    h->extended = false; /* without the word, a group of settings means the short form */
    if (!conf_bool(y, "extended", &h->extended, e))
        return false;
    for (const struct yaml *n = custom ? custom->first : NULL; n; n = n->next) {
        if (n->kind != YAML_SCALAR)
            return err_set(e, ERR_CONFIG, "%s:%u: http.custom: a list of header names expected",
                           n->file, n->line);
        if (!http_log_custom(h, span_str(n->value)))
            log_warn("%s:%u: http.custom: %s is not a header that can be logged", n->file, n->line,
                     n->value);
    }
    if (dump && dump->kind == YAML_SCALAR) {
        struct span way = span_str(dump->value);
        bool both = span_ieq(way, SPAN("both"));
        h->all_request_headers = both || span_ieq(way, SPAN("request"));
        h->all_response_headers = both || span_ieq(way, SPAN("response"));
    }
    return true;
}

bool tls_log_options(struct tls_log_conf *t, struct tls_conf *p, struct yaml *y, struct err *e)
{
    const struct yaml *custom = tree_find(y, "custom");
    const struct yaml *ja4 = tree_find(y, "ja4");

    /* Without the word, a group of settings means the short form. */
    t->extended = false;
    if (!conf_bool(y, "extended", &t->extended, e) ||
        !conf_bool(y, "session-resumption", &t->session_resumption, e) ||
        !conf_bool(y, "ja3", &t->ja3, e))
        return false;
    p->ja3 |= t->ja3;
    if (ja4 && !conf_bool(y, "ja4", &t->ja4, e))
        return false;
    for (const struct yaml *n = custom ? custom->first : NULL; n; n = n->next) {
        size_t i = 0;
        while (i < n_tls_log_fields &&
               (n->kind != YAML_SCALAR || strcasecmp(tls_log_fields[i], n->value) != 0))
            i++;
        if (i == n_tls_log_fields)
            log_warn("%s:%u: tls.custom: %s is not a field of tls events", n->file, n->line,
                     n->kind == YAML_SCALAR ? n->value : "a group");
        else
            t->custom |= (uint64_t)1 << i;
    }
    return true;
}
