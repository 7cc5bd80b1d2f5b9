/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules in the map of a tool: each network namespace, told by its cookie (SO_NETNS_COOKIE), has
 * rules 0, 1, 2 …; the first index without a rule ends them.
 */
#ifndef LOADER_RULESET_H
#define LOADER_RULESET_H

#include <linux/types.h>
#include <stddef.h>

#include "loader/tool.h"
#include "mptcp_select.h"

struct ruleset {
	struct tool tool;
	const char *map;     /* its key is struct mptcp_select_key */
	const char *program; /* of the tool's, the last */
	const char *what;    /* for messages, e.g. "rules for programs" */
	size_t bytes;	     /* of a rule */
	size_t max;	     /* of one namespace */
};

/* Into room for `max`; none when the tool is not loaded. */
int ruleset_read(const struct ruleset *s, const struct loader_config *c, uint64_t cookie,
		 void *rules, size_t *nr, struct error *e);

/*
 * Makes these the rules of a namespace: loads the tool with the first rule, and unloads it when no
 * namespace has any. On failure the former rules are put back.
 */
int ruleset_write(const struct ruleset *s, const struct loader_config *c, uint64_t cookie,
		  const void *rules, size_t nr, struct error *e);

#endif
