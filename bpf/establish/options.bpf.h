/* SPDX-License-Identifier: GPL-2.0-only */
/* What matters of the options of a SYN or SYN/ACK. */
#ifndef ESTABLISH_OPTIONS_BPF_H
#define ESTABLISH_OPTIONS_BPF_H

#include "packet.bpf.h"

#define OPTIONS_BYTES_MAX   40
#define OPTIONS_MASK	    63
#define OPTION_MSS	    2
#define OPTION_MD5	    19
#define OPTION_AO	    29
#define OPTION_MPTCP	    30
#define OPTION_FASTOPEN	    34
#define OPTION_FASTOPEN_MAX 20
#define OPTION_EXPERIMENT   254
#define FASTOPEN_MAGIC_HI   0xf9 /* of the experimental form, which some kernels try next */
#define FASTOPEN_MAGIC_LO   0x89

struct options {
	__u8 bytes[OPTIONS_MASK + 1];
	__u32 nr, at;
	__u32 mss_at; /* of its value, from the begin of the options; 0: none */
	__u32 fastopen_at, fastopen_bytes; /* of the option, 0: none */
	__u16 mss;
	bool capable, is_signed;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct options);
} options_room SEC(".maps");

static __always_inline __u8 option_byte(const struct options *o, __u32 i)
{
	return o->bytes[(o->at + i) & OPTIONS_MASK];
}

/* One option, o->at on the next. False: there is no next. */
static __always_inline bool options_next(struct options *o)
{
	__u32 size;
	__u8 kind;

	if (o->at >= o->nr)
		return false;
	kind = option_byte(o, 0);
	if (kind <= 1) {
		o->at++;
		return kind == 1;
	}
	size = option_byte(o, 1);
	if (size < 2 || o->at + size > o->nr)
		return false;
	if (kind == OPTION_MSS && size == 4) {
		o->mss_at = o->at + 2;
		o->mss = option_byte(o, 2) << 8 | option_byte(o, 3);
	}
	if (kind == OPTION_FASTOPEN ||
	    (kind == OPTION_EXPERIMENT && size >= 4 && option_byte(o, 2) == FASTOPEN_MAGIC_HI &&
	     option_byte(o, 3) == FASTOPEN_MAGIC_LO)) {
		o->fastopen_at = o->at;
		o->fastopen_bytes = size;
	}
	if (kind == OPTION_MD5 || kind == OPTION_AO)
		o->is_signed = true;
	if (kind == OPTION_MPTCP && size > 2 && option_byte(o, 2) >> 4 == 0)
		o->capable = true;
	o->at += size;
	return true;
}

/* NULL: it has none. What is returned holds until the next call on this CPU. */
static __always_inline struct options *options_read(struct __sk_buff *skb, const struct packet *p)
{
	__u64 nr = p->tcp_bytes - TCP_BYTES;
	__u32 zero = 0;
	struct options *o = bpf_map_lookup_elem(&options_room, &zero);
	int i;

	/* Two comparisons of one register: made into one they tell the verifier nothing of it. */
	barrier_var(nr);
	if (!o || nr == 0)
		return NULL;
	barrier_var(nr);
	if (nr > OPTIONS_BYTES_MAX)
		return NULL;
	o->nr = nr;
	o->at = o->mss_at = o->mss = 0;
	o->fastopen_at = o->fastopen_bytes = 0;
	o->capable = o->is_signed = false;
	if (bpf_skb_load_bytes(skb, p->l4 + TCP_BYTES, o->bytes, nr))
		return NULL;
	bpf_for(i, 0, OPTIONS_BYTES_MAX) {
		if (!options_next(o))
			break;
	}
	return o;
}

/* Neither side may send what does not fit the path that the connection comes to ride. */
static __always_inline void options_clamp_mss(struct __sk_buff *skb, const struct packet *p,
					      const struct options *o, __u32 mtu_bytes)
{
	__u32 most = mtu_bytes - TCP_BYTES - (p->v6 ? IPV6_BYTES : IPV4_BYTES);
	__u16 old, new;

	/* At an odd place the sum would have to be turned; nobody sends that. */
	if (!o->mss_at || o->mss_at & 1 || !mtu_bytes || o->mss <= most)
		return;
	old = bpf_htons(o->mss);
	new = bpf_htons(most);
	if (bpf_l4_csum_replace(skb, p->l4 + CHECKSUM_AT, old, new, sizeof(new)) == 0)
		bpf_skb_store_bytes(skb, p->l4 + TCP_BYTES + o->mss_at, &new, sizeof(new), 0);
}

#endif
