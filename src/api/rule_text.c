/* SPDX-License-Identifier: Apache-2.0 */
/* A scan of the rule files for "sid:N;": tens of thousands of rules are a few megabytes, read when
 * someone opens an alert. */
#include "api/rule_text.h"

#include "api/advice.h"
#include "base/jw.h"
#include "base/mem.h"

#include <dirent.h>
#include <sys/stat.h>

enum { LINE_MAX_BYTES = 64 << 10, FILES_MAX = 256 };

struct found {
    char *text;
    char file[4096];
    unsigned line;
};

static bool line_has_sid(struct span line, uint32_t sid)
{
    char want[32];
    line = span_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return false;
    snprintf(want, sizeof(want), "sid:%u;", sid);
    size_t at = span_find(line, span_str(want));
    if (at == SIZE_MAX) {
        snprintf(want, sizeof(want), "sid: %u;", sid);
        at = span_find(line, span_str(want));
    }
    return at != SIZE_MAX && at > 0 && !ascii_is_alpha(line.p[at - 1]);
}

static bool scan_file(const char *path, uint32_t sid, struct found *f)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    unsigned number = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    while (!f->text && (n = getline(&line, &cap, file)) > 0) {
        number++;
        struct span s = span_trim(span_of(line, (size_t)n));
        if (n > LINE_MAX_BYTES || !line_has_sid(s, sid))
            continue;
        f->text = mem_printf("%.*s", (int)s.n, (const char *)s.p);
        f->line = number;
        snprintf(f->file, sizeof(f->file), "%s", path);
    }
    free(line);
    fclose(file);
    return f->text != NULL;
}

static bool scan(struct span path, uint32_t sid, struct found *f)
{
    char text[4096], full[4096 + 300];
    struct stat st;
    span_copy(path, text, sizeof(text));
    if (stat(text, &st) != 0)
        return false;
    if (!S_ISDIR(st.st_mode))
        return scan_file(text, sid, f);
    DIR *dir = opendir(text);
    if (!dir)
        return false;
    unsigned files = 0;
    for (struct dirent *d; !f->text && files < FILES_MAX && (d = readdir(dir));) {
        if (!span_ends(span_str(d->d_name), SPAN(".rules")))
            continue;
        files++;
        snprintf(full, sizeof(full), "%s/%s", text, d->d_name);
        scan_file(full, sid, f);
    }
    closedir(dir);
    return f->text != NULL;
}

static void one_reference(struct buf *b, struct span reference)
{
    struct buf url = buf_new(2048);
    struct span kind = span_trim(span_split(&reference, ','));
    reference = span_trim(reference);
    if (span_eq(kind, SPAN("url")))
        buf_str(&url, span_starts(reference, SPAN("http")) ? "" : "https://");
    else if (span_eq(kind, SPAN("cve")))
        buf_str(&url, "https://nvd.nist.gov/vuln/detail/CVE-");
    if (span_eq(kind, SPAN("cve")) && span_starts(reference, SPAN("CVE-")))
        reference = span_from(reference, 4);
    if (span_eq(kind, SPAN("url")) || span_eq(kind, SPAN("cve"))) {
        buf_span_add(&url, reference);
        jw_open(b, '{');
        jw_member_span(b, "url", buf_span(&url));
        jw_close(b, '}');
    }
    buf_free(&url);
}

static void references(struct buf *b, struct span rule)
{
    static const struct span key = SPAN("reference:");
    jw_open(b, '[');
    for (size_t at; (at = span_find(rule, key)) != SIZE_MAX;) {
        rule = span_from(rule, at + key.n);
        one_reference(b, span_split(&rule, ';'));
    }
    jw_close(b, ']');
}

/* The value of "classtype:" in a rule. */
static struct span classtype(struct span rule)
{
    static const struct span key = SPAN("classtype:");
    size_t at = span_find(rule, key);
    if (at == SIZE_MAX)
        return SPAN("");
    rule = span_from(rule, at + key.n);
    return span_trim(span_split(&rule, ';'));
}

void rule_json(const char *paths, const struct group *g, struct buf *b)
{
    struct found f = {0};
    struct span rest = span_str(paths);
    while (rest.n > 0 && !scan(span_split(&rest, ':'), g->sid, &f))
        ;
    const char *slash = strrchr(f.file, '/');
    jw_open(b, '{');
    jw_member_text(b, "text", f.text ? f.text : "");
    jw_member_text(b, "file", slash ? slash + 1 : f.file);
    jw_member_uint(b, "line", f.line);
    struct advice_key k = {.sid = g->sid,
                           .classtype = classtype(span_str(f.text)),
                           .category = g->category,
                           .techniques = g->techniques};
    advice_json(b, paths, &k);
    jw_key(b, "references");
    references(b, span_str(f.text));
    jw_close(b, '}');
    mem_free(f.text);
}
