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
    uint64_t reloaded_ns;        /* when the rules came into force; 0: with the first packet */
    uint64_t reloads, reloads_failed;
};

/* Opens outputs, sources, confines the process and runs until the sources end or a signal comes.
 * False with e: what failed; events up to there are written. */
bool sensor_run(struct sensor *s, struct err *e);
/* Loads the rules that options and configuration name. */
bool sensor_load_rules(struct sensor *s, struct err *e);
/* Says through the log which rules could not be loaded, and how many could. */
void sensor_rules_say(const struct ruleset *r);
/* Reads the rules anew while the ones in s->rules are in force. False with e: they stay, because
 * nothing could be loaded, or not all with --init-errors-fatal. */
bool sensor_reread_rules(struct sensor *s, struct ruleset **ret, struct err *e);
/* What the rules in force need of the other parts. */
void sensor_rules_needs(struct sensor *s);
/* The folders that rules and what belongs to them are read from, ended by NULL; free each and the
 * list. */
char **sensor_rules_folders(const struct sensor *s);
