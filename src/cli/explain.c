// SPDX-License-Identifier: GPL-2.0-only
/* explain: which rule a connection gets, or would get, and what is wanted of each path for it. */
#include "cli/cli.h"
#include "cli/path_views.h"
#include "daemon/client.h"
#include "pm/pm.h"
#include "util/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>

#define SUBFLOWS_MAX 256

static const char *netns, *to, *cgroup, *user;

static const struct option_def options[] = {
	{ "to", 0, OPTION_VALUE, "ADDR:PORT", "a connection to there that is not made yet", &to },
	{ "cgroup", 0, OPTION_VALUE, "PATH", "with --to: by a process of this cgroup", &cgroup },
	{ "uid", 0, OPTION_VALUE, "USER", "with --to: by this user, by default root", &user },
	{ "netns", 0, OPTION_VALUE, "NAME", "the daemon of this network namespace", &netns },
};

struct subflow_line {
	char local[PM_ADDRESS_PORT_BYTES], remote[PM_ADDRESS_PORT_BYTES], path[POLICY_NAME_BYTES];
	bool established, backup;
};

struct explanation {
	struct cli *c;
	struct flat connection; /* borrows from `line` */
	char *line;
	struct path_rows paths;
	struct subflow_line subflows[SUBFLOWS_MAX];
	size_t nr_subflows;
};

/* A line is gone with the next one. */
static int keep_connection(struct explanation *x, const struct flat *line)
{
	size_t size = 0;
	FILE *out = open_memstream(&x->line, &size);
	const char *why;
	struct json j;

	if (!out)
		return -ENOMEM;
	json_init(&j, out, false);
	json_object_open(&j);
	flat_write(line, &j);
	json_object_close(&j);
	if (fclose(out) != 0)
		return -ENOMEM;
	return flat_parse(x->line, &x->connection, &why);
}

static void take_end(const struct flat *line, const char *v4, const char *v6, const char *port,
		     char out[PM_ADDRESS_PORT_BYTES])
{
	const char *text = flat_string(line, v4) ? flat_string(line, v4) : flat_string(line, v6);
	struct pm_address a = { 0 };

	out[0] = '\0';
	if (text && pm_address_parse(text, &a) == 0)
		pm_address_port_text(&a, (uint16_t)flat_uint(line, port), out);
}

static void keep_subflow(struct explanation *x, const struct flat *line)
{
	struct subflow_line *f = &x->subflows[x->nr_subflows];
	const char *path = flat_string(line, "path");

	if (x->nr_subflows == SUBFLOWS_MAX)
		return;
	x->nr_subflows++;
	take_end(line, "saddr4", "saddr6", "sport", f->local);
	take_end(line, "daddr4", "daddr6", "dport", f->remote);
	snprintf(f->path, sizeof(f->path), "%s", path ? path : "");
	f->established = flat_true(line, "established");
	f->backup = flat_true(line, "backup");
}

static int take(const struct flat *line, void *data)
{
	const char *kind = flat_string(line, "kind");
	struct explanation *x = data;

	if (!kind)
		return 0;
	if (strcmp(kind, "connection") == 0)
		return keep_connection(x, line);
	if (strcmp(kind, "path") == 0)
		return path_rows_add(&x->paths, line);
	if (strcmp(kind, "subflow") == 0)
		keep_subflow(x, line);
	return 0;
}

static const struct column subflow_columns[] = {
	{ "local", "LOCAL", COLUMN_TEXT, offsetof(struct subflow_line, local), false },
	{ "remote", "REMOTE", COLUMN_TEXT, offsetof(struct subflow_line, remote), false },
	{ "path", "PATH", COLUMN_TEXT, offsetof(struct subflow_line, path), true },
	{ "established", "FLAGS", COLUMN_FLAG, offsetof(struct subflow_line, established), false },
	{ "backup", "FLAGS", COLUMN_FLAG, offsetof(struct subflow_line, backup), false },
};

static struct table view_subflows_explained(const struct explanation *x)
{
	return (struct table){ subflow_columns,
			       sizeof(subflow_columns) / sizeof(subflow_columns[0]), x->subflows,
			       sizeof(x->subflows[0]), x->nr_subflows };
}

static void print_json(const struct explanation *x, const struct table *paths,
		       const struct table *subflows)
{
	struct flat members = { 0 };
	struct json j;

	for (size_t i = 0; i < x->connection.nr; i++)
		if (strcmp(x->connection.items[i].key, "kind") != 0 &&
		    strcmp(x->connection.items[i].key, "subflows") != 0)
			members.items[members.nr++] = x->connection.items[i];
	json_init(&j, x->c->out, x->c->pretty);
	json_object_open(&j);
	flat_write(&members, &j);
	json_key(&j, "paths");
	table_json(paths, &j);
	json_key(&j, "subflows");
	table_json(subflows, &j);
	json_object_close(&j);
	json_end(&j);
}

