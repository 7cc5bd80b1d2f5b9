// SPDX-License-Identifier: GPL-2.0-only
/* The oracle's arithmetic, and from its records to what the engine wants. */
#include "pm/oracle.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "pm/address.h"
#include "util/cleanup.h"

#define MS	  1000000ull
#define NR(a)	  (sizeof(a) / sizeof((a)[0]))
#define PERIOD_MS 500u
#define ALPHA	  500u

static void test_ema(void)
{
	static const struct {
		uint64_t old, sample, want;
		uint32_t alpha;
	} rows[] = {
		{ 0, 1000, 500, 500 },
		{ 1000, 0, 500, 500 },
		{ 1000, 2000, 1500, 500 },
		{ 100, 300, 100, 0 },
		{ 100, 300, 300, 1000 },
		{ 100, 300, 300, 4000000000u },
		{ 1000, 2000, 1250, 250 },
		{ 7, 7, 7, 333 },
		{ 1ull << 42, 1ull << 42, 1ull << 42, 500 },
	};

	for (size_t i = 0; i < NR(rows); i++)
		CU_ASSERT_EQUAL(oracle_ema(rows[i].old, rows[i].sample, rows[i].alpha),
				rows[i].want);
}

static void test_permille(void)
{
	CU_ASSERT_EQUAL(oracle_permille(0, 0), 0);
	CU_ASSERT_EQUAL(oracle_permille(5, 0), 0);
	CU_ASSERT_EQUAL(oracle_permille(1, 4), 250);
	CU_ASSERT_EQUAL(oracle_permille(4, 4), 1000);
	/* More lost than sent: what was sent before was lost now. */
	CU_ASSERT_EQUAL(oracle_permille(9, 4), 1000);
	CU_ASSERT_EQUAL(oracle_permille(1ull << 41, 1ull << 42), 500);
}

static void test_times(void)
{
	CU_ASSERT_EQUAL(oracle_rto_us(100, 200000, 0), 200100);
	CU_ASSERT_EQUAL(oracle_rto_us(100, 200000, 3), 1600800);
	CU_ASSERT_EQUAL(oracle_rto_us(UINT32_MAX, UINT32_MAX, 31), ORACLE_RTO_MAX_US);
	CU_ASSERT_EQUAL(oracle_overdue_us(100, 10), 50100);
	CU_ASSERT_EQUAL(oracle_overdue_us(100000, 50000), 300000);
	CU_ASSERT_EQUAL(oracle_overdue_us(UINT32_MAX, UINT32_MAX), ORACLE_NEVER_US);
	/* At the threshold, when the answer is overdue, once a period, and not without end. */
	CU_ASSERT_EQUAL(oracle_next_look_ms(150, 0, 50000, PERIOD_MS), 150);
	CU_ASSERT_EQUAL(oracle_next_look_ms(150, 60, 50000, PERIOD_MS), 90);
	CU_ASSERT_EQUAL(oracle_next_look_ms(150, 0, 300000, PERIOD_MS), 301);
	CU_ASSERT_EQUAL(oracle_next_look_ms(0, 0, 50000, PERIOD_MS), 51);
	CU_ASSERT_EQUAL(oracle_next_look_ms(0, 5000, 50000, PERIOD_MS), PERIOD_MS);
	CU_ASSERT_EQUAL(oracle_next_look_ms(900, 0, 50000, PERIOD_MS), PERIOD_MS);
	CU_ASSERT_EQUAL(oracle_next_look_ms(150, 149, 50000, PERIOD_MS), ORACLE_LOOK_MIN_MS);
}

static void take(struct oracle_health *h, uint64_t ms, struct oracle_report r)
{
	r.now_ns = ms * MS;
	r.overdue_us = r.overdue_us ? r.overdue_us : 50000;
	oracle_take(h, &r, ALPHA, PERIOD_MS);
}

