// SPDX-License-Identifier: GPL-2.0-only
/* Resets with a reason as a part of what a policy puts in force. */
#include "cli/part.h"

#define TEXT_BYTES 384

static int reset_plan(struct parts *p, const struct parts_run *r, struct pm_plan *plan,
		      struct error *e)
{
	int err = reset_change_plan(&p->reset, r->policy, r->kernel, r->config, e);

	(void)plan;
	if (err == 0 || !part_leave_out(r, "reset.emit", e))
		return err;
	r->policy->reset.emits = false;
	return reset_change_plan(&p->reset, r->policy, r->kernel, r->config, e);
}

static bool reset_none(const struct parts *p)
{
	return reset_change_none(&p->reset);
}

static int reset_execute(struct parts *p, const struct parts_run *r, struct error *e)
{
	return reset_change_execute(&p->reset, r->config, e);
}

static void reset_undo(struct parts *p, const struct parts_run *r, struct error *e)
{
	reset_change_undo(&p->reset, r->config, e);
}

static void reset_walk(const struct parts *p, const struct part_walk *w)
{
	char text[TEXT_BYTES];
	const char sign = reset_change_describe(&p->reset, text, sizeof(text));

	w->each(w->data, sign,
		sign == '+'   ? "add-reset"
		: sign == '-' ? "delete-reset"
			      : "change-reset",
		text, "");
}

const struct part part_reset = {
	"change resets with a reason",
	reset_plan,
	reset_none,
	reset_execute,
	reset_undo,
	reset_walk,
};
