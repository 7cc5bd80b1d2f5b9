// SPDX-License-Identifier: GPL-2.0-only
/* conn subflow add|del|backup, conn announce, conn withdraw: the userspace path manager. */
#include "cli/cli.h"
#include "cli/conn.h"
#include "cli/conn_args.h"
#include "cli/conn_report.h"
#include "pm/interfaces.h"
#include "pm/netns.h"
#include "pm/request.h"
#include "pm/reset.h"
#include "util/caps.h"
#include "util/cleanup.h"

#include <errno.h>
#include <string.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))

#define ID_MAX		  255
#define ESTABLISH_WAIT_MS 3000

static const char *opt_netns, *opt_local, *opt_remote, *opt_remote_port, *opt_local_id,
	*opt_remote_id, *opt_dev, *opt_port, *opt_id;
static const char *opt_reset;
static bool opt_backup, opt_transient;

#define NETNS                                                                             \
	{                                                                                 \
		"netns", 0, OPTION_VALUE, "NAME", "in this network namespace", &opt_netns \
	}

static const struct option_def add_options[] = {
	{ "local", 0, OPTION_VALUE, "ADDR", "from this address", &opt_local },
	{ "dev", 0, OPTION_VALUE, "NAME", "from this device, and its address if it has one only",
	  &opt_dev },
	{ "remote", 0, OPTION_VALUE, "ADDR[:PORT]", "to this address (the peer's)", &opt_remote },
	{ "remote-port", 0, OPTION_VALUE, "PORT", "to this port (the connection's)",
	  &opt_remote_port },
	{ "local-id", 0, OPTION_VALUE, "N", "id of the local address (its own, or a free one)",
	  &opt_local_id },
	{ "remote-id", 0, OPTION_VALUE, "N", "id of the remote address, until the peer answers",
	  &opt_remote_id },
	{ "backup", 0, OPTION_SWITCH, NULL, "ask the peer to use it as a backup", &opt_backup },
	NETNS,
};

static const struct option_def pick_options[] = {
	{ "local", 0, OPTION_VALUE, "ADDR[:PORT]", "the subflow from this address", &opt_local },
	{ "remote", 0, OPTION_VALUE, "ADDR[:PORT]", "the subflow to this address", &opt_remote },
	NETNS,
};

static const struct option_def del_options[] = {
	{ "local", 0, OPTION_VALUE, "ADDR[:PORT]", "the subflow from this address", &opt_local },
	{ "remote", 0, OPTION_VALUE, "ADDR[:PORT]", "the subflow to this address", &opt_remote },
	{ "reset", 0, OPTION_VALUE, "REASON", "end it with a reset that tells the peer why",
	  &opt_reset },
	{ "transient", 0, OPTION_SWITCH, NULL, "with --reset: tell it that the reason will pass",
	  &opt_transient },
	NETNS,
};

static const struct option_def announce_options[] = {
	{ "port", 0, OPTION_VALUE, "PORT", "the port that is listened on (the connection's)",
	  &opt_port },
	{ "id", 0, OPTION_VALUE, "N", "id of the address (its own, or a free one)", &opt_id },
	{ "dev", 0, OPTION_VALUE, "NAME", "the device of the address", &opt_dev },
	NETNS,
};

static const struct option_def withdraw_options[] = { NETNS };

struct change {
	struct pm_request r;
	struct pm_mptcp mptcp;
	struct pm_connections all;
	struct pm_endpoint *addresses;
	struct pm_interface *interfaces;
	size_t nr_interfaces;
};

static void cleanup_change(struct change *x)
{
	pm_mptcp_close(&x->mptcp);
	pm_connections_clear(&x->all);
	free(x->addresses);
	pm_interfaces_free(x->interfaces, x->nr_interfaces);
}

static int find_device(struct change *x, struct error *e)
{
	int err = pm_interfaces_read(&x->interfaces, &x->nr_interfaces, e);

	if (err < 0)
		return err;
	for (size_t i = 0; i < x->nr_interfaces; i++) {
		if (strcmp(x->interfaces[i].name, opt_dev) == 0) {
			x->r.local.ifindex = x->interfaces[i].ifindex;
			return 0;
		}
	}
	error_set(e, -ENODEV, "there is no device %s in this network namespace", opt_dev);
	return error_hint(e, "list them: ip link show");
}

