/* SPDX-License-Identifier: Apache-2.0 */
/* The flow table of one worker: a seeded hash over pooled flows, and a list for each protocol class
 * and state in which flows stand by the time they were last looked at. A packet does not move its
 * flow in the list: the timer looks at the list's head, and a flow that was alive since goes to the
 * end, so that a flow is moved once per timeout at most.
 *
 * Memory: flows come from slabs up to the ceiling. At the ceiling the table is in emergency: the
 * shorter timeouts hold, flows over them end first, else the flow that is silent longest ends
 * (flow.get_used). The emergency is over when recovery percent of the flows are free again. */
#include "flow/flow.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"
#include "flow/policy.h"
#include "flow/session.h"
#include "flow/table.h"

enum { CLASS_TCP, CLASS_UDP, CLASS_ICMP, CLASS_OTHER, CLASSES };
enum { STATES = FLOW_LOCAL_BYPASSED + 1, SLAB_FLOWS = 256, EXPIRE_PER_CALL = 256 };

struct flow_list {
    struct flow *first, *last;
};

struct slab {
    struct slab *next;
    struct flow flows[SLAB_FLOWS];
};

struct flow_table {
    struct flow_conf conf;
    flow_ended *ended;
    void *user;
    flow_reuse *reuse;
    void *reuse_user;
    struct htab hash;
    struct flow_list lists[CLASSES][STATES];
    struct slab *slabs;
    struct flow *spare;
    uint32_t live, allocated, max;
    bool emergency;
    uint32_t expired_s;
    uint64_t counters[FLOW_COUNTERS];
    struct exception_counts exceptions;
};

static const char *const counter_names[] = {
#define FLOW_COUNTER(id, name) [FC_##id] = name,
#include "flow/flow_counters.def"
#undef FLOW_COUNTER
};

const char *flow_counter_name(enum counter_flow c)
{
    return counter_names[c];
}

const char *flow_state_name(enum flow_state s)
{
    static const char *const names[] = {"new", "established", "closed", "bypassed"};

    return names[s];
}

const char *flow_end_name(enum flow_end why)
{
    static const char *const names[] = {"timeout", "forced", "shutdown", "tcp_reuse"};

    return names[why];
}

void flow_conf_default(struct flow_conf *c)
{
    *c = (struct flow_conf){
        .memcap_bytes = 128u << 20,
        .emergency_recovery_percent = 30,
        .vlan_is_key = true,
        .depth_is_key = true,
        .tcp = {60, 600, 60, 100},
        .udp = {30, 300, 0, 100},
        .icmp = {30, 300, 0, 100},
        .other = {30, 300, 0, 100},
        .tcp_emergency = {5, 100, 10, 50},
        .udp_emergency = {10, 100, 0, 50},
        .icmp_emergency = {10, 100, 0, 50},
        .other_emergency = {10, 100, 0, 50},
    };
}

struct flow_table *flow_table_new(const struct flow_conf *conf, flow_ended *ended, void *user)
{
    struct flow_table *t = mem_zero(sizeof(*t));
    uint64_t fit = conf->memcap_bytes / (sizeof(struct flow) + sizeof(void *));

    t->conf = *conf;
    t->ended = ended;
    t->user = user;
    t->max = conf->max_flows ? conf->max_flows : fit > UINT32_MAX ? UINT32_MAX : (uint32_t)fit;
    if (t->max == 0)
        t->max = 1;
    htab_init(&t->hash, 4096);
    return t;
}

void flow_table_free(struct flow_table *t)
{
    if (!t)
        return;
    flow_end_all(t, FLOW_END_SHUTDOWN);
    while (t->slabs) {
        struct slab *s = t->slabs;
        t->slabs = s->next;
        mem_free(s);
    }
    htab_free(&t->hash);
    mem_free(t);
}

void flow_table_set_reuse(struct flow_table *t, flow_reuse *reuse, void *user)
{
    t->reuse = reuse;
    t->reuse_user = user;
}

uint32_t flow_count(const struct flow_table *t)
{
    return t->live;
}

uint64_t flow_memuse(const struct flow_table *t)
{
    return (uint64_t)t->allocated * sizeof(struct flow) +
           (t->hash.mask + 1) * sizeof(struct hnode *);
}

const uint64_t *flow_counters(const struct flow_table *t)
{
    return t->counters;
}

const struct exception_counts *flow_table_exceptions(const struct flow_table *t)
{
    return &t->exceptions;
}

