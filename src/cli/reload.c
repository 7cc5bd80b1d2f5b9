// SPDX-License-Identifier: GPL-2.0-only
/* reload: the daemon reads its policy again. */
#include "cli/cli.h"
#include "daemon/client.h"
#include "pm/pm.h"

static const char *netns;

static const struct option_def options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "the daemon of this network namespace", &netns },
};

static int reload(struct error *e)
{
	struct control_link l = { .fd = -1 };
	struct control_ask ask;
	int err = pm_netns_enter(netns, e);

	if (err == 0)
		err = control_connect(&l, e);
	if (err == 0) {
		control_ask(&ask, "reload");
		err = control_answer(&l, &ask, NULL, NULL, e);
	}
	control_close(&l);
	return err;
}

static int run(struct cli *c, int nr, char **words)
{
	struct error e = { 0 };
	struct json j;

	(void)nr;
	(void)words;
	if (reload(&e) < 0)
		return cli_fail(c, &e);
	cli_note(c, "policy reloaded\n");
	if (c->json) {
		json_init(&j, c->out, c->pretty);
		json_object_open(&j);
		json_key_bool(&j, "ok", true);
		json_object_close(&j);
		json_end(&j);
	}
	return EXIT_STATUS_OK;
}

const struct verb verb_reload = {
	.name = "reload",
	.summary = "make the daemon read its policy again",
	.options = { options, sizeof(options) / sizeof(options[0]) },
	.run = run,
};
