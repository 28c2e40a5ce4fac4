/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram keeps its fragments in an array sorted by offset, each with its own copy of the bytes
 * and how many of them are cut off at the left or that it is not used at all: that is how a policy
 * says who wins. Data behind the cut goes into the packet in order of offset. The walk for
 * overlaps starts by binary search, holes are looked for only when enough bytes are there: the cost
 * of a fragment does not grow with what came before, but for the array's move. */
#include "packet/defrag.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/htab.h"
#include "base/mem.h"
#include "base/wr.h"
#include "packet/decode_priv.h"

struct piece {
    uint32_t offset, n; /* of the bytes kept */
    uint32_t cut;       /* bytes at the left that another piece won */
    bool skip;
    uint8_t *bytes;
};

struct tracker {
    struct hnode node;             /* first: what the table points to */
    struct tracker *older, *newer; /* by last use */
    struct ip src, dst;
    uint32_t id;
    uint16_t vlan[PKT_VLANS];
    uint8_t proto, depth;
    uint8_t policy;
    bool has_last;
    uint64_t until_ns;
    struct piece *pieces;
    uint32_t n_pieces, cap_pieces;
    uint32_t bytes; /* of all pieces */
    uint32_t end;   /* of the last fragment */
    uint8_t *head;  /* of the piece with offset 0: link_n bytes of link layers, then IP's */
    uint16_t head_n, link_n, next_at;
    uint8_t next; /* IPv6: what the fragment header of that piece names */
};

struct key {
    struct ip src, dst;
    uint32_t id;
    uint16_t vlan[PKT_VLANS];
    uint8_t proto, depth;
};

struct defrag {
    const struct decode_conf *conf;
    uint64_t *counters;
    struct htab table;
    struct tracker *oldest, *newest;
    uint32_t n_pieces;
    uint64_t memory;
};

static const struct {
    const char *name;
    enum defrag_policy policy;
} policies[] = {
    {"bsd", DEFRAG_BSD},
    {"hpux10", DEFRAG_BSD},
    {"irix", DEFRAG_BSD},
    {"bsd-right", DEFRAG_BSD_RIGHT},
    {"bsd_right", DEFRAG_BSD_RIGHT},
    {"linux", DEFRAG_LINUX},
    {"old-linux", DEFRAG_LINUX},
    {"old_linux", DEFRAG_LINUX},
    {"first", DEFRAG_FIRST},
    {"macos", DEFRAG_FIRST},
    {"hpux11", DEFRAG_FIRST},
    {"old-solaris", DEFRAG_FIRST},
    {"old_solaris", DEFRAG_FIRST},
    {"last", DEFRAG_LAST},
    {"solaris", DEFRAG_SOLARIS},
    {"windows", DEFRAG_WINDOWS},
    {"vista", DEFRAG_WINDOWS},
    {"windows2k3", DEFRAG_WINDOWS},
};

bool defrag_policy_find(struct span name, enum defrag_policy *ret)
{
    for (size_t i = 0; i < LEN(policies); i++) {
        if (span_ieq(name, span_str(policies[i].name))) {
            *ret = policies[i].policy;
            return true;
        }
    }
    return false;
}

struct defrag *defrag_new(const struct decode_conf *conf, uint64_t *counters)
{
    struct defrag *g = mem_zero(sizeof(*g));

    g->conf = conf;
    g->counters = counters;
    htab_init(&g->table, 64);
    return g;
}

static void unlink_tracker(struct defrag *g, struct tracker *t)
{
    if (t->older)
        t->older->newer = t->newer;
    else
        g->oldest = t->newer;
    if (t->newer)
        t->newer->older = t->older;
    else
        g->newest = t->older;
    t->older = t->newer = NULL;
}

static void link_newest(struct defrag *g, struct tracker *t)
{
    t->older = g->newest;
    t->newer = NULL;
    if (g->newest)
        g->newest->newer = t;
    else
        g->oldest = t;
    g->newest = t;
}

static void drop_tracker(struct defrag *g, struct tracker *t)
{
    htab_remove(&g->table, &t->node);
    unlink_tracker(g, t);
    for (size_t i = 0; i < t->n_pieces; i++)
        mem_free(t->pieces[i].bytes);
    g->n_pieces -= t->n_pieces;
    g->memory -= sizeof(*t) + t->bytes + t->head_n + t->cap_pieces * sizeof(*t->pieces);
    mem_free(t->pieces);
    mem_free(t->head);
    mem_free(t);
}

