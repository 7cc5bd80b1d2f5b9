// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of net/mptcp that asks a scheduler: data fragments, the push loop, the retransmit timer
 * (net/mptcp/protocol.c), and the receiver's reassembly.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JIFFY_US      4000u
#define IVAL_MIN_US   200000u
#define TRUESIZE      2304u /* of a segment in the send buffer */
#define BUFFER_FACTOR 2u

bool sim_trace;

static void push(struct conn *c);

void conn_init(struct conn *c, struct fake_sched *sched, bool walks)
{
	memset(c, 0, sizeof(*c));
	c->sched = sched;
	c->walks = walks;
	c->timer_at = SIM_NEVER;
	fake_conn_init(&c->fake);
}

void conn_free(struct conn *c)
{
	for (uint32_t i = 0; i < c->nr; i++)
		subflow_free(&c->flow[i]);
	free(c->frag);
	free(c->have);
	c->frag = NULL;
	c->have = NULL;
}

struct subflow *conn_add(struct conn *c, struct link *l)
{
	struct subflow *f = &c->flow[c->nr++];

	subflow_init(f, c, l, c->nr);
	fake_path_add(&c->fake, c->nr, 0);
	return f;
}

static uint64_t buffer_bytes(const struct conn *c)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < c->nr; i++) {
		uint32_t cwnd = c->flow[i].cwnd_clamp;

		bytes += (uint64_t)BUFFER_FACTOR * (cwnd > 10 ? cwnd : 10) * TRUESIZE;
	}
	return bytes;
}

static void look(struct conn *c)
{
	struct mptcp_bpf_view *v = &c->fake.head;

	for (uint32_t i = 0; i < c->nr; i++) {
		/* the send buffer grows with the window and never shrinks */
		if (c->flow[i].cwnd > c->flow[i].cwnd_clamp)
			c->flow[i].cwnd_clamp = c->flow[i].cwnd;
		subflow_view(&c->flow[i], &c->fake.path[i]);
	}
	v->next_seq = c->nxt;
	v->unsent_bytes = c->written - c->nxt;
	v->unacked_bytes = c->nxt - c->una;
	v->sent_bytes = c->sent_bytes;
	v->reinjected_bytes = c->again_bytes;
	v->window_bytes = 6u << 20;
	if (c->una == c->nxt || c->una != c->stuck_una) {
		c->stuck_una = c->una;
		c->stuck_since = sim_now();
	}
	v->stuck_us = (__u32)(sim_now() - c->stuck_since);
}

/* --- the kernel's own scheduler --- */

static struct fake_decision builtin(struct conn *c, bool retrans)
{
	struct fake_decision d = { .err = -1 };
	double least = 1e300;

	for (uint32_t i = 0; i < c->nr; i++) {
		const struct mptcp_bpf_path *v = &c->fake.path[i].view;
		double queued = (double)v->in_flight * v->mss + v->queued_bytes;
		double linger = queued / (double)v->pacing_bytes_per_s;

		if (retrans ? queued > 0 : v->timeouts >= 4)
			continue;
		if (linger < least) {
			least = linger;
			d.id = v->id;
			d.err = 0;
			if (!retrans && !(v->flags & MPTCP_PATH_MEMORY))
				d.err = -1;
		}
	}
	d.nr = !d.err;
	d.burst_bytes = 65428;
	return d;
}

static void trace(const struct conn *c, bool retrans, const struct fake_decision *d)
{
	const struct mptcp_bpf_view *v = &c->fake.head;

	printf("%9.1f ms %s -> %u reason %u timer %u us; unsent %llu unacked %llu stuck %u us\n",
	       (double)sim_now() / 1000, retrans ? "retrans" : "send", d->err ? 0 : d->id,
	       d->reason, d->timer_us, (unsigned long long)v->unsent_bytes,
	       (unsigned long long)v->unacked_bytes, v->stuck_us);
	for (uint32_t i = 0; i < c->nr; i++) {
		const struct mptcp_bpf_path *p = &c->fake.path[i].view;

		printf("             %u: srtt %u var %u last %u cwnd %u in flight %u queued %u stuck %u timeouts %u rate %llu%s\n",
		       p->id, p->srtt_us, p->rttvar_us, p->last_rtt_us, p->cwnd, p->in_flight,
		       p->queued_bytes, p->stuck_us, p->timeouts,
		       (unsigned long long)p->delivery_bytes_per_s,
		       p->flags & MPTCP_PATH_SLOW_START ? " slow start" : "");
	}
}

/* As bpf_mptcp_probe(): the next back-off starts from half of what is asked for. */
static void heed_probes(struct conn *c)
{
	for (uint32_t i = 0; i < c->nr; i++) {
		uint64_t most = c->fake.path[i].probe_us / 2;

		if (most && c->flow[i].timeouts && c->flow[i].rto > most)
			c->flow[i].rto = most;
		c->fake.path[i].probe_us = 0;
	}
}

static struct fake_decision decide(struct conn *c, bool retrans)
{
	struct fake_decision d;

	look(c);
	if (!c->sched)
		d = builtin(c, retrans);
	else if (retrans)
		d = fake_get_retrans(c->sched, &c->fake);
	else
		d = fake_get_send(c->sched, &c->fake);
	heed_probes(c);
	if (sim_trace && c->nr > 1)
		trace(c, retrans, &d);
	return d;
}

/* --- the retransmit timer --- */

static void on_timer(void *who, uint64_t gen);

