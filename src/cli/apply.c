// SPDX-License-Identifier: GPL-2.0-only
/*
 * apply: makes the kernel match a policy. Everything that can be found out beforehand is found out
 * before anything is touched: the file, permissions, support, the plan, and a trial load of the
 * scheduler. A new scheduler is loaded before the rest, because the rest names it, and unloaded
 * again if the rest fails; a running one is replaced last, because that cannot be undone.
 */
#include "cli/caps.h"
#include "cli/changes.h"
#include "cli/cli.h"
#include "cli/diagnose.h"
#include "cli/sched_set.h"
#include "pm/sysctl.h"
#include "pm/watchdog.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static const char *netns, *module_path;
static bool dry_run, force;

static const struct option_def options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "apply in this network namespace", &netns },
	{ "dry-run", 'n', OPTION_SWITCH, NULL, "print the changes, make none", &dry_run },
	{ "force", 0, OPTION_SWITCH, NULL, "also change endpoints made by someone else", &force },
	{ "module", 0, OPTION_VALUE, "PATH", "load this mptcp_bpf.ko instead of the installed one",
	  &module_path },
};

struct run {
	struct loader_config config;
	struct policy *loaded;
	struct policy policy; /* what is applied of it; borrows everything from `loaded` */
	struct pm_kernel kernel;
	struct pm_plan plan;
	struct sched_set scheds;
	struct rules_change rules;
	struct ips_change ips;
	char left_out[768];
	char restored[PM_WATCH_TEXT_BYTES]; /* empty: MPTCP was not switched off */
	char (*unloaded)[LOADER_NAME_BYTES];
	size_t nr_unloaded;
};

static void cleanup_run(struct run *r)
{
	pm_plan_clear(&r->plan);
	pm_kernel_clear(&r->kernel);
	policy_free(&r->loaded);
	free(r->unloaded);
}

static bool needs_bpf(const struct policy *p)
{
	return p->scheduler.name[0] && strcmp(p->scheduler.name, "default") != 0;
}

static int check_caps(const struct run *r, struct error *e)
{
	unsigned int need = CAP_BIT_NET_ADMIN;

	if (netns)
		need |= CAP_BIT_SYS_ADMIN;
	if (needs_bpf(&r->policy) || r->policy.establish.robe)
		need |= CAP_BIT_BPF | CAP_BIT_SYS_ADMIN;
	if (needs_bpf(&r->policy) && !loader_module_loaded() && !dry_run)
		need |= CAP_BIT_SYS_MODULE;
	return caps_need(need, "apply a policy", e);
}

static const struct loader_feature *first_missing(const struct loader_support *s, int level)
{
	for (int i = 0; i < FEATURE_NR; i++) {
		if (!s->features[i].present && s->features[i].level <= level)
			return &s->features[i];
	}
	return NULL;
}

__attribute__((format(printf, 2, 3))) static void leave_out(struct run *r, const char *fmt, ...)
{
	size_t n = strlen(r->left_out);
	va_list ap;

	if (n > 0 && n + 2 < sizeof(r->left_out))
		n += (size_t)snprintf(r->left_out + n, sizeof(r->left_out) - n, "; ");
	va_start(ap, fmt);
	vsnprintf(r->left_out + n, sizeof(r->left_out) - n, fmt, ap);
	va_end(ap);
}

/* Pins are needed too, although nothing else of level 2 is. */
static int check_establish(struct run *r, const struct loader_support *s, struct error *e)
{
	const struct loader_feature *f = first_missing(s, 1);

	if (!f && !s->features[FEATURE_BPFFS].present)
		f = &s->features[FEATURE_BPFFS];
	if (!f || !r->policy.establish.robe)
		return 0;
	if (r->policy.fallback == POLICY_FALLBACK_DENY) {
		error_set(e, -EOPNOTSUPP, "establish.robe needs %s, which this machine lacks: %s",
			  f->name, f->detail);
		return error_hint(e, "%s", f->fix);
	}
	leave_out(r, "establish.robe: %s (%s)", f->detail, f->fix);
	r->policy.establish.robe = 0;
	return 0;
}

static int check_syn_retries(struct run *r, struct error *e)
{
	struct error missing = { 0 };
	char value[16];

	if (!r->policy.establish.has_syn_retries ||
	    pm_sysctl_read(PM_SYSCTL_SYN_RETRIES, value, sizeof(value), &missing) == 0)
		return 0;
	if (r->policy.fallback == POLICY_FALLBACK_DENY || missing.code != -EOPNOTSUPP) {
		error_set(e, missing.code, "establish.fallback-syn-retries: %s", missing.text);
		return error_hint(e, "%s", missing.hint);
	}
	leave_out(r, "establish.fallback-syn-retries: %s", missing.text);
	r->policy.establish.has_syn_retries = false;
	return 0;
}

