// SPDX-License-Identifier: GPL-2.0-only
/* One description of columns, two outputs; key names against those of `ip -j mptcp endpoint`. */
#include "cli/table.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cli/changes.h"
#include "cli/views.h"
#include "util/cleanup.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	char name[16];
	const char *word;
	uint64_t n;
	int level;
	bool yes, up, hot;
};

static const struct column columns[] = {
	{ "name", "NAME", COLUMN_TEXT, offsetof(struct row, name), false },
	{ "word", "WORD", COLUMN_WORD, offsetof(struct row, word), true },
	{ "n", "N", COLUMN_U64, offsetof(struct row, n), false },
	{ "level", NULL, COLUMN_INT, offsetof(struct row, level), false },
	{ "yes", "YES", COLUMN_BOOL, offsetof(struct row, yes), false },
	{ "up", "FLAGS", COLUMN_FLAG, offsetof(struct row, up), false },
	{ "hot", "FLAGS", COLUMN_FLAG, offsetof(struct row, hot), false },
};

static char *render(const struct table *t, bool json)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct json j;

	if (json) {
		json_init(&j, out, false);
		table_json(t, &j);
		json_end(&j);
	} else {
		table_print(t, out, false);
	}
	fclose(out);
	return text;
}

static void test_text(void)
{
	const struct row rows[] = {
		{ "a", "word", 7, -1, true, true, true },
		{ "größer", NULL, 1234, 2, false, false, false },
	};
	const struct table t = { columns, NR(columns), rows, sizeof(rows[0]), 2 };
	_cleanup_free_ char *text = render(&t, false);

	CU_ASSERT_STRING_EQUAL(text, "NAME    WORD     N  YES  FLAGS\n"
				     "a       word     7  yes  up,hot\n"
				     "größer  -     1234  no   -\n");
}

static void test_optional_column_goes(void)
{
	const struct row rows[] = { { "a", NULL, 7, 0, true, false, true } };
	const struct table t = { columns, NR(columns), rows, sizeof(rows[0]), 1 };
	_cleanup_free_ char *text = render(&t, false);

	CU_ASSERT_STRING_EQUAL(text, "NAME  N  YES  FLAGS\na     7  yes  hot\n");
}

static void test_json_rows(void)
{
	const struct row rows[] = {
		{ "a\"b", "w", UINT64_MAX, -1, true, true, false },
		{ "c", NULL, 0, 2, false, false, false },
	};
	const struct table t = { columns, NR(columns), rows, sizeof(rows[0]), 2 };
	_cleanup_free_ char *text = render(&t, true);

	CU_ASSERT_STRING_EQUAL(text,
			       "[{\"name\":\"a\\\"b\",\"word\":\"w\",\"n\":18446744073709551615,"
			       "\"level\":-1,\"yes\":true,\"up\":true},"
			       "{\"name\":\"c\",\"n\":0,\"level\":2,\"yes\":false}]\n");
}

static void test_empty(void)
{
	const struct table t = { columns, NR(columns), NULL, sizeof(struct row), 0 };
	_cleanup_free_ char *text = render(&t, false), *json = render(&t, true);

	CU_ASSERT_STRING_EQUAL(text, "");
	CU_ASSERT_STRING_EQUAL(json, "[]\n");
}

static void test_endpoints(void)
{
	struct pm_endpoint e[] = {
		{ .id = 3, .flags = PM_FLAG_SUBFLOW | PM_FLAG_BACKUP, .owned = true },
		{ .id = 4, .flags = PM_FLAG_SIGNAL | 1u << 30, .port = 100 },
	};
	struct pm_kernel k = { .endpoints = e, .nr_endpoints = 2 };
	_cleanup_free_ struct endpoint_row *rows = NULL;
	_cleanup_free_ char *text = NULL;
	struct table t;

	e[0].address.family = AF_INET;
	inet_pton(AF_INET, "10.1.1.1", &e[0].address.v4);
	e[0].ifindex = 1;
	e[1].address.family = AF_INET6;
	inet_pton(AF_INET6, "2001:db8::1", &e[1].address.v6);
	rows = view_endpoint_rows(&k);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
	t = view_endpoints(rows, 2);
	text = render(&t, true);
	CU_ASSERT_STRING_EQUAL(
		text, "[{\"address\":\"10.1.1.1\",\"id\":3,\"subflow\":true,\"backup\":true,"
		      "\"dev\":\"lo\",\"owned\":true},"
		      "{\"address\":\"2001:db8::1\",\"port\":100,\"id\":4,\"signal\":true,"
		      "\"rawflags\":1073741824,\"owned\":false}]\n");
}

