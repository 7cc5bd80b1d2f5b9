/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is learned about paths, and how they are compared; shared by bpf/establish/, the loader and
 * unit tests. Times are milliseconds of the boot clock, on which the machine started at
 * MPTCP_LEARN_BOOT_MS, so that what happened before has a time too; 0 is never.
 *
 * A path is an interface of a network namespace together with the network behind it. Each has a row
 * for every destination prefix (/24, in IPv6 /48) it was used for, and one, with a prefix of zeros,
 * for all of them.
 */
#ifndef MPTCP_LEARN_H
#define MPTCP_LEARN_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define MPTCP_LEARN_BOOT_MS	 (1ull << 40)
#define MPTCP_LEARN_PATHS_MAX	 8	  /* of one network namespace */
#define MPTCP_LEARN_ROUTES_MAX	 1024	  /* of one network namespace, beside default ones */
#define MPTCP_LEARN_PRIOR_US	 400000u  /* a handshake on a path that nothing is known of */
#define MPTCP_LEARN_DEAD_US	 3000000u /* what a path costs that does not answer */
#define MPTCP_LEARN_BREAKS_US	 2000000u /* the same when it answers only without MPTCP */
#define MPTCP_LEARN_HALF_LIFE_MS 30000u	  /* of a first failure */
#define MPTCP_LEARN_RETRY_MS	 1000u	  /* to the next connection that may be spent on a trial */
#define MPTCP_LEARN_DOUBLINGS	 7u	  /* of the two above, one with each failure in a row */
#define MPTCP_LEARN_DROPS	 2u	  /* in a row: a middlebox rather than an outage */
#define MPTCP_LEARN_BREAKS_MS	 3600000u /* how long that is believed, doubled as above */
#define MPTCP_LEARN_PPM		 1000000u

struct mptcp_learn_key {
	__u64 netns_cookie; /* SO_NETNS_COOKIE */
	__u32 ifindex;
	__u32 network;	 /* of pm_networks_read() */
	__u8 prefix[16]; /* IPv4 as ::ffff:a.b.c.0 */
};

struct mptcp_learn_stat {
	__u64 ok, fail; /* connections that began, that had no answer to their first SYN */
	__u64 ok_ms, fail_ms;
	__u64 trial_ms;	     /* a connection was sent here to see whether it works */
	__u32 handshake_us;  /* from SYN to SYN/ACK, without those sent twice; 0: unknown */
	__u32 srtt_us;	     /* at the end of connections; 0: unknown */
	__u32 fail_ppm;	     /* at the time of the last outcome */
	__u32 failures;	     /* in a row */
	__u64 mptcp_ok_ms;   /* MPTCP was agreed on */
	__u64 mptcp_drop_ms; /* answered only when MPTCP was no longer asked for */
	__u32 mptcp_drops;   /* in a row */
	__u32 reserved;
};

/* A network namespace that takes part. */
struct mptcp_learn_config {
	__u64 netns_inode;
	__u64 ttl_ms;
	__u32 explore_ppm;
	__u32 reserved;
};

struct mptcp_learn_path_key {
	__u64 netns_cookie;
	__u32 index; /* 0, 1, 2 ... */
	__u32 reserved;
};

/* A way a connection can begin. An address of zeros: not in this family. */
struct mptcp_learn_path {
	__u32 ifindex;
	__u32 network;
	__u8 v4[16], v6[16];	 /* v4 as ::ffff:a.b.c.d */
	__u32 handicap_us;	 /* a dearer path has to be better by this much */
	__u8 route_v4, route_v6; /* what the kernel takes by itself */
	__u8 reserved[2];
};

struct mptcp_learn_address {
	__u64 netns_cookie;
	__u8 address[16];
};

struct mptcp_learn_owner {
	__u32 ifindex;
	__u32 network;
};

/* Destinations with a route of their own: the path is not ours to choose. */
struct mptcp_learn_route {
	__u32 prefixlen; /* 64 and that of the destination */
	__u8 netns_cookie[8];
	__u8 destination[16];
};

static inline __u32 mptcp_learn_ema(__u32 old, __u32 sample)
{
	return old ? (__u32)((3ull * old + sample) / 4) : sample;
}

static inline __u32 mptcp_learn_doublings(__u32 failures)
{
	if (!failures)
		return 0;
	return failures > MPTCP_LEARN_DOUBLINGS ? MPTCP_LEARN_DOUBLINGS : failures - 1;
}

/* `handshake_us` 0: not measured. */
static inline void mptcp_learn_ok(struct mptcp_learn_stat *s, __u64 now_ms, __u32 handshake_us)
{
	s->ok++;
	s->ok_ms = now_ms;
	s->failures = 0;
	s->fail_ppm /= 4;
	if (handshake_us)
		s->handshake_us = mptcp_learn_ema(s->handshake_us, handshake_us);
}

