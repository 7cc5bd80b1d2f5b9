/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The health oracle's shared part: what bpf/oracle/ writes and src/pm/oracle.c reads, and the
 * arithmetic; compiles for BPF and natively.
 *
 * A path is {network namespace, interface, source address, destination prefix}. All subflows on it
 * report to one record, so that one connection's bad news is known to the others. A report adds to
 * the sums of the period that runs; when it is over, the sums move the averages. Those of loss and
 * retransmission weigh by volume: numerator and denominator are averaged each on their own, so a
 * period with ten segments moves the quotient less than one with a thousand, and silence not at
 * all.
 */
#ifndef MPTCP_ORACLE_H
#define MPTCP_ORACLE_H

#define ORACLE_SETS_MAX	   8
#define ORACLE_PREFIX4	   24u
#define ORACLE_PREFIX6	   48u
#define ORACLE_RING_BYTES  65536u
#define ORACLE_FRACTION	   10	      /* bits behind the point of averaged segments */
#define ORACLE_SLACK_US	   50000u     /* what a delayed ack may add to the RTT: TCP_DELACK_MIN */
#define ORACLE_LOOK_MIN_MS 10u	      /* between two looks at a subflow */
#define ORACLE_TAKEN_IN_NS 1000000    /* from a packet's arrival until the socket shows it */
#define ORACLE_ANSWERS_MIN 3u	      /* so many answers in time, before the lack of one counts */
#define ORACLE_NEVER_US	   60000000u  /* longer times are cut off here */
#define ORACLE_RTO_MAX_US  120000000u /* TCP_RTO_MAX */

enum oracle_trigger {
	ORACLE_RTT,	 /* us */
	ORACLE_RTO,	 /* us */
	ORACLE_LOSS,	 /* permille */
	ORACLE_RESENT,	 /* permille */
	ORACLE_TIMEOUTS, /* in a row */
	ORACLE_STALL,	 /* ms */
	ORACLE_TRIGGERS,
};

#define ORACLE_ROOM 8 /* for triggers in a set; powers of two are what the verifier follows */

struct oracle_key {
	__u64 netns_cookie; /* SO_NETNS_COOKIE */
	__u32 ifindex;
	__u32 reserved;
	__u8 local[16], remote[16]; /* IPv4 as ::ffff:a.b.c.d; remote: the bits of the prefix */
};

/* Bad from `enter` on, good again at or below `leave`, which is less; enter 0: not looked at. */
struct oracle_threshold {
	__u32 enter, leave;
};

/* Of a network namespace; one that has none is not watched. */
struct oracle_config {
	struct oracle_threshold sets[ORACLE_SETS_MAX][ORACLE_ROOM];
	__u32 nr_sets;
	__u32 alpha_permille; /* weight of the newest period */
	__u32 period_ms;
	__u32 reserved;
};

struct oracle_sums {
	__u64 srtt_us, rto_us; /* of all samples */
	__u64 bytes;	       /* delivered, either way */
	__u32 samples;
	__u32 segs, lost, resent;
};

struct oracle_averages {
	__u64 segs, lost, resent; /* ORACLE_FRACTION bits behind the point */
	__u64 rate_bps;		  /* while it was used */
	__u32 srtt_us, rto_us;	  /* 0: not known */
};

/* What is known of a path. Times are ns of CLOCK_MONOTONIC. */
struct oracle_health {
	__u64 heard_ns;	    /* anything new, good or bad */
	__u64 delivered_ns; /* something was acknowledged or received */
	__u64 period_ns;    /* begin of the period that runs */
	struct oracle_sums sums;
	struct oracle_averages averages;
	__u32 timeouts;
	__u32 stall_ms; /* as of heard_ns */
};

/* A value of the map `paths`. */
struct oracle_path {
#ifdef __bpf__
	struct bpf_spin_lock lock; /* of `health` */
#else
	__u32 lock;
#endif
	__u32 reserved;
	struct oracle_health health;
	__u64 bad_ns[ORACLE_SETS_MAX]; /* when a trigger last made it bad */
	__u8 bad[ORACLE_SETS_MAX];     /* bit N: by trigger N */
};

