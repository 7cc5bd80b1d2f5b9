// SPDX-License-Identifier: GPL-2.0-only
/*
 * apply: makes the kernel match a policy. Everything that can be found out beforehand is found out
 * before anything is touched: the file, permissions, support, the plan, and a trial load of the
 * scheduler. A new scheduler is loaded before the rest, because the rest names it, and unloaded
 * again if the rest fails; a running one is replaced last, because that cannot be undone.
 */
#include "cli/changes.h"
#include "cli/cli.h"
#include "cli/diagnose.h"
#include "cli/sched_set.h"
#include "daemon/client.h"
#include "pm/congestion.h"
#include "pm/engine.h"
#include "pm/rescue_settings.h"
#include "pm/rules.h"
#include "pm/watchdog.h"
#include "util/caps.h"
#include "util/cleanup.h"

#include <errno.h>
#include <string.h>

static const char *netns, *module_path;
static bool dry_run, force, for_daemon;

static const struct option_def options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "apply in this network namespace", &netns },
	{ "dry-run", 'n', OPTION_SWITCH, NULL, "print the changes, make none", &dry_run },
	{ "force", 0, OPTION_SWITCH, NULL, "also change endpoints made by someone else", &force },
	{ "for-daemon", 0, OPTION_SWITCH, NULL,
	  "only what a daemon that is about to start may not do: schedulers, rules, sysctls",
	  &for_daemon },
	{ "module", 0, OPTION_VALUE, "PATH", "load this mptcp_bpf.ko instead of the installed one",
	  &module_path },
};

struct run {
	struct loader_config config;
	struct policy *loaded;
	char *text; /* of `loaded`, for the daemon */
	const char *file;
	struct control_link daemon; /* if one runs here */
	struct policy policy;	    /* what is applied of it; borrows everything from `loaded` */
	struct pm_kernel kernel;
	struct pm_plan plan;
	struct sched_set scheds;
	struct parts *parts;
	struct left_out left_out;
	char restored[PM_WATCH_TEXT_BYTES]; /* empty: MPTCP was not switched off */
	char (*unloaded)[LOADER_NAME_BYTES];
	size_t nr_unloaded;
};

static void cleanup_run(struct run *r)
{
	pm_plan_clear(&r->plan);
	pm_kernel_clear(&r->kernel);
	policy_free(&r->loaded);
	free(r->parts);
	control_close(&r->daemon);
	free(r->text);
	free(r->unloaded);
}

static int check_caps(const struct run *r, struct error *e)
{
	unsigned int need = CAP_BIT_NET_ADMIN;

	if (netns)
		need |= CAP_BIT_SYS_ADMIN;
	if (support_needs_module(&r->policy) || r->policy.guard.set || r->policy.reset.emits ||
	    r->policy.establish.robe || r->policy.nr_programs ||
	    pm_rescue_looks_at_data(&r->policy) || pm_congestion_wanted(&r->policy) ||
	    pm_marks_wanted(&r->policy))
		need |= CAP_BIT_BPF | CAP_BIT_SYS_ADMIN;
	if (support_needs_module(&r->policy) && !loader_module_loaded() && !dry_run)
		need |= CAP_BIT_SYS_MODULE;
	return caps_need(need, "apply a policy", e);
}

static struct parts_run parts_run(struct run *r)
{
	return (struct parts_run){ &r->policy, &r->kernel, &r->config, &r->left_out, force };
}

/* Endpoints are for who opens subflows: a daemon knows better which are wanted now, and with the
 * userspace path manager there are none. */
static int plan(struct run *r, struct error *e)
{
	char reason[PM_REASON_BYTES];
	struct pm_plan_options how = {
		.force = force,
		.engine = pm_engine_choose(&r->policy, reason),
		.has_daemon = for_daemon || r->daemon.fd >= 0,
	};

	how.leave_endpoints = how.has_daemon || how.engine == POLICY_ENGINE_USERSPACE;
	return pm_plan_make_as(&r->policy, &r->kernel, &how, &r->plan, e);
}

