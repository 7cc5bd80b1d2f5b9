/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A discrete-event simulator for packet schedulers: links with rate, delay, queue and loss, TCP
 * subflows that behave like Linux with cubic as far as schedulers can tell, and the part of
 * net/mptcp that asks for decisions. It runs the scheduler objects of the unit tests, in
 * microseconds of virtual time, and is for exploring; the verdict is the real kernel's.
 *
 * Times are microseconds. Nothing here reads a clock or draws a number that the seed does not fix.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_conn.h"

#define SIM_MSS	       1428u
#define SIM_FRAG_BYTES 32768u
#define SIM_NEVER      UINT64_MAX

/* --- events --- */

typedef void (*event_fn)(void *who, uint64_t what);

uint64_t sim_now(void);
void sim_at(uint64_t when, event_fn fn, void *who, uint64_t what);
/* Runs until `done` says so or `deadline`; whether it was done. */
bool sim_run(bool (*done)(void *), void *arg, uint64_t deadline);
void sim_reset(uint32_t seed);
/* 0 … 999999, from the seed. */
uint32_t sim_random(void);

/* Prints every decision with what it was based on. */
extern bool sim_trace;

/* --- links --- */

struct link {
	double bytes_per_us;
	uint64_t delay_us; /* one way */
	uint32_t queue;	   /* packets */
	uint32_t loss_ppm;
	bool dead; /* packets vanish, both ways */
	uint64_t busy_until;
	uint32_t queued;
};

/* --- a subflow: TCP's sender and its receiver in one --- */

struct segment {
	uint64_t dsn;
	uint32_t len;
	bool sent, acked, lost, received, again;
	uint64_t sent_at, order;	  /* of the last transmission */
	uint64_t delivered, delivered_at; /* the subflow's, then */
	bool app_limited;
};

struct conn;

struct subflow {
	struct conn *conn;
	struct link *link;
	uint32_t id;
	struct segment *seg;
	size_t nr, room, una, nxt; /* una: first not acked; nxt: first never sent */
	uint32_t pipe, cwnd, ssthresh, cwnd_clamp;
	double cwnd_frac, w_max;
	uint64_t epoch_us;
	uint64_t srtt, mdev, min_rtt, last_rtt, rto;
	uint64_t recovery_end, order, delivered, delivered_at, busy_since, acked_at, sent_at;
	uint64_t timer_gen, timer_at;
	bool timer_is_probe, app_limited;
	uint32_t timeouts, retransmits, segments, lost;
	uint64_t rate; /* bytes a second, 0: not known */
	uint64_t round_end, round_min;
	uint32_t round_samples;
	uint64_t received_bytes;
};

void subflow_init(struct subflow *f, struct conn *c, struct link *l, uint32_t id);
void subflow_free(struct subflow *f);
void subflow_push(struct subflow *f, uint64_t dsn, uint32_t len);
uint64_t subflow_queued(const struct subflow *f);
void subflow_view(const struct subflow *f, struct fake_path *p);

/* --- a connection --- */

#define SIM_SUBFLOWS_MAX 4

struct frag {
	uint64_t dsn;
	uint32_t len, sent;
};

struct conn {
	struct fake_sched *sched; /* NULL: the kernel's default */
	struct fake_conn fake;
	struct subflow flow[SIM_SUBFLOWS_MAX];
	uint32_t nr;
	bool walks; /* get_retrans for every fragment, as kernels from 7.0 */
	struct frag *frag;
	size_t nr_frags, room_frags, frag_una, frag_nxt;
	uint64_t written, want, una, nxt; /* want: what the application will have written */
	uint64_t sent_bytes, again_bytes;
	uint64_t ival, timer_at, timer_gen, stuck_since, stuck_una;
	bool pushing;
	/* receiver */
	uint8_t *have; /* one a segment-sized unit would not do: a byte each */
	uint64_t have_room, in_order;
	void (*delivered)(struct conn *c);
	void *user;
};

void conn_init(struct conn *c, struct fake_sched *sched, bool walks);
void conn_free(struct conn *c);
struct subflow *conn_add(struct conn *c, struct link *l);
/* The application has `bytes` more to send. */
void conn_write(struct conn *c, uint64_t bytes);

/* From subflows. */
void conn_received(struct conn *c, uint64_t dsn, uint32_t len);
void conn_acked(struct conn *c, uint64_t data_ack);

#endif
