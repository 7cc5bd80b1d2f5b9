// SPDX-License-Identifier: GPL-2.0-only
/* What is not about one connection: endpoints, limits and sysctls, by a plan. */
#include <errno.h>
#include <string.h>

#include "daemon/daemon.h"

#define RETRY_MS      1000 /* and longer each time */
#define RETRY_MS_MAX  60000
#define RETRY_SOON_MS 20 /* another mptcp-pmctl holds the lock */
#define LINE_BYTES    256

static void tell(struct daemon *d, const struct pm_plan *plan)
{
	char text[LINE_BYTES];

	for (size_t i = 0; i < plan->nr_actions; i++) {
		struct pm_decision one = { .kind = PM_DECIDE_ENDPOINTS, .path = UINT32_MAX };

		pm_action_describe(&plan->actions[i], text, sizeof(text));
		snprintf(one.reason, sizeof(one.reason), "%.*s", (int)sizeof(one.reason) - 1,
			 plan->actions[i].reason);
		daemon_report(d, &one, text, NULL);
	}
}

/* The interfaces in it are the daemon's. */
static void clear_kernel(struct pm_kernel *k)
{
	k->interfaces = NULL;
	k->nr_interfaces = 0;
	pm_kernel_clear(k);
}

/* Once a policy: loading one is for those who have the rights. */
static void look_at_scheduler(struct daemon *d, const struct pm_kernel *k)
{
	const char *wanted = d->policy->scheduler.name;

	if (d->looked_at == d->policy)
		return;
	d->looked_at = d->policy;
	if (wanted[0] && strcmp(wanted, k->scheduler) != 0)
		log_line(&d->log, LOG_LEVEL_WARNING,
			 "the scheduler of new connections is %s, the policy asks for %s: "
			 "mptcp-pmctl apply %s",
			 k->scheduler, wanted, d->policy->file);
}

int daemon_settle(struct daemon *d, struct error *e)
{
	enum pm_wanted wanted[POLICY_PATHS_MAX];
	const struct pm_plan_options options = {
		.engine = d->kind,
		.has_daemon = true,
		.leave_scheduler = true,
		.leave_endpoints = d->kind == POLICY_ENGINE_USERSPACE,
		.wanted = d->kind == POLICY_ENGINE_KERNEL ? wanted : NULL,
	};
	_cleanup_(clear_kernel) struct pm_kernel kernel = { 0 };
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	int err = pm_kernel_read_settings(&kernel, e);

	kernel.interfaces = d->interfaces;
	kernel.nr_interfaces = d->nr_interfaces;
	for (unsigned int i = 0; i < d->policy->nr_paths; i++)
		wanted[i] = pm_engine_wanted(d->engine, i);
	if (err == 0)
		err = pm_plan_make_as(d->policy, &kernel, &options, &plan, e);
	if (err == 0)
		look_at_scheduler(d, &kernel);
	/* The record says whose policy is in force, too. */
	if (err < 0 || (!plan.nr_actions && strcmp(kernel.policy, d->policy->name) == 0))
		return err;
	err = pm_plan_execute(d->policy, &kernel, &plan, e);
	if (err == 0)
		tell(d, &plan);
	return err;
}

void daemon_settle_soon(struct daemon *d)
{
	loop_timer_set(d->loop, &d->settle_timer, 0);
}

void daemon_settle_now(void *data)
{
	struct daemon *d = data;
	struct error e = { 0 };
	int err = daemon_settle(d, &e);

	if (err == -EBUSY) {
		loop_timer_set(d->loop, &d->settle_timer, loop_now_ms() + RETRY_SOON_MS);
		return;
	}
	if (err == 0) {
		d->settle_retry_ms = 0;
		return;
	}
	log_error(&d->log, &e);
	d->settle_retry_ms = d->settle_retry_ms ? 2 * d->settle_retry_ms : RETRY_MS;
	if (d->settle_retry_ms > RETRY_MS_MAX)
		d->settle_retry_ms = RETRY_MS_MAX;
	loop_timer_set(d->loop, &d->settle_timer, loop_now_ms() + d->settle_retry_ms);
}
