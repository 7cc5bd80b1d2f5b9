// SPDX-License-Identifier: GPL-2.0-only
/*
 * guard: what a peer, or whoever can write to the network behind a path, may ask for.
 *
 * Runs at tcx ingress of each interface that belongs to a path. An option that the policy does not
 * let through is overwritten with NOPs, so that the rest of the packet arrives; only a join over
 * the rate is dropped, because without its option it would be another connection. What needs to
 * know about other subflows looks them up, and lets pass what is for no socket of this host.
 */
#include "guard_address.bpf.h"
#include "guard_prio.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* A function of its own for the verifier, which goes through it once and not once an option. */
__noinline int guard_option(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct scratch *s = bpf_map_lookup_elem(&guard_scratch, &zero);
	const struct mptcp_guard_config *c = s ? bpf_map_lookup_elem(&guard_config, &s->ifindex)
					       : NULL;
	struct mptcp_guard_counters *n = s ? bpf_map_lookup_elem(&guard_counters, &s->ifindex)
					   : NULL;

	if (!s || !c || !n)
		return 0;
	if (s->p.options.subtype == MPTCP_SUB_REMOVE_ADDR)
		guard_remove(skb, s, c, n);
	else if (s->p.options.subtype == MPTCP_SUB_ADD_ADDR)
		guard_add(skb, s, c, n);
	else if (s->p.options.subtype == MPTCP_SUB_JOIN)
		guard_join(s, c, n);
	else if (mptcp_option_is_prio(&s->p.options))
		guard_prio(skb, s, c, n);
	else if (mptcp_option_is_prio_old(&s->p.options))
		n->prio_old++;
	return 0;
}

static __always_inline void guard_options(struct __sk_buff *skb, struct scratch *s,
					  struct mptcp_guard_counters *n)
{
	int i;

	if (mptcp_option_is_plain(&s->p.options))
		return;
	s->changed = false;
	bpf_for(i, 0, MPTCP_OPTIONS_BYTES) {
		enum mptcp_option_found found = mptcp_option_next(&s->p.options);

		if (found == MPTCP_FOUND_END)
			break;
		if (found == MPTCP_FOUND_MALFORMED) {
			n->malformed++;
			break;
		}
		/* By far the most, and nothing to judge. */
		if (found == MPTCP_FOUND_MPTCP && s->p.options.subtype != MPTCP_SUB_DSS)
			guard_option(skb);
	}
	if (s->changed && !s->drop && packet_write(skb, &s->p) < 0) {
		n->failed++;
		s->drop = true;
	}
}

SEC("tcx/ingress")
int guard(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex, zero = 0;
	const struct mptcp_guard_config *c = bpf_map_lookup_elem(&guard_config, &ifindex);
	struct mptcp_guard_counters *n = bpf_map_lookup_elem(&guard_counters, &ifindex);
	struct scratch *s = bpf_map_lookup_elem(&guard_scratch, &zero);

	if (!c || !n || !s)
		return TCX_NEXT;
	s->ifindex = ifindex;
	s->drop = false;
	switch (packet_read(skb, &s->p)) {
	case PACKET_OTHER:
		break;
	case PACKET_OPTIONS:
		guard_options(skb, s, n);
		break;
	case PACKET_TRUNCATED:
		n->truncated++;
		break;
	case PACKET_HIDDEN:
		n->hidden++;
		s->drop = true;
		break;
	}
	return s->drop ? TCX_DROP : TCX_NEXT;
}
