// SPDX-License-Identifier: GPL-2.0-only
/*
 * ips: where a connection begins, by what was learned about its paths (initial path selection).
 *
 * Runs at every connect() of TCP and MPTCP sockets in the cgroup. The socket is bound to the device
 * and address of another path only when that is clearly better than what the kernel takes by
 * itself. Left alone are sockets that the application bound or marked, further subflows, loopback,
 * and destinations with a route of their own. bpf/establish/learn.bpf.c fills the table.
 */
#include "mptcp_learn.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define SOL_SOCKET	 1
#define SO_BINDTOIFINDEX 62
#define NONE		 MPTCP_LEARN_PATHS_MAX

/* On the stack of connect(), which can be preempted: nothing per-CPU would be safe. */
struct choice {
	struct mptcp_learn_key key;
	__u64 now_ms, ttl_ms;
	__u64 best_us, natural_us;
	__u32 best, natural; /* NONE: there is none */
	__u32 handicap_us;   /* of the one chosen */
	__u32 mptcp, v4;
};

/*
 * One path, compared with those before it. Global functions, this and the next, keep the verifier
 * from walking each combination of outcomes. False: there are no more.
 */
__noinline int consider(struct choice *c, __u32 index)
{
	const struct mptcp_learn_stat *own, *all;
	const struct mptcp_learn_path *p;
	struct mptcp_learn_key key;
	__u64 us;

	p = c ? mptcp_learn_path_of(c->key.netns_cookie, index) : NULL;
	if (!p)
		return 0;
	if (!mptcp_learn_path_has(p, c->v4))
		return 1;
	key = c->key;
	key.ifindex = p->ifindex;
	key.network = p->network;
	own = mptcp_learn_look(&key, c->now_ms, c->ttl_ms);
	__builtin_memset(key.prefix, 0, sizeof(key.prefix));
	all = mptcp_learn_look(&key, c->now_ms, c->ttl_ms);
	us = mptcp_learn_expected_us(own, all, c->mptcp, c->now_ms) + p->handicap_us;
	if (c->v4 ? p->route_v4 : p->route_v6) {
		c->natural = index;
		c->natural_us = us;
	}
	if (us < c->best_us) {
		c->best = index;
		c->best_us = us;
	}
	return 1;
}

/* Whether the path can be tried out now; noted, so that others do not follow. A trial never costs
 * more than the path it replaces. */
__noinline int take_trial(struct choice *c, __u32 index)
{
	const struct mptcp_learn_path *p = c ? mptcp_learn_path_of(c->key.netns_cookie, index)
					     : NULL;
	struct mptcp_learn_key key = {};
	struct mptcp_learn_stat *all;

	if (!p || !mptcp_learn_path_has(p, c->v4) || p->handicap_us > c->handicap_us)
		return 0;
	key.netns_cookie = c->key.netns_cookie;
	key.ifindex = p->ifindex;
	key.network = p->network;
	all = mptcp_learn_row(&key);
	if (!all || !mptcp_learn_trial_due(all, c->now_ms) ||
	    (c->mptcp && mptcp_learn_breaks(all, c->now_ms)))
		return 0;
	all->trial_ms = c->now_ms;
	return 1;
}

/* The path to begin on; NULL leaves it to the kernel. */
static __always_inline const struct mptcp_learn_path *choose(struct choice *c, __u32 explore_ppm)
{
	const struct mptcp_learn_path *p;
	__u32 chosen;

	for (__u32 i = 0; i < MPTCP_LEARN_PATHS_MAX; i++)
		if (!consider(c, i))
			break;
	if (c->natural == NONE)
		return NULL;
	chosen = mptcp_learn_better(c->best_us, c->natural_us) ? c->best : c->natural;
	if (bpf_get_prandom_u32() % MPTCP_LEARN_PPM < explore_ppm) {
		p = mptcp_learn_path_of(c->key.netns_cookie, chosen);
		c->handicap_us = p ? p->handicap_us : 0;
		for (__u32 i = 0; i < MPTCP_LEARN_PATHS_MAX; i++) {
			if (i == chosen || !take_trial(c, i))
				continue;
			chosen = i;
			break;
		}
	}
	return chosen == c->natural ? NULL : mptcp_learn_path_of(c->key.netns_cookie, chosen);
}

