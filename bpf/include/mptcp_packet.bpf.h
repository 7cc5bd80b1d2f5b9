/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a packet at tcx to the options of its TCP header, and back. IPv4 and IPv6 with extension
 * headers; where the network header begins is asked of the skb, so that it does not matter whether
 * there is an Ethernet header. A packet with a VLAN tag belongs to the interface of that VLAN and
 * is not looked at; tags of VLAN 0 are, as the kernel does, passed over.
 */
#ifndef MPTCP_PACKET_BPF_H
#define MPTCP_PACKET_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "mptcp_option.h"

#define PACKET_VLAN_TAGS   2
#define PACKET_EXTENSIONS  8 /* more in one packet are there to hide something */
#define PACKET_TCP_BYTES   20
#define PACKET_IPV4_BYTES  20
#define PACKET_IPV6_BYTES  40
#define PACKET_CHECK_AT	   16	  /* of the checksum in the TCP header */
#define PACKET_FRAGMENT_V4 0x3fff /* offset and "more fragments" */
#define PACKET_OFFSET_V4   0x1fff
#define PACKET_OFFSET_V6   0xfff8
#define PACKET_VLAN_ID	   0x0fff

enum packet_protocol {
	PACKET_IPV4 = 0x0800,
	PACKET_IPV6 = 0x86dd,
	PACKET_VLAN = 0x8100,
	PACKET_QINQ = 0x88a8,
};

/* Extension headers of IPv6. */
enum packet_next {
	PACKET_HOP = 0,
	PACKET_TCP = 6,
	PACKET_ROUTING = 43,
	PACKET_FRAGMENT = 44,
	PACKET_AH = 51,
	PACKET_DESTINATION = 60,
};

enum packet_found {
	PACKET_OTHER,	  /* nothing for us */
	PACKET_OPTIONS,	  /* a TCP header with options, all of it is there */
	PACKET_TRUNCATED, /* ends within its TCP header */
	PACKET_HIDDEN,	  /* the TCP header is spread over fragments, or lies too deep */
};

struct packet {
	__u32 l3, l4, end; /* offsets in the skb; `end` of what the IP header says there is */
	__u16 protocol;	   /* enum packet_protocol */
	__u8 next;	   /* IP protocol at l4 */
	__u8 flags;	   /* of the TCP header */
	__u8 fragment;	   /* the first of several */
	__u8 later;	   /* one behind the first */
	__u8 source[16], destination[16];    /* IPv4 in the first four */
	__u16 source_port, destination_port; /* network byte order */
	struct mptcp_options options;
	__u8 before[MPTCP_OPTIONS_BYTES]; /* as they came */
	__u8 header[PACKET_IPV6_BYTES];
};

#define PACKET_SYN 0x02
#define PACKET_ACK 0x10

extern void *bpf_cast_to_kern_ctx(void *obj) __ksym;

static __always_inline __u16 packet_u16(const __u8 *at)
{
	return (__u16)(at[0] << 8 | at[1]);
}

/* The network header and its protocol, behind tags of VLAN 0. */
static __always_inline bool packet_network(struct __sk_buff *skb, struct packet *p)
{
	struct sk_buff *k = bpf_cast_to_kern_ctx(skb);
	int i;

	if (skb->vlan_present && (skb->vlan_tci & PACKET_VLAN_ID))
		return false;
	p->l3 = k->network_header - (__u32)((unsigned long)k->data - (unsigned long)k->head);
	p->protocol = bpf_ntohs(skb->protocol);
	bpf_for(i, 0, PACKET_VLAN_TAGS) {
		if (p->protocol != PACKET_VLAN && p->protocol != PACKET_QINQ)
			break;
		if (bpf_skb_load_bytes(skb, p->l3, p->header, 4) < 0 ||
		    (packet_u16(p->header) & PACKET_VLAN_ID))
			return false;
		p->protocol = packet_u16(p->header + 2);
		p->l3 += 4;
	}
	return p->protocol == PACKET_IPV4 || p->protocol == PACKET_IPV6;
}

static __always_inline bool packet_ipv4(struct __sk_buff *skb, struct packet *p)
{
	__u16 fragment, total;

	if (bpf_skb_load_bytes(skb, p->l3, p->header, PACKET_IPV4_BYTES) < 0 ||
	    p->header[0] >> 4 != 4 || (p->header[0] & 15) < 5)
		return false;
	fragment = packet_u16(p->header + 6);
	p->later = !!(fragment & PACKET_OFFSET_V4);
	p->fragment = !p->later && (fragment & PACKET_FRAGMENT_V4);
	p->l4 = p->l3 + (p->header[0] & 15) * 4;
	/* 0 for segments put together that are too long for the field. */
	total = packet_u16(p->header + 2);
	p->end = total ? p->l3 + total : skb->len;
	p->next = p->header[9];
	__builtin_memcpy(p->source, p->header + 12, 4);
	__builtin_memcpy(p->destination, p->header + 16, 4);
	return true;
}

static __always_inline bool packet_is_extension(__u8 next)
{
	return next == PACKET_HOP || next == PACKET_ROUTING || next == PACKET_FRAGMENT ||
	       next == PACKET_AH || next == PACKET_DESTINATION;
}

/* Steps over one extension header; false: there is none, or it cannot be read. */
static __always_inline bool packet_extension(struct __sk_buff *skb, struct packet *p)
{
	__u8 kind = p->next;
	__u16 offset;

	if (!packet_is_extension(kind) || p->later ||
	    bpf_skb_load_bytes(skb, p->l4, p->header, 8) < 0)
		return false;
	p->next = p->header[0];
	if (kind == PACKET_FRAGMENT) {
		offset = packet_u16(p->header + 2);
		p->later = !!(offset & PACKET_OFFSET_V6);
		p->fragment = !p->later && (offset & 1);
		p->l4 += 8;
	} else {
		p->l4 += kind == PACKET_AH ? (p->header[1] + 2) * 4 : (p->header[1] + 1) * 8;
	}
	return true;
}

static __always_inline bool packet_ipv6(struct __sk_buff *skb, struct packet *p)
{
	__u16 payload;
	int i;

	if (bpf_skb_load_bytes(skb, p->l3, p->header, PACKET_IPV6_BYTES) < 0 ||
	    p->header[0] >> 4 != 6)
		return false;
	payload = packet_u16(p->header + 4);
	p->l4 = p->l3 + PACKET_IPV6_BYTES;
	p->end = payload ? p->l4 + payload : skb->len;
	p->next = p->header[6];
	p->later = p->fragment = 0;
	__builtin_memcpy(p->source, p->header + 8, 16);
	__builtin_memcpy(p->destination, p->header + 24, 16);
	bpf_for(i, 0, PACKET_EXTENSIONS) {
		if (!packet_extension(skb, p))
			break;
	}
	return true;
}

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
