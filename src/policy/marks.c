// SPDX-License-Identifier: GPL-2.0-only
/* Marks of rules for connections: what cannot be told when they are set. */
#include "policy/check.h"
#include "policy/handlers.h"

/* Where a mark is set that is not 0: that of a rule or of the default one. */
static const struct node *first_mark(const struct draft *d)
{
	for (size_t i = 0; i < policy_nr_marking(&d->policy); i++) {
		if (d->policy.rules[i].mark)
			return node_get(d->rule_nodes[i], "mark") ?: d->rule_nodes[i];
	}
	return d->policy.rule_mark ? node_get(d->default_node, "mark") : NULL;
}

/* A rule that comes before one with a mark has to be ruled out first, with a mark of its own or
 * without. */
static void check_conditions(struct parse *p)
{
	const struct policy *policy = &p->draft.policy;

	for (size_t i = 0; i < policy_nr_marking(policy); i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (!rule->local_port.nr || rule->role == POLICY_ROLE_SERVER ||
		    p->draft.rule_broken[i])
			continue;
		parse_report(p, node_get(node_get(p->draft.rule_nodes[i], "match"), "local-port"),
			     "add \"role: server\"",
			     "\"local-port\" of a connection made here is not known yet when its "
			     "\"mark\" is set");
	}
}

void check_marks(struct parse *p)
{
	const struct policy *policy = &p->draft.policy;
	const struct node *mark = first_mark(&p->draft);

	if (!mark)
		return;
	check_conditions(p);
	if (policy->establish.robe & POLICY_ROBE_IPS)
		parse_report(p, mark, "leave one of them out",
			     "\"mark\" lets routing rules choose the first path, \"ips\" in "
			     "\"establish\" chooses it, too");
}
