// SPDX-License-Identifier: GPL-2.0-only
/* monitor: what the kernel's path manager tells, and what a daemon did and why, as it happens. */
#include "cli/cli.h"
#include "cli/event_lines.h"
#include "cli/follow.h"
#include "daemon/client.h"
#include "loader/guard.h"
#include "pm/event_socket.h"
#include "pm/netns.h"
#include "util/caps.h"
#include "util/cleanup.h"

#include <errno.h>
#include <linux/mptcp.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))
/* More than a full buffer holds, so that what was lost is told after what came before it. */
#define READS_MAX     65536
#define DAEMON_TRY_MS 1000
#define US_PER_SECOND 1000000
#define NS_PER_US     1000
#define GUARD_EVENTS  32 /* read at once */
#define SYN_SENT      2	 /* of include/net/tcp_states.h */
#define SYN_RECV      3

static const char *token_text, *seconds_text, *count_text, *netns;
static bool current;

static const struct option_def options[] = {
	{ "token", 0, OPTION_VALUE, "T", "only of this connection", &token_text },
	{ "current", 0, OPTION_SWITCH, NULL, "begin with the connections there are", &current },
	{ "seconds", 0, OPTION_VALUE, "N", "stop after so many seconds; otherwise with Ctrl-C",
	  &seconds_text },
	{ "count", 0, OPTION_VALUE, "N", "stop after so many events", &count_text },
	{ "netns", 0, OPTION_VALUE, "NAME", "look at this network namespace", &netns },
};

struct monitor {
	struct cli *c;
	struct event_lines lines;
	struct pm_event_socket socket;
	bool one;	/* connection only */
	uint32_t token; /* of that one */
	uint64_t seconds, count, events;
	bool overflow;		    /* and not told yet */
	uint64_t netns, guard_next; /* the number of the guard's next event; 0: from now on */
	struct control_link daemon;
	uint64_t next_try_ms; /* to find a daemon, should there be none */
};

static uint64_t clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * US_PER_SECOND + (uint64_t)t.tv_nsec / NS_PER_US;
}

static uint64_t now_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

static bool is_done(const struct monitor *m)
{
	return follow_stopped() || (m->count && m->events >= m->count);
}

static void take_event(const struct pm_event *event, void *data)
{
	struct monitor *m = data;
	char name[IF_NAMESIZE];
	const char *dev = NULL;

	if (m->one && (!pm_event_has(event, MPTCP_ATTR_TOKEN) || event->token != m->token))
		return;
	if (pm_event_has(event, MPTCP_ATTR_IF_IDX))
		dev = if_indextoname((unsigned int)event->ifindex, name);
	event_lines_event(&m->lines, now_us(), event, dev);
	m->events++;
}

/* One that is being opened still has its CREATED to come; one without a token is plain TCP. */
static bool is_current(const struct monitor *m, const struct pm_connection *c)
{
	return c->token && c->state != SYN_SENT && c->state != SYN_RECV &&
	       (!m->one || c->token == m->token);
}

static size_t count_current(const struct monitor *m, const struct pm_connections *conns)
{
	size_t n = 0;

	for (size_t i = 0; i < conns->nr; i++)
		n += is_current(m, &conns->items[i]);
	return n;
}

static void write_current(const struct monitor *m, const struct pm_connections *conns)
{
	for (size_t i = 0; i < conns->nr; i++) {
		if (is_current(m, &conns->items[i]))
			event_lines_current(&m->lines, now_us(), &conns->items[i]);
	}
}

static int begin_with_current(const struct monitor *m, struct error *e)
{
	_cleanup_(pm_connections_clear) struct pm_connections conns = { 0 };

	if (!current)
		return 0;
	if (pm_connections_read(&conns, e) < 0)
		return e->code;
	write_current(m, &conns);
	return 0;
}

/* What was lost may have been anything, so what there is now is told anew. */
static void tell_overflow(struct monitor *m)
{
	_cleanup_(pm_connections_clear) struct pm_connections conns = { 0 };
	struct error e = { 0 };
	size_t nr;

	m->overflow = false;
	if (pm_connections_read(&conns, &e) < 0) {
		event_lines_overflow(&m->lines, now_us(), NULL);
		fprintf(m->c->err, "mptcp-pmctl: %s\n", e.text);
		return;
	}
	nr = count_current(m, &conns);
	event_lines_overflow(&m->lines, now_us(), &nr);
	write_current(m, &conns);
}

/* When it happened, by the clock of the other events. */
static uint64_t guard_time_us(const struct mptcp_guard_event *event)
{
	return now_us() - clock_us(CLOCK_MONOTONIC) + event->time_ns / NS_PER_US;
}

