// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local time. mktime() is told the wall clock and finds the zone's offset, so a day may have 23 or
 * 25 hours. A wall clock time that a zone leaves out (midnight, in some) becomes one near it.
 */
#include "pm/calendar.h"

#define MINUTE_S  60
#define DAY_MIN	  1440
#define WEEK_DAYS 7
#define STEP_S	  1800 /* no zone shifts by less than this */

static struct tm local(time_t t)
{
	struct tm tm = { 0 };

	localtime_r(&t, &tm);
	return tm;
}

/* `minute` of the day that is `days` after that of `tm`. */
static time_t at(const struct tm *tm, int days, int minute)
{
	struct tm day = {
		.tm_year = tm->tm_year,
		.tm_mon = tm->tm_mon,
		.tm_mday = tm->tm_mday + days,
		.tm_hour = minute / 60,
		.tm_min = minute % 60,
		.tm_isdst = -1,
	};

	return mktime(&day);
}

uint32_t pm_calendar_period(enum policy_period per, time_t now)
{
	struct tm tm = local(now);
	uint32_t month = (uint32_t)(tm.tm_year + 1900) * 100 + (uint32_t)tm.tm_mon + 1;

	switch (per) {
	case POLICY_PER_DAY:
		return month * 100 + (uint32_t)tm.tm_mday;
	case POLICY_PER_MONTH:
		break;
	}
	return month;
}

time_t pm_calendar_next(enum policy_period per, time_t now)
{
	uint32_t current = pm_calendar_period(per, now);
	struct tm tm = local(now);
	time_t next;

	switch (per) {
	case POLICY_PER_DAY:
		tm.tm_mday++;
		break;
	case POLICY_PER_MONTH:
		tm.tm_mon++;
		tm.tm_mday = 1;
		break;
	}
	next = at(&tm, 0, 0);
	/* Where there is no midnight, it may still be the day before. */
	while (next <= now || pm_calendar_period(per, next) == current)
		next += STEP_S;
	return next;
}

static bool has_day(const struct policy_when *when, int weekday)
{
	return when->days >> ((weekday + WEEK_DAYS) % WEEK_DAYS) & 1;
}

bool pm_calendar_within(const struct policy_when *when, time_t now)
{
	struct tm tm = local(now);
	int minute = tm.tm_hour * 60 + tm.tm_min;

	if (!when->days)
		return true;
	if (!when->nr_hours)
		return has_day(when, tm.tm_wday);
	for (size_t i = 0; i < when->nr_hours; i++) {
		const struct policy_hours *h = &when->hours[i];
		bool today = has_day(when, tm.tm_wday);

		if (h->from < h->to && today && minute >= h->from && minute < h->to)
			return true;
		if (h->from < h->to)
			continue;
		if ((today && minute >= h->from) ||
		    (has_day(when, tm.tm_wday - 1) && minute < h->to))
			return true;
	}
	return false;
}

/* The earlier of `best` and `t`, if it is then that the answer changes. */
static time_t earlier(const struct policy_when *when, time_t now, time_t t, time_t best)
{
	return t > now && t < best && pm_calendar_within(when, t) != pm_calendar_within(when, now)
		       ? t
		       : best;
}

time_t pm_calendar_change(const struct policy_when *when, time_t now)
{
	time_t best = PM_CALENDAR_NEVER;
	struct tm tm = local(now);

	if (!when->days)
		return best;
	/* The day of today too in a week: its time may be over on the only day there is. */
	for (int day = 0; day <= WEEK_DAYS; day++) {
		best = earlier(when, now, at(&tm, day, 0), best);
		for (size_t i = 0; i < when->nr_hours; i++) {
			best = earlier(when, now, at(&tm, day, when->hours[i].from), best);
			best = earlier(when, now, at(&tm, day, when->hours[i].to % DAY_MIN), best);
		}
	}
	/* An hour that is left out has no beginning: it was over before. */
	while (best != PM_CALENDAR_NEVER && best - MINUTE_S > now &&
	       pm_calendar_within(when, best - MINUTE_S) == pm_calendar_within(when, best))
		best -= MINUTE_S;
	return best;
}
