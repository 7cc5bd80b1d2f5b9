// SPDX-License-Identifier: GPL-2.0-only
/* Requests to the userspace path manager: messages byte for byte, and arguments, good and bad. */
#include "pm/request.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "cli/conn_args.h"
#include "pm/address.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

#define TOKEN 0x01020304u

/* The numbers are little endian. */
#define TOKEN_ATTR 8, 0, 4, 0, 4, 3, 2, 1

static struct pm_endpoint at(const char *text)
{
	struct pm_endpoint ep = { 0 };

	if (text)
		CU_ASSERT_EQUAL_FATAL(pm_address_port_parse(text, &ep.address, &ep.port), 0);
	return ep;
}

static void expect(const struct pm_request *r, const uint8_t *bytes, size_t size)
{
	char buffer[PM_NETLINK_BYTES];
	const struct nlmsghdr *m = pm_encode_request(buffer, 0x21, r);

	CU_ASSERT_EQUAL(m->nlmsg_type, 0x21);
	CU_ASSERT_EQUAL(m->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	CU_ASSERT_EQUAL_FATAL(m->nlmsg_len, NLMSG_HDRLEN + size);
	CU_ASSERT_EQUAL(memcmp(mnl_nlmsg_get_payload(m), bytes, size), 0);
}

static void test_add(void)
{
	/* clang-format off */
	static const uint8_t add[] = {
		10, 1, 0, 0, TOKEN_ATTR,
		44, 0, 1, 0x80, 6, 0, 1, 0, 2, 0, 0, 0, 8, 0, 3, 0, 10, 0, 1, 2,
		5, 0, 2, 0, 9, 0, 0, 0, 8, 0, 6, 0, 4, 0, 0, 0, 8, 0, 7, 0, 3, 0, 0, 0,
		36, 0, 6, 0x80, 6, 0, 1, 0, 2, 0, 0, 0, 8, 0, 3, 0, 10, 0, 9, 1,
		5, 0, 2, 0, 7, 0, 0, 0, 6, 0, 5, 0, 0xbb, 1, 0, 0,
	};
	/* clang-format on */
	struct pm_request r = { .kind = PM_SUBFLOW_ADD,
				.token = TOKEN,
				.local = at("10.0.1.2"),
				.remote = at("10.0.9.1:443") };

	r.local.id = 9;
	r.local.ifindex = 3;
	r.local.flags = PM_FLAG_BACKUP;
	r.remote.id = 7;
	expect(&r, add, sizeof(add));
}

/* The subflow is named by addresses and ports alone. */
static void test_on_subflow(void)
{
	/* clang-format off */
	static const uint8_t delete[] = {
		11, 1, 0, 0, TOKEN_ATTR,
		28, 0, 1, 0x80, 6, 0, 1, 0, 2, 0, 0, 0, 8, 0, 3, 0, 10, 0, 1, 2,
		6, 0, 5, 0, 0x40, 0x9c, 0, 0,
		28, 0, 6, 0x80, 6, 0, 1, 0, 2, 0, 0, 0, 8, 0, 3, 0, 10, 0, 9, 1,
		6, 0, 5, 0, 0xbb, 1, 0, 0,
	};
	static const uint8_t backup6[] = {
		7, 1, 0, 0, TOKEN_ATTR,
		48, 0, 1, 0x80, 6, 0, 1, 0, 10, 0, 0, 0,
		20, 0, 4, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		6, 0, 5, 0, 0x40, 0x9c, 0, 0, 8, 0, 6, 0, 4, 0, 0, 0,
		40, 0, 6, 0x80, 6, 0, 1, 0, 10, 0, 0, 0,
		20, 0, 4, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
		6, 0, 5, 0, 0xbb, 1, 0, 0,
	};
	/* clang-format on */
	struct pm_request r = { .kind = PM_SUBFLOW_DELETE,
				.token = TOKEN,
				.local = at("10.0.1.2:40000"),
				.remote = at("10.0.9.1:443") };

	r.local.id = 9;
	r.remote.id = 7;
	expect(&r, delete, sizeof(delete));
	r.kind = PM_SUBFLOW_BACKUP;
	r.local = at("[fd00::1]:40000");
	r.remote = at("[fd00::2]:443");
	r.local.flags = PM_FLAG_BACKUP;
	expect(&r, backup6, sizeof(backup6));
}

static void test_announce(void)
{
	/* clang-format off */
	static const uint8_t announce[] = {
		8, 1, 0, 0, TOKEN_ATTR,
		44, 0, 1, 0x80, 6, 0, 1, 0, 2, 0, 0, 0, 8, 0, 3, 0, 10, 0, 1, 2,
		5, 0, 2, 0, 2, 0, 0, 0, 6, 0, 5, 0, 0x90, 0x1f, 0, 0, 8, 0, 6, 0, 1, 0, 0, 0,
	};
	static const uint8_t withdraw[] = {
		9, 1, 0, 0, TOKEN_ATTR, 5, 0, 5, 0, 255, 0, 0, 0,
	};
	static const uint8_t withdraw_first[] = {
		9, 1, 0, 0, TOKEN_ATTR, 5, 0, 5, 0, 0, 0, 0, 0,
	};
	/* clang-format on */
	struct pm_request r = { .kind = PM_ANNOUNCE, .token = TOKEN, .local = at("10.0.1.2:8080") };

	r.local.id = 2;
	expect(&r, announce, sizeof(announce));
	r = (struct pm_request){ .kind = PM_WITHDRAW, .token = TOKEN, .local.id = 255 };
	expect(&r, withdraw, sizeof(withdraw));
	r.local.id = 0;
	expect(&r, withdraw_first, sizeof(withdraw_first));
}

static void test_address_port(void)
{
	static const struct {
		const char *text, *address;
		int port;
	} good[] = {
		{ "10.0.0.1", "10.0.0.1", 0 },
		{ "10.0.0.1:443", "10.0.0.1", 443 },
		{ "fd00::1", "fd00::1", 0 },
		{ "[fd00::1]", "fd00::1", 0 },
		{ "[fd00::1]:1", "fd00::1", 1 },
		{ "[::ffff:10.0.0.1]:65535", "::ffff:10.0.0.1", 65535 },
		{ "::", "::", 0 },
	};
	static const char *const bad[] = {
		"",
		":",
		":443",
		"10.0.0.1:",
		"10.0.0.1:0",
		"10.0.0.1:65536",
		"10.0.0.1:8x",
		"10.0.0:443",
		"[10.0.0.1]:1",
		"[fd00::1",
		"[fd00::1]1",
		"[fd00::1]:",
		"[]:1",
		"host:443",
		"10.0.0.1:-1",
		"10.0.0.1:1:2",
		"[fd00::1]:000001",
		"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]:1",
	};
	struct pm_address a = { 0 };
	char text[INET6_ADDRSTRLEN];
	uint16_t port;

	for (size_t i = 0; i < NR(good); i++) {
		port = 7;
		CU_ASSERT_EQUAL(pm_address_port_parse(good[i].text, &a, &port), 0);
		CU_ASSERT_STRING_EQUAL(pm_address_text(&a, text), good[i].address);
		CU_ASSERT_EQUAL(port, good[i].port);
	}
	port = 7;
	for (size_t i = 0; i < NR(bad); i++) {
		int err = pm_address_port_parse(bad[i], &a, &port);

		if (err != -EINVAL)
			printf("taken: %s\n", bad[i]);
		CU_ASSERT_EQUAL(err, -EINVAL);
	}
	CU_ASSERT_EQUAL(port, 7);
	CU_ASSERT_STRING_EQUAL(pm_address_text(&a, text), "::");
}

static void test_arguments(void)
{
	struct pm_request r = { 0 };
	struct error e = { 0 };
	unsigned int n = 7;

	CU_ASSERT_EQUAL(conn_arg_number("N", "0", 0, 255, &n, &e), 0);
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_EQUAL(conn_arg_number("N", "255", 1, 255, &n, &e), 0);
	CU_ASSERT_EQUAL(conn_arg_number("N", "0", 1, 255, &n, &e), -EINVAL);
	CU_ASSERT_EQUAL(conn_arg_number("N", "256", 0, 255, &n, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "N is a number from 0 to 255, not \"256\"");
	CU_ASSERT_EQUAL(conn_arg_number("N", "99999999999999999999", 0, 255, &n, &e), -EINVAL);
	CU_ASSERT_EQUAL(conn_arg_number("N", "-1", 0, 255, &n, &e), -EINVAL);
	CU_ASSERT_EQUAL(conn_arg_number("N", "1 ", 0, 255, &n, &e), -EINVAL);
	CU_ASSERT_EQUAL(conn_arg_number("N", "", 0, 255, &n, &e), -EINVAL);
	CU_ASSERT_EQUAL(n, 255);

	CU_ASSERT_EQUAL(conn_arg_subflow_id("3", &r, &e), 0);
	CU_ASSERT_TRUE(r.has_local_id && !r.has_remote_id && r.local.id == 3);
	CU_ASSERT_EQUAL(conn_arg_subflow_id("0:255", &r, &e), 0);
	CU_ASSERT_TRUE(r.has_remote_id && r.local.id == 0 && r.remote.id == 255);
	CU_ASSERT_EQUAL(conn_arg_subflow_id("0:", &r, &e), -EINVAL);
	CU_ASSERT_EQUAL(conn_arg_subflow_id(":1", &r, &e), -EINVAL);
	CU_ASSERT_EQUAL(conn_arg_subflow_id("256", &r, &e), -EINVAL);
	CU_ASSERT_EQUAL(conn_arg_subflow_id("1:2:3", &r, &e), -EINVAL);
	CU_ASSERT_EQUAL(conn_arg_subflow_id("00000000000000000001", &r, &e), -EINVAL);

	CU_ASSERT_EQUAL(conn_arg_end("--local", NULL, true, &r.local, &e), 0);
	CU_ASSERT_EQUAL(r.local.address.family, 0);
	CU_ASSERT_EQUAL(conn_arg_end("--local", "10.0.0.1:1", true, &r.local, &e), 0);
	CU_ASSERT_EQUAL(r.local.port, 1);
	CU_ASSERT_EQUAL(conn_arg_end("--local", "10.0.0.1:1", false, &r.local, &e), -EINVAL);
	CU_ASSERT_EQUAL(conn_arg_end("--local", "wwan0", true, &r.local, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "--local: \"wwan0\" is not an address");
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("request", NULL, NULL);
	CU_ADD_TEST(s, test_add);
	CU_ADD_TEST(s, test_on_subflow);
	CU_ADD_TEST(s, test_announce);
	CU_ADD_TEST(s, test_address_port);
	CU_ADD_TEST(s, test_arguments);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
