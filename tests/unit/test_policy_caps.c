// SPDX-License-Identifier: GPL-2.0-only
/* Caps and schedules in a policy: every key, defaults, each mistake with its place. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "policy/policy.h"
#include "util/cleanup.h"

#define HEAD "version: 1\nname: t\npaths:\n  - { name: wifi, match: { type: wifi } }\n"
#define LTE  HEAD "  - { name: lte }\ncaps:\n"
#define WHEN HEAD "  - name: lte\n    when: "

static struct policy *parse(const char *text)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;

	if (policy_parse("t.yaml", text, strlen(text), &p, &d) < 0)
		policy_diagnostics_print(stdout, "t.yaml", &d, false);
	policy_diagnostics_clear(&d);
	return p;
}

static void test_caps(void)
{
	/* They may stand before the paths. */
	_cleanup_(policy_free) struct policy *p =
		parse("caps:\n"
		      "  - { path: lte, bytes: 2GB, per: month, then: close }\n"
		      "  - { path: lte, bytes: 100MiB, per: day }\n"
		      "  - { path: lte, bytes: 50MiB, per: day, then: notify }\n"
		      "  - { path: wifi, bytes: 1kB, per: day, then: notify }\n" HEAD
		      "  - { name: lte }\n");
	const struct policy_cap *c;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL_FATAL(p->nr_caps, 4);
	c = p->caps;
	CU_ASSERT_EQUAL(c[0].path, 1);
	CU_ASSERT_EQUAL(c[0].bytes, 2000000000);
	CU_ASSERT_EQUAL(c[0].per, POLICY_PER_MONTH);
	CU_ASSERT_EQUAL(c[0].then, POLICY_CAP_CLOSE);
	CU_ASSERT_EQUAL(c[0].line, 2);
	CU_ASSERT_EQUAL(c[1].bytes, 104857600);
	CU_ASSERT_EQUAL(c[1].per, POLICY_PER_DAY);
	CU_ASSERT_EQUAL(c[1].then, POLICY_CAP_BACKUP);
	CU_ASSERT_EQUAL(c[2].path, 1);
	CU_ASSERT_EQUAL(c[2].then, POLICY_CAP_NOTIFY);
	CU_ASSERT_EQUAL(c[3].path, 0);
}

static void test_when(void)
{
	static const struct {
		const char *text;
		unsigned int days;
		size_t nr;
		uint16_t from, to; /* of the last */
	} table[] = {
		{ "{ time: 22:00-06:00 }", 0x7f, 1, 1320, 360 },
		{ "{ time: \"00:00-24:00\" }", 0x7f, 1, 0, 1440 },
		{ "{ time: [08:00-12:00, 13:30-17:59], days: [mon, fri] }", 0x22, 2, 810, 1079 },
		{ "{ days: [sun, sat] }", 0x41, 0, 0, 0 },
		{ "{ days: [sun, mon, tue, wed, thu, fri, sat] }", 0x7f, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		_cleanup_(policy_free) struct policy *p = NULL;
		const struct policy_when *w;
		char text[256];

		snprintf(text, sizeof(text), WHEN "%s\n", table[i].text);
		p = parse(text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL(p->paths[0].when.days, 0);
		w = &p->paths[1].when;
		CU_ASSERT_EQUAL(w->days, table[i].days);
		CU_ASSERT_EQUAL_FATAL(w->nr_hours, table[i].nr);
		if (w->nr_hours == 0)
			continue;
		CU_ASSERT_EQUAL(w->hours[w->nr_hours - 1].from, table[i].from);
		CU_ASSERT_EQUAL(w->hours[w->nr_hours - 1].to, table[i].to);
	}
}

static const struct {
	const char *yaml;
	unsigned int line, column;
	const char *text, *hint;
} mistakes[] = {
	{ LTE "  - { path: lt, bytes: 1GB, per: day }\n", 7, 13, "there is no path \"lt\"",
	  "did you mean \"lte\"?" },
	{ LTE "  - { bytes: 1GB, per: day }\n", 7, 5, "\"path\" is missing in a cap", NULL },
	{ LTE "  - { path: lte, per: day }\n", 7, 5, "\"bytes\" is missing in a cap", NULL },
	{ LTE "  - { path: lte, bytes: 1GB }\n", 7, 5, "\"per\" is missing in a cap", NULL },
	{ LTE "  - { path: lte, bytes: 2000, per: day }\n", 7, 25,
	  "\"bytes\" must be a size from 1kB to 1000TB, not \"2000\"",
	  "add the unit: B, kB, MB, GB, TB, KiB, MiB, GiB or TiB" },
	{ LTE "  - { path: lte, bytes: 999B, per: day }\n", 7, 25,
	  "\"bytes\" must be a size from 1kB to 1000TB, not \"999B\"", NULL },
	{ LTE "  - { path: lte, bytes: 1GB, per: week }\n", 7, 35, "\"per\" cannot be \"week\"",
	  "valid values: day, month" },
	{ LTE "  - { path: lte, bytes: 1GB, per: day, then: stop }\n", 7, 46,
	  "\"then\" cannot be \"stop\"", "valid values: backup, close, notify" },
	{ LTE "  - { path: lte, bytes: 1GB, per: day }\n"
	      "  - { path: lte, bytes: 2GB, per: day, then: backup }\n",
	  8, 5, "there is already such a cap for path \"lte\"", "the first one stands on line 7" },
	{ LTE "  lte: 2GB\n", 7, 3, "\"caps\" must be a list, not a mapping", NULL },
	{ WHEN "{ time: 22:00 }\n", 6, 19,
	  "\"time\" must be a time such as 22:00-06:00, or a list of them, not \"22:00\"", NULL },
	{ WHEN "{ time: 24:00-06:00 }\n", 6, 19,
	  "\"time\" must be a time such as 22:00-06:00, or a list of them, not \"24:00-06:00\"",
	  NULL },
	{ WHEN "{ time: 07:60-08:00 }\n", 6, 19,
	  "\"time\" must be a time such as 22:00-06:00, or a list of them, not \"07:60-08:00\"",
	  NULL },
	{ WHEN "{ time: 22:00-22:00 }\n", 6, 19, "\"22:00-22:00\" is no time at all",
	  "leave \"time\" out for the whole day" },
	{ WHEN "{ time: [00:00-01:00, 02:00-03:00, 04:00-05:00, 06:00-07:00, 08:00-09:00] }\n", 6,
	  72, "\"time\" has more than 4 entries", NULL },
	{ WHEN "{ days: [mon, someday] }\n", 6, 25, "\"days\" cannot be \"someday\"", NULL },
	{ WHEN "{ days: [mon, mon] }\n", 6, 25, "\"mon\" stands twice in \"days\"", NULL },
	{ WHEN "{ hours: 22:00-06:00 }\n", 6, 13, "unknown key \"hours\"", NULL },
	{ WHEN "always\n", 6, 11, "\"when\" must be a mapping, not \"always\"", NULL },
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

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("caps and schedules of policies", NULL, NULL);
	CU_ADD_TEST(s, test_caps);
	CU_ADD_TEST(s, test_when);
	CU_ADD_TEST(s, test_mistakes);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
