// SPDX-License-Identifier: GPL-2.0-only
/* The guard of a policy: from YAML to what the program reads, to words, and what cannot be meant.
 */
#include "pm/guard.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

#define HEAD                                                                                          \
	"version: 1\nname: t\npaths:\n  - { name: a, match: { interface: a* }, trust: low }\n"        \
	"  - { name: b, match: { interface: b* } }\n  - { name: c, match: { interface: c* }, trust: " \
	"high }\n"

static const struct pm_interface interfaces[] = {
	{ .ifindex = 2, .name = "a0", .up = true },	  { .ifindex = 3, .name = "b0" },
	{ .ifindex = 4, .name = "c0", .up = true },	  { .ifindex = 5, .name = "other" },
	{ .ifindex = 6, .name = "a1", .loopback = true },
};

static struct pm_guard guards[MPTCP_GUARD_IFS];
static size_t nr;

/* What is guarded, in words: one line an interface. */
static void guards_are(const char *yaml, const char *want)
{
	_cleanup_(policy_free) struct policy *p = NULL;
	char text[PM_GUARD_TEXT_BYTES], all[1024] = "";
	struct policy_diagnostics d;
	struct error e = { 0 };

	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", yaml, strlen(yaml), &p, &d), 0);
	CU_ASSERT_EQUAL(pm_guard_make(p, interfaces, sizeof(interfaces) / sizeof(interfaces[0]),
				      guards, &nr, &e),
			0);
	for (size_t i = 0; i < nr; i++) {
		pm_guard_describe(&guards[i], text, sizeof(text));
		strncat(all, text, sizeof(all) - strlen(all) - 1);
		strncat(all, "\n", sizeof(all) - strlen(all) - 1);
	}
	CU_ASSERT_STRING_EQUAL(all, want);
}

static void test_trust(void)
{
	guards_are(HEAD, "");
	guards_are(HEAD "guard: { mp-prio: accept, rm-addr: accept }\n", "");
	guards_are(HEAD "guard: { mp-prio: ignore-all }\n",
		   "guard a0: mp-prio ignore-all, rm-addr accept\n"
		   "guard b0: mp-prio ignore-all, rm-addr accept\n"
		   "guard c0: mp-prio ignore-all, rm-addr accept\n");
	guards_are(HEAD "guard: { mp-prio: { trust-below: normal, action: ignore-backup },"
			" rm-addr: { action: probe, trust-below: high } }\n",
		   "guard a0: mp-prio ignore-backup, rm-addr probe\n"
		   "guard b0: mp-prio accept, rm-addr probe\n");
	CU_ASSERT_EQUAL(guards[0].ifindex, 2);
	CU_ASSERT_EQUAL(guards[0].config.prio, MPTCP_GUARD_PRIO_IGNORE_BACKUP);
	CU_ASSERT_EQUAL(guards[1].config.remove, MPTCP_GUARD_REMOVE_PROBE);
}

static void test_words(void)
{
	struct pm_guard nameless = { .ifindex = 9 };
	char text[PM_GUARD_TEXT_BYTES];

	guards_are(HEAD
		   "guard: { mp-prio: { action: rate, per-minute: 6, trust-below: normal } }\n",
		   "guard a0: mp-prio 6/min, rm-addr accept\n");
	guards_are(HEAD "guard: { mp-prio: { action: never-empty, trust-below: normal } }\n",
		   "guard a0: mp-prio never-empty, rm-addr accept\n");
	guards_are(HEAD "guard: { rm-addr: { action: ignore, trust-below: normal } }\n",
		   "guard a0: mp-prio accept, rm-addr ignore\n");
	pm_guard_describe(&nameless, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "guard if9: mp-prio accept, rm-addr accept");
	for (uint8_t i = MPTCP_GUARD_PRIO; i <= MPTCP_GUARD_JOIN; i++)
		CU_ASSERT_PTR_NOT_NULL(pm_guard_what_name(i));
	for (uint8_t i = MPTCP_GUARD_BY_RULE; i <= MPTCP_GUARD_UNLISTED; i++)
		CU_ASSERT_PTR_NOT_NULL(pm_guard_why_name(i));
	CU_ASSERT_PTR_NULL(pm_guard_what_name(0));
	CU_ASSERT_PTR_NULL(pm_guard_why_name(200));
}

static void test_lists(void)
{
	const struct mptcp_guard_config *c = &guards[0].config;

	guards_are("version: 1\nname: t\npaths: [ { name: a, match: { interface: a0 } } ]\n"
		   "guard:\n  join-rate: 60\n  add-addr:\n"
		   "    - { prefix: 10.0.0.0/8, port: [443, 8000-8010] }\n"
		   "    - prefix: \"fd00::/8\"\n",
		   "guard a0: mp-prio accept, rm-addr accept, add-addr 3 listed, joins 60/min\n");
	CU_ASSERT_EQUAL(c->join_per_minute, 60);
	CU_ASSERT_EQUAL_FATAL(c->nr_prefixes, 3);
	CU_ASSERT_EQUAL(c->prefixes[0].bits, 104);
	CU_ASSERT_EQUAL(c->prefixes[0].address[12], 10);
	CU_ASSERT_EQUAL(c->prefixes[0].port_first, 443);
	CU_ASSERT_EQUAL(c->prefixes[0].port_last, 443);
	CU_ASSERT_EQUAL(c->prefixes[1].bits, 104);
	CU_ASSERT_EQUAL(c->prefixes[1].port_first, 8000);
	CU_ASSERT_EQUAL(c->prefixes[1].port_last, 8010);
	CU_ASSERT_EQUAL(c->prefixes[2].bits, 8);
	CU_ASSERT_EQUAL(c->prefixes[2].port_first, 0);
}

