// SPDX-License-Identifier: GPL-2.0-only
/* What a policy puts in force, part by part; see parts.h. */
#include "cli/parts.h"
#include "cli/part.h"

#include <errno.h>
#include <string.h>

#include "pm/rules.h"
#include "util/caps.h"

#define TEXT_BYTES PM_RULE_TEXT_BYTES

/* A kernel can have all that is probed for and still refuse the programs: left out, if it may be.
 */
bool part_leave_out(const struct parts_run *r, const char *what, struct error *e)
{
	if (!r->policy || r->policy->fallback != POLICY_FALLBACK_ALLOW || e->code != -EOPNOTSUPP)
		return false;
	left_out_add(r->left_out, "%s: %s", what, e->text);
	*e = (struct error){ 0 };
	return true;
}

static int rules_plan(struct parts *p, const struct parts_run *r, struct pm_plan *plan,
		      struct error *e)
{
	return rules_change_plan(&p->rules, r->policy, r->config, plan, e);
}

static bool rules_none(const struct parts *p)
{
	return rules_change_none(&p->rules);
}

static int rules_execute(struct parts *p, const struct parts_run *r, struct error *e)
{
	return rules_change_execute(&p->rules, r->config, e);
}

static void rules_undo(struct parts *p, const struct parts_run *r, struct error *e)
{
	rules_change_undo(&p->rules, r->config, e);
}

static bool has_rule(const struct mptcp_select_rule *rules, size_t nr,
		     const struct mptcp_select_rule *rule)
{
	for (size_t i = 0; i < nr; i++) {
		if (memcmp(&rules[i], rule, sizeof(*rule)) == 0)
			return true;
	}
	return false;
}

static void walk_rules(const struct mptcp_select_rule *rules, size_t nr,
		       const struct mptcp_select_rule *others, size_t nr_others, char sign,
		       const struct part_walk *w)
{
	char text[TEXT_BYTES];

	for (size_t i = 0; i < nr; i++) {
		if (has_rule(others, nr_others, &rules[i]))
			continue;
		pm_rule_describe(&rules[i], text, sizeof(text));
		w->each(w->data, sign, sign == '+' ? "add-rule" : "delete-rule", text, "");
	}
}

static void rules_walk(const struct parts *p, const struct part_walk *w)
{
	const struct rules_change *r = &p->rules;

	if (r->nr_after && r->selector == LOADER_LOADED)
		w->each(w->data, '+', "load-selector", "load the selector",
			"gives connections the scheduler of a rule");
	if (r->nr_after && r->selector == LOADER_SWAPPED)
		w->each(w->data, '~', "replace-selector", "replace the selector", "live");
	walk_rules(r->before, r->nr_before, r->after, r->nr_after, '-', w);
	walk_rules(r->after, r->nr_after, r->before, r->nr_before, '+', w);
}

static int programs_plan(struct parts *p, const struct parts_run *r, struct pm_plan *plan,
			 struct error *e)
{
	int err = r->policy && r->policy->nr_programs ? loader_programs_try(r->config, e) : 0;

	if (err < 0 && !part_leave_out(r, "mptcpify", e))
		return err;
	if (err < 0)
		r->policy->nr_programs = 0;
	return programs_change_plan(&p->programs, r->policy, r->config, plan, e);
}

static bool programs_none(const struct parts *p)
{
	return programs_change_none(&p->programs);
}

static int programs_execute(struct parts *p, const struct parts_run *r, struct error *e)
{
	return programs_change_execute(&p->programs, r->config, e);
}

static void programs_undo(struct parts *p, const struct parts_run *r, struct error *e)
{
	programs_change_undo(&p->programs, r->config, e);
}

static void program_change(void *data, bool added, const char *text)
{
	const struct part_walk *w = data;

	w->each(w->data, added ? '+' : '-', added ? "add-rule" : "delete-rule", text, "");
}

static void programs_walk(const struct parts *p, const struct part_walk *w)
{
	struct part_walk to = *w;

	programs_change_walk(&p->programs, program_change, &to);
}

