// SPDX-License-Identifier: GPL-2.0-only
/* The part of a plan that is not about endpoints: settings of the namespace. */
#include "pm/planner.h"

#include <stdio.h>
#include <string.h>

#include "pm/fastopen.h"
#include "pm/rescue_settings.h"

static bool limits_equal(const struct pm_limits *a, const struct pm_limits *b)
{
	return a->subflows == b->subflows && a->add_addr_accepted == b->add_addr_accepted;
}

void pm_plan_limits(struct planner *p)
{
	const struct pm_kernel *k = p->kernel;
	struct pm_limits target = k->limits;
	bool asked = p->policy && p->policy->limits.set;
	struct pm_action *a;

	if (asked) {
		target.subflows = p->policy->limits.subflows;
		target.add_addr_accepted = p->policy->limits.add_addr_accepted;
	}
	for (size_t i = 0; !asked && i < k->nr_set_limits; i++)
		if (limits_equal(&k->limits, &k->set_limits[i]))
			target = k->saved_limits;
	if (limits_equal(&target, &k->limits))
		return;
	a = pm_plan_add_action(p, PM_SET_LIMITS);
	if (!a)
		return;
	a->limits = target;
	a->limits_before = k->limits;
	snprintf(a->reason, sizeof(a->reason), "%s",
		 asked ? "limits of the policy" : "back to what was there before");
}

/* A scheduler to go back to may have been unloaded since. */
static bool is_available(const struct pm_kernel *k, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = k->available_schedulers; (at = strstr(at, name)); at += size)
		if ((at == k->available_schedulers || at[-1] == ' ') &&
		    (at[size] == '\0' || at[size] == ' '))
			return true;
	return !k->available_schedulers[0];
}

void pm_plan_scheduler(struct planner *p)
{
	const struct pm_kernel *k = p->kernel;
	const char *target = k->scheduler;
	bool asked = p->policy && p->policy->scheduler.name[0];
	struct pm_action *a;

	if (p->policy && p->options.leave_scheduler)
		return;
	if (asked)
		target = p->policy->scheduler.name;
	for (size_t i = 0; !asked && i < k->nr_set_scheduler; i++)
		if (k->saved_scheduler[0] && strcmp(k->scheduler, k->set_scheduler[i]) == 0)
			target = is_available(k, k->saved_scheduler) ? k->saved_scheduler
								     : "default";
	if (strcmp(target, k->scheduler) == 0)
		return;
	a = pm_plan_add_action(p, PM_SET_SCHEDULER);
	if (!a)
		return;
	snprintf(a->scheduler, sizeof(a->scheduler), "%s", target);
	memcpy(a->scheduler_before, k->scheduler, sizeof(a->scheduler_before));
	snprintf(a->reason, sizeof(a->reason), "%s",
		 asked ? "scheduler of the policy" : "back to what was there before");
}

void pm_plan_syn_retries(struct planner *p)
{
	const struct pm_kernel *k = p->kernel;
	bool asked = p->policy && p->policy->establish.has_syn_retries;
	int target = k->syn_retries, needed = pm_rescue_syn_retries(p->policy);
	const char *reason = "back to what was there before";
	struct pm_action *a;

	if (asked)
		target = (int)p->policy->establish.fallback_syn_retries;
	for (size_t i = 0; !asked && i < k->nr_set_syn_retries; i++)
		if (k->syn_retries == k->set_syn_retries[i])
			target = k->saved_syn_retries;
	if (!asked && k->syn_retries >= 0 && target < needed) {
		target = needed;
		reason = "SYNs are repeated sooner, MPTCP is not given up sooner";
	}
	if (target == k->syn_retries)
		return;
	a = pm_plan_add_action(p, PM_SET_SYN_RETRIES);
	if (!a)
		return;
	a->syn_retries = target;
	a->syn_retries_before = k->syn_retries;
	snprintf(a->reason, sizeof(a->reason), "%s", asked ? "establish of the policy" : reason);
}

void pm_plan_fastopen(struct planner *p)
{
	const struct pm_kernel *k = p->kernel;
	bool asked = p->policy && pm_fastopen_wanted(p->policy);
	int before = k->fastopen, target;
	struct pm_action *a;

	/* What an earlier policy asked for is not what this one leaves alone. */
	for (size_t i = 0; i < k->nr_set_fastopen; i++)
		if (k->fastopen == k->set_fastopen[i])
			before = k->saved_fastopen;
	target = asked ? pm_fastopen_bits(&p->policy->tfo, before) : before;
	if (k->fastopen < 0 || target == k->fastopen)
		return;
	a = pm_plan_add_action(p, PM_SET_FASTOPEN);
	if (!a)
		return;
	a->fastopen = target;
	a->fastopen_before = k->fastopen;
	snprintf(a->reason, sizeof(a->reason), "%s",
		 asked ? "tfo of the policy" : "back to what was there before");
}

void pm_plan_manager(struct planner *p)
{
	const struct pm_kernel *k = p->kernel;
	const char *target = k->manager;
	bool asked = p->policy && p->options.engine != POLICY_ENGINE_AUTO;
	struct pm_action *a;

	if (asked)
		target = p->options.engine == POLICY_ENGINE_USERSPACE ? "userspace" : "kernel";
	for (size_t i = 0; !asked && i < k->nr_set_manager; i++)
		if (k->saved_manager[0] && strcmp(k->manager, k->set_manager[i]) == 0)
			target = k->saved_manager;
	if (!k->manager[0] || strcmp(target, k->manager) == 0)
		return;
	a = pm_plan_add_action(p, PM_SET_MANAGER);
	if (!a)
		return;
	snprintf(a->manager, sizeof(a->manager), "%s", target);
	memcpy(a->manager_before, k->manager, sizeof(a->manager_before));
	snprintf(a->reason, sizeof(a->reason), "%s",
		 asked ? "engine of the policy" : "back to what was there before");
}
