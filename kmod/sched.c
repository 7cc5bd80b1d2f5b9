// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loaded schedulers: one `struct sched` in the kernel's list for each.
 *
 * An unloaded scheduler lives on, without its program, until its last connection is gone.
 */
#include "mptcp_bpf.h"

#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

static DEFINE_MUTEX(scheds_lock); /* for changes of `scheds` and of the kernel's list */
static LIST_HEAD(scheds);	  /* RCU */
static struct sched *builtin;	  /* stands for the kernel's own; has no program */

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

void mptcp_bpf_sched_put(struct sched *s)
{
	kref_put(&s->ref, sched_put_final);
}

struct sched *mptcp_bpf_sched_get(const char *name)
{
	struct sched *s, *found = NULL;

	rcu_read_lock();
	if (!strcmp(name, builtin->kops.name)) {
		kref_get(&builtin->ref);
		found = builtin;
	}
	list_for_each_entry_rcu(s, &scheds, node) {
		if (found || strcmp(name, s->kops.name) || !kref_get_unless_zero(&s->ref))
			continue;
		found = s;
	}
	rcu_read_unlock();
	return found;
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

	list_for_each_entry(s, &scheds, node)
		if (rcu_access_pointer(s->ops) == ops)
			return s;
	return NULL;
}

static struct sched *sched_make(const char *name, struct mptcp_bpf_sched_ops *ops)
{
	struct sched *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	s->counters = alloc_percpu(struct mptcp_bpf_counters);
	if (!s->counters) {
		kfree(s);
		return NULL;
	}
	mptcp_bpf_conn_list_ops(&s->kops);
	strscpy(s->kops.name, name, sizeof(s->kops.name));
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
		s = sched_make(ops->name, ops);
		if (s) {
			list_add_tail_rcu(&s->node, &scheds);
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
		list_del_rcu(&s->node);
		RCU_INIT_POINTER(s->ops, NULL);
	}
	mutex_unlock(&scheds_lock);
	if (!s)
		return;
	synchronize_rcu();
	mptcp_bpf_sched_put(s);
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

int mptcp_bpf_sched_setup(void)
{
	builtin = sched_make(mptcp_bpf_builtin->name, NULL);
	return builtin ? 0 : -ENOMEM;
}

void mptcp_bpf_sched_teardown(void)
{
	mptcp_bpf_sched_put(builtin);
}

static void counters_sum(const struct sched *s, struct mptcp_bpf_counters *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const u64 *from = (const u64 *)per_cpu_ptr(s->counters, cpu);
		u64 *to = (u64 *)sum;
		size_t i;

		for (i = 0; i < sizeof(*sum) / sizeof(u64); i++)
			to[i] += READ_ONCE(from[i]);
	}
}

/* Readers find a column by its name; new ones are appended. */
void mptcp_bpf_sched_show(struct seq_file *m)
{
	struct sched *s;

	seq_puts(
		m,
		"# name state connections decisions scheduled waited retransmits stalls refused errors slow ejected fastest spilled backup deferred redundant reinjected probe sent_bytes reinjected_bytes\n");
	mutex_lock(&scheds_lock);
	list_for_each_entry(s, &scheds, node) {
		struct mptcp_bpf_counters c;
		int i;

		counters_sum(s, &c);
		seq_printf(m, "%s %s %d %llu %llu %llu %llu %llu %llu %llu %llu %llu", s->kops.name,
			   READ_ONCE(s->runaway) ? "runaway" : "ok", atomic_read(&s->nr_conns),
			   c.decisions, c.scheduled, c.waited, c.retransmits, c.stalls, c.refused,
			   c.errors, c.slow, c.ejected);
		for (i = MPTCP_REASON_FASTEST; i < MPTCP_REASON_NR; i++)
			seq_printf(m, " %llu", c.reason[i]);
		seq_printf(m, " %llu %llu\n", c.sent_bytes, c.reinjected_bytes);
	}
	mutex_unlock(&scheds_lock);
}