/* What the subflows of a path have to say about it since they last did. */
struct oracle_report {
	__u64 now_ns;
	__u64 delivered_ns; /* last time; 0: not since the last report */
	__u64 waiting_ns;   /* since when the peer owes an ack or data; 0: it owes nothing */
	__u32 overdue_us;   /* what it may take */
	__u32 srtt_us, rto_us;
	__u64 bytes;
	__u32 segs, lost, resent;
	__u32 timeouts; /* retransmission timeouts running; 0: none since the last report */
};

struct oracle_event {
	struct oracle_key path;
	__u64 at_ns;
	__u32 value;
	__u8 set, trigger, bad, reserved;
};

static inline int oracle_is_mapped(const __u8 a[16])
{
	return !a[0] && !a[1] && !a[2] && !a[3] && !a[4] && !a[5] && !a[6] && !a[7] && !a[8] &&
	       !a[9] && a[10] == 0xff && a[11] == 0xff;
}

/* To /24, or /48. */
static inline void oracle_cut_prefix(__u8 a[16])
{
	if (oracle_is_mapped(a))
		a[15] = 0;
	else
		a[6] = a[7] = a[8] = a[9] = a[10] = a[11] = a[12] = a[13] = a[14] = a[15] = 0;
}

static inline __u64 oracle_ema(__u64 old, __u64 sample, __u32 alpha_permille)
{
	if (alpha_permille > 1000)
		alpha_permille = 1000;
	return (old * (1000 - alpha_permille) + sample * alpha_permille) / 1000;
}

static inline __u32 oracle_permille(__u64 part, __u64 whole)
{
	if (!whole || !part)
		return 0;
	return part < whole ? (__u32)(part * 1000 / whole) : 1000;
}

static inline void oracle_close_period(struct oracle_averages *a, const struct oracle_sums *s,
				       __u64 period_ns, __u32 alpha_permille)
{
	__u64 ms = period_ns / 1000000 ? period_ns / 1000000 : 1;
	/* More than any path carries in a period, and the products stay below 2^64. */
	__u64 bytes = s->bytes < 1ull << 40 ? s->bytes : 1ull << 40;

	a->rate_bps = oracle_ema(a->rate_bps, bytes * 8000 / ms, alpha_permille);
	if (s->samples) {
		__u64 srtt = s->srtt_us / s->samples, rto = s->rto_us / s->samples;

		a->srtt_us = a->srtt_us ? oracle_ema(a->srtt_us, srtt, alpha_permille) : srtt;
		a->rto_us = a->rto_us ? oracle_ema(a->rto_us, rto, alpha_permille) : rto;
	}
	if (s->segs || s->lost || s->resent) {
		a->segs = oracle_ema(a->segs, (__u64)s->segs << ORACLE_FRACTION, alpha_permille);
		a->lost = oracle_ema(a->lost, (__u64)s->lost << ORACLE_FRACTION, alpha_permille);
		a->resent =
			oracle_ema(a->resent, (__u64)s->resent << ORACLE_FRACTION, alpha_permille);
	}
}

static inline __u32 oracle_add(__u32 a, __u32 b)
{
	return a + b < a ? 0xffffffffu : a + b;
}

/* As TCP has it: `rttvar_us` is four deviations and no less than TCP_RTO_MIN. */
static inline __u32 oracle_rto_us(__u32 srtt_us, __u32 rttvar_us, __u32 backoff)
{
	__u64 rto = ((__u64)srtt_us + rttvar_us) << (backoff & 31);

	return rto < ORACLE_RTO_MAX_US ? (__u32)rto : ORACLE_RTO_MAX_US;
}

/* RFC 6298's margin, or what a delayed ack takes where there is next to no deviation. */
static inline __u32 oracle_overdue_us(__u32 srtt_us, __u32 rttvar_us)
{
	__u64 margin = 4ull * rttvar_us, t;

	t = srtt_us + (margin > ORACLE_SLACK_US ? margin : ORACLE_SLACK_US);
	return t < ORACLE_NEVER_US ? (__u32)t : ORACLE_NEVER_US;
}

