// SPDX-License-Identifier: GPL-2.0-only
/* What the state file has to say before and after a plan is carried out. Pure. */
#include <errno.h>
#include <string.h>

#include "pm/address.h"
#include "pm/execute.h"
#include "pm/fastopen.h"
#include "pm/rescue_settings.h"

static void set_limits_value(struct pm_state *s, const struct pm_limits *limits)
{
	s->set_limits[s->nr_set_limits++] = *limits;
}

static void set_scheduler_value(struct pm_state *s, const char *name)
{
	snprintf(s->set_scheduler[s->nr_set_scheduler++], POLICY_SCHEDULER_BYTES, "%s", name);
}

static void set_syn_retries_value(struct pm_state *s, int retries)
{
	s->set_syn_retries[s->nr_set_syn_retries++] = retries;
}

static void set_fastopen_value(struct pm_state *s, int bits)
{
	s->set_fastopen[s->nr_set_fastopen++] = bits;
}

static void set_manager_value(struct pm_state *s, const char *name)
{
	snprintf(s->set_manager[s->nr_set_manager++], PM_MANAGER_BYTES, "%s", name);
}

/* Is the kernel's value one that we set? */
static bool limits_ours(const struct pm_kernel *k)
{
	for (size_t i = 0; i < k->nr_set_limits; i++)
		if (k->set_limits[i].subflows == k->limits.subflows &&
		    k->set_limits[i].add_addr_accepted == k->limits.add_addr_accepted)
			return true;
	return false;
}

static bool scheduler_ours(const struct pm_kernel *k)
{
	for (size_t i = 0; i < k->nr_set_scheduler; i++)
		if (strcmp(k->set_scheduler[i], k->scheduler) == 0)
			return true;
	return false;
}

static bool syn_retries_ours(const struct pm_kernel *k)
{
	for (size_t i = 0; i < k->nr_set_syn_retries; i++)
		if (k->set_syn_retries[i] == k->syn_retries)
			return true;
	return false;
}

static bool fastopen_ours(const struct pm_kernel *k)
{
	for (size_t i = 0; i < k->nr_set_fastopen; i++)
		if (k->set_fastopen[i] == k->fastopen)
			return true;
	return false;
}

static bool manager_ours(const struct pm_kernel *k)
{
	for (size_t i = 0; i < k->nr_set_manager; i++)
		if (strcmp(k->set_manager[i], k->manager) == 0)
			return true;
	return false;
}

static const struct pm_action *find(const struct pm_action *actions, size_t nr,
				    enum pm_action_kind kind)
{
	for (size_t i = 0; i < nr; i++)
		if (actions[i].kind == kind)
			return &actions[i];
	return NULL;
}

static void start(const struct policy *policy, const struct pm_kernel *before, struct pm_state *s)
{
	s->generation = before->generation + 1;
	if (policy) {
		memcpy(s->policy, policy->name, sizeof(s->policy));
		memcpy(s->scheduler, policy->scheduler.name, sizeof(s->scheduler));
	}
	/* Saved once: what was there before our own first value. */
	s->saved_limits = limits_ours(before) ? before->saved_limits : before->limits;
	memcpy(s->saved_scheduler,
	       scheduler_ours(before) ? before->saved_scheduler : before->scheduler,
	       sizeof(s->saved_scheduler));
	s->saved_syn_retries = syn_retries_ours(before) ? before->saved_syn_retries
							: before->syn_retries;
	s->saved_fastopen = fastopen_ours(before) ? before->saved_fastopen : before->fastopen;
	memcpy(s->saved_manager, manager_ours(before) ? before->saved_manager : before->manager,
	       sizeof(s->saved_manager));
}

static bool deleted(const struct pm_action *actions, size_t nr, const struct pm_endpoint *ep)
{
	for (size_t i = 0; i < nr; i++)
		if (actions[i].kind == PM_DELETE_ENDPOINT && actions[i].endpoint.id == ep->id &&
		    pm_address_equal(&actions[i].endpoint.address, &ep->address))
			return true;
	return false;
}

