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

/* For what does not come with a conn: release, listing, setting by token. A conn in it has a live
 * msk: the kernel releases first.
 */
static DEFINE_HASHTABLE(conns, CONN_HASH_BITS);
static DEFINE_SPINLOCK(conns_lock); /* protects `conns`, and conn->pending */
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
/* The program's init or release; under RCU, BH off. */
static void call_edge(struct sched *s, struct mptcp_sock *msk, bool init)
{
	struct mptcp_bpf_sched_ops *ops = rcu_dereference(s->ops);

	if (ops && (init ? ops->init : ops->release))
		(init ? ops->init : ops->release)(msk);
}

static void sched_leave(struct sched *s)
{
	atomic_dec(&s->nr_conns);
	mptcp_bpf_sched_put(s);
}

static void conn_release(struct mptcp_sock *msk)
{
	struct conn *c, *found = NULL;
	struct sched *s;

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
	mptcp_bpf_count_bytes(found);
	s = rcu_dereference(found->sched);
	call_edge(s, msk, false);
	rcu_read_unlock();
	local_bh_enable();

	sched_leave(s);
	if (found->pending)
		mptcp_bpf_sched_put(found->pending);
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
	RCU_INIT_POINTER(c->sched, s);
	c->msk = msk;
	c->born = jiffies;
	atomic_inc(&s->nr_conns);
	spin_lock_bh(&conns_lock);
	hash_add(conns, &c->node, (unsigned long)msk);
	spin_unlock_bh(&conns_lock);
	WRITE_ONCE(*slot, &c->kops);

	local_bh_disable();
	call_edge(s, msk, true);
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
	conn_make(msk, rcu_dereference(mptcp_bpf_conn_of(msk)->sched));
	rcu_read_unlock();
}

void mptcp_bpf_conn_want(struct conn *c, struct sched *s, enum chosen_by by, u32 rule)
{
	struct sched *old;

	spin_lock_bh(&conns_lock);
	old = c->pending;
	c->pending_by = by;
	c->pending_rule = rule;
	WRITE_ONCE(c->pending, s);
	spin_unlock_bh(&conns_lock);
	if (old)
		mptcp_bpf_sched_put(old);
}

void mptcp_bpf_conn_settle(struct conn *c)
{
	struct sched *old, *new;

	if (likely(!READ_ONCE(c->pending)))
		return;
	mptcp_bpf_count_bytes(c);
	spin_lock_bh(&conns_lock);
	old = rcu_dereference_protected(c->sched, true);
	new = c->pending;
	c->pending = NULL;
	c->chosen_by = c->pending_by;
	c->rule = c->pending_rule;
	if (new != old)
		rcu_assign_pointer(c->sched, new);
	spin_unlock_bh(&conns_lock);
	if (new == old) {
		mptcp_bpf_sched_put(new);
		return;
	}
	/* A clean record for the new one. */
	c->ejected_at = c->strikes = c->retrans_refusals = 0;
	c->wait_mark = 0;
	atomic_inc(&new->nr_conns);
	call_edge(old, c->msk, false);
	call_edge(new, c->msk, true);
	sched_leave(old);
}

int mptcp_bpf_conn_set(u64 netns_cookie, u32 token, const char *name)
{
	struct sched *old = NULL, *s = mptcp_bpf_sched_get(name);
	int bucket, err = -ESRCH;
	struct conn *c;

	if (!s)
		return -ENOENT;
	for (bucket = 0; bucket < HASH_SIZE(conns) && err; bucket++) {
		spin_lock_bh(&conns_lock);
		hlist_for_each_entry(c, &conns[bucket], node)
		{
			if (*MSK_FIELD(c->msk, token, u32) != token ||
			    sock_net((struct sock *)c->msk)->net_cookie != netns_cookie)
				continue;
			old = c->pending;
			c->pending_by = BY_HAND;
			c->pending_rule = 0;
			WRITE_ONCE(c->pending, s);
			err = 0;
			break;
		}
		spin_unlock_bh(&conns_lock);
	}
	if (err)
		old = s;
	if (old)
		mptcp_bpf_sched_put(old);
	return err;
}

static void conn_show(struct seq_file *m, struct conn *c)
{
	static const char *const by[] = {
		[BY_SYSCTL] = "sysctl",
		[BY_RULE] = "rule",
		[BY_HAND] = "hand",
	};
	struct sched *s = rcu_dereference_protected(c->sched, true);
	bool waits = !!c->pending;
	const char *state = "ok";

	if (waits)
		s = c->pending;
	if (!rcu_access_pointer(s->ops))
		state = "builtin";
	else if (READ_ONCE(s->runaway))
		state = "runaway";
	else if (!waits && c->ejected_at == READ_ONCE(s->generation) + 1)
		state = "ejected";
	seq_printf(m, "%08x %s %s %s %u %llu %llu %llu\n", *MSK_FIELD(c->msk, token, u32),
		   s->kops.name, state, by[waits ? c->pending_by : c->chosen_by],
		   waits ? c->pending_rule : c->rule, c->decisions,
		   READ_ONCE(*MSK_FIELD(c->msk, bytes_sent, u64)),
		   READ_ONCE(*MSK_FIELD(c->msk, bytes_retrans, u64)));
}

/* Listeners and sockets that are not connected have no token and are left out. */
void mptcp_bpf_conn_show(struct seq_file *m, struct net *net)
{
	struct conn *c;
	int bucket;

	seq_puts(m, "# token scheduler state by rule decisions sent_bytes reinjected_bytes\n");
	for (bucket = 0; bucket < HASH_SIZE(conns); bucket++) {
		spin_lock_bh(&conns_lock);
		hlist_for_each_entry(c, &conns[bucket],
				     node) if (net_eq(sock_net((struct sock *)c->msk), net) &&
					       *MSK_FIELD(c->msk, token, u32) &&
					       inet_sk_state_load((struct sock *)c->msk) !=
						       TCP_LISTEN) conn_show(m, c);
		spin_unlock_bh(&conns_lock);
	}
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
