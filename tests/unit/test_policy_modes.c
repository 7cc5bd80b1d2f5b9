// SPDX-License-Identifier: GPL-2.0-only
/* Modes, what tunes them, and what rules ask of paths: values, defaults, and each mistake. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "policy/policy.h"
#include "util/cleanup.h"

#define HEAD  "version: 1\nname: t\n"
#define PATHS "paths: [ { name: wifi, match: { type: wifi } }, { name: lte, cost: 9 } ]\n"
#define MODE  HEAD "modes:\n  interactive: "

static struct policy *parse(const char *text)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;

	if (policy_parse("t.yaml", text, strlen(text), &p, &d) < 0)
		policy_diagnostics_print(stdout, "t.yaml", &d, false);
	policy_diagnostics_clear(&d);
	return p;
}

static bool is(const struct policy_threshold *t, uint64_t enter, uint64_t leave)
{
	return t->enter == enter && t->leave == leave;
}

static void test_builtin(void)
{
	_cleanup_(policy_free) struct policy *p = parse(HEAD);
	const struct policy_mode *m;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL_FATAL(p->nr_modes, POLICY_MODE_TARGET + 1);
	CU_ASSERT_EQUAL(p->mode_index, POLICY_MODE_HANDOVER);
	CU_ASSERT_EQUAL(p->rule_paths, UINT32_MAX);
	CU_ASSERT_EQUAL(p->engine, POLICY_ENGINE_AUTO);
	for (unsigned int i = 0; i < p->nr_modes; i++) {
		m = &p->modes[i];
		CU_ASSERT_EQUAL(m->kind, (enum policy_mode_kind)i);
		CU_ASSERT_STRING_EQUAL(m->name, policy_mode_name(m->kind));
		CU_ASSERT_EQUAL(memcmp(m, policy_mode_builtin(m->kind), sizeof(*m)), 0);
		CU_ASSERT_EQUAL(m->when_bad.alpha_permille, 500);
		CU_ASSERT_EQUAL(m->when_bad.period_ms, 500);
		CU_ASSERT_EQUAL(m->target_bps, i == POLICY_MODE_TARGET ? 5000000 : 0);
		CU_ASSERT(m->hold_ms > 0);
	}
	m = &p->modes[POLICY_MODE_INTERACTIVE];
	CU_ASSERT(is(&m->when_bad.rtt_us, 600000, 400000));
	CU_ASSERT(is(&m->when_bad.rto_us, 1500000, 1000000));
	CU_ASSERT(is(&m->when_bad.timeouts, 1, 0));
	CU_ASSERT(is(&m->when_bad.loss_permille, 250, 100));
	CU_ASSERT(is(&m->when_bad.resent_permille, 500, 250));
	m = &p->modes[POLICY_MODE_HANDOVER];
	CU_ASSERT(is(&m->when_bad.rtt_us, 0, 0));
	CU_ASSERT(is(&m->when_bad.timeouts, 2, 0));
	CU_ASSERT(is(&m->when_bad.stall_ms, 3000, 1000));
	CU_ASSERT(is(&p->modes[POLICY_MODE_AGGREGATE].when_bad.timeouts, 0, 0));
}

static void test_tuned(void)
{
	_cleanup_(policy_free) struct policy *p =
		parse(MODE "\n    switch:\n"
			   "      rtt: { enter: 300ms, leave: 200ms }\n"
			   "      rto: 1s\n"
			   "      loss: { leave: 0%, enter: 12.5% }\n"
			   "      resent: off\n"
			   "      timeouts: { enter: 3, leave: 3 }\n"
			   "      stall: 2s\n"
			   "      alpha: 25%\n"
			   "      period: 1s\n"
			   "    hold: 0ms\n"
			   "    open-after: { time: 3s, bytes: 100kB }\n"
			   "  target: { target: 8mbit }\n");
	const struct policy_mode *m;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	m = &p->modes[POLICY_MODE_INTERACTIVE];
	CU_ASSERT(is(&m->when_bad.rtt_us, 300000, 200000));
	CU_ASSERT(is(&m->when_bad.rto_us, 1000000, 666000));
	CU_ASSERT(is(&m->when_bad.loss_permille, 125, 0));
	CU_ASSERT(is(&m->when_bad.resent_permille, 0, 0));
	CU_ASSERT(is(&m->when_bad.timeouts, 3, 3));
	CU_ASSERT(is(&m->when_bad.stall_ms, 2000, 1333));
	CU_ASSERT_EQUAL(m->when_bad.alpha_permille, 250);
	CU_ASSERT_EQUAL(m->when_bad.period_ms, 1000);
	CU_ASSERT_EQUAL(m->hold_ms, 0);
	CU_ASSERT_EQUAL(m->open_after_ms, 3000);
	CU_ASSERT_EQUAL(m->open_after_bytes, 100000);
	CU_ASSERT_EQUAL(p->modes[POLICY_MODE_TARGET].target_bps, 8000000);
	m = &p->modes[POLICY_MODE_HANDOVER];
	CU_ASSERT_EQUAL(memcmp(m, policy_mode_builtin(POLICY_MODE_HANDOVER), sizeof(*m)), 0);
}

/* Rules may come before what they name; an own mode starts from its kind, wherever "kind" is. */
static void test_own(void)
{
	_cleanup_(policy_free) struct policy *p =
		parse(HEAD "engine: userspace\nconnections:\n"
			   "  - { match: { port: 22 }, mode: ssh, paths: [lte, wifi] }\n"
			   "  - { match: { port: 23 }, paths: [lte] }\n"
			   "  - { match: { port: 24 }, mode: aggregate }\n"
			   "  - { mode: calm, paths: [wifi] }\n"
			   "modes:\n  ssh: { hold: 1s, kind: interactive }\n"
			   "  calm: { kind: handover, switch: { timeouts: 5 } }\n" PATHS);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->engine, POLICY_ENGINE_USERSPACE);
	CU_ASSERT_EQUAL_FATAL(p->nr_modes, POLICY_MODE_TARGET + 3);
	CU_ASSERT_STRING_EQUAL(p->modes[p->mode_index].name, "calm");
	CU_ASSERT_EQUAL(p->mode, POLICY_MODE_HANDOVER);
	CU_ASSERT_EQUAL(p->rule_paths, 1);
	CU_ASSERT(is(&p->modes[p->mode_index].when_bad.timeouts, 5, 3));
	CU_ASSERT(is(&p->modes[p->mode_index].when_bad.stall_ms, 3000, 1000));
	CU_ASSERT_STRING_EQUAL(p->modes[p->rules[0].mode_index].name, "ssh");
	CU_ASSERT_EQUAL(p->rules[0].mode, POLICY_MODE_INTERACTIVE);
	CU_ASSERT_EQUAL(p->rules[0].paths, 3);
	CU_ASSERT(is(&p->modes[p->rules[0].mode_index].when_bad.rtt_us, 600000, 400000));
	CU_ASSERT_EQUAL(p->modes[p->rules[0].mode_index].hold_ms, 1000);
	CU_ASSERT_EQUAL(p->rules[1].mode_index, p->mode_index);
	CU_ASSERT_EQUAL(p->rules[1].paths, 2);
	CU_ASSERT_EQUAL(p->rules[2].mode, POLICY_MODE_AGGREGATE);
	CU_ASSERT_EQUAL(p->rules[2].paths, 1);
	CU_ASSERT_STRING_EQUAL(p->rules[0].scheduler.name, "");
	CU_ASSERT_STRING_EQUAL(p->scheduler.name, "");
}

