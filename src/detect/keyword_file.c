/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords on files that transactions carry. */
#include "base/mem.h"
#include "base/must.h"
#include "detect/classification.h"
#include "detect/setup.h"

#include <stdlib.h>

enum { HASH_FILE_BYTES = 64 << 20 };

bool setup_filesize(struct build *b, const struct option *o)
{
    struct uint_cond *c = build_get(b, sizeof(*c));
    if (!parse_uint_cond(b, o->value, UINT64_MAX, c))
        return false;
    b->r->flags |= RULE_FILES | RULE_NEEDS_APP;
    build_add(b, LIST_TX, KW_FILESIZE, c);
    return true;
}

/* "filestore", "filestore:both,flow", "filestore:request,file" */
bool setup_filestore(struct build *b, const struct option *o)
{
    static const struct {
        const char *name;
        uint8_t dirs;
    } dirs[] = {{"request", 1 << DIR_TS},
                {"to_server", 1 << DIR_TS},
                {"response", 1 << DIR_TC},
                {"to_client", 1 << DIR_TC},
                {"both", 3}};
    static const struct {
        const char *name;
        uint8_t scope;
    } scopes[] = {{"file", 0}, {"tx", 1}, {"ssn", 2}, {"flow", 2}};
    struct filestore *f = build_get(b, sizeof(*f));
    struct span rest = o->value;
    struct span dir = next_element(&rest);
    struct span scope = next_element(&rest);
    size_t i = 0, k = 0;
    while (dir.n && i < LEN(dirs) && !span_ieq(dir, span_str(dirs[i].name)))
        i++;
    while (scope.n && k < LEN(scopes) && !span_ieq(scope, span_str(scopes[k].name)))
        k++;
    if (i == LEN(dirs))
        return rule_fail_at(b, dir.p, "request, response, to_server, to_client or both expected");
    if (k == LEN(scopes))
        return rule_fail_at(b, scope.p, "file, tx or flow expected");
    f->dir = dir.n ? dirs[i].dirs : 0;
    f->scope = scope.n ? scopes[k].scope : 0;
    b->r->flags |= RULE_FILES | RULE_NEEDS_APP;
    build_add(b, LIST_POST, KW_FILESTORE, f);
    return true;
}

/* Bytes anywhere in the name, or a dot and the extension at its end; case does not count. */
static bool name_content(struct build *b, const struct option *o, bool extension)
{
    struct content *c = build_get(b, sizeof(*c));
    struct span bytes;
    if (!setup_pkt_data(b, o))
        return false;
    b->at = o->value.p;
    if (!parse_content(b, o->value, &bytes))
        return false;
    uint8_t *lower = build_get(b, bytes.n + 1);
    size_t n = 0;
    if (extension)
        lower[n++] = '.';
    for (size_t i = 0; i < bytes.n; i++)
        lower[n++] = ascii_lower(bytes.p[i]);
    c->bytes = span_of(lower, n);
    c->flags = CONTENT_NOCASE | (extension ? CONTENT_ENDS : 0) | (o->negated ? CONTENT_NEGATED : 0);
    b->r->flags |= RULE_FILES;
    return content_on_buffer(b, c, BUFFER_FILE_NAME);
}

bool setup_filename(struct build *b, const struct option *o)
{
    return name_content(b, o, false);
}

bool setup_fileext(struct build *b, const struct option *o)
{
    return name_content(b, o, true);
}

static int compare_16(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

static int compare_20(const void *a, const void *b)
{
    return memcmp(a, b, 20);
}

static int compare_32(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

static bool hash_line(struct span line, uint8_t n_bytes, uint8_t *to)
{
    size_t n = 0;
    while (n < line.n && !ascii_is_space(line.p[n]))
        n++;
    if (n != n_bytes * 2u)
        return false;
    for (size_t i = 0; i < n_bytes; i++) {
        int high = ascii_hex(line.p[2 * i]), low = ascii_hex(line.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* One digest in hex a line; what follows on the line is not read. */
static bool hash_list(struct build *b, struct file_hash *h, struct span text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    uint8_t *list = build_get(b, lines * h->n_bytes);
    while (text.n) {
        struct span line = span_trim(span_split(&text, '\n'));
        if (!line.n || line.p[0] == '#')
            continue;
        if (!hash_line(line, h->n_bytes, list + (size_t)h->n * h->n_bytes))
            return rule_fail(b, "\"%.*s\" in the list is not such a digest",
                             (int)min_size(line.n, 70), (const char *)line.p);
        h->n++;
    }
    qsort(list, h->n, h->n_bytes,
          h->n_bytes == 16   ? compare_16
          : h->n_bytes == 20 ? compare_20
                             : compare_32);
    h->sorted = list;
    return true;
}

/* The list lies beside the rule file unless its path is absolute. */
bool setup_file_hash(struct build *b, const struct option *o)
{
    struct file_hash *h = build_get(b, sizeof(*h));
    struct span dir = span_str(b->l->file);
    struct err e;
    char *text;
    size_t n;
    h->n_bytes = o->keyword == KW_FILEMD5 ? 16 : o->keyword == KW_FILESHA1 ? 20 : 32;
    h->negated = o->negated;
    while (dir.n && dir.p[dir.n - 1] != '/')
        dir.n--;
    if (o->value.p[0] == '/')
        dir.n = 0;
    const char *path = arena_printf(b->l->a, "%.*s%.*s", (int)dir.n, (const char *)dir.p,
                                    (int)min_size(o->value.n, 4096), (const char *)o->value.p);
    must(path);
    if (!text_file_read(path, HASH_FILE_BYTES, &text, &n, &e))
        return rule_fail_at(b, o->value.p, "%s", e.text);
    bool ok = hash_list(b, h, span_of(text, n));
    mem_free(text);
    b->r->flags |= RULE_FILES | RULE_NEEDS_APP;
    build_add(b, LIST_TX, o->keyword, h);
    return ok;
}
