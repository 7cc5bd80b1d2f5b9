/* SPDX-License-Identifier: GPL-2.0-only */
/* From the paths of a policy to the congestion control of interfaces, and to words. */
#ifndef PM_CONGESTION_H
#define PM_CONGESTION_H

#include "loader/congestion.h"
#include "pm/pm.h"

#define PM_CONGESTION_TEXT_BYTES 96

/* Whether some path has its own. */
bool pm_congestion_wanted(const struct policy *policy);

/* Does the kernel have it? A module is loaded if there is one and this process may. `available` are
 * names and blanks, as in net.ipv4.tcp_available_congestion_control. */
bool pm_congestion_listed(const char *available, const char *name);
/* -EOPNOTSUPP naming the path and what there is instead. */
int pm_congestion_find(const struct policy_path *path, struct error *e);

/* Pure. One for each interface that belongs to a path that has one, by ifindex, except policy.paths
 * [N] for each bit N in `without`; -E2BIG when there are more than MPTCP_CONGESTION_IFS. `policy`
 * NULL: none. */
int pm_congestion_make(const struct policy *policy, uint32_t without,
		       const struct pm_interface *interfaces, size_t nr,
		       struct loader_congestion out[MPTCP_CONGESTION_IFS], size_t *nr_out,
		       struct error *e);

/* "congestion control of subflows on wlan0: cubic". */
void pm_congestion_describe(const struct loader_congestion *c, char *out, size_t size);

#endif
