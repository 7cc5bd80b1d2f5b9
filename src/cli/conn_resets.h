/* SPDX-License-Identifier: GPL-2.0-only */
/* Which subflows of a connection the peer reset, why, and what came of it: the daemon knows. */
#ifndef CLI_CONN_RESETS_H
#define CLI_CONN_RESETS_H

#include "cli/table.h"
#include "pm/address.h"
#include "pm/engine.h"
#include "pm/reset.h"

struct reset_row {
	char local[PM_ADDRESS_PORT_BYTES], remote[PM_ADDRESS_PORT_BYTES], path[POLICY_NAME_BYTES];
	uint64_t ago_ms;
	uint32_t reason;
	char text[PM_RESET_TEXT_BYTES], reaction[PM_RESET_TEXT_BYTES];
	bool transient;
};

/* Those of a connection of the thread's network namespace, the oldest first; none when no daemon
 * runs there, or it does not know the connection. */
void conn_resets_read(uint32_t token, struct reset_row out[PM_RESETS_MAX], size_t *nr);

struct table view_resets(const struct reset_row *rows, size_t nr);

#endif
