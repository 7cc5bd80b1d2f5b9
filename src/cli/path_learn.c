// SPDX-License-Identifier: GPL-2.0-only
/* path learn show, path learn forget: what initial path selection knows. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "loader/learn.h"
#include "pm/address.h"
#include "pm/ips.h"
#include "pm/learned.h"
#include "util/caps.h"
#include "util/cleanup.h"

#define V4_BITS	    24
#define V6_BITS	    48
#define FAILING_PPM 250000

static const char *netns, *dev, *to;

static const struct option_def show_options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "look at this network namespace", &netns },
	{ "dev", 0, OPTION_VALUE, "NAME", "only this interface", &dev },
	{ "to", 0, OPTION_VALUE, "ADDRESS", "only what is known of this destination", &to },
};

static const struct option_def forget_options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "work in this network namespace", &netns },
	{ "dev", 0, OPTION_VALUE, "NAME", "only of this interface", &dev },
	{ "to", 0, OPTION_VALUE, "ADDRESS", "only of this destination", &to },
};

struct row {
	char dev[IF_NAMESIZE], network[16], to[INET6_ADDRSTRLEN + 4];
	const char *state;
	uint64_t ok, fail;
	uint32_t fail_ppm, handshake_us, srtt_us;
	uint64_t age_s; /* since the last outcome */
};

#define COL(key, title, kind, member, optional)                          \
	{                                                                \
		key, title, kind, offsetof(struct row, member), optional \
	}

static const struct column columns[] = {
	COL("dev", "DEV", COLUMN_TEXT, dev, false),
	COL("network", "NETWORK", COLUMN_TEXT, network, false),
	COL("to", "TO", COLUMN_TEXT, to, false),
	COL("state", "STATE", COLUMN_WORD, state, false),
	COL("ok", "OK", COLUMN_U64, ok, false),
	COL("fail", "FAIL", COLUMN_U64, fail, false),
	COL("fail_ppm", "FAILING", COLUMN_PPM, fail_ppm, false),
	COL("handshake_us", "HANDSHAKE_US", COLUMN_U32, handshake_us, false),
	COL("srtt_us", "SRTT_US", COLUMN_U32, srtt_us, false),
	COL("age_s", "AGE_S", COLUMN_U64, age_s, false),
};

/* What one run works on. */
struct view {
	struct pm_netns ns;
	struct loader_learn_space space;
	struct loader_learn_row *items; /* those that were asked for come first */
	size_t nr, nr_all;
};

static void cleanup_view(struct view *v)
{
	free(v->items);
}

static const char *state(const struct mptcp_learn_stat *s, uint64_t now_ms, uint64_t ttl_ms)
{
	if (!mptcp_learn_fresh(s, now_ms, ttl_ms))
		return "old";
	if (mptcp_learn_fail_ppm(s, now_ms) >= FAILING_PPM)
		return "failing";
	return mptcp_learn_breaks(s, now_ms) ? "breaks-mptcp" : "ok";
}

static void fill(const struct loader_learn_row *in, uint64_t ttl_ms, struct row *out)
{
	static const uint8_t any[16];
	const uint64_t now_ms = loader_learn_now_ms();
	const uint64_t latest_ms = mptcp_learn_latest_ms(&in->stat);
	const struct pm_address a = pm_ips_unmap(in->key.prefix);
	char text[INET6_ADDRSTRLEN];

	if (!if_indextoname(in->key.ifindex, out->dev))
		snprintf(out->dev, sizeof(out->dev), "if%u", in->key.ifindex);
	snprintf(out->network, sizeof(out->network), "%08x", in->key.network);
	if (memcmp(in->key.prefix, any, sizeof(any)) == 0)
		snprintf(out->to, sizeof(out->to), "any");
	else
		snprintf(out->to, sizeof(out->to), "%s/%d", pm_address_text(&a, text),
			 a.family == AF_INET ? V4_BITS : V6_BITS);
	out->state = state(&in->stat, now_ms, ttl_ms);
	out->ok = in->stat.ok;
	out->fail = in->stat.fail;
	out->fail_ppm = mptcp_learn_fail_ppm(&in->stat, now_ms);
	out->handshake_us = in->stat.handshake_us;
	out->srtt_us = in->stat.srtt_us;
	out->age_s = now_ms > latest_ms ? (now_ms - latest_ms) / 1000 : 0;
}

