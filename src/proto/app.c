/* SPDX-License-Identifier: Apache-2.0 */
/* Recognition by content, the calls into the parser in charge, and the transactions' lifetimes.
 * Each direction is recognised by its own first bytes; a direction that stays unknown follows the
 * other one, and the difference is an anomaly. */
#include "proto/app.h"

#include "base/must.h"
#include "proto/conf.h"
#include "proto/file.h"

/* Recognition gives up on a direction after this many bytes without an answer. */
enum { PROBE_BYTES = 4096, FLOW_MEM_BYTES = 1 << 20, TX_MEM_BYTES = 1 << 20, TX_LIVE_MAX = 1024 };

const char *const app_layer_event_names[APP_LAYER_EVENTS] = {
    [APP_MISMATCH_PROTOCOL_BOTH_DIRECTIONS] = "APPLAYER_MISMATCH_PROTOCOL_BOTH_DIRECTIONS",
    [APP_WRONG_DIRECTION_FIRST_DATA] = "APPLAYER_WRONG_DIRECTION_FIRST_DATA",
    [APP_DETECT_PROTOCOL_ONLY_ONE_DIRECTION] = "APPLAYER_DETECT_PROTOCOL_ONLY_ONE_DIRECTION",
    [APP_PROTO_DETECTION_SKIPPED] = "APPLAYER_PROTO_DETECTION_SKIPPED",
    [APP_NO_TLS_AFTER_STARTTLS] = "APPLAYER_NO_TLS_AFTER_STARTTLS",
    [APP_UNEXPECTED_PROTOCOL] = "APPLAYER_UNEXPECTED_PROTOCOL",
};

static void app_layer_event(struct app *a, enum app_layer_event e)
{
    if (a->n_layer_events < LEN(a->layer_events))
        a->layer_events[a->n_layer_events++] = (uint8_t)e;
}

static struct app_counts *app_count(const struct app *a, enum proto_id id)
{
    return &a->env->counts[a->transport == TRANSPORT_UDP][id];
}

/* What a direction speaks, or else the other one. */
static enum proto_id app_spoken(const struct app *a, enum dir dir)
{
    return a->side_proto[dir] ? a->side_proto[dir] : a->side_proto[!dir];
}

void app_init(struct app *a, struct app_env *env, uint8_t transport, uint16_t sport, uint16_t dport)
{
    *a = (struct app){.env = env, .transport = transport, .sport = sport, .dport = dport};
    arena_init(&a->mem, env->pool, FLOW_MEM_BYTES);
}

static void tx_free(struct tx *tx)
{
    struct arena mem = tx->mem; /* the transaction lies on its own arena */

    for (enum dir d = DIR_TS; d <= DIR_TC; d++) {
        for (struct file *f = tx->files[d]; f; f = f->next)
            file_release(f);
    }
    arena_free(&mem);
}

void app_free(struct app *a)
{
    while (a->first) {
        struct tx *tx = a->first;
        a->first = tx->next;
        if (a->proto && a->proto->tx_gone)
            a->proto->tx_gone(a, tx);
        tx_free(tx);
    }
    arena_free(&a->mem);
    a->state = NULL;
    a->proto = NULL;
}

struct tx *app_tx_new(struct app *a)
{
    struct arena mem;

    must(a->proto && a->proto->tx_size >= sizeof(struct tx));
    if (a->live >= TX_LIVE_MAX) {
        app_count(a, a->side_proto[0])->errors_alloc++;
        return NULL;
    }
    arena_init(&mem, a->env->pool, TX_MEM_BYTES + a->proto->tx_size);
    struct tx *tx = arena_zero(&mem, a->proto->tx_size);
    if (!tx) {
        app_count(a, a->side_proto[0])->errors_alloc++;
        return NULL;
    }
    tx->mem = mem;
    tx->id = a->next_tx_id++;
    app_count(a, a->id)->txs += !a->proto->one_tx;
    tx->packet_first = a->packet_number;
    tx->ts_first_ns = a->ts_ns;
    if (a->last)
        a->last->next = tx;
    else
        a->first = tx;
    a->last = tx;
    a->live++;
    return tx;
}

void app_tx_drop(struct app *a, struct tx *tx)
{
    struct tx **at = &a->first;

    must(tx == a->last);
    a->last = NULL;
    while (*at != tx) {
        a->last = *at;
        at = &(*at)->next;
    }
    *at = NULL;
    a->live--;
    a->next_tx_id--;
    app_count(a, a->id)->txs -= !a->proto->one_tx;
    tx_free(tx);
}

uint8_t app_transport(const struct app *a)
{
    return a->transport;
}

void tx_progress(struct tx *tx, enum dir dir, uint8_t progress)
{
    if (progress > tx->progress[dir])
        tx->progress[dir] = progress;
    tx->updated[dir] = true;
}

