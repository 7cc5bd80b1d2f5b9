// SPDX-License-Identifier: GPL-2.0-only
/* conn list|show|set: live connections. */
#include "cli/conn.h"

#include "cli/cli.h"
#include "cli/conn_resets.h"
#include "cli/conn_views.h"
#include "pm/diag.h"
#include "pm/netns.h"
#include "util/caps.h"
#include "util/cleanup.h"

#include <errno.h>
#include <string.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static const char *netns, *scheduler;

#define NETNS                                                                              \
	{                                                                                  \
		"netns", 0, OPTION_VALUE, "NAME", "look at this network namespace", &netns \
	}

static const struct option_def look_options[] = { NETNS };

static const struct option_def set_options[] = {
	{ "scheduler", 0, OPTION_VALUE, "NAME", "the scheduler it gets; \"default\": the kernel's",
	  &scheduler },
	NETNS,
};

struct seen {
	struct pm_connections conns;
	struct conn_scheds scheds;
};

static void cleanup_seen(struct seen *s)
{
	pm_connections_clear(&s->conns);
	free(s->scheds.items);
}

static int look(struct seen *s, struct error *e)
{
	int err = caps_need(CAP_BIT_NET_ADMIN | (netns ? CAP_BIT_SYS_ADMIN : 0),
			    "look at connections", e);

	if (err == 0)
		err = pm_netns_enter(netns, e);
	if (err == 0)
		err = pm_connections_read(&s->conns, e);
	if (err == 0)
		err = loader_conn_list(&s->scheds.items, &s->scheds.nr, &s->scheds.known, e);
	return err;
}

static int run_list(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_seen) struct seen s = { 0 };
	_cleanup_free_ struct conn_row *rows = NULL;
	struct error e = { 0 };
	struct table t;
	struct json j;

	(void)nr;
	(void)words;
	if (look(&s, &e) < 0)
		return cli_fail(c, &e);
	rows = view_conn_rows(s.conns.items, s.conns.nr, &s.scheds);
	if (!rows) {
		error_set(&e, -ENOMEM, "out of memory");
		return cli_fail(c, &e);
	}
	t = view_conns(rows, s.conns.nr);
	if (c->json) {
		json_init(&j, c->out, c->pretty);
		table_json(&t, &j);
		json_end(&j);
		return EXIT_STATUS_OK;
	}
	table_print(&t, c->out, c->color);
	if (s.conns.nr == 0)
		cli_note(c, "no MPTCP connections\n");
	return EXIT_STATUS_OK;
}

const struct pm_connection *conn_find(const struct pm_connections *all, uint32_t token,
				      const char *in_netns, struct error *e)
{
	for (size_t i = 0; token && i < all->nr; i++) {
		if (all->items[i].token == token)
			return &all->items[i];
	}
	error_set(e, -ENOENT,
		  "there is no MPTCP connection with token %08x in this network "
		  "namespace",
		  token);
	error_hint(e, "mptcp-pmctl conn list%s%s", in_netns ? " --netns " : "",
		   in_netns ? in_netns : "");
	return NULL;
}

static void show(struct cli *c, const struct table *conn, const struct table *subflows,
		 const struct table *resets)
{
	struct json j;

	if (!c->json) {
		table_print_row(conn, 0, c->out);
		fputs(subflows->nr_rows ? "\n" : "", c->out);
		table_print(subflows, c->out, c->color);
		fputs(resets->nr_rows ? "\n" : "", c->out);
		table_print(resets, c->out, c->color);
		return;
	}
	json_init(&j, c->out, c->pretty);
	json_object_open(&j);
	table_json_members(conn, 0, &j);
	json_key(&j, "subflows");
	table_json(subflows, &j);
	json_key(&j, "resets");
	table_json(resets, &j);
	json_object_close(&j);
	json_end(&j);
}