static int add_endpoints(const struct pm_kernel *before, const struct pm_action *actions, size_t nr,
			 bool keep_deleted, struct pm_state *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < before->nr_endpoints; i++)
		if (before->endpoints[i].owned &&
		    (keep_deleted || !deleted(actions, nr, &before->endpoints[i])))
			r = pm_state_add_endpoint(s, &before->endpoints[i]);
	for (size_t i = 0; r == 0 && i < nr; i++)
		if (actions[i].kind == PM_ADD_ENDPOINT ||
		    (actions[i].kind == PM_CHANGE_ENDPOINT && !actions[i].before.owned))
			r = pm_state_add_endpoint(s, &actions[i].endpoint);
	return r;
}

int pm_state_intend(const struct policy *policy, const struct pm_kernel *before,
		    const struct pm_action *actions, size_t nr, struct pm_state *out)
{
	const struct pm_action *limits = find(actions, nr, PM_SET_LIMITS);
	const struct pm_action *scheduler = find(actions, nr, PM_SET_SCHEDULER);
	const struct pm_action *retries = find(actions, nr, PM_SET_SYN_RETRIES);
	const struct pm_action *manager = find(actions, nr, PM_SET_MANAGER);
	const struct pm_action *fastopen = find(actions, nr, PM_SET_FASTOPEN);
	struct pm_state s = { 0 };
	int r;

	start(policy, before, &s);
	if (!policy) {
		memcpy(s.policy, before->policy, sizeof(s.policy));
		memcpy(s.scheduler, before->policy_scheduler, sizeof(s.scheduler));
	}
	if (limits_ours(before))
		set_limits_value(&s, &before->limits);
	if (limits)
		set_limits_value(&s, &limits->limits);
	if (scheduler_ours(before))
		set_scheduler_value(&s, before->scheduler);
	if (scheduler)
		set_scheduler_value(&s, scheduler->scheduler);
	if (syn_retries_ours(before))
		set_syn_retries_value(&s, before->syn_retries);
	if (retries)
		set_syn_retries_value(&s, retries->syn_retries);
	if (fastopen_ours(before))
		set_fastopen_value(&s, before->fastopen);
	if (fastopen)
		set_fastopen_value(&s, fastopen->fastopen);
	if (manager_ours(before))
		set_manager_value(&s, before->manager);
	if (manager)
		set_manager_value(&s, manager->manager);
	r = add_endpoints(before, actions, nr, true, &s);
	if (r < 0) {
		pm_state_clear(&s);
		return r;
	}
	*out = s;
	return 0;
}

int pm_state_conclude(const struct policy *policy, const struct pm_kernel *before,
		      const struct pm_action *actions, size_t nr, struct pm_state *out)
{
	const struct pm_action *limits = find(actions, nr, PM_SET_LIMITS);
	const struct pm_action *scheduler = find(actions, nr, PM_SET_SCHEDULER);
	const struct pm_action *retries = find(actions, nr, PM_SET_SYN_RETRIES);
	const struct pm_action *manager = find(actions, nr, PM_SET_MANAGER);
	const struct pm_action *fastopen = find(actions, nr, PM_SET_FASTOPEN);
	struct pm_state s = { 0 };
	int r;

	start(policy, before, &s);
	if (policy && policy->limits.set && (limits || limits_ours(before)))
		set_limits_value(&s, limits ? &limits->limits : &before->limits);
	if (policy && policy->scheduler.name[0] && (scheduler || scheduler_ours(before)))
		set_scheduler_value(&s, scheduler ? scheduler->scheduler : before->scheduler);
	if (policy && (policy->establish.has_syn_retries || pm_rescue_syn_retries(policy)) &&
	    (retries || syn_retries_ours(before)))
		set_syn_retries_value(&s, retries ? retries->syn_retries : before->syn_retries);
	if (policy && pm_fastopen_wanted(policy) && (fastopen || fastopen_ours(before)))
		set_fastopen_value(&s, fastopen ? fastopen->fastopen : before->fastopen);
	if (manager ? strcmp(manager->manager, s.saved_manager) != 0 : manager_ours(before))
		set_manager_value(&s, manager ? manager->manager : before->manager);
	r = add_endpoints(before, actions, nr, false, &s);
	if (r < 0) {
		pm_state_clear(&s);
		return r;
	}
	*out = s;
	return 0;
}