void tx_event(struct tx *tx, uint8_t event)
{
    if (tx->n_events < TX_EVENTS)
        tx->events[tx->n_events++] = event;
}

void app_event(struct app *a, uint8_t event)
{
    if (a->n_events < LEN(a->events))
        a->events[a->n_events++] = event;
}

void *app_state(struct app *a)
{
    return a->state;
}

struct arena *app_arena(struct app *a)
{
    return &a->mem;
}

const struct proto_conf *app_conf(const struct app *a)
{
    return a->env->conf;
}

const struct log_conf *app_log_conf(const struct app *a)
{
    return a->log ? a->log : &a->env->conf->log;
}

void app_bypass(struct app *a)
{
    a->bypass = true;
}

void app_change(struct app *a, enum proto_id to)
{
    a->change_to = to;
    a->change_asked = true;
}

bool tx_done(const struct app *a, const struct tx *tx, enum dir dir)
{
    return tx->progress[dir] >= a->proto->done[dir] || (tx->one_way && tx->way != dir);
}

static bool tx_finished(const struct app *a, const struct tx *tx, bool detecting)
{
    for (enum dir d = DIR_TS; d <= DIR_TC; d++)
        for (const struct file *f = tx->files[d]; f; f = f->next)
            if (!f->logged)
                return false;
    if (!tx_done(a, tx, DIR_TS) || !tx_done(a, tx, DIR_TC) || !tx->logged[DIR_TS])
        return false;
    return !detecting || (tx->inspected[DIR_TS] && tx->inspected[DIR_TC]);
}

void app_tx_clean(struct app *a, bool detecting)
{
    /* Transactions may end out of order (pipelining, lost answers): look at all live ones. */
    struct tx **at = &a->first;
    struct tx *last = NULL;

    while (*at) {
        struct tx *tx = *at;
        if (tx_finished(a, tx, detecting)) {
            *at = tx->next;
            a->live--;
            if (a->proto->tx_gone)
                a->proto->tx_gone(a, tx);
            tx_free(tx);
            continue;
        }
        last = tx;
        at = &tx->next;
    }
    a->last = last;
}

/* Which protocol do these first bytes speak? *ret_more: some could still become it. */
static enum proto_id app_probe(struct app *a, enum dir dir, struct span data, bool *ret_more,
                               bool *ret_swap)
{
    const struct proto_conf *conf = a->env->conf;
    const struct probe_hint hint = {conf, a->sport, a->dport, a->transport};

    *ret_more = false;
    for (unsigned i = 1; i < PROTO_COUNT; i++) {
        const struct proto *proto = proto_table[i];
        if (!conf->enabled[i] || !(proto->transports & a->transport))
            continue;
        bool swap = false;
        switch (proto->probe(data, dir, &hint, &swap)) {
        case PROBE_YES:
            *ret_swap = swap;
            return i;
        case PROBE_MAYBE:
            *ret_more = true;
            break;
        case PROBE_NO:
            break;
        }
    }
    return PROTO_NONE;
}

static bool app_take(struct app *a, enum proto_id id)
{
    const struct proto *proto = proto_table[id];

    a->proto = proto;
    a->id = id;
    app_count(a, id)->flows++;
    if (a->env->conf->detection_only[id] || !proto->parse) {
        a->parser_off = true;
        return true;
    }
    a->state = arena_zero(&a->mem, proto->state_size ? proto->state_size : 1);
    if (!a->state) {
        app_count(a, id)->errors_alloc++;
        a->parser_off = true;
    }
    return true;
}

static void app_fail(struct app *a)
{
    a->failed = true;
    a->parser_off = true;
    if (a->transport == TRANSPORT_TCP)
        a->env->failed_tcp++;
    else
        a->env->failed_udp++;
}

static void app_known(struct app *a, enum dir dir, enum proto_id id)
{
    enum dir other = dir_other(dir);

    a->side[dir] = SIDE_KNOWN;
    a->side_proto[dir] = id;
    a->failed = false;
    if (!a->proto) {
        app_take(a, id);
        /* Nobody asks what the other side says. */
        if (!a->proto->parse) {
            a->side[other] = SIDE_KNOWN;
            a->side_proto[other] = id;
        }
        return;
    }
    if (a->side[other] == SIDE_KNOWN && a->side_proto[other] != id)
        app_layer_event(a, APP_MISMATCH_PROTOCOL_BOTH_DIRECTIONS);
}

