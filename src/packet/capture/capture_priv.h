/* SPDX-License-Identifier: Apache-2.0 */
/* The two kinds of sources behind struct capture, and BPF filters. */
#pragma once

#include "packet/capture/capture.h"

struct file_capture;
struct live_capture;

struct capture {
    struct file_capture *file; /* one of the two */
    struct live_capture *live;
    struct capture_stats stats;
};

/* file.c */
struct file_capture *file_capture_open(const char *path, const char *filter, struct err *e);
enum capture_state file_capture_next(struct file_capture *f, struct capture_packet *p,
                                     struct capture_stats *stats, struct err *e);
const char *file_capture_name(const struct file_capture *f);
void file_capture_close(struct file_capture *f);

/* live.c */
struct live_capture *live_capture_open(const char *interface, const char *filter,
                                       uint16_t fanout_group, struct err *e);
enum capture_state live_capture_next(struct live_capture *l, struct capture_packet *p,
                                     struct capture_stats *stats, struct err *e);
const char *live_capture_name(const struct live_capture *l);
void live_capture_stats(struct live_capture *l, struct capture_stats *stats);
void live_capture_close(struct live_capture *l);

/* filter.c: a filter is compiled once for each link type that is met. */
struct filter;

/* Compiles the text for Ethernet at once, so that a mistake is told at the start. */
struct filter *filter_new(const char *text, struct err *e);
void filter_free(struct filter *f);
/* Does the packet pass? A text that means nothing for its link type lets nothing pass. */
bool filter_pass(struct filter *f, const struct capture_packet *p);
/* The program for a link type, struct bpf_program of libpcap; NULL when it has none. */
struct bpf_program *filter_program(struct filter *f, uint16_t link);
