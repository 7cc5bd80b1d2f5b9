/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mptcp_bpf.ko: packet schedulers for Multipath TCP as BPF struct_ops on a kernel that has none.
 *
 * sched.c   loaded schedulers
 * conn.c    their connections, and what the kernel calls
 * decide.c  one decision, and the safety net
 * kfunc.c   what a BPF scheduler can call
 * main.c    the struct_ops type, /proc/mptcp_bpf, module init and exit
 *
 * struct mptcp_sock and struct mptcp_subflow_context are private to net/mptcp. They are declared
 * here but never defined (a definition would give the module's BTF its own types, and BPF programs
 * could not pass the kernel's); their members are reached by offsets that gen-layout.sh takes from
 * the target kernel's BTF.
 */
#ifndef MPTCP_BPF_H
#define MPTCP_BPF_H

#include <linux/bpf.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <net/mptcp.h>
#include <net/tcp.h>

#include "layout.h"

struct mptcp_subflow_context;
struct seq_file;

#define FIELD(p, s, m, type)	   ((type *)((char *)(p) + OFF_##s##_##m))
#define MSK_FIELD(msk, m, type)	   FIELD(msk, mptcp_sock, m, type)
#define SUBFLOW_FIELD(sf, m, type) FIELD(sf, mptcp_subflow_context, m, type)
/* A flag that is a bit field on one kernel and a byte on another. */
#define SUBFLOW_FLAG(sf, m)                                                           \
	(!!((READ_ONCE(*SUBFLOW_FIELD(sf, m, u8)) >> BIT_mptcp_subflow_context_##m) & \
	    (LEN_mptcp_subflow_context_##m ? (1u << LEN_mptcp_subflow_context_##m) - 1 : 0xffu)))

#define for_each_subflow(pos, msk)                                      \
	for ((pos) = MSK_FIELD(msk, conn_list, struct list_head)->next; \
	     (pos) != MSK_FIELD(msk, conn_list, struct list_head); (pos) = (pos)->next)

/* The struct_ops type. get_send is required. All ops run with BH off and the connection owned. */
struct mptcp_bpf_sched_ops {
	int (*get_send)(struct mptcp_sock *msk);
	int (*get_retrans)(struct mptcp_sock *msk);
	void (*init)(struct mptcp_sock *msk);
	void (*release)(struct mptcp_sock *msk);
	u32 flags; /* must be 0 */
	char name[MPTCP_SCHED_NAME_MAX];
};

struct mptcp_bpf_counters {
	u64 decisions;	 /* get_send calls that reached the BPF program */
	u64 scheduled;	 /* ... that chose a subflow */
	u64 waited;	 /* ... that chose none while data was in flight */
	u64 retransmits; /* get_retrans calls that chose a subflow */
	u64 stalls;  /* nothing chosen though nothing would have called again: built-in choice used
		      */
	u64 refused; /* attempts to schedule a subflow that cannot send */
	u64 errors;  /* negative returns */
	u64 slow;    /* calls longer than 10 ms */
	u64 ejected; /* connections moved to the built-in choice for good */
};

/* main.c: the kernel's built-in scheduler, our way into its list and our fallback. */
extern struct mptcp_sched_ops *mptcp_bpf_builtin;

struct sched {
	struct mptcp_sched_ops kops;	       /* in the kernel's list; .init makes a conn */
	struct mptcp_bpf_sched_ops __rcu *ops; /* NULL once unloaded */
	struct mptcp_bpf_counters __percpu *counters;
	struct kref ref;       /* the registration and each connection */
	struct list_head node; /* in `scheds` */
	atomic_t nr_conns;
	atomic_t slow_run; /* slow calls in a row */
	u32 generation;	   /* counts live swaps */
	bool runaway;	   /* taken out of use */
	struct rcu_head rcu;
};

struct conn {
	struct mptcp_sched_ops kops; /* msk->sched points here */
	struct sched *sched;
	struct mptcp_sock *msk;
	struct hlist_node node;	  /* in `conns`, for release only */
	unsigned long born;	  /* jiffies */
	u64 wait_mark;		  /* snd_nxt + snd_una when the current wait began */
	unsigned long wait_since; /* jiffies */
	u64 retrans_una;	  /* snd_una when get_retrans last chose nothing */
	u32 ejected_at;		  /* sched->generation + 1 when ejected, or 0 */
	u8 retrans_refusals;
	u8 strikes;
	struct rcu_head rcu;
};

/* sched.c */
int mptcp_bpf_sched_register(struct mptcp_bpf_sched_ops *ops);
void mptcp_bpf_sched_unregister(struct mptcp_bpf_sched_ops *ops);
int mptcp_bpf_sched_update(struct mptcp_bpf_sched_ops *ops, struct mptcp_bpf_sched_ops *old);
void mptcp_bpf_sched_show(struct seq_file *m);
void mptcp_bpf_sched_put(struct sched *s);

/* conn.c */
int mptcp_bpf_conn_setup(void);
/* Waits for memory that is still being released. */
void mptcp_bpf_conn_teardown(void);
/* Fills what the kernel calls when a socket picks a listed scheduler; the name is the caller's. */
void mptcp_bpf_conn_list_ops(struct mptcp_sched_ops *kops);
/* Whether the connection has a scheduler of ours; only then may mptcp_bpf_conn_of() and the two
 * below it be called, and only from within an op of that connection.
 */
bool mptcp_bpf_conn_is_ours(struct mptcp_sock *msk);
u32 mptcp_bpf_conn_age_ms(struct mptcp_sock *msk);

static inline struct conn *mptcp_bpf_conn_of(struct mptcp_sock *msk)
{
	return container_of(READ_ONCE(*MSK_FIELD(msk, sched, struct mptcp_sched_ops *)),
			    struct conn, kops);
}

/* decide.c */
int mptcp_bpf_get_send(struct mptcp_sock *msk);
int mptcp_bpf_get_retrans(struct mptcp_sock *msk);
int mptcp_bpf_builtin_decide(struct mptcp_sock *msk, bool retrans);
/* Counts a subflow that was not allowed. */
void mptcp_bpf_conn_refused(struct mptcp_sock *msk);

/* kfunc.c */
int mptcp_bpf_kfunc_register(void);

static inline void *mptcp_bpf_subflow_of(struct list_head *pos)
{
	return (char *)pos - OFF_mptcp_subflow_context_node;
}

static inline struct sock *mptcp_bpf_subflow_sock(void *subflow)
{
	return READ_ONCE(*SUBFLOW_FIELD(subflow, tcp_sock, struct sock *));
}

/* As __mptcp_subflow_active() of net/mptcp/protocol.h: a join that is not complete, or a subflow
 * that is closing, must never be scheduled; the kernel's push loop would spin on it.
 */
static inline bool mptcp_bpf_subflow_active(void *subflow)
{
	struct sock *ssk = mptcp_bpf_subflow_sock(subflow);

	if (!ssk || SUBFLOW_FLAG(subflow, closing))
		return false;
	if (SUBFLOW_FLAG(subflow, request_join) && !SUBFLOW_FLAG(subflow, fully_established))
		return false;
	return (1 << READ_ONCE(ssk->sk_state)) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT);
}

#endif
