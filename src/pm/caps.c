// SPDX-License-Identifier: GPL-2.0-only
/* Counting and judging; see caps.h. */
#include "pm/caps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pm/calendar.h"
#include "pm/caps_ledger.h"

#define CLOCK_SET 1735689600 /* 2025-01-01: machines without a clock start before */
#define LOOK_S	  3600

static const enum policy_period all_periods[] = { POLICY_PER_DAY, POLICY_PER_MONTH };
#define NR_PERIODS (sizeof(all_periods) / sizeof(all_periods[0]))

struct pm_caps *pm_caps_new(const struct policy *policy)
{
	struct pm_caps *c = calloc(1, sizeof(*c));

	if (c)
		c->policy = policy;
	return c;
}

void caps_forget(struct pm_caps *c)
{
	const struct policy *policy = c->policy;

	free(c->entries);
	free(c->baselines);
	*c = (struct pm_caps){ .policy = policy };
}

void pm_caps_free(struct pm_caps **c)
{
	if (!*c)
		return;
	caps_forget(*c);
	free(*c);
	*c = NULL;
}

void pm_caps_policy(struct pm_caps *c, const struct policy *policy)
{
	c->policy = policy;
}

bool pm_caps_changed(const struct pm_caps *c)
{
	return c->changed;
}

