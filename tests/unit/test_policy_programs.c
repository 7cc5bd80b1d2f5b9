// SPDX-License-Identifier: GPL-2.0-only
/* Rules with mptcpify: values and each mistake. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "policy/policy.h"
#include "util/cleanup.h"

#define RULES "version: 1\nname: t\nconnections:\n"
#define NR(a) (sizeof(a) / sizeof((a)[0]))

static void test_good(void)
{
	static const char text[] = RULES
		"  - { match: { cgroup: /a/b, uid: root, executable: curl }, mptcpify: on }\n"
		"  - { match: { port: 22 }, mode: interactive }\n"
		"  - { mptcpify: false }\n"
		"  - mode: aggregate\n";
	_cleanup_(policy_free) struct policy *p = NULL;
	struct policy_diagnostics d;

	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", text, strlen(text), &p, &d), 0);
	CU_ASSERT_EQUAL_FATAL(p->nr_programs, 2);
	CU_ASSERT_STRING_EQUAL(p->programs[0].cgroup, "/a/b");
	CU_ASSERT_STRING_EQUAL(p->programs[0].user, "root");
	CU_ASSERT_STRING_EQUAL(p->programs[0].executable, "curl");
	CU_ASSERT(p->programs[0].mptcpify && p->programs[0].number == 1);
	CU_ASSERT(!p->programs[1].mptcpify && !p->programs[1].executable);
	CU_ASSERT_EQUAL(p->programs[1].line, 6);
	/* They are no rules for connections, and no default rule either. */
	CU_ASSERT_EQUAL_FATAL(p->nr_rules, 1);
	CU_ASSERT_EQUAL(p->rules[0].number, 2);
	CU_ASSERT_EQUAL(p->mode, POLICY_MODE_AGGREGATE);
}

static void test_errors(void)
{
	static const struct {
		const char *text;
		unsigned int line, column;
		const char *message;
	} rows[] = {
		{ RULES "  - { mptcpify: maybe }\n", 4, 17,
		  "\"mptcpify\" must be true or false, not \"maybe\"" },
		{ RULES "  - { match: { executable: /bin/x }, mptcpify: on }\n", 4, 28,
		  "\"executable\" must be the name of a file without its folder, not \"/bin/x\"" },
		{ RULES "  - { match: { executable: x } }\n", 4, 28,
		  "\"executable\" is only for rules with \"mptcpify\"" },
		{ RULES "  - { match: { uid: 3, port: 4 }, mptcpify: on }\n", 4, 30,
		  "\"port\" is not known yet when \"mptcpify\" decides" },
		{ RULES "  - { match: { role: server }, mptcpify: on }\n", 4, 22,
		  "\"role\" is not known yet when \"mptcpify\" decides" },
		{ RULES "  - { mptcpify: off, mode: handover }\n", 4, 28,
		  "\"mode\" is for connections, \"mptcpify\" for programs" },
		{ RULES "  - { mptcpify: on, scheduler: x }\n", 4, 32,
		  "\"scheduler\" is for connections, \"mptcpify\" for programs" },
		{ RULES "  - { mptcpify: on }\n  - { match: { uid: 1 }, mptcpify: off }\n", 5, 5,
		  "the rule can never match: the one on line 4 takes every program it is for" },
		{ RULES "  - { match: { uid: 1, executable: a }, mptcpify: on }\n"
			"  - { match: { executable: a, uid: 1 }, mptcpify: off }\n",
		  5, 5,
		  "the rule can never match: the one on line 4 takes every program it is for" },
	};

	for (size_t i = 0; i < NR(rows); i++) {
		struct policy_diagnostics d;
		struct policy *p = NULL;

		CU_ASSERT_EQUAL(policy_parse("t.yaml", rows[i].text, strlen(rows[i].text), &p, &d),
				-EINVAL);
		CU_ASSERT_EQUAL(d.total, 1);
		CU_ASSERT_EQUAL(d.items[0].line, rows[i].line);
		CU_ASSERT_EQUAL(d.items[0].column, rows[i].column);
		CU_ASSERT_STRING_EQUAL(d.items[0].text, rows[i].message);
		policy_diagnostics_clear(&d);
		policy_free(&p);
	}
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("policy programs", NULL, NULL);
	CU_ADD_TEST(s, test_good);
	CU_ADD_TEST(s, test_errors);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
