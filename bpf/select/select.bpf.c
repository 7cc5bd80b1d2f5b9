// SPDX-License-Identifier: GPL-2.0-only
/*
 * select: which scheduler a connection gets, by the `connections` rules of the policy.
 *
 * Runs once for a connection, before its first data; the rules of its network namespace are tried
 * in order and the first that matches decides. A connection that no rule matches keeps the
 * scheduler it was created with (net.mptcp.scheduler), and so does one whose rule names a scheduler
 * that is not loaded.
 */
#include "mptcp_bpf.bpf.h"
#include "mptcp_match.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct mptcp_select_key);
	__type(value, struct mptcp_select_rule);
} rules SEC(".maps");

struct scratch {
	struct mptcp_bpf_facts facts;
	struct mptcp_select_key key;
	char name[16];
	__u32 rule;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

SEC("struct_ops")
int BPF_PROG(select_scheduler, struct mptcp_sock *msk)
{
	__u32 zero = 0;
	struct scratch *s = bpf_map_lookup_elem(&scratch, &zero);
	int i;

	if (!s || bpf_mptcp_facts(msk, &s->facts, sizeof(s->facts)))
		return 0;
	s->key.netns_cookie = s->facts.netns_cookie;
	s->rule = 0;
	bpf_for(i, 0, MPTCP_SELECT_RULES_MAX) {
		const struct mptcp_select_rule *r;

		s->key.index = i;
		r = bpf_map_lookup_elem(&rules, &s->key);
		if (!r)
			break;
		if (!mptcp_match(r, &s->facts))
			continue;
		__builtin_memcpy(s->name, r->scheduler, sizeof(s->name));
		s->rule = r->rule;
		return bpf_mptcp_choose(msk, s->name, sizeof(s->name), s->rule);
	}
	return 0;
}

SEC(".struct_ops.link")
struct mptcp_bpf_select_ops selector = {
	.select = (void *)select_scheduler,
	.name = "select",
};
