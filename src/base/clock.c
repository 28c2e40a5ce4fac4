/* SPDX-License-Identifier: Apache-2.0 */
/* Times and their texts. Events are stamped per packet, so the second's text is kept per thread
 * and only the decimals are written anew. */
#include "base/clock.h"

#include "base/rd.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic uint64_t clock_fake;

static uint64_t clock_read(clockid_t id)
{
    struct timespec t;

    must(clock_gettime(id, &t) == 0);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_now_ns(void)
{
    uint64_t fake = atomic_load_explicit(&clock_fake, memory_order_relaxed);
    return fake ? fake : clock_read(CLOCK_REALTIME);
}

uint64_t clock_mono_ns(void)
{
    uint64_t fake = atomic_load_explicit(&clock_fake, memory_order_relaxed);
    return fake ? fake : clock_read(CLOCK_MONOTONIC);
}

uint64_t clock_cpu_ns(void)
{
    return clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

void clock_set_fake(uint64_t ns)
{
    atomic_store(&clock_fake, ns);
}

static void clock_micros(char *to, uint64_t ns)
{
    uint32_t us = (uint32_t)(ns % NS_PER_S / NS_PER_US);

    for (size_t i = 6; i-- > 0;) {
        to[i] = (char)('0' + us % 10);
        us /= 10;
    }
}

size_t clock_eve(uint64_t ns, char text[CLOCK_TEXT])
{
    static _Thread_local time_t cached = -1;
    static _Thread_local char head[24], zone[8];
    time_t s = (time_t)(ns / NS_PER_S);

    if (s != cached) {
        struct tm tm;
        localtime_r(&s, &tm);
        if (strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
            head[0] = '\0';
        if (strftime(zone, sizeof(zone), "%z", &tm) == 0)
            zone[0] = '\0';
        cached = s;
    }
    size_t n = strlen(head);
    memcpy(text, head, n);
    text[n] = '.';
    clock_micros(text + n + 1, ns);
    size_t z = strlen(zone);
    memcpy(text + n + 7, zone, z + 1);
    return n + 7 + z;
}

int64_t clock_days(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned yoe = (unsigned)(year - era * 400);
    unsigned doy = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

void clock_date(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int64_t)yoe + era * 400 + (*month <= 2);
}

size_t clock_rfc3339(uint64_t ns, char text[CLOCK_TEXT])
{
    uint64_t s = ns / NS_PER_S;
    int64_t year;
    unsigned month, day, sod = (unsigned)(s % 86400);

    clock_date((int64_t)(s / 86400), &year, &month, &day);
    int n = snprintf(text, CLOCK_TEXT, "%04d-%02u-%02uT%02u:%02u:%02u.%06uZ", (int)year, month, day,
                     sod / 3600, sod / 60 % 60, sod % 60, (unsigned)(ns % NS_PER_S / NS_PER_US));
    return n > 0 ? (size_t)n : 0;
}

static unsigned clock_digits(struct rd *r, size_t n)
{
    unsigned v = 0;

    for (size_t i = 0; i < n; i++) {
        uint8_t c = rd_u8(r);
        if (!ascii_is_digit(c))
            rd_bad(r, "digit expected");
        v = v * 10 + (unsigned)(c - '0');
    }
    return v;
}

static void clock_expect(struct rd *r, const char *any)
{
    uint8_t c = rd_u8(r);
    if (c == 0 || !strchr(any, c))
        rd_bad(r, "separator expected");
}

static uint32_t clock_fraction(struct rd *r)
{
    uint32_t ns = 0, unit = NS_PER_S / 10;

    if (r->n == 0 || r->p[0] != '.')
        return 0;
    rd_skip(r, 1);
    while (r->n && ascii_is_digit(r->p[0])) {
        ns += (uint32_t)(r->p[0] - '0') * unit;
        unit /= 10;
        rd_skip(r, 1);
    }
    return ns;
}

static int64_t clock_zone(struct rd *r)
{
    uint8_t c = rd_u8(r);

    if (c == 'Z' || c == 'z')
        return 0;
    if (c != '+' && c != '-') {
        rd_bad(r, "zone expected");
        return 0;
    }
    unsigned h = clock_digits(r, 2);
    if (r->n && r->p[0] == ':')
        rd_skip(r, 1);
    unsigned m = clock_digits(r, 2);
    int64_t s = (int64_t)h * 3600 + (int64_t)m * 60;
    return c == '-' ? -s : s;
}

bool clock_parse(struct span text, uint64_t *ret_ns)
{
    struct verdict v = {0};
    struct rd r = rd_whole(text, &v);
    unsigned year = clock_digits(&r, 4);
    clock_expect(&r, "-");
    unsigned month = clock_digits(&r, 2);
    clock_expect(&r, "-");
    unsigned day = clock_digits(&r, 2);
    clock_expect(&r, "Tt ");
    unsigned h = clock_digits(&r, 2);
    clock_expect(&r, ":");
    unsigned m = clock_digits(&r, 2);
    clock_expect(&r, ":");
    unsigned s = clock_digits(&r, 2);
    uint32_t frac = clock_fraction(&r);
    int64_t zone = clock_zone(&r);
    rd_end(&r);
    if (v.state != RD_OK || month < 1 || month > 12 || day < 1 || day > 31 || h > 23 || m > 59 ||
        s > 60 || year < 1970)
        return false;
    int64_t at = clock_days(year, month, day) * 86400 + (int64_t)(h * 3600 + m * 60 + s) - zone;
    if (at < 0)
        return false;
    *ret_ns = (uint64_t)at * NS_PER_S + frac;
    return true;
}