static void test_sched_in_full(void)
{
	const struct loader_sched s = {
		.name = "pmctl", .spilled = 12, .sent_bytes = 3000000, .reinjected_bytes = 40000
	};
	_cleanup_free_ struct sched_row *rows = view_sched_rows(&s, 1);
	_cleanup_free_ char *brief = NULL, *json = NULL, *full = NULL;
	struct table t;

	CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
	t = view_scheds(rows, 1);
	brief = render(&t, false);
	CU_ASSERT_PTR_NULL(strstr(brief, "SPILLED"));
	CU_ASSERT_PTR_NOT_NULL(strstr(brief, "EJECTED"));
	t = view_scheds_in_full(rows, 1);
	json = render(&t, true);
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"spilled\":12,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"duplicate_ppm\":13333}"));
	full = render(&t, false);
	CU_ASSERT_PTR_NOT_NULL(strstr(full, "1.33 %"));
	CU_ASSERT_EQUAL(view_share_ppm(5, 0), 0);
	CU_ASSERT_EQUAL(view_share_ppm(UINT64_MAX, 1), UINT32_MAX);
	CU_ASSERT_EQUAL(view_share_ppm(UINT64_MAX, UINT64_MAX), 1000000);
}

static void test_changes(void)
{
	struct pm_action a[] = {
		{ .kind = PM_SET_SCHEDULER,
		  .scheduler = "minrtt",
		  .scheduler_before = "default",
		  .reason = "policy" },
	};
	struct pm_plan plan = { .actions = a, .nr_actions = 1 }, empty = { 0 };
	const struct sched_change scheds[] = { { "minrtt", LOADER_UNCHANGED },
					       { "ecf", LOADER_LOADED } };
	struct changes what = { .plan = &empty };
	_cleanup_free_ char *text = NULL;
	struct cli c = { 0 };
	size_t size = 0;

	CU_ASSERT_TRUE(changes_none(&what));
	what.scheds = scheds;
	what.nr_scheds = 1;
	CU_ASSERT_TRUE(changes_none(&what));
	what.nr_scheds = 2;
	CU_ASSERT_FALSE(changes_none(&what));
	what.nr_scheds = 1;
	what.plan = &plan;
	CU_ASSERT_FALSE(changes_none(&what));
	what.nr_scheds = 2;
	c.out = open_memstream(&text, &size);
	changes_print(&c, &what);
	fclose(c.out);
	CU_ASSERT_PTR_NULL(strstr(text, "minrtt\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "+ load BPF scheduler ecf\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "~ set scheduler minrtt (was default)  (policy)\n"));
}

/* The same rule stays, one goes, one comes. */
static void test_rule_changes(void)
{
	struct pm_plan empty = { 0 };
	struct parts parts = { .rules = {
				       .before = { { .rule = 1, .scheduler = "ecf" },
						   { .rule = 2, .scheduler = "a" } },
				       .after = { { .rule = 1, .scheduler = "ecf" },
						  { .rule = 2, .scheduler = "b" } },
				       .nr_before = 2,
				       .nr_after = 2,
				       .selector = LOADER_UNCHANGED,
			       } };
	const struct changes what = { .plan = &empty, .parts = &parts };
	_cleanup_free_ char *text = NULL, *json = NULL;
	struct changes_report report = { .what = what };
	struct cli c = { 0 };
	size_t size = 0;

	CU_ASSERT_FALSE(changes_none(&what));
	c.out = open_memstream(&text, &size);
	changes_print(&c, &what);
	fclose(c.out);
	CU_ASSERT_STRING_EQUAL(text, "- rule 2: scheduler a\n+ rule 2: scheduler b\n");
	c.out = open_memstream(&json, &size);
	changes_json(&c, &report);
	fclose(c.out);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(json, "{\"action\":\"add-rule\",\"text\":\"rule 2: scheduler b\"}"));
	parts.rules.after[1] = parts.rules.before[1];
	CU_ASSERT_TRUE(changes_none(&what));
	parts.rules.selector = LOADER_SWAPPED;
	CU_ASSERT_FALSE(changes_none(&what));
	parts.rules.selector = LOADER_UNCHANGED;
	parts.rules.nr_after = 1;
	CU_ASSERT_FALSE(changes_none(&what));
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("cli_table", NULL, NULL);
	CU_ADD_TEST(s, test_text);
	CU_ADD_TEST(s, test_optional_column_goes);
	CU_ADD_TEST(s, test_json_rows);
	CU_ADD_TEST(s, test_empty);
	CU_ADD_TEST(s, test_endpoints);
	CU_ADD_TEST(s, test_sched_in_full);
	CU_ADD_TEST(s, test_changes);
	CU_ADD_TEST(s, test_rule_changes);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
