// SPDX-License-Identifier: GPL-2.0-only
/* Subflows whose removal the guard refused, looked at, probed and closed; see guard_watcher.h. */
#include "pm/guard_watcher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/guard_watch.h"
#include "pm/netns.h"
#include "util/cleanup.h"

#define LOOK_MS	  100 /* how often what is watched is looked at */
#define NS_PER_MS 1000000

struct pm_guard_watcher {
	struct loader_guard_watch *watch;
	struct pm_guard_list list;
	uint64_t next_ms; /* when to look again */
	pm_guard_watcher_fn *each;
	void *data;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / NS_PER_MS;
}

static void take(const struct mptcp_guard_event *event, void *data)
{
	struct pm_guard_watcher *w = data;

	pm_guard_watch_add(&w->list, event);
}

int pm_guard_watcher_open(pm_guard_watcher_fn *each, void *data, struct pm_guard_watcher **out,
			  struct error *e)
{
	_cleanup_(pm_guard_watcher_close) struct pm_guard_watcher *w = calloc(1, sizeof(*w));
	struct pm_netns ns = { 0 };
	int err;

	if (!w)
		return error_set(e, -ENOMEM, "cannot watch the guard: out of memory");
	w->each = each;
	w->data = data;
	err = pm_netns_identify(&ns, e);
	if (err == 0)
		err = loader_guard_watch_open(NULL, ns.cookie, take, w, &w->watch, e);
	if (err < 0)
		return err;
	*out = TAKE_PTR(w);
	return 0;
}

static void probe(struct pm_guard_watcher *w, struct pm_guard_watched *watched, uint8_t action)
{
	struct mptcp_probe *p = &watched->probe;

	if (action == MPTCP_PROBE_START) {
		p->family = watched->event.family;
		p->local_port = watched->event.local_port;
		p->remote_port = watched->event.remote_port;
		memcpy(p->local, watched->event.local, sizeof(p->local));
		memcpy(p->remote, watched->event.remote, sizeof(p->remote));
	}
	p->action = action;
	/* One that has gone meanwhile is found to be gone the next time; without its probe a
	 * subflow is judged by what it receives all the same. */
	loader_guard_probe(w->watch, p, NULL);
}

void pm_guard_watcher_close(struct pm_guard_watcher **w)
{
	if (!*w)
		return;
	for (size_t i = 0; i < (*w)->list.nr; i++) {
		if ((*w)->list.items[i].probed)
			probe(*w, &(*w)->list.items[i], MPTCP_PROBE_STOP);
	}
	loader_guard_watch_close(&(*w)->watch);
	free(*w);
	*w = NULL;
}

int pm_guard_watcher_fd(const struct pm_guard_watcher *w)
{
	return loader_guard_watch_fd(w->watch);
}

int pm_guard_watcher_timeout_ms(const struct pm_guard_watcher *w)
{
	uint64_t now = now_ms();

	if (!w->list.nr)
		return -1;
	return now < w->next_ms ? (int)(w->next_ms - now) : 0;
}

/* True when there is nothing more to be done about it. */
static bool settle(struct pm_guard_watcher *w, struct pm_guard_watched *watched,
		   const struct pm_connections *all, uint64_t now)
{
	const struct pm_subflow *s = pm_guard_watch_find(&watched->event, all);
	enum pm_guard_verdict verdict = pm_guard_watch_judge(watched, s, now);
	struct error e = { 0 };

	switch (verdict) {
	case PM_GUARD_WAIT:
		return false;
	case PM_GUARD_PROBE:
		probe(w, watched, MPTCP_PROBE_START);
		watched->probed = true;
		return false;
	case PM_GUARD_ALIVE:
		if (watched->probed)
			probe(w, watched, MPTCP_PROBE_STOP);
		break;
	case PM_GUARD_DEAD:
		pm_subflow_reset(&s->at, &e);
		break;
	case PM_GUARD_GONE:
		break;
	}
	w->each(&watched->event, verdict, e.code ? &e : NULL, w->data);
	return true;
}

int pm_guard_watcher_run(struct pm_guard_watcher *w, struct error *e)
{
	_cleanup_(pm_connections_clear) struct pm_connections all = { 0 };
	int err = loader_guard_watch_read(w->watch, e);
	uint64_t now = now_ms();

	if (err < 0 || !w->list.nr || now < w->next_ms)
		return err;
	err = pm_connections_read(&all, e);
	if (err < 0)
		return err;
	w->next_ms = now + LOOK_MS;
	for (size_t i = 0; i < w->list.nr;) {
		if (settle(w, &w->list.items[i], &all, now))
			w->list.items[i] = w->list.items[--w->list.nr];
		else
			i++;
	}
	return 0;
}
