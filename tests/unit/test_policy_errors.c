// SPDX-License-Identifier: GPL-2.0-only
/* What a wrong policy gets: line, column, text and hint of each mistake. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "policy/policy.h"
#include "util/cleanup.h"

#define HEAD  "version: 1\nname: t\n"
#define RULES HEAD "scheduler: s\nconnections:\n"
#define PATHS HEAD "paths:\n  - name: a\n"

struct mistake {
	const char *yaml;
	unsigned int line, column;
	const char *text, *hint; /* the hint may be NULL: not looked at */
};

static const struct mistake mistakes[] = {
	{ "", 1, 1, "the file is empty", "start with \"version: 1\"" },
	{ "# only a comment\n", 1, 1, "the file is empty", NULL },
	{ "- a\n", 1, 1, "\"the policy\" must be a mapping, not a list", NULL },
	{ "name: t\n", 1, 1, "\"version\" is missing in the policy", NULL },
	{ "version: 1\n", 1, 1, "\"name\" is missing in the policy", NULL },
	{ "version: 2\nname: t\n", 1, 10, "version 2 is not supported",
	  "this program knows version 1" },
	{ "version: x\nname: t\n", 1, 10, "\"version\" must be an integer from 1 to 1, not \"x\"",
	  NULL },
	{ HEAD "pahts: 1\n", 3, 1, "unknown key \"pahts\"", "did you mean \"paths\"?" },
	{ HEAD "limits: { zzz: 1 }\n", 3, 11, "unknown key \"zzz\"",
	  "valid keys: subflows, add-addr-accepted" },
	{ HEAD "name: u\n", 3, 1, "duplicate key \"name\"", "it is first set on line 2" },
	{ HEAD "paths:\n", 3, 1, "\"paths\" has no value", NULL },
	{ HEAD "paths: []\n", 3, 8, "\"paths\" is empty", NULL },
	{ HEAD "paths: wifi\n", 3, 8, "\"paths\" must be a list, not \"wifi\"", NULL },
	{ HEAD "paths: [ wifi ]\n", 3, 10, "\"a path\" must be a mapping, not \"wifi\"", NULL },
	{ HEAD "[a]: 1\n", 3, 1, "a key must be a word", NULL },
	{ HEAD "observe: { log: loud }\n", 3, 17, "\"log\" cannot be \"loud\"",
	  "valid values: info, error, warning, debug" },
	{ HEAD "observe: { logs: info }\n", 3, 12, "unknown key \"logs\"",
	  "did you mean \"log\"?" },
	{ HEAD "observe: debug\n", 3, 10, "\"observe\" must be a mapping, not \"debug\"", NULL },
	{ HEAD "fallback: maybe\n", 3, 11, "\"fallback\" cannot be \"maybe\"",
	  "valid values: deny, allow" },
	{ HEAD "fallback: [allow]\n", 3, 11, "\"fallback\" cannot be a list", NULL },
	{ HEAD "scheduler: Min RTT\n", 3, 12,
	  "\"scheduler\" must be 1 to 15 of a-z, 0-9, \"_\" and \"-\", not \"Min RTT\"", NULL },
	{ HEAD "scheduler: sixteen-letters-\n", 3, 12,
	  "\"scheduler\" must be 1 to 15 of a-z, 0-9, \"_\" and \"-\", not \"sixteen-letters-\"",
	  NULL },
	{ HEAD "scheduler: { knobs: { a: 1 } }\n", 3, 12, "\"name\" is missing in scheduler",
	  NULL },
	{ HEAD "scheduler: { name: s, knobs: { a: -1 } }\n", 3, 35,
	  "\"a\" must be an integer from 0 to 18446744073709551615, not \"-1\"", NULL },
	{ HEAD "scheduler: { name: s, knobs: { a: 18446744073709551616 } }\n", 3, 35,
	  "\"a\" must be an integer from 0 to 18446744073709551615, not \"18446744073709551616\"",
	  NULL },
	{ HEAD "scheduler: { name: s, knobs: { a-b: 1 } }\n", 3, 32,
	  "\"a knob's name\" must be a name of letters, digits and \"_\", not \"a-b\"", NULL },
	{ HEAD "connections:\n  - mode: handover\n  - mode: aggregate\n", 5, 5,
	  "the rule can never match: the one on line 4 has no \"match\" and takes every "
	  "connection",
	  "put the rule on line 4 last" },
	{ HEAD "connections:\n  - { match: { port: 22 }, scheduler: a }\n", 4, 5,
	  "rules for some connections need a BPF scheduler for the others",
	  "add a last rule without \"match\", with \"scheduler: NAME\"" },
	{ HEAD "scheduler: default\nconnections:\n  - { match: { port: 22 }, scheduler: a }\n", 5,
	  5, "rules for some connections need a BPF scheduler for the others", NULL },
	{ RULES "  - { match: { port: 0 } }\n", 5, 22,
	  "\"port\" must be an integer from 1 to 65535, not \"0\"", NULL },
	{ RULES "  - { match: { port: 70000 } }\n", 5, 22,
	  "\"port\" must be an integer from 1 to 65535, not \"70000\"", NULL },
	{ RULES "  - { match: { port: 90-80 } }\n", 5, 22, "\"90-80\" is no range of ports",
	  "ports are 1 to 65535, the lower one first" },
	{ RULES "  - { match: { port: 1-65536 } }\n", 5, 22, "\"1-65536\" is no range of ports",
	  NULL },
	{ RULES "  - { match: { local-port: [80, http] } }\n", 5, 33,
	  "\"local-port\" must be a port, a range such as 8000-8010, or a list of them, not "
	  "\"http\"",
	  NULL },
	{ RULES "  - { match: { port: [] } }\n", 5, 22, "\"port\" is empty", NULL },
	{ RULES "  - { match: { port: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17] } }\n", 5, 62,
	  "\"port\" has more than 16 entries", NULL },
	{ RULES "  - { match: { uid: 4294967295 } }\n", 5, 21,
	  "\"uid\" must be an integer from 0 to 4294967294, not \"4294967295\"", NULL },
	{ RULES "  - { match: { uid: a b } }\n", 5, 21,
	  "\"uid\" must be a number or the name of a user, not \"a b\"", NULL },
	{ RULES "  - { match: { cgroup: user.slice } }\n", 5, 24,
	  "\"cgroup\" must be a path that starts with \"/\", as in /proc/PID/cgroup, not "
	  "\"user.slice\"",
	  NULL },
	{ RULES "  - { match: { cgroup: /a/../b } }\n", 5, 24,
	  "\"cgroup\" must be a path that starts with \"/\", as in /proc/PID/cgroup, not "
	  "\"/a/../b\"",
	  NULL },
	{ RULES "  - { match: { prefix: 10.0.0.1/8 } }\n", 5, 24,
	  "\"10.0.0.1/8\" has bits set beyond its prefix", "did you mean 10.0.0.0/8?" },
	{ RULES "  - { match: { prefix: \"fd00::1/64\" } }\n", 5, 24,
	  "\"fd00::1/64\" has bits set beyond its prefix", "did you mean fd00::/64?" },
	{ RULES "  - { match: { prefix: 10.0.0.0/33 } }\n", 5, 24,
	  "\"prefix\" must be an address or a prefix such as 10.0.0.0/8, not \"10.0.0.0/33\"",
	  NULL },
	{ RULES "  - { match: { prefix: 10.0.0 } }\n", 5, 24,
	  "\"prefix\" must be an address or a prefix such as 10.0.0.0/8, not \"10.0.0\"", NULL },
	{ RULES "  - { match: { role: sever } }\n", 5, 22, "\"role\" cannot be \"sever\"",
	  "did you mean \"server\"?" },
	{ RULES "  - { match: { ports: 1 } }\n", 5, 16, "unknown key \"ports\"",
	  "did you mean \"port\"?" },
	{ RULES "  - match: {}\n", 5, 12, "\"match\" is empty", NULL },
	{ RULES "  - { match: { port: 1 } }\n  - { match: { port: [1] }, scheduler: b }\n", 6, 14,
	  "the rule can never match: the one on line 5 has the same conditions", NULL },
	{ RULES "  - { match: { port: 1 }, scheduler: { name: s, knobs: { k: 1 } } }\n", 5, 5,
	  "scheduler \"s\" is used with different knobs", "write the same knobs at each place" },
	{ RULES "  - match:\n      port: [1, 2, 3, 4, 5, 6, 7, 8]\n"
		"      local-port: [1, 2, 3, 4, 5, 6, 7, 8]\n  - match: { port: 9 }\n",
	  8, 5, "too many rules: with each listed port counted they are more than 64",
	  "use ranges of ports" },
	{ HEAD "connections:\n  - mode: hand-over\n", 4, 11, "there is no mode \"hand-over\"",
	  "did you mean \"handover\"?" },
	{ HEAD "limits: { subflows: 65 }\n", 3, 21,
	  "\"subflows\" must be an integer from 0 to 64, not \"65\"", NULL },
	{ HEAD "limits: { subflows: 010 }\n", 3, 21, "\"subflows\" must be a decimal integer",
	  NULL },
	{ HEAD "limits: { subflows: 0x10 }\n", 3, 21,
	  "\"subflows\" must be an integer from 0 to 64, not \"0x10\"", NULL },
	{ HEAD "limits: { subflows: \"4\" }\n", 3, 21,
	  "\"subflows\" must be an integer from 0 to 64, not \"4\"", "write it without quotes" },
	{ HEAD "limits: { subflows: 0 }\nconnections: [ { mode: aggregate } ]\n", 3, 21,
	  "mode \"aggregate\" cannot use a second path with no extra subflow", NULL },
	{ PATHS "    cost: 0\n", 5, 11, "\"cost\" must be an integer from 1 to 1000000, not \"0\"",
	  NULL },
	{ PATHS "    metered: True!\n", 5, 14, "\"metered\" must be true or false, not \"True!\"",
	  NULL },
	{ PATHS "    trust: hihg\n", 5, 12, "\"trust\" cannot be \"hihg\"",
	  "did you mean \"high\"?" },
	{ PATHS "    match: { interface: averyverylongname0 }\n", 5, 25,
	  "no interface can be called \"averyverylongname0\"", NULL },
	{ PATHS "    match: { interface: \"wl[ab\" }\n", 5, 25, "\"wl[ab\" has \"[\" without \"]\"",
	  NULL },
	{ PATHS "    match: { interface: \"a/b\" }\n", 5, 25,
	  "\"interface\" must be an interface name or a pattern such as \"wl*\", not \"a/b\"",
	  NULL },
	{ PATHS "    endpoint: []\n", 5, 15, "\"endpoint\" is empty", NULL },
	{ PATHS "    endpoint: [signal, signal]\n", 5, 24,
	  "\"signal\" stands twice in \"endpoint\"", NULL },
	{ PATHS "    endpoint: [signal, fullmesh]\n", 5, 15,
	  "\"signal\" and \"fullmesh\" cannot be combined", NULL },
	{ PATHS "    endpoint: [fullmesh]\n", 5, 15,
	  "\"fullmesh\" does nothing without \"subflow\"", NULL },
	{ PATHS "    backup: true\n", 5, 13,
	  "every path is a backup: nothing would be left to use first", NULL },
	{ HEAD "paths:\n  - { name: a, match: { type: wifi } }\n  - { name: a }\n", 5, 13,
	  "there is already a path called \"a\"", "the first one stands on line 4" },
	{ PATHS "  - { name: b, match: { type: wifi } }\n", 5, 23,
	  "path \"b\" can never match: path \"a\" on line 4 takes all of its interfaces", NULL },
	{ HEAD "paths:\n  - { name: a, match: { interface: \"w*\" } }\n"
	       "  - { name: b, match: { interface: \"wl*\", type: wifi } }\n",
	  5, 23, "path \"b\" can never match: path \"a\" on line 4 takes all of its interfaces",
	  NULL },
	{ HEAD "paths: *x\n", 3, 8, "YAML aliases are not supported", NULL },
	{ "version: 1\nname: !!str t\n", 2, 7, "YAML tags are not supported", NULL },
	{ HEAD "---\n" HEAD, 3, 1, "a second YAML document starts here", NULL },
	{ HEAD "\tpaths: 1\n", 3, 1, "YAML: found a tab character that violates indentation",
	  "indent with spaces: YAML does not take tabs" },
	{ "version: 1\nname: \"a\\0b\"\n", 2, 7, "a value contains a NUL character", NULL },
	{ "version: 1\nname: \xff\n", 2, 7, "the file is not UTF-8", "save it as UTF-8" },
	{ "\xc3\xa9: 1\nversion: 1\nname: \xe2\x82\xac\xff\n", 3, 8, "the file is not UTF-8",
	  NULL },
	{ HEAD "a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", 3, 19, "nested more than 16 levels deep",
	  NULL },
};

