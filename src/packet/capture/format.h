/* SPDX-License-Identifier: Apache-2.0 */
/* Capture file formats over a stream: pcap (micro- and nanoseconds, both byte orders, the old
 * variants that libpcap reads) and pcapng. */
#pragma once

#include "packet/capture/capture.h"
#include "packet/capture/stream.h"

struct pcap_file {
    bool swapped, nano, modified;
    uint8_t lengths; /* 0: captured then on the wire; 1: exchanged; 2: exchanged when larger */
    uint16_t link;
    uint32_t snap_n;
};

enum { NG_INTERFACES = 1024 };

struct ng_interface {
    uint16_t link;
    uint32_t snap_n;
    uint64_t units; /* a second has so many */
    int64_t offset_s;
};

struct pcapng_file {
    bool swapped;
    uint32_t n_interfaces;
    struct ng_interface interfaces[NG_INTERFACES];
};

enum capture_format { FORMAT_PCAP, FORMAT_PCAPNG };

struct format {
    enum capture_format kind;
    struct pcap_file pcap;
    struct pcapng_file *ng; /* when it is one */
};

/* Reads the head of the file; an empty file is a fault. */
bool format_open(struct format *f, struct stream *s, struct err *e) MUST_CHECK;
void format_close(struct format *f);
/* The next packet without its number. END, FAILED or OK. */
enum capture_state format_next(struct format *f, struct stream *s, struct capture_packet *p,
                               struct err *e);

/* pcapng.c */
bool pcapng_open(struct pcapng_file *f, struct stream *s, struct err *e) MUST_CHECK;
enum capture_state pcapng_next(struct pcapng_file *f, struct stream *s, struct capture_packet *p,
                               struct err *e);
