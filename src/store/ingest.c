/* SPDX-License-Identifier: Apache-2.0 */
/* Two batches take turns: one is filled under the lock, the other is written by the writer thread.
 * The carrier thread knows only the spool and the store. A source's number rises when a line is
 * taken, its durable number when the batch is in the spool. */
#include "store/ingest.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/htab.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "event/link.h"
#include "store/eve.h"
#include "store/pack.h"
#include "store/split.h"
#include "store/spool.h"

#include <errno.h>
#include <pthread.h>

enum {
    ROWS = 131072,         /* each insert makes a part in five tables: fewer cost less */
    BYTES_MOST = 48 << 20, /* with raw lines this is met first: it bounds both processes */
    AGE_MS = 1000,
    LINE_MAX = 1 << 20,
    QUARANTINE_LINE = 64 << 10,
    RETRY_FIRST_MS = 100,
    RETRY_MOST_MS = 5000,
    ROOM_WAIT_MS = 1000,
    START_RETRY_MS = 200,
    NAME_TEXT = 80,
    FORMS_WITH_WORDS = 2048, /* in one batch; then words are values, which few forms remain after */
    FORMS = 8192,            /* lines that have even more are kept whole */
};

static const struct block_column quarantine_columns[] = {
    {"ingest_ts", "DateTime('UTC')", COL_U32},
    {"daizong_sensor", "LowCardinality(String)", COL_LC},
    {"daizong_unit", "LowCardinality(String)", COL_LC},
    {"stream_id", "UInt64", COL_U64},
    {"stream_seq", "UInt64", COL_U64},
    {"reason", "LowCardinality(String)", COL_LC},
    {"line", "String", COL_STR},
};

struct ingest_source {
    struct hnode node;
    struct ingest_source *next_touched;
    char sensor[NAME_TEXT], unit[NAME_TEXT];
    uint64_t stream, key; /* key: of sensor and stream, the stream_id column */
    uint64_t taken, durable;
    bool touched; /* has lines in the batch being filled */
    void *user;
};

struct batch {
    struct block *events, *quarantine;
    struct {
        struct ingest_source *src;
        uint64_t seq;
    } * positions;
    size_t positions_n;
    uint64_t born_ns; /* 0: empty */
    uint32_t rows;
};

struct ingest {
    struct ingest_conf conf;
    struct spool *spool;
    pthread_mutex_t lock;
    pthread_cond_t work, room, progress, carry;
    struct htab sources;
    struct ingest_source *touched;
    struct eve eve;
    struct split split;
    struct row quarantine_row;
    struct batch batches[2];
    struct batch *filling; /* NULL: both are full */
    struct batch *full, *spare;
    bool flush, stopping;
    bool schema_ready; /* the carrier's */
    bool schema_stale;
    pthread_t writer, carrier;
    struct buf scratch, out_quarantine, into_events, into_quarantine; /* the writer's */
    struct span *pieces;
    struct packer *packer;
    struct buf packed;
    struct buf carried;        /* the carrier's */
    uint64_t patient_until_ns; /* a store that starts is waited for until then without a word */
    struct ingest_counters count;
};

static bool source_equal(const struct hnode *node, const void *key)
{
    const struct ingest_source *b = key;
    const struct ingest_source *a =
        (const void *)((const char *)node - offsetof(struct ingest_source, node));

    return a->stream == b->stream && strcmp(a->sensor, b->sensor) == 0 &&
           strcmp(a->unit, b->unit) == 0;
}

/* Fixed keys: the same stream has the same id in every run. */
uint64_t ingest_stream_id(struct span sensor, uint64_t stream)
{
    return hash_bytes_key(stream, 0x6461697a6f6e67u, sensor.p, sensor.n);
}

bool ingest_knows(struct ingest *in, struct span sensor, uint64_t stream, uint64_t *next_seq)
{
    *next_seq = spool_position_get(in->spool, ingest_stream_id(sensor, stream)) + 1;
    return *next_seq > 1;
}

