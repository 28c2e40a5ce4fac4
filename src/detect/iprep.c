/* SPDX-License-Identifier: Apache-2.0 */
/* One hash table for addresses and networks alike, keyed by first address and length of the prefix;
 * a look-up tries the lengths that occur, longest first. */
#include "detect/iprep.h"

#include "base/hash.h"
#include "base/htab.h"
#include "base/mem.h"
#include "base/must.h"
#include "detect/classification.h"

enum { FILE_BYTES = 1 << 30, LENGTHS = 129 };

struct iprep_key {
    struct ip first;
    uint8_t bits;
};

struct iprep_entry {
    struct hnode node;
    struct iprep_key key;
    uint8_t value[IPREP_CATEGORIES];
};

struct iprep {
    struct htab table;
    char *names[IPREP_CATEGORIES];
    bool lengths[2][LENGTHS]; /* of IPv4, of IPv6 */
};

static bool entry_equal(const struct hnode *node, const void *key)
{
    const struct iprep_entry *e = (const void *)node; /* node is its first member */

    return memcmp(&e->key, key, sizeof(e->key)) == 0;
}

static struct iprep_entry *entry_of(struct hnode *n)
{
    return CONTAINER_OF(n, struct iprep_entry, node);
}

static struct iprep_entry *entry_find(const struct iprep *r, const struct iprep_key *k)
{
    struct hnode *n = htab_find(&r->table, hash_bytes(k, sizeof(*k)), entry_equal, k);

    return n ? entry_of(n) : NULL;
}

static void key_make(struct iprep_key *k, const struct ip *a, uint8_t bits)
{
    const struct cidr c = {*a, bits};
    struct ip first, last;

    cidr_range(&c, &first, &last);
    memset(k, 0, sizeof(*k)); /* padding too: it is hashed and compared */
    memcpy(k->first.b, first.b, sizeof(first.b));
    k->first.family = first.family;
    k->bits = bits;
}

static void put(struct iprep *r, const struct cidr *c, uint8_t category, uint8_t value)
{
    struct iprep_key k;

    key_make(&k, &c->ip, c->bits);
    struct iprep_entry *e = entry_find(r, &k);
    if (!e) {
        e = mem_zero(sizeof(*e));
        memcpy(&e->key, &k, sizeof(k));
        htab_add(&r->table, hash_bytes(&k, sizeof(k)), &e->node);
        r->lengths[c->ip.family == 6][c->bits] = true;
    }
    e->value[category] = value;
}

static bool number(struct span s, uint64_t most, uint64_t *ret)
{
    return span_u64(span_trim(s), ret) && *ret <= most;
}

/* Calls f with each line that is not empty or a comment. */
static bool each_line(struct iprep *r, const char *path,
                      bool (*f)(struct iprep *r, struct span line), const char *form, struct err *e)
{
    char *text;
    size_t n;

    if (!text_file_read(path, FILE_BYTES, &text, &n, e))
        return false;
    struct span rest = span_of(text, n);
    bool ok = true;
    for (unsigned line = 1; ok && rest.n; line++) {
        struct span s = span_trim(span_split(&rest, '\n'));
        if (s.n && s.p[0] != '#' && !f(r, s))
            ok = err_set(e, ERR_INVALID, "%s:%u: %s expected", path, line, form);
    }
    mem_free(text);
    return ok;
}

static bool category_line(struct iprep *r, struct span line)
{
    uint64_t n;

    if (!number(span_split(&line, ','), IPREP_CATEGORIES - 1, &n) || n == 0)
        return false;
    struct span name = span_trim(span_split(&line, ','));
    if (!name.n)
        return false;
    mem_free(r->names[n]);
    r->names[n] = mem_printf("%.*s", (int)name.n, (const char *)name.p);
    return true;
}

static bool value_line(struct iprep *r, struct span line)
{
    struct cidr c;
    uint64_t category, value;

    if (!cidr_parse(span_trim(span_split(&line, ',')), &c) ||
        !number(span_split(&line, ','), IPREP_CATEGORIES - 1, &category) || category == 0 ||
        !number(span_split(&line, ','), IPREP_MOST, &value))
        return false;
    put(r, &c, (uint8_t)category, (uint8_t)value);
    return true;
}

bool iprep_load(const char *categories, const char *const *files, size_t n_files,
                struct iprep **ret, struct err *e)
{
    struct iprep *r = mem_zero(sizeof(*r));

    htab_init(&r->table, 1024);
    bool ok = each_line(r, categories, category_line, "number (1 to 59),name,description", e);
    for (size_t i = 0; ok && i < n_files; i++)
        ok = each_line(r, files[i], value_line, "address,category,reputation (0 to 127)", e);
    if (!ok) {
        iprep_free(r);
        return false;
    }
    *ret = r;
    return true;
}

void iprep_free(struct iprep *r)
{
    size_t at = 0;

    if (!r)
        return;
    struct hnode *n = htab_next(&r->table, &at, NULL);
    while (n) {
        struct hnode *next = htab_next(&r->table, &at, n);
        mem_free(entry_of(n));
        n = next;
    }
    htab_free(&r->table);
    for (size_t i = 0; i < LEN(r->names); i++)
        mem_free(r->names[i]);
    mem_free(r);
}

uint8_t iprep_category(const struct iprep *r, struct span name)
{
    for (uint8_t i = 1; r && i < IPREP_CATEGORIES; i++)
        if (r->names[i] && span_eq(span_str(r->names[i]), name))
            return i;
    return 0;
}

uint8_t iprep_find(const struct iprep *r, uint8_t category, const struct ip *a)
{
    bool v6 = a->family == 6;

    for (int bits = v6 ? 128 : 32; bits >= 0; bits--) {
        struct iprep_key k;
        if (!r->lengths[v6][bits])
            continue;
        key_make(&k, a, (uint8_t)bits);
        const struct iprep_entry *e = entry_find(r, &k);
        if (e && e->value[category])
            return e->value[category];
    }
    return 0;
}