/* REQUEST: "check" first, so that nothing is done that the daemon would not follow. */
static int tell_daemon(struct run *r, const char *request, struct error *e)
{
	struct control_ask ask;

	if (r->daemon.fd < 0)
		return 0;
	control_ask(&ask, request);
	if (ask.out) {
		json_key_string(&ask.j, "file", r->file);
		json_key_string(&ask.j, "text", r->text);
	}
	return control_answer(&r->daemon, &ask, NULL, NULL, e);
}

static int find_daemon(struct run *r, struct error *e)
{
	int err = control_connect(&r->daemon, e);

	return err == -ENOENT ? 0 : err < 0 ? err : tell_daemon(r, "check", e);
}

static int prepare(struct run *r, struct error *e)
{
	const struct parts_run run = parts_run(r);
	int err = check_caps(r, e);

	/* Sysctls and netlink are looked at in the namespace meant, so enter it first; module,
	 * bpffs and BPF objects are the same in all of them. */
	if (err == 0)
		err = pm_netns_enter(netns, e);
	if (err == 0)
		err = support_check(&r->policy, &r->config, &r->left_out, e);
	if (err == 0) {
		sched_set_init(&r->scheds, &r->policy);
		err = sched_set_try(&r->scheds, &r->config, e);
	}
	if (err == 0)
		err = pm_kernel_read(&r->kernel, e);
	if (err == 0)
		err = find_daemon(r, e);
	if (err == 0)
		err = plan(r, e);
	if (err == 0)
		err = parts_plan(r->parts, &run, &r->plan, e);
	return err;
}

/* Connections that still need what is to go are no reason not to apply the rest. */
static int finish_parts(struct cli *c, struct run *r, const struct parts_run *run, struct error *e)
{
	int err = parts_finish(r->parts, run, e);

	if (err != -EBUSY)
		return err;
	cli_note(c, "%snotice:%s %s\n", cli_yellow(c), cli_plain(c), e->text);
	*e = (struct error){ 0 };
	return 0;
}

static int execute_plan(struct run *r, const struct parts_run *run, struct error *e)
{
	int err = parts_execute(r->parts, run, e);

	if (err < 0)
		return err;
	/* Also without actions: it records that the policy is in force here. */
	err = pm_plan_execute(&r->policy, &r->kernel, &r->plan, e);
	if (err < 0)
		parts_undo(r->parts, run, e);
	return err;
}

static int execute(struct cli *c, struct run *r, struct error *e)
{
	const struct parts_run run = parts_run(r);
	int err = sched_set_load(&r->scheds, &r->config, e);

	if (err == 0)
		err = execute_plan(r, &run, e);
	if (err < 0) {
		sched_set_undo(&r->scheds, &r->config, e);
		return err;
	}
	err = finish_parts(c, r, &run, e);
	if (err == 0)
		err = sched_set_swap(&r->scheds, &r->config, e);
	if (err == 0)
		return tell_daemon(r, "apply", e);
	error_hint(e, "the rest of the policy is in force; the scheduler keeps its former code and "
		      "settings");
	return err;
}

/* A failure here leaves a scheduler loaded that nobody uses, which is a remark, not a failure. */
static void tidy(struct cli *c, struct run *r)
{
	struct error e = { 0 };

	if (unload_unused(r->policy.scheduler.name, r->kernel.saved_scheduler, &r->unloaded,
			  &r->nr_unloaded, &e) < 0)
		cli_note(c, "notice: %s\n", e.text);
	for (size_t i = 0; i < r->nr_unloaded; i++)
		cli_note(c, "- unload BPF scheduler %s  (no longer used)\n", r->unloaded[i]);
}

