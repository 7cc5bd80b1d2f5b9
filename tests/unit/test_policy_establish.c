// SPDX-License-Identifier: GPL-2.0-only
/* The section `establish` of a policy: defaults, every key, each mistake with its place. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "policy/policy.h"
#include "util/cleanup.h"

#define HEAD "version: 1\nname: t\n"
#define AT   HEAD "establish: "

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
	CU_ASSERT_EQUAL(p->establish.robe, 0);
	CU_ASSERT_FALSE(p->establish.has_syn_retries);
	CU_ASSERT_EQUAL(p->establish.nr_idempotent, 0);
}

static void test_defaults(void)
{
	_cleanup_(policy_free) struct policy *p = parse(AT "{ robe: [ips, timer] }\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->establish.robe, POLICY_ROBE_IPS | POLICY_ROBE_TIMER);
	CU_ASSERT_EQUAL(p->establish.timer_ms, 250);
	CU_ASSERT_EQUAL(p->establish.learn_ttl_ms, 604800000);
	CU_ASSERT_EQUAL(p->establish.explore_ppm, 20000);
	CU_ASSERT_FALSE(p->establish.has_syn_retries);
}

static void test_every_key(void)
{
	_cleanup_(policy_free) struct policy *p =
		parse(AT "\n"
			 "  robe: [sim, ips]\n"
			 "  timer: 1s\n"
			 "  learn: { ttl: 12h, explore: 0.5% }\n"
			 "  fallback-syn-retries: 0\n"
			 "  idempotent:\n"
			 "    - { prefix: 10.0.0.0/8, port: [80, 8000-8010] }\n"
			 "    - prefix: \"2001:db8::/32\"\n"
			 "    - port: 443\n");
	const struct policy_destination *d;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->establish.robe, POLICY_ROBE_IPS | POLICY_ROBE_SIM);
	CU_ASSERT_EQUAL(p->establish.timer_ms, 1000);
	CU_ASSERT_EQUAL(p->establish.learn_ttl_ms, 12 * 3600 * 1000);
	CU_ASSERT_EQUAL(p->establish.explore_ppm, 5000);
	CU_ASSERT_TRUE(p->establish.has_syn_retries);
	CU_ASSERT_EQUAL(p->establish.fallback_syn_retries, 0);
	CU_ASSERT_EQUAL_FATAL(p->establish.nr_idempotent, 3);
	d = p->establish.idempotent;
	CU_ASSERT_EQUAL(d[0].prefix.bits, 104);
	CU_ASSERT_EQUAL(d[0].prefix.address[12], 10);
	CU_ASSERT_EQUAL_FATAL(d[0].port.nr, 2);
	CU_ASSERT_EQUAL(d[0].port.ranges[1].last, 8010);
	CU_ASSERT_EQUAL(d[1].prefix.bits, 32);
	CU_ASSERT_EQUAL(d[1].port.nr, 0);
	CU_ASSERT_EQUAL(d[2].prefix.bits, 0);
	CU_ASSERT_EQUAL(d[2].port.ranges[0].first, 443);
}

static void test_off(void)
{
	static const char *const words[] = { "off", "no", "false" };

	for (size_t i = 0; i < 3; i++) {
		_cleanup_(policy_free) struct policy *p = NULL;
		char text[128];

		snprintf(text, sizeof(text), AT "{ robe: %s, fallback-syn-retries: 128 }\n",
			 words[i]);
		p = parse(text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL(p->establish.robe, 0);
		CU_ASSERT_EQUAL(p->establish.fallback_syn_retries, 128);
	}
}

static void test_mistakes(void)
{
	static const struct {
		const char *yaml;
		unsigned int line, column;
		const char *text, *hint;
	} cases[] = {
		{ AT "on\n", 3, 12, "\"establish\" must be a mapping, not \"on\"", NULL },
		{ AT "{ robe: ips }\n", 3, 20, "\"robe\" must be off or a list, not \"ips\"",
		  "write [word, word]" },
		{ AT "{ robe: \"off\" }\n", 3, 20, "\"robe\" must be off or a list, not \"off\"",
		  NULL },
		{ AT "{ robe: [] }\n", 3, 20, "\"robe\" is empty", NULL },
		{ AT "{ robe: [ips, ips] }\n", 3, 26, "\"ips\" stands twice in \"robe\"", NULL },
		{ AT "{ robe: [tmier] }\n", 3, 21, "\"robe\" cannot be \"tmier\"",
		  "did you mean \"timer\"?" },
		{ AT "{ robe: [timer, sim] }\n", 3, 20, "\"timer\" and \"sim\" exclude each other",
		  "keep one of them" },
		{ AT "{ robe: [timer], timer: 250 }\n", 3, 36,
		  "\"timer\" must be a time from 20ms to 3s, not \"250\"",
		  "add the unit: ms, s, min, h or d" },
		{ AT "{ robe: [timer], timer: 19ms }\n", 3, 36,
		  "\"timer\" must be a time from 20ms to 3s, not \"19ms\"", "" },
		{ AT "{ robe: [timer], timer: 1min }\n", 3, 36,
		  "\"timer\" must be a time from 20ms to 3s, not \"1min\"", "" },
		{ AT "{ robe: [timer], timer: [1s] }\n", 3, 36,
		  "\"timer\" must be a time from 20ms to 3s, not a list", "" },
		{ AT "{ robe: [ips], timer: 1s }\n", 3, 34,
		  "\"timer\" does nothing without timer or sim",
		  "add timer or sim to \"robe\" or leave it out" },
		{ AT "{ robe: [ips], idempotent: [ { port: 80 } ] }\n", 3, 39,
		  "\"idempotent\" does nothing without timer or sim", NULL },
		{ AT "{ robe: off, learn: { ttl: 1d } }\n", 3, 32,
		  "\"learn\" does nothing without ips", NULL },
		{ AT "{ robe: [ips], learn: { ttl: 0s } }\n", 3, 41,
		  "\"ttl\" must be a time from 1s to 365d, not \"0s\"", NULL },
		{ AT "{ robe: [ips], learn: { explore: 51% } }\n", 3, 45,
		  "\"explore\" must be a share from 0% to 50%, not \"51%\"", NULL },
		{ AT "{ robe: [ips], learn: { explore: 2 } }\n", 3, 45,
		  "\"explore\" must be a share from 0% to 50%, not \"2\"", "add the unit: %" },
		{ AT "{ fallback-syn-retries: 129 }\n", 3, 36,
		  "\"fallback-syn-retries\" must be an integer from 0 to 128, not \"129\"", NULL },
		{ AT "{ robe: [sim], idempotent: [ { prefix: 10.0.0.1/8 } ] }\n", 3, 51,
		  "\"10.0.0.1/8\" has bits set beyond its prefix", "did you mean 10.0.0.0/8?" },
		{ AT "{ robe: [sim], idempotent: [ { addr: 1 } ] }\n", 3, 43,
		  "unknown key \"addr\"", "valid keys: prefix, port" },
		{ AT "{ robe: [sim], idempotent: [ {} ] }\n", 3, 41, "\"a destination\" is empty",
		  NULL },
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

/* A mistake elsewhere hides none of these, and one of these hides no other. */
static void test_all_at_once(void)
{
	static const char text[] = HEAD
		"limits: { subflows: 65 }\n"
		"establish: { robe: [ips], timer: 1s, idempotent: [ { port: 1 } ] }\n";
	struct policy_diagnostics d;
	struct policy *p = NULL;

	CU_ASSERT_EQUAL(policy_parse("t.yaml", text, strlen(text), &p, &d), -EINVAL);
	CU_ASSERT_EQUAL(d.total, 3);
	policy_diagnostics_clear(&d);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "absent", test_absent },
		{ "defaults", test_defaults },
		{ "every key", test_every_key },
		{ "off", test_off },
		{ "mistakes", test_mistakes },
		{ "all at once", test_all_at_once },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "policy establish", NULL, NULL, NULL, NULL, tests },
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