static int guard_plan(struct parts *p, const struct parts_run *r, struct pm_plan *plan,
		      struct error *e)
{
	(void)plan;
	return guard_change_plan(&p->guard, r->policy, r->kernel, r->config, e);
}

static bool guard_none(const struct parts *p)
{
	return guard_change_none(&p->guard);
}

static int guard_execute(struct parts *p, const struct parts_run *r, struct error *e)
{
	return guard_change_execute(&p->guard, r->config, e);
}

static void guard_undo(struct parts *p, const struct parts_run *r, struct error *e)
{
	guard_change_undo(&p->guard, r->config, e);
}

static bool has_guard(const struct pm_guard *guards, size_t nr, const struct pm_guard *guard)
{
	for (size_t i = 0; i < nr; i++) {
		if (guards[i].ifindex == guard->ifindex &&
		    memcmp(&guards[i].config, &guard->config, sizeof(guard->config)) == 0)
			return true;
	}
	return false;
}

static void walk_guards(const struct pm_guard *guards, size_t nr, const struct pm_guard *others,
			size_t nr_others, char sign, const struct part_walk *w)
{
	char text[PM_GUARD_TEXT_BYTES];

	for (size_t i = 0; i < nr; i++) {
		if (has_guard(others, nr_others, &guards[i]))
			continue;
		pm_guard_describe(&guards[i], text, sizeof(text));
		w->each(w->data, sign, sign == '+' ? "add-guard" : "delete-guard", text, "");
	}
}

static void guard_walk(const struct parts *p, const struct part_walk *w)
{
	const struct guard_change *g = &p->guard;

	if (g->nr_after && g->program == LOADER_SWAPPED)
		w->each(w->data, '~', "replace-guard", "replace the guard's program", "live");
	walk_guards(g->before, g->nr_before, g->after, g->nr_after, '-', w);
	walk_guards(g->after, g->nr_after, g->before, g->nr_before, '+', w);
}

static int ips_plan(struct parts *p, const struct parts_run *r, struct pm_plan *plan,
		    struct error *e)
{
	int err = ips_change_plan(&p->ips, r->policy, r->kernel, r->config, plan, e);

	if (err == 0 || !part_leave_out(r, "establish.robe ips", e))
		return err;
	r->policy->establish.robe &= ~POLICY_ROBE_IPS;
	return ips_change_plan(&p->ips, r->policy, r->kernel, r->config, plan, e);
}

static bool ips_none(const struct parts *p)
{
	return ips_change_none(&p->ips);
}

static int ips_execute(struct parts *p, const struct parts_run *r, struct error *e)
{
	return ips_change_execute(&p->ips, r->config, e);
}

static void ips_undo(struct parts *p, const struct parts_run *r, struct error *e)
{
	ips_change_undo(&p->ips, r->config, e);
}

static void ips_walk(const struct parts *p, const struct part_walk *w)
{
	const char sign = ips_change_sign(&p->ips);
	char text[TEXT_BYTES];

	ips_change_describe(&p->ips, text, sizeof(text));
	w->each(w->data, sign,
		sign == '+'   ? "add-ips"
		: sign == '-' ? "delete-ips"
			      : "change-ips",
		text, "");
}

static int rescue_plan(struct parts *p, const struct parts_run *r, struct pm_plan *plan,
		       struct error *e)
{
	int err = rescue_change_plan(&p->rescue, r->policy, r->config, r->kernel, plan, e);

	/* A list of who gets data in SYNs is not left out: all others would get it. */
	if (err == 0 || (r->policy && r->policy->tfo.nr_to) ||
	    !part_leave_out(r, "establish.robe timer or sim, and tfo.blackhole", e))
		return err;
	r->policy->establish.robe &= POLICY_ROBE_IPS;
	r->policy->tfo.blackhole_ms = 0;
	return rescue_change_plan(&p->rescue, r->policy, r->config, r->kernel, plan, e);
}

