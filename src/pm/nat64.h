/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPv4 addresses inside IPv6 ones, as a NAT64 translates them (RFC 6052), and how a network tells
 * its prefix: in router advertisements (RFC 8781) or by what it makes of ipv4only.arpa (RFC 7050).
 * Pure. A prefix is what policy_nat64_valid() takes.
 */
#ifndef PM_NAT64_H
#define PM_NAT64_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define PM_NAT64_PREFIX_BYTES (INET6_ADDRSTRLEN + 4)
#define PM_NAT64_RESOLVERS    3 /* the first ones; the others are left out */
#define PM_NAT64_QUERY_BYTES  31
#define PM_NAT64_FOREVER_S    UINT32_MAX

/* -EINVAL: no prefix; -EADDRNOTAVAIL: the well-known prefix, and an address that is not global
 * (RFC 6052 section 3.1; those for documentation pass, as in its own examples). *out is untouched
 * then. */
int pm_nat64_synthesise(const struct policy_prefix *prefix, struct in_addr v4,
			struct in6_addr *out);
/* -ENOENT: not of this prefix, or bits 64 to 71 are not 0. What follows the IPv4 address is not
 * looked at. */
int pm_nat64_extract(const struct policy_prefix *prefix, const struct in6_addr *v6,
		     struct in_addr *out);

/* What a router advertisement says; lifetimes 0 take back what was said before. */
struct pm_nat64_advert {
	struct policy_prefix prefix; /* the first that lasts, else the first; no bits: none */
	uint32_t lifetime_s;
	struct in6_addr resolvers[PM_NAT64_RESOLVERS]; /* RDNSS, RFC 8106 */
	size_t nr_resolvers;
	uint32_t resolver_lifetime_s; /* the shortest of them; PM_NAT64_FOREVER_S */
};
/* `message` begins with the ICMPv6 type. -EBADMSG: broken, or another message. Options that are
 * wrong in themselves are left out. */
int pm_nat64_advert_parse(const uint8_t *message, size_t size, struct pm_nat64_advert *out);

/* The AAAA query for ipv4only.arpa. */
void pm_nat64_query(uint16_t id, uint8_t out[PM_NAT64_QUERY_BYTES]);
/* The answer to it: the prefix and how long it may be used. -EBADMSG: broken, or the answer to
 * something else; -ENOENT: there is no NAT64, or its prefix cannot be told. */
int pm_nat64_answer_parse(const uint8_t *answer, size_t size, uint16_t id,
			  struct policy_prefix *out, uint32_t *ttl_s);

/* "64:ff9b::/96" */
const char *pm_nat64_prefix_text(const struct policy_prefix *prefix,
				 char out[PM_NAT64_PREFIX_BYTES]);

#endif
