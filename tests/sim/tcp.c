// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TCP subflow: slow start with HyStart, cubic, loss found by later segments that arrive, a tail
 * loss probe, retransmission timeouts with back-off. Every segment is acknowledged at once.
 */
#include "sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 86u
#define RTO_MIN_US   200000u
#define RTO_MAX_US   120000000u
#define REORDERING   3u

static void try_send(struct subflow *f);

void subflow_init(struct subflow *f, struct conn *c, struct link *l, uint32_t id)
{
	memset(f, 0, sizeof(*f));
	f->conn = c;
	f->link = l;
	f->id = id;
	f->cwnd = 10;
	f->ssthresh = UINT32_MAX;
	f->min_rtt = SIM_NEVER;
	f->rto = 1000000;
	f->app_limited = true;
	/* the handshake's sample */
	f->srtt = f->last_rtt = f->min_rtt = 2 * l->delay_us;
	f->mdev = f->srtt / 2;
}

void subflow_free(struct subflow *f)
{
	free(f->seg);
	f->seg = NULL;
}

uint64_t subflow_queued(const struct subflow *f)
{
	uint64_t bytes = 0;

	for (size_t i = f->nxt; i < f->nr; i++)
		bytes += f->seg[i].len;
	return bytes;
}

static uint64_t base_rto(const struct subflow *f)
{
	uint64_t var = 4 * f->mdev > RTO_MIN_US ? 4 * f->mdev : RTO_MIN_US;

	return f->srtt + var;
}

static void on_timer(void *who, uint64_t gen);

static void arm(struct subflow *f)
{
	uint64_t us = f->rto;

	f->timer_gen++;
	f->timer_at = SIM_NEVER;
	if (!f->pipe && f->una >= f->nxt)
		return;
	f->timer_is_probe = !f->timeouts && f->lost == 0 && 2 * f->srtt < f->rto;
	if (f->timer_is_probe)
		us = 2 * f->srtt + (f->pipe == 1 ? RTO_MIN_US : 2000);
	if (us > f->rto) {
		us = f->rto;
		f->timer_is_probe = false;
	}
	f->timer_at = sim_now() + us;
	sim_at(f->timer_at, on_timer, f, f->timer_gen);
}

static void arrive(void *who, uint64_t what);
static void on_ack(void *who, uint64_t what);

static void left_queue(void *who, uint64_t what)
{
	(void)what;
	((struct link *)who)->queued--;
}

/* `order` tells this transmission from others of the same segment. */
static void transmit(struct subflow *f, size_t i)
{
	struct segment *s = &f->seg[i];
	struct link *l = f->link;
	uint64_t depart;

	if (s->sent) {
		f->retransmits++;
		s->again = true;
		if (s->lost)
			f->lost--;
	}
	if (f->una == f->nxt && !f->pipe)
		f->busy_since = sim_now();
	s->sent = true;
	s->lost = false;
	s->sent_at = sim_now();
	s->order = ++f->order;
	s->delivered = f->delivered;
	s->delivered_at = f->delivered_at ? f->delivered_at : sim_now();
	s->app_limited = f->app_limited;
	f->segments++;
	f->sent_at = sim_now();
	f->pipe++;
	if (l->dead || l->queued >= l->queue || sim_random() < l->loss_ppm)
		return;
	depart = (l->busy_until > sim_now() ? l->busy_until : sim_now()) +
		 (uint64_t)((s->len + HEADER_BYTES) / l->bytes_per_us);
	l->busy_until = depart;
	l->queued++;
	sim_at(depart, left_queue, l, 0);
	sim_at(depart + l->delay_us, arrive, f, i);
}

static void arrive(void *who, uint64_t i)
{
	struct subflow *f = who;
	struct segment *s = &f->seg[i];

	if (f->link->dead)
		return;
	if (!s->received)
		f->received_bytes += s->len;
	s->received = true;
	conn_received(f->conn, s->dsn, s->len);
	sim_at(sim_now() + f->link->delay_us, on_ack, f, i | f->conn->in_order << 24);
}

