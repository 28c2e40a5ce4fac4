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

const char *link_name(uint16_t link)
{
    switch (link) {
    case LINK_NULL:
        return "NULL";
    case LINK_ETHERNET:
        return "EN10MB";
    case LINK_PPP:
        return "PPP";
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
        return "RAW";
    case LINK_PPP_HDLC:
        return "PPP_SERIAL";
    case LINK_CHDLC:
        return "C_HDLC";
    case LINK_LOOP:
        return "LOOP";
    case LINK_LINUX_SLL:
        return "LINUX_SLL";
    case LINK_IPV4:
        return "IPv4";
    case LINK_IPV6:
        return "IPv6";
    case LINK_LINUX_SLL2:
        return "LINUX_SLL2";
    default:
        return "unknown";
    }
}
