// SPDX-License-Identifier: GPL-2.0-only
/* A plan carried out in the kernel, all or nothing, with the record of what is ours around it. */
#include "pm/execute.h"

#include <errno.h>
#include <string.h>

#include "pm/mptcp_pm.h"
#include "pm/sysctl.h"
#include "util/cleanup.h"

static struct pm_action inverse(const struct pm_action *a)
{
	struct pm_action back = *a;

	switch (a->kind) {
	case PM_ADD_ENDPOINT:
		back.kind = PM_DELETE_ENDPOINT;
		break;
	case PM_DELETE_ENDPOINT:
		back.kind = PM_ADD_ENDPOINT;
		break;
	case PM_CHANGE_ENDPOINT:
		back.endpoint = a->before;
		back.before = a->endpoint;
		break;
	case PM_SET_LIMITS:
		back.limits = a->limits_before;
		back.limits_before = a->limits;
		break;
	case PM_SET_SCHEDULER:
		memcpy(back.scheduler, a->scheduler_before, sizeof(back.scheduler));
		memcpy(back.scheduler_before, a->scheduler, sizeof(back.scheduler_before));
		break;
	case PM_SET_SYN_RETRIES:
		back.syn_retries = a->syn_retries_before;
		back.syn_retries_before = a->syn_retries;
		break;
	case PM_SET_FASTOPEN:
		back.fastopen = a->fastopen_before;
		back.fastopen_before = a->fastopen;
		break;
	case PM_SET_MANAGER:
		memcpy(back.manager, a->manager_before, sizeof(back.manager));
		memcpy(back.manager_before, a->manager, sizeof(back.manager_before));
		break;
	}
	return back;
}

int pm_actions_run(struct pm_action *actions, size_t nr, const struct pm_executor *executor,
		   bool *left, struct error *e)
{
	struct error ignored;
	size_t done;
	int r = 0;

	*left = false;
	for (done = 0; done < nr; done++) {
		r = executor->act(executor->data, &actions[done], e);
		if (r < 0)
			break;
	}
	while (r < 0 && done-- > 0) {
		struct pm_action back = inverse(&actions[done]);
		char what[160];

		if (executor->act(executor->data, &back, &ignored) == 0)
			continue;
		pm_action_describe(&actions[done], what, sizeof(what));
		if (e && !*left)
			error_hint(e, "not undone: %s", what);
		*left = true;
	}
	return r;
}

static int act(void *data, struct pm_action *a, struct error *e)
{
	struct pm_mptcp *m = data;
	char value[16];

	switch (a->kind) {
	case PM_ADD_ENDPOINT:
		return pm_mptcp_add(m, &a->endpoint, e);
	case PM_DELETE_ENDPOINT:
		return pm_mptcp_delete(m, &a->endpoint, e);
	case PM_CHANGE_ENDPOINT:
		return pm_mptcp_set_flags(m, &a->endpoint, e);
	case PM_SET_LIMITS:
		return pm_mptcp_set_limits(m, &a->limits, e);
	case PM_SET_SCHEDULER:
		return pm_sysctl_set_scheduler(a->scheduler, e);
	case PM_SET_SYN_RETRIES:
		snprintf(value, sizeof(value), "%d", a->syn_retries);
		return pm_sysctl_write(PM_SYSCTL_SYN_RETRIES, value, e);
	case PM_SET_FASTOPEN:
		return pm_sysctl_set_fastopen(a->fastopen, e);
	case PM_SET_MANAGER:
		return pm_sysctl_set_manager(a->manager, e);
	}
	return -EINVAL;
}

/* Under the lock: is the record still the one that the plan was made from? */
static int read_record(const struct pm_netns *ns, const struct pm_kernel *before,
		       struct pm_state *out, struct error *e)
{
	int r = pm_state_read(ns, out, e);

	if (r < 0)
		return r;
	if (out->generation == before->generation)
		return 0;
	pm_state_clear(out);
	error_set(e, -EBUSY, "another mptcp-pmctl changed this network namespace meanwhile");
	error_hint(e, "run it again");
	return -EBUSY;
}

static int write_outcome(const struct policy *policy, const struct pm_netns *ns,
			 struct pm_state *state, struct error *e)
{
	if (!policy && !state->nr_endpoints)
		return pm_state_remove(ns, e);
	return pm_state_write(ns, state, e);
}

static int run_recorded(const struct policy *policy, const struct pm_kernel *before,
			struct pm_action *actions, size_t nr, struct pm_mptcp *m,
			const struct pm_netns *ns, struct error *e)
{
	_cleanup_(pm_state_clear) struct pm_state old = { 0 }, intent = { 0 }, outcome = { 0 };
	const struct pm_executor executor = { act, m };
	bool left;
	int r = read_record(ns, before, &old, e);

	if (r < 0)
		return r;
	if (pm_state_intend(policy, before, actions, nr, &intent) < 0)
		return error_set(e, -ENOMEM, "cannot record the changes: out of memory");
	r = pm_state_write(ns, &intent, e);
	if (r < 0)
		return r;
	r = pm_actions_run(actions, nr, &executor, &left, e);
	if (r == 0) {
		if (pm_state_conclude(policy, before, actions, nr, &outcome) < 0)
			return error_set(e, -ENOMEM, "cannot record the changes: out of memory");
		return write_outcome(policy, ns, &outcome, e);
	}
	/* What could not be undone stays recorded as ours. */
	if (left)
		return r;
	if (old.generation)
		pm_state_write(ns, &old, NULL);
	else
		pm_state_remove(ns, NULL);
	return r;
}

int pm_plan_execute(const struct policy *policy, const struct pm_kernel *before,
		    const struct pm_plan *plan, struct error *e)
{
	_cleanup_(pm_mptcp_close) struct pm_mptcp m = { 0 };
	_cleanup_free_ struct pm_action *actions = NULL;
	_cleanup_close_ int lock = -1;
	struct pm_netns ns;
	int r;

	if (!plan->nr_actions && !policy && !before->generation)
		return 0;
	actions = calloc(plan->nr_actions + 1, sizeof(*actions));
	if (!actions)
		return error_set(e, -ENOMEM, "cannot carry the plan out: out of memory");
	if (plan->nr_actions)
		memcpy(actions, plan->actions, plan->nr_actions * sizeof(*actions));
	r = pm_netns_identify(&ns, e);
	if (r == 0)
		r = pm_mptcp_open(&m, e);
	if (r < 0)
		return r;
	lock = pm_state_lock(e);
	if (lock < 0)
		return lock;
	return run_recorded(policy, before, actions, plan->nr_actions, &m, &ns, e);
}
