/* SPDX-License-Identifier: GPL-2.0-only */
/* Does a rule for connections match one? */
#ifndef MPTCP_MATCH_BPF_H
#define MPTCP_MATCH_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "mptcp_bpf_view.h"
#include "mptcp_select.h"

static __always_inline bool mptcp_match_prefix(const __u8 *addr, const __u8 *prefix, __u32 bits)
{
	int i;

	bpf_for(i, 0, 16) {
		__u32 rest = bits - 8 * i, mask;

		if (i < 0 || i >= 16 || 8 * i >= bits)
			break;
		mask = rest >= 8 ? 0xff : (0xff << (8 - rest)) & 0xff;
		if ((addr[i] ^ prefix[i]) & mask)
			return false;
	}
	return true;
}

static __always_inline bool mptcp_match_port(__u16 port, __u16 first, __u16 last)
{
	return !first || (port >= first && port <= last);
}

static __always_inline bool mptcp_match(const struct mptcp_select_rule *r,
					const struct mptcp_bpf_facts *f)
{
	if (r->cgroup && f->cgroup[r->cgroup_level & (MPTCP_BPF_CGROUP_LEVELS - 1)] != r->cgroup)
		return false;
	if (r->by_uid && r->uid != f->uid)
		return false;
	if (r->role != MPTCP_ROLE_ANY && (r->role == MPTCP_ROLE_SERVER) != !!f->server)
		return false;
	return mptcp_match_port(f->remote_port, r->remote_port_first, r->remote_port_last) &&
	       mptcp_match_port(f->local_port, r->local_port_first, r->local_port_last) &&
	       mptcp_match_prefix(f->remote_addr, r->remote, r->remote_bits);
}

#endif
