/* SPDX-License-Identifier: Apache-2.0 */
/* The types of thresholds over packet time, what they track, suppression, and a full table. */
#include "base/clock.h"
#include "detect/threshold.h"

#include "unit.h"

static struct entries *store;
static uint32_t next_rule;

/* One letter per match at the given second: A alert, - nothing, s silent. */
static bool gives(struct rule *r, const char *want, const unsigned *seconds)
{
    r->index = next_rule++;
    for (size_t i = 0; want[i]; i++) {
        const uint8_t a[4] = {10, 0, 0, 1}, b[4] = {10, 0, 0, 2};
        struct packet p = {.ip_v = 4, .src = ip_v4(a), .dst = ip_v4(b)};
        uint8_t action;
        p.ts_ns = (1000u + (uint64_t)seconds[i]) * NS_PER_S;
        enum limit l = threshold_check(store, r, &p, NULL, &action);
        char got = l == LIMIT_ALERT  ? (action == ACTION_DROP ? 'D' : 'A')
                   : l == LIMIT_DROP ? '-'
                                     : 's';
        if (got != want[i]) {
            printf("match %zu: %c, expected %c\n", i, got, want[i]);
            return false;
        }
    }
    return true;
}

static void types(void)
{
    static const unsigned now[] = {0, 1, 2, 3, 4, 5, 6, 7}, later[] = {0, 1, 2, 70, 71, 72, 73, 74};
    struct threshold t = {.count = 2, .seconds = 60, .track = TRACK_SRC};
    struct rule r = {.threshold = &t};

    t.type = THRESHOLD_LIMIT;
    CHECK(gives(&r, "AAssss", now));
    CHECK(gives(&r, "AAsAAs", later));
    t.type = THRESHOLD_THRESHOLD;
    CHECK(gives(&r, "-A-A-A", now));
    t.type = THRESHOLD_BOTH;
    CHECK(gives(&r, "-Assss", now));
    CHECK(gives(&r, "-As-As", later));
    t.type = THRESHOLD_BACKOFF;
    t.count = 1;
    t.multiplier = 2;
    CHECK(gives(&r, "AAsAsssA", now));
    struct threshold f = {.type = THRESHOLD_DETECTION, .count = 2, .seconds = 60};
    struct rule r2 = {.detection_filter = &f};
    CHECK(gives(&r2, "--AAAA", now));
    CHECK(gives(&r2, "--A--A", later));
    struct threshold rate = {.type = THRESHOLD_RATE,
                             .count = 2,
                             .seconds = 60,
                             .timeout_s = 3,
                             .new_action = ACTION_DROP};
    struct rule r3 = {.rate_filter = &rate};
    CHECK(gives(&r3, "AADDDDA", now));
}

static void suppressed(void)
{
    static const unsigned now[] = {0, 1};
    const uint8_t a[4] = {10, 0, 0, 1};
    struct ip_range range = {ip_v4(a), ip_v4(a)};
    struct address_set set = {.v4 = &range, .n_v4 = 1};
    struct suppress s = {.track = TRACK_SRC, .ip = &set};
    struct rule r = {.suppress = &s};

    CHECK(gives(&r, "ss", now));
    s.track = TRACK_DST;
    CHECK(gives(&r, "AA", now));
    s.track = TRACK_EITHER;
    CHECK(gives(&r, "ss", now));
    s.all = true;
    s.track = TRACK_DST;
    CHECK(gives(&r, "ss", now));
}

/* More sources than places: no match is lost, and places come back when their time is over. */
static void full(void)
{
    struct entries *small = limits_new(16);
    struct threshold t = {.type = THRESHOLD_LIMIT, .count = 1, .seconds = 10, .track = TRACK_SRC};
    struct rule r = {.threshold = &t};
    uint8_t action;

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 64; i++) {
            const uint8_t a[4] = {10, 1, 0, (uint8_t)i};
            struct packet p = {
                .ip_v = 4, .src = ip_v4(a), .ts_ns = (100u + round * 100u) * (uint64_t)NS_PER_S};
            CHECK(threshold_check(small, &r, &p, NULL, &action) == LIMIT_ALERT);
            enum limit again = threshold_check(small, &r, &p, NULL, &action);
            CHECK(again == (i < 16 ? LIMIT_SILENT : LIMIT_ALERT));
        }
    }
    entries_free(small);
}

int main(void)
{
    store = limits_new(1000);
    types();
    suppressed();
    full();
    entries_free(store);
    return unit_end();
}
