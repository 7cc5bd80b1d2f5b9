// SPDX-License-Identifier: GPL-2.0-only
/* IPv4 addresses of the peer from an interface that has IPv6 alone: here lte, 2001:db8:2::2. */
#include <CUnit/Basic.h>
#include <string.h>

#include "engine_fixture.h"

#define WIFI_MAPPED "::ffff:10.0.1.2"
#define PEER_MAPPED "::ffff:10.9.0.1"
#define LOCAL	    "2001:db8:2::2"
#define KNOWN	    "64:ff9b::"
#define OWN	    "2001:db8:64::"

static void start(struct world *w, enum policy_mode_kind mode)
{
	world_init(w, mode);
	w->addresses[LTE][0] = world_address(LOCAL);
	world_start(w);
}

/* NULL: there is none. */
static void tell(struct world *w, const char *prefix)
{
	struct pm_nat64_network n = { .ifindex = LTE + 2 };
	const struct pm_input in = { .kind = PM_INPUT_NAT64, .nat64 = { &n, prefix ? 1 : 0 } };

	if (prefix) {
		struct pm_address a = world_address(prefix);

		memcpy(n.prefix.address, &a.v6, 16);
		n.prefix.bits = 96;
	}
	w->log[0] = '\0';
	world_input(w, &in);
}

static void log_is(struct world *w, const char *want)
{
	if (strcmp(w->log, want) != 0)
		printf("\n    got \"%s\", want \"%s\"\n", w->log, want);
	CU_ASSERT_STRING_EQUAL(w->log, want);
	w->log[0] = '\0';
}

/* Before or after the prefix is known, the peer's own address or an announced one. */
static void test_join(void)
{
	struct world w;

	start(&w, POLICY_MODE_AGGREGATE);
	world_connect(&w, 1, WIFI_MAPPED, PEER_MAPPED, false);
	log_is(&w, "");
	tell(&w, OWN);
	log_is(&w, "+" LOCAL "@2001:db8:64::a09:1");
	world_clear(&w);

	start(&w, POLICY_MODE_AGGREGATE);
	tell(&w, OWN);
	world_connect(&w, 1, WIFI_MAPPED, PEER_MAPPED, false);
	log_is(&w, "+" LOCAL "@2001:db8:64::a09:1");
	world_clear(&w);

	start(&w, POLICY_MODE_AGGREGATE);
	tell(&w, KNOWN);
	w.deny_join_id0 = true;
	world_connect(&w, 1, WIFI_MAPPED, PEER_MAPPED, false);
	world_run(&w, "|");
	log_is(&w, "");
	world_run(&w, "peer:10.9.0.8=7"); /* private, which the well-known prefix is not for */
	log_is(&w, "");
	world_run(&w, "peer:198.51.100.8=8");
	log_is(&w, "+" LOCAL "@64:ff9b::c633:6408");
	CU_ASSERT_EQUAL(w.flows[w.nr_flows - 1].remote_id, 8);
	world_clear(&w);
}

/* An IPv4 socket gets no IPv6 subflows; a path that has IPv4 needs no NAT64; nor has a server. */
static void test_none(void)
{
	struct world w;

	start(&w, POLICY_MODE_AGGREGATE);
	tell(&w, OWN);
	world_connect(&w, 1, "10.0.1.2", "10.9.0.1", false);
	world_run(&w, "peer:198.51.100.8=8");
	log_is(&w, "");
	world_connect(&w, 2, WIFI_MAPPED, PEER_MAPPED, true);
	log_is(&w, "");
	world_clear(&w);

	start(&w, POLICY_MODE_AGGREGATE);
	w.addresses[LTE][1] = world_address("10.0.2.2");
	w.interfaces[LTE].nr_addresses = 2;
	world_interfaces(&w);
	tell(&w, OWN);
	world_connect(&w, 1, WIFI_MAPPED, PEER_MAPPED, false);
	log_is(&w, "+lte");
	world_clear(&w);

	/* Nor as a second way beside the native one. */
	start(&w, POLICY_MODE_AGGREGATE);
	w.policy.limits.add_addr_accepted = 2;
	w.addresses[LTE][1] = world_address("10.0.2.2");
	w.interfaces[LTE].nr_addresses = 2;
	world_interfaces(&w);
	tell(&w, OWN);
	world_run(&w, "wifi-");
	world_connect(&w, 1, "2001:db8:1::2", "2001:db8:99::9", false);
	world_run(&w, "peer:198.51.100.8=8 t:10000");
	log_is(&w, "+" LOCAL "@2001:db8:99::9");
	world_clear(&w);

	/* Of another interface. */
	start(&w, POLICY_MODE_AGGREGATE);
	w.interfaces[LTE].ifindex = 77;
	world_interfaces(&w);
	tell(&w, OWN);
	world_connect(&w, 1, WIFI_MAPPED, PEER_MAPPED, false);
	log_is(&w, "");
	world_clear(&w);
}

