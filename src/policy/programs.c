// SPDX-License-Identifier: GPL-2.0-only
/* Rules with mptcpify: which programs get MPTCP. They stand among those for connections, but are
 * asked when a socket is made, before there is a peer. */
#include <string.h>

#include "policy/check.h"
#include "policy/handlers.h"
#include "policy/model.h"

/* What a rule may hold beside what is known when a socket is made. */
static const char *const late_conditions[] = { "port", "local-port", "prefix", "role" };
static const char *const late_keys[] = { "mode", "paths", "scheduler", "mark" };

static bool refuse(struct parse *p, const struct node *n, const char *const *names, size_t nr,
		   const char *why)
{
	for (size_t i = 0; n && i < nr; i++) {
		const struct node *found = node_get(n, names[i]);

		if (!found)
			continue;
		parse_report(p, found, "make two rules of it", "\"%s\" %s", names[i], why);
		return true;
	}
	return false;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool shadows(const struct policy_program *a, const struct policy_program *b)
{
	return (!a->cgroup && !a->user && !a->executable) ||
	       (same_text(a->cgroup, b->cgroup) && same_text(a->user, b->user) &&
		same_text(a->executable, b->executable));
}

static void check_program(struct parse *p, const struct node *n)
{
	const struct policy *policy = &p->draft.policy;
	const struct policy_program *last = &policy->programs[policy->nr_programs - 1];

	for (size_t i = 0; i + 1 < policy->nr_programs; i++) {
		if (!shadows(&policy->programs[i], last))
			continue;
		parse_report(p, n, NULL,
			     "the rule can never match: the one on line %u takes every program it "
			     "is for",
			     policy->programs[i].line);
		return;
	}
}

bool take_program(struct parse *p, const struct node *n, struct policy_rule *rule, bool broken)
{
	const struct node *match = node_get(n, "match");
	struct policy *policy = &p->draft.policy;

	if (!node_get(n, "mptcpify")) {
		const struct node *executable = match ? node_get(match, "executable") : NULL;

		if (executable)
			parse_report(p, executable, "use \"cgroup\" or \"uid\"",
				     "\"executable\" is only for rules with \"mptcpify\"");
		return false;
	}
	if (!refuse(p, n, late_keys, ARRAY_SIZE(late_keys),
		    "is for connections, \"mptcpify\" for programs") &&
	    !refuse(p, match, late_conditions, ARRAY_SIZE(late_conditions),
		    "is not known yet when \"mptcpify\" decides") &&
	    !broken) {
		policy->programs[policy->nr_programs++] = (struct policy_program){
			.cgroup = rule->cgroup,
			.user = rule->user,
			.executable = rule->executable,
			.mptcpify = rule->mptcpify == POLICY_YES,
			.number = rule->number,
			.line = rule->line,
		};
		rule->cgroup = rule->user = rule->executable = NULL;
		check_program(p, n);
	}
	rule_clear(rule);
	memset(rule, 0, sizeof(*rule));
	return true;
}
