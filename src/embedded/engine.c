/* SPDX-License-Identifier: Apache-2.0 */
/* Slots, sessions and the preparation of connections. */
#include "embedded/engine.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "embedded/sql.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <unistd.h>

enum { SLOTS_MAX = 64, SESSIONS_MAX = 16, SESSION_NAME = 128, SESSION_TIMEOUT_S = 60 };

struct session {
    char name[SESSION_NAME];
    struct chdb_conn **conn;
    bool busy;
    uint64_t until_ns;
};

struct slot {
    struct engine *en;
    struct chdb_conn **conn;
    struct session *session;
    struct buf restore; /* SET x = DEFAULT, … for a session's connection */
    bool used;
};

struct engine {
    const struct chdb *chdb;
    struct engine_conf conf;
    char *path_arg;
    struct chdb_conn **first; /* keeps the engine open */
    pthread_mutex_t lock;
    pthread_cond_t freed;
    struct slot slots[SLOTS_MAX];
    unsigned used, waiting;
    bool closing;
    struct session sessions[SESSIONS_MAX];
};

void engine_error(struct buf *b, unsigned code, const char *name, const char *fmt, ...)
{
    char text[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    buf_clear(b);
    buf_printf(b, "Code: %u. DB::Exception: %s. (%s)", code, text, name);
}

/* Runs a statement of our own; its error text goes to `error`. */
static bool run(struct engine *en, struct chdb_conn *conn, struct span sql, struct buf *error)
{
    struct chdb_result *r = en->chdb->query(conn, (const char *)sql.p, sql.n, "Null", 4);
    const char *text = en->chdb->error(r);

    if (text) {
        buf_clear(error);
        buf_str(error, text);
    }
    en->chdb->destroy(r);
    return text == NULL;
}

static struct chdb_conn **connection_open(struct engine *en)
{
    char name[] = "daizong-store";
    char *argv[] = {name, en->path_arg, NULL};

    return en->chdb->connect(2, argv);
}

static struct chdb_conn **engine_boot(struct engine *en)
{
    char name[] = "daizong-store", memory[64];
    /* Caches and pools of a server on a large machine, cut down to a node's. */
    char marks[] = "--mark_cache_size=67108864", index[] = "--index_mark_cache_size=16777216";
    char primary[] = "--primary_index_cache_size=67108864";
    char uncompressed[] = "--uncompressed_cache_size=0";
    char merges[] = "--background_pool_size=2", fetches[] = "--background_common_pool_size=2";

    snprintf(memory, sizeof(memory), "--max_server_memory_usage=%llu",
             (unsigned long long)en->conf.memory);
    char *argv[] = {name,    en->path_arg, memory, marks,   index,
                    primary, uncompressed, merges, fetches, NULL};
    return en->chdb->connect((int)LEN(argv) - 1, argv);
}

bool engine_open(const struct chdb *chdb, const struct engine_conf *conf, struct engine **ret,
                 struct err *e)
{
    struct engine *en = mem_zero(sizeof(*en));
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    en->chdb = chdb;
    en->conf = *conf;
    if (!en->conf.slots)
        en->conf.slots = (unsigned)(cores > 0 ? cores : 1) + 2;
    if (en->conf.slots > SLOTS_MAX)
        en->conf.slots = SLOTS_MAX;
    if (!en->conf.queue)
        en->conf.queue = 64;
    if (!en->conf.wait_ms)
        en->conf.wait_ms = 10000;
    if (!en->conf.memory)
        en->conf.memory = 1536ull << 20;
    if (!en->conf.query_memory)
        en->conf.query_memory = 1024ull << 20;
    if (!en->conf.query_time_s)
        en->conf.query_time_s = 30;
    if (!en->conf.query_rows)
        en->conf.query_rows = 1000000;
    en->path_arg = mem_printf("--path=%s", conf->path);
    pthread_mutex_init(&en->lock, NULL);
    pthread_cond_init(&en->freed, NULL);
    chdb->set_signals(0);
    en->first = engine_boot(en);
    if (!en->first) {
        mem_free(en->path_arg);
        mem_free(en);
        return err_set(e, ERR_UNAVAILABLE,
                       "the embedded engine cannot open its data in %s (see the line above)",
                       conf->path);
    }
    *ret = en;
    return true;
}

void engine_close(struct engine *en)
{
    pthread_mutex_lock(&en->lock);
    en->closing = true;
    while (en->used > 0)
        pthread_cond_wait(&en->freed, &en->lock);
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (en->sessions[i].conn)
            en->chdb->close(en->sessions[i].conn);
    en->chdb->close(en->first);
    pthread_mutex_unlock(&en->lock);
}

/* Lock held. Waits for a free slot; NULL when the queue is full, the wait too long or at the end.
 */
static struct slot *slot_take(struct engine *en, struct buf *error)
{
    struct timespec until;

    if (en->closing || (en->used >= en->conf.slots && en->waiting >= en->conf.queue)) {
        engine_error(error, 202, "TOO_MANY_SIMULTANEOUS_QUERIES",
                     "Too many statements at once: %u run and %u wait", en->used, en->waiting);
        return NULL;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += en->conf.wait_ms / 1000;
    en->waiting++;
    int rc = 0;
    while (!en->closing && en->used >= en->conf.slots && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&en->freed, &en->lock, &until);
    en->waiting--;
    if (en->closing || en->used >= en->conf.slots) {
        engine_error(error, 202, "TOO_MANY_SIMULTANEOUS_QUERIES",
                     "No room for another statement after %u ms of waiting", en->conf.wait_ms);
        return NULL;
    }
    for (size_t i = 0; i < en->conf.slots; i++) {
        if (!en->slots[i].used) {
            en->slots[i] = (struct slot){.en = en, .used = true, .restore = buf_new(1 << 16)};
            en->used++;
            return &en->slots[i];
        }
    }
    must(false); /* a slot is free */
    return NULL;
}

/* Lock held. */
static void sessions_expire(struct engine *en)
{
    uint64_t now = clock_mono_ns();

    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct session *s = &en->sessions[i];
        if (s->conn && !s->busy && s->until_ns < now) {
            en->chdb->close(s->conn);
            *s = (struct session){0};
        }
    }
}

/* Lock held. The session of this name, made when there is none; false: it is busy, or too many. */
static bool session_take(struct engine *en, struct slot *slot, struct span name, struct buf *error)
{
    struct session *empty = NULL;

    sessions_expire(en);
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct session *s = &en->sessions[i];
        if (!s->conn) {
            if (!empty)
                empty = s;
            continue;
        }
        if (!span_eq(span_str(s->name), name))
            continue;
        if (s->busy) {
            engine_error(error, 373, "SESSION_IS_LOCKED",
                         "Session %s is locked by a concurrent client", s->name);
            return false;
        }
        s->busy = true;
        slot->session = s;
        slot->conn = s->conn;
        return true;
    }
    if (!empty || name.n >= SESSION_NAME) /* without a session of its own it still runs */
        return true;
    struct chdb_conn **conn = connection_open(en);
    if (!conn)
        return true;
    span_copy(name, empty->name, sizeof(empty->name));
    empty->conn = conn;
    empty->busy = true;
    slot->session = empty;
    slot->conn = conn;
    return true;
}

