/* SPDX-License-Identifier: Apache-2.0 */
/* What the node knows of its sensors: state, rates and totals, and the loss ledger made from their
 * `stats` events. Counting happens in memory with every event; the state file is written when
 * something happens to a sensor and at most once a second. */
#pragma once

#include "api/api.h"
#include "event/field.h"

struct sensors;
struct sensor;

struct sensors *sensors_open(struct state *state);
void sensors_close(struct sensors *s);

struct sensor_hello {
    struct span id, unit, version, source;
    uint64_t started_ns;
};
/* A sensor has come (or come back): online from now on. The pointer stays valid. */
struct sensor *sensor_online(struct sensors *s, const struct sensor_hello *hello);
/* "offline" or "done". */
void sensor_gone(struct sensors *s, struct sensor *one, const char *state);
/* An event of this sensor. */
void sensor_event(struct sensor *one, enum event_type type, struct span line);
/* The sensor said something, if only that it lives. */
void sensor_alive(struct sensor *one);
bool sensors_rates(struct sensors *s, const char *id, struct api_rates *ret);
/* Totals since the sensor came: events and alerts. False if it is unknown. */
bool sensors_totals(struct sensors *s, const char *id, uint64_t *events, uint64_t *alerts);
