// SPDX-License-Identifier: GPL-2.0-only
/* What initial path selection is given to choose from: interfaces, networks, routes. */
#include "pm/ips.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pm/address.h"
#include "util/cleanup.h"

#define HEAD "version: 1\nname: t\n"
#define PATHS \
	"paths: [ { name: wifi, match: { type: wifi } }, { name: lte, match: { type: cellular }, cost: 10 } ]\n"
#define ROBE "establish: { robe: [ips], learn: { ttl: 1h, explore: 5% } }\n"

static struct pm_address address(const char *text)
{
	struct pm_address a = { 0 };

	CU_ASSERT_EQUAL_FATAL(pm_address_parse(text, &a), 0);
	return a;
}

static struct pm_gateway gateway(int ifindex, const char *text, uint32_t metric, uint8_t mac)
{
	struct pm_gateway g = { .ifindex = ifindex, .main = true, .metric = metric };

	g.address = address(text);
	g.has_address = true;
	g.family = g.address.family;
	if (mac) {
		g.mac[5] = mac;
		g.mac_bytes = 6;
		g.settled = true;
	}
	return g;
}

/* wlan0 (2) and wwan0 (3), both with IPv4 and IPv6, and what does not take part. */
struct world {
	struct pm_address addresses[7];
	struct pm_interface interfaces[5];
	struct pm_gateway gateways[4];
	struct pm_route routes[3];
	struct pm_kernel kernel;
	struct pm_routing routing;
	struct pm_netns ns;
	struct loader_learn_space before, after;
	struct pm_plan plan;
};

static void cleanup_world(struct world **w)
{
	pm_plan_clear(&(*w)->plan);
	free(*w);
}

static void interface(struct world *w, size_t at, const char *name, bool up,
		      enum policy_link_type type, size_t first, size_t nr)
{
	struct pm_interface *i = &w->interfaces[at];

	*i = (struct pm_interface){ .ifindex = (int)at + 1,
				    .up = up,
				    .type = type,
				    .addresses = w->addresses + first,
				    .nr_addresses = nr };
	snprintf(i->name, sizeof(i->name), "%s", name);
}

static struct world *make_world(void)
{
	static const char *const texts[] = { "127.0.0.1",   "10.1.0.5", "fd01::5", "10.2.0.5",
					     "2001:db8::5", "10.2.0.6", "10.9.0.5" };
	struct world *w = calloc(1, sizeof(*w));

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	for (size_t i = 0; i < 7; i++)
		w->addresses[i] = address(texts[i]);
	interface(w, 0, "lo", true, POLICY_LINK_ANY, 0, 1);
	interface(w, 1, "wlan0", true, POLICY_LINK_WIFI, 1, 2);
	interface(w, 2, "wwan0", true, POLICY_LINK_CELLULAR, 3, 3);
	interface(w, 3, "wlan1", true, POLICY_LINK_WIFI, 6, 1);
	interface(w, 4, "wlan2", false, POLICY_LINK_WIFI, 6, 1);
	w->interfaces[0].loopback = true;
	w->gateways[0] = gateway(2, "10.1.0.1", 100, 1);
	w->gateways[1] = gateway(3, "10.2.0.1", 200, 2);
	w->gateways[2] = gateway(3, "fe80::1", 100, 2);
	w->gateways[3] = gateway(2, "fe80::1", 1024, 3);
	w->routes[0] = (struct pm_route){ address("10.2.0.0"), 16 };
	w->routes[1] = (struct pm_route){ address("10.1.0.0"), 16 };
	w->routes[2] = (struct pm_route){ address("10.1.0.0"), 16 };
	w->kernel = (struct pm_kernel){ .interfaces = w->interfaces, .nr_interfaces = 5 };
	w->routing = (struct pm_routing){ w->gateways, 4, w->routes, 3 };
	w->ns.inode = 77;
	return w;
}

static int make(struct world *w, const char *policy, struct error *e)
{
	const struct pm_ips_facts f = { &w->kernel, &w->routing, &w->ns, &w->before };
	_cleanup_(policy_free) struct policy *p = NULL;
	struct policy_diagnostics d;

	CU_ASSERT_EQUAL_FATAL(policy_parse("t", policy, strlen(policy), &p, &d), 0);
	policy_diagnostics_clear(&d);
	return pm_ips_make(p, &f, &w->after, &w->plan, e);
}

