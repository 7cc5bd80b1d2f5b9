// SPDX-License-Identifier: GPL-2.0-only
/* From a policy and interfaces to what the programs of SYN rescue read. */
#include "pm/rescue_settings.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "pm/address.h"
#include "util/cleanup.h"

#define HEAD                                                             \
	"version: 1\nname: t\npaths:\n"                                  \
	"  - { name: lte, match: { interface: \"wwan*\" }, cost: 10 }\n" \
	"  - { name: wifi, match: { interface: \"wlan*\" } }\n"

static struct pm_address addresses[4];
static struct pm_interface interfaces[] = {
	{ .ifindex = 1, .name = "lo", .loopback = true },
	{ .ifindex = 2,
	  .name = "wwan0",
	  .mtu_bytes = 1420,
	  .addresses = addresses,
	  .nr_addresses = 2 },
	{ .ifindex = 3,
	  .name = "wlan0",
	  .mtu_bytes = 1500,
	  .addresses = addresses + 2,
	  .nr_addresses = 2 },
	{ .ifindex = 4, .name = "eth0", .mtu_bytes = 1500 },
	{ .ifindex = 5, .name = "wlan1", .mtu_bytes = 1500 },
};
#define NR (sizeof(interfaces) / sizeof(interfaces[0]))
static bool strict[NR];

static struct pm_rescue_facts facts(void)
{
	memset(strict, 0, sizeof(strict));
	pm_address_parse("10.0.2.1", &addresses[0]);
	pm_address_parse("fd00:2::1", &addresses[1]);
	pm_address_parse("10.0.3.1", &addresses[2]);
	pm_address_parse("10.0.3.9", &addresses[3]);
	return (struct pm_rescue_facts){ .netns_cookie = 77,
					 .interfaces = interfaces,
					 .nr_interfaces = NR,
					 .strict = strict,
					 .local_port_first = 32768,
					 .local_port_last = 60999,
					 .ticks_per_s = 250 };
}

static void make(const char *establish, const struct pm_rescue_facts *f, struct rescue_config *out,
		 struct pm_plan *plan)
{
	_cleanup_free_ char *text = NULL;
	struct policy_diagnostics d;
	struct policy *p = NULL;

	CU_ASSERT_FATAL(asprintf(&text, HEAD "establish: %s\n", establish) > 0);
	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", text, strlen(text), &p, &d), 0);
	CU_ASSERT_TRUE(pm_rescue_wanted(p));
	CU_ASSERT_EQUAL(pm_rescue_settings_make(p, f, out, plan), 0);
	policy_free(&p);
}

static void address_is(const struct rescue_address *a, const char *text)
{
	struct pm_address address;
	char got[INET6_ADDRSTRLEN];

	pm_rescue_address_back(a, &address);
	CU_ASSERT_STRING_EQUAL(pm_address_text(&address, got), text);
}

static void test_paths(void)
{
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	struct pm_rescue_facts f = facts();
	struct rescue_config c;

	make("{ robe: [timer] }", &f, &c, &plan);
	CU_ASSERT_EQUAL(c.netns_cookie, 77);
	CU_ASSERT_EQUAL(c.on, 1);
	CU_ASSERT_EQUAL(c.race, 0);
	CU_ASSERT_EQUAL_FATAL(c.nr_paths, 3);
	/* By cost, then by ifindex. */
	CU_ASSERT_EQUAL(c.paths[0].ifindex, 3);
	CU_ASSERT_EQUAL(c.paths[1].ifindex, 5);
	CU_ASSERT_EQUAL(c.paths[2].ifindex, 2);
	CU_ASSERT_EQUAL(c.paths[2].mtu_bytes, 1420);
	address_is(&c.paths[0].v4, "10.0.3.1");
	address_is(&c.paths[0].v6, "::");
	address_is(&c.paths[2].v4, "10.0.2.1");
	address_is(&c.paths[2].v6, "fd00:2::1");
	CU_ASSERT_EQUAL(plan.nr_notices, 0);
}

