// SPDX-License-Identifier: GPL-2.0-only
/* Events decoded from messages built as the kernel builds them, malformed and cut ones; and the
 * lines they become. */
#include "pm/event.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/mptcp.h>
#include <stdlib.h>
#include <string.h>

#include "cli/event_lines.h"
#include "pm/address.h"
#include "util/cleanup.h"

#define NR(a)	     (sizeof(a) / sizeof((a)[0]))
#define BUFFER_BYTES 4096
#define TIME_US	     1764000000123456 /* 2025-11-24T16:00:00.123456Z */

static struct nlmsghdr *begin(char *buffer, uint8_t type)
{
	struct nlmsghdr *m;
	struct genlmsghdr *genl;

	memset(buffer, 0, BUFFER_BYTES);
	m = mnl_nlmsg_put_header(buffer);
	m->nlmsg_type = 0x21;
	genl = mnl_nlmsg_put_extra_header(m, sizeof(*genl));
	genl->cmd = type;
	genl->version = 1;
	return m;
}

/* SF_CLOSED with all the kernel can say. */
static struct nlmsghdr *sub_closed(char *buffer)
{
	struct nlmsghdr *m = begin(buffer, PM_EVENT_SUB_CLOSED);

	mnl_attr_put_u32(m, MPTCP_ATTR_TOKEN, 0xab12);
	mnl_attr_put_u16(m, MPTCP_ATTR_FAMILY, AF_INET);
	mnl_attr_put_u32(m, MPTCP_ATTR_SADDR4, htonl(0x0a4d0201));
	mnl_attr_put_u32(m, MPTCP_ATTR_DADDR4, htonl(0x0a4d0102));
	mnl_attr_put_u16(m, MPTCP_ATTR_SPORT, htons(40001));
	mnl_attr_put_u16(m, MPTCP_ATTR_DPORT, htons(443));
	mnl_attr_put_u8(m, MPTCP_ATTR_LOC_ID, 9);
	mnl_attr_put_u8(m, MPTCP_ATTR_REM_ID, 3);
	mnl_attr_put_u8(m, MPTCP_ATTR_BACKUP, 1);
	mnl_attr_put_u32(m, MPTCP_ATTR_IF_IDX, 7);
	mnl_attr_put_u8(m, MPTCP_ATTR_ERROR, ECONNRESET);
	mnl_attr_put_u32(m, MPTCP_ATTR_RESET_REASON, 6);
	mnl_attr_put_u32(m, MPTCP_ATTR_RESET_FLAGS, 1);
	return m;
}

static void test_ipv4(void)
{
	char buffer[BUFFER_BYTES], text[INET6_ADDRSTRLEN];
	struct pm_event e;

	CU_ASSERT_EQUAL_FATAL(pm_decode_event(sub_closed(buffer), &e), 0);
	CU_ASSERT_EQUAL(e.type, PM_EVENT_SUB_CLOSED);
	CU_ASSERT_EQUAL(e.token, 0xab12);
	CU_ASSERT_STRING_EQUAL(pm_address_text(&e.at.local, text), "10.77.2.1");
	CU_ASSERT_STRING_EQUAL(pm_address_text(&e.at.remote, text), "10.77.1.2");
	CU_ASSERT_EQUAL(e.at.local_port, 40001);
	CU_ASSERT_EQUAL(e.at.remote_port, 443);
	CU_ASSERT_EQUAL(e.local_id, 9);
	CU_ASSERT_EQUAL(e.remote_id, 3);
	CU_ASSERT_EQUAL(e.backup, 1);
	CU_ASSERT_EQUAL(e.ifindex, 7);
	CU_ASSERT_EQUAL(e.error, ECONNRESET);
	CU_ASSERT_EQUAL(e.reset_reason, 6);
	CU_ASSERT_EQUAL(e.reset_flags, 1);
	CU_ASSERT_FALSE(pm_event_has(&e, MPTCP_ATTR_SERVER_SIDE));
	CU_ASSERT_FALSE(pm_event_has(&e, MPTCP_ATTR_TIMEOUT));
}

