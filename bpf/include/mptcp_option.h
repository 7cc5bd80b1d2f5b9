/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of a TCP header, one after the other, and the MPTCP ones among them (RFC 8684), read
 * as the kernel reads them (net/ipv4/tcp_input.c, net/mptcp/options.c): what it would pass over is
 * passed over here, what makes it stop makes us stop. Compiles for BPF and for the host.
 *
 * All state is in memory and every index is masked, which is what the verifier wants of a loop.
 * Use: fill bytes[] and length, set next to 0, call mptcp_option_next() at most
 * MPTCP_OPTIONS_BYTES times.
 */
#ifndef MPTCP_OPTION_H
#define MPTCP_OPTION_H

#define MPTCP_OPTIONS_BYTES 40 /* the most a TCP header has */
#define MPTCP_OPTIONS_ROOM  64 /* a power of two, for the mask */
#define MPTCP_REMOVE_IDS    8  /* the most the kernel reads of one REMOVE_ADDR */

#ifdef __bpf__
#define mptcp_option_for(i, n) bpf_for(i, 0, n)
#else
#define mptcp_option_for(i, n) for (i = 0; i < (n); i++)
#endif

enum mptcp_option_kind {
	MPTCP_OPTION_EOL = 0,
	MPTCP_OPTION_NOP = 1,
	MPTCP_OPTION_MPTCP = 30,
};

enum mptcp_option_subtype {
	MPTCP_SUB_CAPABLE = 0,
	MPTCP_SUB_JOIN = 1,
	MPTCP_SUB_DSS = 2,
	MPTCP_SUB_ADD_ADDR = 3,
	MPTCP_SUB_REMOVE_ADDR = 4,
	MPTCP_SUB_PRIO = 5,
	MPTCP_SUB_RESET = 8,
};

enum mptcp_option_found {
	MPTCP_FOUND_END,       /* no more */
	MPTCP_FOUND_OTHER,     /* an option of TCP, or a NOP */
	MPTCP_FOUND_MPTCP,     /* at, size, subtype are set */
	MPTCP_FOUND_MALFORMED, /* its length makes no sense; nothing behind it is read */
};

struct mptcp_options {
	__u8 bytes[MPTCP_OPTIONS_ROOM];
	__u32 length; /* bytes in use, at most MPTCP_OPTIONS_BYTES */
	__u32 next;   /* where the next option begins */
	__u32 at, size;
	__u32 subtype;
	__u32 kept; /* what mptcp_option_remove_keep() counts while it loops */
};

/* The sizes the kernel takes; those of others it passes over. */
#define MPTCP_JOIN_SYN_BYTES	12
#define MPTCP_PRIO_BYTES	3
#define MPTCP_PRIO_OLD_BYTES	4 /* with an address id: drafts before RFC 6824bis */
#define MPTCP_REMOVE_HEAD_BYTES 3 /* ids follow */

#define MPTCP_PRIO_BACKUP   0x01
#define MPTCP_ADD_ADDR_ECHO 0x01

#define MPTCP_RESET_BYTES     4
#define MPTCP_RESET_TRANSIENT 0x01

static inline __u8 mptcp_option_byte(const struct mptcp_options *o, __u32 i)
{
	return o->bytes[(o->at + i) & (MPTCP_OPTIONS_ROOM - 1)];
}

static inline enum mptcp_option_found mptcp_option_next(struct mptcp_options *o)
{
	__u8 kind;

	o->at = o->next;
	if (o->at >= o->length)
		return MPTCP_FOUND_END;
	kind = mptcp_option_byte(o, 0);
	if (kind == MPTCP_OPTION_EOL)
		return MPTCP_FOUND_END;
	if (kind == MPTCP_OPTION_NOP) {
		o->next = o->at + 1;
		return MPTCP_FOUND_OTHER;
	}
	/* The length is read from the next byte, which has to be there. */
	if (o->at + 2 > o->length)
		return MPTCP_FOUND_MALFORMED;
	o->size = mptcp_option_byte(o, 1);
	if (o->size < 2 || o->at + o->size > o->length)
		return MPTCP_FOUND_MALFORMED;
	o->next = o->at + o->size;
	/* One without a subtype means nothing to the kernel, and it reads on. */
	if (kind != MPTCP_OPTION_MPTCP || o->size < 3)
		return MPTCP_FOUND_OTHER;
	o->subtype = mptcp_option_byte(o, 2) >> 4;
	return MPTCP_FOUND_MPTCP;
}

/*
 * What nearly every segment has: timestamps, or none, and a DSS behind which no other MPTCP option
 * fits; or timestamps alone. No need to walk.
 */
static inline int mptcp_option_is_plain(const struct mptcp_options *o)
{
	const __u8 *b = o->bytes;
	__u32 at = b[0] == MPTCP_OPTION_NOP && b[1] == MPTCP_OPTION_NOP && b[2] == 8 && b[3] == 10
			   ? 12
			   : 0;

	if (at && o->length == at)
		return 1;
	return o->length > at + 2 && b[at] == MPTCP_OPTION_MPTCP && b[at + 1] > 2 &&
	       b[at + 2] >> 4 == MPTCP_SUB_DSS && at + b[at + 1] <= o->length &&
	       at + b[at + 1] + MPTCP_PRIO_BYTES > o->length;
}