struct ingest_source *ingest_source_get(struct ingest *in, struct span sensor, struct span unit,
                                        uint64_t stream, uint64_t *next_seq)
{
    struct ingest_source want = {.stream = stream};

    span_copy(sensor, want.sensor, sizeof(want.sensor));
    span_copy(unit.n ? unit : SPAN(LINK_DEFAULT_UNIT), want.unit, sizeof(want.unit));
    want.key = ingest_stream_id(sensor, stream);
    pthread_mutex_lock(&in->lock);
    struct hnode *n = htab_find(&in->sources, hash_mix(want.key), source_equal, &want);
    struct ingest_source *src;
    if (n) {
        src = CONTAINER_OF(n, struct ingest_source, node);
    } else {
        src = mem_get(sizeof(*src));
        *src = want;
        src->taken = src->durable = spool_position_get(in->spool, src->key);
        htab_add(&in->sources, hash_mix(src->key), &src->node);
    }
    *next_seq = src->durable + 1;
    pthread_mutex_unlock(&in->lock);
    return src;
}

uint64_t ingest_source_durable(struct ingest *in, const struct ingest_source *src)
{
    pthread_mutex_lock(&in->lock);
    uint64_t seq = src->durable;
    pthread_mutex_unlock(&in->lock);
    return seq;
}

void ingest_source_set_user(struct ingest_source *src, void *user)
{
    src->user = user;
}

void *ingest_source_user(const struct ingest_source *src)
{
    return src->user;
}

const char *ingest_source_sensor(const struct ingest_source *src)
{
    return src->sensor;
}

const char *ingest_source_unit(const struct ingest_source *src)
{
    return src->unit;
}

uint64_t ingest_source_stream_id(const struct ingest_source *src)
{
    return src->key;
}

static void wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, unsigned ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + (uint64_t)ms * NS_PER_MS;
    until.tv_sec += (time_t)(ns / NS_PER_S);
    until.tv_nsec = (long)(ns % NS_PER_S);
    pthread_cond_timedwait(cond, lock, &until);
}

/* Lock held. The batch being filled goes to the writer. */
static void batch_close(struct ingest *in)
{
    struct batch *b = in->filling;
    size_t n = 0;

    must(b && !in->full);
    for (struct ingest_source *s = in->touched; s; s = s->next_touched)
        n++;
    b->positions = mem_array(n ? n : 1, sizeof(*b->positions));
    b->positions_n = 0;
    for (struct ingest_source *s = in->touched; s; s = s->next_touched) {
        b->positions[b->positions_n].src = s;
        b->positions[b->positions_n++].seq = s->taken;
        s->touched = false;
    }
    in->touched = NULL;
    in->full = b;
    in->filling = in->spare;
    in->spare = NULL;
    pthread_cond_signal(&in->work);
}

static void batch_empty(struct batch *b)
{
    block_clear(b->events);
    block_clear(b->quarantine);
    mem_free(b->positions);
    b->positions = NULL;
    b->positions_n = 0;
    b->born_ns = 0;
    b->rows = 0;
}

static bool batch_is_full(const struct ingest *in, const struct batch *b)
{
    return b->rows >= in->conf.batch_rows ||
           block_bytes(b->events) + block_bytes(b->quarantine) >= in->conf.batch_bytes;
}

/* Asked once for each batch. */
static bool room_in_spool(struct ingest *in)
{
    struct spool_count sc;

    if (in->filling->rows)
        return true;
    spool_count(in->spool, &sc);
    return sc.bytes <= in->conf.spool_max_bytes;
}

/* Lock held. Is there a batch to put a line into? */
static bool batch_ready(struct ingest *in)
{
    if (in->filling && !batch_is_full(in, in->filling))
        return room_in_spool(in);
    if (in->conf.no_thread)
        return false;
    uint64_t until = clock_mono_ns() + (uint64_t)ROOM_WAIT_MS * NS_PER_MS;
    while ((!in->filling || batch_is_full(in, in->filling)) && !in->stopping &&
           clock_mono_ns() < until) {
        if (in->filling && !in->full)
            batch_close(in);
        else
            wait_ms(&in->room, &in->lock, 100);
    }
    return in->filling && !batch_is_full(in, in->filling) && room_in_spool(in);
}

