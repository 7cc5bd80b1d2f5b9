// SPDX-License-Identifier: GPL-2.0-only
/* What paths have moved: counters, periods, clocks and the file, as tables of samples. */
#include "pm/caps.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

#define DAY	  86400
#define NOV_25	  1795608000 /* 2026-11-25 12:00 UTC, a Wednesday */
#define NOT_SET	  1000	     /* 1970: a clock nobody has set */
#define LAST_DAY  (NOV_25 + 5 * DAY)
#define FIRST_DAY (NOV_25 + 6 * DAY)

static const char text[] =
	"version: 1\nname: t\n"
	"paths:\n"
	"  - { name: wifi, match: { type: wifi } }\n"
	"  - { name: lte, match: { type: cellular } }\n"
	"  - { name: night, match: { interface: n0 }, when: { time: 22:00-06:00 } }\n"
	"caps:\n"
	"  - { path: lte, bytes: 1000kB, per: month, then: backup }\n"
	"  - { path: lte, bytes: 400kB, per: day, then: notify }\n"
	"  - { path: lte, bytes: 2MB, per: month, then: close }\n";

static struct policy *policy;
static char folder[] = "/tmp/test_caps.XXXXXX", file[64];

static struct policy *parse(const char *yaml)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;

	if (policy_parse("t", yaml, strlen(yaml), &p, &d) < 0)
		policy_diagnostics_print(stdout, "t", &d, false);
	policy_diagnostics_clear(&d);
	return p;
}

static int set_up(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	policy = parse(text);
	if (!policy || !mkdtemp(folder))
		return 1;
	snprintf(file, sizeof(file), "%s/deep/caps", folder);
	return 0;
}

static int tear_down(void)
{
	char command[96];

	policy_free(&policy);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void sample(struct pm_caps *c, const char *interface, int ifindex, uint64_t kb, time_t now)
{
	struct pm_counter counter = { .path = 1, .ifindex = ifindex, .bytes = kb * 1000 };

	snprintf(counter.interface, sizeof(counter.interface), "%s", interface);
	CU_ASSERT_EQUAL(pm_caps_count(c, &counter, 1, now), 0);
}

static uint64_t used_kb(const struct pm_caps *c, size_t cap, time_t now)
{
	struct pm_cap_view v;

	pm_caps_view(c, cap, now, &v);
	return v.used_bytes / 1000;
}

static enum pm_allowed lte(const struct pm_caps *c, time_t now)
{
	enum pm_allowed out[3];

	pm_caps_allowed(c, now, out);
	CU_ASSERT_EQUAL(out[0], PM_ALLOWED_ALL);
	return out[1];
}

struct step {
	const char *interface;
	int ifindex;
	uint64_t kb;
	time_t now;
	uint64_t month_kb, day_kb; /* counted so far, as seen now */
	enum pm_allowed allowed;
};

static void walk(struct pm_caps *c, const struct step *steps, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct step *s = &steps[i];

		sample(c, s->interface, s->ifindex, s->kb, s->now);
		if (used_kb(c, 0, s->now) != s->month_kb || used_kb(c, 1, s->now) != s->day_kb)
			printf("\n  step %zu: %llu kB this month, %llu today\n", i,
			       (unsigned long long)used_kb(c, 0, s->now),
			       (unsigned long long)used_kb(c, 1, s->now));
		CU_ASSERT_EQUAL(used_kb(c, 0, s->now), s->month_kb);
		CU_ASSERT_EQUAL(used_kb(c, 1, s->now), s->day_kb);
		CU_ASSERT_EQUAL(lte(c, s->now), s->allowed);
	}
}

#define WALK(...)                                                                 \
	do {                                                                      \
		static const struct step steps_[] = { __VA_ARGS__ };              \
		_cleanup_(pm_caps_free) struct pm_caps *c_ = pm_caps_new(policy); \
		CU_ASSERT_PTR_NOT_NULL_FATAL(c_);                                 \
		walk(c_, steps_, sizeof(steps_) / sizeof(steps_[0]));             \
	} while (0)

static void test_counters(void)
{
	/* What was moved before the first look does not count. */
	WALK({ "w0", 3, 5000, NOV_25, 0, 0, PM_ALLOWED_ALL },
	     { "w0", 3, 5100, NOV_25 + 1, 100, 100, PM_ALLOWED_ALL },
	     { "w0", 3, 5100, NOV_25 + 2, 100, 100, PM_ALLOWED_ALL },
	     { "w0", 3, 5999, NOV_25 + 3, 999, 999, PM_ALLOWED_ALL },
	     { "w0", 3, 6000, NOV_25 + 4, 1000, 1000, PM_ALLOWED_BACKUP },
	     { "w0", 3, 7000, NOV_25 + 5, 2000, 2000, PM_ALLOWED_NONE });
	/* Reset by the driver, then made again under the same name, then another one. */
	WALK({ "w0", 3, 5000, NOV_25, 0, 0, PM_ALLOWED_ALL },
	     { "w0", 3, 50, NOV_25 + 1, 50, 50, PM_ALLOWED_ALL },
	     { "w0", 9, 70, NOV_25 + 2, 120, 120, PM_ALLOWED_ALL },
	     { "w1", 10, 900, NOV_25 + 3, 120, 120, PM_ALLOWED_ALL },
	     { "w1", 10, 910, NOV_25 + 4, 130, 130, PM_ALLOWED_ALL },
	     { "w0", 9, 71, NOV_25 + 5, 131, 131, PM_ALLOWED_ALL });
}

