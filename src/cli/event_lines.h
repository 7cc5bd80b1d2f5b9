/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of the path manager as lines, or as JSON Lines. Names and keys are those of `ip mptcp
 * monitor`; three more events are ours: CURRENT, a connection there is, OVERFLOW, and ACTION, what
 * the daemon did and why.
 */
#ifndef CLI_EVENT_LINES_H
#define CLI_EVENT_LINES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "pm/event.h"
#include "util/flat.h"

struct event_lines {
	FILE *out;
	bool json;
};

/* time_us: since 1970. dev: the name behind event->ifindex; NULL: it has none. */
void event_lines_event(const struct event_lines *l, uint64_t time_us, const struct pm_event *event,
		       const char *dev);
void event_lines_current(const struct event_lines *l, uint64_t time_us,
			 const struct pm_connection *c);
/* connections: how many lines CURRENT follow; NULL: they cannot be listed. */
void event_lines_overflow(const struct event_lines *l, uint64_t time_us, const size_t *connections);
/* What the daemon tells: its line, in the order of its members. */
void event_lines_told(const struct event_lines *l, const struct flat *told);

#endif
