/* SPDX-License-Identifier: Apache-2.0 */
/* Figures about the node itself: health, the live stream's numbers, and the metrics page. */
#pragma once

#include "api/api.h"

/* The data of the stream's `stats` event. */
void figures_stream(struct api *a, struct buf *b, double events_per_s, uint64_t alerts_new);
/* Puts an event's JSON into b with daizong.sensor, daizong.unit and, if so, daizong.sampled. The
 * line must be one JSON object; a `daizong` object that it brings is kept and added to. */
void event_decorate(struct buf *b, struct span line, const char *sensor, const char *unit,
                    bool sampled);

/* GET /api/v1/health and /metrics */
void health_run(struct api_call *c);
void metrics_run(struct api_call *c);
