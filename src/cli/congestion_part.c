// SPDX-License-Identifier: GPL-2.0-only
/* Congestion control by path as a part of what a policy puts in force. */
#include "cli/part.h"
#include "pm/congestion.h"

/* Path by path: another one's algorithm may well be there. */
static int leave_out_unknown(const struct parts_run *r, struct error *e)
{
	for (size_t i = 0; i < r->policy->nr_paths; i++) {
		struct policy_path *path = &r->policy->paths[i];

		if (!path->congestion[0] || pm_congestion_find(path, e) == 0)
			continue;
		if (!part_leave_out(r, "congestion-control", e))
			return e->code;
		path->congestion[0] = '\0';
	}
	return 0;
}

static int congestion_plan(struct parts *p, const struct parts_run *r, struct pm_plan *plan,
			   struct error *e)
{
	int err = r->policy ? leave_out_unknown(r, e) : 0;

	(void)plan;
	if (err == 0)
		err = congestion_change_plan(&p->congestion, r->policy, r->kernel, r->config, e);
	if (err == 0 || !part_leave_out(r, "congestion-control", e))
		return err;
	for (size_t i = 0; r->policy && i < r->policy->nr_paths; i++)
		r->policy->paths[i].congestion[0] = '\0';
	return congestion_change_plan(&p->congestion, r->policy, r->kernel, r->config, e);
}

static bool congestion_none(const struct parts *p)
{
	return congestion_change_none(&p->congestion);
}

static int congestion_execute(struct parts *p, const struct parts_run *r, struct error *e)
{
	return congestion_change_execute(&p->congestion, r->config, e);
}

static void congestion_undo(struct parts *p, const struct parts_run *r, struct error *e)
{
	congestion_change_undo(&p->congestion, r->config, e);
}

static void congestion_walk_one(void *data, bool added, const char *text)
{
	const struct part_walk *w = data;

	w->each(w->data, added ? '+' : '-', added ? "add-congestion" : "delete-congestion", text,
		"");
}

static void congestion_walk(const struct parts *p, const struct part_walk *w)
{
	struct part_walk to = *w;

	if (p->congestion.nr_after && p->congestion.program == LOADER_SWAPPED)
		w->each(w->data, '~', "replace-congestion",
			"replace the program for congestion control", "live");
	congestion_change_walk(&p->congestion, congestion_walk_one, &to);
}

const struct part part_congestion = {
	"change congestion control", congestion_plan, congestion_none,
	congestion_execute,	     congestion_undo, congestion_walk,
};
