/* SPDX-License-Identifier: Apache-2.0 */
/* One TCP session: what its state machine knows of each side, and the bytes each side sent. Private
 * to this folder. Sequence numbers are 32 bits as on the wire; a stream's bytes are counted from 0
 * (the byte after the SYN) in 64 bits. side[DIR_TS] is what the client sends. */
#pragma once

#include "flow/pool.h"
#include "flow/stream.h"

enum session_flag {
    TF_MIDSTREAM = 1 << 0,
    TF_MIDSTREAM_EST = 1 << 1,    /* its window scale is not known yet */
    TF_MIDSTREAM_SYNACK = 1 << 2, /* picked up with the SYN/ACK */
    TF_TIMESTAMP = 1 << 3,        /* both sides use the option */
    TF_SERVER_WSCALE = 1 << 4,    /* the SYN had a window scale */
    TF_CLIENT_SACKOK = 1 << 5,
    TF_SACKOK = 1 << 6,
    TF_EVASION = 1 << 7, /* right sequence, wrong acknowledgement in the handshake */
    TF_4WHS = 1 << 8,    /* both sent a SYN */
    TF_3WHS_CONFIRMED = 1 << 9,
    TF_ASYNC = 1 << 10,   /* one side only is seen */
    TF_LIBERAL = 1 << 11, /* data were lost: judge resets mildly */
    TF_TFO = 1 << 12,
    TF_TFO_IGNORED = 1 << 13,
    TF_CLOSED_BY_RST = 1 << 14,
    TF_ZWP_TS = 1 << 15, /* a zero window probe was sent to the server */
    TF_ZWP_TC = 1 << 16,
    TF_BYPASS = 1 << 17,
};

enum side_flag {
    SF_ZERO_TIMESTAMP = 1 << 0,
    SF_TIMESTAMP = 1 << 1,
    SF_KEEPALIVE = 1 << 2,
    SF_RST_RECV = 1 << 3,
    SF_DEPTH = 1 << 4,         /* depth reached: no data accepted any more */
    SF_NO_REASSEMBLY = 1 << 5, /* nobody wants its data */
    SF_APP_OFF = 1 << 6,
    SF_RAW_CLOSED = 1 << 7, /* raw inspection takes no new data */
    SF_RAW_OFF = 1 << 8,
    SF_RAW_TRIGGER = 1 << 9,
    SF_RAW_TOUCHED = 1 << 10, /* raw inspection has spoken since the last packet */
    SF_GAP = 1 << 12,
    SF_OS_KNOWN = 1 << 13,
    SF_RECOGNISED = 1 << 14,  /* its protocol is known: what was used is forgotten for good */
    SF_GAP_REFUSED = 1 << 15, /* the application cannot go over the gap yet */
};

/* Bytes [off, off + n) that came with one segment: what the overlap policies judge by. */
struct piece {
    uint64_t off;
    uint32_t n;
    uint32_t before, after; /* how far that segment reached to both sides of it */
};

/* Contiguous bytes of a stream. Runs do not overlap; two may touch until they are needed as one. */
struct run {
    struct run *left, *right, *parent; /* treap by off */
    struct run *prev, *next;
    uint32_t priority;
    uint32_t n, head; /* bytes, and where they begin in data */
    uint64_t off;
    uint8_t *data;
    size_t cap;
    struct piece *pieces; /* in order, from first_piece on */
    size_t pieces_bytes;
    uint32_t first_piece, n_pieces, cap_pieces;
    struct piece own[2];
};

struct sack {
    uint32_t left, right;
};

struct tcp_side {
    uint32_t isn, next_seq, last_ack, next_win, window;
    uint32_t last_ts, last_pkt_s; /* timestamp option, and when it came */
    uint32_t base_seq;            /* of stream offset base */
    uint32_t known_seq;      /* what lies before is known to be used: judged as retransmission */
    uint64_t base, app, raw; /* kept from; handed up to; inspected to */
    uint64_t edge;           /* end of what was ever accepted */
    struct run *root, *first, *last;
    uint32_t n_runs;
    struct sack *sacks; /* disjoint, in order, beyond last_ack */
    size_t sacks_bytes;
    uint16_t n_sacks;
    uint16_t urgent_shift; /* urgent bytes set aside: sequence numbers are shifted by it */
    uint64_t urgent_bytes;
    uint32_t flags; /* enum side_flag */
    uint32_t need, raw_keep;
    uint32_t max_regions;
    uint8_t wscale, os, tcp_flags;
};

/* A SYN or SYN/ACK that differs from the one in force. */
struct tcp_queued {
    uint32_t seq, ack, ts, packet_s;
    uint16_t window;
    uint8_t wscale;
    bool has_sack, has_wscale, has_ts;
};

struct tcp_session {
    struct tcp_side side[2];
    struct stream_engine *engine;
    uint32_t flags; /* enum session_flag */
    uint32_t depth_bytes;
    uint8_t state, previous; /* enum tcp_state */
    uint8_t packet_flags;
    uint8_t first_data; /* 1 + direction of the first data, 0 none */
    struct tcp_queued *queue;
    size_t queue_bytes;
    uint8_t n_queue;
    uint8_t prune_due;                  /* 1 + direction */
    bool pseudo;                        /* the packet in hand is a pseudo packet */
    bool done_est;                      /* session was established after the packet in hand */
    uint64_t packet_left, packet_right; /* where its payload lies, for inline raw inspection */
};

static inline bool seq_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool seq_leq(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

static inline bool seq_gt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static inline bool seq_geq(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) >= 0;
}

/* The last acknowledgement as an offset of the stream, not before its base. */
static inline uint64_t side_acked(const struct tcp_side *s)
{
    if (s->base == 0 && s->last_ack == 0)
        return 0;
    return seq_gt(s->last_ack, s->base_seq) ? s->base + (s->last_ack - s->base_seq) : s->base;
}

void tcp_session_swap(struct tcp_session *s);