/* MultiMob's own example: what was sent again, of what was sent, by volume. */
static void test_volume(void)
{
	struct oracle_health h = { 0 };

	take(&h, 1000, (struct oracle_report){ .segs = 1000, .srtt_us = 100, .rto_us = 200 });
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_RTT), 100);
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_RESENT), 0);
	take(&h, 1500, (struct oracle_report){ .segs = 1000, .resent = 100, .lost = 50 });
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_RESENT), 50);
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_LOSS), 25);
	/* Ten segments, all sent again, move it by as much as they are. */
	take(&h, 2000, (struct oracle_report){ .segs = 10, .resent = 10 });
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_RESENT), 59);
	/* Silence moves nothing. */
	take(&h, 60000, (struct oracle_report){ 0 });
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_RESENT), 59);
	take(&h, 61000, (struct oracle_report){ .segs = 1000, .resent = 1000 });
	CU_ASSERT(oracle_value(&h, ORACLE_RESENT) > 600);
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_TRIGGERS), 0);
}

static void test_rtt(void)
{
	struct oracle_health h = { 0 };

	/* The first sample counts at once, later ones by period, all connections alike. */
	take(&h, 100, (struct oracle_report){ .srtt_us = 10000, .rto_us = 210000, .segs = 1 });
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_RTT), 10000);
	take(&h, 200, (struct oracle_report){ .srtt_us = 10000, .rto_us = 210000, .segs = 1 });
	take(&h, 300, (struct oracle_report){ .srtt_us = 70000, .rto_us = 450000, .segs = 1 });
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_RTT), 10000);
	take(&h, 600, (struct oracle_report){ .srtt_us = 10000, .rto_us = 210000, .segs = 1 });
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_RTT), 17500);
	CU_ASSERT_EQUAL(oracle_value(&h, ORACLE_RTO), 240000);
}

static void test_rate(void)
{
	struct oracle_health h = { 0 };

	take(&h, 1000, (struct oracle_report){ .bytes = 1, .srtt_us = 1 });
	for (unsigned int i = 1; i <= 20; i++)
		take(&h, 1000 + 500 * i, (struct oracle_report){ .bytes = 625000 });
	CU_ASSERT(h.averages.rate_bps > 9900000 && h.averages.rate_bps <= 10000000);
	/* What cannot be is cut off, and does not come out small. */
	h = (struct oracle_health){ .period_ns = 1 };
	for (unsigned int i = 1; i <= 60; i++) {
		const struct oracle_sums wild = { .bytes = UINT64_MAX };

		oracle_close_period(&h.averages, &wild, MS, 1000);
		CU_ASSERT_EQUAL(h.averages.rate_bps, (1ull << 40) * 8000);
	}
}

/* Two connections on one path: what one hears is no stall of the other. */
static void test_stall(void)
{
	struct oracle_health h = { 0 };

	take(&h, 1000, (struct oracle_report){ .delivered_ns = 1000 * MS });
	take(&h, 1100, (struct oracle_report){ .waiting_ns = 1060 * MS });
	CU_ASSERT_EQUAL(h.stall_ms, 0); /* not overdue */
	take(&h, 1160, (struct oracle_report){ .waiting_ns = 1060 * MS });
	CU_ASSERT_EQUAL(h.stall_ms, 100);
	take(&h, 1200, (struct oracle_report){ .delivered_ns = 1199 * MS });
	CU_ASSERT_EQUAL(h.stall_ms, 0);
	take(&h, 1260, (struct oracle_report){ .waiting_ns = 1060 * MS });
	CU_ASSERT_EQUAL(h.stall_ms, 61);
	/* An ack that takes long is not overdue before it is. */
	take(&h, 1560, (struct oracle_report){ .waiting_ns = 1200 * MS, .overdue_us = 400000 });
	CU_ASSERT_EQUAL(h.stall_ms, 0);
	/* A clock that went on while the packet was on its way. */
	take(&h, 1600, (struct oracle_report){ .waiting_ns = 1700 * MS });
	CU_ASSERT_EQUAL(h.stall_ms, 0);
}

