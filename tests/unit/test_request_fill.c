// SPDX-License-Identifier: GPL-2.0-only
/* Requests to the userspace path manager completed, and refused before the kernel sees them. */
#include "pm/request.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "pm/address.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

#define TOKEN 0x01020304u

static struct pm_endpoint at(const char *text)
{
	struct pm_endpoint ep = { 0 };

	if (text)
		CU_ASSERT_EQUAL_FATAL(pm_address_port_parse(text, &ep.address, &ep.port), 0);
	return ep;
}

/* A connection from 10.0.1.1 with a second subflow, and two more addresses of which one was
 * announced; wwan0 (4) has one address a family, eth0 (5) two IPv4 ones. */
static struct pm_subflow subflows[2];
static struct pm_address wwan0[2], eth0[2];
static struct pm_interface interfaces[] = {
	{ .ifindex = 4, .name = "wwan0", .addresses = wwan0, .nr_addresses = 2 },
	{ .ifindex = 5, .name = "eth0", .addresses = eth0, .nr_addresses = 2 },
};
static struct pm_endpoint addresses[2];
static struct pm_connection conn;
static const struct pm_request_facts facts = { &conn, addresses, 2, interfaces, 2 };

static void make_pair(struct pm_socket_pair *p, const char *local, const char *remote)
{
	struct pm_endpoint l = at(local), r = at(remote);

	*p = (struct pm_socket_pair){ l.address, r.address, l.port, r.port };
}

/* Of an IPv4 socket, or a dual-stack one. */
static void make_facts(bool mapped)
{
	subflows[0] = (struct pm_subflow){ 0 };
	subflows[1] = (struct pm_subflow){ .local_id = 1, .remote_id = 3 };
	make_pair(&subflows[0].at, mapped ? "[::ffff:10.0.1.1]:40000" : "10.0.1.1:40000",
		  mapped ? "[::ffff:10.0.9.1]:443" : "10.0.9.1:443");
	make_pair(&subflows[1].at, "10.0.2.1:40001", "10.0.9.2:443");
	conn = (struct pm_connection){ .token = TOKEN, .subflows = subflows, .nr_subflows = 2 };
	conn.at = subflows[0].at;
	addresses[0] = at("10.0.2.1");
	addresses[0].id = 1;
	addresses[1] = at("10.0.3.1");
	addresses[1].id = 2;
	wwan0[0] = at("10.0.4.1").address;
	wwan0[1] = at("fd00::4").address;
	eth0[0] = at("10.0.5.1").address;
	eth0[1] = at("10.0.5.2").address;
}

static int fill(enum pm_request_kind kind, const char *local, const char *remote, int id,
		struct pm_request *r, struct error *e)
{
	*r = (struct pm_request){ .kind = kind,
				  .token = TOKEN,
				  .local = at(local),
				  .remote = at(remote),
				  .has_local_id = id >= 0 };
	r->local.id = id >= 0 ? (uint8_t)id : 0;
	return pm_request_fill(r, &facts, e);
}

