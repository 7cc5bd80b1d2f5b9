/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP packets at a tcx hook: read, given another local address, turned into an RST. Checksums stay
 * right whoever computes them: the helpers know CHECKSUM_PARTIAL, _COMPLETE and none.
 */
#ifndef ESTABLISH_PACKET_BPF_H
#define ESTABLISH_PACKET_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "mptcp_rescue.h"

#define ETHERNET_BYTES 14
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define PROTOCOL_TCP   6
#define FRAGMENT_BITS  0x3fff /* "more fragments" and the offset */
#define IPV4_BYTES     20
#define IPV6_BYTES     40
#define TCP_BYTES      20
#define CHECKSUM_AT    16 /* in the TCP header */
#define MAPPED	       bpf_htonl(0xffff)
#ifndef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
#ifndef EINVAL
#define EINVAL 22
#endif

/* Since 6.16 and its stable relatives; others say -EINVAL. */
#define CSUM_IPV6 (1 << 7)

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

enum direction { OUT, IN };

struct packet {
	struct rescue_tuple tuple;
	__u32 l3, l4; /* where the headers are */
	__u32 tcp_bytes, payload_bytes;
	__u32 sequence, acknowledged;
	bool v6;
	__u8 flags;
};

void *bpf_cast_to_kern_ctx(void *ctx) __ksym;

/* In assembly, because the compiler would add the offset to the context in a register of its own,
 * and the verifier wants it in the instruction. */
#define CONTEXT_POINTER(skb, member)                                               \
	({                                                                         \
		void *pointer_;                                                    \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                              \
			     : "=r"(pointer_)                                      \
			     : "r"(skb), "i"(offsetof(struct __sk_buff, member))); \
		pointer_;                                                          \
	})

static __always_inline void *data_of(const struct __sk_buff *skb)
{
	return CONTEXT_POINTER(skb, data);
}

static __always_inline void *end_of(const struct __sk_buff *skb)
{
	return CONTEXT_POINTER(skb, data_end);
}

static __always_inline bool packet_reach(struct __sk_buff *skb, __u32 bytes)
{
	if (data_of(skb) + bytes <= end_of(skb))
		return true;
	return bytes <= skb->len && bpf_skb_pull_data(skb, bytes) == 0;
}

/* Tunnels have no Ethernet header. One that is taken for one, or the reverse, gives addresses that
 * no connection has. */
static __always_inline __u32 network_at(const struct __sk_buff *skb)
{
	const __u8 *data = data_of(skb), *end = end_of(skb);
	__u8 version = skb->protocol == bpf_htons(ETHERTYPE_IPV6) ? 6 : 4;

	if (data + ETHERNET_BYTES + 1 <= end && *(__u16 *)(data + 12) == (__u16)skb->protocol &&
	    data[ETHERNET_BYTES] >> 4 == version)
		return ETHERNET_BYTES;
	return 0;
}

static __always_inline bool read_ipv4(struct __sk_buff *skb, struct packet *p, enum direction dir)
{
	const struct iphdr *ip;
	__u32 source, target;

	if (!packet_reach(skb, p->l3 + IPV4_BYTES))
		return false;
	ip = data_of(skb) + p->l3;
	if ((void *)(ip + 1) > end_of(skb) || ip->protocol != PROTOCOL_TCP || ip->ihl < 5 ||
	    ip->frag_off & bpf_htons(FRAGMENT_BITS))
		return false;
	source = ip->saddr;
	target = ip->daddr;
	p->l4 = p->l3 + ip->ihl * 4;
	p->payload_bytes = bpf_ntohs(ip->tot_len) - ip->ihl * 4;
	p->tuple.local.word[2] = p->tuple.remote.word[2] = MAPPED;
	p->tuple.local.word[3] = dir == OUT ? source : target;
	p->tuple.remote.word[3] = dir == OUT ? target : source;
	return true;
}

/* Behind an extension header there is no SYN of ours. */
static __always_inline bool read_ipv6(struct __sk_buff *skb, struct packet *p, enum direction dir)
{
	const struct ipv6hdr *ip;

	if (!packet_reach(skb, p->l3 + IPV6_BYTES))
		return false;
	ip = data_of(skb) + p->l3;
	if ((void *)(ip + 1) > end_of(skb) || ip->nexthdr != PROTOCOL_TCP)
		return false;
	p->l4 = p->l3 + IPV6_BYTES;
	p->payload_bytes = bpf_ntohs(ip->payload_len);
	__builtin_memcpy(&p->tuple.local, dir == OUT ? &ip->saddr : &ip->daddr, 16);
	__builtin_memcpy(&p->tuple.remote, dir == OUT ? &ip->daddr : &ip->saddr, 16);
	return true;
}