/* May a scheduler have lost its last user? */
static bool scheduler_changes(const struct run *r)
{
	if (!rules_change_none(&r->parts->rules))
		return true;
	for (size_t i = 0; i < r->plan.nr_actions; i++) {
		if (r->plan.actions[i].kind == PM_SET_SCHEDULER)
			return true;
	}
	return false;
}

/* What the watchdog of a daemon does all the time. */
static int watch(struct cli *c, struct run *r, struct error *e)
{
	struct pm_watchdog w = { 0 };
	int verdict = PM_WATCH_ON;

	if (r->policy.establish.robe & POLICY_ROBE_IPS)
		verdict = pm_watchdog_run(&w, &r->config, dry_run, r->restored, e);
	if (verdict == PM_WATCH_RESTORE) {
		cli_note(c, "%s~ %s%s\n", cli_yellow(c), r->restored, cli_plain(c));
	} else if (r->restored[0]) {
		cli_note(c, "%snotice:%s %s\n", cli_yellow(c), cli_plain(c), r->restored);
		r->restored[0] = '\0';
	}
	return verdict < 0 ? verdict : 0;
}

static struct changes what(const struct run *r)
{
	return (struct changes){ &r->plan, r->scheds.changes, r->scheds.nr, r->parts };
}

static void finish(struct cli *c, struct run *r, bool nothing)
{
	struct changes_report report = {
		.policy = r->policy.name,
		.dry_run = dry_run,
		.left_out = r->left_out.text[0] ? r->left_out.text : NULL,
		.restored = r->restored[0] ? r->restored : NULL,
		.what = what(r),
		.unloaded = r->unloaded,
		.nr_unloaded = r->nr_unloaded,
	};

	if (c->json)
		changes_json(c, &report);
	else if (nothing && !r->restored[0])
		cli_note(c, "nothing to change\n");
	else
		cli_note(c,
			 dry_run	     ? "dry run: nothing was changed\n"
			 : r->daemon.fd >= 0 ? "policy %s applied, the daemon follows it\n"
					     : "policy %s applied\n",
			 r->policy.name);
}

static int apply(struct cli *c, struct run *r, struct error *e)
{
	struct changes changes;
	bool nothing;

	r->policy = *r->loaded;
	if (prepare(r, e) < 0)
		return e->code;
	if (r->left_out.text[0])
		cli_note(c, "%sleft out:%s %s\n", cli_yellow(c), cli_plain(c), r->left_out.text);
	changes = what(r);
	/* With the same actions a different name is still to be recorded. */
	nothing = changes_none(&changes) && strcmp(r->kernel.policy, r->policy.name) == 0 &&
		  r->daemon.fd < 0;
	changes_print(c, &changes);
	if (!nothing && !dry_run) {
		bool scheduler = scheduler_changes(r);

		if (execute(c, r, e) < 0)
			return e->code;
		if (parts_trouble(r->parts))
			cli_note(c, "notice: %s\n", parts_trouble(r->parts));
		if (scheduler)
			tidy(c, r);
	}
	if (watch(c, r, e) < 0)
		return e->code;
	finish(c, r, nothing);
	return 0;
}

static int run(struct cli *c, int nr, char **words)
{
	_cleanup_free_ struct run *r = calloc(1, sizeof(*r));
	struct error e = { 0 };
	int status = EXIT_STATUS_FAILED;

	(void)nr;
	if (!r)
		return status;
	r->parts = calloc(1, sizeof(*r->parts));
	r->config.module_path = module_path;
	r->daemon.fd = -1;
	r->file = words[0];
	if (r->parts && diagnose_load_text(c, words[0], &r->loaded, &r->text, &status) == 0)
		status = apply(c, r, &e) < 0 ? cli_fail(c, &e) : EXIT_STATUS_OK;
	cleanup_run(r);
	return status;
}

const struct verb verb_apply = {
	.name = "apply",
	.words = "FILE",
	.summary = "make the kernel match a policy",
	.options = { options, sizeof(options) / sizeof(options[0]) },
	.min = 1,
	.max = 1,
	.run = run,
};