static void test_ipv6(void)
{
	char buffer[BUFFER_BYTES], text[INET6_ADDRSTRLEN];
	struct nlmsghdr *m = begin(buffer, PM_EVENT_CREATED);
	const uint8_t near[16] = { 0xfd, [15] = 1 }, far[16] = { 0xfd, [15] = 2 };
	struct pm_event e;

	mnl_attr_put_u32(m, MPTCP_ATTR_TOKEN, 1);
	mnl_attr_put_u8(m, MPTCP_ATTR_SERVER_SIDE, 1);
	mnl_attr_put_u16(m, MPTCP_ATTR_FLAGS, PM_EVENT_FLAG_DENY_JOIN_ID0);
	mnl_attr_put(m, MPTCP_ATTR_SADDR6, sizeof(near), near);
	mnl_attr_put(m, MPTCP_ATTR_DADDR6, sizeof(far), far);
	CU_ASSERT_EQUAL_FATAL(pm_decode_event(m, &e), 0);
	CU_ASSERT_STRING_EQUAL(pm_address_text(&e.at.local, text), "fd00::1");
	CU_ASSERT_STRING_EQUAL(pm_address_text(&e.at.remote, text), "fd00::2");
	CU_ASSERT_EQUAL(e.server_side, 1);
	CU_ASSERT_EQUAL(e.flags, PM_EVENT_FLAG_DENY_JOIN_ID0);
	CU_ASSERT_FALSE(pm_event_has(&e, MPTCP_ATTR_SADDR4));
	CU_ASSERT_FALSE(pm_event_has(&e, MPTCP_ATTR_SPORT));
}

static char *line_of(const struct pm_event *e, const char *dev, bool json)
{
	char *text = NULL;
	size_t size = 0;
	struct event_lines l = { open_memstream(&text, &size), json };

	event_lines_event(&l, TIME_US, e, dev);
	fclose(l.out);
	return text;
}

/* Nothing but one attribute, of every size but its own; and one that no kernel sends. */
static void test_malformed(void)
{
	static const struct {
		uint16_t attribute;
		size_t size;
	} rows[] = {
		{ MPTCP_ATTR_TOKEN, 4 },	{ MPTCP_ATTR_LOC_ID, 1 },
		{ MPTCP_ATTR_REM_ID, 1 },	{ MPTCP_ATTR_SADDR4, 4 },
		{ MPTCP_ATTR_SADDR6, 16 },	{ MPTCP_ATTR_DADDR4, 4 },
		{ MPTCP_ATTR_DADDR6, 16 },	{ MPTCP_ATTR_SPORT, 2 },
		{ MPTCP_ATTR_DPORT, 2 },	{ MPTCP_ATTR_BACKUP, 1 },
		{ MPTCP_ATTR_ERROR, 1 },	{ MPTCP_ATTR_FLAGS, 2 },
		{ MPTCP_ATTR_TIMEOUT, 4 },	{ MPTCP_ATTR_IF_IDX, 4 },
		{ MPTCP_ATTR_RESET_REASON, 4 }, { MPTCP_ATTR_RESET_FLAGS, 4 },
		{ MPTCP_ATTR_SERVER_SIDE, 1 },	{ 200, 1000 },
	};
	const uint8_t bytes[24] = { [0 ... 23] = 0xff };
	char buffer[BUFFER_BYTES];

	for (size_t i = 0; i < NR(rows); i++) {
		for (size_t size = 0; size <= sizeof(bytes); size++) {
			struct nlmsghdr *m = begin(buffer, PM_EVENT_CREATED);
			struct pm_event e;
			_cleanup_free_ char *line = NULL;

			mnl_attr_put(m, rows[i].attribute, size, bytes);
			CU_ASSERT_EQUAL_FATAL(pm_decode_event(m, &e), 0);
			CU_ASSERT_EQUAL(e.present,
					size == rows[i].size ? 1u << rows[i].attribute : 0);
			line = line_of(&e, NULL, false);
			if (size != rows[i].size)
				CU_ASSERT_STRING_EQUAL(
					line, "2025-11-24T16:00:00.123456Z [         CREATED]\n");
		}
	}
}

