// SPDX-License-Identifier: GPL-2.0-only
/* Congestion control changed as a whole; see congestion_change.h. */
#include "cli/congestion_change.h"

#include <errno.h>
#include <string.h>

#include "cli/list_change.h"
#include "pm/congestion.h"
#include "pm/netns.h"

int congestion_change_plan(struct congestion_change *g, const struct policy *policy,
			   const struct pm_kernel *kernel, const struct loader_config *c,
			   struct error *e)
{
	bool wanted = policy && pm_congestion_wanted(policy);
	struct pm_netns ns = { 0 };
	int err;

	memset(g, 0, sizeof(*g));
	g->program = LOADER_UNCHANGED;
	err = pm_netns_identify(&ns, e);
	if (err < 0)
		return err;
	g->cookie = ns.cookie;
	err = loader_congestion_read(c, g->cookie, g->before, &g->nr_before, wanted ? e : NULL);
	if (!wanted)
		return err == -EACCES || err == -EPERM ? 0 : err;
	if (err == 0)
		err = loader_congestion_try(c, &g->program, e);
	if (err == 0)
		err = pm_congestion_make(policy, 0, kernel->interfaces, kernel->nr_interfaces,
					 g->after, &g->nr_after, e);
	return err;
}

bool congestion_change_none(const struct congestion_change *g)
{
	return g->nr_before == g->nr_after && (!g->nr_after || g->program == LOADER_UNCHANGED) &&
	       memcmp(g->before, g->after, g->nr_after * sizeof(g->after[0])) == 0;
}

int congestion_change_execute(const struct congestion_change *g, const struct loader_config *c,
			      struct error *e)
{
	/* Also without a change, for what a run that was killed has left. */
	return loader_congestion_write(c, g->cookie, g->after, g->nr_after, e);
}

void congestion_change_undo(const struct congestion_change *g, const struct loader_config *c,
			    struct error *e)
{
	struct error second = { 0 };

	if (loader_congestion_write(c, g->cookie, g->before, g->nr_before, &second) < 0)
		error_hint(e, "congestion control could not be put back as it was: %.150s",
			   second.text);
}

static void describe(const void *item, char *out, size_t size)
{
	pm_congestion_describe(item, out, size);
}

void congestion_change_walk(const struct congestion_change *g,
			    void (*each)(void *data, bool added, const char *text), void *data)
{
	const struct list_change lists = {
		.before = g->before,
		.after = g->after,
		.nr_before = g->nr_before,
		.nr_after = g->nr_after,
		.item_bytes = sizeof(g->before[0]),
		.describe = describe,
	};

	list_change_walk(&lists, each, data);
}
