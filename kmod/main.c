// SPDX-License-Identifier: GPL-2.0-only
/* The struct_ops type mptcp_bpf_sched_ops, /proc/mptcp_bpf, and the life of the module. */
#include "mptcp_bpf.h"

#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>

#define PROC_NAME "mptcp_bpf"

struct mptcp_sched_ops *mptcp_bpf_builtin;

/* A scheduler needs no callbacks, and bpf_loop() could keep a CPU for minutes. */
static const struct bpf_func_proto *func_proto(enum bpf_func_id id, const struct bpf_prog *prog)
{
	if (id == BPF_FUNC_loop || id == BPF_FUNC_for_each_map_elem)
		return NULL;
	return bpf_base_func_proto(id, prog);
}

static bool is_valid_access(int off, int size, enum bpf_access_type type,
			    const struct bpf_prog *prog, struct bpf_insn_access_aux *info)
{
	if (off < 0 || off >= (int)sizeof(__u64) * MAX_BPF_FUNC_ARGS || type != BPF_READ ||
	    off % size)
		return false;
	return btf_ctx_access(off, size, type, prog, info);
}

const struct bpf_verifier_ops mptcp_bpf_verifier_ops = {
	.get_func_proto = func_proto,
	.is_valid_access = is_valid_access,
};

static int sched_btf_init(struct btf *btf)
{
	return 0;
}

static int sched_check_member(const struct btf_type *t, const struct btf_member *member,
			      const struct bpf_prog *prog)
{
	return 0;
}

static int sched_init_member(const struct btf_type *t, const struct btf_member *member, void *kdata,
			     const void *udata)
{
	const struct mptcp_bpf_sched_ops *from = udata;
	struct mptcp_bpf_sched_ops *to = kdata;

	switch (__btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct mptcp_bpf_sched_ops, name):
		if (!from->name[0] || strscpy(to->name, from->name, sizeof(to->name)) < 0)
			return -EINVAL;
		return 1;
	case offsetof(struct mptcp_bpf_sched_ops, flags):
		return from->flags ? -EINVAL : 1;
	default:
		return 0;
	}
}

static int sched_validate(void *kdata)
{
	const struct mptcp_bpf_sched_ops *ops = kdata;

	return ops->get_send ? 0 : -EINVAL;
}

static int sched_reg(void *kdata, struct bpf_link *link)
{
	return mptcp_bpf_sched_register(kdata);
}

static void sched_unreg(void *kdata, struct bpf_link *link)
{
	mptcp_bpf_sched_unregister(kdata);
}

static int sched_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	return mptcp_bpf_sched_update(kdata, old_kdata);
}

static int sched_get_send_stub(struct mptcp_sock *msk)
{
	return 0;
}

static int sched_get_retrans_stub(struct mptcp_sock *msk)
{
	return 0;
}

static void sched_init_stub(struct mptcp_sock *msk)
{
}

static void sched_release_stub(struct mptcp_sock *msk)
{
}

static void sched_path_event_stub(struct mptcp_sock *msk, u32 id, u32 event)
{
}

static struct mptcp_bpf_sched_ops sched_stubs = {
	.get_send = sched_get_send_stub,
	.get_retrans = sched_get_retrans_stub,
	.init = sched_init_stub,
	.release = sched_release_stub,
	.path_event = sched_path_event_stub,
};

static struct bpf_struct_ops sched_struct_ops = {
	.verifier_ops = &mptcp_bpf_verifier_ops,
	.init = sched_btf_init,
	.check_member = sched_check_member,
	.init_member = sched_init_member,
	.reg = sched_reg,
	.unreg = sched_unreg,
	.update = sched_update,
	.validate = sched_validate,
	.cfi_stubs = &sched_stubs,
	.owner = THIS_MODULE,
	.name = "mptcp_bpf_sched_ops",
};

/* /proc/mptcp_bpf: schedulers. */
static int proc_show(struct seq_file *m, void *v)
{
	mptcp_bpf_sched_show(m);
	return 0;
}

/* /proc/net/mptcp_bpf: connections of the reader's network namespace. */
static int proc_net_show(struct seq_file *m, void *v)
{
	mptcp_bpf_conn_show(m, seq_file_single_net(m));
	return 0;
}

static int __net_init net_init(struct net *net)
{
	return proc_create_net_single(PROC_NAME, 0444, net->proc_net, proc_net_show, NULL)
		       ? 0
		       : -ENOMEM;
}

static void __net_exit net_exit(struct net *net)
{
	remove_proc_entry(PROC_NAME, net->proc_net);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit = net_exit,
};

/* The list of schedulers is private to net/mptcp, but a new socket points into it. */
static int find_builtin(void)
{
	struct mptcp_sched_ops *found;
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_MPTCP, &sock);
	if (err) {
		pr_err("this kernel cannot create MPTCP sockets (error %d): is net.mptcp.enabled 1?\n",
		       err);
		return err;
	}
	found = *MSK_FIELD((struct mptcp_sock *)sock->sk, sched, struct mptcp_sched_ops *);
	sock_release(sock);
	if (!found || strcmp(found->name, "default")) {
		pr_err("net.mptcp.scheduler of the initial namespace must be \"default\" while the module is loaded\n");
		return -EBUSY;
	}
	mptcp_bpf_builtin = found;
	return 0;
}

static int register_types(void)
{
	int err = mptcp_bpf_kfunc_register();

	if (!err)
		err = mptcp_bpf_select_kfunc_register();
	if (!err)
		err = register_bpf_struct_ops(&sched_struct_ops, mptcp_bpf_sched_ops);
	if (!err)
		err = register_bpf_struct_ops(&mptcp_bpf_select_struct_ops, mptcp_bpf_select_ops);
	if (err)
		pr_err("BPF refused the scheduler types (error %d): does this module have BTF?\n",
		       err);
	return err;
}

static int __init mptcp_bpf_init(void)
{
	int err;

	err = find_builtin();
	if (err)
		return err;
	err = mptcp_bpf_conn_setup();
	if (err)
		return err;
	err = mptcp_bpf_sched_setup();
	if (err)
		goto no_sched;
	err = register_pernet_subsys(&net_ops);
	if (err)
		goto no_net;
	err = -ENOMEM;
	if (!proc_create_single(PROC_NAME, 0444, NULL, proc_show))
		goto no_proc;
	err = register_types();
	if (!err)
		return 0;
	remove_proc_entry(PROC_NAME, NULL);
no_proc:
	unregister_pernet_subsys(&net_ops);
no_net:
	mptcp_bpf_sched_teardown();
no_sched:
	mptcp_bpf_conn_teardown();
	return err;
}

/* Reached only when no scheduler is loaded and no connection is left: each holds a reference. */
static void __exit mptcp_bpf_exit(void)
{
	remove_proc_entry(PROC_NAME, NULL);
	unregister_pernet_subsys(&net_ops);
	mptcp_bpf_sched_teardown();
	mptcp_bpf_conn_teardown();
}

module_init(mptcp_bpf_init);
module_exit(mptcp_bpf_exit);
MODULE_DESCRIPTION("Multipath TCP packet schedulers as BPF struct_ops");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
