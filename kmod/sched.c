// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loaded schedulers and the connections that use them.
 *
 * The kernel's list gets one `struct sched` per BPF scheduler. A new MPTCP socket that picks it is
 * given a `struct conn`, whose own mptcp_sched_ops becomes msk->sched: from then on the kernel
 * hands every decision of that connection to us together with its state, without any lookup.
 *
 * Safety net. A BPF scheduler may be wrong, but it must not hang a connection or a CPU:
 *  - a subflow that cannot send is never scheduled (checked when it is asked for);
 *  - a decision that schedules nothing although nothing is in flight would never be followed by
 *    another one, and one that waits for STALL_MS while nothing is sent or acknowledged is no
 *    wait any more: the kernel's built-in scheduler decides instead, and after STRIKES_MAX times
 *    for good;
 *  - lost data that get_retrans leaves alone RETRANS_REFUSALS_MAX times running goes to the
 *    built-in choice as well;
 *  - SLOW_RUN_MAX calls running that take longer than SLOW_NS take the scheduler out of use.
 * A live swap gives the new code a clean record.
 */
#include "mptcp_bpf.h"

#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#define STALL_MS	     1000
#define STRIKES_MAX	     3
#define RETRANS_REFUSALS_MAX 3
#define SLOW_NS		     (10 * NSEC_PER_MSEC)
#define SLOW_RUN_MAX	     3
#define CONN_HASH_BITS	     10

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

static DEFINE_MUTEX(scheds_lock); /* protects `scheds` and registration */
static LIST_HEAD(scheds);
static DEFINE_HASHTABLE(conns, CONN_HASH_BITS);
static DEFINE_SPINLOCK(conns_lock);
static struct kmem_cache *conn_cache;

static void sched_free_rcu(struct rcu_head *rcu)
{
	struct sched *s = container_of(rcu, struct sched, rcu);

	free_percpu(s->counters);
	kfree(s);
}

static void sched_put_final(struct kref *ref)
{
	call_rcu(&container_of(ref, struct sched, ref)->rcu, sched_free_rcu);
}

static void sched_put(struct sched *s)
{
	kref_put(&s->ref, sched_put_final);
}

static struct conn *conn_of(struct mptcp_sock *msk)
{
	return container_of(READ_ONCE(*MSK_FIELD(msk, sched, struct mptcp_sched_ops *)),
			    struct conn, kops);
}

static void count(struct sched *s, size_t offset)
{
	(*(u64 *)((char *)this_cpu_ptr(s->counters) + offset))++;
}

#define COUNT(s, what) count(s, offsetof(struct mptcp_bpf_counters, what))

static int builtin_decide(struct mptcp_sock *msk, bool retrans)
{
#ifdef HAVE_GET_SUBFLOW
	struct mptcp_sched_data data = { .reinject = retrans };

	return mptcp_bpf_builtin->get_subflow(msk, &data);
#else
	return retrans ? mptcp_bpf_builtin->get_retrans(msk) : mptcp_bpf_builtin->get_send(msk);
#endif
}

/* 6.12 looks for stale subflows inside the built-in get_retrans; later kernels do it before. */
static void kick_stale_detection(struct mptcp_sock *msk)
{
#ifdef HAVE_GET_SUBFLOW
	struct list_head *pos;

	builtin_decide(msk, true);
	for_each_subflow(pos, msk)
		WRITE_ONCE(*SUBFLOW_FIELD(mptcp_bpf_subflow_of(pos), scheduled, bool), false);
#endif
}

static int nr_scheduled(struct mptcp_sock *msk)
{
	struct list_head *pos;
	int n = 0;

	for_each_subflow(pos, msk)
		n += READ_ONCE(*SUBFLOW_FIELD(mptcp_bpf_subflow_of(pos), scheduled, bool));
	return n;
}

static bool any_writable(struct mptcp_sock *msk)
{
	struct list_head *pos;

	for_each_subflow(pos, msk)
	{
		void *subflow = mptcp_bpf_subflow_of(pos);

		if (mptcp_bpf_subflow_active(subflow) &&
		    sk_stream_memory_free(mptcp_bpf_subflow_sock(subflow)))
			return true;
	}
	return false;
}

static void strike(struct conn *c)
{
	struct sched *s = c->sched;

	COUNT(s, stalls);
	if (++c->strikes < STRIKES_MAX)
		return;
	c->strikes = 0;
	c->ejected_at = READ_ONCE(s->generation) + 1;
	COUNT(s, ejected);
	pr_notice_ratelimited(
		"scheduler %s leaves data unsent: connection %08x goes to the built-in scheduler\n",
		s->kops.name, *MSK_FIELD(c->msk, token, u32));
}

