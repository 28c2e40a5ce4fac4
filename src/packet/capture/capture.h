/* SPDX-License-Identifier: Apache-2.0 */
/* Where packets come from: capture files (pcap, pcapng, gzip and zstd of them, a folder, standard
 * input) and live interfaces. A source is pulled in batches by one worker. */
#pragma once

#include "base/err.h"
#include "packet/packet.h"

struct capture; /* one open source */

struct capture_packet {
    uint64_t ts_ns, number;
    struct span data;
    uint32_t wire_n;
    uint16_t link;
    bool vlan_stripped; /* the kernel took a VLAN tag off: it is in vlan */
    uint16_t vlan;
};

enum capture_state { CAPTURE_OK, CAPTURE_IDLE, CAPTURE_END, CAPTURE_FAILED };

struct capture_stats {
    uint64_t packets, bytes; /* given out */
    uint64_t filtered;       /* read from a file, not what the filter wants */
    uint64_t kernel_drops, interface_drops;
    uint64_t truncated;    /* the capture holds less of them than the wire had */
    uint64_t ring_freezes; /* live: times that the ring was full */
};

/* A file, a folder of files in name order, or "-". `filter` is BPF text or NULL. */
struct capture *capture_open_file(const char *path, const char *filter, struct err *e);
/* One socket of an AF_PACKET fanout group on `interface`; promiscuous. */
struct capture *capture_open_live(const char *interface, const char *filter, uint16_t fanout_group,
                                  struct err *e);
/* The next packet; its bytes are valid until the next call. IDLE: nothing within ~100 ms.
 * FAILED: e says where; what was read before stands. */
enum capture_state capture_next(struct capture *c, struct capture_packet *p, struct err *e);
/* The file being read now (for a folder it changes), or the interface. */
const char *capture_name(const struct capture *c);
bool capture_is_live(const struct capture *c);
void capture_stats(struct capture *c, struct capture_stats *ret);
void capture_close(struct capture *c);