static void test_mistakes(void)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *m = &mistakes[i];
		struct policy_diagnostics d;
		struct policy *p = NULL;
		int rc = policy_parse("t.yaml", m->yaml, strlen(m->yaml), &p, &d);
		const struct policy_diagnostic *item = &d.items[0];
		bool good = rc == -EINVAL && !p && d.total == 1 && item->line == m->line &&
			    item->column == m->column && !strcmp(item->text, m->text) &&
			    (!m->hint || !strcmp(item->hint, m->hint)) && item->source;

		CU_ASSERT_TRUE(good);
		if (!good) {
			printf("\nexpected %u:%u %s (%s), total 1, for:\n%s\ngot %zu:\n", m->line,
			       m->column, m->text, m->hint ? m->hint : "any", m->yaml, d.total);
			policy_diagnostics_print(stdout, "t.yaml", &d, false);
		}
		policy_diagnostics_clear(&d);
		policy_free(&p);
	}
}

static void test_nul_byte(void)
{
	static const char text[] = "version: 1\nna\0me: t\n";
	struct policy_diagnostics d;
	struct policy *p = NULL;

	CU_ASSERT_EQUAL(policy_parse("t", text, sizeof(text) - 1, &p, &d), -EINVAL);
	CU_ASSERT_STRING_EQUAL(d.items[0].text, "the file contains a NUL byte");
	CU_ASSERT_EQUAL(d.items[0].line, 2);
	CU_ASSERT_EQUAL(d.items[0].column, 3);
	policy_diagnostics_clear(&d);
}

