/* SPDX-License-Identifier: Apache-2.0 */
/* The only clock. In a replay time comes from the packets; live code asks here, tests set it. All
 * times are nanoseconds since 1970 UTC in a uint64_t. */
#pragma once

#include "base/span.h"

#define NS_PER_S  1000000000u
#define NS_PER_MS 1000000u
#define NS_PER_US 1000u

/* Wall clock, or what clock_set_fake put there. */
uint64_t clock_now_ns(void);
/* Steady clock for intervals. */
uint64_t clock_mono_ns(void);
/* CPU time of this process. */
uint64_t clock_cpu_ns(void);
/* Tests: clock_now_ns and clock_mono_ns return this; 0 returns to the real clock. */
void clock_set_fake(uint64_t ns);

enum { CLOCK_TEXT = 40 };
/* EVE's form in the process's time zone, "2016-07-13T22:42:07.199672+0000"; returns its length. */
size_t clock_eve(uint64_t ns, char text[CLOCK_TEXT]);
/* RFC 3339 in UTC with microseconds, "2016-07-13T22:42:07.199672Z"; returns its length. */
size_t clock_rfc3339(uint64_t ns, char text[CLOCK_TEXT]);
/* Reads either form (any offset, 0 to 9 decimals; 'T' or a space). */
bool clock_parse(struct span text, uint64_t *ret_ns);
/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t clock_days(int64_t year, unsigned month, unsigned day);
void clock_date(int64_t days, int64_t *year, unsigned *month, unsigned *day);
