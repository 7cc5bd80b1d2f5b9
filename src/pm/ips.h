/* SPDX-License-Identifier: GPL-2.0-only */
/* From a policy and the state of a network namespace to what initial path selection works with. */
#ifndef PM_IPS_H
#define PM_IPS_H

#include "loader/learn.h"
#include "pm/network.h"
#include "pm/netns.h"
#include "pm/pm.h"

/* What a path has to be better by than one of the lowest cost. */
#define PM_IPS_DEARER_US 150000u
#define PM_IPS_BACKUP_US 300000u /* also for one that costs money by volume */

struct pm_ips_facts {
	const struct pm_kernel *kernel;
	const struct pm_routing *routing;
	const struct pm_netns *ns;
	const struct loader_learn_space *before;
};

/*
 * Pure. Interfaces that are up, have a path, an address and a default route take part, in the order
 * of their numbers. While the gateway of an interface does not answer, it keeps the network it had
 * before. What is left out is noted in `plan`. -EOPNOTSUPP: too many routes.
 */
int pm_ips_make(const struct policy *policy, const struct pm_ips_facts *f,
		struct loader_learn_space *out, struct pm_plan *plan, struct error *e);

/* IPv4 as ::ffff:a.b.c.d, and back. */
void pm_ips_map(const struct pm_address *address, uint8_t out[16]);
struct pm_address pm_ips_unmap(const uint8_t address[16]);

#endif
