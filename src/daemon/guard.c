// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guard: interfaces that appear get it, and what it refused to believe is looked into, see
 * pm/guard_watcher.h. What is guarded stays so when the daemon ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/source.h"
#include "loader/guard.h"
#include "pm/address.h"
#include "pm/guard.h"
#include "pm/guard_watcher.h"
#include "pm/path.h"
#include "util/cleanup.h"

#define RETRY_MS   10000
#define TEXT_BYTES 256

struct guard {
	struct daemon *d;
	struct pm_guard_watcher *watcher; /* NULL: none */
	struct loop_timer look, settle;
	uint64_t interfaces; /* those it was made for */
	bool on;	     /* the policy before asked for it */
	int refused;	     /* why it cannot be had, and it was said */
	/* As it is in the kernel. */
	struct pm_guard now[MPTCP_GUARD_IFS];
	size_t nr_now;
};

static unsigned int path_of(const struct daemon *d, uint32_t ifindex)
{
	for (size_t i = 0; i < d->nr_interfaces; i++) {
		const struct policy_path *p;

		if (d->interfaces[i].ifindex != (int)ifindex)
			continue;
		p = pm_path_of(d->policy, &d->interfaces[i]);
		return p ? (unsigned int)(p - d->policy->paths) : UINT32_MAX;
	}
	return UINT32_MAX;
}

static void address_text(const struct mptcp_guard_event *e, const uint8_t address[16], char *out)
{
	if (!inet_ntop(e->family == 4 ? AF_INET : AF_INET6, address, out, INET6_ADDRSTRLEN))
		out[0] = '\0';
}

static void tell_verdict(const struct mptcp_guard_event *event, enum pm_guard_verdict verdict,
			 const struct error *e, void *data)
{
	struct guard *g = data;
	struct pm_decision one = { .kind = PM_DECIDE_NOTICE,
				   .token = event->token,
				   .path = path_of(g->d, event->ifindex) };
	char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN], what[TEXT_BYTES];

	address_text(event, event->local, local);
	address_text(event, event->remote, remote);
	snprintf(what, sizeof(what), "close the subflow from %s:%u to %s:%u of connection %08x",
		 local, event->local_port, remote, event->remote_port, event->token);
	switch (verdict) {
	case PM_GUARD_DEAD:
		snprintf(one.reason, sizeof(one.reason),
			 "guard: the peer withdrew address id %u, and nothing comes from it",
			 event->id);
		daemon_report(g->d, &one, what, e ? e->text : NULL);
		return;
	case PM_GUARD_ALIVE:
		snprintf(one.reason, sizeof(one.reason),
			 "guard: address id %u was withdrawn, but is alive: its subflow stays",
			 event->id);
		daemon_report(g->d, &one, NULL, NULL);
		return;
	case PM_GUARD_GONE:
	case PM_GUARD_WAIT:
	case PM_GUARD_PROBE:
		return;
	}
}

static void close_watcher(struct guard *g)
{
	if (!g->watcher)
		return;
	loop_timer_set(g->d->loop, &g->look, LOOP_NEVER);
	loop_fd_remove(g->d->loop, pm_guard_watcher_fd(g->watcher));
	pm_guard_watcher_close(&g->watcher);
}

static void look(void *data)
{
	struct guard *g = data;
	struct error e = { 0 };
	int wait_ms;

	if (pm_guard_watcher_run(g->watcher, &e) < 0) {
		log_error(&g->d->log, &e);
		close_watcher(g);
		loop_timer_set(g->d->loop, &g->settle, loop_now_ms() + RETRY_MS);
		return;
	}
	wait_ms = pm_guard_watcher_timeout_ms(g->watcher);
	loop_timer_set(g->d->loop, &g->look,
		       wait_ms < 0 ? LOOP_NEVER : loop_now_ms() + (unsigned int)wait_ms);
}

static void on_event(int fd, uint32_t events, void *data)
{
	(void)fd;
	(void)events;
	look(data);
}

/* Said once, and again when it is for another reason. */
static void refuse(struct guard *g, int err, const struct error *e)
{
	if (err != g->refused)
		log_error(&g->d->log, e);
	g->refused = err;
}

/* Without an interface that is probed nothing would come. */
static bool is_probed(const struct guard *g)
{
	for (size_t i = 0; i < g->nr_now; i++) {
		if (g->now[i].config.remove == MPTCP_GUARD_REMOVE_PROBE)
			return true;
	}
	return false;
}

static int watch(struct guard *g, struct error *e)
{
	int err;

	if (!is_probed(g)) {
		close_watcher(g);
		return 0;
	}
	if (g->watcher)
		return 0;
	err = source_may_load("look into what the guard refused", e);
	if (err == 0)
		err = pm_guard_watcher_open(tell_verdict, g, &g->watcher, e);
	if (err < 0)
		return err;
	err = loop_fd_add(g->d->loop, pm_guard_watcher_fd(g->watcher), EPOLLIN, on_event, g);
	if (err < 0) {
		pm_guard_watcher_close(&g->watcher);
		return error_set(e, err, "cannot watch the guard: %s", strerror(-err));
	}
	return 0;
}

