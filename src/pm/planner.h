/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of plan_make() share; private to plan.c and plan-settings.c. */
#ifndef PM_PLANNER_H
#define PM_PLANNER_H

#include "pm/pm.h"

/* An endpoint that the policy asks for. */
struct wanted {
	struct pm_endpoint endpoint;
	const struct policy_path *path;
	const struct pm_interface *interface;
	const struct pm_endpoint *existing; /* same address, in the kernel */
};

struct planner {
	const struct policy *policy; /* NULL: unload */
	const struct pm_kernel *kernel;
	struct pm_plan_options options;
	const struct policy_path **path_of; /* by interface; NULL: none */
	struct wanted *wanted;
	size_t nr_wanted;
	struct pm_plan plan;
	bool out_of_memory;
};

/* The new last action, or NULL when memory is short (noted in the planner). */
struct pm_action *pm_plan_add_action(struct planner *p, enum pm_action_kind kind);

/* What the policy says, or, where it says nothing, what was there before us. */
void pm_plan_limits(struct planner *p);
void pm_plan_scheduler(struct planner *p);
void pm_plan_manager(struct planner *p);

#endif
