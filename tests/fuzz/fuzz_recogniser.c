/* SPDX-License-Identifier: Apache-2.0 */
/* Every protocol's recogniser on one direction's first bytes: two bytes of port, one of flags (bit
 * 0 direction, 1 UDP), then the bytes, in memory of their own size. */
#include "fuzz.h"

#include "base/must.h"
#include "base/rd.h"
#include "proto/conf.h"

#include <stdlib.h>

int fuzz_one(const uint8_t *p, size_t n)
{
    struct proto_conf conf;

    if (n < 3)
        return 0;
    proto_conf_default(&conf);
    const struct probe_hint hint = {&conf, 40000, be16(p),
                                    p[2] & 2 ? TRANSPORT_UDP : TRANSPORT_TCP};
    uint8_t *copy = malloc(n - 3 ? n - 3 : 1);
    must(copy);
    memcpy(copy, p + 3, n - 3);
    for (unsigned i = 1; i < PROTO_COUNT; i++) {
        bool swap = false;
        if (proto_table[i]->transports & hint.transport)
            must(proto_table[i]->probe(span_of(copy, n - 3), p[2] & 1, &hint, &swap) <= PROBE_YES);
    }
    free(copy);
    return 0;
}
