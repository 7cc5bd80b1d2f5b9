// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as the options of a TCP header: the parser ends, stays inside, sees what a plain walk
 * sees, and taking an option out, or giving a reset its reason, changes nothing but that option.
 *
 * The first byte says how many of the others are the header's, which ids of a REMOVE_ADDR stay and
 * what the reason is.
 */
#include <linux/types.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mptcp_option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
	if (!good)
		abort();
}

/* As net/ipv4/tcp_input.c walks: where the MPTCP options begin; returns how many. */
static size_t plain_walk(const uint8_t *b, size_t n, size_t starts[MPTCP_OPTIONS_BYTES])
{
	size_t found = 0, at = 0;

	while (at < n && b[at] != 0) {
		if (b[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 >= n || b[at + 1] < 2 || at + b[at + 1] > n)
			break;
		if (b[at] == 30 && b[at + 1] > 2)
			starts[found++] = at;
		at += b[at + 1];
	}
	return found;
}

static void fill(struct mptcp_options *o, const uint8_t *bytes, size_t n)
{
	memset(o, 0, sizeof(*o));
	memcpy(o->bytes, bytes, n);
	o->length = (__u32)n;
}

/* What was not to be touched is as it was. */
static void check_rest(const struct mptcp_options *o, const struct mptcp_options *before)
{
	for (size_t i = 0; i < MPTCP_OPTIONS_ROOM; i++)
		check((i >= before->at && i < before->at + before->size) ||
		      o->bytes[i] == before->bytes[i]);
}

static void take_out(const struct mptcp_options *found, uint8_t keep)
{
	size_t was[MPTCP_OPTIONS_BYTES], is[MPTCP_OPTIONS_BYTES], n, m, j = 0;
	struct mptcp_options o = *found;
	__u32 ids = mptcp_option_remove_ids(&o), kept = 0;

	n = plain_walk(o.bytes, o.length, was);
	mptcp_option_blank(&o, o.at, o.at + o.size);
	check_rest(&o, found);
	m = plain_walk(o.bytes, o.length, is);
	check(m + 1 == n);
	for (size_t i = 0; i < n; i++)
		check(was[i] == found->at || was[i] == is[j++]);
	if (!ids)
		return;
	o = *found;
	mptcp_option_remove_keep(&o, keep);
	check_rest(&o, found);
	for (__u32 i = 0; i < ids; i++)
		if (keep & (1u << i))
			check(mptcp_option_byte(&o, 3 + kept++) == mptcp_option_byte(found, 3 + i));
	check(plain_walk(o.bytes, o.length, is) == (kept ? n : n - 1));
	if (kept)
		check(mptcp_option_byte(&o, 1) == 3 + kept);
}

static void give_reason(const struct mptcp_options *found, uint8_t reason)
{
	size_t was[MPTCP_OPTIONS_BYTES], is[MPTCP_OPTIONS_BYTES], n;
	struct mptcp_options o = *found;

	if (!mptcp_option_is_reset(&o))
		return;
	n = plain_walk(o.bytes, o.length, was);
	mptcp_option_set_reset(&o, reason, reason & 1);
	check_rest(&o, found);
	check(mptcp_option_is_reset(&o) && plain_walk(o.bytes, o.length, is) == n);
	check(mptcp_option_byte(&o, 2) == (MPTCP_SUB_RESET << 4 | (reason & 1)));
	check(mptcp_option_byte(&o, 3) == reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t starts[MPTCP_OPTIONS_BYTES], n, at = 0, rounds = 0;
	enum mptcp_option_found found;
	struct mptcp_add_addr add;
	struct mptcp_options o;

	if (size < 1)
		return 0;
	n = data[0] % (MPTCP_OPTIONS_BYTES + 1);
	if (n > size - 1)
		n = size - 1;
	fill(&o, data + 1, n);
	size = plain_walk(o.bytes, n, starts);
	if (mptcp_option_is_plain(&o))
		check(size == 0 || (size == 1 && o.bytes[starts[0] + 2] >> 4 == MPTCP_SUB_DSS));
	do {
		__u32 before = o.next;

		check(rounds++ <= MPTCP_OPTIONS_BYTES);
		found = mptcp_option_next(&o);
		if (found == MPTCP_FOUND_OTHER || found == MPTCP_FOUND_MPTCP)
			check(o.next > before && o.next <= o.length);
		if (found != MPTCP_FOUND_MPTCP)
			continue;
		check(at < size && o.at == starts[at++]);
		check(o.size >= 3 && o.subtype == (o.bytes[o.at + 2] >> 4));
		take_out(&o, data[0]);
		give_reason(&o, data[0]);
		if (mptcp_option_add_addr(&o, &add))
			check((add.family == 4 || add.family == 6) && add.echo <= 1);
	} while (found == MPTCP_FOUND_OTHER || found == MPTCP_FOUND_MPTCP);
	check(at == size);
	return 0;
}