static void quarantine(struct ingest *in, struct ingest_source *src, uint64_t seq, struct span line,
                       const char *why)
{
    struct row *r = &in->quarantine_row;

    row_clear(r);
    row_set(r, 0)->u = clock_now_ns() / NS_PER_S;
    row_set(r, 1)->s = span_str(src->sensor);
    row_set(r, 2)->s = span_str(src->unit);
    row_set(r, 3)->u = src->key;
    row_set(r, 4)->u = seq;
    row_set(r, 5)->s = span_str(why);
    row_set(r, 6)->s = span_cut(line, 0, QUARANTINE_LINE);
    block_add(in->filling->quarantine, r);
    in->count.quarantined++;
}

/* The line itself, in the cheapest way it fits. */
static void take_line(struct ingest *in, struct span line)
{
    struct row *r = &in->eve.row;
    uint32_t forms = block_keys(in->filling->events, SCHEMA_RAW_FORM);

    if (forms < FORMS && split_line(&in->split, line, forms < FORMS_WITH_WORDS)) {
        row_set(r, SCHEMA_RAW_FORM)->s = buf_span(&in->split.form);
        row_set(r, SCHEMA_RAW_VALUES)->s = buf_span(&in->split.values);
    } else {
        row_set(r, SCHEMA_RAW)->s = line;
    }
}

static void take(struct ingest *in, struct ingest_source *src, uint64_t seq, struct span line)
{
    struct row *r = &in->eve.row;

    row_set(r, SCHEMA_STREAM_ID)->u = src->key;
    row_set(r, SCHEMA_STREAM_SEQ)->u = seq;
    row_set(r, SCHEMA_INGEST_TS)->u = in->filling->born_ns / NS_PER_S;
    row_set(r, row_column(F_daizong_sensor))->s = span_str(src->sensor);
    row_set(r, row_column(F_daizong_unit))->s = span_str(src->unit);
    if (in->conf.keep_raw)
        take_line(in, line);
    block_add(in->filling->events, r);
    in->count.taken++;
    uint64_t ns = (uint64_t)in->eve.timestamp_us * NS_PER_US;
    if (ns > in->count.last_event_ns)
        in->count.last_event_ns = ns;
}

enum ingest_answer ingest_line(struct ingest *in, struct ingest_source *src, uint64_t seq,
                               struct span line)
{
    pthread_mutex_lock(&in->lock);
    if (seq <= src->taken) {
        in->count.repeats++;
        pthread_mutex_unlock(&in->lock);
        return INGEST_REPEAT;
    }
    if (!batch_ready(in)) {
        in->count.refused_full++;
        pthread_mutex_unlock(&in->lock);
        return INGEST_FULL;
    }
    struct batch *b = in->filling;
    if (b->rows == 0)
        b->born_ns = clock_now_ns();
    const char *why = line.n > LINE_MAX ? "line longer than 1 MB" : eve_read(&in->eve, line);
    if (why)
        quarantine(in, src, seq, line, why);
    else
        take(in, src, seq, line);
    int64_t timestamp_us = in->eve.timestamp_us; /* the next line's in a moment */
    b->rows++;
    in->count.lines++;
    in->count.bytes += line.n + 1;
    src->taken = seq;
    if (!src->touched) {
        src->touched = true;
        src->next_touched = in->touched;
        in->touched = src;
    }
    if (batch_is_full(in, b) && !in->full)
        batch_close(in);
    pthread_mutex_unlock(&in->lock);
    if (!why && in->conf.event)
        in->conf.event(in->conf.ctx, src, seq, timestamp_us, line);
    return INGEST_OK;
}

