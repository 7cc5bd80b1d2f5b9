// SPDX-License-Identifier: GPL-2.0-only
/* Periods and schedules across month ends, leap days and changes of the clock. */
#include "pm/calendar.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS(a) (1u << (a))
enum { SUN, MON, TUE, WED, THU, FRI, SAT };

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

/* "2026-03-29 01:59" of the zone; of two that are called so the first with a trailing "-", the
 * second with "+". */
static time_t at(const char *text)
{
	struct tm tm = { .tm_isdst = -1 };
	int n = 0;

	CU_ASSERT_EQUAL_FATAL(sscanf(text, "%d-%d-%d %d:%d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
				     &tm.tm_hour, &tm.tm_min, &n),
			      5);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (text[n])
		tm.tm_isdst = text[n] == '-';
	return mktime(&tm);
}

static void is_at(time_t t, const char *want)
{
	struct tm tm;
	char got[32] = "never";

	if (t != PM_CALENDAR_NEVER) {
		localtime_r(&t, &tm);
		strftime(got, sizeof(got), "%Y-%m-%d %H:%M", &tm);
	}
	if (strcmp(got, want) != 0)
		printf("\n  got %s, want %s\n", got, want);
	CU_ASSERT_STRING_EQUAL(got, want);
}

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define HAVANA "CST5CDT,M3.2.0/0,M11.1.0/1" /* in spring there is no midnight */

