/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of daizong-sensor: Suricata's flags where they mean the same, one table for
 * parsing and help. */
#pragma once

#include "base/err.h"

enum { OPTION_LIST = 64 };

struct options {
    const char *config, *log_dir, *data_dir, *filter_file, *user, *group, *node, *unit,
        *sensor_name;
    const char *files[OPTION_LIST]; /* -r */
    size_t n_files;
    const char *interfaces[OPTION_LIST]; /* -i */
    size_t n_interfaces;
    const char *rules[OPTION_LIST]; /* -s: besides the configured ones */
    size_t n_rules;
    const char *rules_only;        /* -S: these alone */
    const char *sets[OPTION_LIST]; /* --set */
    size_t n_sets;
    char *filter; /* BPF text of the rest of the line */
    const char *runmode;
    bool checksums, checksums_set;
    bool test, json, disable_detection, simulate_ips, init_errors_fatal, list_keywords, list_csv,
        list_protocols, list_fields, version, help, build_info, progress, no_confine, list_runmodes;
    unsigned verbose;
    unsigned workers;
};

/* Prints nothing. An unknown option's error names the nearest one. */
bool options_read(struct options *o, int argc, char **argv, struct err *e);
void options_help(void);
