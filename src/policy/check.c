// SPDX-License-Identifier: GPL-2.0-only
/* Impossible combinations; see check.h. */
#include "policy/check.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "policy/diagnostics.h"
#include "policy/handlers.h"

/* The value of the key where it stands, or the whole map where it does not. */
static const struct node *blame(const struct node *map, const char *key)
{
	const struct node *value = node_get(map, key);

	return value ? value : map;
}

static void check_names(struct parse *p, size_t at)
{
	const struct policy_path *paths = p->draft.policy.paths;
	char hint[64];

	if (!paths[at].name[0])
		return;
	for (size_t i = 0; i < at; i++) {
		if (strcmp(paths[i].name, paths[at].name) != 0)
			continue;
		snprintf(hint, sizeof(hint), "the first one stands on line %u", paths[i].line);
		parse_report(p, blame(p->draft.path_nodes[at], "name"), hint,
			     "there is already a path called \"%s\"", paths[at].name);
		return;
	}
}

static void check_endpoint(struct parse *p, size_t at)
{
	unsigned int use = p->draft.policy.paths[at].use;
	const struct node *where = blame(p->draft.path_nodes[at], "endpoint");

	if (!(use & POLICY_ENDPOINT_FULLMESH))
		return;
	if (use & POLICY_ENDPOINT_SIGNAL)
		parse_report(p, where, "the kernel refuses it; split the path or drop one",
			     "\"signal\" and \"fullmesh\" cannot be combined");
	else if (!(use & POLICY_ENDPOINT_SUBFLOW))
		parse_report(p, where, "write [subflow, fullmesh]",
			     "\"fullmesh\" does nothing without \"subflow\"");
}

/* Its private state is a pointer, which the kernel keeps from programs. */
static void check_congestion(struct parse *p, size_t at)
{
	if (strcmp(p->draft.policy.paths[at].congestion, "cdg") == 0)
		parse_report(
			p, node_get(p->draft.path_nodes[at], "congestion-control"),
			"set net.ipv4.tcp_congestion_control",
			"the kernel gives \"cdg\" to a socket only when its program asks for it");
}

/*
 * Whether every name the glob `b` matches is matched by `a` too; "no" when in doubt. NULL matches
 * everything. A pattern of literals and "*" that matches the text of another pattern also matches
 * what that stands for, because its wildcards lie under "*" only; brackets and backslashes break
 * that.
 */
static bool glob_covers(const char *a, const char *b)
{
	if (!a || !strcmp(a, "*"))
		return true;
	if (!b)
		return false;
	if (!strcmp(a, b))
		return true;
	if (!strpbrk(b, "*?[\\"))
		return fnmatch(a, b, 0) == 0;
	return !strpbrk(a, "?[\\") && !strpbrk(b, "[\\") && fnmatch(a, b, 0) == 0;
}

static void check_reach(struct parse *p, size_t at)
{
	const struct policy_path *paths = p->draft.policy.paths, *path = &paths[at];

	for (size_t i = 0; i < at; i++) {
		const struct policy_path *earlier = &paths[i];

		if (p->draft.path_broken[i] || !glob_covers(earlier->interface, path->interface) ||
		    (earlier->type != POLICY_LINK_ANY && earlier->type != path->type))
			continue;
		parse_report(p, blame(p->draft.path_nodes[at], "match"),
			     "an interface belongs to the first path that matches; swap or narrow",
			     "path \"%s\" can never match: path \"%s\" on line %u takes all of its "
			     "interfaces",
			     path->name, earlier->name, earlier->line);
		return;
	}
}

static void check_backups(struct parse *p)
{
	const struct policy *policy = &p->draft.policy;

	for (size_t i = 0; i < policy->nr_paths; i++)
		if (p->draft.path_broken[i] || policy->paths[i].backup != POLICY_YES)
			return;
	if (policy->nr_paths > 0)
		parse_report(p, blame(p->draft.path_nodes[0], "backup"),
			     "leave it out or set it to false for one of them",
			     "every path is a backup: nothing would be left to use first");
}

static bool uses_all_paths(enum policy_mode_kind mode)
{
	return mode == POLICY_MODE_AGGREGATE || mode == POLICY_MODE_LOAD_BALANCE ||
	       mode == POLICY_MODE_REDUNDANT;
}

static void check_limits(struct parse *p, const struct node *root)
{
	const struct policy *policy = &p->draft.policy;
	const struct node *limits = node_get(root, "limits");

	if (!limits || !node_get(limits, "subflows") || !policy->limits.set ||
	    policy->limits.subflows > 0 || !uses_all_paths(policy->mode))
		return;
	parse_report(p, node_get(limits, "subflows"), "allow at least one more subflow",
		     "mode \"%s\" cannot use a second path with no extra subflow",
		     p->draft.modes[policy->mode_index].mode.name);
}

void check_combinations(struct parse *p, const struct node *root)
{
	for (size_t i = 0; i < p->draft.policy.nr_paths; i++) {
		check_names(p, i);
		if (p->draft.path_broken[i])
			continue;
		check_endpoint(p, i);
		check_congestion(p, i);
		check_reach(p, i);
	}
	check_backups(p);
	check_limits(p, root);
	check_rules(p);
	check_marks(p);
	check_guard(p, root);
	check_reset(p, root);
	check_nat64(p, root);
	check_caps(p);
	check_establish(p, root);
	check_tfo(p, root);
}
