/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finishes what the guard began: a REMOVE_ADDR that it took out because nothing showed that the
 * path was dead. The peer does not say it again, so the subflow is looked at: one that receives
 * anything afterwards is alive and stays; one that is silent is probed, and one that stays silent
 * for MPTCP_GUARD_VERDICT_MS is closed, as the peer wanted.
 *
 * For an event loop: pm_guard_watcher_run() when the descriptor is readable or the time is up. The
 * part that decides is pure.
 */
#ifndef PM_GUARD_WATCHER_H
#define PM_GUARD_WATCHER_H

#include <linux/types.h>

#include "mptcp_guard.h"
#include "mptcp_probe.h"
#include "pm/diag.h"

#define PM_GUARD_WATCHED_MAX 64

struct pm_guard_watched {
	struct mptcp_guard_event event;
	uint64_t since_ms; /* CLOCK_MONOTONIC */
	bool probed;
	struct mptcp_probe probe; /* what it answered */
};

enum pm_guard_verdict {
	PM_GUARD_WAIT,
	PM_GUARD_PROBE, /* and wait */
	PM_GUARD_ALIVE,
	PM_GUARD_DEAD,
	PM_GUARD_GONE, /* closed meanwhile */
};

struct pm_guard_list {
	struct pm_guard_watched items[PM_GUARD_WATCHED_MAX];
	size_t nr;
};

/* One that is watched already is not watched anew, nor is one more than fits: whoever forges many
 * gains nothing. */
void pm_guard_watch_add(struct pm_guard_list *list, const struct mptcp_guard_event *event);
/* The subflow as it is now; NULL: it is gone. */
enum pm_guard_verdict pm_guard_watch_judge(const struct pm_guard_watched *w,
					   const struct pm_subflow *s, uint64_t now_ms);
/* The subflow of the event among those of its connection, or NULL. */
const struct pm_subflow *pm_guard_watch_find(const struct mptcp_guard_event *event,
					     const struct pm_connections *all);

struct pm_guard_watcher;

/* What became of one: ALIVE, DEAD (closed; *e when that failed) or GONE. */
typedef void pm_guard_watcher_fn(const struct mptcp_guard_event *event,
				 enum pm_guard_verdict verdict, const struct error *e, void *data);

/* For the guard of the thread's network namespace; -ENOENT when there is none. */
int pm_guard_watcher_open(pm_guard_watcher_fn *each, void *data, struct pm_guard_watcher **out,
			  struct error *e);
/* Idempotent. What is being probed gets its settings back. */
void pm_guard_watcher_close(struct pm_guard_watcher **w);
int pm_guard_watcher_fd(const struct pm_guard_watcher *w);
/* How long poll() may wait; -1: for ever. */
int pm_guard_watcher_timeout_ms(const struct pm_guard_watcher *w);
int pm_guard_watcher_run(struct pm_guard_watcher *w, struct error *e);

#endif
