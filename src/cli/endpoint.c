// SPDX-License-Identifier: GPL-2.0-only
/* endpoint list */
#include "cli/cli.h"
#include "cli/views.h"
#include "util/cleanup.h"

#include <errno.h>

static const char *netns;

static const struct option_def options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "look at this network namespace", &netns },
};

static int list(struct cli *c, int nr, char **words)
{
	_cleanup_(pm_kernel_clear) struct pm_kernel k = { 0 };
	_cleanup_free_ struct endpoint_row *rows = NULL;
	struct error e = { 0 };
	struct table t;
	struct json j;

	(void)nr;
	(void)words;
	if (pm_netns_enter(netns, &e) < 0 || pm_kernel_read(&k, &e) < 0)
		return cli_fail(c, &e);
	rows = view_endpoint_rows(&k);
	if (!rows) {
		error_set(&e, -ENOMEM, "out of memory");
		return cli_fail(c, &e);
	}
	t = view_endpoints(rows, k.nr_endpoints);
	if (c->json) {
		json_init(&j, c->out, c->pretty);
		table_json(&t, &j);
		json_end(&j);
	} else {
		table_print(&t, c->out, c->color);
		if (k.nr_endpoints == 0)
			cli_note(c, "no endpoints\n");
	}
	return EXIT_STATUS_OK;
}

const struct verb verb_endpoint_list = {
	.name = "endpoint",
	.sub = "list",
	.summary = "list endpoints and who made them",
	.options = { options, sizeof(options) / sizeof(options[0]) },
	.run = list,
};
