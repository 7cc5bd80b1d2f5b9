// SPDX-License-Identifier: GPL-2.0-only
/* Socket diagnostics decoded from messages built as the kernel builds them, and cut ones. */
#include "pm/diag.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>

#include "cli/conn_views.h"
#include "pm/address.h"
#include "util/cleanup.h"

#define BUFFER_BYTES 4096

static struct nlmsghdr *begin(char *buffer, int family)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct inet_diag_msg *d = mnl_nlmsg_put_extra_header(m, sizeof(*d));

	m->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	d->idiag_family = (uint8_t)family;
	d->idiag_state = 1;
	d->idiag_uid = 1000;
	d->id.idiag_if = 3;
	d->id.idiag_sport = htons(40000);
	d->id.idiag_dport = htons(443);
	d->id.idiag_src[0] = htonl(0x0a010101);
	d->id.idiag_dst[0] = htonl(0x0a010901);
	return m;
}

/* struct mptcp_info, `size` bytes of it. */
static struct nlmsghdr *connection(char *buffer, uint32_t token, uint32_t flags, size_t size)
{
	struct nlmsghdr *m = begin(buffer, AF_INET);
	uint8_t info[96] = { 0 };
	const uint64_t bytes[] = { 11, 22, 33, 44 }; /* resent, sent, received, acked */
	const uint32_t retransmits = 5;

	memcpy(info + 8, &flags, 4);
	memcpy(info + 12, &token, 4);
	memcpy(info + 44, &retransmits, 4);
	memcpy(info + 48, bytes, sizeof(bytes));
	mnl_attr_put_u8(m, INET_DIAG_SHUTDOWN, 0);
	mnl_attr_put(m, INET_DIAG_INFO, size, info);
	return m;
}

static struct nlmsghdr *subflow(char *buffer, uint32_t token, uint32_t flags, uint8_t id)
{
	struct nlmsghdr *m = begin(buffer, AF_INET);
	struct tcp_info t = { .tcpi_rtt = 20000,
			      .tcpi_rttvar = 700,
			      .tcpi_rto = 204000,
			      .tcpi_retransmits = 2,
			      .tcpi_last_ack_recv = 33,
			      .tcpi_last_data_recv = 44,
			      .tcpi_data_segs_out = 55,
			      .tcpi_snd_cwnd = 12,
			      .tcpi_unacked = 10,
			      .tcpi_sacked = 3,
			      .tcpi_lost = 2,
			      .tcpi_retrans = 1,
			      .tcpi_total_retrans = 9,
			      .tcpi_pacing_rate = UINT64_MAX,
			      .tcpi_delivery_rate = 2000000,
			      .tcpi_bytes_sent = 5000,
			      .tcpi_bytes_retrans = 1448 };
	struct nlattr *ulp, *mptcp;

	mnl_attr_put(m, INET_DIAG_INFO, sizeof(t), &t);
	ulp = mnl_attr_nest_start(m, INET_DIAG_ULP_INFO);
	mnl_attr_put_strz(m, INET_ULP_INFO_NAME, "mptcp");
	mptcp = mnl_attr_nest_start(m, INET_ULP_INFO_MPTCP);
	mnl_attr_put_u32(m, MPTCP_SUBFLOW_ATTR_TOKEN_REM, 0x11111111);
	mnl_attr_put_u32(m, MPTCP_SUBFLOW_ATTR_TOKEN_LOC, token);
	mnl_attr_put_u32(m, MPTCP_SUBFLOW_ATTR_FLAGS, flags);
	mnl_attr_put_u8(m, MPTCP_SUBFLOW_ATTR_ID_REM, 7);
	mnl_attr_put_u8(m, MPTCP_SUBFLOW_ATTR_ID_LOC, id);
	mnl_attr_nest_end(m, mptcp);
	mnl_attr_nest_end(m, ulp);
	return m;
}