/* What the guard did not let through, if there is one and we may look. */
static void tell_guard(struct monitor *m)
{
	struct mptcp_guard_event events[GUARD_EVENTS];
	uint64_t lost = 0;
	int n;

	do {
		n = loader_guard_events(NULL, m->netns, &m->guard_next, events, GUARD_EVENTS,
					&lost);
		if (n == -ENOENT)
			m->guard_next = 1; /* all of one that comes later */
		if (lost && !m->one)
			event_lines_guard_lost(&m->lines, now_us(), lost);
		for (int i = 0; i < n && !is_done(m); i++) {
			char name[IF_NAMESIZE];

			if (m->one && events[i].token != m->token)
				continue;
			event_lines_guard(&m->lines, guard_time_us(&events[i]), &events[i],
					  if_indextoname(events[i].ifindex, name));
			m->events++;
		}
	} while (n == GUARD_EVENTS && !is_done(m));
}

/* What is there to read. */
static int drain(struct monitor *m)
{
	for (int i = 0; i < READS_MAX && !is_done(m) && !ferror(m->c->out); i++) {
		int err = pm_event_socket_read(&m->socket, take_event, m);

		if (err == -EAGAIN)
			return 0;
		if (err == -ENOBUFS)
			m->overflow = true;
		else if (err == -EBADMSG)
			fprintf(m->c->err,
				"mptcp-pmctl: an event that makes no sense was left out\n");
		else if (err < 0 && err != -EINTR)
			return err;
	}
	return 0;
}

/* A daemon may come and go while we watch. */
static void find_daemon(struct monitor *m)
{
	struct control_ask ask;

	if (m->daemon.fd >= 0 || follow_now_ms() < m->next_try_ms)
		return;
	m->next_try_ms = follow_now_ms() + DAEMON_TRY_MS;
	if (control_connect(&m->daemon, NULL) < 0)
		return;
	control_ask(&ask, "subscribe");
	if (control_answer(&m->daemon, &ask, NULL, NULL, NULL) < 0)
		control_close(&m->daemon);
}

static void take_told(struct monitor *m, const struct flat *line)
{
	const char *token = flat_string(line, "token");

	if (!flat_has(line, "event") || (m->one && !token))
		return;
	if (m->one && strtoul(token, NULL, 16) != m->token)
		return;
	event_lines_told(&m->lines, line);
	m->events++;
}

/* What the daemon has told so far. */
static void drain_daemon(struct monitor *m)
{
	struct flat line;

	for (int i = 0; i < READS_MAX && m->daemon.fd >= 0 && !is_done(m); i++) {
		int err = control_read(&m->daemon, false, &line, NULL);

		if (err == 0)
			return;
		if (err > 0)
			take_told(m, &line);
		else if (err != -EBADMSG)
			control_close(&m->daemon);
	}
}

static int follow(struct monitor *m, struct error *e)
{
	struct pollfd p[] = {
		{ .fd = pm_event_socket_fd(&m->socket), .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	uint64_t end = follow_end_ms(m->seconds);

	while (!is_done(m) && follow_now_ms() < end) {
		int err;

		find_daemon(m);
		p[1].fd = m->daemon.fd;
		poll(p, NR(p), FOLLOW_WAIT_MS);
		err = drain(m);
		drain_daemon(m);
		if (err < 0)
			return error_set(e, err, "cannot read MPTCP events: %s", strerror(-err));
		if (m->overflow)
			tell_overflow(m);
		tell_guard(m);
		if (ferror(m->c->out))
			return error_set(e, -EPIPE, "cannot write the events");
	}
	return 0;
}

static int monitor(struct monitor *m, struct error *e)
{
	int err = caps_need(CAP_BIT_NET_ADMIN | (netns ? CAP_BIT_SYS_ADMIN : 0),
			    "watch MPTCP events", e);
	struct pm_netns ns = { 0 };

	if (err == 0)
		err = pm_netns_enter(netns, e);
	if (err == 0)
		err = pm_netns_identify(&ns, e);
	if (err == 0)
		err = pm_event_socket_open(&m->socket, e);
	if (err < 0)
		return err;
	m->netns = ns.cookie;
	tell_guard(m);
	follow_catch_signals();
	err = begin_with_current(m, e);
	if (err == 0)
		err = follow(m, e);
	pm_event_socket_close(&m->socket);
	control_close(&m->daemon);
	return err;
}

static int parse_options(struct monitor *m, struct error *e)
{
	m->one = token_text;
	if (token_text && pm_token_parse(token_text, &m->token, e) < 0)
		return e->code;
	if (follow_parse_number("--seconds", seconds_text, FOLLOW_SECONDS_MAX, &m->seconds, e) < 0)
		return e->code;
	return follow_parse_number("--count", count_text, UINT32_MAX, &m->count, e);
}

static int run(struct cli *c, int nr, char **words)
{
	struct monitor m = { .c = c, .lines = { c->out, c->json }, .daemon.fd = -1 };
	struct error e = { 0 };

	(void)nr;
	(void)words;
	if (parse_options(&m, &e) < 0)
		return cli_usage(c, &e);
	return monitor(&m, &e) < 0 ? cli_fail(c, &e) : EXIT_STATUS_OK;
}

const struct verb verb_monitor = {
	.name = "monitor",
	.summary = "print what the kernel's path manager and the daemon do, as it happens",
	.options = { options, NR(options) },
	.run = run,
};