static void print_rule(const struct explanation *x)
{
	const struct flat *f = &x->connection;
	const char *mode = flat_string(f, "mode");
	uint64_t rule = flat_uint(f, "rule");
	FILE *out = x->c->out;

	if (flat_has(f, "ours") && !flat_true(f, "ours"))
		fputs("managed  by the kernel's own path manager, or plain TCP: the daemon leaves "
		      "it alone\n",
		      out);
	if (rule)
		fprintf(out, "rule     %" PRIu64 " of connections\n", rule);
	else
		fputs("rule     the default one\n", out);
	if (mode)
		fprintf(out, "mode     %s\n", mode);
	if (flat_string(f, "scheduler"))
		fprintf(out, "sched    %s\n", flat_string(f, "scheduler"));
	if (flat_has(f, "mark"))
		fprintf(out, "mark     0x%" PRIx64 "\n", flat_uint(f, "mark"));
	if (flat_string(f, "reason"))
		fprintf(out, "last     %s\n", flat_string(f, "reason"));
	if (flat_has(f, "next_ms"))
		fprintf(out, "next     something is tried again in %" PRIu64 " ms\n",
			flat_uint(f, "next_ms"));
}

static void print_text(const struct explanation *x, const struct table *paths,
		       const struct table *subflows)
{
	char local[PM_ADDRESS_PORT_BYTES], remote[PM_ADDRESS_PORT_BYTES];
	const char *token = flat_string(&x->connection, "token");
	FILE *out = x->c->out;

	take_end(&x->connection, "saddr4", "saddr6", "sport", local);
	take_end(&x->connection, "daddr4", "daddr6", "dport", remote);
	if (token)
		fprintf(out, "token    %s\n", token);
	fprintf(out, "role     %s\n", flat_string(&x->connection, "role"));
	if (local[0])
		fprintf(out, "from     %s\n", local);
	if (remote[0])
		fprintf(out, "to       %s\n", remote);
	print_rule(x);
	if (x->paths.nr)
		fputs(token ? "\npaths\n" : "\npaths it would use now\n", out);
	table_print(paths, out, x->c->color);
	if (x->nr_subflows)
		fputs("\nsubflows\n", out);
	table_print(subflows, out, x->c->color);
}

static int find_uid(uint32_t *uid, struct error *e)
{
	const struct passwd *p;
	char *end;

	*uid = 0;
	if (!user)
		return 0;
	p = getpwnam(user);
	if (p) {
		*uid = p->pw_uid;
		return 0;
	}
	errno = 0;
	*uid = (uint32_t)strtoul(user, &end, 10);
	return errno || !user[0] || *end ? error_set(e, -EINVAL, "there is no user \"%s\"", user)
					 : 0;
}

static int check(const char *token, uint32_t *uid, struct error *e)
{
	struct pm_address a;
	uint16_t port;
	uint32_t parsed;

	if (!token == !to) {
		error_set(e, -EINVAL, "explain wants either a token or --to ADDR:PORT");
		return error_hint(e, "mptcp-pmctl explain --help");
	}
	if (token && (cgroup || user))
		return error_set(e, -EINVAL,
				 "--cgroup and --uid go with --to: a connection that "
				 "there is has its own");
	if (token)
		return pm_token_parse(token, &parsed, e);
	if (pm_address_port_parse(to, &a, &port) < 0 || !port)
		return error_set(e, -EINVAL, "\"%s\" is not ADDR:PORT or [ADDR6]:PORT", to);
	return find_uid(uid, e);
}

static int ask_daemon(const char *token, uint32_t uid, struct explanation *x, struct error *e)
{
	struct control_link l = { .fd = -1 };
	struct control_ask ask;
	int err = pm_netns_enter(netns, e);

	if (err == 0)
		err = control_connect(&l, e);
	if (err == 0) {
		control_ask(&ask, "explain");
		if (ask.out && token)
			json_key_string(&ask.j, "token", token);
		if (ask.out && to)
			json_key_string(&ask.j, "to", to);
		if (ask.out && cgroup)
			json_key_string(&ask.j, "cgroup", cgroup);
		if (ask.out && to)
			json_key_uint(&ask.j, "uid", uid);
		err = control_answer(&l, &ask, take, x, e);
	}
	control_close(&l);
	return err;
}

static int run(struct cli *c, int nr, char **words)
{
	_cleanup_free_ struct explanation *x = calloc(1, sizeof(*x));
	const char *token = nr ? words[0] : NULL;
	struct table paths, subflows;
	struct error e = { 0 };
	uint32_t uid = 0;
	int err;

	if (!x)
		return EXIT_STATUS_FAILED;
	x->c = c;
	if (check(token, &uid, &e) < 0)
		return cli_usage(c, &e);
	err = ask_daemon(token, uid, x, &e);
	if (err == 0) {
		paths = view_wanted_paths(&x->paths);
		subflows = view_subflows_explained(x);
		if (c->json)
			print_json(x, &paths, &subflows);
		else
			print_text(x, &paths, &subflows);
	}
	path_rows_clear(&x->paths);
	free(x->line);
	return err < 0 ? cli_fail(c, &e) : EXIT_STATUS_OK;
}

const struct verb verb_explain = {
	.name = "explain",
	.words = "[TOKEN]",
	.summary = "which rule and paths a connection gets, and why",
	.options = { options, sizeof(options) / sizeof(options[0]) },
	.max = 1,
	.run = run,
};
