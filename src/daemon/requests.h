/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be asked of the daemon, and what it answers; docs/control-socket.md describes both. */
#ifndef DAEMON_REQUESTS_H
#define DAEMON_REQUESTS_H

#include <stdio.h>

#include "daemon/daemon.h"
#include "util/flat.h"

struct control_request {
	const char *name;
	bool changes; /* for root alone */
	/* Writes the lines of the answer, but for the last. On failure nothing of them is sent. */
	int (*answer)(struct daemon *d, const struct flat *q, FILE *out, struct error *e);
};

/* NULL and the error: there is no such request. */
const struct control_request *control_find(const char *name, struct error *e);

/* A line about what was done. */
void control_write_report(FILE *out, const struct daemon_report *r);

#endif
