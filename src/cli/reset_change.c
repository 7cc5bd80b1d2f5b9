// SPDX-License-Identifier: GPL-2.0-only
/* Resets with a reason changed as a whole; see reset_change.h. */
#include "cli/reset_change.h"

#include <errno.h>
#include <string.h>

#include "pm/netns.h"
#include "pm/reset.h"

int reset_change_plan(struct reset_change *r, const struct policy *policy,
		      const struct pm_kernel *kernel, const struct loader_config *c,
		      struct error *e)
{
	bool wanted = policy && policy->reset.emits;
	struct pm_netns ns = { 0 };
	int err;

	memset(r, 0, sizeof(*r));
	r->program = LOADER_UNCHANGED;
	err = pm_netns_identify(&ns, e);
	if (err < 0)
		return err;
	r->cookie = ns.cookie;
	err = loader_reset_read(c, r->cookie, r->before, &r->nr_before, &r->dead,
				wanted ? e : NULL);
	if (!wanted)
		return err == -EACCES || err == -EPERM ? 0 : err;
	if (err == 0)
		err = pm_reset_interfaces(policy, kernel->interfaces, kernel->nr_interfaces,
					  r->after, &r->nr_after, e);
	if (err == 0 && r->nr_after)
		err = loader_reset_try(c, r->cookie, &r->program, e);
	return err;
}

bool reset_change_none(const struct reset_change *r)
{
	return !r->dead && r->nr_before == r->nr_after &&
	       (!r->nr_after || r->program == LOADER_UNCHANGED) &&
	       memcmp(r->before, r->after, r->nr_after * sizeof(r->after[0])) == 0;
}

int reset_change_execute(const struct reset_change *r, const struct loader_config *c,
			 struct error *e)
{
	bool none = reset_change_none(r);
	int err;

	if (none && r->nr_after)
		return 0;
	/* With nothing there a run that was killed may still have left its folder. */
	err = loader_reset_write(c, r->cookie, r->after, r->nr_after, none ? NULL : e);
	if (none)
		return 0;
	if (err < 0)
		reset_change_undo(r, c, e);
	return err;
}

void reset_change_undo(const struct reset_change *r, const struct loader_config *c, struct error *e)
{
	struct error second = { 0 };

	if (loader_reset_write(c, r->cookie, r->before, r->nr_before, &second) < 0)
		error_hint(e, "resets with a reason could not be put back: %.150s", second.text);
}

char reset_change_describe(const struct reset_change *r, char *out, size_t size)
{
	if (r->nr_after)
		pm_reset_describe(r->after, r->nr_after, out, size);
	else
		pm_reset_describe(r->before, r->nr_before, out, size);
	if (!r->nr_after)
		return '-';
	return r->nr_before ? '~' : '+';
}