/* Overwrites the bytes from `from` up to `to` of the header's options with NOPs. */
static inline void mptcp_option_blank(struct mptcp_options *o, __u32 from, __u32 to)
{
	__u32 i;

	mptcp_option_for(i, MPTCP_OPTIONS_BYTES)
	{
		if (i >= from && i < to)
			o->bytes[i & (MPTCP_OPTIONS_ROOM - 1)] = MPTCP_OPTION_NOP;
	}
}

static inline int mptcp_option_is_prio(const struct mptcp_options *o)
{
	return o->subtype == MPTCP_SUB_PRIO && o->size == MPTCP_PRIO_BYTES;
}

static inline int mptcp_option_is_prio_old(const struct mptcp_options *o)
{
	return o->subtype == MPTCP_SUB_PRIO && o->size == MPTCP_PRIO_OLD_BYTES;
}

static inline int mptcp_option_is_reset(const struct mptcp_options *o)
{
	return o->subtype == MPTCP_SUB_RESET && o->size == MPTCP_RESET_BYTES;
}

/* The other flags mean nothing yet, and are sent as 0. */
static inline void mptcp_option_set_reset(struct mptcp_options *o, __u8 reason, int transient)
{
	o->bytes[(o->at + 2) & (MPTCP_OPTIONS_ROOM - 1)] =
		(__u8)(MPTCP_SUB_RESET << 4 | (transient ? MPTCP_RESET_TRANSIENT : 0));
	o->bytes[(o->at + 3) & (MPTCP_OPTIONS_ROOM - 1)] = reason;
}

/* How many ids a REMOVE_ADDR names; 0: it is none that the kernel would read. */
static inline __u32 mptcp_option_remove_ids(const struct mptcp_options *o)
{
	if (o->subtype != MPTCP_SUB_REMOVE_ADDR || o->size <= MPTCP_REMOVE_HEAD_BYTES ||
	    o->size > MPTCP_REMOVE_HEAD_BYTES + MPTCP_REMOVE_IDS)
		return 0;
	return o->size - MPTCP_REMOVE_HEAD_BYTES;
}

/* Takes out of a REMOVE_ADDR the ids whose bit is not in `keep`; what is left over becomes NOPs. */
static inline void mptcp_option_remove_keep(struct mptcp_options *o, __u32 keep)
{
	__u32 ids = mptcp_option_remove_ids(o), i;

	o->kept = 0;
	mptcp_option_for(i, MPTCP_REMOVE_IDS)
	{
		__u8 id;

		if (i >= ids || !(keep & (1u << i)))
			continue;
		id = mptcp_option_byte(o, MPTCP_REMOVE_HEAD_BYTES + i);
		o->bytes[(o->at + MPTCP_REMOVE_HEAD_BYTES + o->kept) & (MPTCP_OPTIONS_ROOM - 1)] =
			id;
		o->kept++;
	}
	if (o->kept)
		o->bytes[(o->at + 1) & (MPTCP_OPTIONS_ROOM - 1)] =
			(__u8)(MPTCP_REMOVE_HEAD_BYTES + o->kept);
	mptcp_option_blank(o, o->kept ? o->at + MPTCP_REMOVE_HEAD_BYTES + o->kept : o->at,
			   o->at + o->size);
}

struct mptcp_add_addr {
	__u8 family; /* 4 or 6 */
	__u8 echo;   /* of one that we sent */
	__u8 id;
	__u8 address[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 port;	  /* host byte order; 0: none was named */
};

/* Bytes of an ADD_ADDR without port and HMAC, by family. */
#define MPTCP_ADD_ADDR4_BYTES 8
#define MPTCP_ADD_ADDR6_BYTES 20
#define MPTCP_ADD_HMAC_BYTES  8
#define MPTCP_ADD_PORT_BYTES  2

/* 0: it is none that the kernel would read. */
static inline int mptcp_option_add_addr(const struct mptcp_options *o, struct mptcp_add_addr *out)
{
	__u32 echo = mptcp_option_byte(o, 2) & MPTCP_ADD_ADDR_ECHO, bytes, i, skip;

	if (o->subtype != MPTCP_SUB_ADD_ADDR)
		return 0;
	bytes = o->size - (echo ? 0 : MPTCP_ADD_HMAC_BYTES);
	out->family = 4;
	if (bytes == MPTCP_ADD_ADDR6_BYTES || bytes == MPTCP_ADD_ADDR6_BYTES + MPTCP_ADD_PORT_BYTES)
		out->family = 6;
	else if (bytes != MPTCP_ADD_ADDR4_BYTES &&
		 bytes != MPTCP_ADD_ADDR4_BYTES + MPTCP_ADD_PORT_BYTES)
		return 0;
	out->echo = (__u8)echo;
	out->id = mptcp_option_byte(o, 3);
	skip = out->family == 6 ? 0 : 12;
	mptcp_option_for(i, 16)
	{
		__u8 byte = i == 10 || i == 11 ? 0xff : 0;

		out->address[i & 15] = i < skip ? byte : mptcp_option_byte(o, 4 + i - skip);
	}
	bytes -= out->family == 6 ? MPTCP_ADD_ADDR6_BYTES : MPTCP_ADD_ADDR4_BYTES;
	skip = out->family == 6 ? MPTCP_ADD_ADDR6_BYTES : MPTCP_ADD_ADDR4_BYTES;
	out->port =
		bytes ? (__u16)(mptcp_option_byte(o, skip) << 8 | mptcp_option_byte(o, skip + 1))
		      : 0;
	return 1;
}

#endif