static void test_periods(void)
{
	WALK({ "w0", 3, 0, NOV_25, 0, 0, PM_ALLOWED_ALL },
	     { "w0", 3, 300, NOV_25 + 1, 300, 300, PM_ALLOWED_ALL },
	     { "w0", 3, 300, NOV_25 + DAY, 300, 0, PM_ALLOWED_ALL },
	     { "w0", 3, 500, NOV_25 + DAY, 500, 200, PM_ALLOWED_ALL },
	     { "w0", 3, 1300, LAST_DAY, 1300, 800, PM_ALLOWED_BACKUP },
	     { "w0", 3, 1300, FIRST_DAY, 0, 0, PM_ALLOWED_ALL },
	     { "w0", 3, 1310, FIRST_DAY, 10, 10, PM_ALLOWED_ALL });
}

static void test_clocks(void)
{
	/* Set back by a day and by a year, and right again. */
	WALK({ "w0", 3, 0, NOV_25, 0, 0, PM_ALLOWED_ALL },
	     { "w0", 3, 1500, NOV_25, 1500, 1500, PM_ALLOWED_BACKUP },
	     { "w0", 3, 1510, NOV_25 - DAY, 1510, 10, PM_ALLOWED_BACKUP },
	     { "w0", 3, 1512, NOV_25 - 365 * DAY, 2, 2, PM_ALLOWED_ALL },
	     { "w0", 3, 1513, NOV_25 + 1000 * DAY, 1, 1, PM_ALLOWED_ALL },
	     { "w0", 3, 1513, NOV_25 - 365 * DAY, 2, 2, PM_ALLOWED_ALL },
	     { "w0", 3, 1513, NOV_25, 1510, 1500, PM_ALLOWED_BACKUP });
	/* Not set: it is still the period that was last. */
	WALK({ "w0", 3, 0, NOV_25, 0, 0, PM_ALLOWED_ALL },
	     { "w0", 3, 1500, NOV_25, 1500, 1500, PM_ALLOWED_BACKUP },
	     { "w0", 3, 1600, NOT_SET, 1600, 1600, PM_ALLOWED_BACKUP },
	     { "w0", 3, 1600, NOV_25 + DAY, 1600, 0, PM_ALLOWED_BACKUP });
	/* The same when nothing had been counted in it. */
	WALK({ "w0", 3, 0, NOV_25, 0, 0, PM_ALLOWED_ALL },
	     { "w0", 3, 100, NOT_SET, 100, 100, PM_ALLOWED_ALL },
	     { "w0", 3, 110, NOV_25 + 1, 110, 110, PM_ALLOWED_ALL });
}

static void test_schedule(void)
{
	_cleanup_(pm_caps_free) struct pm_caps *c = pm_caps_new(policy);
	enum pm_allowed out[3];
	char reason[PM_REASON_BYTES];

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	pm_caps_allowed(c, NOV_25, out);
	CU_ASSERT_EQUAL(out[2], PM_ALLOWED_NONE);
	pm_caps_reason(c, 2, NOV_25, reason);
	CU_ASSERT_STRING_EQUAL(reason, "outside of the time it may be used");
	pm_caps_reason(c, 1, NOV_25, reason);
	CU_ASSERT_STRING_EQUAL(reason, "");
	pm_caps_allowed(c, NOV_25 + 10 * 3600, out);
	CU_ASSERT_EQUAL(out[2], PM_ALLOWED_ALL);
	/* With a clock that nobody has set there is no telling. */
	pm_caps_allowed(c, NOT_SET + 12 * 3600, out);
	CU_ASSERT_EQUAL(out[2], PM_ALLOWED_ALL);
	CU_ASSERT_EQUAL(pm_caps_due(c, NOV_25), NOV_25 + 3600);
	CU_ASSERT_EQUAL(pm_caps_due(c, NOV_25 + 10 * 3600 - 5), NOV_25 + 10 * 3600);
	CU_ASSERT_EQUAL(pm_caps_due(c, NOV_25 + 12 * 3600 - 7), NOV_25 + 12 * 3600);
}