static void test_fill_add(void)
{
	static const struct {
		const char *local, *remote;
		int id, err, want_id, want_remote_id;
		const char *says;
	} t[] = {
		{ "10.0.6.1", NULL, -1, 0, 3, 0, NULL }, /* 1 and 2 are taken */
		{ "10.0.6.1", "10.0.9.2:80", 7, 0, 7, 3, NULL },
		{ "10.0.3.1", NULL, -1, 0, 2, 0, NULL }, /* keeps the id it was announced with */
		{ "10.0.1.1", "10.0.9.2", -1, 0, 0, 3, NULL },
		{ "10.0.3.1", NULL, 2, 0, 2, 0, NULL },
		{ "10.0.3.1", NULL, 4, -EEXIST, 0, 0, "10.0.3.1 has the id 2" },
		{ "10.0.6.1", NULL, 1, -EEXIST, 0, 0,
		  "id 1 is in use in connection 01020304, by 10.0.2.1" },
		{ "10.0.6.1", NULL, 0, -EEXIST, 0, 0, "id 0 is in use" },
		{ "10.0.1.1", NULL, -1, -EEXIST, 0, 0, "from 10.0.1.1 to 10.0.9.1:443 already" },
		{ "fd00::1", NULL, -1, -EAFNOSUPPORT, 0, 0, "IPv4 socket" },
		{ "10.0.6.1", "[fd00::9]:1", -1, -EAFNOSUPPORT, 0, 0, "fd00::9 is IPv6" },
		{ NULL, NULL, -1, -EINVAL, 0, 0, "a local address is needed" },
	};

	make_facts(false);
	for (size_t i = 0; i < NR(t); i++) {
		struct pm_request r;
		struct error e = { 0 };

		CU_ASSERT_EQUAL(fill(PM_SUBFLOW_ADD, t[i].local, t[i].remote, t[i].id, &r, &e),
				t[i].err);
		if (t[i].says && !strstr(e.text, t[i].says))
			printf("%s: %s\n", t[i].says, e.text);
		if (t[i].says)
			CU_ASSERT_PTR_NOT_NULL(strstr(e.text, t[i].says));
		if (t[i].err)
			continue;
		CU_ASSERT_EQUAL(r.local.id, t[i].want_id);
		CU_ASSERT_EQUAL(r.remote.id, t[i].want_remote_id);
	}
}

static int fill_device(int ifindex, const char *remote, struct pm_request *r)
{
	struct error e;

	*r = (struct pm_request){ .kind = PM_SUBFLOW_ADD, .token = TOKEN, .remote = at(remote) };
	r->local.ifindex = ifindex;
	return pm_request_fill(r, &facts, &e);
}

