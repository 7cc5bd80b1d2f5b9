/* SPDX-License-Identifier: GPL-2.0-only */
/* From the guard of a policy to what the program reads, and to words. Pure. */
#ifndef PM_GUARD_H
#define PM_GUARD_H

#include <linux/types.h>

#include "mptcp_guard.h"
#include "pm/pm.h"

#define PM_GUARD_TEXT_BYTES 160

/* An interface that is guarded, and how. */
struct pm_guard {
	uint32_t ifindex;
	char name[IF_NAMESIZE]; /* empty: not known */
	struct mptcp_guard_config config;
};

/* One for each interface that belongs to a path for which something is guarded, by ifindex;
 * -E2BIG when there are more than MPTCP_GUARD_IFS. `policy` NULL: none. */
int pm_guard_make(const struct policy *policy, const struct pm_interface *interfaces, size_t nr,
		  struct pm_guard out[MPTCP_GUARD_IFS], size_t *nr_out, struct error *e);

/* "guard wlan0: mp-prio ignore-backup, rm-addr probe". */
void pm_guard_describe(const struct pm_guard *g, char *out, size_t size);

/* Words for enum mptcp_guard_what and enum mptcp_guard_why; NULL: unknown. */
const char *pm_guard_what_name(uint8_t what);
const char *pm_guard_why_name(uint8_t why);

#endif