void defrag_free(struct defrag *g)
{
    if (!g)
        return;
    while (g->oldest)
        drop_tracker(g, g->oldest);
    htab_free(&g->table);
    mem_free(g);
}

void defrag_expire(struct defrag *g, uint64_t now_ns)
{
    while (g->oldest && g->oldest->until_ns < now_ns) {
        g->counters[DC_TRACKER_TIMEOUT]++;
        drop_tracker(g, g->oldest);
    }
}

uint64_t defrag_memory(const struct defrag *g)
{
    return g->memory;
}

static bool tracker_equal(const struct hnode *node, const void *key)
{
    const struct tracker *t = (const void *)node;
    const struct key *k = key;

    return t->id == k->id && t->proto == k->proto && t->depth == k->depth &&
           ip_eq(&t->src, &k->src) && ip_eq(&t->dst, &k->dst) &&
           memcmp(t->vlan, k->vlan, sizeof(t->vlan)) == 0;
}

static uint64_t key_hash(const struct key *k)
{
    uint8_t b[64] = {0};

    memcpy(b, k->src.b, 16);
    memcpy(b + 16, k->dst.b, 16);
    memcpy(b + 32, &k->id, 4);
    memcpy(b + 36, k->vlan, sizeof(k->vlan));
    b[48] = k->proto;
    b[49] = k->depth;
    b[50] = k->src.family;
    return hash_bytes(b, sizeof(b));
}

/* The datagram that f belongs to, a fresh one if need be; NULL when there is no room. */
static struct tracker *find_tracker(struct defrag *g, const struct packet *p,
                                    const struct fragment *f)
{
    struct key k = {.src = p->src,
                    .dst = p->dst,
                    .id = f->id,
                    .proto = p->ip_v == 4 ? f->proto : 0, /* RFC 8200: not part of the key */
                    .depth = p->depth};

    memcpy(k.vlan, p->vlan, sizeof(k.vlan));
    uint64_t hash = key_hash(&k);
    struct hnode *node = htab_find(&g->table, hash, tracker_equal, &k);
    if (node) {
        struct tracker *t = CONTAINER_OF(node, struct tracker, node);
        if (t->until_ns >= p->ts_ns) {
            unlink_tracker(g, t);
            link_newest(g, t);
            return t;
        }
        g->counters[DC_SOFT_REUSE]++;
        drop_tracker(g, t);
    }
    if (g->table.count >= g->conf->defrag_trackers || g->memory >= g->conf->defrag_memcap) {
        g->counters[DC_MAX_TRACKERS]++;
        if (!g->oldest)
            return NULL;
        g->counters[DC_HARD_REUSE]++;
        drop_tracker(g, g->oldest);
    }
    struct tracker *t = mem_try(sizeof(*t));
    if (!t)
        return NULL;
    *t = (struct tracker){.src = k.src, .dst = k.dst, .id = k.id, .proto = k.proto};
    t->depth = k.depth;
    memcpy(t->vlan, k.vlan, sizeof(t->vlan));
    t->policy = (uint8_t)g->conf->defrag_default[p->ip_v == 6];
    if (g->conf->defrag_policy)
        t->policy = (uint8_t)g->conf->defrag_policy(g->conf->defrag_policy_user, &k.dst);
    g->memory += sizeof(*t);
    htab_add(&g->table, hash, &t->node);
    link_newest(g, t);
    return t;
}

/* What a policy makes of the new fragment. */
struct fit {
    uint32_t cut; /* bytes of the new one that an older keeps */
    bool overlap, covered;
};

/* The new bytes [from, to) against an older piece and the one behind it; true when this settles
 * it. `keeps`: the older one keeps its bytes when both begin at the same place. */
static bool fit_left(struct piece *a, struct piece *next, uint32_t from, uint32_t to,
                     enum defrag_policy policy, struct fit *fit)
{
    uint32_t a_end = a->offset + a->n;
    bool keeps_start = policy != DEFRAG_LINUX;
    bool trims_next = policy == DEFRAG_BSD || policy == DEFRAG_LINUX;
    bool swallows = policy == DEFRAG_WINDOWS ? to > a_end : to >= a_end;

    if (from >= a_end)
        return false;
    if (from > a->offset || (keeps_start && from == a->offset)) {
        fit->cut = a_end - from;
        fit->overlap = true;
    }
    if (trims_next && next && to > next->offset) {
        next->cut = to - next->offset;
        fit->overlap = true;
    }
    if (from < a->offset && swallows) {
        a->skip = true;
        fit->overlap = true;
    }
    return true;
}

