// SPDX-License-Identifier: GPL-2.0-only
/* Why subflows end: what the peer is told by the policy, and what is done about what it tells. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_fixture.h"
#include "pm/reset.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static void is(const char *what, const char *got, const char *expected)
{
	if (strcmp(got, expected) != 0)
		printf("\n    %s:\n      expected \"%s\"\n      got      \"%s\"\n", what, expected,
		       got);
	CU_ASSERT_STRING_EQUAL(got, expected);
}

static void emit(struct world *w, enum policy_reset_reason reason, bool transient)
{
	w->policy.reset.set = w->policy.reset.emits = true;
	w->policy.reset.emit[reason].set = true;
	w->policy.reset.emit[reason].transient = transient;
}

static void test_emitted(void)
{
	static const struct {
		enum policy_mode_kind mode;
		uint32_t subflows;
		const char *script, *expected;
	} rows[] = {
		/* a person, a cap or a schedule; the withdrawal comes after the reset */
		{ POLICY_MODE_AGGREGATE, 4, "c:wifi | down:lte=1", "-lte=3 ~lte" },
		{ POLICY_MODE_AGGREGATE, 4, "c:wifi | cap:lte=2", "-lte=3 ~lte" },
		{ POLICY_MODE_AGGREGATE, 4, "c:wifi | cap:wifi=2", "-wifi=3 ~wifi" },
		/* a path that is bad: not needed any more, or silent */
		{ POLICY_MODE_PURE_HANDOVER, 4, "c:wifi | wifi! t:2000", "+lte -wifi=5t" },
		{ POLICY_MODE_INTERACTIVE, 4, "c:wifi | stall:wifi=2000", "lte>a -wifi=5t ~wifi" },
		/* one makes place for a better one */
		{ POLICY_MODE_AGGREGATE, 1, "c:wifi cap:lte=1 t:2000 | cable+", "-lte=2t +cable" },
		/* not needed any more, and no fault of it */
		{ POLICY_MODE_HANDOVER, 4, "c:wifi wifi! t:8000 | t:8000", "-lte" },
		/* its device is gone: nothing could be said there */
		{ POLICY_MODE_AGGREGATE, 4, "c:wifi | lte-", "~lte -lte" },
		/* another's connection, and one that never took a request of ours */
		{ POLICY_MODE_AGGREGATE, 4, "foreign:lte c:wifi | down:wifi=1", "" },
		/* one that does not exist yet */
		{ POLICY_MODE_AGGREGATE, 4, "hangs:lte c:wifi | down:lte=1", "" },
	};

	for (size_t i = 0; i < NR(rows); i++) {
		struct world w;

		world_init(&w, rows[i].mode);
		w.policy.limits.subflows = rows[i].subflows;
		emit(&w, POLICY_RESET_PROHIBITED, false);
		emit(&w, POLICY_RESET_PERFORMANCE, true);
		emit(&w, POLICY_RESET_RESOURCES, true);
		world_start(&w);
		world_run(&w, rows[i].script);
		is(rows[i].script, w.log, rows[i].expected);
		world_clear(&w);
	}
}

/* Only what the policy names is said. */
static void test_silent(void)
{
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	emit(&w, POLICY_RESET_PERFORMANCE, true);
	world_start(&w);
	world_run(&w, "c:wifi | down:lte=1");
	is("a reason that is not named", w.log, "~lte -lte");
	world_clear(&w);
}

/* The peer hears of all resets before it would close what is left; a withdrawal that does not fit
 * in a batch waits for the next, with the reset it belongs to. */
static void test_batches(void)
{
	char script[256] = "c:wifi";
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.policy.limits.subflows = 16;
	w.paths[LTE].use |= POLICY_ENDPOINT_FULLMESH;
	emit(&w, POLICY_RESET_PROHIBITED, false);
	world_start(&w);
	for (int i = 2; i <= PM_SUBFLOWS_PER_BATCH; i++)
		snprintf(script + strlen(script), sizeof(script) - strlen(script),
			 " peer:10.9.0.%d=%d", i, i);
	world_run(&w, script);
	world_run(&w, "t:9000 | down:lte=1 t:9000");
	is("as many as a batch has requests", w.log,
	   "-lte@10.9.0.8=3 -lte@10.9.0.7=3 -lte@10.9.0.6=3 -lte@10.9.0.5=3 -lte@10.9.0.4=3 "
	   "-lte@10.9.0.3=3 -lte@10.9.0.2=3 -lte=3 ~lte");
	world_clear(&w);
}

static struct policy_reaction *on(struct world *w, enum policy_reset_reason reason,
				  enum policy_retry retry)
{
	struct policy_reaction *r = &w->policy.reset.react[reason];

	w->policy.reset.set = true;
	*r = (struct policy_reaction){ .retry = retry, .after_ms = 45000 };
	return r;
}

