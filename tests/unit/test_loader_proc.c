// SPDX-License-Identifier: GPL-2.0-only
/* /proc/mptcp_bpf read by column names; libbpf's chatter reduced to what matters. */
#include "loader/proc.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "loader/bpflog.h"
#include "util/cleanup.h"

#define HEADER                                                                            \
	"# name state connections decisions scheduled waited retransmits stalls refused " \
	"errors slow ejected\n"

static int parse(const char *text, struct loader_sched **out, size_t *nr, struct error *e)
{
	_cleanup_fclose_ FILE *in = fmemopen((void *)text, strlen(text), "r");

	return in ? loader_proc_parse(in, out, nr, e) : -ENOMEM;
}

static void test_columns(void)
{
	_cleanup_free_ struct loader_sched *s = NULL;
	size_t nr = 0;

	CU_ASSERT_EQUAL(parse(HEADER "minrtt ok 3 100 90 10 4 0 1 2 5 0\n"
				     "bad stalled 0 7 0 7 0 7 0 0 0 18446744073709551615\n",
			      &s, &nr, NULL),
			0);
	CU_ASSERT_EQUAL_FATAL(nr, 2);
	CU_ASSERT_STRING_EQUAL(s[0].name, "minrtt");
	CU_ASSERT_STRING_EQUAL(s[0].state, "ok");
	CU_ASSERT_TRUE(s[0].registered);
	CU_ASSERT_FALSE(s[0].pinned);
	CU_ASSERT_EQUAL(s[0].connections, 3);
	CU_ASSERT_EQUAL(s[0].decisions, 100);
	CU_ASSERT_EQUAL(s[0].scheduled, 90);
	CU_ASSERT_EQUAL(s[0].waited, 10);
	CU_ASSERT_EQUAL(s[0].retransmits, 4);
	CU_ASSERT_EQUAL(s[0].refused, 1);
	CU_ASSERT_EQUAL(s[0].errors, 2);
	CU_ASSERT_EQUAL(s[0].slow, 5);
	CU_ASSERT_STRING_EQUAL(s[1].state, "stalled");
	CU_ASSERT_EQUAL(s[1].stalls, 7);
	CU_ASSERT_EQUAL(s[1].ejected, UINT64_MAX);
}

