// SPDX-License-Identifier: GPL-2.0-only
/* What becomes of rescued connections, decided without a kernel. */
#include "pm/rescue.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "pm/address.h"
#include "pm/rescue_settings.h"

#define TOKEN	   0xabcdu
#define PORT	   5000
#define ALIAS_PORT 61000
#define ACTIONS	   8
#define S	   1000000000ull

#define FIRST "10.0.1.1"
#define ALIAS "10.0.2.1"
#define PEER  "10.9.9.9"

/* One client, as the kernel would show it. */
struct world {
	struct loader_rescue_flow flow;
	struct pm_subflow subflows[4];
	struct pm_connection conns[2];
	struct pm_connections all;
	struct pm_endpoint endpoints[2];
	struct pm_rescue_view view;
	struct pm_rescue_memory memory;
	struct pm_rescue_action out[ACTIONS];
};

static struct pm_address address(const char *text)
{
	struct pm_address a = { 0 };

	pm_address_parse(text, &a);
	return a;
}

static struct rescue_address mapped(const char *text)
{
	struct pm_address a = address(text);
	struct rescue_address m;

	pm_rescue_address(&a, &m);
	return m;
}

static struct pm_subflow subflow(uint32_t token, const char *local, uint16_t port, uint8_t state)
{
	return (struct pm_subflow){ .token = token,
				    .state = state,
				    .at = { address(local), address(PEER), port, 80 } };
}

/* A rescued connection; `nr` of the subflows are its own, the others are of another one. */
static void join_up(struct world *w, size_t nr, size_t others)
{
	w->conns[0] = (struct pm_connection){ .token = TOKEN,
					      .subflows = w->subflows,
					      .nr_subflows = nr };
	w->conns[1] = (struct pm_connection){ .token = TOKEN + 1,
					      .subflows = w->subflows + nr,
					      .nr_subflows = others };
	w->all = (struct pm_connections){ w->conns, 2, w->subflows, nr + others };
}

static void set_up(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->flow.at = (struct rescue_tuple){ mapped(FIRST), mapped(PEER), htons(PORT), htons(80) };
	w->flow.flow = (struct rescue_flow){
		.kind = RESCUE_ORIGIN,
		.used_ns = 10 * S,
		.winner = 1,
		.ifindex = 2,
		.nr_routes = 1,
		.alias_port = htons(ALIAS_PORT),
		.routes = { { .address = mapped(ALIAS), .ifindex = 3, .copies = 1 } },
	};
	w->subflows[0] = subflow(TOKEN, FIRST, PORT, TCP_ESTABLISHED);
	join_up(w, 1, 0);
	w->endpoints[0] = (struct pm_endpoint){
		.id = 1, .flags = PM_FLAG_SUBFLOW, .ifindex = 2, .address = address(FIRST)
	};
	w->endpoints[1] = (struct pm_endpoint){
		.id = 2, .flags = PM_FLAG_SUBFLOW, .ifindex = 3, .address = address(ALIAS)
	};
	w->view = (struct pm_rescue_view){ &w->flow, 1,	    &w->all, w->endpoints,
					   2,	     false, 11 * S,  false };
}

static size_t decide(struct world *w, uint64_t now_ms)
{
	return pm_rescue_decide(&w->memory, &w->view, now_ms, w->out, ACTIONS);
}

/* The kernel's path manager opens the subflow itself. */
static void test_waits_for_join(void)
{
	struct world w;

	set_up(&w);
	CU_ASSERT_EQUAL(decide(&w, 1000), 0);
	w.subflows[1] = subflow(TOKEN, ALIAS, 6000, TCP_SYN_SENT);
	join_up(&w, 2, 0);
	CU_ASSERT_EQUAL(decide(&w, 1001), 0);
	w.subflows[1].state = TCP_ESTABLISHED;
	CU_ASSERT_EQUAL_FATAL(decide(&w, 1002), 1);
	CU_ASSERT_EQUAL(w.out[0].kind, PM_RESCUE_CLOSE);
	CU_ASSERT_EQUAL(w.out[0].token, TOKEN);
	CU_ASSERT_EQUAL(memcmp(&w.out[0].flow.at, &w.flow.at, sizeof(w.flow.at)), 0);
	/* Once, and again when it did not help. */
	CU_ASSERT_EQUAL(decide(&w, 1003), 0);
	CU_ASSERT_EQUAL_FATAL(decide(&w, 1002 + PM_RESCUE_BUSY_MS), 1);
	CU_ASSERT_EQUAL(w.out[0].kind, PM_RESCUE_CLOSE);
}

/* A subflow from anywhere else does not count. */
static void test_other_subflow(void)
{
	struct world w;

	set_up(&w);
	w.subflows[1] = subflow(TOKEN, "10.0.3.1", 6000, TCP_ESTABLISHED);
	w.subflows[2] = subflow(TOKEN + 1, ALIAS, 6001, TCP_ESTABLISHED);
	join_up(&w, 2, 1);
	CU_ASSERT_EQUAL(decide(&w, 1000), 0);
}

