/* SPDX-License-Identifier: Apache-2.0 */
/* Reputations of addresses and networks, by category: what `iprep` asks for. Read at start from a
 * file of categories and lists of addresses, immutable afterwards. */
#pragma once

#include "base/err.h"
#include "base/ip.h"

enum { IPREP_CATEGORIES = 60, IPREP_MOST = 127 };

struct iprep;

/* categories: lines `number,short name,description`; files: lines `address or network,number of the
 * category,reputation`. A line that is wrong is an error that names it. */
bool iprep_load(const char *categories, const char *const *files, size_t n_files,
                struct iprep **ret, struct err *e) MUST_CHECK;
void iprep_free(struct iprep *r);
/* The number of a category by its short name, 0: there is none. */
uint8_t iprep_category(const struct iprep *r, struct span name);
/* The reputation of an address, of itself or else of the smallest network that has one; 0: none. */
uint8_t iprep_find(const struct iprep *r, uint8_t category, const struct ip *a);
