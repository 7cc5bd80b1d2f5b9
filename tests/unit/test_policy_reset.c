// SPDX-License-Identifier: GPL-2.0-only
/* The section `reset` of a policy: what holds without it, every key, each mistake with its place.
 */
#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "pm/engine_choose.h"
#include "policy/policy.h"
#include "util/cleanup.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))
#define HEAD  "version: 1\nname: t\npaths: [{ name: a }]\n"
#define AT    HEAD "reset: "
#define REACT AT "{ react: { "

static struct policy *parse(const char *text)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;

	if (policy_parse("t.yaml", text, strlen(text), &p, &d) < 0)
		policy_diagnostics_print(stdout, "t.yaml", &d, false);
	policy_diagnostics_clear(&d);
	return p;
}

static bool reacts(const struct policy *p, uint32_t reason, enum policy_retry retry,
		   uint64_t after_ms, bool as_backup, bool transient_only)
{
	const struct policy_reaction *r = policy_reset_reaction(p, reason);

	return r->retry == retry && (retry != POLICY_RETRY_AFTER || r->after_ms == after_ms) &&
	       r->as_backup == as_backup && r->transient_only == transient_only;
}

static void test_absent(void)
{
	_cleanup_(policy_free) struct policy *p = parse(HEAD);
	char why[PM_REASON_BYTES];

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_FALSE(p->reset.set || p->reset.emits);
	CU_ASSERT(reacts(p, POLICY_RESET_UNSPECIFIED, POLICY_RETRY_BACK_OFF, 0, false, true));
	CU_ASSERT(reacts(p, POLICY_RESET_MPTCP, POLICY_RETRY_BACK_OFF, 0, false, true));
	CU_ASSERT(reacts(p, POLICY_RESET_RESOURCES, POLICY_RETRY_AFTER, 30000, false, false));
	CU_ASSERT(reacts(p, POLICY_RESET_PROHIBITED, POLICY_RETRY_NEVER, 0, false, false));
	CU_ASSERT(reacts(p, POLICY_RESET_OUTSTANDING, POLICY_RETRY_ONCE, 0, false, false));
	CU_ASSERT(reacts(p, POLICY_RESET_PERFORMANCE, POLICY_RETRY_HOLD, 0, true, false));
	CU_ASSERT(reacts(p, POLICY_RESET_MIDDLEBOX, POLICY_RETRY_AFTER, 21600000, false, false));
	/* of a newer RFC */
	CU_ASSERT(reacts(p, 7, POLICY_RETRY_BACK_OFF, 0, false, true));
	CU_ASSERT_EQUAL(pm_engine_choose(p, why), POLICY_ENGINE_KERNEL);
}

static void test_every_key(void)
{
	_cleanup_(policy_free) struct policy *p =
		parse(AT "\n"
			 "  emit:\n"
			 "    unacceptable-performance: { transient: true }\n"
			 "    administratively-prohibited: { transient: no }\n"
			 "  react:\n"
			 "    unspecified: { retry: 30s }\n"
			 "    mptcp-specific-error: { retry: back-off, transient-only: true }\n"
			 "    lack-of-resources: { retry: 7d, as-backup: true }\n"
			 "    administratively-prohibited: { retry: once }\n"
			 "    too-much-outstanding-data: { retry: hold }\n"
			 "    unacceptable-performance: { retry: 100ms }\n"
			 "    middlebox-interference: { retry: never }\n");
	char why[PM_REASON_BYTES];

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT(p->reset.set && p->reset.emits);
	CU_ASSERT(p->reset.emit[POLICY_RESET_PERFORMANCE].set);
	CU_ASSERT(p->reset.emit[POLICY_RESET_PERFORMANCE].transient);
	CU_ASSERT(p->reset.emit[POLICY_RESET_PROHIBITED].set);
	CU_ASSERT_FALSE(p->reset.emit[POLICY_RESET_PROHIBITED].transient);
	CU_ASSERT_FALSE(p->reset.emit[POLICY_RESET_RESOURCES].set);
	/* Who says when means it with and without the T bit. */
	CU_ASSERT(reacts(p, POLICY_RESET_UNSPECIFIED, POLICY_RETRY_AFTER, 30000, false, false));
	CU_ASSERT(reacts(p, POLICY_RESET_MPTCP, POLICY_RETRY_BACK_OFF, 0, false, true));
	CU_ASSERT(reacts(p, POLICY_RESET_RESOURCES, POLICY_RETRY_AFTER, 604800000, true, false));
	CU_ASSERT(reacts(p, POLICY_RESET_PROHIBITED, POLICY_RETRY_ONCE, 0, false, false));
	CU_ASSERT(reacts(p, POLICY_RESET_OUTSTANDING, POLICY_RETRY_HOLD, 0, false, false));
	CU_ASSERT(reacts(p, POLICY_RESET_PERFORMANCE, POLICY_RETRY_AFTER, 100, true, false));
	CU_ASSERT(reacts(p, POLICY_RESET_MIDDLEBOX, POLICY_RETRY_NEVER, 0, false, false));
	CU_ASSERT(reacts(p, 7, POLICY_RETRY_AFTER, 30000, false, false));
	CU_ASSERT_EQUAL(pm_engine_choose(p, why), POLICY_ENGINE_USERSPACE);
}

