// SPDX-License-Identifier: GPL-2.0-only
/* Congestion control by path: from YAML to interfaces, to words, and what cannot be meant. */
#include "pm/congestion.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

#define HEAD "version: 1\nname: t\npaths:\n"
#define WIFI "  - { name: wifi, match: { interface: wl* }, congestion-control: cubic }\n"
#define LTE  "  - { name: lte, match: { interface: ww* }, congestion-control: bpf_Cubic-2.0 }\n"
#define REST "  - { name: rest }\n"

/* Not in the order of their numbers. */
static const struct pm_interface interfaces[] = {
	{ .ifindex = 1000001, .name = "wwan0", .up = true },
	{ .ifindex = 1000003, .name = "eth0", .up = true },
	{ .ifindex = 1000000, .name = "wlan0" },
	{ .ifindex = 1000002, .name = "wlo", .loopback = true },
};

/* What interfaces have, in words: one line each. */
static void list_is(const char *yaml, uint32_t without, const char *want)
{
	_cleanup_(policy_free) struct policy *p = NULL;
	struct loader_congestion list[MPTCP_CONGESTION_IFS];
	char text[PM_CONGESTION_TEXT_BYTES], all[512] = "";
	struct policy_diagnostics d;
	struct error e = { 0 };
	size_t nr = 99;

	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", yaml, strlen(yaml), &p, &d), 0);
	CU_ASSERT_EQUAL(pm_congestion_make(p, without, interfaces,
					   sizeof(interfaces) / sizeof(interfaces[0]), list, &nr,
					   &e),
			0);
	for (size_t i = 0; i < nr; i++) {
		pm_congestion_describe(&list[i], text, sizeof(text));
		strncat(all, text, sizeof(all) - strlen(all) - 1);
		strncat(all, "\n", sizeof(all) - strlen(all) - 1);
	}
	CU_ASSERT_STRING_EQUAL(all, want);
	CU_ASSERT_EQUAL(pm_congestion_wanted(p), want[0] || without);
}

static void test_interfaces(void)
{
	list_is(HEAD REST, 0, "");
	list_is(HEAD WIFI LTE REST, 0,
		"congestion control of subflows on if1000000: cubic\n"
		"congestion control of subflows on if1000001: bpf_Cubic-2.0\n");
	list_is(HEAD WIFI REST, 0, "congestion control of subflows on if1000000: cubic\n");
	list_is(HEAD WIFI LTE, 1, "congestion control of subflows on if1000001: bpf_Cubic-2.0\n");
	list_is(HEAD WIFI LTE, 3, "");
}

static void test_too_many(void)
{
	_cleanup_(policy_free) struct policy *p = NULL;
	struct pm_interface many[MPTCP_CONGESTION_IFS + 1] = { 0 };
	struct loader_congestion list[MPTCP_CONGESTION_IFS];
	struct policy_diagnostics d;
	struct error e = { 0 };
	size_t nr;

	for (size_t i = 0; i <= MPTCP_CONGESTION_IFS; i++)
		many[i] = (struct pm_interface){ .ifindex = (int)i + 1, .name = "wl" };
	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", HEAD WIFI, strlen(HEAD WIFI), &p, &d), 0);
	CU_ASSERT_EQUAL(pm_congestion_make(p, 0, many, MPTCP_CONGESTION_IFS, list, &nr, &e), 0);
	CU_ASSERT_EQUAL(nr, MPTCP_CONGESTION_IFS);
	CU_ASSERT_EQUAL(pm_congestion_make(p, 0, many, MPTCP_CONGESTION_IFS + 1, list, &nr, &e),
			-E2BIG);
	CU_ASSERT_EQUAL(nr, 0);
	CU_ASSERT_EQUAL(pm_congestion_make(NULL, 0, many, 1, list, &nr, &e), 0);
	CU_ASSERT_EQUAL(nr, 0);
}

static void test_available(void)
{
	struct policy_path reno = { .name = "a", .congestion = "reno" };
	struct policy_path none = { .name = "b", .congestion = "no_such_algo" };
	struct error e = { 0 };

	CU_ASSERT_TRUE(pm_congestion_listed("reno bbr cubic", "reno"));
	CU_ASSERT_TRUE(pm_congestion_listed("reno bbr cubic", "bbr"));
	CU_ASSERT_TRUE(pm_congestion_listed("reno bbr cubic\n", "cubic"));
	CU_ASSERT_TRUE(pm_congestion_listed("bbr2 bbr", "bbr"));
	CU_ASSERT_FALSE(pm_congestion_listed("reno bbr2 mycubic", "bbr"));
	CU_ASSERT_FALSE(pm_congestion_listed("reno bbr2 mycubic", "cubic"));
	CU_ASSERT_FALSE(pm_congestion_listed("", "reno"));
	/* It is in every kernel. */
	CU_ASSERT_EQUAL(pm_congestion_find(&reno, &e), 0);
	CU_ASSERT_EQUAL(pm_congestion_find(&none, &e), -EOPNOTSUPP);
	CU_ASSERT_STRING_EQUAL(e.text,
			       "path \"b\": the kernel has no congestion control \"no_such_algo\"");
	CU_ASSERT_PTR_NOT_NULL(strstr(e.hint, "reno"));
}

static void mistake_is(const char *yaml, const char *want)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;
	char got[512] = "";

	CU_ASSERT_EQUAL(policy_parse("t.yaml", yaml, strlen(yaml), &p, &d), -EINVAL);
	CU_ASSERT_PTR_NULL(p);
	CU_ASSERT_EQUAL(d.total, 1);
	if (d.nr)
		snprintf(got, sizeof(got), "%u:%u: %s (%s)", d.items[0].line, d.items[0].column,
			 d.items[0].text, d.items[0].hint);
	CU_ASSERT_STRING_EQUAL(got, want);
	policy_diagnostics_clear(&d);
}

static void test_mistakes(void)
{
	static const char expected[] =
		"\"congestion-control\" must be 1 to 15 letters, digits, \".\", \"_\" and \"-\", "
		"such as cubic, not ";
	char want[256];

	snprintf(want, sizeof(want), "4:36: %s\"bbr cubic\" ()", expected);
	mistake_is(HEAD "  - { name: a, congestion-control: bbr cubic }\n", want);
	snprintf(want, sizeof(want), "4:36: %s\"sixteen-letters-\" ()", expected);
	mistake_is(HEAD "  - { name: a, congestion-control: sixteen-letters- }\n", want);
	snprintf(want, sizeof(want), "4:36: %sa list ()", expected);
	mistake_is(HEAD "  - { name: a, congestion-control: [bbr] }\n", want);
	mistake_is(HEAD "  - { name: a, congestion-control: cdg }\n",
		   "4:36: the kernel gives \"cdg\" to a socket only when its program asks for it "
		   "(set net.ipv4.tcp_congestion_control)");
	mistake_is(HEAD "  - { name: a, congestion: bbr }\n",
		   "4:16: unknown key \"congestion\" (valid keys: name, match, cost, metered, "
		   "trust, backup, endpoint, congestion-control, when)");
}

int main(void)
{
	CU_pSuite suite;
	unsigned int failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	suite = CU_add_suite("congestion control", NULL, NULL);
	CU_add_test(suite, "by interface", test_interfaces);
	CU_add_test(suite, "too many interfaces", test_too_many);
	CU_add_test(suite, "what the kernel has", test_available);
	CU_add_test(suite, "mistakes", test_mistakes);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