/* True: the data can go to the parser (or nowhere). False: keep them, more is needed. */
static bool app_recognise(struct app *a, enum dir dir, struct span data, unsigned flags,
                          bool *ret_swap)
{
    enum dir other = dir_other(dir);
    bool more, swap = false;

    if (data.n == 0 && a->transport == TRANSPORT_TCP)
        return a->proto != NULL || a->failed;
    /* A direction's first datagram decides. */
    if (a->transport == TRANSPORT_UDP && a->side[dir] == SIDE_FAILED)
        return false;
    enum proto_id id = app_probe(a, dir, data, &more, &swap);
    if (id != PROTO_NONE) {
        /* Only the first bytes of a flow can turn it round. */
        if (swap && !a->fixed && a->side[other] == SIDE_UNKNOWN && !a->seen[other]) {
            a->swapped = *ret_swap = true;
            dir = other;
        }
        app_known(a, dir, id);
        return true;
    }
    if (more && data.n < PROBE_BYTES && !(flags & (PARSE_EOF | PARSE_TRUNCATED)) &&
        a->transport == TRANSPORT_TCP)
        return false;
    a->side[dir] = SIDE_FAILED;
    if (a->side[other] == SIDE_KNOWN && a->transport == TRANSPORT_UDP) {
        a->side[dir] = SIDE_KNOWN;
        a->side_proto[dir] = a->side_proto[other];
        return true;
    }
    if (a->side[other] == SIDE_KNOWN) {
        app_layer_event(a, APP_DETECT_PROTOCOL_ONLY_ONE_DIRECTION);
        return true;
    }
    if (a->side[other] == SIDE_FAILED) {
        app_fail(a);
        return true;
    }
    if (a->transport == TRANSPORT_UDP)
        a->failed = true; /* as long as the other side says nothing else */
    return false;
}

static void app_parse_verdict(struct app *a, enum dir dir, enum parse verdict)
{
    if (verdict == PARSE_DONE) {
        a->done = true;
        a->off[dir] = true;
    } else if (verdict == PARSE_FAIL) {
        app_count(a, app_spoken(a, dir))->errors_parse++;
        a->parser_off = a->parse_failed = true;
    }
}

void app_change_now(struct app *a)
{
    for (unsigned i = 1; i < PROTO_COUNT; i++)
        if (proto_table[i] == a->proto)
            a->original = i;
    while (a->first) {
        struct tx *tx = a->first;
        a->first = tx->next;
        if (a->proto && a->proto->tx_gone)
            a->proto->tx_gone(a, tx);
        tx_free(tx);
    }
    a->last = NULL;
    a->live = 0;
    a->next_tx_id = 0;
    a->other_given = false;
    a->expected = a->change_to;
    a->change_asked = false;
    a->proto = NULL;
    a->state = NULL;
    a->done = false;
    for (int d = 0; d < 2; d++) {
        a->side[d] = SIDE_UNKNOWN;
        a->side_proto[d] = PROTO_NONE;
        a->off[d] = false;
    }
}

size_t app_feed(struct app *a, enum dir dir, struct span data, unsigned flags)
{
    size_t used = 0;
    bool swap = false;

    if (!a->seen[DIR_TS] && !a->seen[DIR_TC])
        a->began = (uint8_t)dir;
    a->seen[dir] += data.n;
    if (a->parser_off || a->off[dir])
        return data.n;
    if (a->side[dir] != SIDE_KNOWN && !(a->side[dir] == SIDE_FAILED && a->proto) &&
        !app_recognise(a, dir, data, flags, &swap))
        return 0;
    if (a->parser_off || !a->proto)
        return data.n;
    if (swap)
        dir = dir_other(dir);
    enum dir other = dir_other(dir);
    a->other_first = (dir == DIR_TC || a->began == DIR_TC) && !a->other_given && !a->swapped &&
                     a->seen[other] && a->side[other] != SIDE_KNOWN &&
                     a->transport == TRANSPORT_TCP;
    a->other_given = true;
    if (a->other_first) {
        a->seen[dir] -= data.n; /* they come again */
        return 0;
    }
    enum parse verdict = a->proto->parse(a, dir, data, flags, &used);
    must(used <= data.n);
    app_parse_verdict(a, dir, verdict);
    if (a->parser_off || a->off[dir])
        return data.n;
    return used;
}

void app_gap(struct app *a, enum dir dir, uint64_t n)
{
    if (a->parser_off || a->off[dir])
        return;
    if (!a->proto) {
        a->side[dir] = SIDE_FAILED;
        if (a->side[dir_other(dir)] == SIDE_FAILED)
            app_fail(a);
        return;
    }
    if (!a->proto->accepts_gaps) {
        app_count(a, app_spoken(a, dir))->errors_gap++;
        a->parser_off = true;
        return;
    }
    app_parse_verdict(a, dir, a->proto->gap(a, dir, n));
}

bool app_wants(const struct app *a, enum dir dir)
{
    return !a->parser_off && !a->off[dir];
}

const char *app_name(const struct app *a)
{
    if (a->proto)
        return a->proto->name;
    return a->failed ? "failed" : NULL;
}

const char *app_side_name(const struct app *a, enum dir dir)
{
    if (a->side[dir] == SIDE_KNOWN)
        return proto_table[a->side_proto[dir]]->name;
    return a->side[dir] == SIDE_FAILED ? "failed" : NULL;
}
