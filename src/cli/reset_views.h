/* SPDX-License-Identifier: GPL-2.0-only */
/* Resets that left with a reason, counted for each interface, as a table. */
#ifndef CLI_RESET_VIEWS_H
#define CLI_RESET_VIEWS_H

#include <net/if.h>

#include "cli/table.h"
#include "loader/reset.h"

struct reset_count_row {
	char dev[IF_NAMESIZE];
	uint32_t ifindex;
	struct mptcp_reset_counters n;
};

/* Those of a network namespace, which the calling thread is in; none when no resets get a reason.
 * The caller frees *out. */
int reset_counts_read(uint64_t netns, struct reset_count_row **out, size_t *nr, struct error *e);

struct table view_reset_counts(const struct reset_count_row *rows, size_t nr);

#endif
