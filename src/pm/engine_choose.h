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

const char *pm_engine_name(enum policy_engine engine);

#endif
