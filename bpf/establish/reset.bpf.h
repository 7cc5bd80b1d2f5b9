/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet becomes an RST: written anew, so that nothing of what it was is left. */
#ifndef ESTABLISH_RESET_BPF_H
#define ESTABLISH_RESET_BPF_H

#include "packet.bpf.h"

#define DO_NOT_FRAGMENT 0x4000
#define HOPS		64
#define SUMMED_PARTIAL	3 /* CHECKSUM_PARTIAL of include/linux/skbuff.h */

static __always_inline __u16 fold(__s64 sum)
{
	__u32 s = sum;

	s = (s & 0xffff) + (s >> 16);
	return (s & 0xffff) + (s >> 16);
}

/* The pseudo header of both versions gives the same sum with mapped addresses but for MAPPED. */
static __always_inline __s64 pseudo_sum(const struct packet *p)
{
	struct {
		struct rescue_address local, remote;
		__u32 length, protocol;
	} pseudo = {
		.local = p->tuple.local,
		.remote = p->tuple.remote,
		.length = bpf_htonl(TCP_BYTES),
		.protocol = bpf_htonl(PROTOCOL_TCP),
	};

	if (!p->v6)
		pseudo.local.word[2] = pseudo.remote.word[2] = 0;
	return bpf_csum_diff(NULL, 0, (void *)&pseudo, sizeof(pseudo), 0);
}

static __always_inline bool left_to_device(struct __sk_buff *skb)
{
	struct sk_buff *kernel = bpf_cast_to_kern_ctx(skb);

	return BPF_CORE_READ_BITFIELD(kernel, ip_summed) == SUMMED_PARTIAL;
}

static __always_inline long write_tcp(struct __sk_buff *skb, const struct packet *p, __u32 sequence)
{
	struct tcp_header tcp = {
		.source = p->tuple.local_port,
		.dest = p->tuple.remote_port,
		.seq = bpf_htonl(sequence),
		.words4 = TCP_BYTES << 2,
		.flags = TCP_RST,
	};
	__s64 sum = pseudo_sum(p);

	if (sum < 0)
		return sum;
	if (left_to_device(skb))
		tcp.check = fold(sum);
	else
		tcp.check = ~fold(bpf_csum_diff(NULL, 0, (void *)&tcp, sizeof(tcp), sum));
	return bpf_skb_store_bytes(skb, p->l4, &tcp, sizeof(tcp), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline long write_ipv4(struct __sk_buff *skb, const struct packet *p)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = IPV4_BYTES / 4,
		.tot_len = bpf_htons(IPV4_BYTES + TCP_BYTES),
		.frag_off = bpf_htons(DO_NOT_FRAGMENT),
		.ttl = HOPS,
		.protocol = PROTOCOL_TCP,
		.saddr = p->tuple.local.word[3],
		.daddr = p->tuple.remote.word[3],
	};

	ip.check = ~fold(bpf_csum_diff(NULL, 0, (void *)&ip, sizeof(ip), 0));
	return bpf_skb_store_bytes(skb, p->l3, &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline long write_ipv6(struct __sk_buff *skb, const struct packet *p)
{
	struct ipv6hdr ip = {
		.version = 6,
		.payload_len = bpf_htons(TCP_BYTES),
		.nexthdr = PROTOCOL_TCP,
		.hop_limit = HOPS,
	};

	__builtin_memcpy(&ip.saddr, &p->tuple.local, 16);
	__builtin_memcpy(&ip.daddr, &p->tuple.remote, 16);
	return bpf_skb_store_bytes(skb, p->l3, &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
}

/* From p->tuple.local to p->tuple.remote. Non-zero: what it has become is of no use. */
static __always_inline long packet_become_reset(struct __sk_buff *skb, const struct packet *p,
						__u32 sequence)
{
	/* IPv4 options would have to be kept or cut out of the middle. */
	if (!p->v6 && p->l4 - p->l3 != IPV4_BYTES)
		return -EINVAL;
	return bpf_skb_change_tail(skb, p->l4 + TCP_BYTES, 0) ?:
	       (p->v6 ? write_ipv6(skb, p) : write_ipv4(skb, p)) ?: write_tcp(skb, p, sequence);
}

/* What came in goes back the way it came. */
static __always_inline int packet_turn_back(struct __sk_buff *skb, const struct packet *p)
{
	__u8 addresses[12], turned[12];

	if (p->l3) {
		if (bpf_skb_load_bytes(skb, 0, addresses, sizeof(addresses)))
			return TCX_DROP;
		__builtin_memcpy(turned, addresses + 6, 6);
		__builtin_memcpy(turned + 6, addresses, 6);
		if (bpf_skb_store_bytes(skb, 0, turned, sizeof(turned), 0))
			return TCX_DROP;
	}
	return bpf_redirect(skb->ifindex, 0);
}

#endif
