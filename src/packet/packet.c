/* SPDX-License-Identifier: Apache-2.0 */
/* Names that go with struct packet. */
#include "packet/packet.h"

#include "base/must.h"

const char *packet_source_name(enum packet_source source)
{
    static const char *const names[SRC_COUNT] = {
        [SRC_WIRE] = "wire/pcap",
        [SRC_GRE] = "gre tunnel",
        [SRC_IPV4] = "ipv4 tunnel",
        [SRC_IPV6] = "ipv6 tunnel",
        [SRC_TEREDO] = "teredo tunnel",
        [SRC_DEFRAG] = "defrag",
        [SRC_TIMEOUT] = "stream (flow timeout)",
        [SRC_DETECT_LOG] = "stream (detect/log)",
        [SRC_ERSPAN] = "erspan tunnel",
        [SRC_VXLAN] = "vxlan encapsulation",
        [SRC_GENEVE] = "geneve encapsulation",
        [SRC_GTP] = "gtp tunnel",
        [SRC_MPLS] = "mpls tunnel",
    };

    must(source < SRC_COUNT);
    return names[source];
}

const char *drop_reason_text(enum drop_reason r)
{
    static const char *const texts[DROP_REASONS] = {
        [DROP_NONE] = "",
#define DROP_REASON(id, counter, text) [DROP_##id] = text,
#include "packet/drop_reasons.def"
#undef DROP_REASON
    };
    return texts[r];
}

const char *drop_reason_counter(enum drop_reason r)
{
    static const char *const names[DROP_REASONS] = {
#define DROP_REASON(id, counter, text) [DROP_##id] = "ips.drop_reason." counter,
#include "packet/drop_reasons.def"
#undef DROP_REASON
    };
    return names[r];
}
