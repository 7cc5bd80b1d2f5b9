// SPDX-License-Identifier: GPL-2.0-only
/* path list, path down, path up: how the daemon sees the paths, and what a person says of them. */
#include "cli/cli.h"
#include "cli/path_views.h"
#include "daemon/client.h"
#include "pm/pm.h"
#include "util/cleanup.h"

static const char *netns;

static const struct option_def options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "the daemon of this network namespace", &netns },
};

static int add_row(const struct flat *line, void *data)
{
	return path_rows_add(data, line);
}

/* `path` may be NULL. */
static int ask_daemon(const char *request, const char *path,
		      int (*each)(const struct flat *line, void *data), void *data, struct error *e)
{
	struct control_link l = { .fd = -1 };
	struct control_ask ask;
	int err = pm_netns_enter(netns, e);

	if (err == 0)
		err = control_connect(&l, e);
	if (err == 0) {
		control_ask(&ask, request);
		if (path && ask.out)
			json_key_string(&ask.j, "path", path);
		err = control_answer(&l, &ask, each, data, e);
	}
	control_close(&l);
	return err;
}

static int run_list(struct cli *c, int nr, char **words)
{
	_cleanup_(path_rows_clear) struct path_rows rows = { 0 };
	struct error e = { 0 };
	struct table t;
	struct json j;

	(void)nr;
	(void)words;
	if (ask_daemon("paths", NULL, add_row, &rows, &e) < 0)
		return cli_fail(c, &e);
	t = view_paths(&rows);
	if (c->json) {
		json_init(&j, c->out, c->pretty);
		table_json(&t, &j);
		json_end(&j);
	} else {
		table_print(&t, c->out, c->color);
	}
	return EXIT_STATUS_OK;
}

static int force(struct cli *c, const char *request, const char *path, const char *state)
{
	struct error e = { 0 };
	struct json j;

	if (ask_daemon(request, path, NULL, NULL, &e) < 0)
		return cli_fail(c, &e);
	cli_note(c, "path %s is %s\n", path, state);
	if (c->json) {
		json_init(&j, c->out, c->pretty);
		json_object_open(&j);
		json_key_string(&j, "path", path);
		json_key_string(&j, "state", state);
		json_object_close(&j);
		json_end(&j);
	}
	return EXIT_STATUS_OK;
}

static int run_down(struct cli *c, int nr, char **words)
{
	(void)nr;
	return force(c, "path-down", words[0], "down");
}

static int run_up(struct cli *c, int nr, char **words)
{
	(void)nr;
	return force(c, "path-up", words[0], "up");
}

#define OPTIONS                                               \
	{                                                     \
		options, sizeof(options) / sizeof(options[0]) \
	}

const struct verb verb_path_list = {
	.name = "path",
	.sub = "list",
	.summary = "how the daemon sees the paths",
	.options = OPTIONS,
	.run = run_list,
};

const struct verb verb_path_down = {
	.name = "path",
	.sub = "down",
	.words = "NAME",
	.summary = "make the daemon leave a path alone, until it is up",
	.options = OPTIONS,
	.min = 1,
	.max = 1,
	.run = run_down,
};

const struct verb verb_path_up = {
	.name = "path",
	.sub = "up",
	.words = "NAME",
	.summary = "let the daemon use a path again",
	.options = OPTIONS,
	.min = 1,
	.max = 1,
	.run = run_up,
};
