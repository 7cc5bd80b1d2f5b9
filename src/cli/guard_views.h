/* SPDX-License-Identifier: GPL-2.0-only */
/* What is guarded and what the guard counted, as a table. */
#ifndef CLI_GUARD_VIEWS_H
#define CLI_GUARD_VIEWS_H

#include "cli/table.h"
#include "loader/guard.h"
#include "pm/guard.h"

struct guard_row {
	char dev[IF_NAMESIZE];
	uint32_t ifindex;
	char text[PM_GUARD_TEXT_BYTES];
	struct mptcp_guard_counters n;
};

/* Those of a network namespace, which the calling thread is in; none when there is no guard. The
 * caller frees *out. */
int guard_rows_read(uint64_t netns, struct guard_row **out, size_t *nr, struct error *e);

/* With `in_full` also what JSON has and people rarely need. */
struct table view_guards(const struct guard_row *rows, size_t nr, bool in_full);

#endif