static void list_add(struct flow_list *l, struct flow *f)
{
    f->lru_next = NULL;
    f->lru_prev = l->last;
    if (l->last)
        l->last->lru_next = f;
    else
        l->first = f;
    l->last = f;
}

static void list_remove(struct flow_list *l, struct flow *f)
{
    if (f->lru_prev)
        f->lru_prev->lru_next = f->lru_next;
    else
        l->first = f->lru_next;
    if (f->lru_next)
        f->lru_next->lru_prev = f->lru_prev;
    else
        l->last = f->lru_prev;
}

static struct flow_list *list_of(struct flow_table *t, const struct flow *f)
{
    return &t->lists[f->proto_class][f->state];
}

static uint32_t last_seconds(const struct flow *f)
{
    return (uint32_t)(f->last_ns / NS_PER_S);
}

static void requeue(struct flow_table *t, struct flow *f)
{
    list_remove(list_of(t, f), f);
    list_add(list_of(t, f), f);
    f->queued_s = last_seconds(f);
}

static uint32_t timeout_of(const struct flow_conf *c, uint8_t proto_class, uint8_t state,
                           bool emergency)
{
    const struct flow_timeouts *normal[] = {&c->tcp, &c->udp, &c->icmp, &c->other};
    const struct flow_timeouts *short_[] = {&c->tcp_emergency, &c->udp_emergency,
                                            &c->icmp_emergency, &c->other_emergency};
    const struct flow_timeouts *t = emergency ? short_[proto_class] : normal[proto_class];

    switch (state) {
    case FLOW_NEW:
        return t->fresh_s;
    case FLOW_ESTABLISHED:
        return t->established_s;
    case FLOW_CLOSED:
        return t->closed_s;
    default:
        return t->bypassed_s;
    }
}

/* Seconds of silence that end the flow now. */
static uint32_t timeout_now(const struct flow_table *t, const struct flow *f)
{
    uint32_t s = f->timeout_s;

    if (t->emergency) {
        uint32_t e = timeout_of(&t->conf, f->proto_class, f->state, true);
        s = e < s ? e : s;
    }
    return s;
}

/* To the microsecond, as capture files tell the time. */
static bool is_over(const struct flow_table *t, const struct flow *f, uint64_t now_ns)
{
    uint64_t end_us = f->last_ns / NS_PER_US + (uint64_t)timeout_now(t, f) * 1000000;

    return now_ns / NS_PER_US >= end_us;
}

static void count_end(struct flow_table *t, const struct flow *f)
{
    static const uint8_t by_state[STATES] = {FC_END_NEW, FC_END_ESTABLISHED, FC_END_CLOSED,
                                             FC_END_BYPASSED};
    static const uint8_t by_tcp[] = {
        [TCP_NONE] = FC_END_TCP_NONE,
        [TCP_LISTEN] = FC_END_TCP_LISTEN,
        [TCP_SYN_SENT] = FC_END_TCP_SYN_SENT,
        [TCP_SYN_RECV] = FC_END_TCP_SYN_RECV,
        [TCP_ESTABLISHED] = FC_END_TCP_ESTABLISHED,
        [TCP_FIN_WAIT1] = FC_END_TCP_FIN_WAIT1,
        [TCP_FIN_WAIT2] = FC_END_TCP_FIN_WAIT2,
        [TCP_TIME_WAIT] = FC_END_TCP_TIME_WAIT,
        [TCP_LAST_ACK] = FC_END_TCP_LAST_ACK,
        [TCP_CLOSE_WAIT] = FC_END_TCP_CLOSE_WAIT,
        [TCP_CLOSING] = FC_END_TCP_CLOSING,
        [TCP_CLOSED] = FC_END_TCP_CLOSED,
    };

    t->counters[by_state[f->state]]++;
    if (f->proto_class == CLASS_TCP) {
        t->counters[by_tcp[f->tcp ? f->tcp->state : TCP_NONE]]++;
        if (f->tcp && (f->tcp->flags & TF_LIBERAL))
            t->counters[FC_END_TCP_LIBERAL]++;
    }
    t->counters[FC_ACTIVE]--;
}

void flow_finish(struct flow_table *t, struct flow *f, enum flow_end why)
{
    /* Out of the table first: what the callback does must not find it again. */
    htab_remove(&t->hash, &f->node);
    list_remove(list_of(t, f), f);
    f->emergency = t->emergency;
    count_end(t, f);
    if (t->ended)
        t->ended(t->user, f, why);
    t->live--;
    *f = (struct flow){.lru_next = t->spare};
    t->spare = f;
    t->counters[FC_SPARE] = t->allocated - t->live;
    if (t->emergency && (uint64_t)(t->max - t->live) * 100 >=
                            (uint64_t)t->max * t->conf.emergency_recovery_percent) {
        t->emergency = false;
        t->counters[FC_EMERG_OVER]++;
    }
}