static void is_address(const uint8_t bytes[16], const char *want)
{
	const struct pm_address a = pm_ips_unmap(bytes);
	char text[INET6_ADDRSTRLEN];

	CU_ASSERT_STRING_EQUAL(pm_address_text(&a, text), want);
}

static void test_paths(void)
{
	_cleanup_(cleanup_world) struct world *w = make_world();
	const struct loader_learn_space *s = &w->after;

	CU_ASSERT_EQUAL_FATAL(make(w, HEAD PATHS ROBE, NULL), 0);
	CU_ASSERT_TRUE(s->on);
	CU_ASSERT_EQUAL(s->config.netns_inode, 77);
	CU_ASSERT_EQUAL(s->config.ttl_ms, 3600000);
	CU_ASSERT_EQUAL(s->config.explore_ppm, 50000);
	CU_ASSERT_EQUAL_FATAL(s->nr_paths, 2);
	CU_ASSERT_EQUAL(s->paths[0].ifindex, 2);
	is_address(s->paths[0].v4, "10.1.0.5");
	is_address(s->paths[0].v6, "fd01::5");
	is_address(s->paths[1].v4, "10.2.0.5");
	CU_ASSERT_EQUAL(s->paths[0].route_v4, 1);
	CU_ASSERT_EQUAL(s->paths[0].route_v6, 0);
	CU_ASSERT_EQUAL(s->paths[1].route_v4, 0);
	CU_ASSERT_EQUAL(s->paths[1].route_v6, 1);
	CU_ASSERT_NOT_EQUAL(s->paths[0].network, s->paths[1].network);
	/* Every address leads to its path, in order. */
	CU_ASSERT_EQUAL_FATAL(s->nr_addresses, 5);
	is_address(s->addresses[0].address, "10.1.0.5");
	is_address(s->addresses[2].address, "10.2.0.6");
	CU_ASSERT_EQUAL(s->addresses[2].owner.ifindex, 3);
	CU_ASSERT_EQUAL(s->addresses[2].owner.network, s->paths[1].network);
	/* wlan1 has no default route; wlan2 is down and lo is none of ours. */
	CU_ASSERT_EQUAL_FATAL(w->plan.nr_notices, 1);
	CU_ASSERT_EQUAL(w->plan.notices[0].kind, PM_NOTICE_IPS);
	CU_ASSERT_STRING_EQUAL(w->plan.notices[0].text,
			       "connections cannot begin on wlan1: it has no default route");
}

static void test_handicaps(void)
{
	static const struct {
		const char *policy;
		uint32_t wifi_us, lte_us;
	} cases[] = {
		{ HEAD PATHS ROBE, 0, PM_IPS_BACKUP_US },
		{ HEAD PATHS ROBE "connections: [ { mode: aggregate } ]\n", 0, PM_IPS_DEARER_US },
		{ HEAD "paths: [ { name: a, match: { type: wifi } }, { name: b } ]\n" ROBE, 0, 0 },
		{ HEAD
		  "paths: [ { name: a, match: { type: wifi } }, { name: b, metered: true } ]\n" ROBE,
		  0, PM_IPS_BACKUP_US },
		{ HEAD
		  "paths: [ { name: a, match: { type: wifi }, backup: yes }, { name: b } ]\n" ROBE,
		  PM_IPS_BACKUP_US, 0 },
		{ HEAD
		  "paths: [ { name: a, match: { type: wifi } }, { name: b, cost: 2, backup: no } ]\n" ROBE,
		  0, PM_IPS_DEARER_US },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(cleanup_world) struct world *w = make_world();

		CU_ASSERT_EQUAL_FATAL(make(w, cases[i].policy, NULL), 0);
		CU_ASSERT_EQUAL(w->after.paths[0].handicap_us, cases[i].wifi_us);
		CU_ASSERT_EQUAL(w->after.paths[1].handicap_us, cases[i].lte_us);
	}
}

static void test_routes(void)
{
	_cleanup_(cleanup_world) struct world *w = make_world();
	_cleanup_free_ struct pm_route *many = calloc(1025, sizeof(*many));
	struct error e = { 0 };

	CU_ASSERT_EQUAL_FATAL(make(w, HEAD PATHS ROBE, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(w->after.nr_routes, 2);
	is_address(w->after.routes[0].destination, "10.1.0.0");
	CU_ASSERT_EQUAL(w->after.routes[0].bits, 112);
	is_address(w->after.routes[1].destination, "10.2.0.0");
	for (size_t i = 0; i < 1025; i++) {
		many[i] = (struct pm_route){ address("10.0.0.0"), 24 };
		many[i].destination.v4.s_addr |= (uint32_t)i << 16;
	}
	w->routing.routes = many;
	w->routing.nr_routes = 1024;
	CU_ASSERT_EQUAL(make(w, HEAD PATHS ROBE, &e), 0);
	CU_ASSERT_EQUAL(w->after.nr_routes, 1024);
	w->routing.nr_routes = 1025;
	CU_ASSERT_EQUAL(make(w, HEAD PATHS ROBE, &e), -EOPNOTSUPP);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "more than 1024 routes"));
}

