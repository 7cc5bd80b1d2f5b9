// SPDX-License-Identifier: GPL-2.0-only
/* daemon: keeps the kernel doing what a policy says while interfaces and connections come and go.
 */
#include "daemon/daemon.h"

#include "cli/cli.h"
#include "cli/diagnose.h"
#include "util/caps.h"

#include <errno.h>

#define DEFAULT_POLICY "/etc/mptcp-pm/policy.yaml"

static const char *netns, *file, *level_text;

static const struct option_def options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "work in this network namespace", &netns },
	{ "policy", 0, OPTION_VALUE, "FILE", "the policy, by default " DEFAULT_POLICY, &file },
	{ "log", 0, OPTION_VALUE, "LEVEL",
	  "error, warning, info or debug, whatever the policy says", &level_text },
};

static int parse_level(enum log_level *out, struct error *e)
{
	if (level_text && log_level_parse(level_text, out) < 0)
		return error_set(e, -EINVAL, "--log is error, warning, info or debug, not \"%s\"",
				 level_text);
	return 0;
}

static int run(struct cli *c, int nr, char **words)
{
	struct daemon_config config = { .file = file ? file : DEFAULT_POLICY,
					.level = LOG_LEVEL_INFO };
	struct error e = { 0 };
	int status = EXIT_STATUS_FAILED;

	(void)nr;
	(void)words;
	config.has_level = level_text;
	if (parse_level(&config.level, &e) < 0)
		return cli_usage(c, &e);
	if (caps_need(CAP_BIT_NET_ADMIN | (netns ? CAP_BIT_SYS_ADMIN : 0), "manage paths", &e) < 0)
		return cli_fail(c, &e);
	if (diagnose_load(c, config.file, &config.policy, &status) < 0)
		return status;
	if (pm_netns_enter(netns, &e) < 0) {
		policy_free(&config.policy);
		return cli_fail(c, &e);
	}
	return daemon_run(&config, &e) < 0 ? cli_fail(c, &e) : EXIT_STATUS_OK;
}

const struct verb verb_daemon = {
	.name = "daemon",
	.summary = "keep the kernel doing what a policy says",
	.options = { options, sizeof(options) / sizeof(options[0]) },
	.run = run,
};
