// SPDX-License-Identifier: GPL-2.0-only
/* The guard changed as a whole; see guard_change.h. */
#include "cli/guard_change.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "pm/netns.h"
#include "util/cleanup.h"

static int read_before(struct guard_change *g, const struct loader_config *c, struct error *e)
{
	_cleanup_free_ struct loader_guard *now = calloc(MPTCP_GUARD_IFS, sizeof(*now));
	int err;

	if (!now)
		return error_set(e, -ENOMEM, "cannot look at the guard: out of memory");
	err = loader_guard_read(c, g->cookie, now, &g->nr_before, &g->dead, e);
	for (size_t i = 0; err == 0 && i < g->nr_before; i++) {
		g->before[i].ifindex = now[i].ifindex;
		g->before[i].config = now[i].config;
		if (!if_indextoname(now[i].ifindex, g->before[i].name))
			g->before[i].name[0] = '\0';
	}
	return err;
}

int guard_change_plan(struct guard_change *g, const struct policy *policy,
		      const struct pm_kernel *kernel, const struct loader_config *c,
		      struct error *e)
{
	bool wanted = policy && policy->guard.set;
	struct pm_netns ns = { 0 };
	int err;

	memset(g, 0, sizeof(*g));
	g->program = LOADER_UNCHANGED;
	err = pm_netns_identify(&ns, e);
	if (err < 0)
		return err;
	g->cookie = ns.cookie;
	err = read_before(g, c, wanted ? e : NULL);
	if (!wanted)
		return err == -EACCES || err == -EPERM ? 0 : err;
	if (err == 0)
		err = pm_guard_make(policy, kernel->interfaces, kernel->nr_interfaces, g->after,
				    &g->nr_after, e);
	if (err == 0 && g->nr_after)
		err = loader_guard_try(c, g->cookie, &g->program, e);
	return err;
}

bool guard_change_none(const struct guard_change *g)
{
	if (g->dead || g->nr_before != g->nr_after ||
	    (g->nr_after && g->program != LOADER_UNCHANGED))
		return false;
	for (size_t i = 0; i < g->nr_after; i++) {
		if (g->before[i].ifindex != g->after[i].ifindex ||
		    memcmp(&g->before[i].config, &g->after[i].config, sizeof(g->after[i].config)) !=
			    0)
			return false;
	}
	return true;
}

static int write_guards(const struct guard_change *g, const struct pm_guard *guards, size_t nr,
			const struct loader_config *c, struct error *e)
{
	_cleanup_free_ struct loader_guard *to = calloc(nr + 1, sizeof(*to));

	if (!to)
		return error_set(e, -ENOMEM, "cannot change the guard: out of memory");
	for (size_t i = 0; i < nr; i++)
		to[i] = (struct loader_guard){ guards[i].ifindex, guards[i].config };
	return loader_guard_write(c, g->cookie, to, nr, e);
}

int guard_change_execute(const struct guard_change *g, const struct loader_config *c,
			 struct error *e)
{
	int err;

	if (guard_change_none(g))
		return 0;
	err = write_guards(g, g->after, g->nr_after, c, e);
	if (err < 0)
		guard_change_undo(g, c, e);
	return err;
}

void guard_change_undo(const struct guard_change *g, const struct loader_config *c, struct error *e)
{
	struct error second = { 0 };

	if (guard_change_none(g))
		return;
	if (write_guards(g, g->before, g->nr_before, c, &second) < 0)
		error_hint(e, "the guard could not be put back as it was: %.150s", second.text);
}
