/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules that give connections their schedulers, in the kernel: the selector (bpf/select/), pinned
 * as BPFFS/mptcp-pm/select/link, and its map of rules, BPFFS/mptcp-pm/select/rules, in which each
 * network namespace, told by its cookie (SO_NETNS_COOKIE), has its own.
 */
#ifndef LOADER_RULES_H
#define LOADER_RULES_H

#include <linux/types.h>

#include "loader/loader.h"
#include "mptcp_select.h"

/* Loads the selector, or replaces it live; rules are kept. `dry_run` as in loader_sched_load(). */
int loader_selector_load(const struct loader_config *c, bool dry_run, enum loader_outcome *outcome,
			 struct error *e);

/* Removes the selector when no namespace has rules. */
int loader_selector_unload_unused(const struct loader_config *c, struct error *e);

/* The rules of a namespace, at most MPTCP_SELECT_RULES_MAX; none when there is no selector. */
int loader_rules_read(const struct loader_config *c, uint64_t cookie,
		      struct mptcp_select_rule rules[MPTCP_SELECT_RULES_MAX], size_t *nr,
		      struct error *e);

/*
 * Makes these the rules of a namespace: written over the former ones, then what is left of those is
 * cut off. On failure the former ones are put back. -ENOENT when there is no selector and `nr` is
 * not 0.
 */
int loader_rules_write(const struct loader_config *c, uint64_t cookie,
		       const struct mptcp_select_rule *rules, size_t nr, struct error *e);

/* Is a scheduler named by a rule of some namespace? */
bool loader_rules_name(const struct loader_config *c, const char *scheduler);

#endif