/* Everything up to the request itself. */
static int prepare(struct change *x, struct error *e)
{
	struct pm_request_facts f = { 0 };
	int err = caps_need(CAP_BIT_NET_ADMIN | (opt_netns ? CAP_BIT_SYS_ADMIN : 0),
			    "change a connection", e);

	if (err == 0)
		err = pm_netns_enter(opt_netns, e);
	if (err == 0)
		err = pm_connections_read(&x->all, e);
	if (err < 0)
		return err;
	f.conn = conn_find(&x->all, x->r.token, opt_netns, e);
	if (!f.conn)
		return -ENOENT;
	err = pm_mptcp_open(&x->mptcp, e);
	if (err == 0)
		err = pm_request_addresses(&x->mptcp, x->r.token, &x->addresses, &f.nr_addresses,
					   e);
	if (err == 0 && opt_dev)
		err = find_device(x, e);
	if (err < 0)
		return err;
	f.addresses = x->addresses;
	f.interfaces = x->interfaces;
	f.nr_interfaces = x->nr_interfaces;
	return pm_request_fill(&x->r, &f, e);
}

static int reset(const struct change *x, struct error *e)
{
	struct pm_netns ns = { 0 };
	int err = pm_netns_identify(&ns, e);

	return err < 0 ? err : pm_reset_send(ns.cookie, &x->r, e);
}

static int carry_out(struct cli *c, struct change *x)
{
	struct pm_subflow s = { 0 };
	struct error e = { 0 };
	int err = prepare(x, &e);

	if (err == 0 && x->r.kind == PM_SUBFLOW_ADD)
		err = pm_request_check_local(&x->r.local, &e);
	if (err == 0)
		err = x->r.reset ? reset(x, &e) : pm_request_send(&x->mptcp, &x->r, &e);
	if (err == 0 && x->r.kind == PM_SUBFLOW_ADD) {
		err = pm_request_await(&x->r, ESTABLISH_WAIT_MS, &s, &e);
		x->r.local.port = s.at.local_port;
		x->r.remote.id = s.remote_id; /* the peer's answer has the last word */
	}
	if (err < 0)
		return cli_fail(c, &e);
	if (x->r.kind == PM_ANNOUNCE && pm_request_check_local(&x->r.local, &e) < 0)
		cli_note(c, "note: %s\n", e.text);
	if (c->json)
		conn_report_json(c, &x->r, &s, opt_dev);
	else
		conn_report(c, &x->r, &s);
	return EXIT_STATUS_OK;
}

/* NULL text leaves both alone. */
static int take_id(const char *what, const char *text, unsigned int min, uint8_t *id, bool *has,
		   struct error *e)
{
	unsigned int n = 0;

	if (!text)
		return 0;
	if (conn_arg_number(what, text, min, ID_MAX, &n, e) < 0)
		return -EINVAL;
	*id = (uint8_t)n;
	*has = true;
	return 0;
}

static int take_port(const char *what, const char *text, uint16_t *port, struct error *e)
{
	unsigned int n = 0;

	if (!text)
		return 0;
	if (*port)
		return error_set(e, -EINVAL, "the port is given twice, with --remote and with %s",
				 what);
	if (conn_arg_number(what, text, 1, UINT16_MAX, &n, e) < 0)
		return -EINVAL;
	*port = (uint16_t)n;
	return 0;
}

static int run_add(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_change) struct change x = { .r = { .kind = PM_SUBFLOW_ADD } };
	struct pm_request *r = &x.r;
	struct error e = { 0 };

	(void)nr;
	if (pm_token_parse(words[0], &r->token, &e) < 0 ||
	    conn_arg_end("--local", opt_local, false, &r->local, &e) < 0 ||
	    conn_arg_end("--remote", opt_remote, true, &r->remote, &e) < 0 ||
	    take_port("--remote-port", opt_remote_port, &r->remote.port, &e) < 0 ||
	    take_id("--local-id", opt_local_id, 0, &r->local.id, &r->has_local_id, &e) < 0 ||
	    take_id("--remote-id", opt_remote_id, 0, &r->remote.id, &r->has_remote_id, &e) < 0)
		return cli_usage(c, &e);
	if (!opt_local && !opt_dev) {
		error_set(&e, -EINVAL, "conn subflow add needs --local ADDR or --dev NAME");
		return cli_usage(c, &e);
	}
	r->local.flags = opt_backup ? PM_FLAG_BACKUP : 0;
	return carry_out(c, &x);
}

/* `id` is the word that names the subflow, NULL if there is none. */
static int run_on_subflow(struct cli *c, struct change *x, const char *token, const char *id)
{
	struct error e = { 0 };

	if (pm_token_parse(token, &x->r.token, &e) < 0 ||
	    (id && conn_arg_subflow_id(id, &x->r, &e) < 0) ||
	    conn_arg_end("--local", opt_local, true, &x->r.local, &e) < 0 ||
	    conn_arg_end("--remote", opt_remote, true, &x->r.remote, &e) < 0)
		return cli_usage(c, &e);
	if (!id && !opt_local && !opt_remote) {
		error_set(&e, -EINVAL, "conn %s needs ID, or --local and --remote",
			  conn_report_name(x->r.kind));
		error_hint(&e, "mptcp-pmctl conn show %s lists the subflows", token);
		return cli_usage(c, &e);
	}
	return carry_out(c, x);
}

