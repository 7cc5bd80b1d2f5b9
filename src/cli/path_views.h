/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths, connections and subflows as the daemon sees them, as rows of tables. */
#ifndef CLI_PATH_VIEWS_H
#define CLI_PATH_VIEWS_H

#include <net/if.h>

#include "cli/table.h"
#include "pm/address.h"
#include "pm/engine.h"
#include "pm/nat64.h"
#include "policy/policy.h"
#include "util/flat.h"

struct path_row {
	char path[POLICY_NAME_BYTES], interface[IF_NAMESIZE], address[INET6_ADDRSTRLEN];
	char state[16], wanted[16], reason[PM_REASON_BYTES], nat64[PM_NAT64_PREFIX_BYTES];
	char congestion[POLICY_CA_NAME_BYTES];
	uint32_t id, subflows, since_s, srtt_us, rto_us;
	uint32_t loss_permille, resent_permille, timeouts, stall_ms;
	uint64_t rate_bps;
};

struct path_rows {
	struct path_row *items;
	size_t nr;
};

/* Appends what a line of the daemon's says. -ENOMEM. */
int path_rows_add(struct path_rows *rows, const struct flat *line);
/* Idempotent. */
void path_rows_clear(struct path_rows *rows);
struct table view_paths(const struct path_rows *rows);
/* Of one connection: what is wanted there. */
struct table view_wanted_paths(const struct path_rows *rows);

#endif
