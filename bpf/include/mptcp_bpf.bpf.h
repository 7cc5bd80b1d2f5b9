/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between a packet scheduler and mptcp_bpf.ko.
 *
 * A scheduler is one file: a top comment, knobs (`const volatile`), get_send, get_retrans, and the
 * ops table last (MPTCP_SCHEDULER). Ops run with BH off and the connection owned: they never sleep,
 * never nest on a CPU (so per-CPU scratch data is safe) and see a connection that stands still.
 *
 *  get_send     new data waits: choose one with bpf_mptcp_schedule() and return 0, or return a
 *               negative errno to wait. Waiting is allowed while data is in flight, because the
 *               next ack asks again; a scheduler that waits with nothing in flight, or for more
 *               than a second, is overruled by the module, and after three times left out.
 *  get_retrans  data went unacknowledged for timer_us: choose where to send it again, or return a
 *               negative errno to leave it. Newer kernels ask on until they get one, data fragment
 *               by data fragment. Without this op the kernel's own choice is used.
 *  path_event   a subflow came, went, turned stale, recovered or has another backup bit (enum
 *               mptcp_bpf_path_event); noticed at the next decision; optional.
 *  init/release a connection begins and ends; optional.
 *
 * Verifier: keep state that a loop carries in memory (a per-CPU map), not in registers, and loop
 * with bpf_for; an arg-min in registers makes both 6.12 and 7.3 give up.
 */
#ifndef MPTCP_BPF_BPF_H
#define MPTCP_BPF_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "mptcp_bpf_view.h"

#define EAGAIN 11

struct mptcp_bpf_sched_ops {
	int (*get_send)(struct mptcp_sock *msk);
	int (*get_retrans)(struct mptcp_sock *msk);
	void (*init)(struct mptcp_sock *msk);
	void (*release)(struct mptcp_sock *msk);
	__u32 flags;   /* must be 0 */
	char name[16]; /* as in net.mptcp.scheduler */
	void (*path_event)(struct mptcp_sock *msk, __u32 id, __u32 event);
};

/*
 * Fills `out`; returns the number of usable subflows, or -EINVAL when out->path_size or the size of
 * the whole make no sense. Use mptcp_view().
 */
extern int bpf_mptcp_view(struct mptcp_sock *msk, void *out, __u32 out__sz) __ksym;

/*
 * Schedules subflow `id`. burst_bytes: how much may be sent before the scheduler is asked again;
 * timer_us: the MPTCP retransmit interval, 1 ms to 5 s, 0 leaves it. -ENOENT: no such subflow,
 * -ENOTCONN: it cannot send (counted as refused), -EAGAIN: no send memory.
 */
extern int bpf_mptcp_schedule(struct mptcp_sock *msk, __u32 id, __u32 burst_bytes,
			      __u32 timer_us) __ksym;

/* The MPTCP retransmit interval alone, for a decision to wait. */
extern int bpf_mptcp_set_timer(struct mptcp_sock *msk, __u32 timer_us) __weak __ksym;

/* Says why (enum mptcp_bpf_reason), for the counters and the trace; the last one counts. */
extern void bpf_mptcp_reason(struct mptcp_sock *msk, __u32 reason) __weak __ksym;

/*
 * Bounds the back-off of a subflow in a retransmission timeout, so that TCP tries it again within
 * about max_rto_us (at least 200 ms) and a path that works again is noticed. TCP gives the subflow
 * up no sooner for it. -ENOENT: no such subflow.
 */
extern int bpf_mptcp_probe(struct mptcp_sock *msk, __u32 id, __u32 max_rto_us) __weak __ksym;

/* What a subflow's backup bits mean to us, enum mptcp_bpf_backup; sent to nobody. Schedulers see it
 * as MPTCP_PATH_BACKUP. -ENOENT: no such subflow, -EINVAL: no such mode. */
extern int bpf_mptcp_set_backup(struct mptcp_sock *msk, __u32 id, __u32 mode) __weak __ksym;

/* For schedulers that need more than the view: the subflows themselves. */
struct bpf_iter_mptcp_subflow {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

extern int bpf_iter_mptcp_subflow_new(struct bpf_iter_mptcp_subflow *it,
				      struct mptcp_sock *msk) __weak __ksym;
extern struct mptcp_subflow_context *
bpf_iter_mptcp_subflow_next(struct bpf_iter_mptcp_subflow *it) __weak __ksym;
extern void bpf_iter_mptcp_subflow_destroy(struct bpf_iter_mptcp_subflow *it) __weak __ksym;
extern struct sock *bpf_mptcp_subflow_tcp_sock(struct mptcp_subflow_context *subflow) __weak __ksym;
/* Schedules without touching burst and timer; errors as bpf_mptcp_schedule(). */
extern int bpf_mptcp_subflow_set_scheduled(struct mptcp_sock *msk,
					   struct mptcp_subflow_context *subflow) __weak __ksym;

/* for each subflow `sf` of `msk`; sf is a trusted pointer. */
#define mptcp_for_each_subflow(msk, sf) bpf_for_each(mptcp_subflow, sf, msk)

static __always_inline int mptcp_view(struct mptcp_sock *msk, struct mptcp_bpf_view *v)
{
	v->path_size = sizeof(v->path[0]);
	return bpf_mptcp_view(msk, v, sizeof(*v));
}

/*
 * The selector, at most one in the kernel: `select` runs once for a connection, before its first
 * data, and may give it another scheduler than that of net.mptcp.scheduler.
 */
struct mptcp_bpf_select_ops {
	int (*select)(struct mptcp_sock *msk);
	char name[16];
};

/* Fills a struct mptcp_bpf_facts, as far as out__sz goes. Only from `select`. */
extern int bpf_mptcp_facts(struct mptcp_sock *msk, void *out, __u32 out__sz) __weak __ksym;

/* Gives the connection the scheduler of that name ("default": the kernel's own). -ENOENT when it is
 * not loaded. Only from `select`. */
extern int bpf_mptcp_choose(struct mptcp_sock *msk, void *name, __u32 name__sz,
			    __u32 rule) __weak __ksym;

/* For a syscall program: the same for a live connection, from its next decision on. -ESRCH: no such
 * connection, or none with a scheduler of the module. */
extern int bpf_mptcp_conn_set(__u64 netns_cookie, __u32 token, void *name,
			      __u32 name__sz) __weak __ksym;

#define MPTCP_SCHEDULER(var, ...) \
	SEC(".struct_ops.link")   \
	struct mptcp_bpf_sched_ops var = { __VA_ARGS__ }

#endif
