/* SPDX-License-Identifier: Apache-2.0 */
/* Text from the network is shown without its control characters. */
#include "cli/show.h"

void path_param(struct buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(path, "%c%s=", strchr(buf_cstr(path), '?') ? '&' : '?', name);
    client_escape(path, value);
}

void path_query(struct buf *path, const struct cli *c, struct buf *q)
{
    for (unsigned i = 0; i < c->args_n; i++)
        buf_printf(q, "%s%s", i ? " " : "", c->args[i]);
    if (q->n)
        path_param(path, "q", buf_cstr(q));
}

static void text_of(struct span event, const char *path, const char *format)
{
    struct buf b = buf_new(8192);
    json_text_at(event, path, &b);
    for (size_t i = 0; i < b.n; i++) /* what came over the wire does not steer the terminal */
        if (b.p[i] < ' ' || b.p[i] == 0x7f)
            b.p[i] = '.';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    printf(format, buf_cstr(&b));
#pragma GCC diagnostic pop
    buf_free(&b);
}

void show_event(const struct cli *c, struct span event)
{
    static const char *const details[] = {"alert.signature", "dns.queries", "http.hostname",
                                          "http.url",        "tls.sni",     "fileinfo.filename",
                                          "anomaly.event",   "app_proto"};
    if (c->json) {
        printf("%.*s\n", (int)event.n, (const char *)event.p);
        return;
    }
    text_of(event, "timestamp", "%.26s ");
    text_of(event, "event_type", "%-8s ");
    text_of(event, "src_ip", "%s:");
    text_of(event, "src_port", "%s -> ");
    text_of(event, "dest_ip", "%s:");
    text_of(event, "dest_port", "%s ");
    for (size_t i = 0; i < LEN(details); i++)
        text_of(event, details[i], " %.120s");
    printf("\n");
}

/* Columns that the first n bytes take on a terminal: wide letters take two. */
static unsigned columns(const struct buf *b, size_t n)
{
    unsigned width = 0;
    for (size_t i = 0; i < n && i < b->n; i++)
        if ((b->p[i] & 0xc0) != 0x80)
            width += b->p[i] >= 0xe1 ? 2 : 1;
    return width;
}

bool show_position(const struct cli *c, struct buf *q, size_t position, struct err *e)
{
    char text[sizeof(e->text)];
    if (position == SIZE_MAX || c->json || q->n > 200 || position > q->n)
        return false;
    snprintf(text, sizeof(text), "%.400s\n  %.200s\n  %*s^", e->text, buf_cstr(q),
             (int)columns(q, position), "");
    return err_set(e, e->kind, "%s", text);
}