/* Puts a full batch into the spool; false: it could not, the batch stays. */
static bool batch_write(struct ingest *in, struct batch *b, struct err *e)
{
    struct spool_position *positions CLEANUP(mem_freep) =
        mem_array(b->positions_n ? b->positions_n : 1, sizeof(*positions));
    struct spool_record r = {.events_n = block_rows(b->events),
                             .quarantine_n = block_rows(b->quarantine),
                             .positions = positions,
                             .positions_n = b->positions_n};

    buf_clear(&in->out_quarantine);
    size_t pieces = r.events_n ? block_pieces(b->events, &in->scratch, in->pieces) : 0;
    if (r.quarantine_n)
        block_write(b->quarantine, &in->out_quarantine);
    if ((r.events_n && !pieces) || in->out_quarantine.full)
        return err_set(e, ERR_NOMEM, "a batch of events is too large");
    if (r.events_n && !packer_pack(in->packer, in->pieces, pieces, &in->packed, e))
        return false;
    struct span packed = buf_span(&in->packed);
    if (r.events_n) {
        r.events = &packed;
        r.events_pieces = 1;
        r.events_packed = true;
    }
    for (size_t i = 0; i < b->positions_n; i++)
        positions[i] = (struct spool_position){b->positions[i].src->key, b->positions[i].seq};
    r.quarantine = buf_span(&in->out_quarantine);
    r.events_into = buf_span(&in->into_events);
    r.quarantine_into = buf_span(&in->into_quarantine);
    return spool_append(in->spool, &r, e);
}

/* Lock held: takes the full batch (or the one being filled, when it is old or asked for), writes it
 * without the lock, tells. *wrote: something was done. */
static bool writer_step(struct ingest *in, bool force, bool *wrote, struct err *e)
{
    uint64_t now = clock_now_ns();
    uint64_t age = (uint64_t)in->conf.batch_age_ms * NS_PER_MS;

    *wrote = false;
    if (!in->full && in->filling && in->filling->rows &&
        (force || now - in->filling->born_ns >= age || in->filling->rows >= in->conf.batch_rows))
        batch_close(in);
    struct batch *b = in->full;
    if (!b)
        return true;
    pthread_mutex_unlock(&in->lock);
    bool ok = batch_write(in, b, e);
    pthread_mutex_lock(&in->lock);
    if (!ok)
        return false;
    *wrote = true;
    for (size_t i = 0; i < b->positions_n; i++)
        b->positions[i].src->durable = b->positions[i].seq;
    /* Told after it can be asked for: who missed the call finds it by ingest_source_durable. */
    pthread_mutex_unlock(&in->lock);
    for (size_t i = 0; i < b->positions_n; i++)
        if (in->conf.durable)
            in->conf.durable(in->conf.ctx, b->positions[i].src, b->positions[i].seq);
    pthread_mutex_lock(&in->lock);
    in->count.durable += b->rows;
    batch_empty(b);
    in->full = NULL;
    if (in->filling)
        in->spare = b;
    else
        in->filling = b;
    pthread_cond_broadcast(&in->room);
    pthread_cond_broadcast(&in->progress);
    pthread_cond_signal(&in->carry);
    return true;
}

static void *writer_run(void *arg)
{
    struct ingest *in = arg;
    bool failing = false, wrote;
    struct err e;

    pthread_mutex_lock(&in->lock);
    while (!in->stopping) {
        if (!writer_step(in, in->flush, &wrote, &e)) {
            if (!failing)
                log_error("events cannot be made durable: %s", e.text);
            failing = true;
            span_copy(span_str(e.text), in->count.last_error, sizeof(in->count.last_error));
            pthread_cond_broadcast(&in->progress);
            wait_ms(&in->work, &in->lock, 500);
            continue;
        }
        if (failing && wrote) {
            failing = false;
            in->count.last_error[0] = '\0';
            log_notice("events are durable again");
        }
        if (!in->full && (!in->filling || in->filling->rows == 0))
            in->flush = false;
        if (!wrote)
            wait_ms(&in->work, &in->lock, in->conf.batch_age_ms / 4 + 1);
    }
    pthread_mutex_unlock(&in->lock);
    return NULL;
}