static void sql_string(struct buf *b, struct span s)
{
    buf_byte(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'' || s.p[i] == '\\')
            buf_byte(b, '\\');
        buf_byte(b, s.p[i]);
    }
    buf_byte(b, '\'');
}

static bool setting_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && s.p[i] != '_')
            return false;
    return s.n > 0 && s.n < 100;
}

/* The ceilings that a reader may lower but not raise. */
static uint64_t reader_ceiling(const struct engine *en, struct span name)
{
    if (span_eq(name, SPAN("max_memory_usage")))
        return en->conf.query_memory;
    if (span_eq(name, SPAN("max_execution_time")))
        return en->conf.query_time_s;
    if (span_eq(name, SPAN("max_result_rows")))
        return en->conf.query_rows;
    return 0;
}

static void setting_add(struct engine *en, struct slot *slot, bool reader,
                        const struct engine_setting *s, struct buf *sql)
{
    uint64_t v, ceiling = reader ? reader_ceiling(en, s->name) : 0;
    char text[24];
    struct span value = s->value;

    if (ceiling && (!span_u64(value, &v) || v == 0 || v > ceiling)) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)ceiling);
        value = span_str(text);
    }
    buf_str(sql, ", ");
    buf_span_add(sql, s->name);
    buf_str(sql, " = ");
    sql_string(sql, value);
    if (slot->session) {
        buf_str(&slot->restore, slot->restore.n ? ", " : "SET ");
        buf_span_add(&slot->restore, s->name);
        buf_str(&slot->restore, " = DEFAULT");
    }
}

static bool prepare(struct engine *en, struct slot *slot, const struct engine_ask *ask,
                    struct buf *error)
{
    struct buf sql CLEANUP(buf_free) = buf_new(1 << 16);

