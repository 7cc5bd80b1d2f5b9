// SPDX-License-Identifier: GPL-2.0-only
/* establish list|watch: connections whose SYN was sent on more than one path. */
#include "cli/cli.h"
#include "cli/establish_views.h"
#include "cli/follow.h"
#include "cli/rescue_status.h"
#include "pm/event_socket.h"
#include "pm/netns.h"
#include "pm/rescue.h"
#include "util/caps.h"
#include "util/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define NR(a)	   (sizeof(a) / sizeof((a)[0]))
#define NS_PER_S   1000000000u
#define TEXT_BYTES 256
#define CAPS_LOOK  (CAP_BIT_NET_ADMIN | CAP_BIT_BPF)

static const char *netns, *seconds_text;

static const struct option_def list_options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "look at this network namespace", &netns },
};

static const struct option_def watch_options[] = {
	{ "seconds", 0, OPTION_VALUE, "N", "stop after so many seconds; otherwise with Ctrl-C",
	  &seconds_text },
	{ "netns", 0, OPTION_VALUE, "NAME", "in this network namespace", &netns },
};

struct seen {
	struct rescue_config settings;
	struct loader_rescue_flow *flows;
	size_t nr;
	uint64_t counts[RESCUE_COUNTS];
};

static void cleanup_seen(struct seen *s)
{
	free(s->flows);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static int enter(const char *what, struct error *e)
{
	int err = caps_need(CAPS_LOOK | CAP_BIT_SYS_ADMIN, what, e);

	return err < 0 ? err : pm_netns_enter(netns, e);
}

static int look(struct seen *s, struct error *e)
{
	struct pm_netns ns;
	int err = enter("look at SYN rescue", e);

	if (err == 0)
		err = pm_netns_identify(&ns, e);
	if (err == 0) {
		err = loader_rescue_settings(NULL, ns.cookie, &s->settings, e);
		if (err == -ENOENT)
			error_hint(e, "apply a policy with establish: { robe: [timer] }");
	}
	if (err == 0)
		err = loader_rescue_flows(NULL, ns.cookie, &s->flows, &s->nr, e);
	if (err == 0)
		err = loader_rescue_counts(NULL, ns.cookie, s->counts, e);
	return err;
}

static void print_json(struct cli *c, const struct seen *s, const struct table *rows)
{
	struct json j;

	json_init(&j, c->out, c->pretty);
	json_object_open(&j);
	json_key_string(&j, "robe", rescue_status_robe(&s->settings));
	json_key(&j, "devs");
	json_array_open(&j);
	for (uint32_t i = 0; i < s->settings.nr_paths; i++) {
		char name[IF_NAMESIZE];

		json_string(&j, if_indextoname(s->settings.paths[i].ifindex, name));
	}
	json_array_close(&j);
	json_key(&j, "counters");
	json_object_open(&j);
	for (size_t i = 0; i < RESCUE_COUNTS; i++)
		json_key_uint(&j, view_rescue_count_name(i), s->counts[i]);
	json_object_close(&j);
	json_key(&j, "connections");
	table_json(rows, &j);
	json_object_close(&j);
	json_end(&j);
}

static int run_list(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_seen) struct seen s = { 0 };
	_cleanup_free_ struct rescue_row *rows = NULL;
	struct rescue_count_row counts[RESCUE_COUNTS];
	struct table t, count_table;
	struct error e = { 0 };

	(void)nr;
	(void)words;
	if (look(&s, &e) < 0)
		return cli_fail(c, &e);
	rows = view_rescue_rows(s.flows, s.nr, now_ns());
	if (!rows) {
		error_set(&e, -ENOMEM, "out of memory");
		return cli_fail(c, &e);
	}
	t = view_rescues(rows, s.nr);
	if (c->json) {
		print_json(c, &s, &t);
		return EXIT_STATUS_OK;
	}
	table_print(&t, c->out, c->color);
	if (s.nr == 0)
		cli_note(c, "no connections are being rescued (robe: %s)\n",
			 rescue_status_robe(&s.settings));
	count_table = view_rescue_count_table(counts, view_rescue_counts(s.counts, counts));
	if (count_table.nr_rows && !c->quiet) {
		fputc('\n', c->out);
		table_print(&count_table, c->out, c->color);
	}
	return EXIT_STATUS_OK;
}

