/* SPDX-License-Identifier: GPL-2.0-only */
/* SYN rescue in the words of `status`. */
#ifndef CLI_RESCUE_STATUS_H
#define CLI_RESCUE_STATUS_H

#include "cli/cli.h"
#include "loader/rescue.h"

struct rescue_status {
	bool loaded; /* in the thread's network namespace; false as well when it may not be told */
	struct rescue_config settings;
	uint64_t counts[RESCUE_COUNTS];
	size_t riding; /* connections that use another path's address now */
};

void rescue_status_read(struct rescue_status *s);
/* One line, and one for each reason to leave SYNs alone; nothing when it is not loaded. */
void rescue_status_print(struct cli *c, const struct rescue_status *s);
/* An object, or null. */
void rescue_status_json(const struct rescue_status *s, struct json *j);

/* off, timer or sim. */
const char *rescue_status_robe(const struct rescue_config *settings);

#endif
