/* SPDX-License-Identifier: Apache-2.0 */
/* One packet in the TCP state machine: who sends, who receives, and its numbers. Private to this
 * folder. The state functions return false when the packet was rejected. */
#pragma once

#include "base/buf.h"
#include "flow/session.h"

struct stream_engine {
    struct stream_conf conf;
    struct flow_table *flows;
    struct stream_sink sink;
    struct block_pool pool;     /* reassembly */
    struct block_pool sessions; /* sessions and queues */
    uint64_t counters[STREAM_COUNTERS];
    struct exception_counts exceptions;
    struct buf rewritten; /* inline: the packet in hand, with the stream's bytes in it */
};

struct tcp_in {
    struct stream_engine *e;
    struct flow *f;
    struct packet *p;
    struct tcp_session *s;
    struct tcp_side *snd, *rcv; /* what the sender sends; what the receiver sends */
    uint32_t seq, ack, n, end;  /* n bytes of payload; end = seq + n */
    uint16_t window;
    uint8_t flags; /* enum tcp_flag */
    bool ts;       /* towards the server */
};

void tcp_event(const struct tcp_in *in, enum stream_event event);
void tcp_set_state(const struct tcp_in *in, enum tcp_state state);
struct tcp_session *tcp_session_new(struct tcp_in *in);
void tcp_set_os(struct stream_engine *e, struct tcp_side *s, const struct packet *p);

/* rewrite.c: puts the n bytes that the stream has from `off` on into the packet's payload, from
 * `skip` on, and makes the checksum right. */
void tcp_rewrite(struct tcp_in *in, struct tcp_side *s, size_t skip, uint64_t off, size_t n);

/* checks.c */
bool tcp_ack_valid(const struct tcp_in *in, struct tcp_side *s);
bool tcp_rst_valid(const struct tcp_in *in);
bool tcp_timestamp_valid(const struct tcp_in *in);
void tcp_timestamp_update(const struct tcp_in *in);
bool tcp_is_retransmission(const struct tcp_in *in);
bool tcp_is_keepalive(const struct tcp_in *in);
bool tcp_is_keepalive_ack(const struct tcp_in *in);
bool tcp_is_zero_window_probe_ack(const struct tcp_in *in);
bool tcp_is_shutdown_ack(const struct tcp_in *in);
bool tcp_is_window_update(const struct tcp_in *in);
bool tcp_is_bad_window_update(const struct tcp_in *in);
bool tcp_is_outdated_ack(const struct tcp_in *in);
/* 0 no; 1 all acknowledged already; 2 and no longer kept. */
int tcp_is_spurious(const struct tcp_in *in);

/* sack.c */
void tcp_sack_update(struct stream_engine *e, struct tcp_side *s, const struct packet *p);
void tcp_sack_prune(struct tcp_side *s);
uint32_t tcp_sacked_bytes(const struct tcp_side *s);
bool tcp_sack_outdated(const struct tcp_side *s, const struct packet *p);
void tcp_sack_free(struct stream_engine *e, struct tcp_side *s);

/* open.c, established.c, close.c */
bool tcp_none(struct tcp_in *in);
bool tcp_syn_sent(struct tcp_in *in);
bool tcp_syn_recv(struct tcp_in *in);
bool tcp_established(struct tcp_in *in);
bool tcp_handle_fin(struct tcp_in *in);
/* A reset in a state after ESTABLISHED. */
bool tcp_handle_rst(struct tcp_in *in);
bool tcp_fin_wait1(struct tcp_in *in);
bool tcp_fin_wait2(struct tcp_in *in);
bool tcp_closing(struct tcp_in *in);
bool tcp_close_wait(struct tcp_in *in);
bool tcp_last_ack(struct tcp_in *in);
bool tcp_time_wait(struct tcp_in *in);

/* queue.c */
void tcp_queue_free(struct stream_engine *e, struct tcp_session *s);
/* Remembers what the SYN in force said before a differing one replaces it. */
void tcp_queue_syn(struct tcp_in *in);
bool tcp_queue_synack(struct tcp_in *in);
struct tcp_queued *tcp_queue_find_ack(const struct tcp_in *in);
/* The stored SYN that a SYN/ACK answers, put in force; false if there is none. */
bool tcp_queue_answers(struct tcp_in *in);
struct tcp_queued tcp_queued_of_packet(const struct packet *p);
void tcp_apply_syn(struct tcp_session *s, const struct tcp_queued *q);

/* segment.c: data of an accepted packet, and what its acknowledgement frees for the application */
void tcp_segment(struct tcp_in *in, struct tcp_side *from);
void tcp_deliver(struct tcp_in *in, enum dir dir);
void tcp_prune(struct stream_engine *e, struct flow *f, struct tcp_session *s, enum dir dir);

static inline void tcp_set_base(struct tcp_side *s, uint32_t isn)
{
    s->base_seq = s->known_seq = isn + 1;
}

static inline uint32_t packet_seconds(const struct packet *p)
{
    return (uint32_t)(p->ts_ns / 1000000000u);
}

static inline void tcp_update_last_ack(struct tcp_side *s, uint32_t ack)
{
    if (seq_gt(ack, s->last_ack) && seq_gt(ack, s->known_seq)) {
        s->last_ack = ack;
        if (s->n_sacks)
            tcp_sack_prune(s);
    }
}

static inline void tcp_update_next_seq(struct tcp_session *t, struct tcp_side *s, uint32_t seq)
{
    s->next_seq = seq;
    if ((t->flags & TF_ASYNC) && seq_gt(s->next_seq, s->last_ack))
        s->last_ack = s->next_seq;
}

static inline void tcp_update_next_win(struct tcp_side *s)
{
    uint32_t win = s->last_ack + s->window + (s->n_sacks ? tcp_sacked_bytes(s) : 0);

    if (seq_gt(win, s->next_win))
        s->next_win = win;
}

static inline void tcp_timestamp(const struct tcp_in *in)
{
    if (in->s->flags & TF_TIMESTAMP)
        tcp_timestamp_update(in);
}

/* Does the session check timestamps, and is this one wrong? */
static inline bool tcp_timestamp_bad(const struct tcp_in *in)
{
    return (in->s->flags & TF_TIMESTAMP) && !tcp_timestamp_valid(in);
}

static inline bool tcp_liberal_window(const struct tcp_session *s)
{
    return (s->flags & (TF_MIDSTREAM | TF_ASYNC)) != 0;
}
