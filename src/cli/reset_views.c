// SPDX-License-Identifier: GPL-2.0-only
/* The table of resets with a reason; see reset_views.h. */
#include "cli/reset_views.h"

#include <errno.h>
#include <stdlib.h>

int reset_counts_read(uint64_t netns, struct reset_count_row **out, size_t *nr, struct error *e)
{
	uint32_t ifs[MPTCP_RESET_IFS];
	struct reset_count_row *rows;
	size_t n = 0;
	bool dead;
	int err = loader_reset_read(NULL, netns, ifs, &n, &dead, e);

	if (err < 0)
		return err;
	rows = calloc(n + 1, sizeof(*rows));
	if (!rows)
		return error_set(e, -ENOMEM, "cannot look at resets with a reason: out of memory");
	for (size_t i = 0; i < n; i++) {
		rows[i].ifindex = ifs[i];
		if (!if_indextoname(ifs[i], rows[i].dev))
			snprintf(rows[i].dev, sizeof(rows[i].dev), "if%u", ifs[i]);
		/* Gone since it was listed: zeros are as true as anything. */
		loader_reset_counters(NULL, netns, ifs[i], &rows[i].n);
	}
	*out = rows;
	*nr = n;
	return 0;
}

#define COUNT(key, title, kind, member)                                           \
	{                                                                         \
		key, title, kind, offsetof(struct reset_count_row, member), false \
	}

static const struct column columns[] = {
	COUNT("dev", "DEV", COLUMN_TEXT, dev),
	COUNT("ifindex", "IFINDEX", COLUMN_U32, ifindex),
	COUNT("with_reason", "WITH A REASON", COLUMN_U64, n.changed),
	COUNT("failed", "FAILED", COLUMN_U64, n.failed),
};

struct table view_reset_counts(const struct reset_count_row *rows, size_t nr)
{
	return (struct table){ columns, sizeof(columns) / sizeof(columns[0]), rows, sizeof(*rows),
			       nr };
}
