/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's trace events through a tracefs instance of our own, which is removed again whatever
 * happens; one that a killed run left behind is removed by the next.
 */
#ifndef LOADER_TRACE_H
#define LOADER_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

#define TRACE_PATH_BYTES 512

struct trace {
	char instance[TRACE_PATH_BYTES]; /* empty: none */
	int pipe;			 /* non-blocking, lines as of trace_pipe; -1: none */
};

/* With `token` not NULL, only that connection's. -EOPNOTSUPP: no tracefs, or no module that traces;
 * -EPERM. */
int trace_open(struct trace *t, const uint32_t *token, struct error *e);
/* Idempotent. */
void trace_close(struct trace *t);

#endif