static void test_strict(void)
{
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	struct pm_rescue_facts f = facts();
	struct rescue_config c;

	strict[1] = true;
	make("{ robe: [sim] }", &f, &c, &plan);
	CU_ASSERT_EQUAL(c.race, 1);
	address_is(&c.paths[2].v4, "::");
	address_is(&c.paths[2].v6, "fd00:2::1");
	CU_ASSERT_EQUAL_FATAL(plan.nr_notices, 1);
	CU_ASSERT_EQUAL(plan.notices[0].kind, PM_NOTICE_RESCUE);
	CU_ASSERT_PTR_NOT_NULL(strstr(plan.notices[0].text, "wwan0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(plan.notices[0].text, "net.ipv4.conf.wwan0.rp_filter=2"));
}

/* Late by what the timer wheel may add, the timeout is still over in time; and connect() gives up
 * no earlier than after 1 + 2 + 4 ... seconds. */
static void test_timer(void)
{
	static const struct {
		const char *establish;
		uint32_t ticks_per_s, jiffies, more;
	} cases[] = {
		{ "{ robe: [timer], timer: 250ms }", 250, 61, 2 },
		{ "{ robe: [timer], timer: 250ms }", 1000, 242, 2 },
		{ "{ robe: [timer], timer: 250ms }", 100, 24, 2 },
		{ "{ robe: [timer], timer: 1s }", 250, 242, 0 },
		{ "{ robe: [timer], timer: 3s }", 1000, 2936, 0 },
		{ "{ robe: [timer], timer: 20ms }", 100, 1, 6 },
		{ "{ robe: [timer], timer: 600ms }", 250, 142, 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
		struct pm_rescue_facts f = facts();
		struct rescue_config c;

		f.ticks_per_s = cases[i].ticks_per_s;
		make(cases[i].establish, &f, &c, &plan);
		CU_ASSERT_EQUAL(c.timer_jiffies, cases[i].jiffies);
		CU_ASSERT_EQUAL(c.more_retries, cases[i].more);
	}
}

/* The SYN after those, the first without MPTCP, comes no sooner than after 3 s. */
static void test_syn_retries(void)
{
	static const struct {
		unsigned int robe;
		uint64_t timer_ms;
		int retries;
	} cases[] = {
		{ POLICY_ROBE_TIMER, 250, 7 },	{ POLICY_ROBE_SIM, 250, 7 },
		{ POLICY_ROBE_TIMER, 500, 5 },	{ POLICY_ROBE_TIMER, 20, 11 },
		{ POLICY_ROBE_TIMER, 999, 3 },	{ POLICY_ROBE_TIMER, 1000, 0 },
		{ POLICY_ROBE_TIMER, 3000, 0 }, { POLICY_ROBE_IPS, 250, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy p = { .establish = { .robe = cases[i].robe,
						   .timer_ms = cases[i].timer_ms } };

		CU_ASSERT_EQUAL(pm_rescue_syn_retries(&p), cases[i].retries);
	}
	CU_ASSERT_EQUAL(pm_rescue_syn_retries(NULL), 0);
}

static void test_ports(void)
{
	static const struct {
		uint16_t first, last, alias_first, alias_count;
	} cases[] = {
		{ 32768, 60999, 61000, 4536 },
		{ 32768, 65535, 24576, 8192 },
		{ 3000, 65000, 1024, 1976 },
		{ 1500, 65500, 0, 0 },
		{ 1, 65535, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
		struct pm_rescue_facts f = facts();
		struct rescue_config c;

		f.local_port_first = cases[i].first;
		f.local_port_last = cases[i].last;
		make("{ robe: [timer] }", &f, &c, &plan);
		CU_ASSERT_EQUAL(c.port_first, cases[i].alias_first);
		CU_ASSERT_EQUAL(c.port_count, cases[i].alias_count);
	}
}

static void test_idempotent(void)
{
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	struct pm_rescue_facts f = facts();
	struct rescue_config c;

	make("{ robe: [sim], idempotent: [{ prefix: 10.1.0.0/16, port: [53, 80-90] },"
	     " { port: 443 }] }",
	     &f, &c, &plan);
	CU_ASSERT_EQUAL_FATAL(c.nr_idempotent, 3);
	address_is(&c.idempotent[0].prefix, "10.1.0.0");
	CU_ASSERT_EQUAL(c.idempotent[0].bits, 112);
	CU_ASSERT_EQUAL(c.idempotent[0].port_first, 53);
	CU_ASSERT_EQUAL(c.idempotent[0].port_last, 53);
	CU_ASSERT_EQUAL(c.idempotent[1].port_first, 80);
	CU_ASSERT_EQUAL(c.idempotent[1].port_last, 90);
	CU_ASSERT_EQUAL(c.idempotent[2].bits, 0);
	CU_ASSERT_EQUAL(c.idempotent[2].port_first, 443);
}

static void test_data(void)
{
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	struct pm_rescue_facts f = facts();
	struct rescue_config c;

	strict[2] = true;
	make("{ robe: off }\n"
	     "tfo: { client: on, to: [{ prefix: 10.1.0.0/16, port: [53, 80-90] }, { port: 443 }] }",
	     &f, &c, &plan);
	/* Data alone takes no SYN elsewhere, repeats none sooner and minds no reverse path. */
	CU_ASSERT_FALSE(c.on);
	CU_ASSERT_FALSE(c.race);
	CU_ASSERT_EQUAL(c.timer_jiffies, 0);
	CU_ASSERT_EQUAL(c.more_retries, 0);
	CU_ASSERT_EQUAL(plan.nr_notices, 0);
	CU_ASSERT_EQUAL(c.nr_paths, 3);
	CU_ASSERT_TRUE(c.data_listed);
	CU_ASSERT_EQUAL(c.data_hold_ms, 3600000);
	CU_ASSERT_EQUAL_FATAL(c.nr_data_to, 3);
	address_is(&c.data_to[0].prefix, "10.1.0.0");
	CU_ASSERT_EQUAL(c.data_to[0].bits, 112);
	CU_ASSERT_EQUAL(c.data_to[1].port_first, 80);
	CU_ASSERT_EQUAL(c.data_to[1].port_last, 90);
	CU_ASSERT_EQUAL(c.data_to[2].port_first, 443);
	CU_ASSERT_EQUAL(c.nr_idempotent, 0);
	make("{ robe: [timer] }\ntfo: { client: on, blackhole: 5s }", &f, &c, &plan);
	CU_ASSERT_TRUE(c.on);
	CU_ASSERT_FALSE(c.data_listed);
	CU_ASSERT_EQUAL(c.data_hold_ms, 5000);
	make("{ robe: [timer] }\ntfo: { client: off }", &f, &c, &plan);
	CU_ASSERT_EQUAL(c.data_hold_ms, 0);
	CU_ASSERT_FALSE(rescue_looks_at_data(&c));
}

static void wanted_is(const char *tfo, bool wanted)
{
	_cleanup_free_ char *text = NULL;
	struct policy_diagnostics d;
	struct policy *p = NULL;

	CU_ASSERT_FATAL(asprintf(&text, HEAD "tfo: %s\n", tfo) > 0);
	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", text, strlen(text), &p, &d), 0);
	CU_ASSERT_EQUAL(pm_rescue_wanted(p), wanted);
	CU_ASSERT_EQUAL(pm_rescue_looks_at_data(p), wanted);
	CU_ASSERT_FALSE(pm_rescue_copies(p));
	CU_ASSERT_EQUAL(pm_rescue_syn_retries(p), 0);
	policy_free(&p);
}

static void test_data_wanted(void)
{
	wanted_is("{ client: on }", true);
	wanted_is("{ client: on, blackhole: 0s }", false);
	wanted_is("{ client: on, blackhole: 0s, to: [{ port: 1 }] }", true);
	wanted_is("{ client: off }", false);
	wanted_is("{ server: all }", false);
}

static void test_too_many(void)
{
	static const struct pm_interface wlan = { .name = "wlan0" };
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	struct pm_interface many[RESCUE_PATHS_MAX + 2];
	bool none[RESCUE_PATHS_MAX + 2] = { false };
	struct pm_rescue_facts f = facts();
	struct rescue_config c;

	for (int i = 0; i < RESCUE_PATHS_MAX + 2; i++) {
		many[i] = wlan;
		many[i].ifindex = i + 1;
	}
	f.interfaces = many;
	f.nr_interfaces = RESCUE_PATHS_MAX + 2;
	f.strict = none;
	make("{ robe: [timer] }", &f, &c, &plan);
	CU_ASSERT_EQUAL(c.nr_paths, RESCUE_PATHS_MAX);
	CU_ASSERT_EQUAL(plan.nr_notices, 2);
}

static void test_not_wanted(void)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;
	const char *text = HEAD "establish: { robe: [ips] }\n";

	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", text, strlen(text), &p, &d), 0);
	CU_ASSERT_FALSE(pm_rescue_wanted(p));
	CU_ASSERT_FALSE(pm_rescue_wanted(NULL));
	policy_free(&p);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("rescue settings", NULL, NULL);
	CU_ADD_TEST(s, test_paths);
	CU_ADD_TEST(s, test_strict);
	CU_ADD_TEST(s, test_timer);
	CU_ADD_TEST(s, test_syn_retries);
	CU_ADD_TEST(s, test_ports);
	CU_ADD_TEST(s, test_idempotent);
	CU_ADD_TEST(s, test_data);
	CU_ADD_TEST(s, test_data_wanted);
	CU_ADD_TEST(s, test_too_many);
	CU_ADD_TEST(s, test_not_wanted);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