/* The program chose nothing for new data. Either that is a wait, and an ack will ask again, or it
 * would be the end of the connection.
 */
static int nothing_to_send(struct conn *c)
{
	struct mptcp_sock *msk = c->msk;
	u64 nxt = READ_ONCE(*MSK_FIELD(msk, snd_nxt, u64));
	u64 una = READ_ONCE(*MSK_FIELD(msk, snd_una, u64));

	if (!any_writable(msk))
		return -EAGAIN;
	if (nxt != una) {
		if (c->wait_mark != nxt + una) {
			c->wait_mark = nxt + una;
			c->wait_since = jiffies;
		}
		if (time_before(jiffies, c->wait_since + msecs_to_jiffies(STALL_MS))) {
			COUNT(c->sched, waited);
			return -EAGAIN;
		}
		c->wait_since = jiffies;
	}
	strike(c);
	return builtin_decide(msk, false);
}

/* The program chose nothing for data that may be lost; often right, but not for ever. */
static int nothing_to_retransmit(struct conn *c)
{
	u64 una = READ_ONCE(*MSK_FIELD(c->msk, snd_una, u64));
	int err;

	if (c->retrans_una != una) {
		c->retrans_una = una;
		c->retrans_refusals = 0;
	}
	if (++c->retrans_refusals < RETRANS_REFUSALS_MAX)
		return -EAGAIN;
	c->retrans_refusals = 0;
	err = builtin_decide(c->msk, true);
	if (!err)
		strike(c);
	return err;
}

static void judge_time(struct sched *s, u64 ns)
{
	if (likely(ns < SLOW_NS)) {
		if (unlikely(atomic_read(&s->slow_run)))
			atomic_set(&s->slow_run, 0);
		return;
	}
	COUNT(s, slow);
	if (atomic_inc_return(&s->slow_run) < SLOW_RUN_MAX || READ_ONCE(s->runaway))
		return;
	WRITE_ONCE(s->runaway, true);
	pr_warn("scheduler %s took %llu us for a decision, %d times running: it is out of use until it is replaced\n",
		s->kops.name, ns / NSEC_PER_USEC, SLOW_RUN_MAX);
}

/* One decision by the BPF program, with everything that could go wrong caught. BH is off, so ops
 * never nest on a CPU and may keep scratch data in per-CPU maps.
 */
static int bpf_decide(struct conn *c, struct mptcp_bpf_sched_ops *ops, bool retrans)
{
	struct sched *s = c->sched;
	u64 start;
	int err;

	if (!retrans)
		COUNT(s, decisions);
	start = local_clock();
	err = retrans ? ops->get_retrans(c->msk) : ops->get_send(c->msk);
	judge_time(s, local_clock() - start);

	if (nr_scheduled(c->msk)) {
		if (retrans)
			COUNT(s, retransmits);
		else
			COUNT(s, scheduled);
		return 0;
	}
	if (err < 0)
		COUNT(s, errors);
	return retrans ? nothing_to_retransmit(c) : nothing_to_send(c);
}

static int decide(struct mptcp_sock *msk, bool retrans)
{
	struct conn *c = conn_of(msk);
	struct sched *s = c->sched;
	struct mptcp_bpf_sched_ops *ops;
	int err;

	local_bh_disable();
	rcu_read_lock();
	ops = rcu_dereference(s->ops);
	if (!ops || READ_ONCE(s->runaway) || c->ejected_at == READ_ONCE(s->generation) + 1 ||
	    (retrans && !ops->get_retrans)) {
		err = builtin_decide(msk, retrans);
	} else {
		if (retrans)
			kick_stale_detection(msk);
		err = bpf_decide(c, ops, retrans);
	}
	rcu_read_unlock();
	local_bh_enable();
	return err;
}

#ifdef HAVE_GET_SUBFLOW
static int conn_get_subflow(struct mptcp_sock *msk, struct mptcp_sched_data *data)
{
	return decide(msk, data->reinject);
}

static int orphan_get_subflow(struct mptcp_sock *msk, struct mptcp_sched_data *data)
{
	return builtin_decide(msk, data->reinject);
}

#define SEND_OPS(prefix) .get_subflow = prefix##_get_subflow
#else
static int conn_get_send(struct mptcp_sock *msk)
{
	return decide(msk, false);
}

static int conn_get_retrans(struct mptcp_sock *msk)
{
	return decide(msk, true);
}

static int orphan_get_send(struct mptcp_sock *msk)
{
	return builtin_decide(msk, false);
}

