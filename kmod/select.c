// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selector: a BPF program that is asked once for each connection, before its first data, which
 * scheduler it shall have; and the same for a live connection, by hand.
 */
#include "mptcp_bpf.h"

#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/cgroup.h>
#include <linux/module.h>
#include <net/ipv6.h>

#ifndef KF_TRUSTED_ARGS
#define KF_TRUSTED_ARGS 0
#endif

static struct mptcp_bpf_select_ops __rcu *selector;
static DEFINE_MUTEX(selector_lock);

void mptcp_bpf_select(struct conn *c)
{
	struct mptcp_bpf_select_ops *ops = rcu_dereference(selector);

	c->selected = true;
	if (!ops || READ_ONCE(c->pending))
		return;
	c->selecting = true;
	ops->select(c->msk);
	c->selecting = false;
}

static void facts_cgroup(struct mptcp_bpf_facts *f, struct sock *sk)
{
#ifdef CONFIG_SOCK_CGROUP_DATA
	struct cgroup *cgrp = sock_cgroup_ptr(&sk->sk_cgrp_data);
	int level;

	for (level = 0; level < MPTCP_BPF_CGROUP_LEVELS && level <= cgrp->level; level++)
		f->cgroup[level] = cgroup_id(cgroup_ancestor(cgrp, level));
#endif
}

/* Addresses are the initial subflow's, or those of the oldest that is left. */
static void facts_addresses(struct mptcp_bpf_facts *f, void *subflow)
{
	struct sock *ssk = mptcp_bpf_subflow_sock(subflow);
	struct in6_addr local, remote;

	if (ssk->sk_family == AF_INET) {
		ipv6_addr_set_v4mapped(inet_sk(ssk)->inet_saddr, &local);
		ipv6_addr_set_v4mapped(inet_sk(ssk)->inet_daddr, &remote);
	} else {
#if IS_ENABLED(CONFIG_IPV6)
		local = ssk->sk_v6_rcv_saddr;
		remote = ssk->sk_v6_daddr;
#else
		return;
#endif
	}
	memcpy(f->local_addr, &local, sizeof(f->local_addr));
	memcpy(f->remote_addr, &remote, sizeof(f->remote_addr));
	f->local_port = ntohs(inet_sk(ssk)->inet_sport);
	f->remote_port = ntohs(inet_sk(ssk)->inet_dport);
	f->server = !SUBFLOW_FLAG(subflow, request_mptcp) && !SUBFLOW_FLAG(subflow, request_join);
}

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_mptcp_facts(struct mptcp_sock *msk, void *out, u32 out__sz)
{
	struct sock *sk = (struct sock *)msk;
	struct mptcp_bpf_facts f = {};
	struct list_head *pos;

	if (!mptcp_bpf_conn_is_ours(msk) || !mptcp_bpf_conn_of(msk)->selecting)
		return -EINVAL;
	for_each_subflow(pos, msk) {
		facts_addresses(&f, mptcp_bpf_subflow_of(pos));
		break;
	}
	f.netns_cookie = sock_net(sk)->net_cookie;
	facts_cgroup(&f, sk);
	f.uid = from_kuid_munged(sock_net(sk)->user_ns, READ_ONCE(sk->sk_uid));
	f.token = *MSK_FIELD(msk, token, u32);
	memcpy(out, &f, min_t(size_t, out__sz, sizeof(f)));
	if (out__sz > sizeof(f))
		memset((char *)out + sizeof(f), 0, out__sz - sizeof(f));
	return 0;
}

static bool is_name(const char *name, u32 size)
{
	return size && size <= MPTCP_SCHED_NAME_MAX && strnlen(name, size) < size;
}

__bpf_kfunc int bpf_mptcp_choose(struct mptcp_sock *msk, void *name, u32 name__sz, u32 rule)
{
	struct conn *c;
	struct sched *s;

	if (!is_name(name, name__sz) || !mptcp_bpf_conn_is_ours(msk))
		return -EINVAL;
	c = mptcp_bpf_conn_of(msk);
	if (!c->selecting)
		return -EINVAL;
	s = mptcp_bpf_sched_get(name);
	if (!s)
		return -ENOENT;
	mptcp_bpf_conn_want(c, s, BY_RULE, rule);
	return 0;
}

__bpf_kfunc int bpf_mptcp_conn_set(u64 netns_cookie, u32 token, void *name, u32 name__sz)
{
	return is_name(name, name__sz) ? mptcp_bpf_conn_set(netns_cookie, token, name) : -EINVAL;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(set_kfunc_ids)
BTF_ID_FLAGS(func, bpf_mptcp_conn_set, KF_TRUSTED_ARGS)
BTF_KFUNCS_END(set_kfunc_ids)

static const struct btf_kfunc_id_set set_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &set_kfunc_ids,
};

int mptcp_bpf_select_kfunc_register(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &set_kfunc_set);
}

static int select_init(struct btf *btf)
{
	return 0;
}

static int select_check_member(const struct btf_type *t, const struct btf_member *member,
			       const struct bpf_prog *prog)
{
	return 0;
}

static int select_init_member(const struct btf_type *t, const struct btf_member *member,
			      void *kdata, const void *udata)
{
	const struct mptcp_bpf_select_ops *from = udata;
	struct mptcp_bpf_select_ops *to = kdata;

	if (__btf_member_bit_offset(t, member) / 8 != offsetof(struct mptcp_bpf_select_ops, name))
		return 0;
	if (!from->name[0] || strscpy(to->name, from->name, sizeof(to->name)) < 0)
		return -EINVAL;
	return 1;
}

static int select_validate(void *kdata)
{
	const struct mptcp_bpf_select_ops *ops = kdata;

	return ops->select ? 0 : -EINVAL;
}

static int select_reg(void *kdata, struct bpf_link *link)
{
	int err = 0;

	mutex_lock(&selector_lock);
	if (rcu_access_pointer(selector))
		err = -EEXIST;
	else
		rcu_assign_pointer(selector, kdata);
	mutex_unlock(&selector_lock);
	return err;
}

static void select_unreg(void *kdata, struct bpf_link *link)
{
	mutex_lock(&selector_lock);
	RCU_INIT_POINTER(selector, NULL);
	mutex_unlock(&selector_lock);
	synchronize_rcu();
}

static int select_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	mutex_lock(&selector_lock);
	rcu_assign_pointer(selector, kdata);
	mutex_unlock(&selector_lock);
	synchronize_rcu();
	return 0;
}

static int select_stub(struct mptcp_sock *msk)
{
	return 0;
}

static struct mptcp_bpf_select_ops select_stubs = {
	.select = select_stub,
};

struct bpf_struct_ops mptcp_bpf_select_struct_ops = {
	.verifier_ops = &mptcp_bpf_verifier_ops,
	.init = select_init,
	.check_member = select_check_member,
	.init_member = select_init_member,
	.reg = select_reg,
	.unreg = select_unreg,
	.update = select_update,
	.validate = select_validate,
	.cfi_stubs = &select_stubs,
	.owner = THIS_MODULE,
	.name = "mptcp_bpf_select_ops",
};
