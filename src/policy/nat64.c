// SPDX-License-Identifier: GPL-2.0-only
/* `nat64`: its keys, and which prefixes a NAT64 can have. */
#include <string.h>

#include "policy/check.h"
#include "policy/handlers.h"

#define U_OCTET 8 /* bits 64 to 71 of an address are 0 */

static const struct word sources[] = {
	{ "ra", POLICY_NAT64_RA },
	{ "dns", POLICY_NAT64_DNS },
};

static const struct value discover = { VALUE_FLAGS, WORDS(sources) };

static const struct key nat64_keys[] = {
	{ .name = "prefix",
	  &grammar_prefix,
	  handle_prefix,
	  offsetof(struct policy_nat64, prefix),
	  "The prefix, for all paths; nothing that is discovered counts then." },
	{ .name = "discover",
	  &discover,
	  handle_flags,
	  offsetof(struct policy_nat64, discover),
	  "How each network is asked: ra (router advertisements), dns (ipv4only.arpa). What a "
	  "router says comes first." },
};
const struct value grammar_nat64 = { VALUE_OBJECT, KEYS(nat64_keys) };

void handle_nat64(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_nat64 *nat64 = (struct policy_nat64 *)((char *)object + key->offset);
	size_t before = p->diagnostics->total;
	const struct node *prefix;

	nat64->set = true;
	parse_object(p, key->name, key->value, n, nat64);
	if (p->diagnostics->total != before)
		return;
	prefix = node_get(n, "prefix");
	if (prefix && !policy_nat64_valid(&nat64->prefix))
		parse_report(p, prefix,
			     "an IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits, with bits 64 to 71 "
			     "zero, such as 64:ff9b::/96",
			     "\"%s\" is no prefix of a NAT64", prefix->text);
}

void check_nat64(struct parse *p, const struct node *root)
{
	const struct policy *policy = &p->draft.policy;
	const struct node *n = node_get(root, "nat64");

	if (!policy->nat64.set)
		return;
	if (!node_get(root, "paths"))
		parse_report(p, n, "say which interfaces are meant, in \"paths\"",
			     "\"nat64\" has nothing to use: there are no paths");
}

bool policy_nat64_valid(const struct policy_prefix *prefix)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	switch (prefix->bits) {
	case 32:
	case 40:
	case 48:
	case 56:
	case 64:
	case 96:
		break;
	default:
		return false;
	}
	/* What an IPv4 prefix looks like in the policy, and what no packet may carry. */
	if (memcmp(prefix->address, mapped, sizeof(mapped)) == 0)
		return false;
	return prefix->address[U_OCTET] == 0;
}