static __always_inline bool is_loopback(const __u8 *address)
{
	return mptcp_learn_is_v4(address) ? address[12] == 127 || !address[12]
					  : !address[0]; /* ::/8 */
}

/* Routed on purpose, or an address of this machine. */
static __always_inline bool is_elsewhere(__u64 cookie, const __u8 *address)
{
	struct mptcp_learn_route route = { .prefixlen = 64 + 128 };
	struct mptcp_learn_address own = { .netns_cookie = cookie };

	__builtin_memcpy(route.netns_cookie, &cookie, sizeof(cookie));
	__builtin_memcpy(route.destination, address, 16);
	__builtin_memcpy(own.address, address, 16);
	return bpf_map_lookup_elem(&routes, &route) || bpf_map_lookup_elem(&addresses, &own);
}

static __always_inline void bind_to(struct bpf_sock_addr *ctx, const struct mptcp_learn_path *p,
				    bool v4)
{
	int device = p->ifindex, none = 0, err;

	if (bpf_setsockopt(ctx, SOL_SOCKET, SO_BINDTOIFINDEX, &device, sizeof(device)))
		return;
	if (ctx->family == AF_INET) {
		struct sockaddr_in a = { .sin_family = AF_INET };

		__builtin_memcpy(&a.sin_addr, p->v4 + 12, 4);
		err = bpf_bind(ctx, (struct sockaddr *)&a, sizeof(a));
	} else {
		struct sockaddr_in6 a = { .sin6_family = AF_INET6 };

		__builtin_memcpy(&a.sin6_addr, v4 ? p->v4 : p->v6, 16);
		err = bpf_bind(ctx, (struct sockaddr *)&a, sizeof(a));
	}
	if (err)
		bpf_setsockopt(ctx, SOL_SOCKET, SO_BINDTOIFINDEX, &none, sizeof(none));
}

static __always_inline void begin(struct bpf_sock_addr *ctx, const __u8 *address)
{
	struct choice c = { .key.netns_cookie = bpf_get_netns_cookie(ctx) };
	struct mptcp_learn_config *n = bpf_map_lookup_elem(&namespaces, &c.key.netns_cookie);
	bool v4 = mptcp_learn_is_v4(address);
	const struct mptcp_learn_path *p;
	struct bpf_sock *sk = ctx->sk;
	struct mptcp_sock *msk;

	if (!n || !sk || ctx->type != SOCK_STREAM || sk->bound_dev_if || sk->mark || sk->src_port ||
	    sk->src_ip4 || sk->src_ip6[0] || sk->src_ip6[2] || sk->src_ip6[3])
		return;
	msk = bpf_skc_to_mptcp_sock(sk);
	if ((msk && (void *)msk->first != (void *)sk) || is_loopback(address) ||
	    !mptcp_learn_prefix(address, c.key.prefix) || is_elsewhere(c.key.netns_cookie, address))
		return;
	c.now_ms = mptcp_learn_now_ms();
	c.ttl_ms = n->ttl_ms;
	c.best_us = c.natural_us = ~0ull;
	c.best = c.natural = NONE;
	c.mptcp = msk != NULL;
	c.v4 = v4;
	p = choose(&c, n->explore_ppm);
	if (p)
		bind_to(ctx, p, v4);
}

SEC("cgroup/connect4")
int ips_connect4(struct bpf_sock_addr *ctx)
{
	__u8 address[16];

	mptcp_learn_v4(address, ctx->user_ip4);
	begin(ctx, address);
	return 1;
}

SEC("cgroup/connect6")
int ips_connect6(struct bpf_sock_addr *ctx)
{
	__u32 address[4];

	address[0] = ctx->user_ip6[0];
	address[1] = ctx->user_ip6[1];
	address[2] = ctx->user_ip6[2];
	address[3] = ctx->user_ip6[3];
	begin(ctx, (const __u8 *)address);
	return 1;
}
