/* SPDX-License-Identifier: GPL-2.0-only */
/* From a packet at tcx to the options of its TCP header, and back. */
#ifndef MPTCP_PACKET_BPF_H
#define MPTCP_PACKET_BPF_H

#include "mptcp_network.bpf.h"

#define PACKET_TCP_BYTES 20
#define PACKET_CHECK_AT	 16 /* of the checksum in the TCP header */

#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_ACK 0x10

enum packet_found {
	PACKET_OTHER,	  /* nothing for us */
	PACKET_OPTIONS,	  /* a TCP header with options, all of it is there */
	PACKET_TRUNCATED, /* ends within its TCP header */
	PACKET_HIDDEN,	  /* the TCP header is spread over fragments, or lies too deep */
};

static __always_inline enum packet_found packet_tcp(struct __sk_buff *skb, struct packet *p)
{
	__u32 bytes;

	if (p->l4 + PACKET_TCP_BYTES > p->end ||
	    bpf_skb_load_bytes(skb, p->l4, p->header, PACKET_TCP_BYTES) < 0)
		return p->fragment ? PACKET_HIDDEN : PACKET_TRUNCATED;
	bytes = (p->header[12] >> 4) * 4;
	if (bytes <= PACKET_TCP_BYTES)
		return PACKET_OTHER;
	p->flags = p->header[13];
	__builtin_memcpy(&p->source_port, p->header, 2);
	__builtin_memcpy(&p->destination_port, p->header + 2, 2);
	p->options.length = bytes - PACKET_TCP_BYTES;
	p->options.next = 0;
	if (p->l4 + bytes > p->end)
		return p->fragment ? PACKET_HIDDEN : PACKET_TRUNCATED;
	bytes -= PACKET_TCP_BYTES;
	/* The compiler knows this already, the verifier does not. */
	barrier_var(bytes);
	if (bytes == 0 || bytes > MPTCP_OPTIONS_BYTES)
		return PACKET_OTHER;
	if (bpf_skb_load_bytes(skb, p->l4 + PACKET_TCP_BYTES, p->options.bytes, bytes) < 0)
		return p->fragment ? PACKET_HIDDEN : PACKET_TRUNCATED;
	__builtin_memcpy(p->before, p->options.bytes, sizeof(p->before));
	return PACKET_OPTIONS;
}

static __always_inline enum packet_found packet_read(struct __sk_buff *skb, struct packet *p)
{
	if (!packet_network(skb, p) ||
	    !(p->protocol == PACKET_IPV4 ? packet_ipv4(skb, p) : packet_ipv6(skb, p)))
		return PACKET_OTHER;
	if (p->later)
		return PACKET_OTHER;
	if (p->protocol == PACKET_IPV6 && packet_is_extension(p->next))
		return PACKET_HIDDEN;
	return p->next == PACKET_TCP ? packet_tcp(skb, p) : PACKET_OTHER;
}

/*
 * Puts the options back and mends the checksum, without telling the kernel that anything changed:
 * the sum over the packet stays what it was (CHECKSUM_COMPLETE), and a checksum that is still to be
 * made (CHECKSUM_PARTIAL), which does not cover the options yet, is left alone by
 * bpf_l4_csum_replace.
 */
static __always_inline int packet_write(struct __sk_buff *skb, struct packet *p)
{
	__u32 bytes = p->options.length;
	__s64 diff;

	/* What lies behind the options is the same in both, so all of the room can be summed. */
	diff = bpf_csum_diff((__be32 *)p->before, MPTCP_OPTIONS_BYTES, (__be32 *)p->options.bytes,
			     MPTCP_OPTIONS_BYTES, 0);
	if (bytes == 0 || bytes > MPTCP_OPTIONS_BYTES || diff < 0)
		return -1;
	if (bpf_skb_store_bytes(skb, p->l4 + PACKET_TCP_BYTES, p->options.bytes, bytes, 0) < 0)
		return -1;
	return bpf_l4_csum_replace(skb, p->l4 + PACKET_CHECK_AT, 0, (__u64)diff, 0);
}

#endif