static void count_pruned(struct flow_table *t, uint8_t state)
{
    static const uint8_t by_state[STATES] = {FC_MGR_NEW_PRUNED, FC_MGR_EST_PRUNED,
                                             FC_MGR_CLOSED_PRUNED, FC_MGR_BYPASSED_PRUNED};

    t->counters[FC_MGR_TIMEOUT]++;
    t->counters[FC_MGR_EVICTED]++;
    t->counters[by_state[state]]++;
}

/* Ends flows of one list; looks at most at `budget` of them and returns what is left of it. */
static int expire_list(struct flow_table *t, struct flow_list *l, uint64_t now_ns, int budget)
{
    for (; budget > 0 && l->first; budget--) {
        struct flow *f = l->first;
        t->counters[FC_MGR_CHECKED]++;
        if (is_over(t, f, now_ns)) {
            count_pruned(t, f->state);
            flow_finish(t, f, FLOW_END_TIMEOUT);
            continue;
        }
        t->counters[FC_MGR_NOTIMEOUT]++;
        if (f->queued_s >= last_seconds(f))
            break;
        requeue(t, f);
    }
    return budget;
}

void flow_expire(struct flow_table *t, uint64_t now_ns)
{
    uint64_t now_s = now_ns / NS_PER_S;
    int budget = EXPIRE_PER_CALL;

    if (now_s == t->expired_s)
        return;
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t s = 0; s < STATES; s++)
            budget = expire_list(t, &t->lists[c][s], now_ns, budget);
    /* Out of budget: the next call goes on. */
    if (budget > 0)
        t->expired_s = (uint32_t)now_s;
}

/* The flow that was put at the end of its list longest ago. */
static struct flow *oldest(struct flow_table *t)
{
    struct flow *best = NULL;

    for (size_t c = 0; c < CLASSES; c++) {
        for (size_t s = 0; s < STATES; s++) {
            struct flow *f = t->lists[c][s].first;
            if (f && (!best || f->queued_s < best->queued_s ||
                      (f->queued_s == best->queued_s && f->first_number < best->first_number)))
                best = f;
        }
    }
    return best;
}

void flow_end_all(struct flow_table *t, enum flow_end why)
{
    struct flow *f;

    while ((f = oldest(t)))
        flow_finish(t, f, why);
}

void flow_each(struct flow_table *t, void (*fn)(void *user, struct flow *f), void *user)
{
    size_t at = 0;

    for (struct hnode *n = htab_next(&t->hash, &at, NULL); n; n = htab_next(&t->hash, &at, n))
        fn(user, CONTAINER_OF(n, struct flow, node));
}

static void make_room(struct flow_table *t, uint64_t now_ns)
{
    if (!t->emergency) {
        t->emergency = true;
        t->counters[FC_EMERG_ENTERED]++;
    }
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t s = 0; s < STATES; s++)
            expire_list(t, &t->lists[c][s], now_ns, 8);
    for (int tries = 0; !t->spare && tries < 16; tries++) {
        struct flow *f = oldest(t);
        t->counters[FC_GET_USED_EVAL]++;
        if (!f)
            break;
        if (f->queued_s < last_seconds(f) && tries < 15) {
            requeue(t, f);
            continue;
        }
        t->counters[FC_GET_USED]++;
        flow_finish(t, f, FLOW_END_FORCED);
    }
}

static struct flow *flow_get(struct flow_table *t, uint64_t now_ns)
{
    struct flow *f;

    if (!t->spare && t->allocated < t->max) {
        struct slab *s = mem_try(sizeof(*s));
        if (s) {
            uint32_t n = t->max - t->allocated;
            n = n < SLAB_FLOWS ? n : SLAB_FLOWS;
            memset(s, 0, sizeof(*s));
            s->next = t->slabs;
            t->slabs = s;
            for (uint32_t i = n; i-- > 0;) {
                s->flows[i].lru_next = t->spare;
                t->spare = &s->flows[i];
            }
            t->allocated += n;
            t->counters[FC_MEMUSE] = flow_memuse(t);
        }
    }
    if (!t->spare)
        make_room(t, now_ns);
    f = t->spare;
    if (!f) {
        t->counters[FC_GET_USED_FAILED]++;
        t->counters[FC_MEMCAP]++;
        return NULL;
    }
    t->spare = f->lru_next;
    t->live++;
    t->counters[FC_SPARE] = t->allocated - t->live;
    return f;
}

