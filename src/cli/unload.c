// SPDX-License-Identifier: GPL-2.0-only
/* unload: takes back what apply did. */
#include "cli/caps.h"
#include "cli/changes.h"
#include "cli/cli.h"
#include "util/cleanup.h"

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

static int execute(struct pm_kernel *k, struct pm_plan *plan, struct rules_change *rules,
		   struct ips_change *ips, struct rescue_change *rescue, struct error *e)
{
	int err = rules_change_execute(rules, NULL, e);

	if (err < 0)
		return err;
	err = ips_change_execute(ips, NULL, e);
	if (err == 0) {
		err = pm_plan_execute(NULL, k, plan, e);
		if (err < 0)
			ips_change_undo(ips, NULL, e);
	}
	if (err < 0)
		rules_change_undo(rules, NULL, e);
	/* Last, because it may have to wait for connections. */
	return err < 0 ? err : rescue_change_execute(rescue, NULL, force, e);
}

static int plan_and_execute(struct cli *c, struct pm_kernel *k, struct pm_plan *plan,
			    struct rules_change *rules, struct ips_change *ips,
			    struct rescue_change *rescue, struct error *e)
{
	const struct changes what = { .plan = plan, .rules = rules, .ips = ips, .rescue = rescue };
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
		err = pm_kernel_read(k, e);
	if (err == 0)
		err = pm_plan_make(NULL, k, force, plan, e);
	if (err == 0)
		err = rules_change_plan(rules, NULL, NULL, plan, e);
	if (err == 0 && !rules_change_none(rules))
		err = caps_need(CAP_BIT_BPF | CAP_BIT_SYS_ADMIN, "remove rules for connections", e);
	if (err == 0)
		err = ips_change_plan(ips, NULL, k, NULL, plan, e);
	if (err == 0)
		err = rescue_change_plan(rescue, NULL, NULL, k, plan, e);
	if (err == 0 && (!ips_change_none(ips) || !rescue_change_none(rescue)))
		err = caps_need(CAP_BIT_BPF | CAP_BIT_SYS_ADMIN, "change where connections begin",
				e);
	if (err < 0)
		return err;
	changes_print(c, &what);
	return execute(k, plan, rules, ips, rescue, e);
}

static int run(struct cli *c, int nr, char **words)
{
	_cleanup_(pm_kernel_clear) struct pm_kernel k = { 0 };
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	_cleanup_free_ char(*unloaded)[LOADER_NAME_BYTES] = NULL;
	_cleanup_free_ struct rules_change *rules = calloc(1, sizeof(*rules));
	_cleanup_free_ struct ips_change *ips = calloc(1, sizeof(*ips));
	_cleanup_free_ struct rescue_change *rescue = calloc(1, sizeof(*rescue));
	struct changes_report report = {
		.what = { .plan = &plan, .rules = rules, .ips = ips, .rescue = rescue },
	};
	struct error e = { 0 };
	int err;

	(void)nr;
	(void)words;
	if (!rules || !ips || !rescue)
		return EXIT_STATUS_FAILED;
	if (plan_and_execute(c, &k, &plan, rules, ips, rescue, &e) < 0)
		return cli_fail(c, &e);
	if (ips->trouble[0])
		cli_note(c, "notice: %s\n", ips->trouble);
	/* A scheduler that was loaded by hand stays unless --all asks for it or the policy that is
	 * gone used it. */
	if (all || k.policy_scheduler[0] || rules->nr_before) {
		err = unload_unused(k.saved_scheduler, NULL, &unloaded, &report.nr_unloaded, &e);
		for (size_t i = 0; i < report.nr_unloaded; i++)
			cli_note(c, "- unload BPF scheduler %s\n", unloaded[i]);
		if (err < 0)
			return cli_fail(c, &e);
	}
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