static void test_timeouts(void)
{
	struct oracle_health h = { 0 };

	take(&h, 100, (struct oracle_report){ .timeouts = 1, .waiting_ns = MS });
	take(&h, 150, (struct oracle_report){ .timeouts = 1, .waiting_ns = MS }); /* another's */
	CU_ASSERT_EQUAL(h.timeouts, 1);
	take(&h, 300, (struct oracle_report){ .timeouts = 3, .waiting_ns = MS });
	CU_ASSERT_EQUAL(h.timeouts, 3);
	take(&h, 400, (struct oracle_report){ .delivered_ns = 399 * MS });
	CU_ASSERT_EQUAL(h.timeouts, 0);
	/* Old news does not end a row. */
	take(&h, 500, (struct oracle_report){ .timeouts = 2 });
	take(&h, 501, (struct oracle_report){ .delivered_ns = 398 * MS });
	CU_ASSERT_EQUAL(h.timeouts, 2);
}

static void test_threshold(void)
{
	const struct oracle_threshold t = { 600, 400 }, off = { 0, 0 }, one = { 1, 0 };

	CU_ASSERT(!oracle_is_bad(&off, UINT32_MAX, 0) && !oracle_is_bad(&off, UINT32_MAX, 1));
	CU_ASSERT(!oracle_is_bad(&t, 599, 0) && oracle_is_bad(&t, 600, 0));
	CU_ASSERT(oracle_is_bad(&t, 401, 1) && !oracle_is_bad(&t, 400, 1));
	CU_ASSERT(oracle_is_bad(&one, 1, 0) && !oracle_is_bad(&one, 0, 1));
}

static uint64_t random_state = 1;

static uint64_t rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Whatever is reported: quotients stay quotients, averages stay within what was seen. */
static void test_properties(void)
{
	struct oracle_health h = { 0 };
	uint64_t now = MS;

	for (int i = 0; i < 200000; i++) {
		const bool wild = i % 16 == 0;
		struct oracle_report r = {
			.delivered_ns = rnd() % 4 ? 0 : now,
			.waiting_ns = rnd() % 2 ? now - rnd() % now : 0,
			.overdue_us = (uint32_t)(rnd() % ORACLE_NEVER_US),
			.srtt_us = 1000 + (uint32_t)(rnd() % 1000),
			.rto_us = 200000 + (uint32_t)(rnd() % 1000),
			.bytes = wild ? rnd() : rnd() % 1000000,
			.segs = (uint32_t)(wild ? rnd() : rnd() % 1000),
			.lost = (uint32_t)(wild ? rnd() : rnd() % 1000),
			.resent = (uint32_t)(wild ? rnd() : rnd() % 1000),
			.timeouts = (uint32_t)(rnd() % 5),
		};

		r.now_ns = now += rnd() % (200 * MS);
		oracle_take(&h, &r, (uint32_t)(rnd() % 1100), PERIOD_MS);
		if (oracle_value(&h, ORACLE_LOSS) > 1000 ||
		    oracle_value(&h, ORACLE_RESENT) > 1000 || oracle_value(&h, ORACLE_RTT) < 990 ||
		    oracle_value(&h, ORACLE_RTT) > 2000 || oracle_value(&h, ORACLE_RTO) < 199990 ||
		    h.averages.segs > (uint64_t)UINT32_MAX << ORACLE_FRACTION || h.timeouts > 4 ||
		    (!r.waiting_ns && h.stall_ms) || h.stall_ms > now / MS) {
			CU_FAIL("an average left its bounds");
			printf("round %d: rtt %u rto %u\n", i, oracle_value(&h, ORACLE_RTT),
			       oracle_value(&h, ORACLE_RTO));
			return;
		}
	}
	CU_PASS("all within their bounds");
}

static void test_prefix(void)
{
	uint8_t v4[16] = { [10] = 0xff, [11] = 0xff, 10, 1, 2, 3 };
	uint8_t v6[16] = { 0xfd, 0, 0, 1, 0, 2, 0, 3, [15] = 9 };
	struct pm_address a;
	char text[INET6_ADDRSTRLEN];

	oracle_cut_prefix(v4);
	a = pm_oracle_address(v4);
	CU_ASSERT_STRING_EQUAL(pm_address_text(&a, text), "10.1.2.0");
	oracle_cut_prefix(v6);
	a = pm_oracle_address(v6);
	CU_ASSERT_STRING_EQUAL(pm_address_text(&a, text), "fd00:1:2::");
}