/* As on the wire. Kernels name the bits of their struct tcphdr differently, and programs that use
 * it would not load everywhere. */
struct tcp_header {
	__be16 source, dest;
	__be32 seq, ack_seq;
	__u8 words4; /* length in 32-bit words, times 16 */
	__u8 flags;
	__be16 window;
	__sum16 check;
	__be16 urgent;
};

/* A whole TCP header, not in a fragment, without a VLAN tag that is still to come. */
static __always_inline bool packet_read(struct __sk_buff *skb, struct packet *p, enum direction dir)
{
	const struct tcp_header *tcp;

	p->v6 = skb->protocol == bpf_htons(ETHERTYPE_IPV6);
	if ((!p->v6 && skb->protocol != bpf_htons(ETHERTYPE_IPV4)) || skb->vlan_present)
		return false;
	p->l3 = network_at(skb);
	if (p->v6 ? !read_ipv6(skb, p, dir) : !read_ipv4(skb, p, dir))
		return false;
	if (!packet_reach(skb, p->l4 + TCP_BYTES))
		return false;
	tcp = data_of(skb) + p->l4;
	if ((void *)(tcp + 1) > end_of(skb) || tcp->words4 < TCP_BYTES << 2)
		return false;
	p->tcp_bytes = tcp->words4 >> 4 << 2;
	p->payload_bytes -= p->tcp_bytes;
	p->sequence = bpf_ntohl(tcp->seq);
	p->acknowledged = bpf_ntohl(tcp->ack_seq);
	p->flags = tcp->flags;
	p->tuple.local_port = dir == OUT ? tcp->source : tcp->dest;
	p->tuple.remote_port = dir == OUT ? tcp->dest : tcp->source;
	return true;
}

static __always_inline int replace_ipv4(struct __sk_buff *skb, const struct packet *p,
					const struct rescue_address *to, enum direction dir)
{
	__u32 old = p->tuple.local.word[3], new = to->word[3];
	__u32 at = p->l3 + (dir == OUT ? 12 : 16);

	return bpf_l4_csum_replace(skb, p->l4 + CHECKSUM_AT, old, new,
				   BPF_F_PSEUDO_HDR | sizeof(new)) ||
	       bpf_l3_csum_replace(skb, p->l3 + 10, old, new, sizeof(new)) ||
	       bpf_skb_store_bytes(skb, at, &new, sizeof(new), 0);
}

static __always_inline int replace_ipv6(struct __sk_buff *skb, const struct packet *p,
					const struct rescue_address *to, enum direction dir)
{
	struct rescue_address old = p->tuple.local, new = *to;
	__s64 diff = bpf_csum_diff(old.word, sizeof(old), new.word, sizeof(new), 0);
	__u32 at = p->l3 + (dir == OUT ? 8 : 24);
	long err;

	if (diff < 0)
		return -EINVAL;
	err = bpf_l4_csum_replace(skb, p->l4 + CHECKSUM_AT, 0, diff, BPF_F_PSEUDO_HDR | CSUM_IPV6);
	if (err == -EINVAL)
		err = bpf_l4_csum_replace(skb, p->l4 + CHECKSUM_AT, 0, diff, BPF_F_PSEUDO_HDR);
	return err || bpf_skb_store_bytes(skb, at, &new, sizeof(new), 0);
}

/* The side that is ours: source of what goes out, destination of what comes in. */
static __always_inline int packet_set_local(struct __sk_buff *skb, const struct packet *p,
					    const struct rescue_address *to, __u16 port,
					    enum direction dir)
{
	int err = p->v6 ? replace_ipv6(skb, p, to, dir) : replace_ipv4(skb, p, to, dir);

	return err ||
	       bpf_l4_csum_replace(skb, p->l4 + CHECKSUM_AT, p->tuple.local_port, port,
				   sizeof(port)) ||
	       bpf_skb_store_bytes(skb, p->l4 + (dir == OUT ? 0 : 2), &port, sizeof(port), 0);
}

#endif
