/* SPDX-License-Identifier: Apache-2.0 */
/* Files of data sets: a value a line (strings in Base64, digests in hex, addresses), with a
 * reputation behind a comma where rules ask for one, or JSON objects of which one member is the
 * value and all of it is what alerts show. */
#include "detect/dataset.h"

#include "base/hex.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/mem.h"
#include "detect/classification.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { VALUE_BYTES = 1 << 20, PATH_PARTS = 8 };

static bool hex_value(struct span text, size_t n, struct buf *out)
{
    if (text.n != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = ascii_hex(text.p[2 * i]), low = ascii_hex(text.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        buf_byte(out, (uint8_t)(high << 4 | low));
    }
    return true;
}

static bool base64_value(struct span text, struct buf *out)
{
    size_t used;

    if (!text.n || !buf_room(out, text.n))
        return false;
    size_t n = base64_decode(text, out->p + out->n, text.n, &used);
    while (used < text.n && text.p[used] == '=')
        used++;
    out->n += n;
    return n > 0 && used == text.n;
}

static bool ip_value(enum dataset_type t, struct span text, struct buf *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct ip ip;

    if (!ip_parse(text, &ip))
        return false;
    bool v4 = ip.family == 4 || memcmp(ip.b, mapped, sizeof(mapped)) == 0;
    if (v4)
        buf_add(out, ip.b + 12, 4);
    else if (t == DATASET_IP)
        buf_add(out, ip.b, 16);
    return v4 || t == DATASET_IP;
}

bool dataset_value_read(enum dataset_type t, struct span text, bool base64, struct buf *out)
{
    buf_clear(out);
    switch (t) {
    case DATASET_MD5:
        return hex_value(text, 16, out);
    case DATASET_SHA256:
        return hex_value(text, 32, out);
    case DATASET_IPV4:
    case DATASET_IP:
        return ip_value(t, text, out);
    default:
        if (base64)
            return base64_value(text, out);
        buf_span_add(out, text);
        return text.n > 0;
    }
}

void dataset_value_write(enum dataset_type t, struct span value, struct buf *out)
{
    char text[IP_TEXT];
    struct ip ip;

    switch (t) {
    case DATASET_MD5:
    case DATASET_SHA256:
        hex_add(out, value, 0);
        return;
    case DATASET_IPV4:
    case DATASET_IP:
        ip = value.n == 4 ? ip_v4(value.p) : ip_v6(value.p);
        (void)ip_text(&ip, text);
        buf_str(out, text);
        return;
    default:
        base64_add(out, value);
        return;
    }
}

static bool load_lines(struct dataset *s, struct span text, const char *path, bool reputation,
                       struct err *e)
{
    struct buf value = buf_new(VALUE_BYTES);
    uint64_t rep = 0;
    bool ok = true;

    for (unsigned line = 1; ok && text.n; line++) {
        struct span rest = span_trim(span_split(&text, '\n'));
        if (!rest.n || rest.p[0] == '#')
            continue;
        struct span v = span_trim(span_split(&rest, ','));
        if (!dataset_value_read(dataset_type(s), v, true, &value))
            ok = err_set(e, ERR_INVALID, "%s:%u: \"%.*s\" is not a value of this type", path, line,
                         (int)(v.n < 70 ? v.n : 70), (const char *)v.p);
        else if (reputation && !(span_u64(span_trim(rest), &rep) && rep <= UINT16_MAX))
            ok = err_set(e, ERR_INVALID, "%s:%u: a number up to 65535 expected behind the comma",
                         path, line);
        else if (dataset_put(s, buf_span(&value), (uint16_t)rep, SPAN("")) == DATASET_FULL)
            ok = err_set(e, ERR_FULL, "%s:%u: more than the set's memcap holds", path, line);
    }
    buf_free(&value);
    return ok;
}

/* Splits "a.b.c"; how many parts. */
static size_t path_split(struct span path, struct span parts[PATH_PARTS])
{
    size_t n = 0;

    while (path.n && n < PATH_PARTS)
        parts[n++] = span_split(&path, '.');
    return n;
}

/* Finds a member by its path in the object that was just opened and leaves the reader in it. */
static bool json_member(struct json *j, const struct span *parts, size_t n, struct json_value *v)
{
    enum json_type t;

    while ((t = json_next(j, v)) != JSON_END && t != JSON_BAD) {
        bool opened = t == JSON_OBJECT || t == JSON_ARRAY;
        if (!json_key_is(v, parts[0])) {
            if (opened && !json_skip(j, v))
                return false;
            continue;
        }
        if (n == 1)
            return true;
        return t == JSON_OBJECT && json_member(j, parts + 1, n - 1, v);
    }
    return false;
}

/* Appends the object in `raw` without the member at the path. */
static void json_without(struct buf *out, struct span raw, const struct span *parts, size_t n)
{
    struct json j;
    struct json_value v;
    enum json_type t;
    bool first = true;

    json_init(&j, raw);
    (void)json_next(&j, &v);
    buf_byte(out, '{');
    while ((t = json_next(&j, &v)) != JSON_END && t != JSON_BAD) {
        if ((t == JSON_OBJECT || t == JSON_ARRAY) && !json_skip(&j, &v))
            break;
        bool here = json_key_is(&v, parts[0]);
        if (here && n == 1)
            continue;
        if (!first)
            buf_byte(out, ',');
        first = false;
        buf_byte(out, '"');
        buf_span_add(out, v.key);
        buf_str(out, "\":");
        if (here && t == JSON_OBJECT)
            json_without(out, v.raw, parts + 1, n - 1);
        else if (t == JSON_STRING)
            buf_printf(out, "\"%.*s\"", (int)v.raw.n, (const char *)v.raw.p);
        else
            buf_span_add(out, v.raw);
    }
    buf_byte(out, '}');
}

/* In JSON line ends stand between values only. */
static void one_line(struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        if (b->p[i] >= ' ')
            b->p[n++] = b->p[i];
    b->n = n;
}

struct json_load {
    struct dataset *set;
    const struct dataset_source *how;
    struct buf value, text, shown;
};

/* One object: its value and what alerts show of it. Objects without the value are passed over. */
static bool load_object(struct json_load *l, struct span raw)
{
    struct span parts[PATH_PARTS];
    size_t n = path_split(l->how->value, parts);
    struct json j;
    struct json_value v;

    json_init(&j, raw);
    if (json_next(&j, &v) != JSON_OBJECT)
        return false;
    if (!json_member(&j, parts, n, &v) || v.type != JSON_STRING)
        return true;
    buf_clear(&l->text);
    json_unescape(&l->text, v.raw);
    if (!dataset_value_read(dataset_type(l->set), buf_span(&l->text), false, &l->value))
        return false;
    buf_clear(&l->shown);
    if (l->how->remove_value)
        json_without(&l->shown, raw, parts, n);
    else
        buf_span_add(&l->shown, raw);
    one_line(&l->shown);
    return dataset_put(l->set, buf_span(&l->value), 0, buf_span(&l->shown)) != DATASET_FULL;
}

static bool load_array(struct json_load *l, struct span text, const char *path, struct err *e)
{
    struct span parts[PATH_PARTS];
    size_t n = path_split(l->how->array, parts);
    struct json j;
    struct json_value v;
    unsigned element = 0;

    json_init(&j, text);
    enum json_type t = json_next(&j, &v);
    if (n && (t != JSON_OBJECT || !json_member(&j, parts, n, &v)))
        return err_set(e, ERR_INVALID, "%s: there is no array \"%.*s\"", path, (int)l->how->array.n,
                       (const char *)l->how->array.p);
    if (v.type != JSON_ARRAY)
        return err_set(e, ERR_INVALID, "%s: an array of objects expected", path);
    while ((t = json_next(&j, &v)) == JSON_OBJECT) {
        element++;
        if (!json_skip(&j, &v))
            break;
        if (!load_object(l, v.raw))
            return err_set(e, ERR_INVALID,
                           "%s: element %u cannot be taken: its value is not of this type, or "
                           "there is no room",
                           path, element);
    }
    if (t != JSON_END)
        return err_set(e, ERR_INVALID, "%s: element %u is not an object", path, element + 1);
    return true;
}

static bool load_json_lines(struct json_load *l, struct span text, const char *path, struct err *e)
{
    for (unsigned line = 1; text.n; line++) {
        struct span raw = span_trim(span_split(&text, '\n'));
        struct json j;
        struct json_value v;
        if (!raw.n)
            continue;
        json_init(&j, raw);
        if (json_next(&j, &v) != JSON_OBJECT || !json_skip(&j, &v) || !json_done(&j) ||
            !load_object(l, raw))
            return err_set(e, ERR_INVALID, "%s:%u: not an object with a value of this type", path,
                           line);
    }
    return true;
}

static bool load_json(struct dataset *s, struct span text, const char *path,
                      const struct dataset_source *how, struct err *e)
{
    struct json_load l = {.set = s,
                          .how = how,
                          .value = buf_new(VALUE_BYTES),
                          .text = buf_new(VALUE_BYTES),
                          .shown = buf_new(VALUE_BYTES)};

    dataset_set_fixed(s);
    bool ok = how->format == DATASET_JSON ? load_array(&l, text, path, e)
                                          : load_json_lines(&l, text, path, e);
    buf_free(&l.value);
    buf_free(&l.text);
    buf_free(&l.shown);
    return ok;
}

bool dataset_load(struct dataset *s, const char *path, const struct dataset_source *how,
                  struct err *e)
{
    char *text;
    size_t n;

    if (!text_file_read(path, DATASET_FILE_BYTES, &text, &n, e))
        return false;
    bool ok = how->format == DATASET_CSV ? load_lines(s, span_of(text, n), path, how->reputation, e)
                                         : load_json(s, span_of(text, n), path, how, e);
    mem_free(text);
    return ok;
}

bool dataset_open(struct dataset *s, struct err *e)
{
    const char *path = dataset_save_path(s);

    if (!path)
        return true;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

    if (fd < 0)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    dataset_set_fd(s, fd);
    return true;
}

struct writing {
    struct dataset *set;
    struct buf out;
    bool ok;
};

static void write_out(struct writing *w)
{
    struct span rest = buf_span(&w->out);

    while (w->ok && rest.n) {
        ssize_t n = write(dataset_fd(w->set), rest.p, rest.n);
        if (n < 0 && errno == EINTR)
            continue;
        w->ok = n > 0;
        if (w->ok)
            rest = span_from(rest, (size_t)n);
    }
    buf_clear(&w->out);
}

static void write_value(void *arg, struct span value)
{
    struct writing *w = arg;

    dataset_value_write(dataset_type(w->set), value, &w->out);
    buf_byte(&w->out, '\n');
    if (w->out.n > 1 << 16)
        write_out(w);
}

bool dataset_save(struct dataset *s, struct err *e)
{
    struct writing w = {.set = s, .out = buf_new(8 << 20), .ok = true};

    if (dataset_fd(s) < 0)
        return true;
    w.ok = lseek(dataset_fd(s), 0, SEEK_SET) == 0 && ftruncate(dataset_fd(s), 0) == 0;
    dataset_each(s, write_value, &w);
    write_out(&w);
    buf_free(&w.out);
    return w.ok || err_set(e, ERR_IO, "%s: %s", dataset_save_path(s), strerror(errno));
}