static int select_rows(struct view *v, struct error *e)
{
	const unsigned int ifindex = dev ? if_nametoindex(dev) : 0;
	uint8_t address[16], prefix[16] = { 0 };
	struct pm_address a;

	if (dev && !ifindex)
		return error_set(e, -ENODEV, "there is no interface \"%s\" here", dev);
	if (to && pm_address_parse(to, &a) < 0)
		return error_set(e, -EINVAL, "--to: \"%s\" is no address", to);
	if (to) {
		pm_ips_map(&a, address);
		mptcp_learn_prefix(address, prefix);
	}
	for (size_t i = 0; i < v->nr_all; i++) {
		const struct loader_learn_row row = v->items[i];

		if ((dev && row.key.ifindex != ifindex) ||
		    (to && memcmp(row.key.prefix, prefix, sizeof(prefix)) != 0))
			continue;
		memmove(&v->items[v->nr + 1], &v->items[v->nr], (i - v->nr) * sizeof(v->items[0]));
		v->items[v->nr++] = row;
	}
	return 0;
}

static int look(struct view *v, const char *what, struct error *e)
{
	int err = caps_need(CAP_BIT_BPF | CAP_BIT_SYS_ADMIN, what, e);

	if (err == 0)
		err = pm_netns_enter(netns, e);
	if (err == 0)
		err = pm_netns_identify(&v->ns, e);
	if (err == 0)
		err = loader_learn_read(NULL, v->ns.cookie, &v->space, e);
	if (err == 0)
		err = loader_learn_rows(NULL, v->ns.cookie, &v->items, &v->nr_all, e);
	return err == 0 ? select_rows(v, e) : err;
}

static int show(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_view) struct view v = { 0 };
	_cleanup_free_ struct row *rows = NULL;
	struct error e = { 0 };
	struct table t;
	struct json j;

	(void)nr;
	(void)words;
	if (look(&v, "read what was learned about paths", &e) < 0)
		return e.code == -EINVAL ? cli_usage(c, &e) : cli_fail(c, &e);
	rows = calloc(v.nr + 1, sizeof(*rows));
	if (!rows) {
		error_set(&e, -ENOMEM, "out of memory");
		return cli_fail(c, &e);
	}
	for (size_t i = 0; i < v.nr; i++)
		fill(&v.items[i], v.space.config.ttl_ms, &rows[i]);
	t = (struct table){ columns, sizeof(columns) / sizeof(columns[0]), rows, sizeof(*rows),
			    v.nr };
	if (c->json) {
		json_init(&j, c->out, c->pretty);
		table_json(&t, &j);
		json_end(&j);
		return EXIT_STATUS_OK;
	}
	table_print(&t, c->out, c->color);
	if (!v.space.on)
		cli_note(c, "no policy with establish.robe ips is in force here\n");
	else if (!v.nr)
		cli_note(c, "nothing was learned yet\n");
	return EXIT_STATUS_OK;
}

static int forget(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_view) struct view v = { 0 };
	struct error e = { 0 };
	struct json j;

	(void)nr;
	(void)words;
	if (look(&v, "forget what was learned about paths", &e) < 0)
		return e.code == -EINVAL ? cli_usage(c, &e) : cli_fail(c, &e);
	if (loader_learn_delete(NULL, v.items, v.nr, &e) < 0 ||
	    (v.space.on && pm_learned_save(&v.ns, v.items + v.nr, v.nr_all - v.nr, &e) < 0))
		return cli_fail(c, &e);
	if (c->json) {
		json_init(&j, c->out, c->pretty);
		json_object_open(&j);
		json_key_uint(&j, "forgotten", v.nr);
		json_object_close(&j);
		json_end(&j);
	} else {
		cli_note(c, "forgotten: %zu of %zu\n", v.nr, v.nr_all);
	}
	return EXIT_STATUS_OK;
}

const struct verb verb_path_learn_show = {
	.name = "path",
	.sub = "learn show",
	.summary = "what connections taught about the paths they began on",
	.options = { show_options, sizeof(show_options) / sizeof(show_options[0]) },
	.run = show,
};

const struct verb verb_path_learn_forget = {
	.name = "path",
	.sub = "learn forget",
	.summary = "forget it, or a part of it",
	.options = { forget_options, sizeof(forget_options) / sizeof(forget_options[0]) },
	.run = forget,
};
