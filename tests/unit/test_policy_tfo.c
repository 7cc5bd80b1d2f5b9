// SPDX-License-Identifier: GPL-2.0-only
/* The section `tfo` of a policy: defaults, every key, each mistake with its place. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "policy/policy.h"
#include "util/cleanup.h"

#define HEAD  "version: 1\nname: t\n"
#define PATHS "paths: [ { name: a } ]\n"
#define AT    HEAD "tfo: "

static struct policy *parse(const char *text)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;

	if (policy_parse("t.yaml", text, strlen(text), &p, &d) < 0)
		policy_diagnostics_print(stdout, "t.yaml", &d, false);
	policy_diagnostics_clear(&d);
	return p;
}

static void test_absent(void)
{
	_cleanup_(policy_free) struct policy *p = parse(HEAD);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->tfo.client, POLICY_UNSET);
	CU_ASSERT_EQUAL(p->tfo.server, POLICY_TFO_SERVER_UNSET);
	CU_ASSERT_EQUAL(p->tfo.nr_to, 0);
	CU_ASSERT_EQUAL(p->tfo.blackhole_ms, 0);
}

static void test_defaults(void)
{
	_cleanup_(policy_free) struct policy *p = parse(AT "{ client: on }\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->tfo.client, POLICY_YES);
	CU_ASSERT_EQUAL(p->tfo.server, POLICY_TFO_SERVER_UNSET);
	CU_ASSERT_EQUAL(p->tfo.no_cookie, 0);
	CU_ASSERT_EQUAL(p->tfo.nr_to, 0);
	CU_ASSERT_EQUAL(p->tfo.blackhole_ms, 3600000);
}

static void test_every_key(void)
{
	_cleanup_(policy_free) struct policy *p =
		parse(HEAD PATHS "tfo:\n"
				 "  client: on\n"
				 "  to:\n"
				 "    - { prefix: 10.0.0.0/8, port: [80, 8000-8010] }\n"
				 "    - port: 443\n"
				 "  server: all\n"
				 "  no-cookie: [server]\n"
				 "  blackhole: 0s\n");
	const struct policy_tfo *t;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	t = &p->tfo;
	CU_ASSERT_EQUAL(t->server, POLICY_TFO_SERVER_ALL);
	CU_ASSERT_EQUAL(t->no_cookie, POLICY_TFO_NO_COOKIE_SERVER);
	CU_ASSERT_EQUAL(t->blackhole_ms, 0);
	CU_ASSERT_EQUAL_FATAL(t->nr_to, 2);
	CU_ASSERT_EQUAL(t->to[0].prefix.bits, 104);
	CU_ASSERT_EQUAL(t->to[0].port.nr, 2);
	CU_ASSERT_EQUAL(t->to[0].port.ranges[1].last, 8010);
	CU_ASSERT_EQUAL(t->to[1].prefix.bits, 0);
	CU_ASSERT_EQUAL(t->to[1].port.ranges[0].first, 443);
}

static void test_off(void)
{
	_cleanup_(policy_free) struct policy *p =
		parse(AT "{ client: off, server: off, no-cookie: off }\n");
	_cleanup_(policy_free) struct policy *both =
		parse(AT "{ client: on, server: all, no-cookie: [server, client] }\n");
	_cleanup_(policy_free) struct policy *asked = parse(AT "{ server: asked }\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->tfo.client, POLICY_NO);
	CU_ASSERT_EQUAL(p->tfo.server, POLICY_TFO_SERVER_OFF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(both);
	CU_ASSERT_EQUAL(both->tfo.no_cookie,
			POLICY_TFO_NO_COOKIE_CLIENT | POLICY_TFO_NO_COOKIE_SERVER);
	CU_ASSERT_PTR_NOT_NULL_FATAL(asked);
	CU_ASSERT_EQUAL(asked->tfo.server, POLICY_TFO_SERVER_ASKED);
}

static void test_mistakes(void)
{
	static const struct {
		const char *yaml;
		unsigned int line, column;
		const char *text, *hint;
	} cases[] = {
		{ AT "on\n", 3, 6, "\"tfo\" must be a mapping, not \"on\"", NULL },
		{ AT "{}\n", 3, 6, "\"tfo\" is empty", NULL },
		{ AT "{ client: maybe }\n", 3, 16,
		  "\"client\" must be true or false, not \"maybe\"", NULL },
		{ AT "{ server: alll }\n", 3, 16, "\"server\" cannot be \"alll\"",
		  "did you mean \"all\"?" },
		{ AT "{ server: on }\n", 3, 16, "\"server\" cannot be \"on\"", NULL },
		{ AT "{ cleint: on }\n", 3, 8, "unknown key \"cleint\"",
		  "did you mean \"client\"?" },
		{ AT "{ server: all, no-cookie: server }\n", 3, 32,
		  "\"no-cookie\" must be off or a list, not \"server\"", "write [word, word]" },
		{ AT "{ server: all, no-cookie: [peer] }\n", 3, 33,
		  "\"no-cookie\" cannot be \"peer\"", NULL },
		{ AT "{ server: all, no-cookie: [client] }\n", 3, 32,
		  "\"no-cookie: [client]\" does nothing without \"client: on\"",
		  "add it or leave this out" },
		{ AT "{ client: on, no-cookie: [server] }\n", 3, 31,
		  "\"no-cookie: [server]\" does nothing without \"server: asked or all\"", NULL },
		{ AT "{ client: off, blackhole: 1h }\n", 3, 32,
		  "\"blackhole\" does nothing without \"client: on\"", NULL },
		{ AT "{ client: on, blackhole: off }\n", 3, 31,
		  "\"blackhole\" must be a time from 0ms to 365d, not \"off\"", NULL },
		{ AT "{ server: all, to: [ { port: 80 } ] }\n", 3, 25,
		  "\"to\" does nothing without \"client: on\"", NULL },
		{ AT "{ client: on, to: [ { port: 80 } ] }\n", 3, 24,
		  "\"to\" has nowhere to be looked after: there are no paths",
		  "say which interfaces are meant, in \"paths\"" },
		{ HEAD PATHS "tfo: { client: on, no-cookie: [client], to: [ { port: 80 } ] }\n", 4,
		  31, "\"no-cookie: [client]\" is for all destinations, \"to\" lists some", NULL },
		{ AT "{ client: on, to: [ { port: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16] },"
		     " { port: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16] },"
		     " { port: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16] },"
		     " { port: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16] }, { port: 1 } ] }\n",
		  3, 24, "\"to\" has 65 destinations and ranges of ports, 64 are possible", NULL },
		{ AT "{ client: on, to: [ {} ] }\n", 3, 26, "\"a destination\" is empty", NULL },
		{ AT "{ client: on, to: [ { prefix: 10.0.0.1/8 } ] }\n", 3, 36,
		  "\"10.0.0.1/8\" has bits set beyond its prefix", "did you mean 10.0.0.0/8?" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_diagnostics d;
		struct policy *p = NULL;

		CU_ASSERT_EQUAL(policy_parse("t.yaml", cases[i].yaml, strlen(cases[i].yaml), &p,
					     &d),
				-EINVAL);
		CU_ASSERT_EQUAL_FATAL(d.nr, 1);
		CU_ASSERT_EQUAL(d.items[0].line, cases[i].line);
		CU_ASSERT_EQUAL(d.items[0].column, cases[i].column);
		CU_ASSERT_STRING_EQUAL(d.items[0].text, cases[i].text);
		if (cases[i].hint)
			CU_ASSERT_STRING_EQUAL(d.items[0].hint, cases[i].hint);
		policy_diagnostics_clear(&d);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "absent", test_absent },	 { "defaults", test_defaults },
		{ "every key", test_every_key }, { "off", test_off },
		{ "mistakes", test_mistakes },	 CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "policy tfo", NULL, NULL, NULL, NULL, tests },
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