/* What the peer has natively comes first; through the NAT64 when that does not work. */
static void test_native_first(void)
{
	struct world w;

	start(&w, POLICY_MODE_AGGREGATE);
	tell(&w, OWN);
	world_run(&w, "lte-");
	world_connect(&w, 1, "2001:db8:1::2", "2001:db8:99::9", false);
	world_run(&w, "peer:198.51.100.8=8 | lte+");
	log_is(&w, "+" LOCAL "@2001:db8:99::9");
	world_clear(&w);

	start(&w, POLICY_MODE_AGGREGATE);
	tell(&w, OWN);
	world_run(&w, "lte- refused:lte");
	world_connect(&w, 1, "2001:db8:1::2", "2001:db8:99::9", false);
	world_run(&w, "peer:198.51.100.8=8 | lte+");
	log_is(&w, "+" LOCAL "@2001:db8:99::9 +" LOCAL "@2001:db8:64::c633:6408");
	world_clear(&w);
}

/* Each announced address once, by whatever way. */
static void test_covered(void)
{
	struct world w;

	start(&w, POLICY_MODE_AGGREGATE);
	w.policy.limits.add_addr_accepted = 2;
	tell(&w, OWN);
	w.deny_join_id0 = true;
	world_connect(&w, 1, WIFI_MAPPED, PEER_MAPPED, false);
	world_run(&w, "peer:198.51.100.8=8");
	log_is(&w, "+" LOCAL "@2001:db8:64::c633:6408");
	world_run(&w, "t:60000");
	log_is(&w, "");
	world_clear(&w);
}

static void test_change(void)
{
	struct world w;

	start(&w, POLICY_MODE_AGGREGATE);
	world_connect(&w, 1, WIFI_MAPPED, PEER_MAPPED, false);
	tell(&w, OWN);
	log_is(&w, "+" LOCAL "@2001:db8:64::a09:1");
	tell(&w, OWN);
	log_is(&w, "");
	/* What replaces it is there before it goes. */
	tell(&w, "2001:db8:65::");
	log_is(&w, "+" LOCAL "@2001:db8:65::a09:1 -" LOCAL "@2001:db8:64::a09:1");
	CU_ASSERT_STRING_EQUAL(w.reason, "the NAT64 of lte is gone, or has another prefix");
	tell(&w, NULL);
	log_is(&w, "-" LOCAL "@2001:db8:65::a09:1");
	tell(&w, "2001:db8:65::");
	log_is(&w, "+" LOCAL "@2001:db8:65::a09:1");
	world_clear(&w);

	/* A join under way is forgotten. */
	start(&w, POLICY_MODE_AGGREGATE);
	world_run(&w, "hangs:lte");
	world_connect(&w, 1, WIFI_MAPPED, PEER_MAPPED, false);
	tell(&w, OWN);
	log_is(&w, "+" LOCAL "@2001:db8:64::a09:1");
	world_run(&w, "works:lte |");
	tell(&w, "2001:db8:65::");
	log_is(&w, "+" LOCAL "@2001:db8:65::a09:1 " LOCAL "@2001:db8:65::a09:1>a");
	world_clear(&w);
}

/* The last subflow there is stays; the connection's own address was not our choice. */
static void test_kept(void)
{
	struct world w;

	start(&w, POLICY_MODE_AGGREGATE);
	world_connect(&w, 1, WIFI_MAPPED, PEER_MAPPED, false);
	tell(&w, OWN);
	world_run(&w, "wifi- t:3000 |");
	tell(&w, NULL);
	log_is(&w, "");
	world_run(&w, "wifi+");
	log_is(&w, "+wifi -" LOCAL "@2001:db8:64::a09:1");
	world_clear(&w);

	start(&w, POLICY_MODE_AGGREGATE);
	tell(&w, OWN);
	world_connect(&w, 1, LOCAL, "2001:db8:64::a09:1", false);
	world_run(&w, "peer:198.51.100.8=8 |");
	tell(&w, "2001:db8:65::");
	log_is(&w, "");
	world_clear(&w);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("engine, NAT64", NULL, NULL);
	CU_ADD_TEST(s, test_join);
	CU_ADD_TEST(s, test_none);
	CU_ADD_TEST(s, test_native_first);
	CU_ADD_TEST(s, test_covered);
	CU_ADD_TEST(s, test_change);
	CU_ADD_TEST(s, test_kept);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
