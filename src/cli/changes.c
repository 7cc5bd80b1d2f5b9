// SPDX-License-Identifier: GPL-2.0-only
/* Diffs for people and programs; see changes.h. */
#include "cli/changes.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 256

static char sign(enum pm_action_kind kind)
{
	switch (kind) {
	case PM_ADD_ENDPOINT:
		return '+';
	case PM_DELETE_ENDPOINT:
		return '-';
	case PM_CHANGE_ENDPOINT:
	case PM_SET_LIMITS:
	case PM_SET_SCHEDULER:
		return '~';
	}
	return '?';
}

static const char *kind_name(enum pm_action_kind kind)
{
	switch (kind) {
	case PM_ADD_ENDPOINT:
		return "add-endpoint";
	case PM_DELETE_ENDPOINT:
		return "delete-endpoint";
	case PM_CHANGE_ENDPOINT:
		return "change-endpoint";
	case PM_SET_LIMITS:
		return "set-limits";
	case PM_SET_SCHEDULER:
		return "set-scheduler";
	}
	return "";
}

static const char *sign_color(const struct cli *c, char s)
{
	return s == '+' ? cli_green(c) : s == '-' ? cli_red(c) : cli_yellow(c);
}

static void print_line(struct cli *c, char s, const char *text, const char *reason)
{
	cli_note(c, "%s%c %s%s%s%s%s\n", sign_color(c, s), s, text, cli_plain(c),
		 reason[0] ? "  (" : "", reason, reason[0] ? ")" : "");
}

bool changes_none(const struct pm_plan *plan, const struct sched_change *sched)
{
	return plan->nr_actions == 0 && (!sched->name[0] || sched->outcome == LOADER_UNCHANGED);
}

void changes_print(struct cli *c, const struct pm_plan *plan, const struct sched_change *sched)
{
	char text[LINE_BYTES];

	for (size_t i = 0; i < plan->nr_notices; i++)
		cli_note(c, "%snotice:%s %s\n", cli_yellow(c), cli_plain(c), plan->notices[i].text);
	if (sched->name[0] && sched->outcome != LOADER_UNCHANGED) {
		bool fresh = sched->outcome == LOADER_LOADED;

		snprintf(text, sizeof(text), "%s BPF scheduler %s", fresh ? "load" : "replace",
			 sched->name);
		print_line(c, fresh ? '+' : '~', text, fresh ? "" : "live, connections are kept");
	}
	for (size_t i = 0; i < plan->nr_actions; i++) {
		const struct pm_action *a = &plan->actions[i];

		pm_action_describe(a, text, sizeof(text));
		print_line(c, sign(a->kind), text, a->reason);
	}
}

static void action_json(const struct pm_action *a, struct json *j)
{
	char text[LINE_BYTES];

	pm_action_describe(a, text, sizeof(text));
	json_object_open(j);
	json_key_string(j, "action", kind_name(a->kind));
	json_key_string(j, "text", text);
	if (a->reason[0])
		json_key_string(j, "reason", a->reason);
	json_object_close(j);
}

void changes_json(struct cli *c, const struct changes_report *r)
{
	struct json j;

	json_init(&j, c->out, c->pretty);
	json_object_open(&j);
	json_key_string(&j, "policy", r->policy);
	json_key_bool(&j, "dry_run", r->dry_run);
	json_key_bool(&j, "changed", !changes_none(r->plan, r->sched) || r->nr_unloaded);
	if (r->left_out)
		json_key_string(&j, "left_out", r->left_out);
	if (r->sched->name[0]) {
		json_key_string(&j, "scheduler", r->sched->name);
		json_key_string(&j, "scheduler_outcome", cli_outcome_text(r->sched->outcome));
	}
	json_key(&j, "actions");
	json_array_open(&j);
	for (size_t i = 0; i < r->plan->nr_actions; i++)
		action_json(&r->plan->actions[i], &j);
	json_array_close(&j);
	json_key(&j, "notices");
	json_array_open(&j);
	for (size_t i = 0; i < r->plan->nr_notices; i++)
		json_string(&j, r->plan->notices[i].text);
	json_array_close(&j);
	json_key(&j, "unloaded");
	json_array_open(&j);
	for (size_t i = 0; i < r->nr_unloaded; i++)
		json_string(&j, r->unloaded[i]);
	json_array_close(&j);
	json_object_close(&j);
	json_end(&j);
}
