/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a scheduler remembers of a connection, by its token: zeros at first. Those of connections
 * that are gone are evicted when room is needed (at `release` the token is gone already).
 *
 *	MPTCP_STATE(struct mine);
 *	struct mine *m = mptcp_state(token);
 */
#ifndef MPTCP_STATE_BPF_H
#define MPTCP_STATE_BPF_H

#include "mptcp_bpf.bpf.h"

#define MPTCP_STATE(state)                                                      \
	struct {                                                                \
		__uint(type, BPF_MAP_TYPE_LRU_HASH);                            \
		__uint(max_entries, 8192);                                      \
		__type(key, __u32);                                             \
		__type(value, state);                                           \
	} connections SEC(".maps");                                             \
                                                                                \
	/* NULL: no memory. */                                                  \
	static __always_inline state *mptcp_state(__u32 token)                  \
	{                                                                       \
		state *known = bpf_map_lookup_elem(&connections, &token);       \
		state fresh;                                                    \
                                                                                \
		if (known)                                                      \
			return known;                                           \
		__builtin_memset(&fresh, 0, sizeof(fresh));                     \
		bpf_map_update_elem(&connections, &token, &fresh, BPF_NOEXIST); \
		return bpf_map_lookup_elem(&connections, &token);               \
	}                                                                       \
	struct mptcp_state_needs_a_semicolon

#endif
