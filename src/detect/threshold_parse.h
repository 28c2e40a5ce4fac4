/* SPDX-License-Identifier: Apache-2.0 */
/* threshold and detection_filter in rules, and threshold.config, share their vocabulary: key value
 * pairs separated by commas. Inside the front end only. */
#pragma once

#include "detect/keyword.h"

/* Which pairs were there. */
enum threshold_part {
    PART_TYPE = 1,
    PART_TRACK = 2,
    PART_COUNT = 4,
    PART_SECONDS = 8,
    PART_NEW_ACTION = 0x10,
    PART_TIMEOUT = 0x20,
    PART_MULTIPLIER = 0x40,
};

/* Reads "type limit, track by_src, count 1, seconds 60" into t and says which parts there were.
 * False with *ret_at and *ret_reason at what is wrong. */
bool threshold_read(struct span text, struct threshold *t, uint32_t *ret_parts,
                    const uint8_t **ret_at, const char **ret_reason);

struct loader;
/* Reads a threshold.config and puts its entries on the rules of the ruleset. Lines that are wrong
 * are diagnosed. False when the file cannot be read. */
bool threshold_config_apply(struct loader *l, const char *file, struct err *e) MUST_CHECK;
