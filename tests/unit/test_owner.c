// SPDX-License-Identifier: GPL-2.0-only
/* Whose a connection is: the request, and answers built as the kernel builds them, and cut ones. */
#include "pm/owner.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static struct nlmsghdr *answer(char *buffer)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct inet_diag_msg *d = mnl_nlmsg_put_extra_header(m, sizeof(*d));

	m->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	d->idiag_uid = 1000;
	mnl_attr_put_u8(m, INET_DIAG_SHUTDOWN, 0);
	mnl_attr_put_u64(m, 21, 0x123456789aull);
	return m;
}

static void test_request(void)
{
	char buffer[PM_NETLINK_BYTES];
	struct nlmsghdr *m = pm_encode_owner(buffer, 0xabcd1234);
	const struct inet_diag_req_v2 *r = mnl_nlmsg_get_payload(m);
	const struct nlattr *a = mnl_nlmsg_get_payload_offset(m, sizeof(*r));

	CU_ASSERT_EQUAL(m->nlmsg_flags & NLM_F_DUMP, 0);
	CU_ASSERT_EQUAL(r->id.idiag_cookie[0], 0xabcd1234);
	CU_ASSERT_EQUAL(mnl_attr_get_type(a), INET_DIAG_REQ_PROTOCOL);
	CU_ASSERT_EQUAL(mnl_attr_get_u32(a), 262);
}

static void test_answer(void)
{
	char buffer[PM_NETLINK_BYTES];
	struct pm_owner o = { 0 };

	CU_ASSERT_EQUAL(pm_decode_owner(answer(buffer), &o), 0);
	CU_ASSERT_EQUAL(o.uid, 1000);
	CU_ASSERT_EQUAL(o.cgroup, 0x123456789aull);
}

/* In memory of exactly the size, so that the sanitizers see what is read beyond it. */
static void test_cut(void)
{
	char buffer[PM_NETLINK_BYTES];
	const struct nlmsghdr *m = answer(buffer);
	int refused = 0;

	for (uint32_t n = sizeof(*m); n < m->nlmsg_len; n++) {
		_cleanup_free_ struct nlmsghdr *cut = malloc(n);
		struct pm_owner o = { 7, 7 };

		memcpy(cut, m, n);
		cut->nlmsg_len = n;
		if (pm_decode_owner(cut, &o) == 0)
			continue;
		refused++;
		CU_ASSERT_EQUAL(o.uid, 7);
	}
	CU_ASSERT(refused > 70);
	answer(buffer)->nlmsg_type = NLMSG_MIN_TYPE;
	CU_ASSERT_EQUAL(pm_decode_owner(m, &(struct pm_owner){ 0 }), -EBADMSG);
}

int main(void)
{
	CU_pSuite s;
	unsigned int failures;

	CU_initialize_registry();
	s = CU_add_suite("owner", NULL, NULL);
	CU_add_test(s, "request", test_request);
	CU_add_test(s, "answer", test_answer);
	CU_add_test(s, "cut", test_cut);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures ? 1 : 0;
}