static bool insert_part(struct ingest *in, struct span into, const struct store_data *data,
                        uint64_t number, struct err *e)
{
    char token[SPOOL_TOKEN];
    char *where CLEANUP(mem_freep) = mem_printf("%.*s", (int)into.n, (const char *)into.p);

    spool_token(in->spool, number, token);
    return store_insert(in->conf.store, where, "Native", data, token, e);
}

static void set_ready(struct ingest *in)
{
    pthread_mutex_lock(&in->lock);
    bool first = !in->count.ready;
    in->count.ready = true;
    in->count.last_error[0] = '\0';
    pthread_mutex_unlock(&in->lock);
    if (first)
        log_info("the store is ready");
}

/* Under its lock: how long events stay, and whether the tables were made for something else. */
static unsigned retention(struct ingest *in)
{
    pthread_mutex_lock(&in->lock);
    unsigned days = in->conf.retention_days;
    if (in->schema_stale)
        in->schema_ready = false;
    in->schema_stale = false;
    pthread_mutex_unlock(&in->lock);
    return days;
}

/* One record from the spool to the store. *found: there was one. */
static bool carrier_step(struct ingest *in, bool *found, struct err *e)
{
    struct spool_record r;

    *found = false;
    unsigned days = retention(in);
    if (!in->schema_ready) {
        struct schema_conf sc = {.retention_days = days};
        if (!schema_ensure(in->conf.store, &sc, e))
            return false;
        in->schema_ready = true;
        set_ready(in);
    }
    if (!spool_read(in->spool, &in->carried, &r, found, e))
        return false;
    if (!*found)
        return true;
    struct store_data events = {
        .fd = r.events_fd, .at = r.events_at, .n = r.events_bytes, .packed = r.events_packed};
    struct store_data quarantine = {.text = r.quarantine};
    bool ok = (!r.events_n || insert_part(in, r.events_into, &events, r.number, e)) &&
              (!r.quarantine_n || insert_part(in, r.quarantine_into, &quarantine, r.number, e));
    if (!ok) {
        if (e->kind == ERR_NOT_FOUND)
            in->schema_ready = false;
        return false;
    }
    spool_confirm(in->spool, r.number);
    pthread_mutex_lock(&in->lock);
    in->count.stored += r.events_n + r.quarantine_n;
    in->count.last_stored_ns = clock_now_ns();
    pthread_cond_broadcast(&in->progress);
    pthread_mutex_unlock(&in->lock);
    return true;
}

static void carrier_failed(struct ingest *in, const struct err *e, bool *failing)
{
    pthread_mutex_lock(&in->lock);
    in->count.insert_failures++;
    span_copy(span_str(e->text), in->count.last_error, sizeof(in->count.last_error));
    pthread_mutex_unlock(&in->lock);
    bool early = !in->count.ready && clock_mono_ns() < in->patient_until_ns;
    if (!*failing && !early)
        log_warn("the store takes no events now, they wait in the spool: %s", e->text);
    *failing = *failing || !early;
}

static void *carrier_run(void *arg)
{
    struct ingest *in = arg;
    unsigned retry = RETRY_FIRST_MS;
    bool failing = false, found, stop = false;
    struct err e;

    while (!stop) {
        unsigned pause = 0;
        if (!carrier_step(in, &found, &e)) {
            carrier_failed(in, &e, &failing);
            pause = in->count.ready ? retry : START_RETRY_MS;
            retry = retry * 2 > RETRY_MOST_MS ? RETRY_MOST_MS : retry * 2;
        } else {
            if (failing && found) {
                log_notice("the store takes events again");
                pthread_mutex_lock(&in->lock);
                in->count.last_error[0] = '\0';
                pthread_mutex_unlock(&in->lock);
                failing = false;
            }
            retry = RETRY_FIRST_MS;
            pause = found ? 0 : 250;
        }
        pthread_mutex_lock(&in->lock);
        if (pause && !in->stopping)
            wait_ms(&in->carry, &in->lock, pause);
        stop = in->stopping;
        pthread_mutex_unlock(&in->lock);
    }
    return NULL;
}