static int run_show(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_seen) struct seen s = { 0 };
	_cleanup_free_ struct conn_row *row = NULL;
	_cleanup_free_ struct subflow_row *subflows = NULL;
	const struct pm_connection *conn;
	struct table conn_table, subflow_table, reset_table;
	struct reset_row resets[PM_RESETS_MAX];
	size_t nr_resets;
	struct error e = { 0 };
	uint32_t token;

	(void)nr;
	if (pm_token_parse(words[0], &token, &e) < 0)
		return cli_usage(c, &e);
	if (look(&s, &e) < 0)
		return cli_fail(c, &e);
	conn = conn_find(&s.conns, token, netns, &e);
	if (!conn)
		return cli_fail(c, &e);
	row = view_conn_rows(conn, 1, &s.scheds);
	subflows = view_subflow_rows(conn->subflows, conn->nr_subflows);
	if (!row || !subflows) {
		error_set(&e, -ENOMEM, "out of memory");
		return cli_fail(c, &e);
	}
	conn_table = view_conns_in_full(row, 1);
	subflow_table = view_subflows(subflows, conn->nr_subflows);
	conn_resets_read(token, resets, &nr_resets);
	reset_table = view_resets(resets, nr_resets);
	show(c, &conn_table, &subflow_table, &reset_table);
	return EXIT_STATUS_OK;
}

/* Which of the reasons it was that the module knows no such connection. */
static int explain_missing(uint32_t token, struct error *e)
{
	_cleanup_(cleanup_seen) struct seen s = { 0 };
	struct error second = { 0 };

	/* Not readable is as good as none. */
	pm_connections_read(&s.conns, &second);
	if (!conn_find(&s.conns, token, netns, e))
		return -ENOENT;
	error_set(e, -ESRCH,
		  "connection %08x was made with the kernel's own scheduler, which "
		  "cannot be replaced",
		  token);
	return error_hint(e, "set net.mptcp.scheduler to a loaded scheduler before connections "
			     "are made");
}

static int run_set(struct cli *c, int nr, char **words)
{
	unsigned int caps = CAP_BIT_NET_ADMIN | CAP_BIT_BPF | CAP_BIT_SYS_ADMIN;
	struct pm_netns ns = { 0 };
	struct error e = { 0 };
	uint32_t token;
	struct json j;
	int err;

	(void)nr;
	if (!scheduler) {
		error_set(&e, -EINVAL, "conn set needs --scheduler NAME");
		return cli_usage(c, &e);
	}
	if (pm_token_parse(words[0], &token, &e) < 0)
		return cli_usage(c, &e);
	err = caps_need(caps, "give a connection another scheduler", &e);
	if (err == 0)
		err = pm_netns_enter(netns, &e);
	if (err == 0)
		err = pm_netns_identify(&ns, &e);
	if (err == 0)
		err = loader_conn_set(NULL, ns.cookie, token, scheduler, &e);
	if (err == -ESRCH)
		err = explain_missing(token, &e);
	if (err < 0)
		return cli_fail(c, &e);
	if (!c->json) {
		cli_note(c, "connection %08x: scheduler %s from its next decision on\n", token,
			 scheduler);
		return EXIT_STATUS_OK;
	}
	json_init(&j, c->out, c->pretty);
	json_object_open(&j);
	json_key_string(&j, "token", words[0]);
	json_key_string(&j, "scheduler", scheduler);
	json_object_close(&j);
	json_end(&j);
	return EXIT_STATUS_OK;
}

const struct verb verb_conn_list = {
	.name = "conn",
	.sub = "list",
	.summary = "list MPTCP connections and their schedulers",
	.options = { look_options, NR(look_options) },
	.run = run_list,
};

const struct verb verb_conn_show = {
	.name = "conn",
	.sub = "show",
	.words = "TOKEN",
	.summary = "show one connection and each of its subflows",
	.options = { look_options, NR(look_options) },
	.min = 1,
	.max = 1,
	.run = run_show,
};

const struct verb verb_conn_set = {
	.name = "conn",
	.sub = "set",
	.words = "TOKEN",
	.summary = "give a live connection another scheduler",
	.options = { set_options, NR(set_options) },
	.min = 1,
	.max = 1,
	.run = run_set,
};