static void sample_rtt(struct subflow *f, uint64_t rtt)
{
	int64_t err = (int64_t)rtt - (int64_t)f->srtt;

	f->last_rtt = rtt;
	if (rtt < f->min_rtt)
		f->min_rtt = rtt;
	f->srtt += err / 8;
	f->mdev += ((err < 0 ? -err : err) - (int64_t)f->mdev) / 4;
	f->rto = base_rto(f);
	f->round_samples++;
	if (rtt < f->round_min)
		f->round_min = rtt;
}

static void hystart(struct subflow *f)
{
	uint64_t slack = f->min_rtt / 8;

	slack = slack < 4000 ? 4000 : slack > 16000 ? 16000 : slack;
	if (f->cwnd >= 16 && f->round_samples >= 8 && f->round_min > f->min_rtt + slack)
		f->ssthresh = f->cwnd;
	if (f->delivered >= f->round_end) {
		f->round_end = f->delivered + f->cwnd;
		f->round_min = SIM_NEVER;
		f->round_samples = 0;
	}
}

static void grow(struct subflow *f)
{
	double t, target;

	/* a window that is not used does not grow */
	if (f->pipe + 1 < f->cwnd && (f->cwnd >= f->ssthresh || 2 * (f->pipe + 1) < f->cwnd))
		return;
	if (f->cwnd < f->ssthresh) {
		hystart(f);
		f->cwnd++;
		return;
	}
	if (!f->epoch_us) {
		f->epoch_us = sim_now();
		if (f->w_max < f->cwnd)
			f->w_max = f->cwnd;
	}
	t = (double)(sim_now() - f->epoch_us + f->min_rtt) / 1e6 - cbrt(f->w_max * 0.3 / 0.4);
	target = f->w_max + 0.4 * t * t * t;
	if (target > f->cwnd * 1.5)
		target = f->cwnd * 1.5;
	f->cwnd_frac += target > f->cwnd ? (target - f->cwnd) / f->cwnd : 0.01;
	if (f->cwnd_frac >= 1) {
		f->cwnd++;
		f->cwnd_frac -= 1;
	}
}

static void reduce(struct subflow *f, bool timeout)
{
	f->w_max = f->cwnd;
	f->epoch_us = 0;
	f->ssthresh = (uint32_t)(f->cwnd * 0.7) > 2 ? (uint32_t)(f->cwnd * 0.7) : 2;
	f->cwnd = timeout ? 1 : f->ssthresh;
	f->recovery_end = f->order;
}

static void mark_lost(struct subflow *f, uint64_t newest)
{
	bool any = false;

	for (size_t i = f->una; i < f->nxt; i++) {
		struct segment *s = &f->seg[i];

		if (!s->sent || s->acked || s->lost || s->order + REORDERING > newest)
			continue;
		s->lost = true;
		f->lost++;
		f->pipe--;
		any |= s->order > f->recovery_end;
	}
	if (any)
		reduce(f, false);
}

static void rate_sample(struct subflow *f, const struct segment *s)
{
	uint64_t interval = sim_now() - s->delivered_at, rate;

	if (!interval || interval < f->min_rtt)
		return;
	rate = (f->delivered - s->delivered) * SIM_MSS * 1000000ull / interval;
	if (!s->app_limited)
		f->rate = rate;
	else if (f->rate && rate >= f->rate)
		f->rate = 0;
}

static void on_ack(void *who, uint64_t what)
{
	struct subflow *f = who;
	size_t i = what & 0xffffff;
	struct segment *s = &f->seg[i];

	if (f->link->dead)
		return;
	f->acked_at = sim_now();
	if (!s->acked) {
		s->acked = true;
		if (s->lost)
			f->lost--;
		else
			f->pipe--;
		s->lost = false;
		f->delivered++;
		f->delivered_at = sim_now();
		f->timeouts = 0;
		sample_rtt(f, sim_now() - s->sent_at);
		rate_sample(f, s);
		mark_lost(f, s->order);
		if (f->order <= f->recovery_end + f->cwnd || !f->lost)
			grow(f);
		while (f->una < f->nxt && f->seg[f->una].acked)
			f->una++;
	}
	arm(f);
	try_send(f);
	conn_acked(f->conn, what >> 24);
}

