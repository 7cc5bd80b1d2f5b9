/* SPDX-License-Identifier: GPL-2.0-only */
/* The connection that a verb is about. */
#ifndef CLI_CONN_H
#define CLI_CONN_H

#include "pm/diag.h"

/* NULL, and an error that says how to list them in namespace `in_netns` (NULL: this one), when
 * there is none. */
const struct pm_connection *conn_find(const struct pm_connections *all, uint32_t token,
				      const char *in_netns, struct error *e);

#endif