static void timer_start(struct conn *c)
{
	uint64_t us = c->ival ? c->ival : IVAL_MIN_US;

	c->timer_at = sim_now() + us + JIFFY_US / 2;
	sim_at(c->timer_at, on_timer, c, ++c->timer_gen);
}

static void timer_stop(struct conn *c)
{
	c->timer_gen++;
	c->timer_at = SIM_NEVER;
}

/* The largest of what is left of the subflows' timers. */
static uint64_t subflow_timers(const struct conn *c)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < c->nr; i++)
		if (c->flow[i].timer_at != SIM_NEVER && c->flow[i].timer_at > sim_now() &&
		    c->flow[i].timer_at - sim_now() > most)
			most = c->flow[i].timer_at - sim_now();
	return most ? most : IVAL_MIN_US;
}

static void heed_timer(struct conn *c, const struct fake_decision *d)
{
	if (!c->sched)
		c->ival = subflow_timers(c);
	if (!d->timer_us)
		return;
	c->ival = d->timer_us > 1000 ? d->timer_us + JIFFY_US : JIFFY_US;
	if (c->timer_at != SIM_NEVER && c->timer_at > sim_now() + c->ival)
		timer_start(c);
}

static bool resend(struct conn *c, struct frag *frag)
{
	struct fake_decision d = decide(c, true);
	uint64_t skip = c->una > frag->dsn ? c->una - frag->dsn : 0;

	heed_timer(c, &d);
	if (d.err || !d.nr || !frag->sent || skip >= frag->len)
		return false;
	c->again_bytes += frag->len - skip;
	subflow_push(&c->flow[d.id - 1], frag->dsn + skip, frag->len - (uint32_t)skip);
	return true;
}

static void on_timer(void *who, uint64_t gen)
{
	struct conn *c = who;

	if (gen != c->timer_gen)
		return;
	c->timer_at = SIM_NEVER;
	if (c->una == c->written)
		return;
	for (size_t i = c->frag_una; i < c->frag_nxt; i++)
		if (!resend(c, &c->frag[i]) || !c->walks)
			break;
	push(c);
	if (c->timer_at == SIM_NEVER)
		timer_start(c);
}

/* --- sending --- */

/* As mptcp_sendmsg(): as much as the buffer takes, in fragments that grow while nothing of them
 * was sent. */
static void fill(struct conn *c)
{
	while (c->written < c->want) {
		uint64_t used = c->written - c->una, size = buffer_bytes(c), n;
		struct frag *last = c->nr_frags > c->frag_nxt ? &c->frag[c->nr_frags - 1] : NULL;

		if (used >= size)
			return;
		n = c->want - c->written;
		n = n < size - used ? n : size - used;
		if (!last || last->len == SIM_FRAG_BYTES) {
			if (c->nr_frags == c->room_frags) {
				c->room_frags = c->room_frags ? 2 * c->room_frags : 64;
				c->frag = realloc(c->frag, c->room_frags * sizeof(*c->frag));
				if (!c->frag)
					abort();
			}
			last = &c->frag[c->nr_frags++];
			*last = (struct frag){ .dsn = c->written };
		}
		n = n < SIM_FRAG_BYTES - last->len ? n : SIM_FRAG_BYTES - last->len;
		last->len += (uint32_t)n;
		c->written += n;
	}
}

static void push_once(struct conn *c, const struct fake_decision *d)
{
	struct subflow *f = &c->flow[d->id - 1];
	int64_t burst = d->burst_bytes;

	while (c->frag_nxt < c->nr_frags) {
		struct frag *frag = &c->frag[c->frag_nxt++];

		frag->sent = frag->len;
		c->nxt = frag->dsn + frag->len;
		c->sent_bytes += frag->len;
		burst -= frag->len;
		subflow_push(f, frag->dsn, frag->len);
		if (burst <= 0)
			return;
		c->ival = subflow_timers(c);
		subflow_view(f, &c->fake.path[d->id - 1]);
		if (!(c->fake.path[d->id - 1].view.flags & MPTCP_PATH_MEMORY))
			return;
	}
}

static void push(struct conn *c)
{
	if (c->pushing)
		return;
	c->pushing = true;
	fill(c);
	while (c->frag_nxt < c->nr_frags) {
		struct fake_decision d = decide(c, false);

		heed_timer(c, &d);
		if (d.err || !d.nr)
			break;
		push_once(c, &d);
	}
	if (c->una != c->nxt && c->timer_at == SIM_NEVER)
		timer_start(c);
	c->pushing = false;
}

void conn_write(struct conn *c, uint64_t bytes)
{
	c->want += bytes;
	push(c);
}

void conn_acked(struct conn *c, uint64_t data_ack)
{
	if (data_ack > c->una) {
		c->una = data_ack;
		while (c->frag_una < c->frag_nxt &&
		       c->frag[c->frag_una].dsn + c->frag[c->frag_una].len <= c->una)
			c->frag_una++;
		if (c->una == c->written)
			timer_stop(c);
		else
			timer_start(c);
	}
	push(c);
}

/* --- receiving --- */

void conn_received(struct conn *c, uint64_t dsn, uint32_t len)
{
	uint64_t before = c->in_order;

	if (dsn + len > c->have_room) {
		uint64_t room = 2 * (dsn + len) + 65536;

		c->have = realloc(c->have, room);
		if (!c->have)
			abort();
		memset(c->have + c->have_room, 0, room - c->have_room);
		c->have_room = room;
	}
	memset(c->have + dsn, 1, len);
	while (c->in_order < c->have_room && c->have[c->in_order])
		c->in_order++;
	if (c->in_order != before && c->delivered)
		c->delivered(c);
}
