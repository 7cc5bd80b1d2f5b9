// SPDX-License-Identifier: GPL-2.0-only
/* Messages to the kernel, byte for byte; the attribute layout is that of `ip mptcp` (strace). */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pm/address.h"
#include "pm/interfaces.h"
#include "pm/mptcp_pm.h"

/* Compares what follows the netlink header; the numbers are little endian. */
static void expect(const struct nlmsghdr *m, uint16_t flags, const void *bytes, size_t size)
{
	CU_ASSERT_EQUAL(m->nlmsg_type, 0x21);
	CU_ASSERT_EQUAL(m->nlmsg_flags, NLM_F_REQUEST | flags);
	CU_ASSERT_EQUAL_FATAL(m->nlmsg_len, NLMSG_HDRLEN + size);
	CU_ASSERT_EQUAL(memcmp(mnl_nlmsg_get_payload(m), bytes, size), 0);
}

static void test_endpoints(void)
{
	static const uint8_t add[] = { 1, 1, 0, 0, 44, 0, 1, 0x80, 6, 0, 1, 0, 2, 0, 0, 0,
				       8, 0, 3, 0, 10, 0, 1, 2,	   5, 0, 2, 0, 9, 0, 0, 0,
				       8, 0, 6, 0, 6,  0, 0, 0,	   8, 0, 7, 0, 3, 0, 0, 0 };
	static const uint8_t delete[] = { 2, 1, 0, 0, 12, 0, 1, 0x80, 5, 0, 2, 0, 9, 0, 0, 0 };
	static const uint8_t change[] = { 7, 1, 0, 0, 20, 0, 1, 0x80, 5, 0, 2, 0,
					  9, 0, 0, 0, 8,  0, 6, 0,    4, 0, 0, 0 };
	static const uint8_t dump[] = { 3, 1, 0, 0 };
	static const uint8_t dump_of[] = { 3, 1, 0, 0, 8, 0, 4, 0, 0xef, 0xbe, 0xad, 0xde };
	struct pm_endpoint ep = { .id = 9,
				  .flags = PM_FLAG_SUBFLOW | PM_FLAG_BACKUP,
				  .ifindex = 3 };
	char buffer[PM_NETLINK_BYTES];

	pm_address_parse("10.0.1.2", &ep.address);
	expect(pm_encode_add(buffer, 0x21, &ep), NLM_F_ACK, add, sizeof(add));
	expect(pm_encode_delete(buffer, 0x21, &ep), NLM_F_ACK, delete, sizeof(delete));
	expect(pm_encode_set_flags(buffer, 0x21, &ep), NLM_F_ACK, change, sizeof(change));
	expect(pm_encode_dump(buffer, 0x21), NLM_F_DUMP, dump, sizeof(dump));
	expect(pm_encode_dump_addresses(buffer, 0x21, 0xdeadbeef), NLM_F_DUMP, dump_of,
	       sizeof(dump_of));
}

static void test_limits(void)
{
	static const uint8_t get[] = { 6, 1, 0, 0 };
	static const uint8_t set[] = { 5, 1, 0, 0, 8, 0, 2, 0, 1, 0, 0, 0, 8, 0, 3, 0, 4, 0, 0, 0 };
	struct pm_limits limits = { .subflows = 4, .add_addr_accepted = 1 };
	char buffer[PM_NETLINK_BYTES];

	expect(pm_encode_get_limits(buffer, 0x21), NLM_F_ACK, get, sizeof(get));
	expect(pm_encode_set_limits(buffer, 0x21, &limits), NLM_F_ACK, set, sizeof(set));
}