static void test_too_many(void)
{
	static struct pm_interface many[MPTCP_GUARD_IFS + 1];
	static const char yaml[] = HEAD "guard: { rm-addr: ignore }\n";
	_cleanup_(policy_free) struct policy *p = NULL;
	struct policy_diagnostics d;
	struct error e = { 0 };

	for (int i = 0; i <= MPTCP_GUARD_IFS; i++) {
		many[i].ifindex = i + 1;
		snprintf(many[i].name, sizeof(many[i].name), "a%d", i);
	}
	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", yaml, strlen(yaml), &p, &d), 0);
	CU_ASSERT_EQUAL(pm_guard_make(p, many, MPTCP_GUARD_IFS, guards, &nr, &e), 0);
	CU_ASSERT_EQUAL(nr, MPTCP_GUARD_IFS);
	CU_ASSERT_EQUAL(pm_guard_make(p, many, MPTCP_GUARD_IFS + 1, guards, &nr, &e), -E2BIG);
	CU_ASSERT_STRING_EQUAL(e.text, "more than 256 interfaces belong to paths that are guarded");
	CU_ASSERT_EQUAL(pm_guard_make(NULL, many, 1, guards, &nr, &e), 0);
	CU_ASSERT_EQUAL(nr, 0);
}

/* "LINE:COLUMN: TEXT (HINT)" of the first mistake, of NR. */
static void mistake_is(const char *yaml, size_t total, const char *want)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;
	char got[512] = "";

	CU_ASSERT_EQUAL(policy_parse("t.yaml", yaml, strlen(yaml), &p, &d), -EINVAL);
	CU_ASSERT_PTR_NULL(p);
	CU_ASSERT_EQUAL(d.total, total);
	if (d.nr)
		snprintf(got, sizeof(got), "%u:%u: %s (%s)", d.items[0].line, d.items[0].column,
			 d.items[0].text, d.items[0].hint);
	CU_ASSERT_STRING_EQUAL(got, want);
	policy_diagnostics_clear(&d);
}

static void test_mistakes(void)
{
	mistake_is("version: 1\nname: t\nguard: { mp-prio: ignore-all }\n", 1,
		   "3:8: \"guard\" has nothing to guard: there are no paths (say which interfaces "
		   "are meant, in \"paths\")");
	mistake_is(HEAD "guard: { mp-prio: ignore }\n", 1,
		   "7:19: \"mp-prio\" cannot be \"ignore\" (valid values: accept, ignore-backup, "
		   "ignore-all, rate, never-empty)");
	mistake_is(
		HEAD "guard: { mp-prio: rate }\n", 1,
		"7:19: action \"rate\" needs \"per-minute\" (write { action: rate, per-minute: N "
		"})");
	mistake_is(HEAD "guard: { mp-prio: { action: ignore-all, per-minute: 3 } }\n", 1,
		   "7:53: \"per-minute\" means nothing with this action (leave it out, or use "
		   "rate)");
	mistake_is(HEAD "guard: { mp-prio: { per-minute: 3 } }\n", 1,
		   "7:19: \"action\" is missing in mp-prio ()");
	mistake_is(HEAD "guard: { rm-addr: { action: probe, trust-below: low } }\n", 1,
		   "7:49: \"trust-below\" cannot be \"low\" (valid values: normal, high)");
	mistake_is(HEAD "guard: { rm-addr: [probe] }\n", 1,
		   "7:19: \"rm-addr\" cannot be a list (valid values: accept, probe, ignore)");
	mistake_is(HEAD "guard: { add-addr: [ 10.0.0.0/8 ] }\n", 1,
		   "7:22: \"an address\" must be a mapping, not \"10.0.0.0/8\" (write \"key: "
		   "value\" pairs)");
	mistake_is(HEAD "guard: { add-addr: [ { port: 1 } ] }\n", 1,
		   "7:22: \"prefix\" is missing in an address ()");
	mistake_is(
		HEAD "guard: { add-addr: [ { prefix: 10.0.0.1/8 } ] }\n", 1,
		"7:32: \"10.0.0.1/8\" has bits set beyond its prefix (did you mean 10.0.0.0/8?)");
	mistake_is(HEAD "guard: { add-addr: [ { prefix: 10.0.0.0/8, port: [1,2,3,4,5,6,7,8,9] },"
			" { prefix: 11.0.0.0/8, port: [1,2,3,4,5,6,7,8] } ] }\n",
		   1,
		   "7:20: \"add-addr\" is too long: with each listed port counted it has more than "
		   "16 entries (use ranges of ports)");
	mistake_is(HEAD "guard: { join-rate: 0 }\n", 1,
		   "7:21: \"join-rate\" must be an integer from 1 to 1000000, not \"0\" ()");
	mistake_is(HEAD "guard: { rm-adr: probe }\n", 1,
		   "7:10: unknown key \"rm-adr\" (did you mean \"rm-addr\"?)");
	mistake_is(HEAD "guard: {}\n", 1, "7:8: \"guard\" is empty (leave the key out instead)");
}

int main(void)
{
	CU_pSuite suite;
	unsigned int failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	suite = CU_add_suite("guard", NULL, NULL);
	CU_add_test(suite, "by trust", test_trust);
	CU_add_test(suite, "in words", test_words);
	CU_add_test(suite, "lists and rates", test_lists);
	CU_add_test(suite, "too many interfaces", test_too_many);
	CU_add_test(suite, "mistakes", test_mistakes);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
