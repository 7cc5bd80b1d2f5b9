// SPDX-License-Identifier: GPL-2.0-only
/* Rules for programs changed as a whole; see programs_change.h. */
#include "cli/programs_change.h"

#include <errno.h>
#include <string.h>

#include "cli/list_change.h"
#include "pm/netns.h"
#include "pm/rules.h"

int programs_change_plan(struct programs_change *p, const struct policy *policy,
			 const struct loader_config *c, struct pm_plan *plan, struct error *e)
{
	bool wanted = policy && policy->nr_programs;
	struct pm_netns ns = { 0 };
	int err;

	memset(p, 0, sizeof(*p));
	err = pm_netns_identify(&ns, e);
	if (err < 0)
		return err;
	p->cookie = ns.cookie;
	err = loader_programs_read(c, p->cookie, p->before, &p->nr_before, wanted ? e : NULL);
	if (!wanted)
		return err == -EACCES || err == -EPERM ? 0 : err;
	if (err == 0)
		err = pm_programs_make(policy, p->after, &p->nr_after, plan, e);
	return err;
}

bool programs_change_none(const struct programs_change *p)
{
	return p->nr_before == p->nr_after &&
	       memcmp(p->before, p->after, p->nr_after * sizeof(p->after[0])) == 0;
}

int programs_change_execute(const struct programs_change *p, const struct loader_config *c,
			    struct error *e)
{
	if (programs_change_none(p))
		return 0;
	return loader_programs_write(c, p->cookie, p->after, p->nr_after, e);
}

void programs_change_undo(const struct programs_change *p, const struct loader_config *c,
			  struct error *e)
{
	struct error second = { 0 };

	if (!programs_change_none(p) &&
	    loader_programs_write(c, p->cookie, p->before, p->nr_before, &second) < 0)
		error_hint(e, "the former rules for programs could not be put back: %.150s",
			   second.text);
}

static void describe(const void *item, char *out, size_t size)
{
	pm_program_describe(item, out, size);
}

void programs_change_walk(const struct programs_change *p,
			  void (*each)(void *data, bool added, const char *text), void *data)
{
	const struct list_change lists = {
		.before = p->before,
		.after = p->after,
		.nr_before = p->nr_before,
		.nr_after = p->nr_after,
		.item_bytes = sizeof(p->before[0]),
		.describe = describe,
	};

	list_change_walk(&lists, each, data);
}
