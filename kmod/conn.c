// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections: what stands between the kernel's MPTCP socket and its BPF scheduler.
 *
 * A new MPTCP socket that picks one of our schedulers is given a `struct conn`, whose own
 * mptcp_sched_ops becomes msk->sched: from then on the kernel hands every decision of that
 * connection to us together with its state, without any lookup.
 */
#include "mptcp_bpf.h"

#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>

#define CONN_HASH_BITS 10

static DEFINE_HASHTABLE(conns, CONN_HASH_BITS); /* for release only */
static DEFINE_SPINLOCK(conns_lock);
static struct kmem_cache *conn_cache;

#ifdef HAVE_GET_SUBFLOW
static int conn_get_subflow(struct mptcp_sock *msk, struct mptcp_sched_data *data)
{
	return data->reinject ? mptcp_bpf_get_retrans(msk) : mptcp_bpf_get_send(msk);
}

static int orphan_get_subflow(struct mptcp_sock *msk, struct mptcp_sched_data *data)
{
	return mptcp_bpf_builtin_decide(msk, data->reinject);
}

#define CONN_OPS   .get_subflow = conn_get_subflow
#define ORPHAN_OPS .get_subflow = orphan_get_subflow
#else
static int orphan_get_send(struct mptcp_sock *msk)
{
	return mptcp_bpf_builtin_decide(msk, false);
}

static int orphan_get_retrans(struct mptcp_sock *msk)
{
	return mptcp_bpf_builtin_decide(msk, true);
}

#define CONN_OPS   .get_send = mptcp_bpf_get_send, .get_retrans = mptcp_bpf_get_retrans
#define ORPHAN_OPS .get_send = orphan_get_send, .get_retrans = orphan_get_retrans
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
	hash_for_each_possible(conns, c, node, (unsigned long)msk) {
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
	mptcp_bpf_sched_put(found->sched);
	call_rcu_tasks(&found->rcu, conn_free_after_tasks);
}

static void conn_init_child(struct mptcp_sock *msk);

/* For connections we could not make a conn for: the built-in scheduler under our module reference.
 */
static struct mptcp_sched_ops orphan_ops = {
	ORPHAN_OPS,
	.name = "orphan",
	.owner = THIS_MODULE,
};

static const struct mptcp_sched_ops conn_ops = {
	CONN_OPS,
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

/* A socket that was created under a scheduler; msk->sched is its entry in the list. */
static void listed_init(struct mptcp_sock *msk)
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
	conn_make(msk, mptcp_bpf_conn_of(msk)->sched);
	rcu_read_unlock();
}

u32 mptcp_bpf_conn_age_ms(struct mptcp_sock *msk)
{
	return jiffies_to_msecs(jiffies - mptcp_bpf_conn_of(msk)->born);
}

bool mptcp_bpf_conn_is_ours(struct mptcp_sock *msk)
{
	struct mptcp_sched_ops *kops = READ_ONCE(*MSK_FIELD(msk, sched, struct mptcp_sched_ops *));

	return kops && kops->release == conn_release;
}

void mptcp_bpf_conn_list_ops(struct mptcp_sched_ops *kops)
{
	*kops = conn_ops;
	kops->init = listed_init;
	kops->release = NULL;
}

int mptcp_bpf_conn_setup(void)
{
	conn_cache = kmem_cache_create("mptcp_bpf_conn", sizeof(struct conn), 0, 0, NULL);
	return conn_cache ? 0 : -ENOMEM;
}

void mptcp_bpf_conn_teardown(void)
{
#ifdef CONFIG_TASKS_RCU
	rcu_barrier_tasks();
#endif
	rcu_barrier();
	kmem_cache_destroy(conn_cache);
}