static void batch_init(struct batch *b)
{
    b->events = block_new_events();
    b->quarantine = block_new(quarantine_columns, LEN(quarantine_columns));
}

static bool threads_start(struct ingest *in, struct err *e)
{
    int rc = pthread_create(&in->writer, NULL, writer_run, in);

    if (rc == 0) {
        rc = pthread_create(&in->carrier, NULL, carrier_run, in);
        if (rc == 0)
            return true;
        pthread_mutex_lock(&in->lock);
        in->stopping = true;
        pthread_cond_broadcast(&in->work);
        pthread_mutex_unlock(&in->lock);
        pthread_join(in->writer, NULL);
    }
    errno = rc;
    return err_set(e, ERR_INTERNAL, "no thread to carry events: %m");
}

static void ingest_free(struct ingest *in)
{
    size_t at = 0;

    for (struct hnode *n = htab_next(&in->sources, &at, NULL), *next; n; n = next) {
        next = htab_next(&in->sources, &at, n);
        mem_free(CONTAINER_OF(n, struct ingest_source, node));
    }
    htab_free(&in->sources);
    for (size_t i = 0; i < LEN(in->batches); i++) {
        block_free(in->batches[i].events);
        block_free(in->batches[i].quarantine);
        mem_free(in->batches[i].positions);
    }
    eve_free(&in->eve);
    split_free(&in->split);
    row_free(&in->quarantine_row);
    buf_free(&in->scratch);
    buf_free(&in->packed);
    packer_free(in->packer);
    mem_free(in->pieces);
    buf_free(&in->out_quarantine);
    buf_free(&in->into_events);
    buf_free(&in->into_quarantine);
    buf_free(&in->carried);
    spool_close(in->spool);
    pthread_mutex_destroy(&in->lock);
    mem_free(in);
}

bool ingest_open(const struct ingest_conf *conf, struct ingest **ret, struct err *e)
{
    struct spool *spool;
    pthread_condattr_t attr;

    if (!spool_open(conf->spool_dir, &spool, e))
        return false;
    struct ingest *in = mem_zero(sizeof(*in));
    in->conf = *conf;
    in->spool = spool;
    if (!in->conf.spool_max_bytes)
        in->conf.spool_max_bytes = UINT64_C(4) << 30;
    if (!in->conf.batch_rows)
        in->conf.batch_rows = ROWS;
    if (!in->conf.batch_bytes)
        in->conf.batch_bytes = BYTES_MOST;
    if (!in->conf.batch_age_ms)
        in->conf.batch_age_ms = AGE_MS;
    in->patient_until_ns = clock_mono_ns() + (uint64_t)conf->start_patience_s * NS_PER_S;
    pthread_mutex_init(&in->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&in->work, &attr);
    pthread_cond_init(&in->room, &attr);
    pthread_cond_init(&in->progress, &attr);
    pthread_cond_init(&in->carry, &attr);
    pthread_condattr_destroy(&attr);
    htab_init(&in->sources, 64);
    eve_init(&in->eve);
    split_init(&in->split);
    row_init(&in->quarantine_row);
    batch_init(&in->batches[0]);
    batch_init(&in->batches[1]);
    in->filling = &in->batches[0];
    in->spare = &in->batches[1];
    in->scratch = in->out_quarantine = in->packed = buf_new(SPOOL_RECORD_MAX / 2);
    in->packer = packer_new();
    in->pieces = mem_array(block_pieces_most(in->batches[0].events), sizeof(*in->pieces));
    in->carried = buf_new(SPOOL_RECORD_MAX + 4096);
    in->into_events = in->into_quarantine = buf_new(1 << 16);
    block_into(in->batches[0].events, "events", &in->into_events);
    block_into(in->batches[0].quarantine, "quarantine", &in->into_quarantine);
    if (!conf->no_thread && !threads_start(in, e)) {
        ingest_free(in);
        return false;
    }
    *ret = in;
    return true;
}