/* An attribute whose own length is wrong. */
static void test_lengths(void)
{
	static const uint16_t lengths[] = { 0, 1, 3, 9, 0xffff };
	char buffer[BUFFER_BYTES];

	for (size_t i = 0; i < NR(lengths); i++) {
		struct nlmsghdr *m = begin(buffer, PM_EVENT_CLOSED);
		struct pm_event e = { .type = 99 };
		struct nlattr *a = mnl_nlmsg_get_payload_tail(m);

		mnl_attr_put_u32(m, MPTCP_ATTR_TOKEN, 1);
		a->nla_len = lengths[i];
		CU_ASSERT_EQUAL(pm_decode_event(m, &e), -EBADMSG);
		CU_ASSERT_EQUAL(e.type, 99);
	}
}

/* Cut anywhere, it is refused or is whole up to an attribute's end; never read beyond. */
static void test_cut(void)
{
	char buffer[BUFFER_BYTES];
	size_t whole = sub_closed(buffer)->nlmsg_len, taken = 0;

	for (size_t size = NLMSG_HDRLEN; size < whole; size++) {
		_cleanup_free_ char *copy = malloc(size);
		struct nlmsghdr *m = (struct nlmsghdr *)copy;
		struct pm_event e;

		CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
		memcpy(copy, buffer, size);
		m->nlmsg_len = (uint32_t)size;
		taken += pm_decode_event(m, &e) == 0;
	}
	/* No attribute, or the first one, or the first two, ... of thirteen. */
	CU_ASSERT_EQUAL(taken, 13);
}

static void test_names(void)
{
	static const char *const names[] = {
		NULL,
		"CREATED",
		"ESTABLISHED",
		"CLOSED",
		NULL,
		NULL,
		"ANNOUNCED",
		"REMOVED",
		NULL,
		NULL,
		"SF_ESTABLISHED",
		"SF_CLOSED",
		NULL,
		"SF_PRIO",
		NULL,
		"LISTENER_CREATED",
		"LISTENER_CLOSED",
	};

	for (unsigned int type = 0; type <= UINT8_MAX; type++) {
		const char *want = type < NR(names) ? names[type] : NULL;

		if (!want)
			CU_ASSERT_PTR_NULL(pm_event_name((uint8_t)type))
		else
			CU_ASSERT_STRING_EQUAL(pm_event_name((uint8_t)type), want);
	}
	CU_ASSERT_STRING_EQUAL(pm_reset_reason_text(0), "unspecified error");
	CU_ASSERT_STRING_EQUAL(pm_reset_reason_text(6), "middlebox interference");
	CU_ASSERT_PTR_NULL(pm_reset_reason_text(7));
}

static void expect(const struct pm_event *e, const char *dev, const char *text, const char *json)
{
	_cleanup_free_ char *line = line_of(e, dev, false), *object = line_of(e, dev, true);

	CU_ASSERT_STRING_EQUAL(line, text);
	CU_ASSERT_STRING_EQUAL(object, json);
}

