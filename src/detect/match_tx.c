/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on a transaction: values that its protocol offers, anomalies, TLS versions and times,
 * properties of its files. */
#include "base/clock.h"
#include "detect/buffers.h"
#include "detect/flowvars.h"
#include "detect/keyword.h"
#include "detect/match.h"
#include "detect/worker.h"
#include "proto/file.h"

enum { VALUES_MAX = 1024 }; /* instances looked at */

static enum found found_if(bool holds)
{
    return holds ? FOUND : FOUND_NOT;
}

static const struct proto_value *value_source(const struct inspection *in,
                                              const struct value_cond *v)
{
    uint8_t proto = app_number(in->app);

    for (uint8_t i = 0; v && i < v->n_sources; i++)
        if (v->sources[i].proto == proto)
            return v->sources[i].value;
    return NULL;
}

static bool value_get(struct inspection *in, const struct value_cond *v, uint32_t index,
                      uint64_t *ret)
{
    const struct proto_value *s = value_source(in, v);

    return s && in->tx && s->get(in->tx, in->dir, index, ret);
}

enum found match_tx_value(struct inspection *in, const struct match *m)
{
    const struct value_cond *v = m->data;
    uint32_t n = 0, hits = 0;
    uint64_t x;

    if (v->which == INDEX_ONE && v->index >= 0)
        return found_if(value_get(in, v, (uint32_t)v->index, &x) && uint_cond_match(&v->cond, x));
    while (n < VALUES_MAX && value_get(in, v, n, &x)) {
        n++;
        if (!uint_cond_match(&v->cond, x))
            continue;
        hits++;
        if (v->which == INDEX_ANY)
            return FOUND;
    }
    switch (v->which) {
    case INDEX_COUNT:
        return found_if(uint_cond_match(&v->cond, n));
    case INDEX_ONE: {
        int64_t at = (int64_t)n + v->index;
        return found_if(at >= 0 && value_get(in, v, (uint32_t)at, &x) &&
                        uint_cond_match(&v->cond, x));
    }
    case INDEX_ALL:
        return found_if(hits == n);
    case INDEX_ALL1:
        return found_if(n > 0 && hits == n);
    default:
        return FOUND_NOT;
    }
}

bool layer_event_is_new(const struct inspection *in, uint8_t event)
{
    for (uint8_t i = 0; in->app && i < in->app->n_layer_events; i++)
        if (in->app->layer_events[i] == event)
            return true;
    return false;
}

enum found match_app_layer_event(struct inspection *in, const struct match *m)
{
    const struct app_event_cond *e = m->data;

    if (e->proto == PROTO_NONE)
        return found_if(layer_event_is_new(in, e->event));
    if (!in->app || app_number(in->app) != e->proto)
        return FOUND_NOT;
    for (uint8_t i = 0; in->tx && i < in->tx->n_events; i++)
        if (in->tx->events[i] == e->event)
            return FOUND;
    for (uint8_t i = 0; i < in->app->n_events; i++)
        if (in->app->events[i] == e->event)
            return FOUND;
    return FOUND_NOT;
}

enum found match_app_layer_state(struct inspection *in, const struct match *m)
{
    const struct app_state_cond *s = m->data;
    const struct uint_cond c = {s->op, s->progress, 0};

    return found_if(in->tx && uint_cond_match(&c, in->tx->progress[s->dir & 1]));
}

/* Drafts of TLS 1.3 count as TLS 1.3. */
static uint64_t version_final(uint64_t v)
{
    return v >> 8 == 0x7f ? 0x0304 : v;
}

enum found match_tls_version(struct inspection *in, const struct match *m)
{
    const struct tls_version *t = m->data;
    uint64_t x;

    if (!value_get(in, t->value, 0, &x))
        return FOUND_NOT;
    return found_if((x == t->version || version_final(x) == t->version) != t->negated);
}

enum found match_ssl_version(struct inspection *in, const struct match *m)
{
    const struct ssl_version *t = m->data;
    uint64_t x;
    bool negations = false, excluded = false, named = false;

    if (!value_get(in, t->value, 0, &x))
        return FOUND_NOT;
    for (uint8_t i = 0; i < t->n; i++) {
        bool same = version_final(x) == t->list[i].version;
        negations = negations || t->list[i].negated;
        excluded = excluded || (same && t->list[i].negated);
        named = named || (same && !t->list[i].negated);
    }
    return found_if(named || (negations && !excluded));
}

enum found match_ssl_state(struct inspection *in, const struct match *m)
{
    const struct ssl_state *s = m->data;
    uint64_t x;

