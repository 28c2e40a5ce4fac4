/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the rule language's tests: parse rules given as text, and write the intermediate form
 * as a line that a table can hold. */
#pragma once

#include "base/mem.h"
#include "detect/buffers.h"
#include "detect/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Parses the text as one rule file; NULL when not even that is possible. */
static inline struct ruleset *rules_parse_conf(const char *text, const struct detect_conf *conf)
{
    char path[] = "/tmp/detect-rules-XXXXXX";
    const char *files[] = {path};
    struct ruleset *rs = NULL;
    struct err e;
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return NULL;
    close(fd);
    if (!ruleset_parse(conf, files, 1, &rs, &e))
        fprintf(stderr, "%s\n", e.text);
    unlink(path);
    return rs;
}

static inline struct ruleset *rules_parse(const char *text)
{
    struct detect_conf conf;
    detect_conf_default(&conf);
    return rules_parse_conf(text, &conf);
}

static inline void show_bytes(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (ascii_is_print(s.p[i]))
            buf_byte(out, s.p[i]);
        else
            buf_printf(out, "\\x%02x", s.p[i]);
}

static inline void show_content(struct buf *out, const struct content *c)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } flags[] = {{CONTENT_NOCASE, "nocase"},
                 {CONTENT_FAST, "fast"},
                 {CONTENT_FAST_ONLY, "only"},
                 {CONTENT_STARTS, "starts"},
                 {CONTENT_ENDS, "ends"},
                 {CONTENT_RAWBYTES, "raw"},
                 {CONTENT_RELATIVE_NEXT, "next"},
                 {CONTENT_DEPTH_VAR, "depthvar"},
                 {CONTENT_OFFSET_VAR, "offsetvar"},
                 {CONTENT_WITHIN_VAR, "withinvar"},
                 {CONTENT_DISTANCE_VAR, "distancevar"}};
    buf_str(out, c->flags & CONTENT_NEGATED ? "!\"" : "\"");
    show_bytes(out, c->bytes);
    buf_byte(out, '"');
    if (c->flags & CONTENT_OFFSET)
        buf_printf(out, " offset=%d", c->offset);
    if (c->flags & CONTENT_DEPTH)
        buf_printf(out, " depth=%d", c->depth);
    if (c->flags & CONTENT_DISTANCE)
        buf_printf(out, " distance=%d", c->distance);
    if (c->flags & CONTENT_WITHIN)
        buf_printf(out, " within=%d", c->within);
    if (c->fast_length)
        buf_printf(out, " chop=%u,%u", c->fast_offset, c->fast_length);
    for (size_t i = 0; i < LEN(flags); i++)
        if (c->flags & flags[i].flag)
            buf_printf(out, " %s", flags[i].name);
}

static inline void show_uint(struct buf *out, const struct uint_cond *c)
{
    static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">=", "..", "!..", "&", "!&"};
    buf_printf(out, " %s%llu", ops[c->op], (unsigned long long)c->a);
    if (c->op >= UINT_RANGE)
        buf_printf(out, ",%llu", (unsigned long long)c->b);
}

static inline void show_list(struct buf *out, const char *name, const struct match *list)
{
    if (!list)
        return;
    buf_printf(out, "%s[", name);
    for (const struct match *m = list; m; m = m->next) {
        if (m != list)
            buf_str(out, "; ");
        if (m->kind == KW_CONTENT) {
            show_content(out, m->data);
            continue;
        }
        buf_str(out, keyword_name((enum keyword_id)m->kind));
        if (m->kind == KW_BSIZE || m->kind == KW_URILEN || m->kind == KW_DSIZE ||
            m->kind == KW_TTL || m->kind == KW_ITYPE || m->kind == KW_TCP_SEQ)
            show_uint(out, m->data);
        if (m->kind == KW_PCRE) {
            const struct pcre *p = m->data;
            buf_printf(out, " /%s/%s%s%s", p->pattern, p->flags & PCRE_RELATIVE ? "R" : "",
                       p->flags & PCRE_NEGATED ? "!" : "",
                       p->flags & PCRE_RELATIVE_NEXT ? " next" : "");
        }
        if (m->kind == KW_BASE64_DECODE)
            show_list(out, " data", ((const struct base64_decode *)m->data)->matches);
    }
    buf_str(out, "]");
}

/* "payload[…]http.uri[…]packet[…]tx[…]post[…]" */
static inline const char *rule_show(struct buf *out, const struct ruleset *rs, const struct rule *r)
{
    buf_clear(out);
    show_list(out, "payload", r->payload_matches);
    for (const struct buffer_matches *run = r->buffers; run; run = run->next) {
        char name[64];
        snprintf(name, sizeof(name), "%s%s%u", rs->catalogue->buffers[run->buffer].name,
                 run->transform_n ? "|" : "", run->transform_n);
        if (!run->transform_n)
            name[strlen(name) - 1] = 0;
        show_list(out, name, run->matches);
    }
    show_list(out, "packet", r->packet_matches);
    show_list(out, "tx", r->tx_matches);
    show_list(out, "post", r->post_matches);
    return buf_cstr(out);
}