static bool rescue_none(const struct parts *p)
{
	return rescue_change_none(&p->rescue);
}

/* It goes in parts_finish(). */
static int rescue_execute(struct parts *p, const struct parts_run *r, struct error *e)
{
	return p->rescue.wanted ? rescue_change_execute(&p->rescue, r->config, r->force, e) : 0;
}

static void rescue_undo(struct parts *p, const struct parts_run *r, struct error *e)
{
	if (p->rescue.wanted)
		rescue_change_undo(&p->rescue, r->config, e);
}

static void rescue_walk(const struct parts *p, const struct part_walk *w)
{
	char text[TEXT_BYTES];
	const char sign = rescue_change_describe(&p->rescue, text, sizeof(text));

	w->each(w->data, sign,
		sign == '+'   ? "load-rescue"
		: sign == '-' ? "remove-rescue"
			      : "change-rescue",
		text, "");
}

static const struct part part_rules = {
	"change rules for connections",
	rules_plan,
	rules_none,
	rules_execute,
	rules_undo,
	rules_walk,
};
static const struct part part_programs = {
	"change rules for programs",
	programs_plan,
	programs_none,
	programs_execute,
	programs_undo,
	programs_walk,
};
static const struct part part_guard = {
	"change the guard", guard_plan, guard_none, guard_execute, guard_undo, guard_walk,
};
static const struct part part_ips = {
	"change where connections begin", ips_plan, ips_none, ips_execute, ips_undo, ips_walk,
};
static const struct part part_rescue = {
	"change SYN rescue", rescue_plan, rescue_none, rescue_execute, rescue_undo, rescue_walk,
};

/* In the order of execution. */
static const struct part *const parts[] = {
	&part_rules, &part_programs, &part_guard, &part_congestion,
	&part_marks, &part_ips,	     &part_reset, &part_rescue,
};
#define NR_PARTS (sizeof(parts) / sizeof(parts[0]))

int parts_plan(struct parts *p, const struct parts_run *r, struct pm_plan *plan, struct error *e)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < NR_PARTS; i++) {
		err = parts[i]->plan(p, r, plan, e);
		if (err == 0 && !parts[i]->none(p))
			err = caps_need(CAP_BIT_BPF | CAP_BIT_SYS_ADMIN, parts[i]->purpose, e);
	}
	return err;
}

bool parts_none(const struct parts *p)
{
	for (size_t i = 0; i < NR_PARTS; i++) {
		if (!parts[i]->none(p))
			return false;
	}
	return true;
}

static void undo(struct parts *p, const struct parts_run *r, size_t nr, struct error *e)
{
	while (nr-- > 0) {
		if (!parts[nr]->none(p))
			parts[nr]->undo(p, r, e);
	}
}

int parts_execute(struct parts *p, const struct parts_run *r, struct error *e)
{
	for (size_t i = 0; i < NR_PARTS; i++) {
		/* Also without a change: some clear away what a run that was killed has left. */
		int err = parts[i]->execute(p, r, e);

		if (err < 0) {
			undo(p, r, i, e);
			return err;
		}
	}
	return 0;
}

void parts_undo(struct parts *p, const struct parts_run *r, struct error *e)
{
	undo(p, r, NR_PARTS, e);
}

int parts_finish(struct parts *p, const struct parts_run *r, struct error *e)
{
	if (p->rescue.wanted)
		return 0;
	return rescue_change_execute(&p->rescue, r->config, r->force, e);
}

const char *parts_trouble(const struct parts *p)
{
	return p->ips.trouble[0] ? p->ips.trouble : NULL;
}

void parts_walk(const struct parts *p,
		void (*each)(void *data, char sign, const char *action, const char *text,
			     const char *reason),
		void *data)
{
	const struct part_walk w = { each, data };

	for (size_t i = 0; i < NR_PARTS; i++) {
		if (!parts[i]->none(p))
			parts[i]->walk(p, &w);
	}
}
