/* SPDX-License-Identifier: Apache-2.0 */
/* The run of a sensor: sources, workers, outputs and statistics, between main.c's set-up and its
 * exit status. */
#pragma once

#include "sensor/options.h"
#include "sensor/worker.h"

struct sensor {
    const struct options *options;
    struct sensor_conf conf;
    struct ruleset *rules;
    struct output *outputs[CONF_EVES + 1];
    size_t n_outputs;
    struct filestore *filestore; /* or NULL */
    uint64_t started_ns;         /* steady clock */
};

/* Opens outputs, sources, confines the process and runs until the sources end or a signal comes.
 * False with e: what failed; events up to there are written. */
bool sensor_run(struct sensor *s, struct err *e);
/* Loads the rules that options and configuration name. */
bool sensor_load_rules(struct sensor *s, struct err *e);