    return found_if(value_get(in, s->value, 0, &x) && ((x & s->mask) != 0) != s->negated);
}

enum found match_tls_store(struct inspection *in, const struct match *m)
{
    (void)in, (void)m;
    return FOUND;
}

static bool cert_time(struct inspection *in, const char *name, uint64_t *ret)
{
    if (!in->app || !in->app->proto || !in->tx)
        return false;
    for (size_t i = 0; i < in->app->proto->n_values; i++) {
        const struct proto_value *v = &in->app->proto->values[i];
        if (strcmp(v->name, name) == 0)
            return v->get(in->tx, in->dir, 0, ret);
    }
    return false;
}

enum found match_tls_cert_expired(struct inspection *in, const struct match *m)
{
    uint64_t end;

    (void)m;
    return found_if(cert_time(in, "tls.cert_notafter", &end) && end < in->p->ts_ns / NS_PER_S);
}

enum found match_tls_cert_valid(struct inspection *in, const struct match *m)
{
    uint64_t begin, end, now = in->p->ts_ns / NS_PER_S;

    (void)m;
    return found_if(cert_time(in, "tls.cert_notbefore", &begin) &&
                    cert_time(in, "tls.cert_notafter", &end) && begin < now && now < end);
}

static enum found cert_compare(struct inspection *in, const struct cert_time *t)
{
    uint64_t x;

    return found_if(value_get(in, t->value, 0, &x) && uint_cond_match(&t->cond, x));
}

enum found match_tls_cert_not_before(struct inspection *in, const struct match *m)
{
    return cert_compare(in, m->data);
}

enum found match_tls_cert_not_after(struct inspection *in, const struct match *m)
{
    return cert_compare(in, m->data);
}

/* A size that can still grow only satisfies conditions that more bytes cannot undo. */
static bool file_size_holds(const struct file *f, const struct uint_cond *c)
{
    bool grows = c->op == UINT_GT || c->op == UINT_GE;

    return (f->state != FILE_OPEN || grows) && uint_cond_match(c, f->size);
}

enum found match_filesize(struct inspection *in, const struct match *m)
{
    for (const struct file *f = in->tx ? in->tx->files[in->dir] : NULL; f; f = f->next)
        if (file_size_holds(f, m->data))
            return FOUND;
    return FOUND_NOT;
}

static bool digest_listed(const struct file_hash *h, const uint8_t *digest)
{
    uint32_t low = 0, high = h->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int c = memcmp(h->sorted + (size_t)middle * h->n_bytes, digest, h->n_bytes);
        if (c == 0)
            return true;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

enum found match_file_hash(struct inspection *in, const struct match *m)
{
    const struct file_hash *h = m->data;

    for (const struct file *f = in->tx ? in->tx->files[in->dir] : NULL; f; f = f->next) {
        const uint8_t *digest = h->n_bytes == 16 && f->has_md5      ? f->md5
                                : h->n_bytes == 20 && f->has_sha1   ? f->sha1
                                : h->n_bytes == 32 && f->has_sha256 ? f->sha256
                                                                    : NULL;
        if (f->state == FILE_CLOSED && digest && digest_listed(h, digest) != h->negated)
            return FOUND;
    }
    return FOUND_NOT;
}

enum found match_file_name(struct inspection *in, const struct match *m)
{
    (void)m;
    return found_if(in->tx && in->tx->files[in->dir]);
}

/* Done when all else matched: the files are marked as wanted, with the rule that wants them, and
 * with a wider scope those to come too. */
enum found match_filestore(struct inspection *in, const struct match *m)
{
    const struct filestore *s = m->data;
    uint8_t dirs = (uint8_t)(s->dir ? s->dir : 1 << in->dir);

    if (!in->tx)
        return FOUND;
    if (s->scope == 1)
        in->tx->want_files = (uint8_t)(in->tx->want_files | dirs);
    else if (s->scope == 2)
        in->app->want_files = (uint8_t)(in->app->want_files | dirs);
    for (unsigned dir = 0; dir < 2; dir++) {
        if (!(dirs & 1 << dir))
            continue;
        for (struct file *f = in->tx->files[dir]; f; f = f->next) {
            if (f->n_sids < LEN(f->sids))
                f->sids[f->n_sids++] = in->rule->sid;
            file_want(in->app, f);
        }
    }
    return FOUND;
}

enum found match_config(struct inspection *in, const struct match *m)
{
    (void)m;
    if (!in->tx)
        return FOUND;
    in->tx->logged[DIR_TS] = in->tx->logged[DIR_TC] = true;
    if (in->app->proto->quiet)
        in->app->proto->quiet(in->app, in->tx);
    return FOUND;
}
