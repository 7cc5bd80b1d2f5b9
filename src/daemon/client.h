/* SPDX-License-Identifier: GPL-2.0-only */
/* The other end of the control socket. */
#ifndef DAEMON_CLIENT_H
#define DAEMON_CLIENT_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"
#include "util/flat.h"
#include "util/json.h"

/* A request that is being written. */
struct control_ask {
	char *text;
	size_t size;
	FILE *out; /* NULL: no memory */
	struct json j;
};

struct control_link {
	int fd; /* -1: none */
	char *in;
	size_t nr_in, at; /* bytes there are, and how many of them were read */
};

/* To the daemon of the thread's network namespace. -ENOENT: none runs there. */
int control_connect(struct control_link *l, struct error *e);
/* Idempotent. */
void control_close(struct control_link *l);

/* Further members go into ask->j. */
void control_ask(struct control_ask *ask, const char *request);
/*
 * Sends it, frees it, and hands each line of the answer to `each` (may be NULL); what it returns
 * when negative, or the error that the daemon answered.
 */
int control_answer(struct control_link *l, struct control_ask *ask,
		   int (*each)(const struct flat *line, void *data), void *data, struct error *e);

/* The next line: 1, or 0 when none is there yet and `wait` is not asked for. -EPIPE: the daemon is
 * gone. *line is good until the next call. */
int control_read(struct control_link *l, bool wait, struct flat *line, struct error *e);

#endif