static void test_all_at_once(void)
{
	char text[4096] = HEAD;
	struct policy_diagnostics d;
	struct policy *p = NULL;

	for (int i = 0; i < 30; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "key%d: 1\n", i);
	CU_ASSERT_EQUAL(policy_parse("t", text, strlen(text), &p, &d), -EINVAL);
	CU_ASSERT_EQUAL(d.total, 30);
	CU_ASSERT_EQUAL(d.nr, POLICY_DIAGNOSTICS_MAX);
	for (size_t i = 0; i < d.nr; i++)
		CU_ASSERT_EQUAL(d.items[i].line, 3 + i);
	policy_diagnostics_clear(&d);
	CU_ASSERT_EQUAL(d.nr, 0);
	policy_diagnostics_clear(&d);
}

/* Paths that differ are not taken for ones that hide each other. */
static void test_no_false_alarm(void)
{
	static const char *const paths[][2] = {
		{ "interface: \"wl?\"", "interface: \"wl*\"" },
		{ "interface: \"*b*\"", "interface: \"w[ab]\"" },
		{ "type: wifi", "interface: \"wl*\"" },
		{ "interface: wlan0", "interface: wlan1" },
		{ "interface: wlan0", "type: any" },
		{ "interface: \"*\", type: wifi", "type: cellular" },
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct policy_diagnostics d;
		struct policy *p = NULL;
		char text[256];

		snprintf(text, sizeof(text),
			 HEAD "paths:\n  - { name: a, match: { %s } }\n"
			      "  - { name: b, match: { %s } }\n",
			 paths[i][0], paths[i][1]);
		CU_ASSERT_EQUAL(policy_parse("t", text, strlen(text), &p, &d), 0);
		CU_ASSERT_EQUAL(d.total, 0);
		policy_diagnostics_clear(&d);
		policy_free(&p);
	}
}

static void test_print(void)
{
	static const char text[] = HEAD "\"\xc3\xa9\\e[31m\": { nam: 1 }\n";
	_cleanup_free_ char *printed = NULL;
	struct policy_diagnostics d;
	struct policy *p = NULL;
	size_t size;
	FILE *f = open_memstream(&printed, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(policy_parse("f.yaml", text, strlen(text), &p, &d), -EINVAL);
	policy_diagnostics_print(f, "f.yaml", &d, false);
	fclose(f);
	CU_ASSERT_STRING_EQUAL(
		printed, "f.yaml:3:1: error: unknown key \"\xc3\xa9?[31m\"\n"
			 "    \"\xc3\xa9\\e[31m\": { nam: 1 }\n"
			 "    ^\n"
			 "    valid keys: version, name, fallback, scheduler, paths, connections, "
			 "modes, engine, caps, limits, guard, reset, nat64, establish, "
			 "tfo, observe\n");
	policy_diagnostics_clear(&d);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "table of mistakes", test_mistakes }, { "NUL byte", test_nul_byte },
		{ "all at once", test_all_at_once },	{ "no false alarm", test_no_false_alarm },
		{ "printed form", test_print },		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "policy errors", NULL, NULL, NULL, NULL, tests },
				  CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
