// SPDX-License-Identifier: GPL-2.0-only
/*
 * ipv4only.arpa, asked and understood; see nat64.h. The name has two IPv4 addresses and no IPv6
 * one, so an AAAA record is the work of a DNS64, and the addresses inside it tell the prefix. They
 * are looked for at every place that RFC 6052 allows.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "pm/nat64.h"

#define HEADER_BYTES  12
#define FIXED_BYTES   10 /* of a record, after its name */
#define ANSWERS_MAX   16
#define TYPE_AAAA     28
#define CLASS_IN      1
#define FLAG_RESPONSE 0x80
#define RCODE_MASK    0x0f
#define FLAG_CUT      0x02 /* truncated */
#define POINTER	      0xc0
#define WELL_KNOWN    0xc00000aau /* 192.0.0.170 and .171 */

static const uint8_t question[] = "\x08ipv4only\x04"
				  "arpa\0\0\x1c\0\x01";
#define QUESTION_BYTES (sizeof(question) - 1)
_Static_assert(HEADER_BYTES + QUESTION_BYTES == PM_NAT64_QUERY_BYTES, "the query has its size");

static const uint8_t lengths[] = { 96, 64, 56, 48, 40, 32 };
#define NR_LENGTHS sizeof(lengths)

struct answers {
	struct in6_addr items[ANSWERS_MAX];
	size_t nr;
	uint32_t ttl_s; /* the shortest */
};

static uint16_t read16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

void pm_nat64_query(uint16_t id, uint8_t out[PM_NAT64_QUERY_BYTES])
{
	static const uint8_t rest[] = { 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0 }; /* recursion desired */

	out[0] = (uint8_t)(id >> 8);
	out[1] = (uint8_t)id;
	memcpy(out + 2, rest, sizeof(rest));
	memcpy(out + HEADER_BYTES, question, QUESTION_BYTES);
}

/* Names may come back in other letters than they were asked in. */
static bool is_question(const uint8_t *at)
{
	for (size_t i = 0; i < QUESTION_BYTES; i++) {
		uint8_t a = at[i];

		if (a >= 'A' && a <= 'Z')
			a |= 0x20;
		if (a != question[i])
			return false;
	}
	return true;
}

/* Over a name; 0: it does not end in the message. */
static size_t skip_name(const uint8_t *message, size_t size, size_t at)
{
	while (at < size && message[at]) {
		if ((message[at] & POINTER) == POINTER)
			return at + 2 <= size ? at + 2 : 0;
		if (message[at] & POINTER)
			return 0;
		at += 1u + message[at];
	}
	return at < size ? at + 1 : 0;
}

static int read_answers(const uint8_t *message, size_t size, struct answers *out)
{
	size_t at = HEADER_BYTES + QUESTION_BYTES, length;
	uint32_t ttl_s;

	out->ttl_s = UINT32_MAX;
	for (unsigned int left = read16(message + 6); left; left--) {
		at = skip_name(message, size, at);
		if (!at || size - at < FIXED_BYTES)
			return -EBADMSG;
		memcpy(&ttl_s, message + at + 4, sizeof(ttl_s));
		ttl_s = ntohl(ttl_s);
		length = read16(message + at + 8);
		if (length > size - at - FIXED_BYTES)
			return -EBADMSG;
		if (read16(message + at) == TYPE_AAAA && read16(message + at + 2) == CLASS_IN &&
		    length == sizeof(struct in6_addr) && out->nr < ANSWERS_MAX) {
			memcpy(&out->items[out->nr++], message + at + FIXED_BYTES, length);
			if (ttl_s < out->ttl_s)
				out->ttl_s = ttl_s;
		}
		at += FIXED_BYTES + length;
	}
	return 0;
}

/* The prefix of an address that has a well-known one at this place; *which is 1 or 2. */
static bool prefix_at(const struct in6_addr *a, uint8_t bits, struct policy_prefix *out,
		      unsigned int *which)
{
	struct policy_prefix prefix = { .bits = bits };
	struct in_addr v4;

	memcpy(prefix.address, a->s6_addr, bits / 8);
	if (pm_nat64_extract(&prefix, a, &v4) < 0 || (ntohl(v4.s_addr) & ~1u) != WELL_KNOWN)
		return false;
	*which = 1u << (ntohl(v4.s_addr) & 1);
	*out = prefix;
	return true;
}

static unsigned int seen_under(const struct answers *all, const struct policy_prefix *prefix)
{
	unsigned int seen = 0, which;
	struct policy_prefix p;

	for (size_t i = 0; i < all->nr; i++)
		if (prefix_at(&all->items[i], prefix->bits, &p, &which) &&
		    memcmp(&p, prefix, sizeof(p)) == 0)
			seen |= which;
	return seen;
}

/* One place is certain; of several the one where the other well-known address is found too. */
static bool prefix_of(const struct answers *all, const struct in6_addr *a,
		      struct policy_prefix *out)
{
	struct policy_prefix single = { 0 }, both = { 0 }, p;
	size_t nr_single = 0, nr_both = 0;
	unsigned int which;

	for (size_t i = 0; i < NR_LENGTHS; i++) {
		if (!prefix_at(a, lengths[i], &p, &which))
			continue;
		single = p;
		nr_single++;
		if (seen_under(all, &p) == 3) {
			both = p;
			nr_both++;
		}
	}
	if (nr_single != 1 && nr_both != 1)
		return false;
	*out = nr_single == 1 ? single : both;
	return true;
}

int pm_nat64_answer_parse(const uint8_t *answer, size_t size, uint16_t id,
			  struct policy_prefix *out, uint32_t *ttl_s)
{
	struct answers all = { 0 };

	if (size < HEADER_BYTES + QUESTION_BYTES || read16(answer) != id ||
	    !(answer[2] & FLAG_RESPONSE) || (answer[2] & FLAG_CUT) || read16(answer + 4) != 1 ||
	    !is_question(answer + HEADER_BYTES))
		return -EBADMSG;
	if (answer[3] & RCODE_MASK)
		return -ENOENT;
	if (read_answers(answer, size, &all) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < all.nr; i++) {
		if (!prefix_of(&all, &all.items[i], out))
			continue;
		*ttl_s = all.ttl_s;
		return 0;
	}
	return -ENOENT;
}