/* A module with reasons: each column has its own counter; one without: all 0. */
static void test_reasons(void)
{
	_cleanup_free_ struct loader_sched *s = NULL;
	size_t nr = 0;

	CU_ASSERT_EQUAL(parse("# name state decisions fastest spilled backup deferred redundant "
			      "reinjected probe sent_bytes reinjected_bytes\n"
			      "pmctl ok 36 1 2 3 4 5 6 7 18446744073709551615 9\nshort ok 36 1\n",
			      &s, &nr, NULL),
			0);
	CU_ASSERT_EQUAL_FATAL(nr, 2);
	CU_ASSERT_EQUAL(s[0].fastest, 1);
	CU_ASSERT_EQUAL(s[0].spilled, 2);
	CU_ASSERT_EQUAL(s[0].backup, 3);
	CU_ASSERT_EQUAL(s[0].deferred, 4);
	CU_ASSERT_EQUAL(s[0].redundant, 5);
	CU_ASSERT_EQUAL(s[0].reinjected, 6);
	CU_ASSERT_EQUAL(s[0].probe, 7);
	CU_ASSERT_EQUAL(s[0].sent_bytes, UINT64_MAX);
	CU_ASSERT_EQUAL(s[0].reinjected_bytes, 9);
	CU_ASSERT_EQUAL(s[1].fastest, 1);
	CU_ASSERT_EQUAL(s[1].spilled, 0);
	free(s);
	s = NULL;
	CU_ASSERT_EQUAL(parse(HEADER "minrtt ok 3 100 90 10 4 0 1 2 5 0\n", &s, &nr, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(nr, 1);
	CU_ASSERT_EQUAL(s[0].fastest, 0);
	CU_ASSERT_EQUAL(s[0].sent_bytes, 0);
}

static void test_other_order_and_more_columns(void)
{
	_cleanup_free_ struct loader_sched *s = NULL;
	size_t nr = 0;

	CU_ASSERT_EQUAL(parse("# flags connections future name\n0x1 9 word roundrobin extra\n\n",
			      &s, &nr, NULL),
			0);
	CU_ASSERT_EQUAL_FATAL(nr, 1);
	CU_ASSERT_STRING_EQUAL(s[0].name, "roundrobin");
	CU_ASSERT_EQUAL(s[0].connections, 9);
	CU_ASSERT_STRING_EQUAL(s[0].state, "");
}

static void test_short_and_long(void)
{
	_cleanup_free_ struct loader_sched *s = NULL;
	size_t nr = 0;

	CU_ASSERT_EQUAL(parse(HEADER "a\na-name-that-is-too-long-for-it ok 1\n", &s, &nr, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(nr, 2);
	CU_ASSERT_EQUAL(s[0].connections, 0);
	CU_ASSERT_STRING_EQUAL(s[1].name, "a-name-that-is-");
}

static void test_connections(void)
{
	static const char text[] = "# token scheduler state by rule decisions sent_bytes new\n"
				   "0badcafe pmctl ok rule 3 12 18446744073709551615 x\n"
				   "ffffffff a-name-that-is-too-long builtin sysctl 0\n\n";
	_cleanup_fclose_ FILE *in = fmemopen((void *)text, sizeof(text) - 1, "r");
	_cleanup_free_ struct loader_conn *c = NULL;
	size_t nr = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	CU_ASSERT_EQUAL(loader_proc_parse_conns(in, &c, &nr, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(nr, 2);
	CU_ASSERT_EQUAL(c[0].token, 0x0badcafe);
	CU_ASSERT_STRING_EQUAL(c[0].scheduler, "pmctl");
	CU_ASSERT_STRING_EQUAL(c[0].state, "ok");
	CU_ASSERT_STRING_EQUAL(c[0].by, "rule");
	CU_ASSERT_EQUAL(c[0].rule, 3);
	CU_ASSERT_EQUAL(c[0].decisions, 12);
	CU_ASSERT_EQUAL(c[0].sent_bytes, UINT64_MAX);
	CU_ASSERT_EQUAL(c[0].reinjected_bytes, 0);
	CU_ASSERT_EQUAL(c[1].token, UINT32_MAX);
	CU_ASSERT_STRING_EQUAL(c[1].scheduler, "a-name-that-is-");
	CU_ASSERT_EQUAL(c[1].decisions, 0);
}

static void test_empty_and_wrong(void)
{
	struct loader_sched *s = NULL;
	struct error e = { 0 };
	size_t nr = 7;

	CU_ASSERT_EQUAL(parse(HEADER, &s, &nr, NULL), 0);
	CU_ASSERT_EQUAL(nr, 0);
	free(s);
	s = NULL;
	CU_ASSERT_EQUAL(parse("minrtt ok 3\n", &s, &nr, &e), -EPROTO);
	CU_ASSERT_EQUAL(parse("# state\nok\n", &s, &nr, &e), -EPROTO);
	CU_ASSERT_PTR_NULL(s);
}

static void test_verifier_verdict(void)
{
	bpflog_start();
	CU_ASSERT_STRING_EQUAL(bpflog_summary(), "");
	bpflog_feed("libbpf: prog 'get_send': BPF program load failed: Permission denied\n");
	bpflog_feed("libbpf: prog 'get_send': -- BEGIN PROG LOAD LOG --\n"
		    "0: R1=ctx() R10=fp0\n; return *p; @ x.bpf.c:5\n"
		    "R0 invalid mem access 'scalar'\n"
		    "processed 4 insns (limit 1000000) max_states_per_insn 0\n"
		    "-- END PROG LOAD LOG --\n");
	bpflog_feed("libbpf: prog 'get_send': failed to load: -13\n");
	CU_ASSERT_STRING_EQUAL(bpflog_summary(),
			       "prog 'get_send': BPF program load failed: Permission denied: R0 "
			       "invalid mem access 'scalar'");
	CU_ASSERT_PTR_NOT_NULL(strstr(loader_log(), "processed 4 insns"));
	bpflog_start();
	CU_ASSERT_STRING_EQUAL(bpflog_summary(), "");
	CU_ASSERT_STRING_EQUAL(loader_log(), "");
}

static void test_endless_log(void)
{
	char line[1000];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	bpflog_start();
	for (int i = 0; i < 200; i++)
		bpflog_feed(line);
	CU_ASSERT(strlen(loader_log()) < 65536);
	CU_ASSERT(strlen(bpflog_summary()) < 400);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("loader_proc", NULL, NULL);
	CU_ADD_TEST(s, test_columns);
	CU_ADD_TEST(s, test_reasons);
	CU_ADD_TEST(s, test_other_order_and_more_columns);
	CU_ADD_TEST(s, test_short_and_long);
	CU_ADD_TEST(s, test_connections);
	CU_ADD_TEST(s, test_empty_and_wrong);
	CU_ADD_TEST(s, test_verifier_verdict);
	CU_ADD_TEST(s, test_endless_log);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