static void test_fill_device(void)
{
	char text[PM_ADDRESS_PORT_BYTES];
	struct pm_request r;

	make_facts(true);
	CU_ASSERT_EQUAL(fill_device(4, NULL, &r), 0);
	CU_ASSERT_STRING_EQUAL(pm_address_text(&r.local.address, text), "10.0.4.1");
	/* no longer mapped: the kernel wants the family of the local address */
	CU_ASSERT_STRING_EQUAL(pm_address_port_text(&r.remote.address, r.remote.port, text),
			       "10.0.9.1:443");
	CU_ASSERT_EQUAL(fill_device(4, "[fd00::9]:1", &r), 0);
	CU_ASSERT_STRING_EQUAL(pm_address_text(&r.local.address, text), "fd00::4");
	CU_ASSERT_EQUAL(fill_device(5, NULL, &r), -ENOTUNIQ);
	CU_ASSERT_EQUAL(fill_device(5, "fd00::9", &r), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(fill_device(6, NULL, &r), -EINVAL);
	/* the first subflow's mapped addresses are these */
	wwan0[0] = at("10.0.1.1").address;
	CU_ASSERT_EQUAL(fill_device(4, NULL, &r), -EEXIST);
	CU_ASSERT_EQUAL(fill_device(4, "10.0.9.2:443", &r), 0);
	CU_ASSERT_EQUAL(r.local.id, 0);
}

/* Every id but the last is taken, then that one too. */
static void test_ids_run_out(void)
{
	static struct pm_endpoint many[255];
	const struct pm_request_facts full = { &conn, many, 255, NULL, 0 };
	struct pm_request r = { .kind = PM_ANNOUNCE, .token = TOKEN, .local = at("192.0.2.1") };
	struct pm_request_facts almost = full;
	struct error e;

	make_facts(false);
	conn.nr_subflows = 0;
	for (size_t i = 0; i < NR(many); i++) {
		many[i] = at("10.9.0.1");
		many[i].id = (uint8_t)(i + 1);
	}
	almost.nr_addresses = 254;
	CU_ASSERT_EQUAL(pm_request_fill(&r, &almost, &e), 0);
	CU_ASSERT_EQUAL(r.local.id, 255);
	CU_ASSERT_EQUAL(pm_request_fill(&r, &full, &e), -ENOSPC);
}

static void test_fill_subflow(void)
{
	char text[PM_ADDRESS_PORT_BYTES];
	struct pm_request r;
	struct error e;

	make_facts(true);
	CU_ASSERT_EQUAL(fill(PM_SUBFLOW_DELETE, NULL, NULL, 1, &r, &e), 0);
	CU_ASSERT_STRING_EQUAL(pm_address_port_text(&r.local.address, r.local.port, text),
			       "10.0.2.1:40001");
	CU_ASSERT_EQUAL(r.remote.id, 3);
	/* said plainly, found mapped, sent as the socket has it */
	CU_ASSERT_EQUAL(fill(PM_SUBFLOW_BACKUP, "10.0.1.1:40000", "10.0.9.1:443", -1, &r, &e), 0);
	CU_ASSERT_STRING_EQUAL(pm_address_port_text(&r.local.address, r.local.port, text),
			       "[::ffff:10.0.1.1]:40000");
	CU_ASSERT_EQUAL(fill(PM_SUBFLOW_DELETE, "[::ffff:10.0.2.1]", NULL, -1, &r, &e), 0);
	CU_ASSERT_EQUAL(r.local.port, 40001);
	CU_ASSERT_EQUAL(fill(PM_SUBFLOW_DELETE, NULL, NULL, 2, &r, &e), -ENOENT);
	CU_ASSERT_EQUAL(fill(PM_SUBFLOW_DELETE, "10.0.1.1:40001", NULL, -1, &r, &e), -ENOENT);
	subflows[1].local_id = 0;
	CU_ASSERT_EQUAL(fill(PM_SUBFLOW_DELETE, NULL, NULL, 0, &r, &e), -ENOTUNIQ);
	CU_ASSERT_STRING_EQUAL(e.text, "2 subflows of connection 01020304 fit");
	r = (struct pm_request){ .kind = PM_SUBFLOW_DELETE,
				 .has_local_id = true,
				 .has_remote_id = true,
				 .remote.id = 3 };
	CU_ASSERT_EQUAL(pm_request_fill(&r, &facts, &e), 0);
	CU_ASSERT_EQUAL(r.local.port, 40001);
}

static void test_fill_announce(void)
{
	struct pm_request r;
	struct error e;

	make_facts(false);
	CU_ASSERT_EQUAL(fill(PM_ANNOUNCE, "10.0.6.1", NULL, -1, &r, &e), 0);
	CU_ASSERT_EQUAL(r.local.id, 3);
	CU_ASSERT_EQUAL(fill(PM_ANNOUNCE, "10.0.3.1", NULL, -1, &r, &e), 0);
	CU_ASSERT_EQUAL(r.local.id, 2);
	/* an address with another port is another one, and 0 is never announced */
	CU_ASSERT_EQUAL(fill(PM_ANNOUNCE, "10.0.3.1:80", NULL, -1, &r, &e), 0);
	CU_ASSERT_EQUAL(r.local.id, 3);
	CU_ASSERT_EQUAL(fill(PM_ANNOUNCE, "10.0.1.1", NULL, -1, &r, &e), 0);
	CU_ASSERT_EQUAL(r.local.id, 3);
	CU_ASSERT_EQUAL(fill(PM_ANNOUNCE, "10.0.6.1", NULL, 2, &r, &e), -EEXIST);
	CU_ASSERT_STRING_EQUAL(e.hint, "the lowest free id is 3");
	CU_ASSERT_EQUAL(fill(PM_ANNOUNCE, "fd00::1", NULL, -1, &r, &e), -EAFNOSUPPORT);
	conn.fallback = true;
	CU_ASSERT_EQUAL(fill(PM_ANNOUNCE, "10.0.6.1", NULL, -1, &r, &e), -EPROTO);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("request_fill", NULL, NULL);
	CU_ADD_TEST(s, test_fill_add);
	CU_ADD_TEST(s, test_fill_device);
	CU_ADD_TEST(s, test_ids_run_out);
	CU_ADD_TEST(s, test_fill_subflow);
	CU_ADD_TEST(s, test_fill_announce);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
