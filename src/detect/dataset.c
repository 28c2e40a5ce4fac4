/* SPDX-License-Identifier: Apache-2.0 */
/* One hash table a set, entries on the heap under the set's ceiling: a set at its ceiling takes no
 * more values. */
#include "detect/dataset.h"

#include "base/hash.h"
#include "base/htab.h"
#include "base/ip.h"
#include "base/mem.h"
#include "base/must.h"

#include <pthread.h>
#include <unistd.h>

struct dataset_entry {
    struct hnode node;
    uint16_t reputation;
    uint32_t n, n_json;
    uint8_t bytes[]; /* the value, then its JSON */
};

struct dataset {
    pthread_mutex_t lock;
    struct htab table;
    char *name, *save_path;
    uint64_t bytes, max_bytes;
    uint8_t type;
    bool fixed;
    int fd; /* to write it to, or -1 */
};

struct dataset *dataset_new(const char *name, enum dataset_type type, uint64_t max_bytes)
{
    struct dataset *s = mem_zero(sizeof(*s));

    (void)pthread_mutex_init(&s->lock, NULL);
    htab_init(&s->table, 64);
    s->name = mem_strdup(name);
    s->type = (uint8_t)type;
    s->max_bytes = max_bytes;
    s->fd = -1;
    return s;
}

static struct dataset_entry *entry_of(struct hnode *node)
{
    return CONTAINER_OF(node, struct dataset_entry, node);
}

void dataset_free(struct dataset *s)
{
    size_t at = 0;

    if (!s)
        return;
    struct hnode *n = htab_next(&s->table, &at, NULL);
    while (n) {
        struct hnode *next = htab_next(&s->table, &at, n);
        mem_free(entry_of(n));
        n = next;
    }
    htab_free(&s->table);
    if (s->fd >= 0)
        close(s->fd);
    (void)pthread_mutex_destroy(&s->lock);
    mem_free(s->name);
    mem_free(s->save_path);
    mem_free(s);
}

const char *dataset_name(const struct dataset *s)
{
    return s->name;
}

void dataset_set_save_path(struct dataset *s, const char *path)
{
    mem_free(s->save_path);
    s->save_path = mem_strdup(path);
}

const char *dataset_save_path(const struct dataset *s)
{
    return s->save_path;
}

enum dataset_type dataset_type(const struct dataset *s)
{
    return (enum dataset_type)s->type;
}

bool dataset_type_find(struct span name, enum dataset_type *ret)
{
    static const char *const names[] = {[DATASET_STRING] = "string",
                                        [DATASET_MD5] = "md5",
                                        [DATASET_SHA256] = "sha256",
                                        [DATASET_IPV4] = "ipv4",
                                        [DATASET_IP] = "ip"};

    for (size_t i = 0; i < LEN(names); i++)
        if (span_ieq(name, span_str(names[i]))) {
            *ret = (enum dataset_type)i;
            return true;
        }
    return false;
}

bool dataset_is_fixed(const struct dataset *s)
{
    return s->fixed;
}

void dataset_set_fixed(struct dataset *s)
{
    s->fixed = true;
}

int dataset_fd(const struct dataset *s)
{
    return s->fd;
}

void dataset_set_fd(struct dataset *s, int fd)
{
    s->fd = fd;
}

/* IPv4 in IPv6's form (RFC 4291 2.5.5.2). */
static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* The value as it is stored; `room` holds one that has to be rewritten. */
static bool value_of(const struct dataset *s, struct span v, uint8_t room[16], struct span *ret)
{
    *ret = v;
    switch (s->type) {
    case DATASET_MD5:
        return v.n == 16;
    case DATASET_SHA256:
        return v.n == 32;
    case DATASET_IPV4:
        return v.n == 4;
    case DATASET_IP:
        if (v.n == 16)
            return true;
        if (v.n != 4)
            return false;
        memcpy(room, mapped, sizeof(mapped));
        memcpy(room + sizeof(mapped), v.p, 4);
        *ret = span_of(room, 16);
        return true;
    default:
        return v.n > 0 && v.n < UINT32_MAX / 2;
    }
}

static bool entry_equal(const struct hnode *node, const void *key)
{
    const struct dataset_entry *e = (const void *)node; /* node is its first member */
    const struct span *v = key;

    return e->n == v->n && memcmp(e->bytes, v->p, v->n) == 0;
}

static struct hnode *find(struct dataset *s, struct span v)
{
    return htab_find(&s->table, hash_bytes(v.p, v.n), entry_equal, &v);
}

/* The entry of a value in the form that a rule or a buffer has it in. */
static struct hnode *find_value(struct dataset *s, struct span value)
{
    uint8_t room[16];
    struct span v;

    return value_of(s, value, room, &v) ? find(s, v) : NULL;
}

bool dataset_find(struct dataset *s, struct span value, struct dataset_hit *ret)
{
    (void)pthread_mutex_lock(&s->lock);
    struct hnode *node = find_value(s, value);
    if (node) {
        const struct dataset_entry *e = entry_of(node);
        *ret = (struct dataset_hit){.reputation = e->reputation};
        if (s->fixed)
            ret->json = span_of(e->bytes + e->n, e->n_json);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return node;
}

static struct dataset_entry *entry_new(struct dataset *s, struct span v, struct span json)
{
    size_t n = sizeof(struct dataset_entry) + v.n + json.n;
    struct dataset_entry *e = s->bytes + n <= s->max_bytes ? mem_try(n) : NULL;

    if (!e)
        return NULL;
    s->bytes += n;
    e->n = (uint32_t)v.n;
    e->n_json = (uint32_t)json.n;
    memcpy(e->bytes, v.p, v.n);
    if (json.n)
        memcpy(e->bytes + v.n, json.p, json.n);
    return e;
}

enum dataset_change dataset_put(struct dataset *s, struct span value, uint16_t reputation,
                                struct span json)
{
    uint8_t room[16];
    struct span v;
    enum dataset_change change = DATASET_SAME;

    if (!value_of(s, value, room, &v) || json.n > UINT32_MAX / 2)
        return DATASET_SAME;
    (void)pthread_mutex_lock(&s->lock);
    if (!find(s, v)) {
        struct dataset_entry *e = entry_new(s, v, json);
        change = e ? DATASET_CHANGED : DATASET_FULL;
        if (e) {
            e->reputation = reputation;
            htab_add(&s->table, hash_bytes(v.p, v.n), &e->node);
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    return change;
}

enum dataset_change dataset_add(struct dataset *s, struct span value)
{
    return dataset_put(s, value, 0, SPAN(""));
}

bool dataset_remove(struct dataset *s, struct span value)
{
    (void)pthread_mutex_lock(&s->lock);
    struct hnode *node = find_value(s, value);
    if (node) {
        struct dataset_entry *e = entry_of(node);
        htab_remove(&s->table, node);
        s->bytes -= sizeof(*e) + e->n + e->n_json;
        mem_free(e);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return node;
}

void dataset_each(struct dataset *s, void (*f)(void *arg, struct span value), void *arg)
{
    size_t at = 0;

    (void)pthread_mutex_lock(&s->lock);
    for (struct hnode *n = NULL; (n = htab_next(&s->table, &at, n));) {
        const struct dataset_entry *e = entry_of(n);
        f(arg, span_of(e->bytes, e->n));
    }
    (void)pthread_mutex_unlock(&s->lock);
}
