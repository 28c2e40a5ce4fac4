/* SPDX-License-Identifier: Apache-2.0 */
/* The table made of protocols.def, in the order in which recognition asks. */
#include "proto/proto.h"

#define PROTO(id) extern const struct proto proto_##id;
#include "proto/protocols.def"
#undef PROTO

const struct proto *const proto_table[PROTO_COUNT] = {
    NULL,
#define PROTO(id) &proto_##id,
#include "proto/protocols.def"
#undef PROTO
};

const struct proto *proto_find(struct span name)
{
    for (unsigned i = 1; i < PROTO_COUNT; i++)
        if (span_eq(name, span_str(proto_table[i]->name)))
            return proto_table[i];
    return NULL;
}