    if (!slot->conn && !(slot->conn = connection_open(en))) {
        engine_error(error, 210, "NETWORK_ERROR", "The engine does not take another connection");
        return false;
    }
    if (ask->database.n) {
        buf_str(&sql, "USE `");
        for (size_t i = 0; i < ask->database.n; i++) {
            if (ask->database.p[i] == '`' || ask->database.p[i] == '\\')
                buf_byte(&sql, '\\');
            buf_byte(&sql, ask->database.p[i]);
        }
        buf_str(&sql, "`");
        if (!run(en, *slot->conn, buf_span(&sql), error))
            return false;
        buf_clear(&sql);
    }
    buf_str(&sql, "SET async_insert = 0, implicit_select = 0, allow_introspection_functions = 0,"
                  " http_max_tries = 1");
    if (ask->reader)
        buf_printf(&sql,
                   ", max_memory_usage = %llu, max_execution_time = %u, max_result_rows = %llu,"
                   " result_overflow_mode = 'throw', timeout_overflow_mode = 'throw',"
                   /* The default is 1 GB a thread: no query of ours would get a second one. */
                   " max_threads_min_free_memory_per_thread = 67108864",
                   (unsigned long long)en->conf.query_memory, en->conf.query_time_s,
                   (unsigned long long)en->conf.query_rows);
    for (size_t i = 0; i < ask->settings_n; i++) {
        if (!setting_name(ask->settings[i].name)) {
            engine_error(error, 115, "UNKNOWN_SETTING", "A setting's name is not one");
            return false;
        }
        setting_add(en, slot, ask->reader, &ask->settings[i], &sql);
    }
    if (sql.full) {
        engine_error(error, 162, "TOO_DEEP_RECURSION", "Too many settings");
        return false;
    }
    if (!run(en, *slot->conn, buf_span(&sql), error))
        return false;
    return !ask->reader || run(en, *slot->conn, SPAN("SET readonly = 1"), error);
}

struct slot *slot_get(struct engine *en, const struct engine_ask *ask, struct buf *error)
{
    pthread_mutex_lock(&en->lock);
    struct slot *slot = slot_take(en, error);
    bool ok = slot != NULL;
    if (ok && ask->session.n && !ask->reader)
        ok = session_take(en, slot, ask->session, error);
    if (ok && slot->session)
        slot->session->until_ns =
            clock_mono_ns() +
            (uint64_t)(ask->session_timeout_s ? ask->session_timeout_s : SESSION_TIMEOUT_S) *
                NS_PER_S;
    pthread_mutex_unlock(&en->lock);
    if (ok && prepare(en, slot, ask, error))
        return slot;
    if (slot)
        slot_put(slot);
    return NULL;
}

void slot_put(struct slot *s)
{
    struct engine *en = s->en;
    struct buf ignored CLEANUP(buf_free) = buf_new(4096);

    if (s->session && s->restore.n)
        run(en, *s->conn, buf_span(&s->restore), &ignored);
    if (!s->session && s->conn)
        en->chdb->close(s->conn);
    buf_free(&s->restore);
    pthread_mutex_lock(&en->lock);
    if (s->session)
        s->session->busy = false;
    *s = (struct slot){0};
    en->used--;
    pthread_cond_broadcast(&en->freed);
    pthread_mutex_unlock(&en->lock);
}

struct chdb_conn *slot_conn(struct slot *s)
{
    return *s->conn;
}

bool slot_reader_may(struct slot *s, struct span sql, struct buf *error)
{
    struct chdb_analysis a = {.struct_size = sizeof(a)};
    struct span call = sql_outside_call(sql);

    if (call.n) {
        engine_error(error, 164, "READONLY",
                     "%.*s: what reaches beyond the store is refused in readonly mode",
                     (int)min_size(call.n, 60), (const char *)call.p);
        return false;
    }
    if (s->en->chdb->classify(slot_conn(s), (const char *)sql.p, sql.n, NULL, 0, &a) != 0)
        a.query_class = CHDB_UNKNOWN;
    if (a.statements > 1) {
        engine_error(error, 62, "SYNTAX_ERROR", "Multi-statements are not allowed");
        return false;
    }
    if (a.query_class != CHDB_READ_ONLY && a.query_class != CHDB_UNKNOWN) {
        engine_error(error, 164, "READONLY", "Cannot execute query in readonly mode");
        return false;
    }
    return true;
}