static void on_timer(void *who, uint64_t gen)
{
	struct subflow *f = who;

	if (gen != f->timer_gen)
		return;
	if (f->timer_is_probe) {
		for (size_t i = f->nxt; i-- > f->una;)
			if (!f->seg[i].acked) {
				f->pipe -= !f->seg[i].lost;
				transmit(f, i);
				break;
			}
		f->timer_gen++;
		f->timer_is_probe = false;
		f->timer_at = sim_now() + f->rto;
		sim_at(f->timer_at, on_timer, f, f->timer_gen);
		return;
	}
	for (size_t i = f->una; i < f->nxt; i++)
		if (!f->seg[i].acked && !f->seg[i].lost) {
			f->seg[i].lost = true;
			f->lost++;
		}
	f->pipe = 0;
	if (!f->timeouts)
		reduce(f, true);
	f->cwnd = 1;
	f->timeouts++;
	f->rto = 2 * f->rto < RTO_MAX_US ? 2 * f->rto : RTO_MAX_US;
	try_send(f);
	arm(f);
}

static void try_send(struct subflow *f)
{
	bool armed = f->pipe || f->una < f->nxt;

	for (size_t i = f->una; f->lost && i < f->nxt && f->pipe < f->cwnd; i++)
		if (f->seg[i].lost)
			transmit(f, i);
	while (f->nxt < f->nr && f->pipe < f->cwnd) {
		transmit(f, f->nxt);
		f->nxt++;
	}
	f->app_limited = f->nxt == f->nr && f->pipe < f->cwnd;
	if (!armed && f->una < f->nxt)
		arm(f);
}

void subflow_push(struct subflow *f, uint64_t dsn, uint32_t len)
{
	while (len) {
		uint32_t n = len < SIM_MSS ? len : SIM_MSS;

		if (f->nr == f->room) {
			f->room = f->room ? 2 * f->room : 256;
			f->seg = realloc(f->seg, f->room * sizeof(*f->seg));
			if (!f->seg)
				abort();
		}
		f->seg[f->nr++] = (struct segment){ .dsn = dsn, .len = n };
		dsn += n;
		len -= n;
	}
	try_send(f);
}

void subflow_view(const struct subflow *f, struct fake_path *p)
{
	struct mptcp_bpf_path *v = &p->view;
	uint64_t since = f->busy_since > f->delivered_at ? f->busy_since : f->delivered_at;
	uint64_t queued = subflow_queued(f);

	*v = (struct mptcp_bpf_path){
		.id = f->id,
		.local_id = f->id - 1,
		.srtt_us = (__u32)f->srtt,
		.rttvar_us = (__u32)f->mdev,
		.min_rtt_us = (__u32)f->min_rtt,
		.last_rtt_us = (__u32)f->last_rtt,
		.rto_us = (__u32)f->rto,
		.cwnd = f->cwnd,
		.in_flight = f->pipe,
		.queued_bytes = (__u32)queued,
		.mss = SIM_MSS,
		.ack_age_ms = (__u32)((sim_now() - f->acked_at) / 1000),
		.send_age_ms = (__u32)((sim_now() - f->sent_at) / 1000),
		.pacing_bytes_per_s = 2000000ull * f->cwnd * SIM_MSS / (f->srtt ? f->srtt : 1),
		.retransmits = f->retransmits,
		.segments = f->segments,
		.timeouts = f->timeouts,
		.lost = f->lost,
		.delivery_bytes_per_s = f->rate,
	};
	if (f->una < f->nxt) {
		v->flags |= MPTCP_PATH_OUTSTANDING;
		v->stuck_us = (__u32)(sim_now() - since);
	}
	if (queued + (uint64_t)f->pipe * SIM_MSS < 2ull * (f->cwnd > 10 ? f->cwnd : 10) * SIM_MSS)
		v->flags |= MPTCP_PATH_MEMORY;
	if (f->lost)
		v->flags |= MPTCP_PATH_LOSS;
	if (f->cwnd < f->ssthresh)
		v->flags |= MPTCP_PATH_SLOW_START;
}
