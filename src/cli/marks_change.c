// SPDX-License-Identifier: GPL-2.0-only
/* Rules for marks changed as a whole; see marks_change.h. */
#include "cli/marks_change.h"

#include <errno.h>
#include <string.h>

#include "cli/list_change.h"
#include "pm/netns.h"
#include "pm/rules.h"

int marks_change_plan(struct marks_change *m, const struct policy *policy,
		      const struct loader_config *c, struct pm_plan *plan, struct error *e)
{
	bool wanted = policy && pm_marks_wanted(policy);
	struct pm_netns ns = { 0 };
	int err;

	memset(m, 0, sizeof(*m));
	m->programs = LOADER_UNCHANGED;
	err = pm_netns_identify(&ns, e);
	if (err < 0)
		return err;
	m->cookie = ns.cookie;
	err = loader_marks_read(c, m->cookie, m->before, &m->nr_before, wanted ? e : NULL);
	if (!wanted)
		return err == -EACCES || err == -EPERM ? 0 : err;
	if (err == 0)
		err = loader_marks_try(c, &m->programs, e);
	if (err == 0)
		err = pm_marks_make(policy, m->after, &m->nr_after, plan, e);
	return err;
}

bool marks_change_none(const struct marks_change *m)
{
	return m->nr_before == m->nr_after && (!m->nr_after || m->programs == LOADER_UNCHANGED) &&
	       memcmp(m->before, m->after, m->nr_after * sizeof(m->after[0])) == 0;
}

int marks_change_execute(const struct marks_change *m, const struct loader_config *c,
			 struct error *e)
{
	/* Also without a change, for what a run that was killed has left. */
	return loader_marks_write(c, m->cookie, m->after, m->nr_after, e);
}

void marks_change_undo(const struct marks_change *m, const struct loader_config *c, struct error *e)
{
	struct error second = { 0 };

	if (loader_marks_write(c, m->cookie, m->before, m->nr_before, &second) < 0)
		error_hint(e, "the former rules for marks could not be put back: %.150s",
			   second.text);
}

static void describe(const void *item, char *out, size_t size)
{
	pm_mark_describe(item, out, size);
}

void marks_change_walk(const struct marks_change *m,
		       void (*each)(void *data, bool added, const char *text), void *data)
{
	const struct list_change lists = {
		.before = m->before,
		.after = m->after,
		.nr_before = m->nr_before,
		.nr_after = m->nr_after,
		.item_bytes = sizeof(m->before[0]),
		.describe = describe,
	};

	list_change_walk(&lists, each, data);
}
