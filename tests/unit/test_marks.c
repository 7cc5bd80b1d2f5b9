// SPDX-License-Identifier: GPL-2.0-only
/* Marks of connections: from YAML to rules, to words, and what cannot be meant. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "pm/rules.h"
#include "util/cleanup.h"

#define HEAD  "version: 1\nname: t\nconnections:\n"
#define LAST  "  - { mode: aggregate }\n"
#define CROWD "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]"

static struct mptcp_mark marks[MPTCP_MARKS_MAX];

/* The rules that are made, in words: one line each. */
static void rules_are(const char *yaml, const char *want)
{
	_cleanup_(policy_free) struct policy *p = NULL;
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	char text[PM_RULE_TEXT_BYTES], all[2048] = "";
	struct policy_diagnostics d;
	struct error e = { 0 };
	size_t nr = 99;

	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", yaml, strlen(yaml), &p, &d), 0);
	CU_ASSERT_EQUAL(pm_marks_make(p, marks, &nr, &plan, &e), 0);
	for (size_t i = 0; i < nr; i++) {
		pm_mark_describe(&marks[i], text, sizeof(text));
		strncat(all, text, sizeof(all) - strlen(all) - 1);
		strncat(all, "\n", sizeof(all) - strlen(all) - 1);
	}
	CU_ASSERT_STRING_EQUAL(all, want);
	CU_ASSERT_EQUAL(pm_marks_wanted(p), want[0] != '\0');
}

static void test_rules(void)
{
	rules_are(HEAD "  - { match: { port: 1 } }\n" LAST, "");
	rules_are(HEAD "  - { match: { port: 1 }, mark: 0 }\n" LAST, "");
	rules_are(HEAD "  - { match: { port: 1 }, mark: 4294967295 }\n" LAST,
		  "rule 1: mark 4294967295 (0xffffffff) for port 1\n");
	/* One before a mark has to be ruled out, one behind all of them has not. */
	rules_are(HEAD "  - { match: { uid: 0, role: client } }\n"
		       "  - { match: { port: [5, 7-9], prefix: 10.0.0.0/8 }, mark: 16 }\n"
		       "  - { match: { local-port: 3 } }\n" LAST,
		  "rule 1: no mark for uid 0, role client\n"
		  "rule 2: mark 16 (0x10) for port 5, prefix 10.0.0.0/8\n"
		  "rule 2: mark 16 (0x10) for port 7-9, prefix 10.0.0.0/8\n");
	CU_ASSERT_EQUAL(marks[1].match.scheduler[0], '\0');
	rules_are(HEAD "  - { match: { local-port: 22, role: server }, mark: 1 }\n" LAST,
		  "rule 1: mark 1 (0x1) for local-port 22, role server\n");
}

static void test_default_rule(void)
{
	rules_are(HEAD "  - { mark: 3 }\n", "default rule: mark 3 (0x3)\n");
	/* What a rule leaves out it has from this one. */
	rules_are(HEAD "  - { match: { port: 1 } }\n"
		       "  - { match: { port: 2 }, mark: 0 }\n"
		       "  - { match: { port: 3 } }\n"
		       "  - { mark: 3 }\n",
		  "rule 1: mark 3 (0x3) for port 1\nrule 2: no mark for port 2\n"
		  "default rule: mark 3 (0x3)\n");
}

static int make(const char *yaml, size_t *nr, struct pm_plan *plan, struct error *e)
{
	_cleanup_(policy_free) struct policy *p = NULL;
	struct policy_diagnostics d;

	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", yaml, strlen(yaml), &p, &d), 0);
	return pm_marks_make(p, marks, nr, plan, e);
}