static struct loader_oracle_path path(uint32_t ifindex, uint8_t local, uint8_t remote)
{
	struct loader_oracle_path p = { .key = { .ifindex = ifindex } };

	p.key.local[10] = p.key.local[11] = p.key.remote[10] = p.key.remote[11] = 0xff;
	p.key.local[12] = p.key.remote[12] = 10;
	p.key.local[15] = local;
	p.key.remote[14] = remote;
	return p;
}

static struct pm_health one(const struct loader_oracle_path *paths, size_t nr, uint64_t now_ms)
{
	_cleanup_free_ struct pm_health *list = NULL;
	size_t n = 0;

	CU_ASSERT_EQUAL_FATAL(pm_oracle_merge(paths, nr, now_ms * MS, &list, &n), 0);
	CU_ASSERT_EQUAL_FATAL(n, 1);
	return list[0];
}

static void test_merge_volume(void)
{
	struct loader_oracle_path p[] = { path(2, 1, 1), path(2, 1, 2) };
	struct pm_health h;
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < NR(p); i++) {
		struct oracle_averages *a = &p[i].value.health.averages;

		p[i].value.health.heard_ns = 1000 * MS;
		a->segs = (i ? 99ull : 899ull) << ORACLE_FRACTION;
		a->resent = (i ? 99ull : 0ull) << ORACLE_FRACTION;
		a->srtt_us = i ? 110000 : 10000;
		a->rto_us = 200000;
		a->rate_bps = 1000;
	}
	h = one(p, NR(p), 1500);
	CU_ASSERT_EQUAL(h.ifindex, 2);
	CU_ASSERT_STRING_EQUAL(pm_address_text(&h.local, text), "10.0.0.1");
	CU_ASSERT_EQUAL(h.srtt_us, 20000);
	CU_ASSERT_EQUAL(h.resent_permille, 99);
	CU_ASSERT_EQUAL(h.rate_bps, 2000);
}

/* A destination that is silent while another one of the source is heard. */
static void test_merge_trouble(void)
{
	struct loader_oracle_path p[] = { path(2, 1, 1), path(2, 1, 2) };
	struct oracle_health *dead = &p[0].value.health, *other = &p[1].value.health;
	struct pm_health h;

	dead->heard_ns = 5000 * MS;
	dead->delivered_ns = 4000 * MS;
	dead->stall_ms = 900;
	dead->timeouts = 2;
	other->heard_ns = other->delivered_ns = 3000 * MS;
	h = one(p, NR(p), 5100);
	CU_ASSERT_EQUAL(h.stall_ms, 900);
	CU_ASSERT_EQUAL(h.timeouts, 2);
	other->heard_ns = other->delivered_ns = 4950 * MS;
	h = one(p, NR(p), 5100);
	CU_ASSERT_EQUAL(h.stall_ms, 50);
	CU_ASSERT_EQUAL(h.timeouts, 0);
}

static void test_merge_sources(void)
{
	const struct loader_oracle_path p[] = { path(2, 1, 1), path(3, 1, 1), path(2, 2, 1),
						path(2, 1, 2), path(9, 9, 9) };
	struct loader_oracle_path all[NR(p)];
	_cleanup_free_ struct pm_health *list = NULL;
	size_t n = 0;

	memcpy(all, p, sizeof(p));
	for (size_t i = 0; i < NR(all); i++)
		all[i].value.health.heard_ns = 20000 * MS;
	all[4].value.health.heard_ns = (20000 - PM_ORACLE_FRESH_MS) * MS;
	CU_ASSERT_EQUAL_FATAL(pm_oracle_merge(all, NR(all), 20000 * MS, &list, &n), 0);
	CU_ASSERT_EQUAL(n, 3);
	free(list);
	list = NULL;
	CU_ASSERT_EQUAL_FATAL(pm_oracle_merge(NULL, 0, 1, &list, &n), 0);
	CU_ASSERT_EQUAL(n, 0);
}