/* What a reaction does not say is as without a policy. */
static void test_parts(void)
{
	_cleanup_(policy_free) struct policy *p =
		parse(REACT "unspecified: { as-backup: true }, "
			    "unacceptable-performance: { as-backup: no }, "
			    "lack-of-resources: { transient-only: yes } } }\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_FALSE(p->reset.emits);
	CU_ASSERT(reacts(p, POLICY_RESET_UNSPECIFIED, POLICY_RETRY_BACK_OFF, 0, true, true));
	CU_ASSERT(reacts(p, POLICY_RESET_PERFORMANCE, POLICY_RETRY_HOLD, 0, false, false));
	CU_ASSERT(reacts(p, POLICY_RESET_RESOURCES, POLICY_RETRY_AFTER, 30000, false, true));
}

static void test_names(void)
{
	enum policy_reset_reason reason;

	for (unsigned int i = 0; i < POLICY_RESET_REASONS; i++) {
		CU_ASSERT_EQUAL(policy_reset_parse(policy_reset_name(i), &reason), 0);
		CU_ASSERT_EQUAL(reason, i);
	}
	CU_ASSERT_PTR_NULL(policy_reset_name(POLICY_RESET_REASONS));
	CU_ASSERT_EQUAL(policy_reset_parse("lack", &reason), -EINVAL);
	CU_ASSERT_EQUAL(policy_reset_parse("", &reason), -EINVAL);
}

#define RETRY "\"retry\" must be "
#define TIMES "a time from 100ms to 7d"
#define WORDS "never, once, back-off, hold or " TIMES

static void test_mistakes(void)
{
	static const struct {
		const char *yaml;
		unsigned int line, column;
		const char *text, *hint;
	} cases[] = {
		{ AT "on\n", 4, 8, "\"reset\" must be a mapping, not \"on\"", NULL },
		{ AT "{}\n", 4, 8, "\"reset\" is empty", "leave the key out instead" },
		{ AT "{ emitt: {} }\n", 4, 10, "unknown key \"emitt\"", "did you mean \"emit\"?" },
		{ AT "{ emit: { unspecified: { transient: no } } }\n", 4, 18,
		  "subflows are not closed for this reason", NULL },
		{ AT "{ emit: { lack: { transient: no } } }\n", 4, 18, "unknown key \"lack\"",
		  NULL },
		{ AT "{ emit: { lack-of-resources: yes } }\n", 4, 37,
		  "\"lack-of-resources\" must be a mapping, not \"yes\"", NULL },
		{ AT "{ emit: { lack-of-resources: { transient: 1 } } }\n", 4, 50,
		  "\"transient\" must be true or false, not \"1\"", NULL },
		{ REACT "unspecified: { retry: now } } }\n", 4, 41, RETRY WORDS ", not \"now\"",
		  NULL },
		{ REACT "unspecified: { retry: 30 } } }\n", 4, 41, RETRY WORDS ", not \"30\"",
		  NULL },
		{ REACT "unspecified: { retry: 99ms } } }\n", 4, 41, RETRY TIMES ", not \"99ms\"",
		  NULL },
		{ REACT "unspecified: { retry: 8d } } }\n", 4, 41, RETRY TIMES ", not \"8d\"",
		  NULL },
		{ REACT "unspecified: { retry: [once] } } }\n", 4, 41, RETRY WORDS ", not a list",
		  NULL },
		{ REACT "unspecified: { retry: never, as-backup: true } } }\n", 4, 59,
		  "\"as-backup\" means nothing with retry \"never\"",
		  "give it another \"retry\", or leave it out" },
		{ REACT "administratively-prohibited: { transient-only: true } } }\n", 4, 66,
		  "\"transient-only\" means nothing with retry \"never\"",
		  "give it another \"retry\", or leave it out" },
		{ REACT "unspecified: { backup: true } } }\n", 4, 34, "unknown key \"backup\"",
		  NULL },
		{ REACT "performance: { retry: once } } }\n", 4, 19, "unknown key \"performance\"",
		  NULL },
		{ "version: 1\nname: t\nreset: { emit: { lack-of-resources: { transient: no } } }\n",
		  3, 16, "\"emit\" has nothing to drop: there are no paths",
		  "say which interfaces are meant, in \"paths\"" },
	};

	for (size_t i = 0; i < NR(cases); i++) {
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
		if (d.items[0].line != cases[i].line || d.items[0].column != cases[i].column ||
		    strcmp(d.items[0].text, cases[i].text) != 0)
			policy_diagnostics_print(stdout, "t.yaml", &d, false);
		policy_diagnostics_clear(&d);
	}
}

static void test_kernel_engine(void)
{
	_cleanup_(policy_free) struct policy *p = parse(
		HEAD "engine: kernel\nreset: { react: { lack-of-resources: { retry: once } } }\n");
	struct error e = { 0 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(pm_engine_check(p, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "what the policy asks: reset is about"));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "absent", test_absent },
		{ "every key", test_every_key },
		{ "a part of a reaction", test_parts },
		{ "names of reasons", test_names },
		{ "mistakes", test_mistakes },
		{ "engine kernel", test_kernel_engine },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "policy reset", NULL, NULL, NULL, NULL, tests },
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
