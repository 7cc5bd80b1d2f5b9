// SPDX-License-Identifier: GPL-2.0-only
/* Which engine policies get, why, and what the kernel's is refused for. */
#include "pm/engine_choose.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

#define HEAD  "version: 1\nname: t\n"
#define PATHS "paths: [ { name: a, match: { type: wifi } }, { name: b } ]\n"
#define RULES HEAD PATHS "connections:\n"

static struct policy *parse(const char *text)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;

	if (policy_parse("t", text, strlen(text), &p, &d) < 0)
		policy_diagnostics_print(stdout, "t", &d, false);
	policy_diagnostics_clear(&d);
	return p;
}

static const struct {
	const char *text;
	enum policy_engine engine;
	const char *reason;
	const char *refused; /* with `engine: kernel`; NULL: not */
} cases[] = {
	{ HEAD, POLICY_ENGINE_KERNEL, "endpoints can do mode handover", NULL },
	{ RULES "  - mode: aggregate\n", POLICY_ENGINE_KERNEL, "endpoints can do mode aggregate",
	  NULL },
	{ RULES "  - mode: active-standby\n", POLICY_ENGINE_KERNEL,
	  "endpoints can do mode active-standby", NULL },
	{ RULES "  - mode: load-balance\n", POLICY_ENGINE_KERNEL,
	  "endpoints can do mode load-balance", NULL },
	{ RULES "  - mode: redundant\n", POLICY_ENGINE_KERNEL, "endpoints can do mode redundant",
	  NULL },
	{ RULES "  - mode: cheapest\n", POLICY_ENGINE_KERNEL, "endpoints can do mode cheapest",
	  NULL },
	{ RULES "  - mode: target\n", POLICY_ENGINE_KERNEL, "endpoints can do mode target", NULL },
	{ RULES "  - mode: interactive\n", POLICY_ENGINE_USERSPACE,
	  "mode interactive leaves a path by its figures",
	  "engine kernel cannot do what the default rule asks: mode interactive leaves a path by "
	  "its figures" },
	{ RULES "  - mode: pure-handover\n", POLICY_ENGINE_USERSPACE,
	  "mode pure-handover opens a second subflow only when the first is gone",
	  "engine kernel cannot do what the default rule asks: mode pure-handover opens a second "
	  "subflow only when the first is gone" },
	{ RULES "  - mode: smallest-delay\n", POLICY_ENGINE_USERSPACE,
	  "mode smallest-delay compares the delays of subflows",
	  "engine kernel cannot do what the default rule asks: mode smallest-delay compares the "
	  "delays of subflows" },
	{ RULES "  - mode: priority\n", POLICY_ENGINE_USERSPACE,
	  "mode priority has more ranks than active and backup",
	  "engine kernel cannot do what the default rule asks: mode priority has more ranks than "
	  "active and backup" },
	{ RULES "  - mode: m\nmodes: { m: { kind: handover, open-after: { time: 1s } } }\n",
	  POLICY_ENGINE_USERSPACE, "mode m opens subflows later (open-after)",
	  "engine kernel cannot do what the default rule asks: mode m opens subflows later "
	  "(open-after)" },
	{ RULES "  - mode: aggregate\nmodes: { aggregate: { open-after: { bytes: 1MB } } }\n",
	  POLICY_ENGINE_USERSPACE, "mode aggregate opens subflows later (open-after)",
	  "engine kernel cannot do what the default rule asks: mode aggregate opens subflows later "
	  "(open-after)" },
	/* A mode that no rule has does not count. */
	{ RULES "  - mode: aggregate\nmodes: { handover: { open-after: { bytes: 1MB } } }\n",
	  POLICY_ENGINE_KERNEL, "endpoints can do mode aggregate", NULL },
	{ RULES "  - { match: { port: 1 }, scheduler: x }\n  - { mode: aggregate, scheduler: y }\n",
	  POLICY_ENGINE_KERNEL, "endpoints can do mode aggregate", NULL },
	{ RULES "  - { match: { port: 1 }, mode: aggregate }\n  - mode: aggregate\n",
	  POLICY_ENGINE_KERNEL, "endpoints can do mode aggregate", NULL },
	{ RULES "  - match: { port: 1 }\n  - { match: { port: 2 }, mode: aggregate }\n",
	  POLICY_ENGINE_USERSPACE, "rule 2 has a mode of its own, aggregate",
	  "engine kernel cannot do what the rule on line 6 asks: rule 2 has a mode of its own, "
	  "aggregate" },
	{ RULES "  - { match: { port: 1 }, paths: [a] }\n", POLICY_ENGINE_USERSPACE,
	  "rule 1 has paths of its own",
	  "engine kernel cannot do what the rule on line 5 asks: rule 1 has paths of its own" },
	{ RULES "  - { match: { port: 1 }, paths: [a] }\n  - paths: [a]\n", POLICY_ENGINE_KERNEL,
	  "endpoints can do mode handover", NULL },
};

static void test_auto(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(policy_free) struct policy *p = parse(cases[i].text);
		bool userspace = cases[i].engine == POLICY_ENGINE_USERSPACE;
		char reason[PM_REASON_BYTES], what[PM_REASON_BYTES] = "";
		struct error e = { 0 };

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL(pm_engine_choose(p, reason), cases[i].engine);
		CU_ASSERT_STRING_EQUAL(reason, cases[i].reason);
		CU_ASSERT_EQUAL(pm_engine_check(p, &e), 0);
		CU_ASSERT_EQUAL(pm_engine_needs_daemon(p, what), userspace);
		CU_ASSERT_EQUAL(strncmp(what, "it opens the subflows: ", 23) == 0, userspace);
	}
}

static void test_asked_for(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(policy_free) struct policy *p = parse(cases[i].text);
		char reason[PM_REASON_BYTES];
		struct error e = { 0 };

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		p->engine = POLICY_ENGINE_USERSPACE;
		CU_ASSERT_EQUAL(pm_engine_choose(p, reason), POLICY_ENGINE_USERSPACE);
		CU_ASSERT_STRING_EQUAL(reason, "the policy asks for it");
		CU_ASSERT_EQUAL(pm_engine_check(p, &e), 0);
		p->engine = POLICY_ENGINE_KERNEL;
		CU_ASSERT_EQUAL(pm_engine_choose(p, reason), POLICY_ENGINE_KERNEL);
		CU_ASSERT_EQUAL(pm_engine_check(p, &e), cases[i].refused ? -EINVAL : 0);
		CU_ASSERT_STRING_EQUAL(e.text, cases[i].refused ? cases[i].refused : "");
	}
}

static void test_needs_daemon(void)
{
	static const struct {
		const char *text, *what;
	} table[] = {
		{ RULES "  - mode: aggregate\ncaps: [ { path: a, bytes: 1GB, per: day } ]\n",
		  "it counts what paths move (caps)" },
		{ HEAD "paths: [ { name: night, when: { time: 22:00-06:00 } } ]\n",
		  "it opens and closes path night by the clock" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		_cleanup_(policy_free) struct policy *p = parse(table[i].text);
		char reason[PM_REASON_BYTES], what[PM_REASON_BYTES];

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL(pm_engine_choose(p, reason), POLICY_ENGINE_KERNEL);
		CU_ASSERT_TRUE(pm_engine_needs_daemon(p, what));
		CU_ASSERT_STRING_EQUAL(what, table[i].what);
	}
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("choice of the engine", NULL, NULL);
	CU_ADD_TEST(s, test_auto);
	CU_ADD_TEST(s, test_asked_for);
	CU_ADD_TEST(s, test_needs_daemon);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
