// SPDX-License-Identifier: GPL-2.0-only
/* Firewall marks of subflows; see marks.h. */
#include "loader/marks.h"

#include "loader/ruleset.h"

static const struct ruleset marks = {
	.tool = {
		.name = "mark",
		.object = "select/mark",
		.precious = true,
		.cgroup = true,
		.needs = "marks take BTF and BPF programs for the sockets of cgroups "
			 "(CONFIG_CGROUP_BPF)",
	},
	.map = "marks",
	.program = "mark_accepted",
	.what = "rules for marks",
	.bytes = sizeof(struct mptcp_mark),
	.max = MPTCP_MARKS_MAX,
};

int loader_marks_try(const struct loader_config *c, enum loader_outcome *outcome, struct error *e)
{
	return tool_try(&marks.tool, c, outcome, e);
}

int loader_marks_read(const struct loader_config *c, uint64_t cookie,
		      struct mptcp_mark rules[MPTCP_MARKS_MAX], size_t *nr, struct error *e)
{
	return ruleset_read(&marks, c, cookie, rules, nr, e);
}

int loader_marks_write(const struct loader_config *c, uint64_t cookie,
		       const struct mptcp_mark *rules, size_t nr, struct error *e)
{
	return ruleset_write(&marks, c, cookie, rules, nr, e);
}