/* Each thing that may be done about each reason, whatever is done about it without a policy. */
static void test_reactions(void)
{
	static const struct {
		enum policy_retry retry;
		bool as_backup, transient_only, transient;
		const char *after, *expected; /* script */
	} rows[] = {
		{ POLICY_RETRY_NEVER, false, false, true, "t:604800000", "" },
		{ POLICY_RETRY_ONCE, false, false, false, "t:0", "+lte" },
		{ POLICY_RETRY_BACK_OFF, false, false, false, "t:749", "" },
		{ POLICY_RETRY_BACK_OFF, false, false, false, "t:1000", "+lte" },
		{ POLICY_RETRY_HOLD, false, false, false, "t:1999", "" },
		{ POLICY_RETRY_HOLD, false, false, false, "t:2000", "+lte" },
		{ POLICY_RETRY_AFTER, false, false, false, "t:44999", "" },
		{ POLICY_RETRY_AFTER, false, false, false, "t:45000", "+lte" },
		{ POLICY_RETRY_AFTER, true, false, false, "t:45000", "+lte/b" },
		{ POLICY_RETRY_BACK_OFF, true, false, false, "t:1000", "+lte/b" },
		{ POLICY_RETRY_AFTER, false, true, true, "t:45000", "+lte" },
		{ POLICY_RETRY_AFTER, true, true, false, "t:604800000", "" },
	};

	for (size_t i = 0; i < NR(rows); i++) {
		for (unsigned int reason = 0; reason < POLICY_RESET_REASONS; reason++) {
			char script[96], expected[32];
			struct policy_reaction *r;
			struct world w;

			world_init(&w, POLICY_MODE_AGGREGATE);
			r = on(&w, (enum policy_reset_reason)reason, rows[i].retry);
			r->as_backup = rows[i].as_backup;
			r->transient_only = rows[i].transient_only;
			world_start(&w);
			snprintf(script, sizeof(script), "c:wifi | lost:lte=%u%s %s", reason,
				 rows[i].transient ? "t" : "", rows[i].after);
			snprintf(expected, sizeof(expected), "notice%s%s",
				 rows[i].expected[0] ? " " : "", rows[i].expected);
			world_run(&w, script);
			is(script, w.log, expected);
			world_clear(&w);
		}
	}
}

static void test_once(void)
{
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	on(&w, POLICY_RESET_PERFORMANCE, POLICY_RETRY_ONCE);
	world_start(&w);
	world_run(&w, "c:wifi lost:lte=5 | lost:lte=5 t:600000");
	is("the second time", w.log, "notice");
	world_clear(&w);
}

/* What the host says holds for all that comes to its address, what is in the way for what comes
 * from there, what is about a subflow for that. */
static void test_memory(void)
{
	static const struct {
		enum policy_reset_reason reason;
		const char *same_path, *other_path;
	} rows[] = {
		{ POLICY_RESET_UNSPECIFIED, "+lte", "+wifi" },
		{ POLICY_RESET_MPTCP, "+lte", "+wifi" },
		{ POLICY_RESET_RESOURCES, "", "" },
		{ POLICY_RESET_PROHIBITED, "", "" },
		{ POLICY_RESET_OUTSTANDING, "+lte", "+wifi" },
		{ POLICY_RESET_PERFORMANCE, "+lte", "+wifi" },
		{ POLICY_RESET_MIDDLEBOX, "", "+wifi" },
	};

	for (size_t i = 0; i < NR(rows); i++) {
		struct world w;

		world_init(&w, POLICY_MODE_AGGREGATE);
		on(&w, rows[i].reason, POLICY_RETRY_AFTER);
		world_start(&w);
		world_run(&w, "c:wifi");
		world_lose(&w, 1, (int)rows[i].reason, false);
		/* The connection goes, the memory does not. */
		world_close(&w, 1);
		w.log[0] = '\0';
		world_connect(&w, 2, "10.0.1.2", WORLD_PEER, false);
		is(policy_reset_name(rows[i].reason), w.log, rows[i].same_path);
		w.log[0] = '\0';
		world_connect(&w, 3, "10.0.2.2", WORLD_PEER, false);
		is(policy_reset_name(rows[i].reason), w.log, rows[i].other_path);
		w.log[0] = '\0';
		world_connect(&w, 4, "10.0.1.2", "10.9.0.7", false);
		is("another address", w.log, "+lte@10.9.0.7");
		w.log[0] = '\0';
		w.log_token = 2;
		world_wait(&w, 45000);
		is("time passes", w.log, rows[i].same_path[0] ? "" : "+lte");
		world_clear(&w);
	}
}

static char notice[PM_REASON_BYTES];
static unsigned int notice_path;

static void keep_notice(struct world *w, const struct pm_decision *d)
{
	(void)w;
	if (d->kind != PM_DECIDE_NOTICE)
		return;
	memcpy(notice, d->reason, sizeof(notice));
	notice_path = d->path;
}