static void test_notices(void)
{
	_cleanup_(pm_caps_free) struct pm_caps *c = pm_caps_new(policy);
	char notice[PM_CAPS_TEXT_BYTES], reason[PM_REASON_BYTES];

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	sample(c, "w0", 3, 0, NOV_25);
	sample(c, "w0", 3, 399, NOV_25);
	CU_ASSERT_FALSE(pm_caps_notice(c, NOV_25, notice));
	sample(c, "w0", 3, 2100, NOV_25);
	CU_ASSERT_TRUE(pm_caps_notice(c, NOV_25, notice));
	CU_ASSERT_STRING_EQUAL(notice, "path \"lte\" has moved 2.1 MB of 400.0 kB today (ends "
				       "2026-11-26 00:00): it goes on");
	CU_ASSERT_TRUE(pm_caps_notice(c, NOV_25, notice));
	CU_ASSERT_STRING_EQUAL(notice, "path \"lte\" has moved 2.1 MB of 1.0 MB this month (ends "
				       "2026-12-01 00:00): it is a backup until then");
	CU_ASSERT_TRUE(pm_caps_notice(c, NOV_25, notice));
	CU_ASSERT_STRING_EQUAL(notice, "path \"lte\" has moved 2.1 MB of 2.0 MB this month (ends "
				       "2026-12-01 00:00): it is closed until then");
	CU_ASSERT_FALSE(pm_caps_notice(c, NOV_25, notice));
	sample(c, "w0", 3, 2200, NOV_25);
	CU_ASSERT_FALSE(pm_caps_notice(c, NOV_25, notice));
	pm_caps_reason(c, 1, NOV_25, reason);
	CU_ASSERT_STRING_EQUAL(reason, "2.2 MB of 2.0 MB this month");
	/* Each period has its own. */
	sample(c, "w0", 3, 2600, NOV_25 + DAY);
	CU_ASSERT_TRUE(pm_caps_notice(c, NOV_25 + DAY, notice));
	CU_ASSERT_FALSE(pm_caps_notice(c, NOV_25 + DAY, notice));
}

static void save(struct pm_caps *c)
{
	struct error e = { 0 };

	CU_ASSERT_EQUAL(pm_caps_save(c, file, "boot-1", &e), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "");
	CU_ASSERT_FALSE(pm_caps_changed(c));
}

static void test_restart(void)
{
	_cleanup_(pm_caps_free) struct pm_caps *before = pm_caps_new(policy);
	struct step later = { "w0", 3, 650, NOV_25 + 9, 650, 650, PM_ALLOWED_ALL };
	char notice[PM_CAPS_TEXT_BYTES];
	struct error e = { 0 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(before);
	CU_ASSERT_EQUAL(pm_caps_load(before, file, "boot-1", &e), 0);
	CU_ASSERT_FALSE(pm_caps_changed(before));
	sample(before, "w0", 3, 0, NOV_25);
	CU_ASSERT_TRUE(pm_caps_changed(before));
	sample(before, "w0", 3, 600, NOV_25);
	CU_ASSERT_TRUE(pm_caps_changed(before));
	CU_ASSERT_TRUE(pm_caps_notice(before, NOV_25, notice));
	save(before);
	/* Killed: what is not saved is in the kernel's counters. */
	sample(before, "w0", 3, 640, NOV_25 + 5);
	for (int boot = 1; boot <= 2; boot++) {
		_cleanup_(pm_caps_free) struct pm_caps *after = pm_caps_new(policy);

		CU_ASSERT_PTR_NOT_NULL_FATAL(after);
		CU_ASSERT_EQUAL(pm_caps_load(after, file, boot == 1 ? "boot-1" : "boot-2", &e), 0);
		CU_ASSERT_FALSE(pm_caps_notice(after, NOV_25, notice));
		/* After a reboot a larger value is no progress, but all that there was. */
		if (boot == 2) {
			later.month_kb = later.day_kb = 600 + 650;
			later.allowed = PM_ALLOWED_BACKUP;
		}
		walk(after, &later, 1);
	}
}

/* A policy that has no caps for a while, or other paths, costs nothing and loses nothing. */
static void test_policies(void)
{
	_cleanup_(policy_free) struct policy *other =
		parse("version: 1\nname: o\npaths: [ { name: x, match: { type: vpn } },\n"
		      "  { name: lte } ]\n");
	_cleanup_(pm_caps_free) struct pm_caps *c = pm_caps_new(policy);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_PTR_NOT_NULL_FATAL(other);
	sample(c, "w0", 3, 0, NOV_25);
	sample(c, "w0", 3, 600, NOV_25);
	save(c);
	pm_caps_policy(c, other);
	sample(c, "w0", 3, 90000, NOV_25);
	CU_ASSERT_TRUE(pm_caps_changed(c));
	pm_caps_policy(c, policy);
	sample(c, "w0", 3, 90100, NOV_25);
	CU_ASSERT_EQUAL(used_kb(c, 0, NOV_25), 600);
	sample(c, "w0", 3, 90110, NOV_25);
	CU_ASSERT_EQUAL(used_kb(c, 0, NOV_25), 610);
}

static void write_file(const char *content, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen(file, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fwrite(content, 1, size, f);
}

static size_t read_file(char *out, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen(file, "r");
	size_t n = f ? fread(out, 1, size - 1, f) : 0;

	out[n] = '\0';
	return n;
}

static void test_damage(void)
{
	static const char *const bad[] = {
		"",
		"end",
		"version=2\nend\n",
		"version=1\nboot=x\ncounter=w0 ifindex -1 bytes 2\nend\n",
		"version=1\nused=lte week 2026 bytes 1 told 0\nend\n",
		"version=1\nused=lte day 20261125 bytes x told 0\nend\n",
		"version=1\nbelieved=soon\nend\n",
		"version=1\nnoise\nend\n",
		"version=1\nother=1\nend\n",
	};
	_cleanup_(pm_caps_free) struct pm_caps *c = pm_caps_new(policy);
	char good[1024], aside[80];
	struct error e = { 0 };
	size_t size;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	snprintf(aside, sizeof(aside), "%s.bad", file);
	sample(c, "w0", 3, 0, NOV_25);
	sample(c, "w0", 3, 600, NOV_25);
	save(c);
	size = read_file(good, sizeof(good));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(bad[i], strlen(bad[i]));
		unlink(aside);
		CU_ASSERT_EQUAL(pm_caps_load(c, file, "boot-1", &e), -EBADMSG);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "is damaged: counting starts anew"));
		CU_ASSERT_EQUAL(access(aside, F_OK), 0);
		CU_ASSERT_EQUAL(access(file, F_OK), -1);
		CU_ASSERT_EQUAL(used_kb(c, 0, NOV_25), 0);
	}
	for (size_t n = 0; n < size; n++) {
		write_file(good, n);
		CU_ASSERT_EQUAL(pm_caps_load(c, file, "boot-1", &e), -EBADMSG);
	}
	write_file(good, size);
	CU_ASSERT_EQUAL(pm_caps_load(c, file, "boot-1", &e), 0);
	CU_ASSERT_EQUAL(used_kb(c, 0, NOV_25), 600);
}