static bool fit_first(const struct piece *a, uint32_t from, uint32_t to, struct fit *fit)
{
    uint32_t a_end = a->offset + a->n;

    if (from >= a->offset && to <= a_end) {
        fit->overlap = fit->covered = true;
        return true;
    }
    if (from < a->offset)
        return true;
    if (from >= a_end)
        return false;
    fit->cut = a_end - from;
    fit->overlap = true;
    return true;
}

/* The later one wins wherever it has bytes. */
static bool fit_last(struct piece *a, uint32_t from, uint32_t to, struct fit *fit)
{
    if (from > a->offset)
        return false;
    if (to > a->offset) {
        a->cut = to - a->offset;
        fit->overlap = true;
    }
    return true;
}

/* Whoever begins further right wins, the later one among equals: that is the order in which a
 * packet is built anyway. */
static bool fit_right(const struct piece *a, uint32_t from, uint32_t to, struct fit *fit)
{
    if (from < a->offset + a->n && to > a->offset)
        fit->overlap = true;
    return fit->overlap;
}

/* The first piece whose offset is not below `offset`. */
static uint32_t lower_bound(const struct tracker *t, uint32_t offset)
{
    uint32_t low = 0, high = t->n_pieces;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (t->pieces[mid].offset < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct fit fit_new(struct tracker *t, uint32_t from, uint32_t to)
{
    struct fit fit = {0};
    uint32_t at = lower_bound(t, from);

    if (at > 0)
        at--;
    for (; at < t->n_pieces; at++) {
        struct piece *a = &t->pieces[at];
        struct piece *next = at + 1 < t->n_pieces ? a + 1 : NULL;
        bool settled;
        if (t->policy == DEFRAG_FIRST)
            settled = fit_first(a, from, to, &fit);
        else if (t->policy == DEFRAG_BSD_RIGHT)
            settled = fit_right(a, from, to, &fit);
        else if (t->policy == DEFRAG_LAST)
            settled = fit_last(a, from, to, &fit);
        else
            settled = fit_left(a, next, from, to, (enum defrag_policy)t->policy, &fit);
        if (settled || a->offset >= to)
            break;
    }
    return fit;
}

static bool room_for_piece(struct defrag *g, struct tracker *t)
{
    if (t->n_pieces < t->cap_pieces)
        return true;
    uint32_t cap = t->cap_pieces ? t->cap_pieces * 2 : 8;
    struct piece *grown = mem_try(cap * sizeof(*grown));
    if (!grown)
        return false;
    if (t->n_pieces)
        memcpy(grown, t->pieces, t->n_pieces * sizeof(*grown));
    mem_free(t->pieces);
    t->pieces = grown;
    g->memory += (cap - t->cap_pieces) * sizeof(*grown);
    t->cap_pieces = cap;
    return true;
}

/* The packet's bytes from its link layer to where the data of the fragment begins; link layers that
 * are longer than any sane ones are left out. */
static struct span whole_head(const struct packet *p, const struct fragment *f)
{
    size_t link_n = (size_t)(f->head.p - p->data.p);

    if (link_n > DEFRAG_LINK)
        return f->head;
    return (struct span){p->data.p, link_n + f->head.n};
}

/* Keeps a copy; false when a ceiling is met. */
static bool keep(struct defrag *g, struct tracker *t, const struct packet *p,
                 const struct fragment *f, uint32_t cut)
{
    size_t n = f->data.n - cut;
    struct span first = whole_head(p, f);
    bool has_head = f->offset == 0 && !t->head;

    if (g->n_pieces >= g->conf->defrag_frags || g->memory + n + first.n > g->conf->defrag_memcap) {
        g->counters[DC_MAX_FRAGS]++;
        return false;
    }
    if (!room_for_piece(g, t))
        return false;
    uint8_t *bytes = mem_try(n);
    uint8_t *head = has_head ? mem_try(first.n) : NULL;
    if (!bytes || (has_head && !head)) {
        mem_free(bytes);
        mem_free(head);
        return false;
    }
    memcpy(bytes, f->data.p + cut, n);
    if (has_head) {
        memcpy(head, first.p, first.n);
        t->head = head;
        t->head_n = (uint16_t)first.n;
        t->link_n = (uint16_t)(first.n - f->head.n);
        t->next_at = (uint16_t)f->next_at;
        t->next = f->proto;
        g->memory += first.n;
    }
    uint32_t offset = f->offset + cut;
    uint32_t at = lower_bound(t, offset + 1);
    memmove(t->pieces + at + 1, t->pieces + at, (t->n_pieces - at) * sizeof(*t->pieces));
    t->pieces[at] = (struct piece){.offset = offset, .n = (uint32_t)n, .bytes = bytes};
    t->n_pieces++;
    t->bytes += (uint32_t)n;
    g->n_pieces++;
    g->memory += n;
    return true;
}

/* Are the used pieces without a hole from 0 on? Pieces may reach behind the last fragment's end. */
static bool is_whole(const struct tracker *t)
{
    uint32_t reach = 0;
    bool first = true;

    if (!t->has_last || !t->head || t->bytes < t->end)
        return false;
    for (size_t i = 0; i < t->n_pieces; i++) {
        const struct piece *a = &t->pieces[i];
        if (a->skip)
            continue;
        if (a->offset > reach || (first && a->offset != 0))
            return false;
        first = false;
        if (a->offset + a->n > reach)
            reach = a->offset + a->n;
    }
    return !first;
}

/* The packet in `to`, which has room for DEFRAG_BUFFER bytes; empty when it would be too long. */
static struct span build(const struct tracker *t, uint8_t *to, uint8_t ip_v, uint8_t next)
{
    size_t n = 0;

    memcpy(to, t->head, t->head_n);
    for (size_t i = 0; i < t->n_pieces; i++) {
        const struct piece *a = &t->pieces[i];
        if (a->skip || a->cut >= a->n)
            continue;
        size_t end = (size_t)a->offset + a->n;
        if (t->head_n + end > DEFRAG_BUFFER)
            return (struct span){to, 0};
        memcpy(to + t->head_n + a->offset + a->cut, a->bytes + a->cut, a->n - a->cut);
        if (end > n)
            n = end;
    }
    /* A length that does not fit is cut to its 16 bits, so that decoding finds it wrong and says
     * so. */
    size_t total = (t->head_n - t->link_n + n - (ip_v == 4 ? 0 : 40)) & 0xffff;
    uint8_t *ip = to + t->link_n;
    if (ip_v == 4) {
        uint32_t sum = be16(ip + 10);
        /* RFC 1624: the header's checksum follows the fields that change, right or wrong */
        sum = (uint32_t)(~sum & 0xffff) + (uint32_t)(~be16(ip + 2) & 0xffff) + (uint32_t)total +
              (uint32_t)(~be16(ip + 6) & 0xffff);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        put_be16(ip + 2, (uint16_t)total);
        put_be16(ip + 6, 0);
        put_be16(ip + 10, (uint16_t)~sum);
    } else {
        put_be16(ip + 4, (uint16_t)total);
        ip[t->next_at] = next;
    }
    return (struct span){to, t->head_n + n};
}

static struct span refuse(struct packet *p)
{
    decode_event(p, p->ip_v == 4 ? DEV_IPV4_FRAG_IGNORED : DEV_IPV6_FRAG_IGNORED);
    p->flags |= PKT_FRAGMENT_REFUSED;
    return (struct span){rd_zeros, 0};
}

struct span defrag_add(struct defrag *g, struct decoder *d, struct packet *p,
                       const struct fragment *f, size_t *ret_link_n)
{
    const struct span none = {rd_zeros, 0};
    bool v4 = p->ip_v == 4;
    uint32_t to = f->offset + (uint32_t)f->data.n;

    defrag_expire(g, p->ts_ns);
    if (v4 ? 20 + to > IP_MAX : to > IP_MAX) {
        decode_event(p, v4 ? DEV_IPV4_FRAG_PKT_TOO_LARGE : DEV_IPV6_FRAG_PKT_TOO_LARGE);
        return none;
    }
    struct tracker *t = find_tracker(g, p, f);
    if (!t)
        return refuse(p);
    t->until_ns = p->ts_ns + (uint64_t)g->conf->defrag_timeout_s * NS_PER_S;
    struct fit fit = fit_new(t, f->offset, to);
    if (fit.overlap)
        decode_event(p, v4 ? DEV_IPV4_FRAG_OVERLAP : DEV_IPV6_FRAG_OVERLAP);
    if (fit.covered || fit.cut >= f->data.n)
        return none;
    if (!keep(g, t, p, f, fit.cut))
        return refuse(p);
    if (!f->more) {
        t->has_last = true;
        t->end = to;
    }
    if (!is_whole(t))
        return none;
    uint8_t *buffer = decode_buffer(d);
    struct span s = buffer ? build(t, buffer, p->ip_v, t->next) : none;
    *ret_link_n = t->link_n;
    drop_tracker(g, t);
    return s;
}
