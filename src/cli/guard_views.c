// SPDX-License-Identifier: GPL-2.0-only
/* The guard's tables; see guard_views.h. */
#include "cli/guard_views.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static void fill_row(uint64_t netns, const struct loader_guard *from, struct guard_row *row)
{
	struct pm_guard guard = { .ifindex = from->ifindex, .config = from->config };

	row->ifindex = from->ifindex;
	if (if_indextoname(from->ifindex, row->dev))
		memcpy(guard.name, row->dev, sizeof(guard.name));
	else
		snprintf(row->dev, sizeof(row->dev), "if%u", from->ifindex);
	pm_guard_describe(&guard, row->text, sizeof(row->text));
	/* Gone since it was listed: zeros are as true as anything. */
	loader_guard_counters(NULL, netns, from->ifindex, &row->n, NULL);
}

int guard_rows_read(uint64_t netns, struct guard_row **out, size_t *nr, struct error *e)
{
	_cleanup_free_ struct loader_guard *guards = calloc(MPTCP_GUARD_IFS, sizeof(*guards));
	struct guard_row *rows;
	size_t n = 0;
	bool dead;
	int err;

	if (!guards)
		return error_set(e, -ENOMEM, "cannot look at the guard: out of memory");
	err = loader_guard_read(NULL, netns, guards, &n, &dead, e);
	if (err < 0)
		return err;
	rows = calloc(n + 1, sizeof(*rows));
	if (!rows)
		return error_set(e, -ENOMEM, "cannot look at the guard: out of memory");
	for (size_t i = 0; i < n; i++)
		fill_row(netns, &guards[i], &rows[i]);
	*out = rows;
	*nr = n;
	return 0;
}

#define GUARD(key, title, kind, member, optional)                              \
	{                                                                      \
		key, title, kind, offsetof(struct guard_row, member), optional \
	}

static const struct column columns[] = {
	GUARD("dev", "DEV", COLUMN_TEXT, dev, false),
	GUARD("mp_prio", "MP_PRIO", COLUMN_U64, n.prio, false),
	GUARD("mp_prio_ignored", "IGNORED", COLUMN_U64, n.prio_ignored, false),
	GUARD("mp_prio_old", "OLD", COLUMN_U64, n.prio_old, false),
	GUARD("rm_addr", "RM_ADDR", COLUMN_U64, n.remove, false),
	GUARD("rm_addr_ignored", "IGNORED", COLUMN_U64, n.remove_ignored, false),
	GUARD("add_addr", "ADD_ADDR", COLUMN_U64, n.add_addr, false),
	GUARD("add_addr_ignored", "IGNORED", COLUMN_U64, n.add_addr_ignored, false),
	GUARD("join", "JOIN", COLUMN_U64, n.join, false),
	GUARD("join_dropped", "DROPPED", COLUMN_U64, n.join_dropped, false),
	GUARD("malformed", "MALFORMED", COLUMN_U64, n.malformed, false),
	GUARD("truncated", "TRUNCATED", COLUMN_U64, n.truncated, false),
	GUARD("hidden", "HIDDEN", COLUMN_U64, n.hidden, false),
	GUARD("failed", "FAILED", COLUMN_U64, n.failed, false),
	/* not in lists */
	GUARD("ifindex", NULL, COLUMN_U32, ifindex, false),
	GUARD("text", NULL, COLUMN_TEXT, text, false),
};

#define NR_DETAILS 2

struct table view_guards(const struct guard_row *rows, size_t nr, bool in_full)
{
	return (struct table){ columns, NR(columns) - (in_full ? 0 : NR_DETAILS), rows,
			       sizeof(*rows), nr };
}