static void test_schedulers(void)
{
	static const struct {
		const char *text, *rule, *rest;
	} cases[] = {
		/* Without a scheduler of its own a rule has that of the others. */
		{ "  - match: { port: 22 }\n  - scheduler: a\n", "a", "a" },
		{ "  - match: { port: 22 }\n  - mode: redundant\n", "redundant", "redundant" },
		{ "  - match: { port: 22 }\nscheduler: default\n", "default", "default" },
		{ "  - { match: { port: 22 }, mode: load-balance }\n  - scheduler: a\n",
		  "roundrobin", "a" },
		/* What a mode stands for is nearer than the top, what it is given is nearer still.
		 */
		{ "  - { match: { port: 22 }, mode: target }\nscheduler: a\n", "target", "a" },
		{ "  - { match: { port: 22 }, mode: target }\nscheduler: a\n"
		  "modes: { target: { scheduler: b } }\n",
		  "b", "a" },
		{ "  - { match: { port: 22 }, mode: m }\nscheduler: a\n"
		  "modes: { m: { kind: redundant } }\n",
		  "redundant", "a" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(policy_free) struct policy *p = NULL;
		char text[512];

		snprintf(text, sizeof(text), HEAD "connections:\n%s", cases[i].text);
		p = parse(text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_STRING_EQUAL(p->rules[0].scheduler.name, cases[i].rule);
		CU_ASSERT_STRING_EQUAL(p->scheduler.name, cases[i].rest);
	}
}

static void test_target_knob(void)
{
	_cleanup_(policy_free) struct policy *p = parse(HEAD
							"connections: [ { mode: target } ]\n"
							"modes: { target: { target: 8mbit } }\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_STRING_EQUAL(p->scheduler.name, "target");
	CU_ASSERT_EQUAL_FATAL(p->scheduler.nr_knobs, 1);
	CU_ASSERT_STRING_EQUAL(p->scheduler.knobs[0].name, "rate_bytes_per_s");
	CU_ASSERT_EQUAL(p->scheduler.knobs[0].values[0], 1000000);
}

static const struct {
	const char *yaml;
	unsigned int line, column;
	const char *text, *hint;
} mistakes[] = {
	{ MODE "{ switch: { rtt: 600 } }\n", 4, 33,
	  "\"rtt\" must be a time from 1ms to 10min, not \"600\"",
	  "add the unit: ms, s, min, h or d" },
	{ MODE "{ switch: { rtt: 0ms } }\n", 4, 33,
	  "\"rtt\" must be a time from 1ms to 10min, not \"0ms\"", NULL },
	{ MODE "{ switch: { rtt: { leave: 1s } } }\n", 4, 33, "\"enter\" is missing in rtt", NULL },
	{ MODE "{ switch: { rtt: { enter: 1s, leave: 2s } } }\n", 4, 53,
	  "\"leave\" is above \"enter\"",
	  "a path is bad from \"enter\" on, and good again at \"leave\" or below" },
	{ MODE "{ switch: { rtt: { entry: 1s, enter: 1s } } }\n", 4, 35, "unknown key \"entry\"",
	  "did you mean \"enter\"?" },
	{ MODE "{ switch: { loss: 101% } }\n", 4, 34,
	  "\"loss\" must be a share from 0.1% to 100%, not \"101%\"", NULL },
	{ MODE "{ switch: { timeouts: 16 } }\n", 4, 38,
	  "\"timeouts\" must be an integer from 1 to 15, not \"16\"", NULL },
	{ MODE "{ switch: { stall: [1s] } }\n", 4, 35,
	  "\"stall\" must be a time from 1ms to 10min, not a list", NULL },
	{ MODE "{ switch: { alpha: 0% } }\n", 4, 35,
	  "\"alpha\" must be a share from 0.1% to 100%, not \"0%\"", NULL },
	{ MODE "{ switch: { delay: 1s } }\n", 4, 28, "unknown key \"delay\"", NULL },
	{ MODE "{ hold: 2h }\n", 4, 24, "\"hold\" must be a time from 0ms to 1h, not \"2h\"",
	  NULL },
	{ MODE "{ open-after: { bytes: 1mb } }\n", 4, 39,
	  "\"bytes\" must be a size from 0B to 1TiB, not \"1mb\"", NULL },
	{ MODE "{ target: 1mbit }\n", 4, 26, "\"target\" does nothing in mode \"interactive\"",
	  "only modes of kind \"target\" have one" },
	{ MODE "{ kind: interactive }\n", 4, 24,
	  "the kind of built-in mode \"interactive\" is fixed", "give the mode a name of its own" },
	{ MODE "fast\n", 4, 16, "\"interactive\" must be a mapping, not \"fast\"", NULL },
	{ HEAD "modes: { interactve: { hold: 1s } }\n", 3, 10,
	  "there is no built-in mode \"interactve\"", "did you mean \"interactive\"?" },
	{ HEAD "modes: { mine: { kind: handovr } }\n", 3, 24, "\"kind\" cannot be \"handovr\"",
	  "did you mean \"handover\"?" },
	{ HEAD "modes: { \"my mode\": { kind: handover } }\n", 3, 10,
	  "\"a mode's name\" must be up to 63 letters, digits, \".\", \"_\" or \"-\", the first a "
	  "letter or digit, not \"my mode\"",
	  NULL },
	{ HEAD "connections: [ { mode: agregate } ]\n", 3, 24, "there is no mode \"agregate\"",
	  "did you mean \"aggregate\"?" },
	{ HEAD PATHS "connections: [ { paths: [wfi] } ]\n", 4, 26, "there is no path \"wfi\"",
	  "did you mean \"wifi\"?" },
	{ HEAD PATHS "connections: [ { paths: [satellite] } ]\n", 4, 26,
	  "there is no path \"satellite\"", "paths there are: wifi, lte" },
	{ HEAD "connections: [ { paths: [wifi] } ]\n", 3, 26, "there is no path \"wifi\"",
	  "\"paths\" has none" },
	{ HEAD PATHS "connections: [ { paths: [wifi, wifi] } ]\n", 4, 32,
	  "path \"wifi\" stands twice in \"paths\"", NULL },
	{ HEAD PATHS "connections: [ { paths: wifi } ]\n", 4, 25,
	  "\"paths\" must be a list, not \"wifi\"", NULL },
	{ HEAD "engine: user\n", 3, 9, "\"engine\" cannot be \"user\"",
	  "valid values: auto, kernel, userspace" },
	{ HEAD "connections: [ { match: { port: 22 }, mode: redundant } ]\n", 3, 16,
	  "rules for some connections need a BPF scheduler for the others", NULL },
	{ HEAD "limits: { subflows: 0 }\nconnections: [ { mode: m } ]\n"
	       "modes: { m: { kind: redundant } }\n",
	  3, 21, "mode \"m\" cannot use a second path with no extra subflow", NULL },
};

static void test_mistakes(void)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct policy_diagnostics d;
		struct policy *p = NULL;
		int rc = policy_parse("t", mistakes[i].yaml, strlen(mistakes[i].yaml), &p, &d);
		const struct policy_diagnostic *item = &d.items[0];
		bool good = rc == -EINVAL && !p && d.total == 1 && item->line == mistakes[i].line &&
			    item->column == mistakes[i].column &&
			    !strcmp(item->text, mistakes[i].text) &&
			    (!mistakes[i].hint || !strcmp(item->hint, mistakes[i].hint));

		CU_ASSERT_TRUE(good);
		if (!good) {
			printf("\nexpected %u:%u %s (%s)\n", mistakes[i].line, mistakes[i].column,
			       mistakes[i].text, mistakes[i].hint ? mistakes[i].hint : "any");
			policy_diagnostics_print(stdout, "t", &d, false);
		}
		policy_diagnostics_clear(&d);
		policy_free(&p);
	}
}

static void test_too_many(void)
{
	char text[2048] = HEAD "modes:\n";
	struct policy_diagnostics d;
	struct policy *p = NULL;

	for (int i = 0; i <= POLICY_MODES_MAX - POLICY_MODE_TARGET - 1; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "  m%d: { kind: handover }\n", i);
	CU_ASSERT_EQUAL(policy_parse("t", text, strlen(text), &p, &d), -EINVAL);
	CU_ASSERT_EQUAL(d.total, 1);
	CU_ASSERT_STRING_EQUAL(d.items[0].text, "there are more than 21 modes of your own");
	policy_diagnostics_clear(&d);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "built-in modes", test_builtin },
		{ "tuned", test_tuned },
		{ "own modes and paths of rules", test_own },
		{ "schedulers of rules and modes", test_schedulers },
		{ "rate of target", test_target_knob },
		{ "table of mistakes", test_mistakes },
		{ "too many", test_too_many },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "modes of policies", NULL, NULL, NULL, NULL, tests },
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
