/* SPDX-License-Identifier: GPL-2.0-only */
/* What those that make plans share; private to plan*.c and ips.c. */
#ifndef PM_PLANNER_H
#define PM_PLANNER_H

#include "pm/engine_choose.h"

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
	const struct pm_interface *active;  /* see pm_plan_rank() */
	uint32_t lowest_cost;
	bool kernel_engine;
	struct wanted *wanted;
	size_t nr_wanted;
	struct pm_plan plan;
	bool out_of_memory;
};

/* Lowest of the paths of the policy. */
uint32_t pm_plan_lowest_cost(const struct policy *policy);

/* The new last action, or NULL when memory is short (noted in the planner). */
struct pm_action *pm_plan_add_action(struct planner *p, enum pm_action_kind kind);

/* Up, with an address, and of a path that connections of the default rule may use now. */
bool pm_plan_present(const struct planner *p, size_t interface);
/* What modes compare an interface with; before the first pm_plan_wanted(). */
void pm_plan_rank(struct planner *p);
/* What the endpoints of an interface should be. */
enum pm_wanted pm_plan_wanted(const struct planner *p, size_t interface);

/* What the policy says, or, where it says nothing, what was there before us. */
void pm_plan_limits(struct planner *p);
void pm_plan_scheduler(struct planner *p);
void pm_plan_syn_retries(struct planner *p);
void pm_plan_fastopen(struct planner *p);
void pm_plan_manager(struct planner *p);

#endif