static void test_decode(void)
{
	struct pm_endpoint ep = { .id = 200, .flags = 0x21, .ifindex = 7, .port = 5000 }, back;
	struct nlmsghdr *m;
	char buffer[PM_NETLINK_BYTES];

	pm_address_parse("fd00::1", &ep.address);
	CU_ASSERT_EQUAL(pm_decode_endpoint(pm_encode_add(buffer, 0x21, &ep), &back), 0);
	CU_ASSERT_EQUAL(back.id, 200);
	CU_ASSERT_EQUAL(back.flags, 0x21);
	CU_ASSERT_EQUAL(back.ifindex, 7);
	CU_ASSERT_EQUAL(back.port, 5000);
	CU_ASSERT_TRUE(pm_address_equal(&back.address, &ep.address));
	m = pm_encode_dump(buffer, 0x21);
	CU_ASSERT_TRUE(pm_decode_endpoint(m, &back) < 0);
}

static void test_types(void)
{
	CU_ASSERT_EQUAL(pm_interface_type("wlp2s0", NULL), POLICY_LINK_WIFI);
	CU_ASSERT_EQUAL(pm_interface_type("wwan0", "veth"), POLICY_LINK_CELLULAR);
	CU_ASSERT_EQUAL(pm_interface_type("office", "wireguard"), POLICY_LINK_VPN);
	CU_ASSERT_EQUAL(pm_interface_type("eth0", "tun"), POLICY_LINK_VPN);
	CU_ASSERT_EQUAL(pm_interface_type("enp3s0", NULL), POLICY_LINK_ETHERNET);
	CU_ASSERT_EQUAL(pm_interface_type("br0", "bridge"), POLICY_LINK_ANY);
}

static void write_uevent(const char *dir, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/radio/uevent", dir);
	f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
}

static void test_device_types(void)
{
	char dir[] = "/tmp/test_netlink.XXXXXX", path[128];

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/radio", dir);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
	CU_ASSERT_EQUAL(pm_interface_device_type(dir, "radio", 7), POLICY_LINK_ANY);
	write_uevent(dir, "DEVTYPE=wlan\nINTERFACE=radio\nIFINDEX=7\n");
	CU_ASSERT_EQUAL(pm_interface_device_type(dir, "radio", 7), POLICY_LINK_WIFI);
	CU_ASSERT_EQUAL(pm_interface_device_type(dir, "radio", 8), POLICY_LINK_ANY);
	write_uevent(dir, "DEVTYPE=wwan\nINTERFACE=radio\nIFINDEX=7\n");
	CU_ASSERT_EQUAL(pm_interface_device_type(dir, "radio", 7), POLICY_LINK_CELLULAR);
	write_uevent(dir, "INTERFACE=radio\nIFINDEX=7\n");
	CU_ASSERT_EQUAL(pm_interface_device_type(dir, "radio", 7), POLICY_LINK_ANY);
	snprintf(path, sizeof(path), "%s/radio/uevent", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/radio", dir);
	rmdir(path);
	rmdir(dir);
}

static uint64_t loopback_bytes(void)
{
	struct pm_interface *items = NULL;
	struct error e = { 0 };
	uint64_t bytes = 0;
	size_t nr = 0;

	CU_ASSERT_EQUAL_FATAL(pm_interfaces_read(&items, &nr, &e), 0);
	for (size_t i = 0; i < nr; i++)
		if (items[i].loopback)
			bytes = items[i].bytes;
	pm_interfaces_free(items, nr);
	return bytes;
}

/* What is sent through the loopback is received there too. */
static void test_counters(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t before = loopback_bytes();
	static char payload[5000];

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (sendto(fd, payload, sizeof(payload), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		printf("(no loopback here) ");
	else
		CU_ASSERT_TRUE(loopback_bytes() >= before + 2 * sizeof(payload));
	close(fd);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite suite;

	CU_initialize_registry();
	suite = CU_add_suite("netlink", NULL, NULL);
	CU_add_test(suite, "endpoints", test_endpoints);
	CU_add_test(suite, "limits", test_limits);
	CU_add_test(suite, "decode", test_decode);
	CU_add_test(suite, "interface types", test_types);
	CU_add_test(suite, "device types", test_device_types);
	CU_add_test(suite, "counters of interfaces", test_counters);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