static void test_most(void)
{
	static const char yaml[] = HEAD "  - { match: { port: " CROWD ", uid: 1 }, mark: 1 }\n"
					"  - { match: { port: " CROWD ", uid: 2 }, mark: 1 }\n"
					"  - { match: { port: " CROWD ", uid: 3 }, mark: 1 }\n"
					"  - { match: { port: " CROWD ", uid: 4 }, mark: 1 }\n"
					"  - { mark: 2 }\n";
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	struct error e = { 0 };
	size_t nr;

	CU_ASSERT_EQUAL(make(yaml, &nr, &plan, &e), 0);
	CU_ASSERT_EQUAL_FATAL(nr, MPTCP_MARKS_MAX);
	CU_ASSERT_EQUAL(marks[nr - 1].mark, 2);
	CU_ASSERT_EQUAL(marks[nr - 2].match.remote_port_last, 16);
}

static void test_absent(void)
{
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	struct error e = { 0 };
	size_t nr;
	int err = make(HEAD "  - { match: { uid: no-such-user-here }, mark: 1 }\n", &nr, &plan, &e);

	CU_ASSERT_EQUAL(err, -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "rule 1 (line 4): there is no user \"no-such-user-here\"");
	err = make(HEAD "  - { match: { cgroup: /no/such/group }, mark: 1 }\n"
			"  - { match: { port: 1 }, mark: 2 }\n",
		   &nr, &plan, &e);
	/* without cgroup v2 there is no telling */
	if (err == -EOPNOTSUPP)
		return;
	CU_ASSERT_EQUAL(err, 0);
	CU_ASSERT_EQUAL_FATAL(nr, 1);
	CU_ASSERT_EQUAL(marks[0].match.rule, 2);
	CU_ASSERT_EQUAL_FATAL(plan.nr_notices, 1);
	CU_ASSERT_STRING_EQUAL(plan.notices[0].text,
			       "rule 1: there is no cgroup /no/such/group; apply again later");
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

#define LATE                                                                                       \
	"\"local-port\" of a connection made here is not known yet when its \"mark\" is set (add " \
	"\"role: server\")"
#define TWO                                                                                        \
	"\"mark\" lets routing rules choose the first path, \"ips\" in \"establish\" chooses it, " \
	"too (leave one of them out)"

static void test_mistakes(void)
{
	mistake_is(HEAD "  - { mark: 4294967296 }\n",
		   "4:13: \"mark\" must be an integer from 0 to 4294967295, not \"4294967296\" ()");
	mistake_is(HEAD "  - { mark: 0x10 }\n",
		   "4:13: \"mark\" must be an integer from 0 to 4294967295, not \"0x10\" ()");
	mistake_is(HEAD "  - { mark: [1] }\n",
		   "4:13: \"mark\" must be an integer from 0 to 4294967295, not a list ()");
	mistake_is(
		HEAD "  - { mptcpify: on, mark: 1 }\n",
		"4:27: \"mark\" is for connections, \"mptcpify\" for programs (make two rules of "
		"it)");
	mistake_is(HEAD "  - { match: { executable: x }, mark: 1 }\n",
		   "4:28: \"executable\" is only for rules with \"mptcpify\" (use \"cgroup\" or "
		   "\"uid\")");
	mistake_is(HEAD "  - { match: { local-port: 7 }, mark: 1 }\n", "4:28: " LATE);
	mistake_is(HEAD "  - { match: { role: client, local-port: 7 }, mark: 1 }\n", "4:42: " LATE);
	/* Without a mark itself, but one cannot tell whether the next rule counts. */
	mistake_is(HEAD "  - { match: { local-port: 7 } }\n"
			"  - { match: { port: 1 }, mark: 1 }\n",
		   "4:28: " LATE);
	mistake_is(HEAD "  - { match: { port: 1 }, mark: 1 }\nestablish: { robe: [ips] }\n",
		   "4:33: " TWO);
	mistake_is(HEAD "  - { mark: 1 }\nestablish: { robe: [ips, timer] }\n", "4:13: " TWO);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("marks", NULL, NULL);
	CU_ADD_TEST(s, test_rules);
	CU_ADD_TEST(s, test_default_rule);
	CU_ADD_TEST(s, test_most);
	CU_ADD_TEST(s, test_absent);
	CU_ADD_TEST(s, test_mistakes);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
