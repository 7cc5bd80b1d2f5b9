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
	case PM_SET_SYN_RETRIES:
	case PM_SET_MANAGER:
	case PM_SET_FASTOPEN:
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
	case PM_SET_SYN_RETRIES:
		return "set-fallback-syn-retries";
	case PM_SET_MANAGER:
		return "set-path-manager";
	case PM_SET_FASTOPEN:
		return "set-tcp-fastopen";
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

static bool sched_none(const struct sched_change *s)
{
	return !s->name[0] || s->outcome == LOADER_UNCHANGED;
}

bool changes_none(const struct changes *what)
{
	for (size_t i = 0; i < what->nr_scheds; i++) {
		if (!sched_none(&what->scheds[i]))
			return false;
	}
	return what->plan->nr_actions == 0 && (!what->parts || parts_none(what->parts));
}

static void print_scheds(struct cli *c, const struct changes *what)
{
	char text[LINE_BYTES];

	for (size_t i = 0; i < what->nr_scheds; i++) {
		const struct sched_change *s = &what->scheds[i];
		bool fresh = s->outcome == LOADER_LOADED;

		if (sched_none(s))
			continue;
		snprintf(text, sizeof(text), "%s BPF scheduler %s", fresh ? "load" : "replace",
			 s->name);
		print_line(c, fresh ? '+' : '~', text, fresh ? "" : "live, connections are kept");
	}
}

static void print_part(void *data, char s, const char *action, const char *text, const char *reason)
{
	(void)action;
	print_line(data, s, text, reason);
}

void changes_print(struct cli *c, const struct changes *what)
{
	const struct pm_plan *plan = what->plan;
	char text[LINE_BYTES];

	for (size_t i = 0; i < plan->nr_notices; i++)
		cli_note(c, "%snotice:%s %s\n", cli_yellow(c), cli_plain(c), plan->notices[i].text);
	print_scheds(c, what);
	for (size_t i = 0; i < plan->nr_actions; i++) {
		const struct pm_action *a = &plan->actions[i];

		pm_action_describe(a, text, sizeof(text));
		print_line(c, sign(a->kind), text, a->reason);
	}
	if (what->parts)
		parts_walk(what->parts, print_part, c);
}

static void change_json(struct json *j, const char *action, const char *text, const char *reason)
{
	json_object_open(j);
	json_key_string(j, "action", action);
	json_key_string(j, "text", text);
	if (reason[0])
		json_key_string(j, "reason", reason);
	json_object_close(j);
}

static void action_json(const struct pm_action *a, struct json *j)
{
	char text[LINE_BYTES];

	pm_action_describe(a, text, sizeof(text));
	change_json(j, kind_name(a->kind), text, a->reason);
}

static void part_json(void *data, char s, const char *action, const char *text, const char *reason)
{
	(void)s;
	change_json(data, action, text, reason);
}

static void scheds_json(const struct changes *what, struct json *j)
{
	if (what->nr_scheds) {
		json_key_string(j, "scheduler", what->scheds[0].name);
		json_key_string(j, "scheduler_outcome", cli_outcome_text(what->scheds[0].outcome));
	}
	json_key(j, "schedulers");
	json_array_open(j);
	for (size_t i = 0; i < what->nr_scheds; i++) {
		json_object_open(j);
		json_key_string(j, "scheduler", what->scheds[i].name);
		json_key_string(j, "outcome", cli_outcome_text(what->scheds[i].outcome));
		json_object_close(j);
	}
	json_array_close(j);
}

void changes_json(struct cli *c, const struct changes_report *r)
{
	const struct pm_plan *plan = r->what.plan;
	struct json j;

	json_init(&j, c->out, c->pretty);
	json_object_open(&j);
	json_key_string(&j, "policy", r->policy);
	json_key_bool(&j, "dry_run", r->dry_run);
	json_key_bool(&j, "changed",
		      !changes_none(&r->what) || r->nr_unloaded || (r->restored && !r->dry_run));
	if (r->left_out)
		json_key_string(&j, "left_out", r->left_out);
	if (r->restored)
		json_key_string(&j, "mptcp_restored", r->restored);
	scheds_json(&r->what, &j);
	json_key(&j, "actions");
	json_array_open(&j);
	for (size_t i = 0; i < plan->nr_actions; i++)
		action_json(&plan->actions[i], &j);
	if (r->what.parts)
		parts_walk(r->what.parts, part_json, &j);
	json_array_close(&j);
	json_key(&j, "notices");
	json_array_open(&j);
	for (size_t i = 0; i < plan->nr_notices; i++)
		json_string(&j, plan->notices[i].text);
	json_array_close(&j);
	json_key(&j, "unloaded");
	json_array_open(&j);
	for (size_t i = 0; i < r->nr_unloaded; i++)
		json_string(&j, r->unloaded[i]);
	json_array_close(&j);
	json_object_close(&j);
	json_end(&j);
}
