/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mptcp_bpf.ko: packet schedulers for Multipath TCP as BPF struct_ops on a kernel that has none.
 *
 * sched.c   loaded schedulers
 * conn.c    their connections, what the kernel calls, and which scheduler a connection has
 * paths.c   what is remembered of a connection's subflows, and events of them
 * decide.c  one decision, and the safety net
 * kfunc.c   what a BPF scheduler can call
 * select.c  the selector: which scheduler a connection gets
 * main.c    the struct_ops types, /proc/mptcp_bpf, module init and exit
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
#include "mptcp_bpf_view.h"

struct mptcp_subflow_context;
struct seq_file;

#define FIELD(p, s, m, type)	   ((type *)((char *)(p) + OFF_##s##_##m))
#define MSK_FIELD(msk, m, type)	   FIELD(msk, mptcp_sock, m, type)
#define SUBFLOW_FIELD(sf, m, type) FIELD(sf, mptcp_subflow_context, m, type)
/* A flag that is a bit field on one kernel and a byte on another. */
#define SUBFLOW_FLAG(sf, m)                                                           \
	(!!((READ_ONCE(*SUBFLOW_FIELD(sf, m, u8)) >> BIT_mptcp_subflow_context_##m) & \
	    (LEN_mptcp_subflow_context_##m ? (1u << LEN_mptcp_subflow_context_##m) - 1 : 0xffu)))

/* The timer of MPTCP's own retransmissions; TCP's, unused in an MPTCP socket, until 6.19. */
#ifdef HAVE_MPTCP_RTX_TIMER
#define RTX_TIMER(sk) (&(sk)->mptcp_retransmit_timer)
#else
#define RTX_TIMER(sk) (&inet_csk(sk)->icsk_retransmit_timer)
#endif

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
	void (*path_event)(struct mptcp_sock *msk, u32 id, u32 event);
};

/* The other struct_ops type; at most one is registered. */
struct mptcp_bpf_select_ops {
	int (*select)(struct mptcp_sock *msk);
	char name[MPTCP_SCHED_NAME_MAX];
};

/* Of one scheduler, on one CPU; all u64. */
struct mptcp_bpf_counters {
	u64 decisions;	 /* get_send calls that reached the BPF program */
	u64 scheduled;	 /* ... that chose a subflow */
	u64 waited;	 /* ... that chose none while data was in flight */
	u64 retransmits; /* get_retrans calls that chose a subflow */
	u64 stalls;  /* nothing chosen though nothing would have called again: built-in choice */
	u64 refused; /* attempts to schedule a subflow that cannot send */
	u64 errors;  /* negative returns */
	u64 slow;    /* calls longer than 10 ms */
	u64 ejected; /* connections moved to the built-in choice for good */
	u64 reason[MPTCP_REASON_NR]; /* decisions by what the program gave as its reason */
	u64 sent_bytes;		     /* new data of its connections */
	u64 reinjected_bytes;	     /* data sent more than once */
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

/* What is remembered of a subflow between decisions. */
struct path_state {
	u32 id; /* subflow id */
	u8 used;
	u8 seen;	   /* in the scan under way */
	u8 bits;	   /* MPTCP_PATH_BACKUP_*, MPTCP_PATH_STALE as last seen */
	u8 backup_mode;	   /* enum mptcp_bpf_backup */
	u64 busy_since_us; /* when it last went from nothing outstanding to something; 0: unknown */
};

/* Who gave a connection its scheduler. */
enum chosen_by {
	BY_SYSCTL, /* net.mptcp.scheduler, or the listener's */
	BY_RULE,   /* the selector */
	BY_HAND,   /* bpf_mptcp_conn_set() */
};

struct conn {
	struct mptcp_sched_ops kops; /* msk->sched points here */
	/* Changed only in a decision of this connection, under the lock of `conns`. */
	struct sched __rcu *sched;
	struct sched *pending; /* to become `sched` at the next decision; counted in its ref */
	struct mptcp_sock *msk;
	struct hlist_node node;	     /* in `conns` */
	unsigned long born;	     /* jiffies */
	u64 wait_mark;		     /* snd_nxt + snd_una when the current wait began */
	unsigned long wait_since;    /* jiffies */
	u64 retrans_una;	     /* snd_una when get_retrans last chose nothing */
	unsigned long retrans_since; /* jiffies: since when it does */
	u64 stuck_una;		     /* snd_una ... */
	u64 stuck_since_us; /* ... and when it was first seen or last had nothing after it */
	u64 counted_sent, counted_reinjected; /* bytes, up to which the counters know */
	u64 decisions;
	u32 ejected_at; /* sched->generation + 1 when ejected, or 0 */
	u32 rule;	/* BY_RULE: its number */
	u32 pending_rule;
	u8 chosen_by, pending_by; /* enum chosen_by */
	bool selected;		  /* the selector had its say */
	bool selecting;		  /* it is having it now */
	u8 retrans_refusals;
	u8 strikes;
	u8 reason; /* enum mptcp_bpf_reason of the decision under way */
	struct path_state path[MPTCP_BPF_PATHS_MAX];
	struct rcu_head rcu;
};

/* sched.c */
int mptcp_bpf_sched_register(struct mptcp_bpf_sched_ops *ops);
void mptcp_bpf_sched_unregister(struct mptcp_bpf_sched_ops *ops);
int mptcp_bpf_sched_update(struct mptcp_bpf_sched_ops *ops, struct mptcp_bpf_sched_ops *old);
void mptcp_bpf_sched_show(struct seq_file *m);
/* A reference to the scheduler of that name; "default" is the kernel's own, which has no program.
 * NULL: none. Any context. */
struct sched *mptcp_bpf_sched_get(const char *name);
void mptcp_bpf_sched_put(struct sched *s);
int mptcp_bpf_sched_setup(void);
void mptcp_bpf_sched_teardown(void);

/* conn.c */
int mptcp_bpf_conn_setup(void);
/* Waits for memory that is still being released. */
void mptcp_bpf_conn_teardown(void);
/* Fills what the kernel calls when a socket picks a listed scheduler; the name is the caller's. */
void mptcp_bpf_conn_list_ops(struct mptcp_sched_ops *kops);
/* Whether the connection has a scheduler of ours; only then may mptcp_bpf_conn_of() and the others
 * be called, and only from within an op of that connection.
 */
bool mptcp_bpf_conn_is_ours(struct mptcp_sock *msk);
u32 mptcp_bpf_conn_age_ms(struct mptcp_sock *msk);
/* Makes `s` the scheduler at the next decision, or at the end of a selection; takes the reference.
 */
void mptcp_bpf_conn_want(struct conn *c, struct sched *s, enum chosen_by by, u32 rule);
/* Brings what is wanted into force. Under RCU, BH off, the connection owned. */
void mptcp_bpf_conn_settle(struct conn *c);
/* -ESRCH; -ENOENT: no such scheduler. */
int mptcp_bpf_conn_set(u64 netns_cookie, u32 token, const char *name);
/* The connections of one network namespace. */
void mptcp_bpf_conn_show(struct seq_file *m, struct net *net);

static inline struct conn *mptcp_bpf_conn_of(struct mptcp_sock *msk)
{
	return container_of(READ_ONCE(*MSK_FIELD(msk, sched, struct mptcp_sched_ops *)),
			    struct conn, kops);
}

/* paths.c */
/* Brings c->path up to date and tells `ops` of what happened; ops may be NULL. */
void mptcp_bpf_paths_scan(struct conn *c, const struct mptcp_bpf_sched_ops *ops);
/*
 * The kernel finds a subflow stale after so many calls of get_retrans (stale_loss_cnt) without an
 * ack, which it expects to be a retransmission timeout apart. A scheduler may set a shorter timer;
 * this makes the kernel count the timeouts that went by and not the calls. From the worker.
 */
void mptcp_bpf_paths_slow_staleness(struct conn *c);
/* NULL: more subflows than we remember. */
struct path_state *mptcp_bpf_path_state(struct conn *c, u32 id);
void mptcp_bpf_view_path(struct conn *c, struct mptcp_bpf_path *p, void *subflow);
void mptcp_bpf_view_head(struct conn *c, struct mptcp_bpf_view *v);

/* decide.c */
int mptcp_bpf_get_send(struct mptcp_sock *msk);
int mptcp_bpf_get_retrans(struct mptcp_sock *msk);
int mptcp_bpf_builtin_decide(struct mptcp_sock *msk, bool retrans);
/* Counts a subflow that was not allowed. */
void mptcp_bpf_conn_refused(struct mptcp_sock *msk);
/* Adds what the connection has sent since the last time to its scheduler's counters. */
void mptcp_bpf_count_bytes(struct conn *c);

/* select.c */
extern struct bpf_struct_ops mptcp_bpf_select_struct_ops;
/* Asks the selector, once a connection. As mptcp_bpf_conn_settle(). */
void mptcp_bpf_select(struct conn *c);
int mptcp_bpf_select_kfunc_register(void);

/* main.c: shared by both types. */
extern const struct bpf_verifier_ops mptcp_bpf_verifier_ops;

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

/* Does the congestion window leave room behind what is in flight and queued already? */
static inline bool mptcp_bpf_has_window(const struct sock *ssk)
{
	const struct tcp_sock *tp = tcp_sk(ssk);
	u32 queued = READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_nxt);

	return tcp_packets_in_flight(tp) + DIV_ROUND_UP(queued, tp->mss_cache ?: 1) <
	       tcp_snd_cwnd(tp);
}

/* Could the first segment not even leave? TCP waits for its window probe timer then, whatever kept
 * the segment; one that is merely queued, in the middle of a push, waits for nothing.
 */
static inline bool mptcp_bpf_is_blocked(const struct sock *ssk)
{
	return !tcp_sk(ssk)->packets_out && !tcp_write_queue_empty(ssk) &&
	       READ_ONCE(inet_csk(ssk)->icsk_pending) == ICSK_TIME_PROBE0;
}

#endif
