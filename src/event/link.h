/* SPDX-License-Identifier: Apache-2.0 */
/* The stream between a sensor and its node, both ends. Frames: 4 bytes big-endian length of what
 * follows, 1 byte type, payload. The sensor opens with HELLO (which stream, from which number it
 * can still send), the node answers WELCOME (which number it wants next), then EVENTS flow one way
 * and ACK the other. An event is one EVE JSON line with the number of its place in the stream,
 * counted from 1 without gaps. ACK n means: everything up to n is durable at the node, forget it. A
 * stream is a run of numbers under one random 64-bit id; a sensor that cannot resume its numbers
 * draws a new id. Either side may say BYE with a reason. The bytes are hostile until read by
 * link_next. */
#pragma once

#include "base/buf.h"
#include "base/rd.h"

enum {
    LINK_VERSION = 1,
    LINK_HEAD = 5,                  /* length and type */
    LINK_FRAME_MAX = 4 << 20,       /* type and payload; a longer one closes the link */
    LINK_EVENTS_TARGET = 256 << 10, /* a sender closes an EVENTS frame at about this size */
    LINK_EVENTS_DELAY_MS = 200,     /* and at this age */
    LINK_NAME_MAX = 64,
    LINK_PORT = 8601,
};

/* The organisation of whoever names none. */
#define LINK_DEFAULT_UNIT "default"

enum link_type {
    LINK_HELLO = 1,   /* sensor: struct link_hello */
    LINK_WELCOME = 2, /* node: struct link_welcome */
    LINK_EVENTS = 3,  /* sensor: struct link_events */
    LINK_ACK = 4,     /* node: number */
    LINK_BYE = 5,     /* both: struct link_bye */
    LINK_PING = 6,    /* both, every 10 s of silence; no answer for 30 s closes the link */
    LINK_PONG = 7,
};

enum link_bye_code {
    LINK_BYE_DONE = 0,     /* the source has ended: no more events will come in this stream */
    LINK_BYE_STOP = 1,     /* going down, will be back */
    LINK_BYE_DENIED = 2,   /* token refused */
    LINK_BYE_PROTOCOL = 3, /* the other side broke the rules */
    LINK_BYE_VERSION = 4,
    LINK_BYE_FULL = 5, /* the node cannot take more now: try again later */
};

struct link_hello {
    uint16_t version;
    uint64_t stream;     /* random id of this run of numbers */
    uint64_t first_seq;  /* the lowest number the sensor can still send */
    uint64_t started_ns; /* when the stream began, wall clock */
    struct span sensor;  /* name, 1..LINK_NAME_MAX bytes of [A-Za-z0-9._-] */
    struct span unit;    /* organisation, may be empty: the node's default */
    struct span program; /* "daizong-sensor 0.1.0" */
    struct span source;  /* what it watches: "eth0", "captures/x.pcap" */
    struct span token;   /* shared secret of a remote sensor; empty over a Unix socket */
};

struct link_welcome {
    uint16_t version;
    uint64_t next_seq;     /* send from here on; > first_seq when part of it is durable already */
    uint32_t window_bytes; /* at most so many unacknowledged payload bytes */
};

struct link_events {
    uint64_t first_seq;
    uint32_t count;
    struct span lines; /* each: 4 bytes big-endian length, then the line without line feed */
};

struct link_bye {
    uint8_t code; /* enum link_bye_code */
    struct span text;
};

struct link_frame {
    enum link_type type;
    union {
        struct link_hello hello;
        struct link_welcome welcome;
        struct link_events events;
        uint64_t ack_seq;
        struct link_bye bye;
    };
};

/* Each appends one whole frame. Spans longer than their field are cut. */
void link_put_hello(struct buf *b, const struct link_hello *h);
void link_put_welcome(struct buf *b, const struct link_welcome *w);
void link_put_ack(struct buf *b, uint64_t seq);
void link_put_bye(struct buf *b, enum link_bye_code code, const char *text);
/* LINK_PING or LINK_PONG. */
void link_put_empty(struct buf *b, enum link_type type);

/* An EVENTS frame grows in place: open it, add lines, close it. `at` is where it began in b. */
size_t link_events_open(struct buf *b, uint64_t first_seq);
void link_events_add(struct buf *b, struct span line);
/* Writes length and count; a frame with count 0 is taken back. */
void link_events_close(struct buf *b, size_t at, uint32_t count);

/* Cuts the next frame off the front of *in. RD_MORE: not all there yet, nothing is cut. RD_BAD:
 * the link must be closed, *why (static text) says why. The frame's spans point into *in. */
enum rd_state link_next(struct span *in, struct link_frame *f, const char **why);
/* Cuts the next line off an EVENTS frame's lines; false at their end. link_next has checked that
 * lengths and count agree. */
bool link_line_next(struct span *lines, struct span *ret_line);
/* 1..LINK_NAME_MAX bytes of letters, digits, '.', '_', '-', not beginning with '.' or '-'. */
bool link_name_valid(struct span name) PURE;
