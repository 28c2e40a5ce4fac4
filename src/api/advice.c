/* SPDX-License-Identifier: Apache-2.0 */
/* The files are small and read when somebody opens an alert: no index is kept. */
#include "api/advice.h"

#include "base/json.h"
#include "base/jw.h"
#include "base/must.h"

#include <sys/stat.h>

enum { FILE_MAX = 4 << 20, KEY_MAX = 128 };

struct advice {
    struct span what, todo;
};

static void read_entry(struct span text, struct advice *ret)
{
    struct json j;
    struct json_value v;
    json_init(&j, text);
    if (json_next(&j, &v) != JSON_OBJECT)
        return;
    while (json_next(&j, &v) > JSON_END) {
        bool what = json_key_is(&v, SPAN("what")), todo = json_key_is(&v, SPAN("todo"));
        bool object = v.type == JSON_OBJECT;
        if (!json_skip(&j, &v))
            return;
        if (what && object)
            ret->what = v.raw;
        else if (todo && object)
            ret->todo = v.raw;
    }
}

static struct span category_of(struct span entry)
{
    struct json j;
    struct json_value v;
    json_init(&j, entry);
    if (json_next(&j, &v) != JSON_OBJECT)
        return SPAN("");
    while (json_next(&j, &v) > JSON_END) {
        if (json_key_is(&v, SPAN("category")) && v.type == JSON_STRING)
            return v.raw;
        if (!json_skip(&j, &v))
            break;
    }
    return SPAN("");
}

/* Looks in a whole file for the key, or for the class of this category. */
static bool look(struct span file, struct span key, struct span category, struct advice *ret)
{
    struct json j;
    struct json_value v;
    json_init(&j, file);
    if (json_next(&j, &v) != JSON_OBJECT)
        return false;
    while (json_next(&j, &v) > JSON_END) {
        bool this_one = key.n > 0 && json_key_is(&v, key);
        if (!json_skip(&j, &v))
            return false;
        if (!this_one && (category.n == 0 || !span_ieq(category_of(v.raw), category)))
            continue;
        read_entry(v.raw, ret);
        if (ret->what.n > 0 && ret->todo.n > 0)
            return true;
    }
    return false;
}

/* advice.json in the folder `path`, or beside the file. */
static bool load(struct span path, struct buf *b)
{
    char folder[4096], full[4096 + 16];
    struct stat st;
    span_copy(path, folder, sizeof(folder));
    if (stat(folder, &st) != 0)
        return false;
    if (!S_ISDIR(st.st_mode)) {
        char *slash = strrchr(folder, '/');
        if (slash)
            *slash = '\0';
        else
            memcpy(folder, ".", 2);
    }
    snprintf(full, sizeof(full), "%s/advice.json", folder);
    FILE *f = fopen(full, "re");
    if (!f)
        return false;
    char block[16384];
    for (size_t n; !b->full && (n = fread(block, 1, sizeof(block), f)) > 0;)
        buf_add(b, block, n);
    fclose(f);
    return !b->full;
}

struct sources {
    struct buf own; /* beside the rules; one after the other */
    struct span file[8];
    size_t n;
};

static void open_sources(struct sources *s, const char *paths)
{
    size_t end[LEN(s->file)];
    struct span rest = span_str(paths);
    *s = (struct sources){.own = buf_new(FILE_MAX)};
    while (rest.n > 0 && s->n + 1 < LEN(s->file))
        if (load(span_split(&rest, ':'), &s->own))
            end[s->n++] = s->own.n;
    size_t from = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->file[i] = span_cut(buf_span(&s->own), from, end[i] - from);
        from = end[i];
    }
    s->file[s->n++] = span_str(advice_shipped);
}

static bool find(const struct sources *s, struct span key, struct span category, struct advice *ret)
{
    for (size_t i = 0; i < s->n; i++)
        if (look(s->file[i], key, category, ret))
            return true;
    return false;
}

static bool find_technique(const struct sources *s, struct span list, struct advice *ret)
{
    char key[KEY_MAX];
    struct json j;
    struct json_value v;
    json_init(&j, list);
    if (json_next(&j, &v) != JSON_ARRAY)
        return false;
    while (json_next(&j, &v) == JSON_STRING) {
        struct span technique = span_split(&v.raw, '.'); /* without the sub-technique */
        snprintf(key, sizeof(key), "technique:%.*s", (int)min_size(technique.n, 64), technique.p);
        if (find(s, span_str(key), SPAN(""), ret))
            return true;
    }
    return false;
}

static bool find_class(const struct sources *s, const struct advice_key *k, struct advice *ret)
{
    char key[KEY_MAX];
    snprintf(key, sizeof(key), "classtype:%.*s", (int)min_size(k->classtype.n, 64), k->classtype.p);
    return (k->classtype.n > 0 && find(s, span_str(key), SPAN(""), ret)) ||
           (k->category.n > 0 && find(s, SPAN(""), k->category, ret));
}

void advice_json(struct buf *b, const char *paths, const struct advice_key *k)
{
    char sid[16];
    struct sources s;
    struct advice a = {0};
    open_sources(&s, paths);
    snprintf(sid, sizeof(sid), "%u", k->sid);
    if (!find(&s, span_str(sid), SPAN(""), &a) && !find_technique(&s, k->techniques, &a) &&
        !find_class(&s, k, &a))
        must(find(&s, SPAN("classtype:unknown"), SPAN(""), &a));
    jw_key(b, "what");
    jw_raw(b, a.what);
    jw_key(b, "todo");
    jw_raw(b, a.todo);
    buf_free(&s.own);
}