static uint64_t flow_identifier(const struct flow *f)
{
    struct {
        struct flow_tuple tuple;
        uint64_t start_ns, number;
    } what = {f->tuple, f->start_ns, f->first_number};
    uint64_t id = hash_bytes_key(0x6461697a6f6e6721u, 0x666c6f772d696421u, &what, sizeof(what));

    id >>= 11;
    return id ? id : 1;
}

static uint8_t class_of(uint8_t proto)
{
    switch (proto) {
    case 6:
        return CLASS_TCP;
    case 17:
        return CLASS_UDP;
    case 1:
    case 58:
        return CLASS_ICMP;
    default:
        return CLASS_OTHER;
    }
}

static void count_new(struct flow_table *t, const struct packet *p)
{
    t->counters[FC_TOTAL]++;
    t->counters[FC_ACTIVE]++;
    switch (p->proto) {
    case 6:
        t->counters[FC_TCP]++;
        break;
    case 17:
        t->counters[FC_UDP]++;
        break;
    case 1:
        t->counters[FC_ICMPV4]++;
        break;
    case 58:
        t->counters[FC_ICMPV6]++;
        break;
    default:
        break;
    }
}

static void flow_init(struct flow_table *t, struct flow *f, const struct flow_tuple *tuple,
                      const struct packet *p)
{
    f->tuple = *tuple;
    f->lru_next = NULL;
    f->key = (struct flow_key){.src = p->src,
                               .dst = p->dst,
                               .sport = p->sport,
                               .dport = p->dport,
                               .proto = p->proto,
                               .depth = p->depth};
    memcpy(f->key.vlan, p->vlan, p->n_vlan * sizeof(p->vlan[0]));
    f->n_vlan = p->n_vlan;
    f->start_ns = f->last_ns = p->ts_ns;
    f->first_number = p->number;
    f->icmp_type = p->icmp_type;
    f->icmp_code = p->icmp_code;
    f->esp_spi = p->esp_spi;
    if (p->ethernet) {
        memcpy(f->mac[DIR_TS], p->ethernet + 6, 6);
        memcpy(f->mac[DIR_TC], p->ethernet, 6);
        f->has_mac = true;
    }
    f->proto_class = class_of(p->proto);
    f->state = FLOW_NEW;
    f->timeout_s = timeout_of(&t->conf, f->proto_class, f->state, t->emergency);
    f->queued_s = last_seconds(f);
    f->id = flow_identifier(f);
    if (f->proto_class == CLASS_ICMP) {
        int answer = flow_icmp_counterpart(p->ip_v, p->icmp_type);
        f->icmp_reply_type = answer < 0 ? 0 : (uint8_t)answer;
    }
}

static bool same_tuple(const struct hnode *node, const void *key)
{
    const void *at = (const char *)node - offsetof(struct flow, node);
    const struct flow *f = at;

    return memcmp(&f->tuple, key, sizeof(f->tuple)) == 0;
}

static void saw_ttl(struct flow *f, enum dir dir, uint8_t ttl)
{
    if (f->ttl_min[dir] == 0 || ttl < f->ttl_min[dir])
        f->ttl_min[dir] = ttl;
    if (ttl > f->ttl_max[dir])
        f->ttl_max[dir] = ttl;
}

static void flow_update(struct flow_table *t, struct flow *f, struct packet *p)
{
    static const uint32_t seen[] = {FLOW_TO_DST_SEEN, FLOW_TO_SRC_SEEN};
    const uint32_t both = FLOW_TO_DST_SEEN | FLOW_TO_SRC_SEEN;
    enum dir dir = flow_direction(f, p);

    p->flow = f;
    p->dir = (uint8_t)dir;
    p->flow_packets = (uint32_t)(f->packets[0] + f->packets[1]);
    if (p->ts_ns > f->last_ns)
        f->last_ns = p->ts_ns;
    f->packets[dir]++;
    f->bytes[dir] += p->data.n;
    if (!(f->flags & seen[dir]) && !flow_icmp_is_error(p)) {
        f->flags |= seen[dir];
        p->flags |= PKT_FIRST_IN_DIR;
    }
    if (dir == DIR_TC && f->proto_class == CLASS_ICMP)
        f->has_icmp_reply = true;
    saw_ttl(f, dir, p->ttl);
    if (f->state == FLOW_ESTABLISHED) {
        p->flags |= PKT_ESTABLISHED;
    } else if (f->proto_class == CLASS_TCP) {
        if (f->tcp && f->tcp->state >= TCP_ESTABLISHED)
            p->flags |= PKT_ESTABLISHED;
    } else if ((f->flags & both) == both) {
        p->flags |= PKT_ESTABLISHED;
        flow_set_state(t, f, FLOW_ESTABLISHED);
    }
}

