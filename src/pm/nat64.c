// SPDX-License-Identifier: GPL-2.0-only
/* Addresses and router advertisements; see nat64.h. */
#include "pm/nat64.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <stdio.h>
#include <string.h>

#define U_OCTET	      8
#define OPTION_UNIT   8 /* bytes, of an option's length */
#define OPTION_RDNSS  25
#define OPTION_PREF64 38
#define PREF64_BYTES  16
#define RDNSS_HEAD    8
#define PLC_MASK      7

static const struct policy_prefix well_known = { .address = { 0, 0x64, 0xff, 0x9b }, .bits = 96 };

/* Prefix length codes of RFC 8781. */
static const uint8_t plc_bits[] = { 96, 64, 56, 48, 40, 32 };

static const struct {
	uint32_t address;
	unsigned int bits;
} not_global[] = {
	{ 0x00000000, 8 },  { 0x0a000000, 8 },	{ 0x64400000, 10 }, { 0x7f000000, 8 },
	{ 0xa9fe0000, 16 }, { 0xac100000, 12 }, { 0xc0000000, 24 }, { 0xc0a80000, 16 },
	{ 0xc6120000, 15 }, { 0xe0000000, 4 },	{ 0xf0000000, 4 },
};

static bool is_global(struct in_addr v4)
{
	for (size_t i = 0; i < sizeof(not_global) / sizeof(not_global[0]); i++)
		if ((ntohl(v4.s_addr) ^ not_global[i].address) >> (32 - not_global[i].bits) == 0)
			return false;
	return true;
}

/* The IPv4 address follows the prefix and steps over the u octet. */
static size_t next_place(size_t at)
{
	return at == U_OCTET ? at + 1 : at;
}

int pm_nat64_synthesise(const struct policy_prefix *prefix, struct in_addr v4, struct in6_addr *out)
{
	const uint8_t *bytes = (const uint8_t *)&v4;
	struct in6_addr v6 = IN6ADDR_ANY_INIT;
	size_t at = prefix->bits / 8;

	if (!policy_nat64_valid(prefix))
		return -EINVAL;
	if (memcmp(prefix, &well_known, sizeof(well_known)) == 0 && !is_global(v4))
		return -EADDRNOTAVAIL;
	memcpy(v6.s6_addr, prefix->address, at);
	for (size_t i = 0; i < sizeof(v4); i++) {
		at = next_place(at);
		v6.s6_addr[at++] = bytes[i];
	}
	*out = v6;
	return 0;
}

int pm_nat64_extract(const struct policy_prefix *prefix, const struct in6_addr *v6,
		     struct in_addr *out)
{
	size_t at = prefix->bits / 8;
	uint8_t bytes[sizeof(*out)];

	if (!policy_nat64_valid(prefix) || memcmp(prefix->address, v6->s6_addr, at) != 0 ||
	    v6->s6_addr[U_OCTET])
		return -ENOENT;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		at = next_place(at);
		bytes[i] = v6->s6_addr[at++];
	}
	memcpy(out, bytes, sizeof(bytes));
	return 0;
}

static void take_prefix(const uint8_t *option, size_t size, struct pm_nat64_advert *out)
{
	uint16_t scaled = (uint16_t)(option[2] << 8 | option[3]);
	struct policy_prefix prefix = { 0 };
	uint32_t lifetime_s = scaled & ~(uint32_t)PLC_MASK;

	if (size != PREF64_BYTES || (scaled & PLC_MASK) >= sizeof(plc_bits))
		return;
	prefix.bits = plc_bits[scaled & PLC_MASK];
	memcpy(prefix.address, option + 4, prefix.bits / 8);
	if (!policy_nat64_valid(&prefix) || (out->prefix.bits && (out->lifetime_s || !lifetime_s)))
		return;
	out->prefix = prefix;
	out->lifetime_s = lifetime_s;
}

static void take_resolvers(const uint8_t *option, size_t size, struct pm_nat64_advert *out)
{
	uint32_t lifetime_s;

	if (size < RDNSS_HEAD + sizeof(struct in6_addr) ||
	    (size - RDNSS_HEAD) % sizeof(struct in6_addr))
		return;
	memcpy(&lifetime_s, option + 4, sizeof(lifetime_s));
	lifetime_s = ntohl(lifetime_s);
	if (!lifetime_s)
		return;
	if (!out->nr_resolvers || lifetime_s < out->resolver_lifetime_s)
		out->resolver_lifetime_s = lifetime_s;
	for (size_t at = RDNSS_HEAD; at < size && out->nr_resolvers < PM_NAT64_RESOLVERS;
	     at += sizeof(struct in6_addr))
		memcpy(&out->resolvers[out->nr_resolvers++], option + at, sizeof(struct in6_addr));
}

int pm_nat64_advert_parse(const uint8_t *message, size_t size, struct pm_nat64_advert *out)
{
	struct pm_nat64_advert found = { 0 };
	size_t at = sizeof(struct nd_router_advert), bytes;

	if (size < at || message[0] != ND_ROUTER_ADVERT || message[1] != 0)
		return -EBADMSG;
	for (; at < size; at += bytes) {
		if (size - at < 2)
			return -EBADMSG;
		bytes = (size_t)message[at + 1] * OPTION_UNIT;
		if (!bytes || bytes > size - at)
			return -EBADMSG;
		if (message[at] == OPTION_PREF64)
			take_prefix(message + at, bytes, &found);
		else if (message[at] == OPTION_RDNSS)
			take_resolvers(message + at, bytes, &found);
	}
	*out = found;
	return 0;
}

const char *pm_nat64_prefix_text(const struct policy_prefix *prefix,
				 char out[PM_NAT64_PREFIX_BYTES])
{
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(AF_INET6, prefix->address, address, sizeof(address));
	snprintf(out, PM_NAT64_PREFIX_BYTES, "%s/%u", address, prefix->bits);
	return out;
}
