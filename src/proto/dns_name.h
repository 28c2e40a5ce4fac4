/* SPDX-License-Identifier: Apache-2.0 */
/* Domain names in DNS messages (RFC 1035 4.1.4) and what mDNS and LLMNR will share: compressed
 * names with a budget of labels, and the record structure. */
#pragma once

#include "base/arena.h"
#include "base/rd.h"

struct dns_name {
    struct span text; /* labels joined by dots, on the arena */
    bool truncated;   /* longer than the limit: cut */
};

enum dns_name_fault { DNS_NAME_TOO_LONG = 1, DNS_NAME_LABELS = 2, DNS_NAME_LOOP = 4 };

/* Reads one name at r; pointers lead into `message`. Text is at most `max` bytes. *faults collects
 * enum dns_name_fault. A malformed name makes r bad. */
struct dns_name dns_name_read(struct rd *r, struct span message, struct arena *mem, size_t max,
                              unsigned *faults);
