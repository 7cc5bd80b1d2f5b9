// SPDX-License-Identifier: GPL-2.0-only
/* The modes and paths that rules and caps name, which may stand anywhere in the file. */
#include <stdio.h>
#include <string.h>

#include "policy/check.h"
#include "policy/handlers.h"

void handle_reference(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	(void)object;
	parse_is_text(p, key->name, key->value, n);
}

void handle_references(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	size_t nr = parse_list_length(p, key, n);

	(void)object;
	for (size_t i = 0; i < nr; i++)
		if (n->items[i].kind != NODE_BROKEN)
			parse_is_text(p, key->name, key->value->element, &n->items[i]);
}

static void report_missing(struct parse *p, const struct node *n, const char *what,
			   const char *const *names, size_t nr)
{
	char hint[sizeof(((struct policy_diagnostic *)0)->hint)], label[32];

	snprintf(label, sizeof(label), "%ss there are", what);
	if (nr)
		parse_suggest(n->text, names, nr, label, hint, sizeof(hint));
	else
		snprintf(hint, sizeof(hint), "\"paths\" has none");
	parse_report(p, n, hint, "there is no %s \"%.63s\"", what, n->text);
}

static unsigned int find_mode(struct parse *p, const struct node *rule, unsigned int otherwise)
{
	const struct node *n = rule ? node_get(rule, "mode") : NULL;
	const char *names[POLICY_MODES_MAX];

	if (!n || n->kind != NODE_SCALAR || node_is_null(n))
		return otherwise;
	for (unsigned int i = 0; i < p->draft.nr_modes; i++) {
		names[i] = p->draft.modes[i].mode.name;
		if (strcmp(names[i], n->text) == 0)
			return i;
	}
	report_missing(p, n, "mode", names, p->draft.nr_modes);
	return otherwise;
}

static uint32_t find_path(struct parse *p, const struct node *n)
{
	const struct policy *policy = &p->draft.policy;
	const char *names[POLICY_PATHS_MAX];

	for (size_t i = 0; i < policy->nr_paths; i++) {
		names[i] = policy->paths[i].name;
		if (strcmp(names[i], n->text) == 0)
			return UINT32_C(1) << i;
	}
	report_missing(p, n, "path", names, policy->nr_paths);
	return 0;
}

static uint32_t find_paths(struct parse *p, const struct node *rule, uint32_t otherwise)
{
	const struct node *n = rule ? node_get(rule, "paths") : NULL;
	uint32_t paths = 0;

	if (!n || n->kind != NODE_LIST)
		return otherwise;
	for (size_t i = 0; i < n->nr && i < POLICY_PATHS_MAX; i++) {
		uint32_t one;

		if (n->items[i].kind != NODE_SCALAR)
			continue;
		one = find_path(p, &n->items[i]);
		if (one & paths)
			parse_report(p, &n->items[i], NULL, "path \"%s\" stands twice in \"paths\"",
				     n->items[i].text);
		paths |= one;
	}
	return paths;
}

static void refer_caps(struct parse *p)
{
	struct draft *d = &p->draft;

	for (size_t i = 0; i < d->policy.nr_caps; i++) {
		const struct node *n = node_get(d->cap_nodes[i], "path");
		uint32_t bit = n && n->kind == NODE_SCALAR ? find_path(p, n) : 0;

		if (bit)
			d->policy.caps[i].path = (unsigned int)__builtin_ctz(bit);
		else
			d->cap_broken[i] = true;
	}
}

/* What a rule leaves out it has from the default rule. */
void refer(struct parse *p)
{
	struct draft *d = &p->draft;
	struct policy *policy = &d->policy;

	refer_caps(p);
	policy->mode_index = find_mode(p, d->default_node, POLICY_MODE_HANDOVER);
	policy->mode = d->modes[policy->mode_index].mode.kind;
	policy->rule_paths = find_paths(p, d->default_node, UINT32_MAX);
	for (size_t i = 0; i < policy->nr_rules; i++) {
		struct policy_rule *rule = &policy->rules[i];
		size_t before = p->diagnostics->total;

		rule->mode_index = find_mode(p, d->rule_nodes[i], policy->mode_index);
		rule->mode = d->modes[rule->mode_index].mode.kind;
		rule->paths = find_paths(p, d->rule_nodes[i], policy->rule_paths);
		if (!node_get(d->rule_nodes[i], "mark"))
			rule->mark = policy->rule_mark;
		d->rule_broken[i] |= p->diagnostics->total != before;
	}
}