/* The share that fails as of now: it fades, the slower the more often in a row it failed. */
static inline __u32 mptcp_learn_fail_ppm(const struct mptcp_learn_stat *s, __u64 now_ms)
{
	__u64 since_ms = s->fail_ms > s->ok_ms ? s->fail_ms : s->ok_ms, halvings;

	if (now_ms <= since_ms)
		return s->fail_ppm;
	halvings = (now_ms - since_ms) /
		   ((__u64)MPTCP_LEARN_HALF_LIFE_MS << mptcp_learn_doublings(s->failures));
	return halvings > 31 ? 0 : s->fail_ppm >> halvings;
}

static inline void mptcp_learn_fail(struct mptcp_learn_stat *s, __u64 now_ms)
{
	s->fail_ppm = (mptcp_learn_fail_ppm(s, now_ms) + MPTCP_LEARN_PPM) / 2;
	s->fail++;
	s->fail_ms = now_ms;
	if (s->failures < 0xffffffffu)
		s->failures++;
}

static inline __u64 mptcp_learn_latest_ms(const struct mptcp_learn_stat *s)
{
	return s->fail_ms > s->ok_ms ? s->fail_ms : s->ok_ms;
}

static inline int mptcp_learn_fresh(const struct mptcp_learn_stat *s, __u64 now_ms, __u64 ttl_ms)
{
	__u64 latest_ms = mptcp_learn_latest_ms(s);

	return latest_ms && (now_ms <= latest_ms || now_ms - latest_ms <= ttl_ms);
}

/* Does the network behind the path let TCP through, but not MPTCP? */
static inline int mptcp_learn_breaks(const struct mptcp_learn_stat *s, __u64 now_ms)
{
	return s->mptcp_drops >= MPTCP_LEARN_DROPS &&
	       (now_ms <= s->mptcp_drop_ms ||
		now_ms - s->mptcp_drop_ms <= (__u64)MPTCP_LEARN_BREAKS_MS << mptcp_learn_doublings(
						     s->mptcp_drops - MPTCP_LEARN_DROPS + 1));
}

/* MPTCP was asked for: agreed on, or refused by silence until it was no longer asked for. */
static inline void mptcp_learn_mptcp(struct mptcp_learn_stat *s, __u64 now_ms, int agreed)
{
	if (agreed) {
		s->mptcp_ok_ms = now_ms;
		s->mptcp_drops = 0;
		return;
	}
	s->mptcp_drop_ms = now_ms;
	if (s->mptcp_drops < 0xffffffffu)
		s->mptcp_drops++;
}

/*
 * How long a connection to a destination takes to begin, as far as anybody knows. `own` is the row
 * of the destination, `all` that of the path, either NULL when there is none or it is too old. What
 * fails everywhere, and worked nowhere since, is believed to fail here too; one destination that
 * does not answer is not the fault of the path.
 */
static inline __u64 mptcp_learn_expected_us(const struct mptcp_learn_stat *own,
					    const struct mptcp_learn_stat *all, int mptcp,
					    __u64 now_ms)
{
	const struct mptcp_learn_stat *known = own ? own : all;
	__u64 us = MPTCP_LEARN_PRIOR_US;
	__u32 ppm = 0, all_ppm;

	if (known) {
		ppm = mptcp_learn_fail_ppm(known, now_ms);
		if (known->handshake_us)
			us = known->handshake_us;
	}
	if (all && all->failures >= 2) {
		all_ppm = mptcp_learn_fail_ppm(all, now_ms);
		if (all_ppm > ppm)
			ppm = all_ppm;
	}
	us += (__u64)ppm * MPTCP_LEARN_DEAD_US / MPTCP_LEARN_PPM;
	if (mptcp && all && mptcp_learn_breaks(all, now_ms))
		us += MPTCP_LEARN_BREAKS_US;
	return us;
}

/* May a connection be spent on finding out whether the path works (again)? */
static inline int mptcp_learn_trial_due(const struct mptcp_learn_stat *all, __u64 now_ms)
{
	__u64 last_ms = mptcp_learn_latest_ms(all);

	if (all->trial_ms > last_ms)
		last_ms = all->trial_ms;
	return now_ms > last_ms &&
	       now_ms - last_ms >= (__u64)MPTCP_LEARN_RETRY_MS
					   << mptcp_learn_doublings(all->failures);
}

/* Is a path enough better than the one the kernel takes by itself? */
static inline int mptcp_learn_better(__u64 us, __u64 natural_us)
{
	return us + us / 2 + 2000 < natural_us;
}

/* The prefix of a destination that a row is for. False: none, as for ::1. */
static inline int mptcp_learn_prefix(const __u8 *address, __u8 *prefix)
{
	int v4 = address[10] == 0xff && address[11] == 0xff, bytes = v4 ? 15 : 6, any = 0;

	for (int i = 0; i < 10 && v4; i++)
		v4 = !address[i];
	if (!v4)
		bytes = 6;
	for (int i = 0; i < 16; i++) {
		prefix[i] = i < bytes ? address[i] : 0;
		any |= prefix[i];
	}
	return any;
}

#endif