static void test_userspace(void)
{
	struct world w;

	set_up(&w);
	w.view.userspace = true;
	CU_ASSERT_EQUAL_FATAL(decide(&w, 1000), 1);
	CU_ASSERT_EQUAL(w.out[0].kind, PM_RESCUE_JOIN);
	CU_ASSERT_EQUAL(w.out[0].ifindex, 3);
	CU_ASSERT_TRUE(pm_address_equal(&w.out[0].local, &w.endpoints[1].address));
	CU_ASSERT_EQUAL(decide(&w, 1000 + PM_RESCUE_QUICK_MS - 1), 0);
	CU_ASSERT_EQUAL(decide(&w, 1000 + PM_RESCUE_QUICK_MS), 1);
}

/* Plain TCP has nothing to close, and nothing to join. */
static void test_plain(void)
{
	struct world w;

	set_up(&w);
	w.conns[0].fallback = true;
	w.view.userspace = true;
	CU_ASSERT_EQUAL(decide(&w, 1000), 0);
	set_up(&w);
	w.view.userspace = true;
	w.subflows[0].token = 0;
	CU_ASSERT_EQUAL(decide(&w, 1000), 0);
}

/* The state after the first subflow was closed. */
static void closed(struct world *w, uint64_t now_ms)
{
	set_up(w);
	w->subflows[1] = subflow(TOKEN, ALIAS, 6000, TCP_ESTABLISHED);
	join_up(w, 2, 0);
	CU_ASSERT_EQUAL_FATAL(decide(w, now_ms), 1);
	w->subflows[0] = w->subflows[1];
	join_up(w, 1, 0);
	w->flow.flow.closing = RESCUE_FIN_OUT | RESCUE_FIN_IN;
}

static void test_first_path(void)
{
	uint64_t now = 1000, last;
	struct world w;

	closed(&w, now);
	CU_ASSERT_EQUAL(decide(&w, now + 1), 0);
	now += PM_RESCUE_BUSY_MS;
	for (int i = 0; i < PM_RESCUE_QUICK; i++, now += PM_RESCUE_QUICK_MS) {
		CU_ASSERT_EQUAL_FATAL(decide(&w, now), 1);
		CU_ASSERT_EQUAL(w.out[0].kind, PM_RESCUE_RENEW);
		CU_ASSERT_EQUAL(w.out[0].endpoint.id, 1);
		CU_ASSERT_EQUAL(decide(&w, now + PM_RESCUE_QUICK_MS - 1), 0);
		/* What it tries with is no reason to spare the endpoint. */
		w.subflows[1] = subflow(TOKEN, FIRST, (uint16_t)(7000 + i), TCP_SYN_SENT);
		join_up(&w, 2, 0);
	}
	last = now;
	for (int i = 0; i < 12; i++) {
		while (!decide(&w, now))
			now += 100;
		CU_ASSERT(now - last <= PM_RESCUE_SLOW_MS + 100);
		last = now;
	}
	CU_ASSERT_EQUAL(decide(&w, last + PM_RESCUE_SLOW_MS - 100), 0);
	w.subflows[1].state = TCP_ESTABLISHED;
	CU_ASSERT_EQUAL(decide(&w, last + PM_RESCUE_SLOW_MS), 0);
	CU_ASSERT_EQUAL(w.memory.nr, 0);
}

/* Another connection's subflow would be closed with the endpoint. */
static void test_endpoint_in_use(void)
{
	struct world w;

	closed(&w, 1000);
	w.subflows[1] = subflow(TOKEN + 1, FIRST, 8000, TCP_ESTABLISHED);
	join_up(&w, 1, 1);
	CU_ASSERT_EQUAL(decide(&w, 5000), 0);
	w.subflows[1].state = TCP_SYN_SENT;
	CU_ASSERT_EQUAL(decide(&w, 5001), 0);
	join_up(&w, 1, 0);
	CU_ASSERT_EQUAL(decide(&w, 5002), 1);
}

static void test_no_endpoint(void)
{
	struct world w;

	closed(&w, 1000);
	w.endpoints[0].flags = PM_FLAG_SIGNAL;
	CU_ASSERT_EQUAL(decide(&w, 5000), 0);
	w.view.userspace = true;
	CU_ASSERT_EQUAL_FATAL(decide(&w, 5001), 1);
	CU_ASSERT_EQUAL(w.out[0].kind, PM_RESCUE_JOIN);
	CU_ASSERT_EQUAL(w.out[0].ifindex, 2);
}