int caps_add_entry(struct pm_caps *c, const struct caps_entry *entry)
{
	struct caps_entry *bigger;

	/* The one that was not used for the longest time gives way. */
	if (c->nr_entries == CAPS_ENTRIES_MAX)
		memmove(c->entries, c->entries + 1, --c->nr_entries * sizeof(*c->entries));
	bigger = reallocarray(c->entries, c->nr_entries + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	c->entries = bigger;
	c->entries[c->nr_entries++] = *entry;
	return 0;
}

int caps_add_baseline(struct pm_caps *c, const struct caps_baseline *baseline)
{
	struct caps_baseline *bigger;

	if (c->nr_baselines == CAPS_COUNTERS_MAX)
		memmove(c->baselines, c->baselines + 1, --c->nr_baselines * sizeof(*c->baselines));
	bigger = reallocarray(c->baselines, c->nr_baselines + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	c->baselines = bigger;
	c->baselines[c->nr_baselines++] = *baseline;
	return 0;
}

static bool is_of(const struct caps_entry *x, const char *path, enum policy_period per)
{
	return x->per == per && strcmp(x->path, path) == 0;
}

static void remove_entry(struct pm_caps *c, size_t at)
{
	memmove(&c->entries[at], &c->entries[at + 1], (--c->nr_entries - at) * sizeof(*c->entries));
}

/* NULL: nothing was counted yet. With a clock that is not set it is the one used last. */
static struct caps_entry *find_entry(const struct pm_caps *c, const char *path,
				     enum policy_period per, time_t now)
{
	uint32_t period = pm_calendar_period(per, now);

	for (size_t i = c->nr_entries; i-- > 0;)
		if (is_of(&c->entries[i], path, per) &&
		    (now < CLOCK_SET || c->entries[i].period == period))
			return &c->entries[i];
	return NULL;
}

static void drop_old(struct pm_caps *c, const char *path, enum policy_period per)
{
	size_t nr = 0;

	for (size_t i = c->nr_entries; i-- > 0;)
		if (is_of(&c->entries[i], path, per) && ++nr > CAPS_PERIODS_KEPT)
			remove_entry(c, i);
}

static int add_bytes(struct pm_caps *c, const char *path, enum policy_period per, uint64_t bytes,
		     time_t now)
{
	struct caps_entry *found = find_entry(c, path, per, now), entry = { .per = per };
	int err;

	if (found) {
		entry = *found;
		remove_entry(c, (size_t)(found - c->entries));
	} else {
		snprintf(entry.path, sizeof(entry.path), "%s", path);
		entry.period = pm_calendar_period(per, now < CLOCK_SET ? c->believed : now);
	}
	if (__builtin_add_overflow(entry.bytes, bytes, &entry.bytes))
		entry.bytes = UINT64_MAX;
	err = caps_add_entry(c, &entry);
	drop_old(c, path, per);
	return err;
}

static bool is_capped(const struct pm_caps *c, unsigned int path, enum policy_period per)
{
	for (size_t i = 0; i < c->policy->nr_caps; i++)
		if (c->policy->caps[i].path == path && c->policy->caps[i].per == per)
			return true;
	return false;
}

static struct caps_baseline *find_baseline(const struct pm_caps *c, const char *interface)
{
	for (size_t i = 0; i < c->nr_baselines; i++)
		if (strcmp(c->baselines[i].interface, interface) == 0)
			return &c->baselines[i];
	return NULL;
}

/* What an interface has moved since it was looked at; nothing the first time. */
static int since_last(struct pm_caps *c, const struct pm_counter *counter, uint64_t *out)
{
	struct caps_baseline *last = find_baseline(c, counter->interface), fresh = { 0 };

	*out = 0;
	if (!last) {
		memcpy(fresh.interface, counter->interface, sizeof(fresh.interface));
		fresh.ifindex = counter->ifindex;
		fresh.bytes = counter->bytes;
		c->changed = true;
		return caps_add_baseline(c, &fresh);
	}
	if (last->ifindex == counter->ifindex && counter->bytes >= last->bytes)
		*out = counter->bytes - last->bytes;
	else
		*out = counter->bytes;
	c->changed |= last->ifindex != counter->ifindex || last->bytes != counter->bytes;
	last->ifindex = counter->ifindex;
	last->bytes = counter->bytes;
	return 0;
}

static int count(struct pm_caps *c, const struct pm_counter *counter, time_t now)
{
	const char *path = c->policy->paths[counter->path].name;
	struct caps_baseline *last;
	uint64_t bytes = 0;
	bool capped = false;
	int err;

	for (size_t i = 0; i < NR_PERIODS; i++)
		capped |= is_capped(c, counter->path, all_periods[i]);
	if (!capped) {
		/* What it moves now must not count when it is capped one day. */
		last = find_baseline(c, counter->interface);
		if (last) {
			*last = c->baselines[--c->nr_baselines];
			c->changed = true;
		}
		return 0;
	}
	err = since_last(c, counter, &bytes);
	for (size_t i = 0; err == 0 && bytes && i < NR_PERIODS; i++)
		if (is_capped(c, counter->path, all_periods[i]))
			err = add_bytes(c, path, all_periods[i], bytes, now);
	return err;
}

int pm_caps_count(struct pm_caps *c, const struct pm_counter *counters, size_t nr, time_t now)
{
	int err = 0;

	if (now >= CLOCK_SET)
		c->believed = now;
	for (size_t i = 0; err == 0 && i < nr; i++)
		err = count(c, &counters[i], now);
	return err;
}

void pm_caps_view(const struct pm_caps *c, size_t i, time_t now, struct pm_cap_view *out)
{
	const struct policy_cap *cap = &c->policy->caps[i];
	const struct caps_entry *entry =
		find_entry(c, c->policy->paths[cap->path].name, cap->per, now);

	*out = (struct pm_cap_view){
		.cap = cap,
		.used_bytes = entry ? entry->bytes : 0,
		.until = pm_calendar_next(cap->per, now),
	};
	out->reached = out->used_bytes >= cap->bytes;
}

static enum pm_allowed what_is_left(const struct pm_cap_view *v)
{
	if (!v->reached)
		return PM_ALLOWED_ALL;
	switch (v->cap->then) {
	case POLICY_CAP_BACKUP:
		return PM_ALLOWED_BACKUP;
	case POLICY_CAP_CLOSE:
		return PM_ALLOWED_NONE;
	case POLICY_CAP_NOTIFY:
		break;
	}
	return PM_ALLOWED_ALL;
}

static bool is_closed_by_clock(const struct pm_caps *c, unsigned int path, time_t now)
{
	return now >= CLOCK_SET && !pm_calendar_within(&c->policy->paths[path].when, now);
}

void pm_caps_allowed(const struct pm_caps *c, time_t now, enum pm_allowed *out)
{
	struct pm_cap_view v;

	for (unsigned int i = 0; i < c->policy->nr_paths; i++)
		out[i] = is_closed_by_clock(c, i, now) ? PM_ALLOWED_NONE : PM_ALLOWED_ALL;
	for (size_t i = 0; i < c->policy->nr_caps; i++) {
		pm_caps_view(c, i, now, &v);
		if (what_is_left(&v) > out[v.cap->path])
			out[v.cap->path] = what_is_left(&v);
	}
}

/* "2.1 GB": to be read, where quantity_format() is to be read back. */
static void size_text(uint64_t bytes, char out[16])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	uint64_t tenths = bytes / 100;
	size_t unit = 0;

	while (tenths >= 10000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		tenths /= 1000;
		unit++;
	}
	snprintf(out, 16, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[unit]);
}

static void describe(const struct pm_cap_view *v, char *out, size_t size)
{
	char used[16], cap[16];

	size_text(v->used_bytes, used);
	size_text(v->cap->bytes, cap);
	snprintf(out, size, "%s of %s %s", used, cap,
		 v->cap->per == POLICY_PER_DAY ? "today" : "this month");
}

void pm_caps_reason(const struct pm_caps *c, unsigned int path, time_t now,
		    char out[PM_REASON_BYTES])
{
	enum pm_allowed worst = PM_ALLOWED_ALL;
	struct pm_cap_view v;

	out[0] = '\0';
	if (is_closed_by_clock(c, path, now)) {
		snprintf(out, PM_REASON_BYTES, "outside of the time it may be used");
		return;
	}
	for (size_t i = 0; i < c->policy->nr_caps; i++) {
		if (c->policy->caps[i].path != path)
			continue;
		pm_caps_view(c, i, now, &v);
		if (what_is_left(&v) <= worst)
			continue;
		worst = what_is_left(&v);
		describe(&v, out, PM_REASON_BYTES);
	}
}

time_t pm_caps_due(const struct pm_caps *c, time_t now)
{
	time_t due = now + LOOK_S, t;

	for (size_t i = 0; i < c->policy->nr_caps; i++) {
		t = pm_calendar_next(c->policy->caps[i].per, now);
		due = t < due ? t : due;
	}
	for (size_t i = 0; i < c->policy->nr_paths; i++) {
		t = pm_calendar_change(&c->policy->paths[i].when, now);
		due = t < due ? t : due;
	}
	return due;
}

static const char *then_text(enum policy_cap_action then)
{
	switch (then) {
	case POLICY_CAP_BACKUP:
		return "it is a backup until then";
	case POLICY_CAP_CLOSE:
		return "it is closed until then";
	case POLICY_CAP_NOTIFY:
		break;
	}
	return "it goes on";
}

/* The smallest cap that was reached and not told of. */
static size_t untold(const struct pm_caps *c, time_t now)
{
	const struct policy_cap *caps = c->policy->caps;
	size_t best = c->policy->nr_caps;

	for (size_t i = 0; i < c->policy->nr_caps; i++) {
		const struct caps_entry *entry =
			find_entry(c, c->policy->paths[caps[i].path].name, caps[i].per, now);

		if (entry && entry->bytes >= caps[i].bytes && entry->told_bytes < caps[i].bytes &&
		    (best == c->policy->nr_caps || caps[i].bytes < caps[best].bytes))
			best = i;
	}
	return best;
}

bool pm_caps_notice(struct pm_caps *c, time_t now, char out[PM_CAPS_TEXT_BYTES])
{
	size_t i = untold(c, now);
	char moved[64], until[24];
	struct caps_entry *entry;
	struct pm_cap_view v;
	const char *path;
	struct tm tm;

	if (i == c->policy->nr_caps)
		return false;
	pm_caps_view(c, i, now, &v);
	path = c->policy->paths[v.cap->path].name;
	entry = find_entry(c, path, v.cap->per, now);
	entry->told_bytes = v.cap->bytes;
	c->changed = true;
	describe(&v, moved, sizeof(moved));
	localtime_r(&v.until, &tm);
	strftime(until, sizeof(until), "%Y-%m-%d %H:%M", &tm);
	snprintf(out, PM_CAPS_TEXT_BYTES, "path \"%.48s\" has moved %s (ends %s): %s", path, moved,
		 until, then_text(v.cap->then));
	return true;
}
