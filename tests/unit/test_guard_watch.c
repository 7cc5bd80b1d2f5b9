// SPDX-License-Identifier: GPL-2.0-only
/* When a subflow whose removal was refused is alive, dead, or to be probed; and how it is closed.
 */
#include "pm/guard_watcher.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>

#include "pm/address.h"
#include "pm/netlink.h"

#define NS_PER_MS 1000000

static struct mptcp_guard_event event_at(uint64_t ms, const char *local, const char *remote)
{
	struct mptcp_guard_event e = { .time_ns = ms * NS_PER_MS,
				       .family = 4,
				       .local_port = 1000,
				       .remote_port = 443,
				       .token = 7,
				       .id = 5 };

	e.family = strchr(local, ':') ? 6 : 4;
	inet_pton(e.family == 4 ? AF_INET : AF_INET6, local, e.local);
	inet_pton(e.family == 4 ? AF_INET : AF_INET6, remote, e.remote);
	return e;
}

static void test_add(void)
{
	static struct pm_guard_list list;
	struct mptcp_guard_event e = event_at(1000, "10.0.0.1", "10.0.0.2");

	pm_guard_watch_add(&list, &e);
	CU_ASSERT_EQUAL_FATAL(list.nr, 1);
	CU_ASSERT_EQUAL(list.items[0].since_ms, 1000);
	/* Said again: the time runs on. */
	e.time_ns += 500 * (uint64_t)NS_PER_MS;
	pm_guard_watch_add(&list, &e);
	CU_ASSERT_EQUAL(list.nr, 1);
	CU_ASSERT_EQUAL(list.items[0].since_ms, 1000);
	for (uint16_t port = 1; port < 200; port++) {
		e.remote_port = port;
		pm_guard_watch_add(&list, &e);
	}
	CU_ASSERT_EQUAL(list.nr, PM_GUARD_WATCHED_MAX);
}

/* What is decided `waited` ms after the event about a subflow silent for `silent` ms. */
static enum pm_guard_verdict verdict(uint64_t waited, uint32_t silent, bool probed)
{
	const struct pm_guard_watched w = { .since_ms = 5000, .probed = probed };
	const struct pm_subflow s = { .since_ack_ms = silent, .since_receive_ms = silent + 1 };

	return pm_guard_watch_judge(&w, &s, 5000 + waited);
}

static void test_judge(void)
{
	const struct pm_guard_watched w = { .since_ms = 5000 };

	CU_ASSERT_EQUAL(verdict(0, 0, false), PM_GUARD_WAIT);
	CU_ASSERT_EQUAL(verdict(90, 90, false), PM_GUARD_WAIT);
	/* received just before the event, or so it may be: clocks have ticks */
	CU_ASSERT_EQUAL(verdict(90, 75, false), PM_GUARD_WAIT);
	CU_ASSERT_EQUAL(verdict(90, 10, false), PM_GUARD_ALIVE);
	CU_ASSERT_EQUAL(verdict(100, 3000, false), PM_GUARD_PROBE);
	CU_ASSERT_EQUAL(verdict(200, 3000, true), PM_GUARD_WAIT);
	CU_ASSERT_EQUAL(verdict(200, 50, true), PM_GUARD_ALIVE);
	CU_ASSERT_EQUAL(verdict(MPTCP_GUARD_VERDICT_MS - 1, 5000, true), PM_GUARD_WAIT);
	CU_ASSERT_EQUAL(verdict(MPTCP_GUARD_VERDICT_MS, 5000, true), PM_GUARD_DEAD);
	CU_ASSERT_EQUAL(verdict(MPTCP_GUARD_VERDICT_MS, 500, true), PM_GUARD_ALIVE);
	CU_ASSERT_EQUAL(verdict(60000, 70000, false), PM_GUARD_DEAD);
	CU_ASSERT_EQUAL(pm_guard_watch_judge(&w, NULL, 5100), PM_GUARD_GONE);
	/* an event of the future: another CPU's clock */
	CU_ASSERT_EQUAL(pm_guard_watch_judge(&w, &(struct pm_subflow){ 0 }, 4999), PM_GUARD_WAIT);
}