static int orphan_get_retrans(struct mptcp_sock *msk)
{
	return builtin_decide(msk, true);
}

#define SEND_OPS(prefix) .get_send = prefix##_get_send, .get_retrans = prefix##_get_retrans
#endif

static void conn_free_after_softirqs(struct rcu_head *rcu)
{
	kmem_cache_free(conn_cache, container_of(rcu, struct conn, rcu));
}

static void conn_free_after_tasks(struct rcu_head *rcu)
{
	call_rcu(rcu, conn_free_after_softirqs);
}

/* The kernel has cleared msk->sched by now, and reads kops.owner once more after we return: the
 * memory must outlive every task that may sit in between (call_rcu_tasks) and every softirq that
 * may be cloning a listener (call_rcu).
 */
static void conn_release(struct mptcp_sock *msk)
{
	struct mptcp_bpf_sched_ops *ops;
	struct conn *c, *found = NULL;

	spin_lock_bh(&conns_lock);
	hash_for_each_possible(conns, c, node, (unsigned long)msk)
	{
		if (c->msk != msk)
			continue;
		hash_del(&c->node);
		found = c;
		break;
	}
	spin_unlock_bh(&conns_lock);
	if (!found)
		return;

	local_bh_disable();
	rcu_read_lock();
	ops = rcu_dereference(found->sched->ops);
	if (ops && ops->release)
		ops->release(msk);
	rcu_read_unlock();
	local_bh_enable();

	atomic_dec(&found->sched->nr_conns);
	sched_put(found->sched);
	call_rcu_tasks(&found->rcu, conn_free_after_tasks);
}

static void conn_init_child(struct mptcp_sock *msk);

/* For connections we could not make a conn for: the built-in scheduler under our module reference.
 */
static struct mptcp_sched_ops orphan_ops = {
	SEND_OPS(orphan),
	.name = "orphan",
	.owner = THIS_MODULE,
};

static const struct mptcp_sched_ops conn_ops = {
	SEND_OPS(conn),
	.owner = THIS_MODULE,
	.init = conn_init_child,
	.release = conn_release,
};

static void conn_make(struct mptcp_sock *msk, struct sched *s)
{
	struct mptcp_sched_ops **slot = MSK_FIELD(msk, sched, struct mptcp_sched_ops *);
	struct mptcp_bpf_sched_ops *ops;
	struct conn *c;

	c = kmem_cache_zalloc(conn_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!c || !kref_get_unless_zero(&s->ref)) {
		if (c)
			kmem_cache_free(conn_cache, c);
		WRITE_ONCE(*slot, &orphan_ops);
		return;
	}
	c->kops = conn_ops;
	memcpy(c->kops.name, s->kops.name, sizeof(c->kops.name));
	c->sched = s;
	c->msk = msk;
	c->born = jiffies;
	atomic_inc(&s->nr_conns);
	spin_lock_bh(&conns_lock);
	hash_add(conns, &c->node, (unsigned long)msk);
	spin_unlock_bh(&conns_lock);
	WRITE_ONCE(*slot, &c->kops);

	local_bh_disable();
	ops = rcu_dereference(s->ops);
	if (ops && ops->init)
		ops->init(msk);
	local_bh_enable();
}

/* A socket that was created under this scheduler. */
static void sched_init_conn(struct mptcp_sock *msk)
{
	rcu_read_lock();
	conn_make(msk, container_of(*MSK_FIELD(msk, sched, struct mptcp_sched_ops *), struct sched,
				    kops));
	rcu_read_unlock();
}

/* A socket accepted from a listener; at this moment msk->sched is the listener's. */
static void conn_init_child(struct mptcp_sock *msk)
{
	rcu_read_lock();
	conn_make(msk, conn_of(msk)->sched);
	rcu_read_unlock();
}

u32 mptcp_bpf_conn_age_ms(struct mptcp_sock *msk)
{
	return jiffies_to_msecs(jiffies - conn_of(msk)->born);
}

void mptcp_bpf_conn_refused(struct mptcp_sock *msk)
{
	COUNT(conn_of(msk)->sched, refused);
}

bool mptcp_bpf_conn_is_ours(struct mptcp_sock *msk)
{
	struct mptcp_sched_ops *kops = READ_ONCE(*MSK_FIELD(msk, sched, struct mptcp_sched_ops *));

	return kops && kops->release == conn_release;
}

/* The built-in scheduler is the first entry, so its predecessor is the head of the list. */
static struct mptcp_sched_ops *kernel_list_find(const char *name)
{
	struct list_head *head = mptcp_bpf_builtin->list.prev, *pos;

