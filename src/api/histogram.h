/* SPDX-License-Identifier: Apache-2.0 */
/* What routes share of histograms. */
#pragma once

#include "api/ask.h"

/* A timeline's key: the severity of an alert, else the event's type. */
#define TIMELINE_KEY                                                                               \
    "if(event_type = 'alert', toString(daizong_severity), toString(event_type)) AS k"

struct histogram {
    const struct buf *rows; /* (bucket's epoch second, key, count) */
    uint64_t interval_s, first;
    size_t buckets;
    bool total; /* write the total too */
};

/* A readable interval for this range, or the wanted one where that is not too fine. */
uint64_t histogram_interval(const struct range *r, uint64_t want_s);
/* Sets interval, first bucket and their number. */
void histogram_place(struct histogram *h, const struct range *r, uint64_t want_s);
/* Appends the members interval_s, series, times (and total) to the open object. */
void histogram_json(struct api_call *c, const struct histogram *h);
/* "(SELECT timestamp_s, event_type, daizong_severity …)": the events with this address on either
 * side, one side after the other: each has its own order in the store, both together would read
 * everything. The range may end within a second; then it costs more. */
void histogram_either_sql(struct buf *b, const struct range *r, const struct ip *ip);