/* The MAC address of the gateway tells networks apart; one that does not answer changes nothing. */
static void test_networks(void)
{
	_cleanup_(cleanup_world) struct world *w = make_world();
	uint32_t network;

	CU_ASSERT_EQUAL_FATAL(make(w, HEAD PATHS ROBE, NULL), 0);
	network = w->after.paths[0].network;
	w->gateways[0].address = address("10.1.0.254");
	CU_ASSERT_EQUAL_FATAL(make(w, HEAD PATHS ROBE, NULL), 0);
	CU_ASSERT_EQUAL(w->after.paths[0].network, network);
	w->gateways[0].mac[0] = 9;
	CU_ASSERT_EQUAL_FATAL(make(w, HEAD PATHS ROBE, NULL), 0);
	CU_ASSERT_NOT_EQUAL(w->after.paths[0].network, network);
	w->before = w->after;
	network = w->after.paths[0].network;
	w->gateways[0].mac_bytes = w->gateways[3].mac_bytes = 0;
	w->gateways[0].settled = w->gateways[3].settled = false;
	CU_ASSERT_EQUAL_FATAL(make(w, HEAD PATHS ROBE, NULL), 0);
	CU_ASSERT_EQUAL(w->after.paths[0].network, network);
	memset(&w->before, 0, sizeof(w->before));
	CU_ASSERT_EQUAL_FATAL(make(w, HEAD PATHS ROBE, NULL), 0);
	CU_ASSERT_NOT_EQUAL(w->after.paths[0].network, network);
	CU_ASSERT_NOT_EQUAL(w->after.paths[0].network, 0);
}

static void test_routing(void)
{
	_cleanup_(cleanup_world) struct world *w = make_world();
	bool certain;

	CU_ASSERT_EQUAL(pm_routing_natural(&w->routing, AF_INET), 2);
	CU_ASSERT_EQUAL(pm_routing_natural(&w->routing, AF_INET6), 3);
	w->gateways[0].main = false;
	CU_ASSERT_EQUAL(pm_routing_natural(&w->routing, AF_INET), 3);
	CU_ASSERT_TRUE(pm_routing_leads_out(&w->routing, 2, AF_INET));
	CU_ASSERT_FALSE(pm_routing_leads_out(&w->routing, 4, AF_INET));
	CU_ASSERT_EQUAL(pm_routing_network(&w->routing, 4, &certain), 1);
	CU_ASSERT_TRUE(certain);
	w->routing.nr_gateways = 0;
	CU_ASSERT_EQUAL(pm_routing_natural(&w->routing, AF_INET), 0);
}

static void test_too_many(void)
{
	_cleanup_(cleanup_world) struct world *w = make_world();
	struct pm_interface interfaces[10];
	struct pm_gateway gateways[10];

	for (int i = 0; i < 10; i++) {
		interfaces[i] = w->interfaces[1];
		interfaces[i].ifindex = i + 2;
		snprintf(interfaces[i].name, sizeof(interfaces[i].name), "wl%d", i);
		gateways[i] = gateway(i + 2, "10.1.0.1", 100, 1);
	}
	w->kernel.interfaces = interfaces;
	w->kernel.nr_interfaces = 10;
	w->routing.gateways = gateways;
	w->routing.nr_gateways = 10;
	CU_ASSERT_EQUAL_FATAL(make(w, HEAD PATHS ROBE, NULL), 0);
	CU_ASSERT_EQUAL(w->after.nr_paths, MPTCP_LEARN_PATHS_MAX);
	CU_ASSERT_EQUAL_FATAL(w->plan.nr_notices, 2);
	CU_ASSERT_STRING_EQUAL(
		w->plan.notices[0].text,
		"connections cannot begin on wl8: ips compares 8 interfaces at most");
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "paths", test_paths },     { "handicaps", test_handicaps },
		{ "routes", test_routes },   { "networks", test_networks },
		{ "routing", test_routing }, { "too many interfaces", test_too_many },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "ips", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
