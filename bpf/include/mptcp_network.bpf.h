/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a packet at tcx to what IP carries. IPv4 and IPv6 with extension headers; where the network
 * header begins is asked of the skb, so that it does not matter whether there is an Ethernet
 * header. A packet with a VLAN tag belongs to the interface of that VLAN and is not looked at; tags
 * of VLAN 0 are, as the kernel does, passed over.
 */
#ifndef MPTCP_NETWORK_BPF_H
#define MPTCP_NETWORK_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "mptcp_option.h"

#define PACKET_VLAN_TAGS   2
#define PACKET_EXTENSIONS  8 /* more in one packet are there to hide something */
#define PACKET_IPV4_BYTES  20
#define PACKET_IPV6_BYTES  40
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
	__builtin_memset(p->source, 0, sizeof(p->source));
	__builtin_memset(p->destination, 0, sizeof(p->destination));
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

#endif