static int take_reset(struct pm_request *r, struct error *e)
{
	enum policy_reset_reason reason;

	if (!opt_reset && opt_transient)
		return error_set(e, -EINVAL, "--transient goes with --reset REASON");
	if (!opt_reset)
		return 0;
	if (policy_reset_parse(opt_reset, &reason) < 0) {
		error_set(e, -EINVAL, "there is no reason \"%s\" for a reset", opt_reset);
		return error_hint(e, "one of unspecified, mptcp-specific-error, "
				     "lack-of-resources, administratively-prohibited, "
				     "too-much-outstanding-data, unacceptable-performance, "
				     "middlebox-interference");
	}
	r->reset = true;
	r->reset_reason = (uint8_t)reason;
	r->reset_transient = opt_transient;
	return 0;
}

static int run_del(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_change) struct change x = { .r = { .kind = PM_SUBFLOW_DELETE } };
	struct error e = { 0 };

	if (take_reset(&x.r, &e) < 0)
		return cli_usage(c, &e);
	return run_on_subflow(c, &x, words[0], nr > 1 ? words[1] : NULL);
}

static int run_backup(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_change) struct change x = { .r = { .kind = PM_SUBFLOW_BACKUP } };
	struct error e = { 0 };

	if (strcmp(words[1], "on") == 0) {
		x.r.local.flags = PM_FLAG_BACKUP;
	} else if (strcmp(words[1], "off") != 0) {
		error_set(&e, -EINVAL, "backup is on or off, not \"%s\"", words[1]);
		return cli_usage(c, &e);
	}
	return run_on_subflow(c, &x, words[0], nr > 2 ? words[2] : NULL);
}

static int run_announce(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_change) struct change x = { .r = { .kind = PM_ANNOUNCE } };
	struct error e = { 0 };

	(void)nr;
	if (pm_token_parse(words[0], &x.r.token, &e) < 0 ||
	    conn_arg_end("ADDR", words[1], false, &x.r.local, &e) < 0 ||
	    take_port("--port", opt_port, &x.r.local.port, &e) < 0 ||
	    take_id("--id", opt_id, 1, &x.r.local.id, &x.r.has_local_id, &e) < 0)
		return cli_usage(c, &e);
	return carry_out(c, &x);
}

static int run_withdraw(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_change) struct change x = { .r = { .kind = PM_WITHDRAW } };
	struct error e = { 0 };

	(void)nr;
	if (pm_token_parse(words[0], &x.r.token, &e) < 0 ||
	    take_id("ID", words[1], 0, &x.r.local.id, &x.r.has_local_id, &e) < 0)
		return cli_usage(c, &e);
	return carry_out(c, &x);
}

const struct verb verb_conn_subflow_add = {
	.name = "conn",
	.sub = "subflow add",
	.words = "TOKEN",
	.summary = "open one more subflow of a connection",
	.options = { add_options, NR(add_options) },
	.min = 1,
	.max = 1,
	.run = run_add,
};

const struct verb verb_conn_subflow_del = {
	.name = "conn",
	.sub = "subflow del",
	.words = "TOKEN [ID]",
	.summary = "close one subflow of a connection",
	.options = { del_options, NR(del_options) },
	.min = 1,
	.max = 2,
	.run = run_del,
};

const struct verb verb_conn_subflow_backup = {
	.name = "conn",
	.sub = "subflow backup",
	.words = "TOKEN on|off [ID]",
	.summary = "ask the peer to use a subflow as a backup, or not",
	.options = { pick_options, NR(pick_options) },
	.min = 2,
	.max = 3,
	.run = run_backup,
};

const struct verb verb_conn_announce = {
	.name = "conn",
	.sub = "announce",
	.words = "TOKEN ADDR",
	.summary = "tell the peer of one more address",
	.options = { announce_options, NR(announce_options) },
	.min = 2,
	.max = 2,
	.run = run_announce,
};

const struct verb verb_conn_withdraw = {
	.name = "conn",
	.sub = "withdraw",
	.words = "TOKEN ID",
	.summary = "take an announced address back",
	.options = { withdraw_options, NR(withdraw_options) },
	.min = 2,
	.max = 2,
	.run = run_withdraw,
};