struct flow *flow_of_packet(struct flow_table *t, struct packet *p)
{
    struct flow_tuple tuple;
    uint64_t hash;
    struct hnode *node;
    struct flow *f = NULL;

    if (!flow_tuple_of(&t->conf, p, &tuple))
        return NULL;
    hash = hash_bytes(&tuple, sizeof(tuple));
    node = htab_find(&t->hash, hash, same_tuple, &tuple);
    if (node) {
        f = CONTAINER_OF(node, struct flow, node);
        if (is_over(t, f, p->ts_ns)) {
            t->counters[FC_WRK_EVICTED]++;
            flow_finish(t, f, FLOW_END_TIMEOUT);
            f = NULL;
        } else if (t->reuse && t->reuse(t->reuse_user, f, p)) {
            t->counters[FC_TCP_REUSE]++;
            t->counters[FC_WRK_EVICTED]++;
            flow_finish(t, f, FLOW_END_REUSED);
            f = NULL;
        }
    }
    if (!f) {
        if (flow_icmp_is_error(p))
            return NULL;
        f = flow_get(t, p->ts_ns);
        if (!f) {
            exception_apply(p, NULL, EXCEPTION_FLOW_MEMCAP, t->conf.memcap_policy, &t->exceptions);
            return NULL;
        }
        flow_init(t, f, &tuple, p);
        htab_add(&t->hash, hash, &f->node);
        list_add(list_of(t, f), f);
        count_new(t, p);
    }
    flow_update(t, f, p);
    return f;
}

void flow_set_state(struct flow_table *t, struct flow *f, enum flow_state state)
{
    if (f->state == state)
        return;
    list_remove(list_of(t, f), f);
    f->state = (uint8_t)state;
    list_add(list_of(t, f), f);
    f->queued_s = last_seconds(f);
    f->timeout_s = timeout_of(&t->conf, f->proto_class, f->state, t->emergency);
}

#define SWAP(a, b)                                                                                 \
    do {                                                                                           \
        __typeof__(a) swap_ = (a);                                                                 \
        (a) = (b);                                                                                 \
        (b) = swap_;                                                                               \
    } while (0)

void flow_swap(struct flow *f)
{
    uint32_t seen = f->flags & (FLOW_TO_DST_SEEN | FLOW_TO_SRC_SEEN);
    uint32_t eof = f->flags & (FLOW_TS_EOF | FLOW_TC_EOF);
    uint8_t mac[6];

    SWAP(f->key.src, f->key.dst);
    SWAP(f->key.sport, f->key.dport);
    SWAP(f->packets[0], f->packets[1]);
    SWAP(f->bytes[0], f->bytes[1]);
    SWAP(f->tcp_flags[0], f->tcp_flags[1]);
    SWAP(f->ttl_min[0], f->ttl_min[1]);
    SWAP(f->ttl_max[0], f->ttl_max[1]);
    if (f->macs) {
        const struct flow_macs old = *f->macs;
        for (int d = 0; d < 2; d++) {
            f->macs->n[d] = old.n[!d];
            memcpy(f->macs->mac[d], old.mac[!d], sizeof(old.mac[0]));
        }
    }
    memcpy(mac, f->mac[0], 6);
    memcpy(f->mac[0], f->mac[1], 6);
    memcpy(f->mac[1], mac, 6);
    f->flags &= ~(uint32_t)(FLOW_TO_DST_SEEN | FLOW_TO_SRC_SEEN | FLOW_TS_EOF | FLOW_TC_EOF);
    if (seen & FLOW_TO_DST_SEEN)
        f->flags |= FLOW_TO_SRC_SEEN;
    if (seen & FLOW_TO_SRC_SEEN)
        f->flags |= FLOW_TO_DST_SEEN;
    if (eof & FLOW_TS_EOF)
        f->flags |= FLOW_TC_EOF;
    if (eof & FLOW_TC_EOF)
        f->flags |= FLOW_TS_EOF;
    f->flags ^= FLOW_SWAPPED;
    if (f->tcp)
        tcp_session_swap(f->tcp);
}
