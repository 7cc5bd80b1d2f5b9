/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which engine a policy gets (pm_engine_choose() of engine.h), and what that asks of the user.
 * Endpoints are the same for every connection of a network namespace, are opened at once, and know
 * active and backup only; what needs more needs the userspace engine. Pure.
 */
#ifndef PM_ENGINE_CHOOSE_H
#define PM_ENGINE_CHOOSE_H

#include "pm/engine.h"

/* -EINVAL, naming the rule, when the policy asks for `engine: kernel` and for something that
 * endpoints cannot express. */
int pm_engine_check(const struct policy *policy, struct error *e);

/* Whether something of the policy is in force only while the daemon runs, and what that is. */
bool pm_engine_needs_daemon(const struct policy *policy, char what[PM_REASON_BYTES]);

/* pm_plan_make() with what the engine wants of each path (pm_engine_wanted(), policy.nr_paths of
 * them) in the place of what the mode says when nothing is known about paths. */
int pm_plan_make_wanted(const struct policy *policy, const struct pm_kernel *kernel, bool force,
			const enum pm_wanted *wanted, struct pm_plan *out, struct error *e);

const char *pm_engine_name(enum policy_engine engine);

#endif
