/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum (RFC 1071) of IPv4 headers and of TCP, UDP and ICMP with their
 * pseudo-headers. */
#pragma once

#include "packet/packet.h"

/* The folded one's complement sum of s, started with `sum` (0 or what was summed before it, which
 * must have had an even length). Not inverted. */
uint16_t checksum_add(uint32_t sum, struct span s);
/* Is the IPv4 header's checksum right? */
bool checksum_ip_ok(const struct packet *p);
/* Is the checksum over the whole transport part right? True where there is none to check: an UDP
 * checksum of zero over IPv4, a fragment, another protocol. */
bool checksum_l4_ok(const struct packet *p);