/* /dev/full behind the name of the new file answers as a full disk does. */
static void test_full_disk(void)
{
	_cleanup_(pm_caps_free) struct pm_caps *c = pm_caps_new(policy);
	char before[1024], after[1024], fresh[80];
	struct error e = { 0 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	snprintf(fresh, sizeof(fresh), "%s.new", file);
	sample(c, "w0", 3, 0, NOV_25);
	sample(c, "w0", 3, 600, NOV_25);
	save(c);
	read_file(before, sizeof(before));
	sample(c, "w0", 3, 700, NOV_25);
	CU_ASSERT_EQUAL_FATAL(symlink("/dev/full", fresh), 0);
	CU_ASSERT_EQUAL(pm_caps_save(c, file, "boot-1", &e), -ENOSPC);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "No space left on device"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, file));
	CU_ASSERT_STRING_EQUAL(e.hint, "make room; the counts are kept in memory until then");
	CU_ASSERT_EQUAL(access(fresh, F_OK), -1);
	read_file(after, sizeof(after));
	CU_ASSERT_STRING_EQUAL(before, after);
	CU_ASSERT_TRUE(pm_caps_changed(c));
	CU_ASSERT_EQUAL(used_kb(c, 0, NOV_25), 700);
	save(c);
}

static void test_file_names(void)
{
	char out[128];

	unsetenv("MPTCP_PM_STATE_DIR");
	pm_caps_file("", out, sizeof(out));
	CU_ASSERT_STRING_EQUAL(out, "/var/lib/mptcp-pm/caps");
	setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b", 1);
	pm_caps_file("blue", out, sizeof(out));
	CU_ASSERT_STRING_EQUAL(out, "/var/lib/a/caps-blue");
	setenv("MPTCP_PM_STATE_DIR", "/t", 1);
	pm_caps_file("", out, sizeof(out));
	CU_ASSERT_STRING_EQUAL(out, "/t/caps");
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("caps", set_up, tear_down);
	CU_ADD_TEST(s, test_counters);
	CU_ADD_TEST(s, test_periods);
	CU_ADD_TEST(s, test_clocks);
	CU_ADD_TEST(s, test_schedule);
	CU_ADD_TEST(s, test_notices);
	CU_ADD_TEST(s, test_restart);
	CU_ADD_TEST(s, test_policies);
	CU_ADD_TEST(s, test_damage);
	CU_ADD_TEST(s, test_full_disk);
	CU_ADD_TEST(s, test_file_names);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
