// SPDX-License-Identifier: GPL-2.0-only
/* path health: what the oracle knows of each path. */
#include "cli/cli.h"
#include "cli/table.h"
#include "loader/oracle.h"
#include "pm/netns.h"
#include "pm/oracle.h"
#include "pm/pm.h"
#include "util/caps.h"
#include "util/cleanup.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static const char *netns;

static const struct option_def options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "look at this network namespace", &netns },
};

struct row {
	char dev[IF_NAMESIZE];
	char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN + 4];
	uint32_t srtt_us, rto_us, loss_permille, resent_permille, timeouts, stall_ms;
	uint32_t loss_ppm, resent_ppm;
	uint64_t rate_bps, heard_ms_ago;
	char bad[64];
};

#define ROW(key, title, kind, member, optional)                          \
	{                                                                \
		key, title, kind, offsetof(struct row, member), optional \
	}

static const struct column columns[] = {
	ROW("dev", "DEV", COLUMN_TEXT, dev, false),
	ROW("local", "LOCAL", COLUMN_TEXT, local, false),
	ROW("remote", "REMOTE", COLUMN_TEXT, remote, false),
	ROW("srtt_us", "RTT us", COLUMN_U32, srtt_us, false),
	ROW("rto_us", "RTO us", COLUMN_U32, rto_us, false),
	ROW(NULL, "LOSS", COLUMN_PPM, loss_ppm, false),
	ROW("loss_permille", NULL, COLUMN_U32, loss_permille, false),
	ROW(NULL, "RESENT", COLUMN_PPM, resent_ppm, false),
	ROW("resent_permille", NULL, COLUMN_U32, resent_permille, false),
	ROW("timeouts", "TIMEOUTS", COLUMN_U32, timeouts, false),
	ROW("stall_ms", "STALL ms", COLUMN_U32, stall_ms, false),
	ROW("rate_bps", "BIT/S", COLUMN_U64, rate_bps, false),
	ROW("heard_ms_ago", "HEARD ms AGO", COLUMN_U64, heard_ms_ago, false),
	ROW("bad", "BAD", COLUMN_TEXT, bad, true),
};

static void name_bad(const struct oracle_path *p, char out[64])
{
	size_t at = 0;
	uint8_t all = 0;

	for (int i = 0; i < ORACLE_SETS_MAX; i++)
		all |= p->bad[i];
	out[0] = '\0';
	for (int i = 0; i < ORACLE_TRIGGERS; i++) {
		if (all >> i & 1)
			at += (size_t)snprintf(out + at, 64 - at, "%s%s", at ? "," : "",
					       pm_oracle_trigger_names[i]);
	}
}

static void fill(struct row *r, const struct loader_oracle_path *p, uint64_t now_ns)
{
	const struct oracle_health *h = &p->value.health;
	struct pm_address local = pm_oracle_address(p->key.local);
	struct pm_address remote = pm_oracle_address(p->key.remote);
	char text[INET6_ADDRSTRLEN];

	if (!if_indextoname(p->key.ifindex, r->dev))
		snprintf(r->dev, sizeof(r->dev), "if%u", p->key.ifindex);
	pm_address_text(&local, r->local);
	snprintf(r->remote, sizeof(r->remote), "%s/%u", pm_address_text(&remote, text),
		 remote.family == AF_INET ? ORACLE_PREFIX4 : ORACLE_PREFIX6);
	r->srtt_us = h->averages.srtt_us;
	r->rto_us = h->averages.rto_us;
	r->loss_permille = oracle_value(h, ORACLE_LOSS);
	r->resent_permille = oracle_value(h, ORACLE_RESENT);
	r->loss_ppm = r->loss_permille * 1000;
	r->resent_ppm = r->resent_permille * 1000;
	r->timeouts = h->timeouts;
	r->stall_ms = h->stall_ms;
	r->rate_bps = h->averages.rate_bps;
	r->heard_ms_ago = now_ns > h->heard_ns ? (now_ns - h->heard_ns) / 1000000 : 0;
	name_bad(&p->value, r->bad);
}

static int by_place(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->dev, y->dev);

	if (order == 0)
		order = strcmp(x->local, y->local);
	return order ? order : strcmp(x->remote, y->remote);
}

static int print(struct cli *c, const struct row *rows, size_t nr)
{
	const struct table t = { columns, NR(columns), rows, sizeof(*rows), nr };
	struct json j;

	if (c->json) {
		json_init(&j, c->out, c->pretty);
		table_json(&t, &j);
		json_end(&j);
	} else {
		table_print(&t, c->out, c->color);
	}
	return EXIT_STATUS_OK;
}

static int read_paths(struct loader_oracle_path **paths, size_t *nr, struct error *e)
{
	struct pm_netns ns;
	bool known = false;
	int err = caps_need(CAP_BIT_BPF | CAP_BIT_NET_ADMIN | (netns ? CAP_BIT_SYS_ADMIN : 0),
			    "read the health of paths", e);

	if (err == 0)
		err = pm_netns_enter(netns, e);
	if (err == 0)
		err = pm_netns_identify(&ns, e);
	if (err == 0)
		err = loader_oracle_paths(NULL, ns.cookie, paths, nr, &known, e);
	if (err < 0 || known)
		return err;
	error_set(e, -ENOENT, "nobody watches the paths of this network namespace");
	return error_hint(e, "mptcp-pmctl path watch, or run the daemon");
}

static int run(struct cli *c, int nr, char **words)
{
	_cleanup_free_ struct loader_oracle_path *paths = NULL;
	_cleanup_free_ struct row *rows = NULL;
	struct error e = { 0 };
	struct timespec now;
	size_t n = 0;

	(void)nr;
	(void)words;
	if (read_paths(&paths, &n, &e) < 0)
		return cli_fail(c, &e);
	rows = calloc(n ? n : 1, sizeof(*rows));
	if (!rows) {
		error_set(&e, -ENOMEM, "out of memory");
		return cli_fail(c, &e);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	for (size_t i = 0; i < n; i++)
		fill(&rows[i], &paths[i],
		     (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	qsort(rows, n, sizeof(*rows), by_place);
	return print(c, rows, n);
}

const struct verb verb_path_health = {
	.name = "path",
	.sub = "health",
	.summary = "show how each path does: RTT, loss, timeouts, stall",
	.options = { options, NR(options) },
	.run = run,
};
