/* SPDX-License-Identifier: Apache-2.0 */
/* What the spool's folder must know after it is opened again, however it was left: positions of all
 * streams when old segments are gone, a torn tail that does not stand between records, a ceiling on
 * streams. And what the ingest above it takes of what is brought twice. */
#include "base/mem.h"
#include "store/ingest.h"
#include "store/spool.h"
#include "store/store.h"

#include "unit.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void dir_clear(void)
{
    DIR *d = opendir(dir);
    const struct dirent *x;

    while (d && (x = readdir(d)) != NULL)
        unlinkat(dirfd(d), x->d_name, 0);
    if (d)
        closedir(d);
    rmdir(dir);
}

static bool append(struct spool *s, struct span data, uint64_t stream, uint64_t seq)
{
    struct err e;
    struct spool_position p = {stream, seq};
    struct spool_record r = {
        .events_n = 1, .events = &data, .events_pieces = 1, .positions = &p, .positions_n = 1};

    return spool_append(s, &r, &e);
}

static unsigned confirm_all(struct spool *s)
{
    struct buf buf = buf_new(1 << 20);
    struct spool_record r;
    struct err e;
    bool found;
    unsigned n = 0;

    while (spool_read(s, &buf, &r, &found, &e) && found) {
        spool_confirm(s, r.number);
        n++;
    }
    buf_free(&buf);
    return n;
}

static unsigned segments(void)
{
    DIR *d = opendir(dir);
    const struct dirent *x;
    unsigned n = 0;

    while (d && (x = readdir(d)) != NULL)
        n += strstr(x->d_name, ".seg") != NULL;
    if (d)
        closedir(d);
    return n;
}

/* A stream that said something once, long ago: its position outlives its segment. */
static void old_positions(void)
{
    size_t large = 33 << 20;
    uint8_t *data = mem_zero(large);
    struct spool *s;
    struct err e;

    CHECK(spool_open(dir, &s, &e) && append(s, SPAN("early"), 1, 77));
    for (uint64_t i = 1; i <= 3; i++)
        CHECK(append(s, span_of(data, large), 2, i));
    CHECK(confirm_all(s) == 4);
    CHECK(append(s, SPAN("late"), 3, 5)); /* lets the first segment go */
    CHECK(segments() == 1);
    spool_close(s);
    CHECK(spool_open(dir, &s, &e));
    CHECK(spool_position_get(s, 1) == 77 && spool_position_get(s, 2) == 3);
    CHECK(spool_position_get(s, 3) == 5 && confirm_all(s) == 1);
    spool_close(s);
    mem_free(data);
    dir_clear();
}

/* A torn tail is cut off at once: it is not found again at the next start. */
static void torn_once(void)
{
    struct spool_count c;
    struct spool *s;
    struct stat before, after;
    struct err e;
    char path[128];

    CHECK(spool_open(dir, &s, &e) && append(s, SPAN("one"), 1, 1) && append(s, SPAN("two"), 1, 2));
    spool_close(s);
    snprintf(path, sizeof(path), "%s/%016x.seg", dir, 1);
    CHECK(stat(path, &before) == 0 && truncate(path, before.st_size - 1) == 0);
    CHECK(spool_open(dir, &s, &e));
    spool_count(s, &c);
    CHECK(c.torn == 1 && c.waiting == 1);
    CHECK(stat(path, &after) == 0 && (uint64_t)after.st_size == c.bytes);
    spool_close(s);
    CHECK(spool_open(dir, &s, &e));
    spool_count(s, &c);
    CHECK(c.torn == 0 && c.waiting == 1);
    spool_close(s);
    dir_clear();
}

/* A position never goes back, whatever order records name it in. */
static void never_back(void)
{
    struct spool *s;
    struct err e;

    CHECK(spool_open(dir, &s, &e) && append(s, SPAN("a"), 4, 10) && append(s, SPAN("b"), 4, 7));
    CHECK(spool_position_get(s, 4) == 10);
    spool_close(s);
    CHECK(spool_open(dir, &s, &e) && spool_position_get(s, 4) == 10);
    spool_close(s);
    dir_clear();
}

/* More streams than there is room for: the newest are known, and as many as fit. */
static void many_streams(void)
{
    enum { PIECE = 4096 };
    struct spool_position *p = mem_array(PIECE, sizeof(*p));
    struct span none = SPAN("x");
    struct spool *s;
    struct err e;
    uint64_t known = 0, all = SPOOL_STREAMS + 2 * PIECE;

    CHECK(spool_open(dir, &s, &e));
    for (uint64_t at = 0; at < all; at += PIECE) {
        for (uint64_t i = 0; i < PIECE; i++)
            p[i] = (struct spool_position){at + i + 1, 9};
        struct spool_record r = {.events_n = 1,
                                 .events = &none,
                                 .events_pieces = 1,
                                 .positions = p,
                                 .positions_n = PIECE};
        CHECK(spool_append(s, &r, &e));
    }
    for (uint64_t id = 1; id <= all; id++)
        known += spool_position_get(s, id) == 9;
    CHECK(known == SPOOL_STREAMS && spool_position_get(s, all) == 9);
    spool_close(s);
    mem_free(p);
    dir_clear();
}

#define LINE "{\"timestamp\":\"2026-01-02T03:04:05.000000+0000\",\"event_type\":\"flow\"}"

/* Numbers that were taken are repeats, durable is only what is in the spool, also afterwards. */
static void brought_twice(void)
{
    struct store_conf sc = {.url = "http://127.0.0.1:9"};
    struct ingest_conf c = {.spool_dir = dir, .no_thread = true, .batch_rows = 100};
    struct ingest_counters n;
    struct ingest *in;
    struct err e = {0};
    uint64_t next;

    CHECK(store_open(&sc, &c.store, &e));
    CHECK(ingest_open(&c, &in, &e));
    struct ingest_source *src = ingest_source_get(in, SPAN("s"), SPAN(""), 5, &next);
    CHECK(src && next == 1);
    for (uint64_t seq = 1; seq <= 3; seq++)
        CHECK(ingest_line(in, src, seq, SPAN(LINE)) == INGEST_OK);
    CHECK(ingest_line(in, src, 3, SPAN(LINE)) == INGEST_REPEAT);
    CHECK(ingest_line(in, src, 1, SPAN(LINE)) == INGEST_REPEAT);
    ingest_count(in, &n);
    CHECK(n.taken == 3 && n.repeats == 2 && n.quarantined == 0);
    CHECK(ingest_source_durable(in, src) == 0 && !ingest_knows(in, SPAN("s"), 5, &next));
    CHECK(ingest_flush(in, &e) && ingest_source_durable(in, src) == 3);
    CHECK(ingest_line(in, src, 4, SPAN("{")) == INGEST_OK); /* in quarantine, and so taken */
    CHECK(ingest_source_durable(in, src) == 3);
    CHECK(ingest_flush(in, &e) && ingest_source_durable(in, src) == 4);
    CHECK(ingest_close(in, &e));
    CHECK(ingest_open(&c, &in, &e) && ingest_knows(in, SPAN("s"), 5, &next) && next == 5);
    CHECK(!ingest_knows(in, SPAN("other"), 5, &next) && !ingest_knows(in, SPAN("s"), 6, &next));
    CHECK(ingest_close(in, &e));
    store_close(c.store);
    dir_clear();
}

int main(void)
{
    snprintf(dir, sizeof(dir), "/tmp/daizong-spool-more-%d", (int)getpid());
    old_positions();
    torn_once();
    never_back();
    many_streams();
    brought_twice();
    return unit_end();
}
