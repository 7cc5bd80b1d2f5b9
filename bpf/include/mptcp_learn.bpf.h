/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of what is learned about paths, and looking things up in them. */
#ifndef MPTCP_LEARN_BPF_H
#define MPTCP_LEARN_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "mptcp_learn.h"

#define AF_INET	 2
#define AF_INET6 10

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct mptcp_learn_key);
	__type(value, struct mptcp_learn_stat);
} learned SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u64); /* netns cookie */
	__type(value, struct mptcp_learn_config);
} namespaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct mptcp_learn_path_key);
	__type(value, struct mptcp_learn_path);
} paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct mptcp_learn_address);
	__type(value, struct mptcp_learn_owner);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct mptcp_learn_route);
	__type(value, __u32);
} routes SEC(".maps");

static __always_inline __u64 mptcp_learn_now_ms(void)
{
	return MPTCP_LEARN_BOOT_MS + bpf_ktime_get_boot_ns() / 1000000;
}

static __always_inline void mptcp_learn_v4(__u8 *out, __u32 address)
{
	__builtin_memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	__builtin_memcpy(out + 12, &address, 4);
}

static __always_inline bool mptcp_learn_is_v4(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

/* NULL when what is known is too old to count. */
static __always_inline struct mptcp_learn_stat *mptcp_learn_look(const struct mptcp_learn_key *key,
								 __u64 now_ms, __u64 ttl_ms)
{
	struct mptcp_learn_stat *s = bpf_map_lookup_elem(&learned, key);

	return s && mptcp_learn_fresh(s, now_ms, ttl_ms) ? s : NULL;
}

static __always_inline struct mptcp_learn_stat *mptcp_learn_row(const struct mptcp_learn_key *key)
{
	struct mptcp_learn_stat *s = bpf_map_lookup_elem(&learned, key);
	struct mptcp_learn_stat fresh = {};

	if (s)
		return s;
	bpf_map_update_elem(&learned, key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&learned, key);
}

static __always_inline const struct mptcp_learn_path *mptcp_learn_path_of(__u64 cookie, __u32 index)
{
	struct mptcp_learn_path_key key = { .netns_cookie = cookie, .index = index };

	return bpf_map_lookup_elem(&paths, &key);
}

static __always_inline bool mptcp_learn_path_has(const struct mptcp_learn_path *p, bool v4)
{
	return v4 ? p->v4[10] : p->v6[0];
}

#endif
