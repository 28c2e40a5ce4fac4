/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds EVE lines from a file (or standard input) through ingest into a store: the program that the
 * store's tests kill and its benchmark times.
 * usage: feed URL SPOOL SENSOR STREAM [OPTION N…] <FILE, options as in options_read below.
 * Prints `durable N` each time more is durable, and the counters at the end. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/ingest.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void durable(void *ctx, struct ingest_source *src, uint64_t seq)
{
    (void)ctx;
    (void)src;
    printf("durable %llu\n", (unsigned long long)seq);
    fflush(stdout);
}

struct options {
    bool raw;
    unsigned drain_ms;
    uint64_t rate, batch, batch_mb, patience;
};

static bool options_read(int argc, char **argv, struct options *o)
{
    for (int i = 5; i < argc; i++) {
        uint64_t n = 0;
        if (strcmp(argv[i], "--raw") == 0) {
            o->raw = true;
            continue;
        }
        if (i + 1 >= argc || !span_u64(span_str(argv[i + 1]), &n))
            return false;
        if (strcmp(argv[i], "--drain") == 0)
            o->drain_ms = (unsigned)n;
        else if (strcmp(argv[i], "--rate") == 0)
            o->rate = n;
        else if (strcmp(argv[i], "--batch") == 0)
            o->batch = n;
        else if (strcmp(argv[i], "--batch-mb") == 0)
            o->batch_mb = n;
        else if (strcmp(argv[i], "--patience") == 0)
            o->patience = n;
        else
            return false;
        i++;
    }
    return true;
}

static void feed(struct ingest *in, struct ingest_source *src, uint64_t next,
                 const struct options *o)
{
    static char block[1 << 20];
    struct buf line = buf_new(4 << 20);
    uint64_t seq = 0, began = clock_mono_ns();
    size_t n;
    const struct timespec ms = {0, 1000000};

    while ((n = fread(block, 1, sizeof(block), stdin)) > 0) {
        buf_add(&line, block, n);
        struct span rest = buf_span(&line);
        size_t end;
        while ((end = span_find_byte(rest, '\n')) < rest.n) {
            seq++;
            while (seq >= next && ingest_line(in, src, seq, span_cut(rest, 0, end)) == INGEST_FULL)
                nanosleep(&ms, NULL);
            rest = span_from(rest, end + 1);
            while (o->rate && seq * NS_PER_S / o->rate > clock_mono_ns() - began)
                nanosleep(&ms, NULL);
        }
        buf_drop(&line, line.n - rest.n);
    }
    buf_free(&line);
}

int main(int argc, char **argv)
{
    struct options o = {0};
    struct store *store;
    struct ingest *in;
    struct err e = {0};
    struct ingest_counters c;
    uint64_t stream = 0, next;

    log_set_name("feed");
    if (argc < 5 || !span_u64(span_str(argv[4]), &stream) || !options_read(argc, argv, &o))
        return 2;
    struct store_conf sc = {.url = argv[1]};
    if (!store_open(&sc, &store, &e)) {
        log_error("%s", e.text);
        return 1;
    }
    struct ingest_conf ic = {.store = store,
                             .spool_dir = argv[2],
                             .keep_raw = o.raw,
                             .batch_rows = (uint32_t)o.batch,
                             .batch_bytes = (size_t)o.batch_mb << 20,
                             .start_patience_s = (unsigned)o.patience,
                             .durable = durable};
    if (!ingest_open(&ic, &in, &e)) {
        log_error("%s", e.text);
        return err_exit_code(e.kind);
    }
    struct ingest_source *src =
        ingest_source_get(in, span_str(argv[3]), span_str("default"), stream, &next);
    uint64_t began = clock_mono_ns();
    feed(in, src, next, &o);
    uint64_t fed = clock_mono_ns();
    bool ok = o.drain_ms ? ingest_drain(in, o.drain_ms, &e) : ingest_flush(in, &e);
    uint64_t done = clock_mono_ns();
    ingest_count(in, &c);
    printf("lines %llu taken %llu quarantined %llu repeats %llu stored %llu failures %llu "
           "mismatches %llu fed_ms %llu done_ms %llu cpu_ms %llu\n",
           (unsigned long long)c.lines, (unsigned long long)c.taken,
           (unsigned long long)c.quarantined, (unsigned long long)c.repeats,
           (unsigned long long)c.stored, (unsigned long long)c.insert_failures,
           (unsigned long long)c.mismatches, (unsigned long long)((fed - began) / NS_PER_MS),
           (unsigned long long)((done - began) / NS_PER_MS),
           (unsigned long long)(clock_cpu_ns() / NS_PER_MS));
    if (!ok)
        log_error("%s", e.text);
    if (!ingest_close(in, &e)) {
        log_error("%s", e.text);
        ok = false;
    }
    store_close(store);
    return ok ? 0 : 1;
}
