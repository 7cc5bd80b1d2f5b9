// SPDX-License-Identifier: GPL-2.0-only
/* status: what is in force. */
#include "cli/cli.h"
#include "cli/fastopen_status.h"
#include "cli/guard_views.h"
#include "cli/rescue_status.h"
#include "cli/reset_views.h"
#include "cli/views.h"
#include "loader/rules.h"
#include "pm/netns.h"
#include "pm/rules.h"
#include "util/cleanup.h"

#include <errno.h>

static const char *netns;

static const struct option_def options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "look at this network namespace", &netns },
};

struct state {
	struct loader_support support;
	struct pm_kernel kernel;
	struct rescue_status rescue;
	struct fastopen_status fastopen;
	struct loader_sched *scheds;
	size_t nr_scheds;
	struct mptcp_select_rule rules[MPTCP_SELECT_RULES_MAX];
	size_t nr_rules;
	struct guard_row *guards;
	size_t nr_guards;
	struct reset_count_row *resets;
	size_t nr_resets;
	struct error sched_error; /* schedulers cannot be listed without privileges */
};

static void rule_json(const struct mptcp_select_rule *rule, struct json *j)
{
	char text[PM_RULE_TEXT_BYTES];

	pm_rule_describe(rule, text, sizeof(text));
	json_object_open(j);
	json_key_uint(j, "rule", rule->rule);
	json_key_string(j, "scheduler", rule->scheduler);
	json_key_string(j, "text", text);
	json_object_close(j);
}

static void print_rules(struct cli *c, const struct state *s)
{
	char text[PM_RULE_TEXT_BYTES];

	if (s->nr_rules)
		fprintf(c->out, "\nrules for connections\n");
	for (size_t i = 0; i < s->nr_rules; i++) {
		pm_rule_describe(&s->rules[i], text, sizeof(text));
		fprintf(c->out, "%s\n", text);
	}
}

static void print_guards(struct cli *c, const struct state *s)
{
	const struct table guards = view_guards(s->guards, s->nr_guards, false);

	if (s->nr_guards)
		fprintf(c->out, "\nguard\n");
	for (size_t i = 0; i < s->nr_guards; i++)
		fprintf(c->out, "%s\n", s->guards[i].text);
	table_print(&guards, c->out, c->color);
}

static void print_resets(struct cli *c, const struct state *s)
{
	const struct table resets = view_reset_counts(s->resets, s->nr_resets);

	if (s->nr_resets)
		fprintf(c->out, "\nresets\n");
	table_print(&resets, c->out, c->color);
}

static void print_json(struct cli *c, const struct state *s, const struct table *endpoints,
		       const struct table *scheds)
{
	const struct table guards = view_guards(s->guards, s->nr_guards, true);
	const struct table resets = view_reset_counts(s->resets, s->nr_resets);
	const struct pm_kernel *k = &s->kernel;
	struct json j;

	json_init(&j, c->out, c->pretty);
	json_object_open(&j);
	json_key(&j, "level");
	json_int(&j, s->support.level);
	json_key_bool(&j, "enabled", k->enabled);
	json_key_string(&j, "policy", k->policy[0] ? k->policy : NULL);
	json_key_string(&j, "scheduler", k->scheduler);
	json_key(&j, "limits");
	json_object_open(&j);
	json_key_uint(&j, "subflows", k->limits.subflows);
	json_key_uint(&j, "add_addr_accepted", k->limits.add_addr_accepted);
	json_object_close(&j);
	json_key(&j, "rescue");
	rescue_status_json(&s->rescue, &j);
	json_key(&j, "tfo");
	fastopen_status_json(&s->fastopen, &j);
	json_key(&j, "endpoints");
	table_json(endpoints, &j);
	json_key(&j, "rules");
	json_array_open(&j);
	for (size_t i = 0; i < s->nr_rules; i++)
		rule_json(&s->rules[i], &j);
	json_array_close(&j);
	json_key(&j, "guard");
	table_json(&guards, &j);
	json_key(&j, "resets");
	table_json(&resets, &j);
	json_key(&j, "schedulers");
	table_json(scheds, &j);
	json_object_close(&j);
	json_end(&j);
}