static void test_history(void)
{
	struct pm_connection_view v;
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	on(&w, POLICY_RESET_PERFORMANCE, POLICY_RETRY_HOLD)->as_backup = true;
	world_start(&w);
	world_run(&w, "c:wifi lost:lte=5t t:2000");
	for (int i = 0; i < PM_RESETS_MAX; i++)
		world_run(&w, "lost:lte=77t t:64000 t:64000");
	CU_ASSERT_EQUAL_FATAL(pm_engine_connection(w.e, 1, &v), 0);
	CU_ASSERT_EQUAL(v.nr_resets, PM_RESETS_MAX);
	CU_ASSERT_EQUAL(v.resets[0].reason, 77);
	CU_ASSERT_EQUAL(v.resets[0].reaction.retry, POLICY_RETRY_BACK_OFF);
	CU_ASSERT(v.resets[0].at_ms < v.resets[PM_RESETS_MAX - 1].at_ms);
	free(v.subflows);
	world_run(&w, "lost:lte=5");
	CU_ASSERT_EQUAL_FATAL(pm_engine_connection(w.e, 1, &v), 0);
	CU_ASSERT_EQUAL(v.nr_resets, PM_RESETS_MAX);
	CU_ASSERT_EQUAL(v.resets[PM_RESETS_MAX - 1].reason, POLICY_RESET_PERFORMANCE);
	CU_ASSERT_FALSE(v.resets[PM_RESETS_MAX - 1].transient);
	CU_ASSERT_EQUAL(v.resets[PM_RESETS_MAX - 1].source, LTE);
	CU_ASSERT_EQUAL(v.resets[PM_RESETS_MAX - 1].reaction.after_ms, WORLD_HOLD_MS);
	CU_ASSERT(v.resets[PM_RESETS_MAX - 1].reaction.as_backup);
	free(v.subflows);
	world_clear(&w);

	/* A server does nothing about it, and remembers all the same. */
	world_init(&w, POLICY_MODE_AGGREGATE);
	world_start(&w);
	world_run(&w, "s:wifi | lost:wifi=2 t:60000");
	is("a server", w.log, "notice");
	CU_ASSERT_EQUAL_FATAL(pm_engine_connection(w.e, 1, &v), 0);
	CU_ASSERT_EQUAL_FATAL(v.nr_resets, 1);
	CU_ASSERT_EQUAL(v.resets[0].reaction.retry, 0);
	free(v.subflows);
	world_clear(&w);

	/* From an address of no path. */
	world_init(&w, POLICY_MODE_AGGREGATE);
	world_start(&w);
	world_connect(&w, 1, "10.0.77.2", WORLD_PEER, false);
	w.watch = keep_notice;
	world_lose(&w, 0, 200, false);
	is("no path", notice, "no path: the peer reset it (reason 200): not again");
	CU_ASSERT_EQUAL(notice_path, UINT32_MAX);
	CU_ASSERT_EQUAL_FATAL(pm_engine_connection(w.e, 1, &v), 0);
	CU_ASSERT_EQUAL_FATAL(v.nr_resets, 1);
	CU_ASSERT_EQUAL(v.resets[0].source, SIZE_MAX);
	free(v.subflows);
	world_clear(&w);
}

static void test_words(void)
{
	static const struct {
		struct policy_reaction r;
		const char *text;
	} rows[] = {
		{ { 0 }, "left to the peer" },
		{ { .retry = POLICY_RETRY_NEVER, .as_backup = true }, "not again" },
		{ { .retry = POLICY_RETRY_ONCE }, "again, but only once" },
		{ { .retry = POLICY_RETRY_BACK_OFF }, "again with back-off" },
		{ { .retry = POLICY_RETRY_HOLD, .after_ms = 2000, .as_backup = true },
		  "again after 2s, as a backup" },
		{ { .retry = POLICY_RETRY_AFTER, .after_ms = 30500 }, "again after 30500ms" },
	};
	char text[PM_RESET_TEXT_BYTES];

	for (size_t i = 0; i < NR(rows); i++) {
		pm_reaction_describe(&rows[i].r, text, sizeof(text));
		is("a reaction", text, rows[i].text);
	}
}

int main(void)
{
	unsigned int failed;
	CU_pSuite suite;

	CU_initialize_registry();
	suite = CU_add_suite("engine, why subflows end", NULL, NULL);
	CU_add_test(suite, "what the peer is told", test_emitted);
	CU_add_test(suite, "what it is not told", test_silent);
	CU_add_test(suite, "many subflows at once", test_batches);
	CU_add_test(suite, "what is done", test_reactions);
	CU_add_test(suite, "once", test_once);
	CU_add_test(suite, "what is remembered of the peer", test_memory);
	CU_add_test(suite, "what is remembered of a connection", test_history);
	CU_add_test(suite, "reactions in words", test_words);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
