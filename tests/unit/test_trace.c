// SPDX-License-Identifier: GPL-2.0-only
/* Lines as the kernel prints them, put together to decisions. */
#include "cli/trace_lines.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define D1                                                                                       \
	"     my comm [1]-1234    [003] b..1.    12.000345: mptcp_bpf_decision: token=0badcafe " \
	"scheduler=pmctl op=get_send reason=spilled chosen=2 err=0 unsent=1000 unacked=20 "      \
	"window=30 stuck_us=0 skipped=%u"
#define P(cpu, token, id)                                                                            \
	"   x-1  [00" cpu "] b..1.  12.000346: mptcp_bpf_path: token=" token " id=" id               \
	" flags=room|outstanding srtt_us=20000 rttvar_us=7 cwnd=10 in_flight=9 queued=5 stuck_us=3 " \
	"timeouts=1 lost=4 pacing=123456 min_rtt_us=15000 last_rtt_us=21000 delivery=654321"

static void take(struct trace_lines *t, const char *text)
{
	_cleanup_free_ char *copy = strdup(text);

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	CU_ASSERT_EQUAL(trace_lines_take(t, copy), 0);
}

static void take_decision(struct trace_lines *t, unsigned int skipped)
{
	char text[512];

	snprintf(text, sizeof(text), D1, skipped);
	take(t, text);
}

/* Paths of another CPU or connection are not this decision's. */
static void test_text(void)
{
	struct trace_lines *t = calloc(1, sizeof(*t));
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	t->out = open_memstream(&text, &size);
	take(t, P("3", "0badcafe", "7"));
	take_decision(t, 0);
	take(t, P("3", "0badcafe", "1"));
	take(t, P("2", "0badcafe", "8"));
	take(t, P("3", "11111111", "9"));
	take(t, P("3", "0badcafe", "2"));
	fflush(t->out);
	CU_ASSERT_EQUAL(size, 0);
	trace_lines_flush(t);
	fclose(t->out);
	CU_ASSERT_STRING_EQUAL(
		text,
		"12.000345 0badcafe pmctl get_send spilled -> 2  unsent 1000 B, "
		"unacked 20 B, window 30 B\n"
		"     1  srtt 20000 us, rttvar 7 us, rtt 21000 us now and 15000 us at least, cwnd 10, in flight 9, queued 5 B, "
		"pacing 123456 B/s, delivery 654321 B/s, stuck 3 us, timeouts 1, lost 4  room|outstanding\n"
		"    *2  srtt 20000 us, rttvar 7 us, rtt 21000 us now and 15000 us at least, cwnd 10, in flight 9, queued 5 B, "
		"pacing 123456 B/s, delivery 654321 B/s, stuck 3 us, timeouts 1, lost 4  "
		"room|outstanding\n");
	CU_ASSERT_EQUAL(t->decisions, 1);
	trace_lines_clear(t);
	free(t);
}

static void test_json(void)
{
	struct trace_lines *t = calloc(1, sizeof(*t));
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	t->out = open_memstream(&text, &size);
	t->json = true;
	take_decision(t, 0);
	take(t, P("3", "0badcafe", "1"));
	take_decision(t, 0);
	trace_lines_flush(t);
	fclose(t->out);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"time_us\":12000345,\"token\":\"0badcafe\","
					    "\"scheduler\":\"pmctl\",\"op\":\"get_send\","
					    "\"reason\":\"spilled\",\"chosen\":2,"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "\"paths\":[{\"id\":1,\"flags\":[\"room\",\"outstanding\"],"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"paths\":[]}\n"));
	CU_ASSERT_EQUAL(t->decisions, 2);
	trace_lines_clear(t);
	free(t);
}

static bool want_none(void *data, uint32_t token)
{
	*(uint32_t *)data = token;
	return false;
}

static void test_losses_and_noise(void)
{
	struct trace_lines *t = calloc(1, sizeof(*t));
	uint32_t asked = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	t->out = stdout;
	t->want = want_none;
	t->data = &asked;
	take(t, "");
	take(t, "CPU:1 [LOST 123 EVENTS]");
	take(t, "CPU:1 [LOST 7 EVENTS]");
	take(t, ": mptcp_bpf_decision: ");
	take(t, " x [9999] b 1.2: mptcp_bpf_path: token=1");
	take_decision(t, 4294967290u);
	take_decision(t, 10);
	take_decision(t, 5);
	take_decision(t, 11);
	trace_lines_flush(t);
	CU_ASSERT_EQUAL(t->lost, 130);
	CU_ASSERT_EQUAL(t->limited, 17);
	CU_ASSERT_EQUAL(t->decisions, 0);
	CU_ASSERT_EQUAL(asked, 0x0badcafe);
	trace_lines_clear(t);
	free(t);
}

/* The last decision of a CPU that has no more to make waits neither for ever nor for the end. */
static void test_order(void)
{
	static const char *const lines[] = { "2] b..1. 1.000001", "3] b..1. 1.000002",
					     "3] b..1. 1.010000", "3] b..1. 1.049999",
					     "3] b..1. 1.050003", "1] b..1. 1.000009" };
	static const char *const order[] = { "1.000001 ", "1.000002 ", "1.010000 ",
					     "1.049999 ", "1.000009 ", "1.050003 " };
	struct trace_lines *t = calloc(1, sizeof(*t));
	_cleanup_free_ char *text = NULL;
	const char *at;
	size_t size = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	t->out = open_memstream(&text, &size);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char line[512];

		snprintf(line, sizeof(line),
			 "x [00%s: mptcp_bpf_decision: token=1 scheduler=s op=get_send "
			 "reason=fastest chosen=1 err=0",
			 lines[i]);
		take(t, line);
	}
	fflush(t->out);
	CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(text, "1.000001 "));
	CU_ASSERT_PTR_NULL(strstr(text, "1.050003 "));
	trace_lines_flush(t);
	fclose(t->out);
	at = text;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		at = strstr(at, order[i]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	}
	trace_lines_clear(t);
	free(t);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("trace", NULL, NULL);
	CU_ADD_TEST(s, test_text);
	CU_ADD_TEST(s, test_json);
	CU_ADD_TEST(s, test_order);
	CU_ADD_TEST(s, test_losses_and_noise);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