static void print_text(struct cli *c, const struct state *s, const struct table *endpoints,
		       const struct table *scheds)
{
	const struct pm_kernel *k = &s->kernel;

	fprintf(c->out, "level      %d\n", s->support.level);
	fprintf(c->out, "policy     %s\n", k->policy[0] ? k->policy : "none applied");
	if (!k->enabled)
		fprintf(c->out, "enabled    %sno%s (sysctl -w net.mptcp.enabled=1)\n",
			cli_yellow(c), cli_plain(c));
	fprintf(c->out, "scheduler  %s\n", k->scheduler);
	fprintf(c->out, "limits     subflows %u, add_addr_accepted %u\n", k->limits.subflows,
		k->limits.add_addr_accepted);
	rescue_status_print(c, &s->rescue);
	fastopen_status_print(c, &s->fastopen);
	if (k->nr_endpoints)
		fprintf(c->out, "\nendpoints\n");
	table_print(endpoints, c->out, c->color);
	print_rules(c, s);
	print_guards(c, s);
	print_resets(c, s);
	if (s->nr_scheds)
		fprintf(c->out, "\nBPF schedulers\n");
	table_print(scheds, c->out, c->color);
	if (s->sched_error.code)
		cli_note(c, "\nBPF schedulers: %s\n", s->sched_error.text);
}

static void cleanup_state(struct state *s)
{
	pm_kernel_clear(&s->kernel);
	free(s->scheds);
	free(s->guards);
	free(s->resets);
}

/* Needs the same privileges as the schedulers, and fails in the same words. */
static void read_rules(struct state *s)
{
	struct pm_netns ns = { 0 };

	if (pm_netns_identify(&ns, &s->sched_error) == 0 &&
	    loader_rules_read(NULL, ns.cookie, s->rules, &s->nr_rules, &s->sched_error) == 0 &&
	    guard_rows_read(ns.cookie, &s->guards, &s->nr_guards, &s->sched_error) == 0)
		reset_counts_read(ns.cookie, &s->resets, &s->nr_resets, &s->sched_error);
}

static int run(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_state) struct state s = { 0 };
	_cleanup_free_ struct endpoint_row *endpoints = NULL;
	_cleanup_free_ struct sched_row *scheds = NULL;
	struct table endpoint_table, sched_table;
	struct error e = { 0 };

	(void)nr;
	(void)words;
	if (pm_netns_enter(netns, &e) < 0)
		return cli_fail(c, &e);
	loader_probe(NULL, &s.support);
	if (pm_kernel_read(&s.kernel, &e) < 0)
		return cli_fail(c, &e);
	rescue_status_read(&s.rescue);
	fastopen_status_read(&s.fastopen);
	if (loader_sched_list(NULL, &s.scheds, &s.nr_scheds, &s.sched_error) == 0)
		read_rules(&s);
	endpoints = view_endpoint_rows(&s.kernel);
	scheds = view_sched_rows(s.scheds, s.nr_scheds);
	if (!endpoints || !scheds) {
		error_set(&e, -ENOMEM, "out of memory");
		return cli_fail(c, &e);
	}
	endpoint_table = view_endpoints(endpoints, s.kernel.nr_endpoints);
	sched_table = view_scheds(scheds, s.nr_scheds);
	if (c->json)
		print_json(c, &s, &endpoint_table, &sched_table);
	else
		print_text(c, &s, &endpoint_table, &sched_table);
	return EXIT_STATUS_OK;
}

const struct verb verb_status = {
	.name = "status",
	.summary = "show what is in force (the default)",
	.options = { options, sizeof(options) / sizeof(options[0]) },
	.run = run,
};
