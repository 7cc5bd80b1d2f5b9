// SPDX-License-Identifier: GPL-2.0-only
/* What a peer's backup bit does, by trust, in every scheduler that takes part. */
#include "table.h"

static const char *const schedulers[] = { "backup",    "blest",	     "ecf",   "minrtt",
					  "redundant", "roundrobin", "target" };

enum { OBEY, IGNORE, DEMOTE };

static bool is_backup(const struct fake_conn *c, int i)
{
	return fake_path_flags(&c->path[i]) & MPTCP_PATH_BACKUP;
}

/* After the bits of path 2 (local address id 1) were set, as a decision sees it. */
static bool becomes_backup(struct fake_sched *s, struct fake_conn *c, __u32 bits)
{
	c->path[1].view.flags = MPTCP_PATH_MEMORY | bits;
	fake_get_send(s, c);
	return is_backup(c, 1);
}

static void two_paths(struct fake_conn *c, __u32 bits)
{
	fake_conn_init(c);
	fake_path_add(c, 1, 40000);
	fake_path_add(c, 2, 20000)->view.flags |= bits;
}

static void check(const char *name)
{
	const __u32 received = MPTCP_PATH_BACKUP_RECEIVED, ours = MPTCP_PATH_BACKUP_REQUESTED;
	struct fake_sched *s = fake_sched_open(name);
	struct fake_conn c;

	two_paths(&c, 0);
	CU_ASSERT_FALSE(becomes_backup(s, &c, 0));
	CU_ASSERT_TRUE(becomes_backup(s, &c, received));
	CU_ASSERT_FALSE(becomes_backup(s, &c, 0));

	fake_sched_set(s, "trust", 1, IGNORE);
	two_paths(&c, received);
	CU_ASSERT_FALSE(becomes_backup(s, &c, received)); /* the bit of its join */
	CU_ASSERT_FALSE(becomes_backup(s, &c, 0));
	CU_ASSERT_FALSE(becomes_backup(s, &c, received));
	CU_ASSERT_TRUE(becomes_backup(s, &c, received | ours));
	CU_ASSERT_FALSE(becomes_backup(s, &c, received));

	fake_sched_set(s, "trust", 1, DEMOTE);
	two_paths(&c, 0);
	CU_ASSERT_FALSE(becomes_backup(s, &c, 0));
	CU_ASSERT_TRUE(becomes_backup(s, &c, ours));
	CU_ASSERT_FALSE(becomes_backup(s, &c, 0));
	CU_ASSERT_TRUE(becomes_backup(s, &c, received));
	CU_ASSERT_TRUE(becomes_backup(s, &c, 0));

	/* Only the paths of that address. */
	c.path[0].view.flags |= received;
	fake_get_send(s, &c);
	CU_ASSERT_TRUE(is_backup(&c, 0));
	c.path[0].view.flags &= ~received;
	fake_get_send(s, &c);
	CU_ASSERT_FALSE(is_backup(&c, 0));
	fake_sched_close(s);
}

static void test_trust(void)
{
	for (size_t i = 0; i < NR(schedulers); i++)
		check(schedulers[i]);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "trust", test_trust },
		CU_TEST_INFO_NULL,
	};

	return table_main("trust", tests);
}