bool ingest_flush(struct ingest *in, struct err *e)
{
    bool ok = true, wrote;

    pthread_mutex_lock(&in->lock);
    uint64_t want = in->count.lines, failures = 0;
    while (ok && in->count.durable < want) {
        if (in->conf.no_thread) {
            ok = writer_step(in, true, &wrote, e);
            continue;
        }
        in->flush = true;
        pthread_cond_signal(&in->work);
        wait_ms(&in->progress, &in->lock, 100);
        /* Not durable for 5 s and an error stands there: say so. */
        if (in->count.durable < want && in->count.last_error[0] && ++failures > 50)
            ok = err_set(e, ERR_IO, "%s", in->count.last_error);
    }
    pthread_mutex_unlock(&in->lock);
    return ok;
}

bool ingest_drain(struct ingest *in, unsigned timeout_ms, struct err *e)
{
    uint64_t until = clock_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    struct spool_count sc;
    bool found = true;

    if (!ingest_flush(in, e))
        return false;
    while (in->conf.no_thread && found)
        if (!carrier_step(in, &found, e))
            return false;
    pthread_mutex_lock(&in->lock);
    for (;;) {
        spool_count(in->spool, &sc);
        if (sc.waiting == 0 || clock_mono_ns() >= until)
            break;
        pthread_cond_signal(&in->carry);
        wait_ms(&in->progress, &in->lock, 100);
    }
    if (sc.waiting)
        err_set(e, ERR_TIMEOUT, "%llu rows wait for the store: %s",
                (unsigned long long)sc.waiting_rows, in->count.last_error);
    pthread_mutex_unlock(&in->lock);
    return sc.waiting == 0;
}

bool ingest_mark(struct ingest *in, uint64_t *mark, struct err *e)
{
    struct spool_count sc;

    if (!ingest_flush(in, e))
        return false;
    spool_count(in->spool, &sc);
    *mark = sc.newest;
    return true;
}

bool ingest_stored(struct ingest *in, uint64_t mark, unsigned timeout_ms)
{
    uint64_t until = clock_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    struct spool_count sc;

    pthread_mutex_lock(&in->lock);
    for (;;) {
        spool_count(in->spool, &sc);
        if (sc.confirmed >= mark || clock_mono_ns() >= until)
            break;
        pthread_cond_signal(&in->carry);
        wait_ms(&in->progress, &in->lock, 50);
    }
    pthread_mutex_unlock(&in->lock);
    return sc.confirmed >= mark;
}

bool ingest_close(struct ingest *in, struct err *e)
{
    if (!in)
        return true;
    bool ok = ingest_flush(in, e);
    if (!in->conf.no_thread) {
        pthread_mutex_lock(&in->lock);
        in->stopping = true;
        pthread_cond_broadcast(&in->work);
        pthread_cond_broadcast(&in->carry);
        pthread_cond_broadcast(&in->room);
        pthread_mutex_unlock(&in->lock);
        pthread_join(in->writer, NULL);
        pthread_join(in->carrier, NULL);
    }
    ingest_free(in);
    return ok;
}

void ingest_configure(struct ingest *in, bool keep_raw, unsigned retention_days)
{
    pthread_mutex_lock(&in->lock);
    in->conf.keep_raw = keep_raw;
    if (in->conf.retention_days != retention_days) {
        in->conf.retention_days = retention_days;
        in->schema_stale = true; /* the carrier looks at the tables again */
    }
    pthread_cond_broadcast(&in->carry);
    pthread_mutex_unlock(&in->lock);
}

void ingest_count(struct ingest *in, struct ingest_counters *ret)
{
    struct spool_count sc;

    spool_count(in->spool, &sc);
    pthread_mutex_lock(&in->lock);
    *ret = in->count;
    ret->mismatches = in->eve.mismatches;
    pthread_mutex_unlock(&in->lock);
    ret->spool_bytes = sc.bytes;
    ret->spool_blocks = sc.waiting;
    uint64_t now = clock_now_ns();
    ret->lag_ns = sc.oldest_ns && now > sc.oldest_ns ? now - sc.oldest_ns : 0;
}
