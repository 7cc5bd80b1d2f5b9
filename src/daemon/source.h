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
	/* The engine was handed something, of whatever source. May be NULL. */
	void (*after_input)(struct daemon *d, void *state);
	/* Takes back what open() did; `state` may be NULL. May be NULL. */
	void (*close)(struct daemon *d, void *state);
};

extern const struct daemon_source source_caps, source_service, source_links, source_events,
	source_health, source_control;

/* Call that of all. */
void sources_policy_changed(struct daemon *d);
void sources_after_input(struct daemon *d);

#endif