static struct pm_subflow subflow(const char *local, const char *remote)
{
	struct pm_subflow s = { .at = { .local_port = 1000, .remote_port = 443 } };

	CU_ASSERT_EQUAL(pm_address_parse(local, &s.at.local), 0);
	CU_ASSERT_EQUAL(pm_address_parse(remote, &s.at.remote), 0);
	return s;
}

static void test_find(void)
{
	struct pm_subflow subflows[] = {
		subflow("10.0.0.1", "10.0.0.3"),
		subflow("10.0.0.1", "10.0.0.2"),
		subflow("fd00::1", "fd00::2"),
		subflow("::ffff:10.0.0.9", "::ffff:10.0.0.2"),
	};
	const struct pm_connections all = { .subflows = subflows, .nr_subflows = 4 };
	struct mptcp_guard_event e = event_at(0, "10.0.0.1", "10.0.0.2");

	CU_ASSERT_PTR_EQUAL(pm_guard_watch_find(&e, &all), &subflows[1]);
	e.remote_port = 444;
	CU_ASSERT_PTR_NULL(pm_guard_watch_find(&e, &all));
	e = event_at(0, "fd00::1", "fd00::2");
	CU_ASSERT_PTR_EQUAL(pm_guard_watch_find(&e, &all), &subflows[2]);
	e = event_at(0, "10.0.0.9", "10.0.0.2");
	CU_ASSERT_PTR_EQUAL(pm_guard_watch_find(&e, &all), &subflows[3]);
}

/* A socket of IPv6 with mapped addresses is looked up as one of IPv4. */
static void test_destroy(void)
{
	struct pm_subflow s = subflow("::ffff:10.0.0.9", "::ffff:10.0.0.2");
	char buffer[PM_NETLINK_BYTES];
	struct nlmsghdr *m = pm_encode_destroy(buffer, &s.at, 0);
	const struct inet_diag_req_v2 *r = mnl_nlmsg_get_payload(m);

	CU_ASSERT_EQUAL(m->nlmsg_type, SOCK_DESTROY);
	CU_ASSERT_EQUAL(m->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	CU_ASSERT_EQUAL(r->sdiag_family, AF_INET);
	CU_ASSERT_EQUAL(r->sdiag_protocol, IPPROTO_TCP);
	CU_ASSERT_EQUAL(r->id.idiag_sport, htons(1000));
	CU_ASSERT_EQUAL(r->id.idiag_dport, htons(443));
	CU_ASSERT_EQUAL(r->id.idiag_src[0], inet_addr("10.0.0.9"));
	CU_ASSERT_EQUAL(r->id.idiag_dst[0], inet_addr("10.0.0.2"));
	CU_ASSERT_EQUAL(r->id.idiag_src[1], 0);
	CU_ASSERT_EQUAL(r->id.idiag_if, 0);
	s = subflow("fd00::1", "fd00::2");
	m = pm_encode_destroy(buffer, &s.at, 7);
	r = mnl_nlmsg_get_payload(m);
	CU_ASSERT_EQUAL(r->sdiag_family, AF_INET6);
	CU_ASSERT_EQUAL(memcmp(r->id.idiag_dst, &s.at.remote.v6, 16), 0);
	CU_ASSERT_EQUAL(r->id.idiag_if, 7);
}

int main(void)
{
	CU_pSuite suite;
	unsigned int failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	suite = CU_add_suite("guard_watch", NULL, NULL);
	CU_add_test(suite, "each once, and so many only", test_add);
	CU_add_test(suite, "verdicts", test_judge);
	CU_add_test(suite, "the subflow of an event", test_find);
	CU_add_test(suite, "closing one", test_destroy);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