static void test_request(void)
{
	char buffer[BUFFER_BYTES];
	const struct inet_diag_req_v2 *r;
	const struct nlmsghdr *m = pm_encode_diag(buffer, AF_INET6, 262);
	const struct nlattr *a;

	r = mnl_nlmsg_get_payload(m);
	CU_ASSERT_EQUAL(m->nlmsg_type, SOCK_DIAG_BY_FAMILY);
	CU_ASSERT_EQUAL(m->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	CU_ASSERT_EQUAL(r->sdiag_family, AF_INET6);
	CU_ASSERT_EQUAL(r->idiag_states & (1 << 10), 0);
	CU_ASSERT_NOT_EQUAL(r->idiag_states & (1 << 1), 0);
	a = mnl_nlmsg_get_payload_offset(m, sizeof(*r));
	CU_ASSERT_EQUAL(mnl_attr_get_type(a), INET_DIAG_REQ_PROTOCOL);
	CU_ASSERT_EQUAL(mnl_attr_get_u32(a), 262);
	m = pm_encode_diag(buffer, AF_INET, 6);
	r = mnl_nlmsg_get_payload(m);
	CU_ASSERT_EQUAL(r->sdiag_protocol, 6);
	CU_ASSERT_EQUAL(mnl_nlmsg_get_payload_len(m), sizeof(*r));
}

static void test_connection(void)
{
	char buffer[BUFFER_BYTES], text[INET6_ADDRSTRLEN];
	struct pm_connection c;

	CU_ASSERT_EQUAL_FATAL(pm_decode_connection(connection(buffer, 0xdeadbeef, 0, 96), &c), 0);
	CU_ASSERT_EQUAL(c.token, 0xdeadbeef);
	CU_ASSERT_FALSE(c.fallback);
	CU_ASSERT_EQUAL(c.uid, 1000);
	CU_ASSERT_EQUAL(c.at.local_port, 40000);
	CU_ASSERT_EQUAL(c.at.remote_port, 443);
	CU_ASSERT_STRING_EQUAL(pm_address_text(&c.at.remote, text), "10.1.9.1");
	CU_ASSERT_EQUAL(c.retransmits, 5);
	CU_ASSERT_EQUAL(c.reinjected_bytes, 11);
	CU_ASSERT_EQUAL(c.sent_bytes, 22);
	CU_ASSERT_EQUAL(c.received_bytes, 33);
	CU_ASSERT_EQUAL(c.acked_bytes, 44);
	/* a kernel before 6.5 ends at 48 */
	CU_ASSERT_EQUAL_FATAL(pm_decode_connection(connection(buffer, 1, 1, 48), &c), 0);
	CU_ASSERT_EQUAL(c.token, 1);
	CU_ASSERT_TRUE(c.fallback);
	CU_ASSERT_EQUAL(c.sent_bytes, 0);
}

static void test_subflow(void)
{
	char buffer[BUFFER_BYTES];
	struct pm_subflow s;

	CU_ASSERT_EQUAL_FATAL(pm_decode_subflow(subflow(buffer, 0xabc, 0x28, 2), &s), 0);
	CU_ASSERT_EQUAL(s.token, 0xabc);
	CU_ASSERT_EQUAL(s.flags, PM_SUBFLOW_BACKUP_LOCAL | PM_SUBFLOW_JOIN_LOCAL);
	CU_ASSERT_EQUAL(s.ifindex, 3);
	CU_ASSERT_EQUAL(s.local_id, 2);
	CU_ASSERT_EQUAL(s.remote_id, 7);
	CU_ASSERT_EQUAL(s.srtt_us, 20000);
	CU_ASSERT_EQUAL(s.rttvar_us, 700);
	CU_ASSERT_EQUAL(s.rto_us, 204000);
	CU_ASSERT_EQUAL(s.timeouts, 2);
	CU_ASSERT_EQUAL(s.outstanding, 10);
	CU_ASSERT_EQUAL(s.since_ack_ms, 33);
	CU_ASSERT_EQUAL(s.since_receive_ms, 44);
	CU_ASSERT_EQUAL(s.sent_segments, 55);
	CU_ASSERT_EQUAL(s.cwnd, 12);
	CU_ASSERT_EQUAL(s.in_flight, 6);
	CU_ASSERT_EQUAL(s.retransmits, 9);
	CU_ASSERT_EQUAL(s.pacing_bytes_per_s, 0);
	CU_ASSERT_EQUAL(s.delivery_bytes_per_s, 2000000);
	CU_ASSERT_EQUAL(s.sent_bytes, 5000);
	CU_ASSERT_EQUAL(s.retransmitted_bytes, 1448);
	/* plain TCP */
	CU_ASSERT_EQUAL(pm_decode_subflow(begin(buffer, AF_INET6), &s), 1);
}

/* Bound to devices 2, 4 and none; and by an application to one that is no interface. */
static void test_devices(void)
{
	struct pm_interface interfaces[] = { { .ifindex = 1 }, { .ifindex = 2 }, { .ifindex = 7 } };
	struct pm_subflow s[] = { { .ifindex = 2, .flags = PM_SUBFLOW_JOIN_LOCAL },
				  { .ifindex = 4, .flags = PM_SUBFLOW_JOIN_LOCAL },
				  { .ifindex = 0, .flags = PM_SUBFLOW_JOIN_LOCAL },
				  { .ifindex = 4, .flags = PM_SUBFLOW_MP_CAPABLE_LOCAL } };
	struct pm_connections c = { .subflows = s, .nr_subflows = 4 };

	pm_connections_devices(&c, interfaces, 3);
	CU_ASSERT(!s[0].device_gone && s[1].device_gone && !s[2].device_gone && !s[3].device_gone);
	pm_connections_devices(&c, interfaces, 0); /* not known */
	CU_ASSERT(!s[1].device_gone);
}

/* Cut anywhere, a message is refused or is whole up to an attribute's end; never read beyond. */
static void test_cut(void)
{
	char buffer[BUFFER_BYTES];
	size_t whole = subflow(buffer, 1, 0, 0)->nlmsg_len, refused = 0;

	for (size_t size = NLMSG_HDRLEN; size < whole; size++) {
		_cleanup_free_ char *copy = malloc(size);
		struct pm_connection c;
		struct pm_subflow s;
		struct nlmsghdr *m = (struct nlmsghdr *)copy;

		CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
		memcpy(copy, buffer, size);
		m->nlmsg_len = (uint32_t)size;
		refused += pm_decode_subflow(m, &s) == -EBADMSG;
		pm_decode_connection(m, &c);
		if (size < NLMSG_HDRLEN + sizeof(struct inet_diag_msg))
			CU_ASSERT_EQUAL(pm_decode_connection(m, &c), -EBADMSG);
	}
	CU_ASSERT(refused > whole - 20);
	begin(buffer, AF_UNIX);
	CU_ASSERT_EQUAL(pm_decode_connection((struct nlmsghdr *)buffer,
					     &(struct pm_connection){ 0 }),
			-EBADMSG);
}

static void test_join(void)
{
	struct pm_connection conns[] = { { .token = 9 }, { .token = 5 }, { .token = 0 } };
	struct pm_subflow subflows[] = {
		{ .token = 9, .local_id = 4 },
		{ .token = 7, .local_id = 1 },
		{ .token = 9, .local_id = 0 },
		{ .token = 5, .flags = PM_SUBFLOW_MP_CAPABLE_LOCAL },
		{ .token = 0, .flags = PM_SUBFLOW_MP_CAPABLE_LOCAL },
	};
	struct pm_connections c = { conns, 3, subflows, 5 };

	pm_connections_join(&c);
	CU_ASSERT_EQUAL(conns[0].token, 0);
	CU_ASSERT_EQUAL(conns[0].nr_subflows, 0);
	CU_ASSERT_EQUAL(conns[0].role, PM_ROLE_UNKNOWN);
	CU_ASSERT_EQUAL(conns[1].token, 5);
	CU_ASSERT_EQUAL(conns[1].nr_subflows, 1);
	CU_ASSERT_EQUAL(conns[1].role, PM_ROLE_CLIENT);
	CU_ASSERT_EQUAL(conns[2].nr_subflows, 2);
	CU_ASSERT_EQUAL(conns[2].role, PM_ROLE_SERVER);
	CU_ASSERT_EQUAL(conns[2].subflows[0].local_id, 0);
	CU_ASSERT_EQUAL(conns[2].subflows[1].local_id, 4);
}

static void test_token(void)
{
	struct error e = { 0 };
	uint32_t t = 0;

	CU_ASSERT_EQUAL(pm_token_parse("0xDeadBeef", &t, &e), 0);
	CU_ASSERT_EQUAL(t, 0xdeadbeef);
	CU_ASSERT_EQUAL(pm_token_parse("1f", &t, &e), 0);
	CU_ASSERT_EQUAL(t, 0x1f);
	CU_ASSERT_EQUAL(pm_token_parse("0x", &t, &e), -EINVAL);
	CU_ASSERT_EQUAL(pm_token_parse("", &t, &e), -EINVAL);
	CU_ASSERT_EQUAL(pm_token_parse("123456789", &t, &e), -EINVAL);
	CU_ASSERT_EQUAL(pm_token_parse("12g", &t, &e), -EINVAL);
	CU_ASSERT_EQUAL(t, 0x1f);
}

static char *render(const struct table *t, bool json)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct json j;

	json_init(&j, out, false);
	if (json)
		table_json(t, &j);
	else
		table_print(t, out, false);
	fclose(out);
	return text;
}

