/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that get MPTCP where they ask for TCP, in the kernel: bpf/select/mptcpify.bpf.c, pinned
 * as BPFFS/mptcp-pm/mptcpify/, with its map of rules, in which each network namespace, told by its
 * cookie (SO_NETNS_COOKIE), has its own.
 */
#ifndef LOADER_PROGRAMS_H
#define LOADER_PROGRAMS_H

#include <linux/types.h>

#include "loader/loader.h"
#include "mptcp_programs.h"

/* Can this kernel do it? Changes nothing. -EOPNOTSUPP with what it lacks. */
int loader_programs_try(const struct loader_config *c, struct error *e);

/* The rules of a namespace, at most MPTCP_PROGRAMS_MAX; none when it is not loaded. */
int loader_programs_read(const struct loader_config *c, uint64_t cookie,
			 struct mptcp_program rules[MPTCP_PROGRAMS_MAX], size_t *nr,
			 struct error *e);

/*
 * Makes these the rules of a namespace: loads what carries them out with the first rule, and
 * unloads it when no namespace has any. Sockets there are stay what they are. On failure the former
 * rules are put back.
 */
int loader_programs_write(const struct loader_config *c, uint64_t cookie,
			  const struct mptcp_program *rules, size_t nr, struct error *e);

#endif
