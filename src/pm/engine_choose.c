// SPDX-License-Identifier: GPL-2.0-only
/* Kernel or userspace; see engine_choose.h. */
#include "pm/engine_choose.h"

#include <errno.h>
#include <stdio.h>

/* Why endpoints cannot do a mode; NULL: they can. */
static const char *beyond_endpoints(enum policy_mode_kind mode)
{
	switch (mode) {
	case POLICY_MODE_INTERACTIVE:
		return "leaves a path by its figures";
	case POLICY_MODE_PURE_HANDOVER:
		return "opens a second subflow only when the first is gone";
	case POLICY_MODE_SMALLEST_DELAY:
		return "compares the delays of subflows";
	case POLICY_MODE_PRIORITY:
		return "has more ranks than active and backup";
	case POLICY_MODE_HANDOVER:
	case POLICY_MODE_AGGREGATE:
	case POLICY_MODE_ACTIVE_STANDBY:
	case POLICY_MODE_LOAD_BALANCE:
	case POLICY_MODE_REDUNDANT:
	case POLICY_MODE_CHEAPEST:
	case POLICY_MODE_TARGET:
		return NULL;
	}
	return NULL;
}

/* What the policy asks for that endpoints cannot express, and the rule that does: 0 for the default
 * one. False: nothing. */
static bool find_obstacle(const struct policy *policy, char out[PM_REASON_BYTES],
			  const struct policy_rule **rule)
{
	const struct policy_mode *mode = &policy->modes[policy->mode_index];
	const char *why = beyond_endpoints(mode->kind);

	*rule = NULL;
	if (policy->nat64.set) {
		snprintf(out, PM_REASON_BYTES, "nat64 joins addresses the peer did not announce");
		return true;
	}
	if (policy->reset.set) {
		snprintf(out, PM_REASON_BYTES, "reset is about subflows one by one");
		return true;
	}
	if (why || mode->open_after_ms || mode->open_after_bytes) {
		snprintf(out, PM_REASON_BYTES, "mode %.30s %s", mode->name,
			 why ? why : "opens subflows later (open-after)");
		return true;
	}
	for (size_t i = 0; i < policy->nr_rules; i++) {
		*rule = &policy->rules[i];
		mode = &policy->modes[(*rule)->mode_index];
		if ((*rule)->mode_index != policy->mode_index) {
			snprintf(out, PM_REASON_BYTES, "rule %u has a mode of its own, %.30s",
				 (*rule)->number, mode->name);
			return true;
		}
		if ((*rule)->paths != policy->rule_paths) {
			snprintf(out, PM_REASON_BYTES, "rule %u has paths of its own",
				 (*rule)->number);
			return true;
		}
	}
	return false;
}

enum policy_engine pm_engine_choose(const struct policy *policy, char reason[PM_REASON_BYTES])
{
	const struct policy_rule *rule;

	switch (policy->engine) {
	case POLICY_ENGINE_KERNEL:
	case POLICY_ENGINE_USERSPACE:
		snprintf(reason, PM_REASON_BYTES, "the policy asks for it");
		return policy->engine;
	case POLICY_ENGINE_AUTO:
		break;
	}
	if (find_obstacle(policy, reason, &rule))
		return POLICY_ENGINE_USERSPACE;
	snprintf(reason, PM_REASON_BYTES, "endpoints can do mode %.30s",
		 policy->modes[policy->mode_index].name);
	return POLICY_ENGINE_KERNEL;
}

int pm_engine_check(const struct policy *policy, struct error *e)
{
	const struct policy_rule *rule;
	char why[PM_REASON_BYTES];

	if (policy->engine != POLICY_ENGINE_KERNEL || !find_obstacle(policy, why, &rule))
		return 0;
	if (rule)
		error_set(e, -EINVAL, "engine kernel cannot do what the rule on line %u asks: %s",
			  rule->line, why);
	else
		error_set(e, -EINVAL, "engine kernel cannot do what %s asks: %s",
			  policy->nat64.set || policy->reset.set ? "the policy"
								 : "the default rule",
			  why);
	return error_hint(e, "write \"engine: userspace\", or leave it out");
}

bool pm_engine_needs_daemon(const struct policy *policy, char what[PM_REASON_BYTES])
{
	char why[PM_REASON_BYTES];

	if (pm_engine_choose(policy, why) == POLICY_ENGINE_USERSPACE) {
		snprintf(what, PM_REASON_BYTES, "it opens the subflows: %.70s", why);
		return true;
	}
	if (policy->nr_caps) {
		snprintf(what, PM_REASON_BYTES, "it counts what paths move (caps)");
		return true;
	}
	for (size_t i = 0; i < policy->nr_paths; i++) {
		if (!policy->paths[i].when.days)
			continue;
		snprintf(what, PM_REASON_BYTES, "it opens and closes path %.30s by the clock",
			 policy->paths[i].name);
		return true;
	}
	return false;
}

const char *pm_engine_name(enum policy_engine engine)
{
	switch (engine) {
	case POLICY_ENGINE_AUTO:
		return "auto";
	case POLICY_ENGINE_KERNEL:
		return "kernel";
	case POLICY_ENGINE_USERSPACE:
		return "userspace";
	}
	return "unknown";
}
