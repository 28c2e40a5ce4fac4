/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of a flow hang on its detection state, those of hosts are in one table for all workers. The
 * packet that sets a tag is in the alert already: it is counted, not logged. A tag on a host is
 * forgotten when the host is not seen for ten minutes. A rule that matches again and again may
 * begin its tag anew only a few times, so that it ends. */
#include "detect/tag.h"

#include "base/clock.h"
#include "base/mem.h"
#include "detect/flowvars.h"

enum { RESTARTS_MAX = 10, HOST_IDLE_S = 600 };

struct tag_host {
    struct entry entry;
    struct ip ip;
    struct tag_list list;
};

struct entries *tags_new(uint32_t max_hosts)
{
    return entries_new(max_hosts, sizeof(struct tag_host), sizeof(struct ip));
}

static void list_add(struct tag_list *l, const struct rule *r, const struct tag *t, uint64_t now_ns)
{
    for (uint8_t i = 0; i < l->n; i++) {
        struct tag_state *s = &l->tags[i];
        if (s->sid != r->sid || s->gid != r->gid)
            continue;
        if (s->restarts + 1 < RESTARTS_MAX) {
            s->restarts++;
            s->packets = s->bytes = 0;
            s->first_ns = now_ns;
        }
        return;
    }
    if (l->n < TAGS_MAX)
        l->tags[l->n++] = (struct tag_state){.sid = r->sid,
                                             .gid = r->gid,
                                             .metric = t->metric,
                                             .count = t->count,
                                             .first_ns = now_ns};
}

static bool tag_over(const struct tag_state *s, uint64_t now_ns)
{
    switch (s->metric) {
    case TAG_PACKETS:
        return s->packets > s->count;
    case TAG_BYTES:
        return s->bytes > s->count;
    default:
        return now_ns / NS_PER_S > s->first_ns / NS_PER_S + s->count;
    }
}

static bool list_packet(struct tag_list *l, const struct packet *p)
{
    bool wanted = false;
    uint8_t keep = 0;

    for (uint8_t i = 0; i < l->n; i++) {
        struct tag_state s = l->tags[i];
        s.packets++;
        s.bytes += p->data.n;
        bool first = !s.begun;
        s.begun = true;
        if (!first && tag_over(&s, p->ts_ns))
            continue;
        wanted = wanted || !first;
        l->tags[keep++] = s;
    }
    l->n = keep;
    return wanted;
}

static void host_add(struct entries *hosts, const struct rule *r, const struct tag *t,
                     const struct packet *p)
{
    struct ip ip;

    if (!p->ip_v)
        return;
    memcpy(&ip, t->track == TRACK_SRC ? &p->src : &p->dst, sizeof(ip));
    entries_lock(hosts);
    struct tag_host *h = entries_find(hosts, &ip);
    if (!h)
        h = entries_add(hosts, &ip, p->ts_ns);
    if (h) {
        h->entry.until_ns = p->ts_ns + HOST_IDLE_S * NS_PER_S;
        list_add(&h->list, r, t, p->ts_ns);
    }
    entries_unlock(hosts);
}

static void flow_add(struct detect *d, const struct rule *r, const struct tag *t,
                     const struct packet *p, struct flow *f)
{
    struct flow_detect *x = flow_detect_of(d, f);

    if (!x->tags)
        x->tags = mem_try(sizeof(*x->tags));
    if (!x->tags)
        return;
    if (!x->tagged)
        x->tags->n = 0;
    x->tagged = true;
    list_add(x->tags, r, t, p->ts_ns);
}

void tags_set(struct detect *d, const struct rule *r, const struct packet *p, struct flow *f)
{
    for (const struct match *m = r->post_matches; m; m = m->next) {
        if (m->kind != KW_TAG)
            continue;
        const struct tag *t = m->data;
        if (t->type == TAG_HOST)
            host_add(d->engine->tagged_hosts, r, t, p);
        else if (f)
            flow_add(d, r, t, p, f);
    }
}

static bool host_packet(struct entries *hosts, const struct packet *p, const struct ip *host)
{
    struct ip ip;

    memcpy(&ip, host, sizeof(ip));
    struct tag_host *h = entries_find(hosts, &ip);
    if (!h)
        return false;
    if (h->entry.until_ns < p->ts_ns) {
        entries_drop(hosts, h);
        return false;
    }
    h->entry.until_ns = p->ts_ns + HOST_IDLE_S * NS_PER_S;
    bool wanted = list_packet(&h->list, p);
    if (h->list.n == 0)
        entries_drop(hosts, h);
    return wanted;
}

bool tags_packet(struct detect *d, const struct packet *p, struct flow *f)
{
    struct flow_detect *x = f ? f->detect : NULL;
    struct entries *hosts = d->engine->tagged_hosts;
    bool wanted = false;

    if (p->flags & PKT_PSEUDO)
        return false;
    if (x && x->engine == d->engine && x->tagged) {
        wanted = list_packet(x->tags, p);
        x->tagged = x->tags->n > 0;
    }
    if (!p->ip_v)
        return wanted;
    entries_lock(hosts);
    if (!entries_empty(hosts)) {
        bool src = host_packet(hosts, p, &p->src);
        bool dst = host_packet(hosts, p, &p->dst);
        wanted = wanted || src || dst;
    }
    entries_unlock(hosts);
    return wanted;
}