/* Refuses, or leaves out what there is no support for when the policy allows it. */
static int check_support(struct run *r, struct error *e)
{
	const struct loader_feature *f;
	struct loader_support s;

	loader_probe(&r->config, &s);
	f = first_missing(&s, 0);
	if (f) {
		error_set(e, -EOPNOTSUPP, "this machine lacks %s: %s", f->name, f->detail);
		return error_hint(e, "%s", f->fix);
	}
	if (check_establish(r, &s, e) < 0 || check_syn_retries(r, e) < 0)
		return e->code;
	f = needs_bpf(&r->policy) ? first_missing(&s, 2) : NULL;
	if (!f)
		return 0;
	if (r->policy.fallback == POLICY_FALLBACK_DENY) {
		error_set(e, -EOPNOTSUPP, "scheduler %s needs %s, which this machine lacks: %s",
			  r->policy.scheduler.name, f->name, f->detail);
		return error_hint(e, "%s", f->fix);
	}
	leave_out(r, "scheduler %s%s: %s (%s)", r->policy.scheduler.name,
		  r->policy.nr_rules ? " and the rules" : "", f->detail, f->fix);
	memset(&r->policy.scheduler, 0, sizeof(r->policy.scheduler));
	r->policy.nr_rules = 0;
	return 0;
}

/* A kernel can have all that is probed for and still refuse the programs. */
static int plan_ips(struct run *r, struct error *e)
{
	int err = ips_change_plan(&r->ips, &r->policy, &r->kernel, &r->config, &r->plan, e);

	if (err == -EOPNOTSUPP && r->policy.fallback == POLICY_FALLBACK_ALLOW) {
		leave_out(r, "establish.robe ips: %s", e->text);
		r->policy.establish.robe &= ~POLICY_ROBE_IPS;
		*e = (struct error){ 0 };
		err = ips_change_plan(&r->ips, &r->policy, &r->kernel, &r->config, &r->plan, e);
	}
	if (err == 0 && !ips_change_none(&r->ips))
		err = caps_need(CAP_BIT_BPF | CAP_BIT_SYS_ADMIN, "change where connections begin",
				e);
	return err;
}

static int prepare(struct run *r, struct error *e)
{
	int err = check_caps(r, e);

	/* Sysctls and netlink are looked at in the namespace meant, so enter it first; module,
	 * bpffs and BPF objects are the same in all of them. */
	if (err == 0)
		err = pm_netns_enter(netns, e);
	if (err == 0)
		err = check_support(r, e);
	if (err == 0) {
		sched_set_init(&r->scheds, &r->policy);
		err = sched_set_try(&r->scheds, &r->config, e);
	}
	if (err == 0)
		err = pm_kernel_read(&r->kernel, e);
	if (err == 0)
		err = pm_plan_make(&r->policy, &r->kernel, force, &r->plan, e);
	if (err == 0)
		err = rules_change_plan(&r->rules, &r->policy, &r->config, &r->plan, e);
	if (err == 0 && !rules_change_none(&r->rules))
		err = caps_need(CAP_BIT_BPF | CAP_BIT_SYS_ADMIN, "change rules for connections", e);
	if (err == 0)
		err = plan_ips(r, e);
	return err;
}

static int execute_plan(struct run *r, struct error *e)
{
	int err = ips_change_execute(&r->ips, &r->config, e);

	if (err < 0)
		return err;
	/* Also without actions: it records that the policy is in force here. */
	err = pm_plan_execute(&r->policy, &r->kernel, &r->plan, e);
	if (err < 0)
		ips_change_undo(&r->ips, &r->config, e);
	return err;
}

static int execute(struct run *r, struct error *e)
{
	int err = sched_set_load(&r->scheds, &r->config, e);

	if (err == 0) {
		err = rules_change_execute(&r->rules, &r->config, e);
		if (err == 0) {
			err = execute_plan(r, e);
			if (err < 0)
				rules_change_undo(&r->rules, &r->config, e);
		}
	}
	if (err < 0) {
		sched_set_undo(&r->scheds, &r->config, e);
		return err;
	}
	err = sched_set_swap(&r->scheds, &r->config, e);
	if (err < 0)
		error_hint(e, "the rest of the policy is in force; the scheduler keeps its former "
			      "code and settings");
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
	if (!rules_change_none(&r->rules))
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
	return (struct changes){ &r->plan, r->scheds.changes, r->scheds.nr, &r->rules, &r->ips };
}

static void finish(struct cli *c, struct run *r, bool nothing)
{
	struct changes_report report = {
		.policy = r->policy.name,
		.dry_run = dry_run,
		.left_out = r->left_out[0] ? r->left_out : NULL,
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
		cli_note(c, dry_run ? "dry run: nothing was changed\n" : "policy %s applied\n",
			 r->policy.name);
}

static int apply(struct cli *c, struct run *r, struct error *e)
{
	struct changes changes;
	bool nothing;

	r->policy = *r->loaded;
	if (prepare(r, e) < 0)
		return e->code;
	if (r->left_out[0])
		cli_note(c, "%sleft out:%s %s\n", cli_yellow(c), cli_plain(c), r->left_out);
	changes = what(r);
	/* With the same actions a different name is still to be recorded. */
	nothing = changes_none(&changes) && strcmp(r->kernel.policy, r->policy.name) == 0;
	changes_print(c, &changes);
	if (!nothing && !dry_run) {
		bool scheduler = scheduler_changes(r);

		if (execute(r, e) < 0)
			return e->code;
		if (r->ips.trouble[0])
			cli_note(c, "notice: %s\n", r->ips.trouble);
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
	r->config.module_path = module_path;
	if (diagnose_load(c, words[0], &r->loaded, &status) == 0)
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
