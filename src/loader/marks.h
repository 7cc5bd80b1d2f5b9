/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Firewall marks of subflows, in the kernel: bpf/select/mark.bpf.c, pinned as BPFFS/mptcp-pm/mark/,
 * with its map of rules, in which each network namespace, told by its cookie (SO_NETNS_COOKIE), has
 * its own.
 */
#ifndef LOADER_MARKS_H
#define LOADER_MARKS_H

#include <linux/types.h>

#include "loader/loader.h"
#include "mptcp_mark.h"

/* Can this kernel do it? Changes nothing. *outcome: what a write would do with the programs.
 * -EOPNOTSUPP with what it lacks. */
int loader_marks_try(const struct loader_config *c, enum loader_outcome *outcome, struct error *e);

/* The rules of a namespace, at most MPTCP_MARKS_MAX; none when it is not loaded. */
int loader_marks_read(const struct loader_config *c, uint64_t cookie,
		      struct mptcp_mark rules[MPTCP_MARKS_MAX], size_t *nr, struct error *e);

/*
 * Makes these the rules of a namespace: loads what carries them out with the first rule, and
 * unloads it when no namespace has any. Subflows there are keep their marks. On failure the former
 * rules are put back.
 */
int loader_marks_write(const struct loader_config *c, uint64_t cookie,
		       const struct mptcp_mark *rules, size_t nr, struct error *e);

#endif
