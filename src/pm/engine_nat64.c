// SPDX-License-Identifier: GPL-2.0-only
/*
 * IPv4 addresses of the peer, from interfaces that have IPv6 alone: where there is a NAT64, each
 * has an IPv6 address there. When the prefix changes, what goes by the old one leads nowhere.
 */
#include <string.h>

#include "pm/engine_internal.h"
#include "pm/nat64.h"

static const struct policy_prefix none;

static struct policy_prefix find(const struct pm_engine *e, int ifindex)
{
	for (size_t i = 0; i < e->nr_nat64; i++)
		if (e->nat64[i].ifindex == ifindex)
			return e->nat64[i].prefix;
	return none;
}

static bool has_v4(const struct pm_engine *e, int ifindex)
{
	for (size_t i = 0; i < e->nr_sources; i++)
		if (e->sources[i].present && e->sources[i].ifindex == ifindex &&
		    engine_is_v4(e->sources[i].address))
			return true;
	return false;
}

bool engine_nat64_to(const struct pm_engine *e, uint8_t source, const uint8_t v4[16],
		     uint8_t out[16])
{
	const struct source *s = &e->sources[source];
	struct in_addr address;
	struct in6_addr v6;

	if (engine_is_v4(s->address) || has_v4(e, s->ifindex))
		return false;
	memcpy(&address, v4 + 12, sizeof(address));
	if (pm_nat64_synthesise(&s->nat64, address, &v6) < 0)
		return false;
	memcpy(out, &v6, 16);
	return true;
}

static bool is_under(const struct policy_prefix *prefix, const uint8_t address[16],
		     struct in_addr *v4)
{
	struct in6_addr v6;

	memcpy(&v6, address, sizeof(v6));
	return pm_nat64_extract(prefix, &v6, v4) == 0;
}

void engine_nat64_from(const struct pm_engine *e, const struct flow *f, uint8_t out[16])
{
	struct pm_address a = { .family = AF_INET };

	if (f->source != NO_SOURCE && is_under(&e->sources[f->source].nat64, f->remote, &a.v4))
		engine_pack(&a, out);
	else
		memcpy(out, f->remote, 16);
}

static void judge_flows(struct pm_engine *e, struct conn *c)
{
	struct in_addr v4;

	for (size_t i = 0; i < c->nr_flows; i++) {
		struct flow *f = &c->flows[i];
		const struct source *s = f->source == NO_SOURCE ? NULL : &e->sources[f->source];

		/* Whoever made the connection chose its address, through a DNS64 perhaps. */
		if (!s || memcmp(&s->nat64, &s->nat64_before, sizeof(s->nat64)) == 0 ||
		    memcmp(f->remote, c->remote, 16) == 0)
			continue;
		if (is_under(&s->nat64, f->remote, &v4))
			f->astray = false;
		else if (is_under(&s->nat64_before, f->remote, &v4))
			f->astray = true;
	}
}

void engine_nat64_sources(struct pm_engine *e)
{
	bool changed = false;

	for (size_t i = 0; i < e->nr_sources; i++) {
		struct source *s = &e->sources[i];

		s->nat64_before = s->nat64;
		s->nat64 = find(e, s->ifindex);
		changed |= memcmp(&s->nat64, &s->nat64_before, sizeof(s->nat64)) != 0;
	}
	if (!changed)
		return;
	engine_each(e, judge_flows);
	memset(e->dirty, true, e->nr_modes);
}

void engine_nat64(struct pm_engine *e, const struct pm_nat64_network *items, size_t nr)
{
	e->nr_nat64 = nr < PM_SOURCES_MAX ? nr : PM_SOURCES_MAX;
	if (nr)
		memcpy(e->nat64, items, e->nr_nat64 * sizeof(*items));
	engine_nat64_sources(e);
}