static void test_periods(void)
{
	static const struct {
		const char *tz, *now;
		uint32_t day, month;
		const char *next_day, *next_month;
	} table[] = {
		{ "UTC", "2026-01-31 23:59", 20260131, 202601, "2026-02-01 00:00",
		  "2026-02-01 00:00" },
		{ "UTC", "2026-02-28 12:00", 20260228, 202602, "2026-03-01 00:00",
		  "2026-03-01 00:00" },
		{ "UTC", "2028-02-28 12:00", 20280228, 202802, "2028-02-29 00:00",
		  "2028-03-01 00:00" },
		{ "UTC", "2026-12-31 00:00", 20261231, 202612, "2027-01-01 00:00",
		  "2027-01-01 00:00" },
		{ "UTC", "2026-03-31 10:00", 20260331, 202603, "2026-04-01 00:00",
		  "2026-04-01 00:00" },
		{ BERLIN, "2026-03-29 01:59", 20260329, 202603, "2026-03-30 00:00",
		  "2026-04-01 00:00" },
		{ BERLIN, "2026-10-25 02:30-", 20261025, 202610, "2026-10-26 00:00",
		  "2026-11-01 00:00" },
		{ BERLIN, "2026-10-25 02:30+", 20261025, 202610, "2026-10-26 00:00",
		  "2026-11-01 00:00" },
		{ HAVANA, "2026-03-07 23:59", 20260307, 202603, "2026-03-08 01:00",
		  "2026-04-01 00:00" },
		{ "XXX-14", "2026-12-31 23:59", 20261231, 202612, "2027-01-01 00:00",
		  "2027-01-01 00:00" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		time_t now;

		zone(table[i].tz);
		now = at(table[i].now);
		CU_ASSERT_EQUAL(pm_calendar_period(POLICY_PER_DAY, now), table[i].day);
		CU_ASSERT_EQUAL(pm_calendar_period(POLICY_PER_MONTH, now), table[i].month);
		is_at(pm_calendar_next(POLICY_PER_DAY, now), table[i].next_day);
		is_at(pm_calendar_next(POLICY_PER_MONTH, now), table[i].next_month);
	}
}

/* The days of two years follow each other, and none is missed. */
static void test_periods_are_seamless(void)
{
	static const char *const zones[] = { "UTC", BERLIN, HAVANA, "<+1245>-12:45" };

	for (size_t z = 0; z < 4; z++) {
		time_t t, end;

		zone(zones[z]);
		t = at("2026-01-01 00:00");
		end = at("2028-01-01 00:00");
		for (int nr = 0; t < end; nr++) {
			time_t next = pm_calendar_next(POLICY_PER_DAY, t);
			uint32_t day = pm_calendar_period(POLICY_PER_DAY, t);

			CU_ASSERT_FATAL(next - t >= 23 * 3600 && next - t <= 25 * 3600);
			CU_ASSERT_EQUAL_FATAL(pm_calendar_period(POLICY_PER_DAY, next - 1), day);
			CU_ASSERT_FATAL(pm_calendar_period(POLICY_PER_DAY, next) > day);
			CU_ASSERT_FATAL(nr < 731);
			t = next;
		}
	}
}

static void test_schedules(void)
{
	static const struct {
		struct policy_when when;
		const char *now;
		bool within;
		const char *change;
	} table[] = {
		{ { 0 }, "2026-11-25 12:00", true, "never" },
		{ { .days = 0x7f }, "2026-11-25 12:00", true, "never" },
		/* 2026-11-25 is a Wednesday. */
		{ { .days = DAYS(WED) }, "2026-11-25 12:00", true, "2026-11-26 00:00" },
		{ { .days = DAYS(TUE) }, "2026-11-25 12:00", false, "2026-12-01 00:00" },
		{ { .days = 0x7f, .hours = { { 480, 1080 } }, .nr_hours = 1 },
		  "2026-11-25 08:00",
		  true,
		  "2026-11-25 18:00" },
		{ { .days = 0x7f, .hours = { { 480, 1080 } }, .nr_hours = 1 },
		  "2026-11-25 07:59",
		  false,
		  "2026-11-25 08:00" },
		{ { .days = 0x7f, .hours = { { 480, 1080 } }, .nr_hours = 1 },
		  "2026-11-25 18:00",
		  false,
		  "2026-11-26 08:00" },
		{ { .days = DAYS(WED), .hours = { { 480, 1080 } }, .nr_hours = 1 },
		  "2026-11-25 18:00",
		  false,
		  "2026-12-02 08:00" },
		{ { .days = 0x7f & ~DAYS(WED) }, "2026-11-26 00:00", true, "2026-12-02 00:00" },
		/* Past midnight it is still the evening before. */
		{ { .days = DAYS(WED), .hours = { { 1320, 360 } }, .nr_hours = 1 },
		  "2026-11-25 23:00",
		  true,
		  "2026-11-26 06:00" },
		{ { .days = DAYS(WED), .hours = { { 1320, 360 } }, .nr_hours = 1 },
		  "2026-11-26 05:59",
		  true,
		  "2026-11-26 06:00" },
		{ { .days = DAYS(WED), .hours = { { 1320, 360 } }, .nr_hours = 1 },
		  "2026-11-25 05:59",
		  false,
		  "2026-11-25 22:00" },
		{ { .days = DAYS(WED), .hours = { { 1320, 360 } }, .nr_hours = 1 },
		  "2026-11-26 06:00",
		  false,
		  "2026-12-02 22:00" },
		{ { .days = DAYS(SAT), .hours = { { 1320, 360 } }, .nr_hours = 1 },
		  "2026-11-29 01:00",
		  true,
		  "2026-11-29 06:00" },
		/* Two that touch are one; until 24:00 is not from 00:00. */
		{ { .days = 0x7f, .hours = { { 480, 720 }, { 720, 800 } }, .nr_hours = 2 },
		  "2026-11-25 09:00",
		  true,
		  "2026-11-25 13:20" },
		{ { .days = 0x7f, .hours = { { 720, 1440 } }, .nr_hours = 1 },
		  "2026-11-25 23:59",
		  true,
		  "2026-11-26 00:00" },
		{ { .days = 0x7f, .hours = { { 720, 1440 }, { 0, 60 } }, .nr_hours = 2 },
		  "2026-11-25 23:59",
		  true,
		  "2026-11-26 01:00" },
		/* The hour that is left out, and the one that comes twice. */
		{ { .days = 0x7f, .hours = { { 150, 240 } }, .nr_hours = 1 },
		  "2026-03-29 01:59",
		  false,
		  "2026-03-29 03:00" },
		{ { .days = 0x7f, .hours = { { 60, 150 } }, .nr_hours = 1 },
		  "2026-10-25 01:30",
		  true,
		  "2026-10-25 02:30" },
	};

	zone(BERLIN);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		time_t now = at(table[i].now);

		CU_ASSERT_EQUAL(pm_calendar_within(&table[i].when, now), table[i].within);
		is_at(pm_calendar_change(&table[i].when, now), table[i].change);
	}
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("calendar", NULL, NULL);
	CU_ADD_TEST(s, test_periods);
	CU_ADD_TEST(s, test_periods_are_seamless);
	CU_ADD_TEST(s, test_schedules);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
