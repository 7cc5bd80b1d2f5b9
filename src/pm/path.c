// SPDX-License-Identifier: GPL-2.0-only
/* Interfaces and the paths they belong to. */
#include "pm/path.h"

#include <fnmatch.h>

static bool path_matches(const struct policy_path *path, const struct pm_interface *it)
{
	if (path->interface && fnmatch(path->interface, it->name, 0) != 0)
		return false;
	return path->type == POLICY_LINK_ANY || path->type == it->type;
}

const struct policy_path *pm_path_of(const struct policy *policy, const struct pm_interface *it)
{
	for (size_t i = 0; !it->loopback && i < policy->nr_paths; i++)
		if (path_matches(&policy->paths[i], it))
			return &policy->paths[i];
	return NULL;
}
