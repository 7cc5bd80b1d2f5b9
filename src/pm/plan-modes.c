// SPDX-License-Identifier: GPL-2.0-only
/* What the mode of the default rule means for endpoints, as far as endpoints go. */
#include "pm/planner.h"

bool pm_plan_present(const struct planner *p, size_t i)
{
	const struct policy_path *path = p->path_of[i];

	/* By the clock only the daemon opens a path, and closes it again. */
	if (!path || (path->when.days && !p->options.wanted))
		return false;
	return p->kernel->interfaces[i].up && p->kernel->interfaces[i].nr_addresses &&
	       (p->policy->rule_paths >> (path - p->policy->paths) & 1);
}

/*
 * The active one has the lowest cost, then comes file order, then ifindex (the order of the array);
 * a path that is a backup by its own word is no candidate.
 */
void pm_plan_rank(struct planner *p)
{
	const struct policy_path *best = NULL;
	char reason[PM_REASON_BYTES];

	p->kernel_engine = pm_engine_choose(p->policy, reason) == POLICY_ENGINE_KERNEL;
	p->lowest_cost = UINT32_MAX;
	for (size_t i = 0; i < p->kernel->nr_interfaces; i++) {
		const struct policy_path *path = p->path_of[i];

		if (!pm_plan_present(p, i) || path->backup == POLICY_YES)
			continue;
		if (!best || path->cost < best->cost || (path->cost == best->cost && path < best)) {
			best = path;
			p->active = &p->kernel->interfaces[i];
			p->lowest_cost = path->cost;
		}
	}
}

/* Whether or not an interface of the path is there now. */
static uint32_t lowest_cost_of_all(const struct policy *policy)
{
	uint32_t lowest = UINT32_MAX;

	for (size_t i = 0; i < policy->nr_paths; i++)
		if (policy->paths[i].cost < lowest && (policy->rule_paths >> i & 1))
			lowest = policy->paths[i].cost;
	return lowest;
}

static enum pm_wanted by_mode(const struct planner *p, size_t i)
{
	const struct policy_path *path = p->path_of[i];

	switch (p->policy->mode) {
	case POLICY_MODE_CHEAPEST:
		if (path->cost > p->lowest_cost)
			return PM_WANT_NONE;
		break;
	case POLICY_MODE_HANDOVER:
	case POLICY_MODE_TARGET:
		if (path->backup == POLICY_UNSET && path->cost > lowest_cost_of_all(p->policy))
			return PM_WANT_BACKUP;
		break;
	case POLICY_MODE_ACTIVE_STANDBY:
		if (path->backup == POLICY_UNSET && &p->kernel->interfaces[i] != p->active)
			return PM_WANT_BACKUP;
		break;
	case POLICY_MODE_AGGREGATE:
	case POLICY_MODE_LOAD_BALANCE:
	case POLICY_MODE_REDUNDANT:
	/* Of the userspace engine only. */
	case POLICY_MODE_INTERACTIVE:
	case POLICY_MODE_PURE_HANDOVER:
	case POLICY_MODE_SMALLEST_DELAY:
	case POLICY_MODE_PRIORITY:
		break;
	}
	return path->backup == POLICY_YES ? PM_WANT_BACKUP : PM_WANT_ACTIVE;
}

static bool is_first_of_path(const struct planner *p, size_t i)
{
	for (size_t n = 0; n < i; n++)
		if (p->path_of[n] == p->path_of[i] && pm_plan_present(p, n))
			return false;
	return true;
}

/* The engine speaks of paths, of which one may have more than one interface. */
static enum pm_wanted by_engine(const struct planner *p, size_t i)
{
	enum pm_wanted wish = p->options.wanted[p->path_of[i] - p->policy->paths];

	return wish == PM_WANT_ACTIVE && p->policy->mode == POLICY_MODE_ACTIVE_STANDBY &&
			       !is_first_of_path(p, i)
		       ? PM_WANT_BACKUP
		       : wish;
}

enum pm_wanted pm_plan_wanted(const struct planner *p, size_t i)
{
	if (!p->kernel_engine || !pm_plan_present(p, i))
		return PM_WANT_NONE;
	return p->options.wanted ? by_engine(p, i) : by_mode(p, i);
}