static bool is_as(const struct loader_guard *have, size_t nr_have, const struct pm_guard *want,
		  size_t nr)
{
	if (nr_have != nr)
		return false;
	for (size_t i = 0; i < nr; i++) {
		if (have[i].ifindex != want[i].ifindex ||
		    memcmp(&have[i].config, &want[i].config, sizeof(have[i].config)) != 0)
			return false;
	}
	return true;
}

static bool is_guarded(const struct guard *g, uint32_t ifindex)
{
	for (size_t i = 0; i < g->nr_now; i++) {
		if (g->now[i].ifindex == ifindex)
			return true;
	}
	return false;
}

static bool has(const struct loader_guard *list, size_t nr, const struct pm_guard *one)
{
	for (size_t i = 0; i < nr; i++) {
		if (list[i].ifindex == one->ifindex &&
		    memcmp(&list[i].config, &one->config, sizeof(one->config)) == 0)
			return true;
	}
	return false;
}

static void tell_changes(struct guard *g, const struct loader_guard *had, size_t nr_had)
{
	char text[PM_GUARD_TEXT_BYTES], name[IF_NAMESIZE];

	for (size_t i = 0; i < g->nr_now; i++) {
		struct pm_decision one = { .kind = PM_DECIDE_NOTICE,
					   .path = path_of(g->d, g->now[i].ifindex),
					   .reason = "the policy guards its path" };

		if (has(had, nr_had, &g->now[i]))
			continue;
		pm_guard_describe(&g->now[i], text, sizeof(text));
		daemon_report(g->d, &one, text, NULL);
	}
	for (size_t i = 0; i < nr_had; i++) {
		struct pm_decision one = { .kind = PM_DECIDE_NOTICE,
					   .path = path_of(g->d, had[i].ifindex),
					   .reason = "the policy does not guard it" };

		if (is_guarded(g, had[i].ifindex) || !if_indextoname(had[i].ifindex, name))
			continue;
		snprintf(text, sizeof(text), "take the guard off %s", name);
		daemon_report(g->d, &one, text, NULL);
	}
}

/* Only when something is to be changed is anything written. */
static int write_guards(struct guard *g, struct error *e)
{
	_cleanup_free_ struct loader_guard *have = calloc(2 * MPTCP_GUARD_IFS, sizeof(*have));
	struct loader_guard *want = have + MPTCP_GUARD_IFS;
	const uint64_t cookie = g->d->netns.cookie;
	size_t nr_have = 0;
	bool dead = false;
	int err;

	if (!have)
		return error_set(e, -ENOMEM, "cannot change the guard: out of memory");
	err = loader_guard_read(NULL, cookie, have, &nr_have, &dead, e);
	if (err < 0 || (!dead && is_as(have, nr_have, g->now, g->nr_now)))
		return err;
	for (size_t i = 0; i < g->nr_now; i++)
		want[i] = (struct loader_guard){ g->now[i].ifindex, g->now[i].config };
	err = source_may_load("change the guard", e);
	if (err == 0)
		err = loader_guard_write(NULL, cookie, want, g->nr_now, e);
	if (err == 0)
		tell_changes(g, have, nr_have);
	return err;
}

static void settle(void *data)
{
	struct guard *g = data;
	const struct policy *policy = g->d->policy;
	struct error e = { 0 };
	int err;

	if (!policy->guard.set && !g->on)
		return;
	g->nr_now = 0;
	err = pm_guard_make(policy->guard.set ? policy : NULL, g->d->interfaces,
			    g->d->nr_interfaces, g->now, &g->nr_now, &e);
	if (err == 0)
		err = write_guards(g, &e);
	if (err == 0)
		err = watch(g, &e);
	g->on = policy->guard.set;
	if (err < 0)
		refuse(g, err, &e);
	else
		g->refused = 0;
}

/* What was pinned may be another since. */
static void follow_policy(struct daemon *d, void *state)
{
	struct guard *g = state;

	(void)d;
	close_watcher(g);
	settle(g);
}

static int start_guard(struct daemon *d, void *state, struct error *e)
{
	struct guard *g = state;

	(void)e;
	g->interfaces = d->counters.interfaces;
	settle(g);
	return 0;
}

static void after_input(struct daemon *d, void *state)
{
	struct guard *g = state;

	source_follow_interfaces(d, &g->interfaces, &g->settle);
}

static void close_guard(struct daemon *d, void *state)
{
	struct guard *g = state;

	if (!g)
		return;
	close_watcher(g);
	loop_timer_remove(d->loop, &g->look);
	loop_timer_remove(d->loop, &g->settle);
	free(g);
}

static int open_guard(struct daemon *d, void **state, struct error *e)
{
	struct guard *g = calloc(1, sizeof(*g));

	*state = g;
	if (!g)
		return error_set(e, -ENOMEM, "cannot watch the guard: out of memory");
	g->d = d;
	g->look = (struct loop_timer){ .call = look, .data = g };
	g->settle = (struct loop_timer){ .call = settle, .data = g };
	if (loop_timer_add(d->loop, &g->look) < 0 || loop_timer_add(d->loop, &g->settle) < 0)
		return error_set(e, -ENOMEM, "cannot watch the guard: out of memory");
	return 0;
}

const struct daemon_source source_guard = {
	.name = "guard",
	.open = open_guard,
	.start = start_guard,
	.policy_changed = follow_policy,
	.after_input = after_input,
	.close = close_guard,
};
