// SPDX-License-Identifier: GPL-2.0-only
/* unload: takes back what apply did. */
#include "cli/changes.h"
#include "cli/cli.h"
#include "daemon/client.h"
#include "loader/oracle.h"
#include "pm/netns.h"
#include "util/caps.h"
#include "util/cleanup.h"

#include <errno.h>

static const char *netns;
static bool force, all;

static const struct option_def options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "unload in this network namespace", &netns },
	{ "force", 0, OPTION_SWITCH, NULL,
	  "also when limits or scheduler were changed by someone else since, or rescued "
	  "connections would break",
	  &force },
	{ "all", 0, OPTION_SWITCH, NULL,
	  "also unload our unused schedulers and remove the kernel module", &all },
};

/* It would do all of it again. */
static int check_daemon(struct error *e)
{
	_cleanup_(control_close) struct control_link l = { .fd = -1 };
	int err = control_connect(&l, e);

	if (err < 0 || force)
		return err == -ENOENT || force ? 0 : err;
	error_set(e, -EBUSY, "a daemon runs in this network namespace and follows its policy");
	return error_hint(e, "stop it first: systemctl stop mptcp-pm");
}

static int plan_and_execute(struct cli *c, struct pm_kernel *k, struct pm_plan *plan,
			    struct parts *parts, struct error *e)
{
	const struct changes what = { .plan = plan, .parts = parts };
	const struct parts_run run = { .kernel = k, .force = force };
	unsigned int need = CAP_BIT_NET_ADMIN;
	int err;

	if (netns)
		need |= CAP_BIT_SYS_ADMIN;
	if (all && loader_module_loaded())
		need |= CAP_BIT_SYS_ADMIN | CAP_BIT_BPF | CAP_BIT_SYS_MODULE;
	err = caps_need(need, "unload a policy", e);
	if (err == 0)
		err = pm_netns_enter(netns, e);
	if (err == 0)
		err = check_daemon(e);
	if (err == 0)
		err = pm_kernel_read(k, e);
	if (err == 0)
		err = pm_plan_make(NULL, k, force, plan, e);
	if (err == 0)
		err = parts_plan(parts, &run, plan, e);
	if (err < 0)
		return err;
	changes_print(c, &what);
	err = parts_execute(parts, &run, e);
	if (err < 0)
		return err;
	err = pm_plan_execute(NULL, k, plan, e);
	if (err < 0)
		parts_undo(parts, &run, e);
	return err < 0 ? err : parts_finish(parts, &run, e);
}

/* What a watcher left that was killed, and the oracle itself when no namespace is watched. */
static int forget_oracle(struct cli *c, struct error *e)
{
	struct pm_netns ns;
	bool gone = false;
	int err = pm_netns_identify(&ns, e);

	if (err < 0)
		return err;
	loader_oracle_forget(NULL, ns.cookie);
	err = loader_oracle_unload_unused(NULL, &gone, e);
	if (gone)
		cli_note(c, "- unload health oracle\n");
	return err;
}

static int run(struct cli *c, int nr, char **words)
{
	_cleanup_(pm_kernel_clear) struct pm_kernel k = { 0 };
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	_cleanup_free_ char(*unloaded)[LOADER_NAME_BYTES] = NULL;
	_cleanup_free_ struct parts *parts = calloc(1, sizeof(*parts));
	struct changes_report report = { .what = { .plan = &plan, .parts = parts } };
	struct error e = { 0 };
	int err;

	(void)nr;
	(void)words;
	if (!parts)
		return EXIT_STATUS_FAILED;
	if (plan_and_execute(c, &k, &plan, parts, &e) < 0)
		return cli_fail(c, &e);
	if (parts_trouble(parts))
		cli_note(c, "notice: %s\n", parts_trouble(parts));
	/* A scheduler that was loaded by hand stays unless --all asks for it or the policy that is
	 * gone used it. */
	if (all || k.policy_scheduler[0] || parts->rules.nr_before) {
		err = unload_unused(k.saved_scheduler, NULL, &unloaded, &report.nr_unloaded, &e);
		for (size_t i = 0; i < report.nr_unloaded; i++)
			cli_note(c, "- unload BPF scheduler %s\n", unloaded[i]);
		if (err < 0)
			return cli_fail(c, &e);
	}
	if (forget_oracle(c, &e) < 0)
		return cli_fail(c, &e);
	if (all && loader_module_unload(NULL, &e) < 0)
		return cli_fail(c, &e);
	report.unloaded = unloaded;
	if (c->json)
		changes_json(c, &report);
	else if (changes_none(&report.what) && !report.nr_unloaded)
		cli_note(c, "nothing to unload\n");
	return EXIT_STATUS_OK;
}

const struct verb verb_unload = {
	.name = "unload",
	.summary = "take back what apply did",
	.options = { options, sizeof(options) / sizeof(options[0]) },
	.run = run,
};
