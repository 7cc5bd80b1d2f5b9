/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connection made of numbers, and the schedulers of bpf/sched/ to run on it.
 *
 * The scheduler is the unmodified source, compiled for the host as a shared object. What it calls
 * behaves as the module does (kmod/kfunc.c, kmod/paths.c): path events come before a decision,
 * subflows that cannot send are neither shown nor scheduled, only the first 16 are shown, and the
 * flags ROOM, OUTSTANDING and BACKUP follow from the other fields.
 *
 *	struct fake_sched *s = fake_sched_open("minrtt");
 *	struct fake_conn c;
 *
 *	fake_conn_init(&c);
 *	fake_path_add(&c, 1, 40000);
 *	c.head.unsent_bytes = 10000;
 *	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
 *	fake_sched_close(s);
 */
#ifndef FAKE_CONN_H
#define FAKE_CONN_H

#include "kernel.h"
#include "mptcp_bpf_view.h"

#define FAKE_PATHS_MAX 64

struct fake_path {
	/* What the scheduler is shown. Of `flags` the test sets BACKUP_REQUESTED, BACKUP_RECEIVED,
	 * STALE, BLOCKED, MEMORY and LOSS, and OUTSTANDING when nothing is in flight because all is
	 * lost. */
	struct mptcp_bpf_path view;
	bool closed; /* closing, or joining still */
	/* What the module remembers. */
	bool known;
	__u32 seen_bits;
	__u32 backup_mode; /* enum mptcp_bpf_backup */
	/* What the scheduler last asked for. */
	bool scheduled;
	__u32 probe_us; /* bpf_mptcp_probe(): max_rto_us; 0: not asked for */
};

/* What came of a decision. */
struct fake_decision {
	int err;  /* returned by the op */
	__u32 nr; /* subflows scheduled */
	__u32 id; /* the one scheduled last; 0: none */
	__u32 burst_bytes;
	__u32 timer_us; /* retransmit interval asked for, as it was given; 0: left alone */
	__u32 reason;	/* enum mptcp_bpf_reason */
	__u32 refused;	/* attempts to schedule what cannot send */
};

struct fake_conn {
	struct mptcp_bpf_view head; /* all but the paths, nr_paths and path_size */
	struct fake_path path[FAKE_PATHS_MAX];
	__u32 nr;
	struct fake_decision now; /* the decision under way */
};

struct fake_sched;

/* What bpf_ktime_get_ns() says. */
extern __u64 fake_now_ns;

/* Of build/.../tests/sched/NAME.so; aborts with the reason when there is none. Knobs and maps are
 * as in a scheduler just loaded. */
struct fake_sched *fake_sched_open(const char *name);
void fake_sched_close(struct fake_sched *s);
/* Sets a __u32 knob (`index` of an array); aborts when there is none of this name. */
void fake_sched_set(struct fake_sched *s, const char *knob, size_t index, __u32 value);
/* The object's own variable or map, for a look inside. */
void *fake_sched_symbol(struct fake_sched *s, const char *name);

/* An established connection without subflows, nothing to send, a window of 1 MB. */
void fake_conn_init(struct fake_conn *c);
/* Calls the scheduler's init and release. */
void fake_conn_begin(struct fake_sched *s, struct fake_conn *c);
void fake_conn_end(struct fake_sched *s, struct fake_conn *c);
/* A subflow with local id `id` - 1, a window of 10 segments, and nothing in flight. */
struct fake_path *fake_path_add(struct fake_conn *c, __u32 id, __u32 srtt_us);
struct fake_path *fake_path_find(struct fake_conn *c, __u32 id);
/* As the scheduler will see them. */
__u32 fake_path_flags(const struct fake_path *p);

struct fake_decision fake_get_send(struct fake_sched *s, struct fake_conn *c);
/* -ENOSYS when the scheduler leaves it to the kernel. */
struct fake_decision fake_get_retrans(struct fake_sched *s, struct fake_conn *c);

#endif
