// SPDX-License-Identifier: GPL-2.0-only
/* Rules for connections changed as a whole; see rules_change.h. */
#include "cli/rules_change.h"

#include <errno.h>
#include <string.h>

#include "pm/netns.h"
#include "pm/rules.h"

int rules_change_plan(struct rules_change *r, const struct policy *policy,
		      const struct loader_config *c, struct pm_plan *plan, struct error *e)
{
	bool wanted = policy && pm_rules_wanted(policy);
	struct pm_netns ns = { 0 };
	int err;

	memset(r, 0, sizeof(*r));
	r->selector = LOADER_UNCHANGED;
	err = pm_netns_identify(&ns, e);
	if (err < 0)
		return err;
	r->cookie = ns.cookie;
	err = loader_rules_read(c, r->cookie, r->before, &r->nr_before, wanted ? e : NULL);
	if (!wanted)
		return err == -EACCES || err == -EPERM ? 0 : err;
	if (err == 0)
		err = pm_rules_make(policy, r->after, &r->nr_after, plan, e);
	if (err == 0 && r->nr_after)
		err = loader_selector_load(c, true, &r->selector, e);
	return err;
}

bool rules_change_none(const struct rules_change *r)
{
	return r->nr_before == r->nr_after &&
	       (r->nr_after == 0 || r->selector == LOADER_UNCHANGED) &&
	       memcmp(r->before, r->after, r->nr_after * sizeof(r->after[0])) == 0;
}

static void remove_unused(const struct loader_config *c, struct error *e)
{
	struct error second = { 0 };

	if (loader_selector_unload_unused(c, &second) < 0)
		error_hint(e, "the selector stays loaded: %.200s", second.text);
}

int rules_change_execute(const struct rules_change *r, const struct loader_config *c,
			 struct error *e)
{
	enum loader_outcome outcome;
	int err = 0;

	if (rules_change_none(r))
		return 0;
	if (r->nr_after)
		err = loader_selector_load(c, false, &outcome, e);
	if (err == 0)
		err = loader_rules_write(c, r->cookie, r->after, r->nr_after, e);
	if (err < 0)
		remove_unused(c, e);
	else if (r->nr_after == 0)
		err = loader_selector_unload_unused(c, e);
	return err;
}

void rules_change_undo(const struct rules_change *r, const struct loader_config *c, struct error *e)
{
	struct error second = { 0 };
	enum loader_outcome outcome;
	int err = 0;

	if (rules_change_none(r))
		return;
	if (r->nr_before)
		err = loader_selector_load(c, false, &outcome, &second);
	if (err == 0)
		err = loader_rules_write(c, r->cookie, r->before, r->nr_before, &second);
	if (err < 0)
		error_hint(e, "the former rules could not be put back: %.150s", second.text);
	remove_unused(c, e);
}
