/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where inputs come from. To add one: a file with a `const struct daemon_source`, a line in the
 * table of daemon.c. State of its own goes through *state, which is NULL until open() sets it.
 */
#ifndef DAEMON_SOURCE_H
#define DAEMON_SOURCE_H

#include "daemon/daemon.h"

struct daemon_source {
	const char *name;
	/* Registers with the loop and hears from then on. A failure ends the daemon, unless it is
	 * -EOPNOTSUPP and the source is optional; *state is then closed all the same. */
	int (*open)(struct daemon *d, void **state, struct error *e);
	bool optional;
	/* When all are open, in the order of the table: the first reading. May be NULL. */
	int (*start)(struct daemon *d, void *state, struct error *e);
	/* The daemon follows another policy. May be NULL. */
	void (*policy_changed)(struct daemon *d, void *state);
	/* Interfaces are other ones; the engine hears of it next, and opens subflows. May be NULL.
	 */
	void (*interfaces)(struct daemon *d, void *state);
	/* The engine was handed something, of whatever source. May be NULL. */
	void (*after_input)(struct daemon *d, void *state);
	/* Of the kernel's path manager, after the engine had it. May be NULL. */
	void (*event)(struct daemon *d, void *state, const struct pm_event *event);
	/* Takes back what open() did; `state` may be NULL. May be NULL. */
	void (*close)(struct daemon *d, void *state);
};

extern const struct daemon_source source_caps, source_service, source_links, source_events,
	source_health, source_oracle, source_guard, source_resets, source_congestion, source_rescue,
	source_learn, source_nat64, source_fastopen, source_control;

/* Call that of all. */
void sources_policy_changed(struct daemon *d);
void sources_interfaces(struct daemon *d);
void sources_after_input(struct daemon *d);
void sources_event(struct daemon *d, const struct pm_event *event);

/* -EPERM naming what this process lacks to load programs for `what`. */
int source_may_load(const char *what, struct error *e);

/* For what follows interfaces, but need not do so while they change: sets the timer when they are
 * not those of *seen any more, which becomes what they are. */
void source_follow_interfaces(struct daemon *d, uint64_t *seen, struct loop_timer *timer);

#endif
