/* SPDX-License-Identifier: Apache-2.0 */
/* Inspection of transactions: which rules are candidates, how far each has come. */
#pragma once

#include "detect/worker.h"

/* Inspects the live transactions of in->app in direction in->dir. */
void tx_inspect_all(struct detect *d, struct inspection *in);
/* Nobody will inspect this direction (pass rule, no rules): marks its transactions as done. */
void tx_skip_all(struct app *a, enum dir dir);