static void test_lines(void)
{
	struct pm_event e = { .type = 77, .present = 1u << MPTCP_ATTR_TOKEN, .token = 5 };
	char buffer[BUFFER_BYTES];

	expect(&e, NULL, "2025-11-24T16:00:00.123456Z [         UNKNOWN] type=77 token=00000005\n",
	       "{\"time_us\":1764000000123456,\"event\":\"UNKNOWN\",\"type\":77,"
	       "\"token\":\"00000005\"}\n");
	CU_ASSERT_EQUAL_FATAL(pm_decode_event(sub_closed(buffer), &e), 0);
	expect(&e, "wwan0",
	       "2025-11-24T16:00:00.123456Z [       SF_CLOSED] token=0000ab12 remid=3 locid=9 "
	       "saddr4=10.77.2.1 daddr4=10.77.1.2 sport=40001 dport=443 backup=1 error=104 "
	       "error_text=\"Connection reset by peer\" dev=wwan0 reset_reason=6 "
	       "reset_reason_text=\"middlebox interference\" reset_flags=1 transient\n",
	       "{\"time_us\":1764000000123456,\"event\":\"SF_CLOSED\",\"token\":\"0000ab12\","
	       "\"remid\":3,\"locid\":9,\"saddr4\":\"10.77.2.1\",\"daddr4\":\"10.77.1.2\","
	       "\"sport\":40001,\"dport\":443,\"backup\":true,\"error\":104,"
	       "\"error_text\":\"Connection reset by peer\",\"dev\":\"wwan0\",\"reset_reason\":6,"
	       "\"reset_reason_text\":\"middlebox interference\",\"reset_flags\":1,"
	       "\"transient\":true}\n");
	/* The interface is gone; who opened it is told by a flag, beside one that has no name. */
	e = (struct pm_event){ .type = PM_EVENT_CREATED,
			       .present = 1u << MPTCP_ATTR_IF_IDX | 1u << MPTCP_ATTR_FLAGS,
			       .ifindex = 7,
			       .flags = PM_EVENT_FLAG_SERVER_SIDE | 0x11 };
	expect(&e, NULL,
	       "2025-11-24T16:00:00.123456Z [         CREATED] server_side deny_join_id0 "
	       "rawflags=16 ifindex=7\n",
	       "{\"time_us\":1764000000123456,\"event\":\"CREATED\",\"server_side\":true,"
	       "\"deny_join_id0\":true,\"rawflags\":16,\"ifindex\":7}\n");
}

static void test_own_lines(void)
{
	struct pm_connection c = {
		.token = 0xab, .state = 1, .role = PM_ROLE_SERVER, .nr_subflows = 2
	};
	const size_t nr = 1;
	char *text = NULL;
	size_t size = 0;
	struct event_lines l = { open_memstream(&text, &size), false };

	c.at.local_port = 40000;
	c.at.remote_port = 443;
	pm_address_parse("fd00::1", &c.at.local);
	pm_address_parse("fd00::2", &c.at.remote);
	event_lines_overflow(&l, TIME_US, &nr);
	event_lines_current(&l, TIME_US, &c);
	l.json = true;
	event_lines_overflow(&l, TIME_US, NULL);
	event_lines_current(&l, TIME_US, &c);
	fclose(l.out);
	CU_ASSERT_STRING_EQUAL(
		text,
		"2025-11-24T16:00:00.123456Z [        OVERFLOW] lost events: the kernel's buffer "
		"was full connections=1\n"
		"2025-11-24T16:00:00.123456Z [         CURRENT] token=000000ab saddr6=fd00::1 "
		"daddr6=fd00::2 sport=40000 dport=443 server_side state=ESTAB nr_subflows=2\n"
		"{\"time_us\":1764000000123456,\"event\":\"OVERFLOW\",\"text\":\"lost events: the "
		"kernel's buffer was full\"}\n"
		"{\"time_us\":1764000000123456,\"event\":\"CURRENT\",\"token\":\"000000ab\","
		"\"saddr6\":\"fd00::1\",\"daddr6\":\"fd00::2\",\"sport\":40000,\"dport\":443,"
		"\"server_side\":true,\"state\":\"ESTAB\",\"nr_subflows\":2}\n");
	free(text);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("event", NULL, NULL);
	CU_ADD_TEST(s, test_ipv4);
	CU_ADD_TEST(s, test_ipv6);
	CU_ADD_TEST(s, test_malformed);
	CU_ADD_TEST(s, test_lengths);
	CU_ADD_TEST(s, test_cut);
	CU_ADD_TEST(s, test_names);
	CU_ADD_TEST(s, test_lines);
	CU_ADD_TEST(s, test_own_lines);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
