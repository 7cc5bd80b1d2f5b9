// SPDX-License-Identifier: GPL-2.0-only
/* Paths, addresses and routes for initial path selection; see ips.h. */
#include "pm/ips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pm/address.h"
#include "pm/path.h"
#include "pm/planner.h"

#define V4_BITS 96

void pm_ips_map(const struct pm_address *address, uint8_t out[16])
{
	if (address->family == AF_INET6) {
		memcpy(out, &address->v6, 16);
		return;
	}
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, &address->v4, 4);
}

struct pm_address pm_ips_unmap(const uint8_t address[16])
{
	struct pm_address a = { .family = AF_INET6 };

	memcpy(&a.v6, address, 16);
	return pm_address_unmapped(&a);
}

static uint32_t handicap_us(const struct policy *policy, const struct policy_path *path)
{
	bool dearer = path->cost > pm_plan_lowest_cost(policy);

	if (path->backup == POLICY_YES || path->metered ||
	    (dearer && path->backup == POLICY_UNSET && policy->mode != POLICY_MODE_AGGREGATE))
		return PM_IPS_BACKUP_US;
	return dearer ? PM_IPS_DEARER_US : 0;
}

static uint32_t network_of(const struct pm_ips_facts *f, int ifindex)
{
	bool certain;
	uint32_t network = pm_routing_network(f->routing, ifindex, &certain);

	for (size_t i = 0; !certain && i < f->before->nr_paths; i++)
		if (f->before->paths[i].ifindex == (uint32_t)ifindex)
			return f->before->paths[i].network;
	return network;
}

static void add_address(struct loader_learn_space *s, const struct mptcp_learn_path *path,
			const struct pm_address *address)
{
	struct loader_learn_address *a = &s->addresses[s->nr_addresses];

	if (s->nr_addresses == LOADER_LEARN_ADDRESSES_MAX)
		return;
	pm_ips_map(address, a->address);
	a->owner.ifindex = path->ifindex;
	a->owner.network = path->network;
	s->nr_addresses++;
}

/* False: connections cannot begin there. */
static bool make_path(const struct pm_ips_facts *f, const struct pm_interface *it,
		      struct loader_learn_space *s, struct mptcp_learn_path *p)
{
	const sa_family_t families[] = { AF_INET, AF_INET6 };
	bool usable = false;

	p->ifindex = (uint32_t)it->ifindex;
	p->network = network_of(f, it->ifindex);
	for (size_t i = 0; i < 2; i++) {
		uint8_t *slot = families[i] == AF_INET ? p->v4 : p->v6;
		bool first = true;

		if (!pm_routing_leads_out(f->routing, it->ifindex, families[i]))
			continue;
		for (size_t a = 0; a < it->nr_addresses; a++) {
			if (it->addresses[a].family != families[i])
				continue;
			if (first)
				pm_ips_map(&it->addresses[a], slot);
			first = false;
			usable = true;
			add_address(s, p, &it->addresses[a]);
		}
	}
	p->route_v4 = pm_routing_natural(f->routing, AF_INET) == it->ifindex;
	p->route_v6 = pm_routing_natural(f->routing, AF_INET6) == it->ifindex;
	return usable;
}

static int make_routes(const struct pm_routing *r, struct loader_learn_space *s, struct error *e)
{
	size_t nr = 0;

	for (size_t i = 0; i < r->nr_routes; i++) {
		struct loader_learn_route *route = &s->routes[s->nr_routes];
		const struct pm_address *destination = &r->routes[i].destination;

		if (s->nr_routes == MPTCP_LEARN_ROUTES_MAX) {
			error_set(e, -EOPNOTSUPP,
				  "ips cannot tell which destinations are routed on purpose: there "
				  "are more than %d routes beside default ones",
				  MPTCP_LEARN_ROUTES_MAX);
			return error_hint(e, "leave ips out of \"robe\"");
		}
		pm_ips_map(destination, route->destination);
		route->bits = r->routes[i].bits;
		if (destination->family == AF_INET)
			route->bits += V4_BITS;
		s->nr_routes++;
	}
	qsort(s->routes, s->nr_routes, sizeof(s->routes[0]), loader_learn_route_compare);
	/* One destination may have several, by metric. */
	for (size_t i = 0; i < s->nr_routes; i++)
		if (!nr || loader_learn_route_compare(&s->routes[nr - 1], &s->routes[i]) != 0)
			s->routes[nr++] = s->routes[i];
	memset(&s->routes[nr], 0, (s->nr_routes - nr) * sizeof(s->routes[0]));
	s->nr_routes = nr;
	return 0;
}

static int note(struct pm_plan *plan, const struct pm_interface *it, const char *why)
{
	char text[sizeof(((struct pm_notice *)0)->text)];

	snprintf(text, sizeof(text), "connections cannot begin on %s: %s", it->name, why);
	return pm_plan_add_notice(plan, PM_NOTICE_IPS, text);
}

static int make_paths(const struct policy *policy, const struct pm_ips_facts *f,
		      struct loader_learn_space *s, struct pm_plan *plan)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < f->kernel->nr_interfaces; i++) {
		const struct pm_interface *it = &f->kernel->interfaces[i];
		const struct policy_path *path = pm_path_of(policy, it);
		struct mptcp_learn_path *p = &s->paths[s->nr_paths];

		if (!path || !it->up || !it->nr_addresses)
			continue;
		if (s->nr_paths == MPTCP_LEARN_PATHS_MAX) {
			err = note(plan, it, "ips compares 8 interfaces at most");
		} else if (make_path(f, it, s, p)) {
			p->handicap_us = handicap_us(policy, path);
			s->nr_paths++;
		} else {
			memset(p, 0, sizeof(*p));
			err = note(plan, it, "it has no default route");
		}
	}
	qsort(s->addresses, s->nr_addresses, sizeof(s->addresses[0]), loader_learn_address_compare);
	return err;
}

int pm_ips_make(const struct policy *policy, const struct pm_ips_facts *f,
		struct loader_learn_space *out, struct pm_plan *plan, struct error *e)
{
	int err;

	memset(out, 0, sizeof(*out));
	out->on = true;
	out->config.netns_inode = f->ns->inode;
	out->config.ttl_ms = policy->establish.learn_ttl_ms;
	out->config.explore_ppm = policy->establish.explore_ppm;
	err = make_paths(policy, f, out, plan);
	if (err < 0)
		return error_set(e, err, "cannot plan for ips: out of memory");
	return make_routes(f->routing, out, e);
}
