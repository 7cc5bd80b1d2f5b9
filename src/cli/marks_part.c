// SPDX-License-Identifier: GPL-2.0-only
/* Rules for marks as a part of what a policy puts in force. */
#include "cli/part.h"

static int marks_plan(struct parts *p, const struct parts_run *r, struct pm_plan *plan,
		      struct error *e)
{
	int err = marks_change_plan(&p->marks, r->policy, r->config, plan, e);

	if (err == 0 || !part_leave_out(r, "mark", e))
		return err;
	r->policy->rule_mark = 0;
	for (size_t i = 0; i < r->policy->nr_rules; i++)
		r->policy->rules[i].mark = 0;
	return marks_change_plan(&p->marks, r->policy, r->config, plan, e);
}

static bool marks_none(const struct parts *p)
{
	return marks_change_none(&p->marks);
}

static int marks_execute(struct parts *p, const struct parts_run *r, struct error *e)
{
	return marks_change_execute(&p->marks, r->config, e);
}

static void marks_undo(struct parts *p, const struct parts_run *r, struct error *e)
{
	marks_change_undo(&p->marks, r->config, e);
}

static void walk_one(void *data, bool added, const char *text)
{
	const struct part_walk *w = data;

	w->each(w->data, added ? '+' : '-', added ? "add-rule" : "delete-rule", text, "");
}

static void marks_walk(const struct parts *p, const struct part_walk *w)
{
	struct part_walk to = *w;

	if (p->marks.nr_after && p->marks.programs == LOADER_SWAPPED)
		w->each(w->data, '~', "replace-marks", "replace the programs for marks", "live");
	marks_change_walk(&p->marks, walk_one, &to);
}

const struct part part_marks = {
	"change rules for marks", marks_plan, marks_none, marks_execute, marks_undo, marks_walk,
};
