/* SPDX-License-Identifier: GPL-2.0-only */
/* Carrying actions out, all or nothing; pm_plan_execute() in pm.h adds the kernel and the record.
 */
#ifndef PM_EXECUTE_H
#define PM_EXECUTE_H

#include "pm/pm.h"
#include "pm/state.h"

struct pm_executor {
	/* Does one action; fills the id of an added endpoint in. */
	int (*act)(void *data, struct pm_action *a, struct error *e);
	void *data;
};

/*
 * In order; on failure undoes what was done, newest first, and returns the first error. *left is
 * set when something could not be undone, and `e` names it then.
 */
int pm_actions_run(struct pm_action *actions, size_t nr, const struct pm_executor *executor,
		   bool *left, struct error *e);

/* The record before the first change: everything that is or may become ours. */
int pm_state_intend(const struct policy *policy, const struct pm_kernel *before,
		    const struct pm_action *actions, size_t nr, struct pm_state *out);
/* The record after the last one. */
int pm_state_conclude(const struct policy *policy, const struct pm_kernel *before,
		      const struct pm_action *actions, size_t nr, struct pm_state *out);

#endif