static inline int oracle_is_late(const struct oracle_report *r)
{
	return r->waiting_ns && r->now_ns > r->waiting_ns &&
	       r->now_ns - r->waiting_ns >= r->overdue_us * 1000ull;
}

/* Since when nothing came over the path that was owed, in ms; 0 as long as it may take. */
static inline __u32 oracle_stall_ms(const struct oracle_health *h, const struct oracle_report *r)
{
	__u64 from = r->waiting_ns > h->delivered_ns ? r->waiting_ns : h->delivered_ns, ns;

	if (!r->waiting_ns || r->now_ns <= from)
		return 0;
	ns = r->now_ns - from;
	if (ns < r->overdue_us * 1000ull)
		return 0;
	return ns / 1000000 < 0xffffffffu ? (__u32)(ns / 1000000) : 0xffffffffu;
}

static inline void oracle_take(struct oracle_health *h, const struct oracle_report *r,
			       __u32 alpha_permille, __u32 period_ms)
{
	struct oracle_sums *s = &h->sums;
	__u64 ns;

	if (r->delivered_ns > h->delivered_ns) {
		h->delivered_ns = r->delivered_ns;
		h->timeouts = 0;
	}
	if (r->timeouts > h->timeouts)
		h->timeouts = r->timeouts;
	h->stall_ms = oracle_stall_ms(h, r);
	if (r->srtt_us) {
		s->srtt_us += r->srtt_us;
		s->rto_us += r->rto_us;
		s->samples++;
	}
	s->bytes += r->bytes;
	s->segs = oracle_add(s->segs, r->segs);
	s->lost = oracle_add(s->lost, r->lost);
	s->resent = oracle_add(s->resent, r->resent);
	if (r->segs || r->delivered_ns || r->waiting_ns || r->timeouts || r->lost)
		h->heard_ns = r->now_ns;
	if (!h->period_ns) {
		/* With nothing else known the first sample need not wait. */
		h->averages.srtt_us = r->srtt_us;
		h->averages.rto_us = r->rto_us;
		h->period_ns = r->now_ns;
	}
	ns = r->now_ns - h->period_ns;
	if (ns < period_ms * 1000000ull)
		return;
	oracle_close_period(&h->averages, s, ns, alpha_permille);
	*s = (struct oracle_sums){ 0 };
	h->period_ns = r->now_ns;
}

static inline __u32 oracle_value(const struct oracle_health *h, __u32 trigger)
{
	switch ((enum oracle_trigger)trigger) {
	case ORACLE_RTT:
		return h->averages.srtt_us;
	case ORACLE_RTO:
		return h->averages.rto_us;
	case ORACLE_LOSS:
		return oracle_permille(h->averages.lost, h->averages.segs);
	case ORACLE_RESENT:
		return oracle_permille(h->averages.resent, h->averages.segs);
	case ORACLE_TIMEOUTS:
		return h->timeouts;
	case ORACLE_STALL:
		return h->stall_ms;
	case ORACLE_TRIGGERS:
		break;
	}
	return 0;
}

static inline int oracle_is_bad(const struct oracle_threshold *t, __u32 value, int was_bad)
{
	if (!t->enter)
		return 0;
	return was_bad ? value > t->leave : value >= t->enter;
}

/* When a subflow that waits has to be looked at again if nothing comes, in ms: when the next of
 * the stall thresholds would be reached, but once a period. */
static inline __u32 oracle_next_look_ms(__u32 next_stall_ms, __u32 waited_ms, __u32 overdue_us,
					__u32 period_ms)
{
	__u32 due = overdue_us / 1000 + 1, left = period_ms;

	if (next_stall_ms > due)
		due = next_stall_ms;
	if (due > waited_ms && due - waited_ms < left)
		left = due - waited_ms;
	return left > ORACLE_LOOK_MIN_MS ? left : ORACLE_LOOK_MIN_MS;
}

#endif