static const char *action_name(enum pm_rescue_kind kind)
{
	switch (kind) {
	case PM_RESCUE_JOIN:
		return "join";
	case PM_RESCUE_CLOSE:
		return "close";
	case PM_RESCUE_RENEW:
		return "renew";
	case PM_RESCUE_FORGET:
		return "forget";
	}
	return "";
}

static void report(const struct pm_rescue_action *a, const struct error *error, void *data)
{
	struct cli *c = data;
	char text[TEXT_BYTES];
	struct json j;

	pm_rescue_describe(a, text, sizeof(text));
	if (!c->json) {
		fprintf(c->out, "%s%s%s\n", text, error ? ": " : "", error ? error->text : "");
		fflush(c->out);
		return;
	}
	json_init(&j, c->out, false);
	json_object_open(&j);
	json_key_string(&j, "action", action_name(a->kind));
	if (a->token) {
		char token[16];

		snprintf(token, sizeof(token), "%08x", a->token);
		json_key_string(&j, "token", token);
	}
	json_key_string(&j, "text", text);
	if (error)
		json_key_string(&j, "error", error->text);
	json_object_close(&j);
	json_end(&j);
	fflush(c->out);
}

struct watch {
	struct pm_rescue rescue;
	struct pm_event_socket events;
};

static void cleanup_watch(struct watch *w)
{
	pm_rescue_close(&w->rescue);
	pm_event_socket_close(&w->events);
}

static void take_event(const struct pm_event *event, void *data)
{
	pm_rescue_event(data, event, follow_now_ms());
}

static int drain(struct watch *w, struct error *e)
{
	int err;

	do {
		err = pm_event_socket_read(&w->events, take_event, &w->rescue);
		/* What was lost may have been about any of them. */
		if (err == -ENOBUFS)
			w->rescue.next_ms = 0;
	} while (err == 0 || err == -ENOBUFS || err == -EBADMSG || err == -EINTR);
	return err == -EAGAIN ? 0
			      : error_set(e, err, "cannot read MPTCP events: %s", strerror(-err));
}

static int follow(struct cli *c, struct watch *w, uint64_t seconds, struct error *e)
{
	struct pollfd p = { .fd = pm_event_socket_fd(&w->events), .events = POLLIN };
	uint64_t end = follow_end_ms(seconds);
	int err = 0;

	while (err == 0 && !follow_stopped() && follow_now_ms() < end && !ferror(c->out)) {
		err = pm_rescue_step(&w->rescue, follow_now_ms(), e);
		if (err == 0) {
			poll(&p, 1, FOLLOW_WAIT_MS);
			err = drain(w, e);
		}
	}
	return err;
}

static int run_watch(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_watch) struct watch w = { 0 };
	struct error e = { 0 };
	uint64_t seconds = 0;
	int err;

	(void)nr;
	(void)words;
	if (follow_parse_number("--seconds", seconds_text, FOLLOW_SECONDS_MAX, &seconds, &e) < 0)
		return cli_usage(c, &e);
	err = enter("look after rescued connections", &e);
	if (err == 0)
		err = pm_rescue_open(&w.rescue, NULL, &e);
	if (err == 0)
		err = pm_event_socket_open(&w.events, &e);
	w.rescue.report = report;
	w.rescue.data = c;
	if (err == 0) {
		follow_catch_signals();
		err = follow(c, &w, seconds, &e);
	}
	return err < 0 ? cli_fail(c, &e) : EXIT_STATUS_OK;
}

const struct verb verb_establish_list = {
	.name = "establish",
	.sub = "list",
	.summary = "list connections whose SYN was sent on more than one path",
	.options = { list_options, NR(list_options) },
	.run = run_list,
};

const struct verb verb_establish_watch = {
	.name = "establish",
	.sub = "watch",
	.summary = "give rescued connections a proper subflow on each path",
	.options = { watch_options, NR(watch_options) },
	.run = run_watch,
};