/* With the module, without it, and a connection the module does not know. */
static void test_views(void)
{
	struct loader_conn known = {
		.token = 5, .scheduler = "pmctl", .by = "rule", .rule = 2, .state = "ok"
	};
	const struct pm_connection conns[] = { { .token = 5, .role = PM_ROLE_SERVER },
					       { .token = 6 } };
	const struct conn_scheds with = { &known, 1, true }, without = { 0 };
	_cleanup_free_ struct conn_row *rows = view_conn_rows(conns, 2, &with), *bare = NULL;
	_cleanup_free_ char *json = NULL, *text = NULL, *level0 = NULL;
	struct table t = view_conns(rows, 2);

	json = render(&t, true);
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"scheduler\":\"pmctl\",\"by\":\"rule\",\"rule\":2,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"scheduler\":\"default\",\"sent_bytes\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"token\":\"00000005\",\"role\":\"server\""));
	text = render(&t, false);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "rule 2"));
	bare = view_conn_rows(conns, 2, &without);
	t = view_conns(bare, 2);
	level0 = render(&t, true);
	CU_ASSERT_PTR_NULL(strstr(level0, "scheduler"));
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("diag", NULL, NULL);
	CU_ADD_TEST(s, test_request);
	CU_ADD_TEST(s, test_connection);
	CU_ADD_TEST(s, test_subflow);
	CU_ADD_TEST(s, test_cut);
	CU_ADD_TEST(s, test_join);
	CU_ADD_TEST(s, test_devices);
	CU_ADD_TEST(s, test_token);
	CU_ADD_TEST(s, test_views);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
