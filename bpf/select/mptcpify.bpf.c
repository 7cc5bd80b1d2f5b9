// SPDX-License-Identifier: GPL-2.0-only
/*
 * mptcpify: programs that ask for TCP get MPTCP, by the policy's rules for programs.
 *
 * Runs when a socket is made, in the process that makes it; the rules of its network namespace are
 * tried in order and the first that matches decides. Sockets that are not TCP over IP, and those
 * that no rule matches, stay what they are. A listener made so accepts plain TCP as well.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "mptcp_programs.h"

#define AF_INET	    2
#define AF_INET6    10
#define SOCK_STREAM 1
#define TYPE_MASK   0xf /* the rest are flags such as SOCK_CLOEXEC */

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct mptcp_program_key);
	__type(value, struct mptcp_program);
} programs SEC(".maps");

/* A program without a file, a kernel thread, has no name. */
static __always_inline void executable_of(const struct task_struct *task,
					  char name[MPTCP_EXECUTABLE_BYTES])
{
	const unsigned char *from = BPF_CORE_READ(task, mm, exe_file, f_path.dentry, d_name.name);

	if (from)
		bpf_probe_read_kernel_str(name, MPTCP_EXECUTABLE_BYTES, from);
}

static __always_inline bool same_name(const char *a, const char *b)
{
	int i;

	bpf_for(i, 0, MPTCP_EXECUTABLE_BYTES) {
		if (i < 0 || i >= MPTCP_EXECUTABLE_BYTES || a[i] != b[i])
			return false;
		if (!a[i])
			break;
	}
	return true;
}

static __always_inline bool matches(const struct mptcp_program *r, __u32 uid, const char *name)
{
	if (r->cgroup && bpf_get_current_ancestor_cgroup_id(r->cgroup_level) != r->cgroup)
		return false;
	if (r->by_uid && r->uid != uid)
		return false;
	return !r->executable[0] || same_name(r->executable, name);
}

static __always_inline int choose(int protocol)
{
	const struct task_struct *task = (void *)bpf_get_current_task();
	struct mptcp_program_key key = {
		.netns_cookie = BPF_CORE_READ(task, nsproxy, net_ns, net_cookie),
	};
	__u32 uid = (__u32)bpf_get_current_uid_gid();
	char name[MPTCP_EXECUTABLE_BYTES] = { 0 };
	int i;

	if (!bpf_map_lookup_elem(&programs, &key))
		return protocol;
	executable_of(task, name);
	bpf_for(i, 0, MPTCP_PROGRAMS_MAX) {
		const struct mptcp_program *r;

		key.index = i;
		r = bpf_map_lookup_elem(&programs, &key);
		if (!r)
			break;
		if (matches(r, uid, name))
			return r->mptcpify ? IPPROTO_MPTCP : protocol;
	}
	return protocol;
}

SEC("fmod_ret/update_socket_protocol")
int BPF_PROG(mptcpify, int family, int type, int protocol)
{
	if ((family != AF_INET && family != AF_INET6) || (type & TYPE_MASK) != SOCK_STREAM ||
	    (protocol && protocol != IPPROTO_TCP))
		return protocol;
	return choose(protocol);
}
