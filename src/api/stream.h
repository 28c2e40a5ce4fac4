/* SPDX-License-Identifier: Apache-2.0 */
/* The live stream: one ring of numbered messages, from which every subscriber reads at its own pace
 * (its number is its Last-Event-ID, so that it resumes). Events beyond 50 a second of a type are
 * sampled, evenly, and say so. A thread publishes figures every two seconds while someone listens,
 * and which alert groups have new alerts. Numbers go on over a restart. Bounded: messages, bytes,
 * subscribers. Nobody waits for a slow subscriber: it is told how many messages it has lost, and
 * one that takes nothing for a minute is dropped; both are counted. */
#pragma once

#include "api/api.h"
#include "event/field.h"

struct stream_hub *stream_hub_open(struct api *api, struct err *e) MUST_CHECK;
/* Ends the thread; subscribers are ended by the HTTP server. */
void stream_hub_stop(struct stream_hub *h);
void stream_hub_close(struct stream_hub *h);

/* Where an event comes from, and what makes its identity. */
struct stream_origin {
    enum event_type type;
    const char *sensor, *unit;
    int64_t timestamp_us;
    uint64_t stream, seq;
};
/* An event has come in: cheap when nobody listens. Any thread. */
void stream_event(struct stream_hub *h, const struct stream_origin *from, struct span line);
/* A message of another kind ("job", "alert_group") for all of this unit (NULL: everyone). */
void stream_publish(struct stream_hub *h, const char *kind, const char *unit, struct span json);
/* Since the start. */
struct stream_counters {
    uint64_t seen; /* events that came in */
    uint64_t lost; /* messages that subscribers were too slow for */
    uint64_t slow; /* subscribers that went away with unsent messages */
};
struct stream_counters stream_count(const struct stream_hub *h);

/* GET /api/v1/stream */
void stream_run(struct api_call *c);