/* What it asked for need not be waited for longer than it takes; the first path is not its own. */
static void test_engine(void)
{
	struct world w;

	set_up(&w);
	w.view.userspace = w.view.engine = true;
	CU_ASSERT_EQUAL_FATAL(decide(&w, 1000), 1);
	CU_ASSERT_EQUAL(w.out[0].kind, PM_RESCUE_JOIN);
	CU_ASSERT_EQUAL(decide(&w, 1010), 0);
	w.subflows[1] = subflow(TOKEN, ALIAS, 6000, TCP_ESTABLISHED);
	join_up(&w, 2, 0);
	CU_ASSERT_EQUAL_FATAL(decide(&w, 1020), 1);
	CU_ASSERT_EQUAL(w.out[0].kind, PM_RESCUE_CLOSE);
	CU_ASSERT_EQUAL(decide(&w, 1021), 0);
	CU_ASSERT_EQUAL_FATAL(decide(&w, 1020 + PM_RESCUE_BUSY_MS), 1);
	CU_ASSERT_EQUAL(w.out[0].kind, PM_RESCUE_CLOSE);
	w.subflows[0] = w.subflows[1];
	join_up(&w, 1, 0);
	w.flow.flow.closing = RESCUE_FIN_OUT | RESCUE_FIN_IN;
	CU_ASSERT_EQUAL(decide(&w, 60000), 0);
	CU_ASSERT_EQUAL(w.memory.nr, 0);
}

static void test_gone(void)
{
	struct world w;

	closed(&w, 1000);
	w.all.nr = 0;
	w.all.nr_subflows = 0;
	CU_ASSERT_EQUAL(decide(&w, 5000), 0);
	CU_ASSERT_EQUAL(w.memory.nr, 0);
	w.view.now_ns = w.flow.flow.used_ns + PM_RESCUE_FORGET_MS * 1000000ull;
	CU_ASSERT_EQUAL(decide(&w, 6000), 0);
	w.view.now_ns += S;
	CU_ASSERT_EQUAL_FATAL(decide(&w, 7000), 1);
	CU_ASSERT_EQUAL(w.out[0].kind, PM_RESCUE_FORGET);
}

/* One that still has its socket is never forgotten, however long nothing was said. */
static void test_idle_is_kept(void)
{
	struct world w;

	set_up(&w);
	w.view.now_ns = 1000000 * S;
	CU_ASSERT_EQUAL(decide(&w, 1000), 0);
}

/* Sockets of both families have IPv4 addresses in IPv6 clothes. */
static void test_mapped(void)
{
	struct world w;

	set_up(&w);
	w.subflows[1] = subflow(TOKEN, ALIAS, 6000, TCP_ESTABLISHED);
	for (int i = 0; i < 2; i++) {
		w.subflows[i].at.local = address(i ? "::ffff:" ALIAS : "::ffff:" FIRST);
		w.subflows[i].at.remote = address("::ffff:" PEER);
	}
	join_up(&w, 2, 0);
	CU_ASSERT_EQUAL_FATAL(decide(&w, 1000), 1);
	CU_ASSERT_EQUAL(w.out[0].kind, PM_RESCUE_CLOSE);
}

static void test_no_room(void)
{
	struct world w;

	set_up(&w);
	w.subflows[1] = subflow(TOKEN, ALIAS, 6000, TCP_ESTABLISHED);
	join_up(&w, 2, 0);
	CU_ASSERT_EQUAL(pm_rescue_decide(&w.memory, &w.view, 1000, w.out, 0), 0);
	w.memory = (struct pm_rescue_memory){ .nr = PM_RESCUE_MAX };
	CU_ASSERT_EQUAL(decide(&w, 2000), 0);
	/* Those were of connections that are gone. */
	CU_ASSERT_EQUAL(w.memory.nr, 0);
	CU_ASSERT_EQUAL(decide(&w, 3000), 1);
}

static void test_words(void)
{
	struct pm_rescue_action a = { .token = TOKEN, .local = address(FIRST) };
	char text[128];

	for (a.kind = PM_RESCUE_JOIN; a.kind <= PM_RESCUE_FORGET; a.kind++) {
		pm_rescue_describe(&a, text, sizeof(text));
		CU_ASSERT(strlen(text) > 20);
		for (size_t size = 1; size < 60; size++) {
			char small[60];

			pm_rescue_describe(&a, small, size);
			CU_ASSERT(strlen(small) < size);
		}
	}
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("rescue", NULL, NULL);
	CU_ADD_TEST(s, test_waits_for_join);
	CU_ADD_TEST(s, test_other_subflow);
	CU_ADD_TEST(s, test_userspace);
	CU_ADD_TEST(s, test_plain);
	CU_ADD_TEST(s, test_first_path);
	CU_ADD_TEST(s, test_endpoint_in_use);
	CU_ADD_TEST(s, test_no_endpoint);
	CU_ADD_TEST(s, test_engine);
	CU_ADD_TEST(s, test_gone);
	CU_ADD_TEST(s, test_idle_is_kept);
	CU_ADD_TEST(s, test_mapped);
	CU_ADD_TEST(s, test_no_room);
	CU_ADD_TEST(s, test_words);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