	for (pos = head->next; pos != head; pos = pos->next) {
		struct mptcp_sched_ops *kops = list_entry(pos, struct mptcp_sched_ops, list);

		if (!strcmp(kops->name, name))
			return kops;
	}
	return NULL;
}

static struct sched *sched_of(struct mptcp_bpf_sched_ops *ops)
{
	struct sched *s;

	list_for_each_entry (s, &scheds, node)
		if (rcu_access_pointer(s->ops) == ops)
			return s;
	return NULL;
}

static struct sched *sched_make(struct mptcp_bpf_sched_ops *ops)
{
	struct sched *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	s->counters = alloc_percpu(struct mptcp_bpf_counters);
	if (!s->counters) {
		kfree(s);
		return NULL;
	}
	s->kops = conn_ops;
	s->kops.init = sched_init_conn;
	s->kops.release = NULL;
	strscpy(s->kops.name, ops->name, sizeof(s->kops.name));
	kref_init(&s->ref);
	RCU_INIT_POINTER(s->ops, ops);
	return s;
}

int mptcp_bpf_sched_register(struct mptcp_bpf_sched_ops *ops)
{
	struct sched *s;
	int err = 0;

	mutex_lock(&scheds_lock);
	if (kernel_list_find(ops->name)) {
		err = -EEXIST;
	} else {
		s = sched_make(ops);
		if (s) {
			list_add_tail(&s->node, &scheds);
			list_add_tail_rcu(&s->kops.list, mptcp_bpf_builtin->list.prev);
		} else {
			err = -ENOMEM;
		}
	}
	mutex_unlock(&scheds_lock);
	return err;
}

/* Connections of an unloaded scheduler stay, with the built-in scheduler deciding. */
void mptcp_bpf_sched_unregister(struct mptcp_bpf_sched_ops *ops)
{
	struct sched *s;

	mutex_lock(&scheds_lock);
	s = sched_of(ops);
	if (s) {
		list_del_rcu(&s->kops.list);
		list_del(&s->node);
		RCU_INIT_POINTER(s->ops, NULL);
	}
	mutex_unlock(&scheds_lock);
	if (!s)
		return;
	synchronize_rcu();
	sched_put(s);
}

int mptcp_bpf_sched_update(struct mptcp_bpf_sched_ops *ops, struct mptcp_bpf_sched_ops *old)
{
	struct sched *s;
	int err = -ENOENT;

	mutex_lock(&scheds_lock);
	s = sched_of(old);
	if (s && strcmp(s->kops.name, ops->name)) {
		err = -EINVAL;
	} else if (s) {
		rcu_assign_pointer(s->ops, ops);
		atomic_set(&s->slow_run, 0);
		WRITE_ONCE(s->generation, s->generation + 1);
		WRITE_ONCE(s->runaway, false);
		err = 0;
	}
	mutex_unlock(&scheds_lock);
	if (!err)
		synchronize_rcu();
	return err;
}

void mptcp_bpf_sched_show(struct seq_file *m)
{
	struct sched *s;

	seq_puts(
		m,
		"# name state connections decisions scheduled waited retransmits stalls refused errors slow ejected\n");
	mutex_lock(&scheds_lock);
	list_for_each_entry (s, &scheds, node) {
		struct mptcp_bpf_counters sum = {};
		int cpu;

		for_each_possible_cpu(cpu)
		{
			const u64 *from = (const u64 *)per_cpu_ptr(s->counters, cpu);
			u64 *to = (u64 *)&sum;
			size_t i;

			for (i = 0; i < sizeof(sum) / sizeof(u64); i++)
				to[i] += READ_ONCE(from[i]);
		}
		seq_printf(m, "%s %s %d %llu %llu %llu %llu %llu %llu %llu %llu %llu\n",
			   s->kops.name, READ_ONCE(s->runaway) ? "runaway" : "ok",
			   atomic_read(&s->nr_conns), sum.decisions, sum.scheduled, sum.waited,
			   sum.retransmits, sum.stalls, sum.refused, sum.errors, sum.slow,
			   sum.ejected);
	}
	mutex_unlock(&scheds_lock);
}

int mptcp_bpf_sched_setup(void)
{
	conn_cache = kmem_cache_create("mptcp_bpf_conn", sizeof(struct conn), 0, 0, NULL);
	return conn_cache ? 0 : -ENOMEM;
}

void mptcp_bpf_sched_teardown(void)
{
	rcu_barrier_tasks();
	rcu_barrier();
	kmem_cache_destroy(conn_cache);
}