static void test_config(void)
{
	struct policy_mode modes[ORACLE_SETS_MAX + 2] = { 0 };
	struct policy_rule rules[ORACLE_SETS_MAX + 1] = { 0 };
	struct policy p = { .modes = modes, .nr_modes = NR(modes), .rules = rules };
	unsigned int which[ORACLE_SETS_MAX] = { 0 };
	struct oracle_config c;

	modes[0].when_bad.rtt_us = (struct policy_threshold){ 600000, 400000 };
	modes[0].when_bad.loss_permille = (struct policy_threshold){ 250, 250 };
	modes[0].when_bad.alpha_permille = 300;
	modes[0].when_bad.period_ms = 700;
	modes[1].when_bad = modes[0].when_bad;
	pm_oracle_config(&p, &c, which);
	CU_ASSERT_EQUAL(c.nr_sets, 1);
	CU_ASSERT_EQUAL(c.alpha_permille, 300);
	CU_ASSERT_EQUAL(c.period_ms, 700);
	CU_ASSERT_EQUAL(c.sets[0][ORACLE_RTT].leave, 400000);
	CU_ASSERT_EQUAL(c.sets[0][ORACLE_LOSS].leave, 249);
	/* A mode with the same thresholds needs no set, others do, and the last takes the rest. */
	for (unsigned int i = 1; i < NR(modes); i++) {
		if (i > 1)
			modes[i].when_bad.stall_ms = (struct policy_threshold){ 1000 - i, i };
		rules[i - 1].mode_index = i;
	}
	p.nr_rules = NR(rules);
	pm_oracle_config(&p, &c, which);
	CU_ASSERT_EQUAL(c.nr_sets, ORACLE_SETS_MAX);
	CU_ASSERT_EQUAL(which[0], 0);
	CU_ASSERT_EQUAL(which[1], 2);
	CU_ASSERT_EQUAL(which[ORACLE_SETS_MAX - 1], ORACLE_SETS_MAX);
	CU_ASSERT_EQUAL(c.sets[ORACLE_SETS_MAX - 1][ORACLE_STALL].enter, 1000 - NR(modes) + 1);
	CU_ASSERT_EQUAL(c.sets[ORACLE_SETS_MAX - 1][ORACLE_STALL].leave, ORACLE_SETS_MAX);
	/* Values beyond what the kernel's side holds are the largest, and 0 stays off. */
	modes[0].when_bad.rtt_us.enter = UINT64_MAX;
	memset(&modes[0].when_bad.period_ms, 0, sizeof(modes[0].when_bad.period_ms));
	p.nr_rules = 0;
	pm_oracle_config(&p, &c, which);
	CU_ASSERT_EQUAL(c.sets[0][ORACLE_RTT].enter, UINT32_MAX);
	CU_ASSERT_EQUAL(c.period_ms, 500);
	CU_ASSERT_EQUAL(c.sets[0][ORACLE_TIMEOUTS].enter, 0);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("oracle", NULL, NULL);
	CU_ADD_TEST(s, test_ema);
	CU_ADD_TEST(s, test_permille);
	CU_ADD_TEST(s, test_times);
	CU_ADD_TEST(s, test_volume);
	CU_ADD_TEST(s, test_rtt);
	CU_ADD_TEST(s, test_rate);
	CU_ADD_TEST(s, test_stall);
	CU_ADD_TEST(s, test_timeouts);
	CU_ADD_TEST(s, test_threshold);
	CU_ADD_TEST(s, test_properties);
	CU_ADD_TEST(s, test_prefix);
	CU_ADD_TEST(s, test_merge_volume);
	CU_ADD_TEST(s, test_merge_trouble);
	CU_ADD_TEST(s, test_merge_sources);
	CU_ADD_TEST(s, test_config);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
