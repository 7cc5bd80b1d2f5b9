/* SPDX-License-Identifier: GPL-2.0-only */
/* Days, months and times of day in the local time zone. Pure but for TZ. */
#ifndef PM_CALENDAR_H
#define PM_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "policy/policy.h"

/* The day as YYYYMMDD, the month as YYYYMM. */
uint32_t pm_calendar_period(enum policy_period per, time_t now);
/* When the next one begins. */
time_t pm_calendar_next(enum policy_period per, time_t now);

bool pm_calendar_within(const struct policy_when *when, time_t now);
/* When pm_calendar_within() will say the other; PM_CALENDAR_NEVER. */
time_t pm_calendar_change(const struct policy_when *when, time_t now);

#define PM_CALENDAR_NEVER ((time_t)INT64_MAX)

#endif
