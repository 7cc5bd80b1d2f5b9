/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The congestion control of subflows by interface, in the kernel: bpf/select/congestion.bpf.c,
 * pinned as BPFFS/mptcp-pm/congestion-control/, with its map, in which each network namespace, told
 * by its cookie (SO_NETNS_COOKIE), has its own interfaces.
 */
#ifndef LOADER_CONGESTION_H
#define LOADER_CONGESTION_H

#include <linux/types.h>

#include "loader/loader.h"
#include "mptcp_congestion.h"

struct loader_congestion {
	uint32_t ifindex;
	char name[MPTCP_CONGESTION_BYTES]; /* NUL to the end */
};

/* Can this kernel do it? Changes nothing. *outcome: what a write would do with the program.
 * -EOPNOTSUPP with what it lacks. */
int loader_congestion_try(const struct loader_config *c, enum loader_outcome *outcome,
			  struct error *e);

/* Those of a namespace by ifindex, at most MPTCP_CONGESTION_IFS; none when it is not loaded. */
int loader_congestion_read(const struct loader_config *c, uint64_t cookie,
			   struct loader_congestion list[MPTCP_CONGESTION_IFS], size_t *nr,
			   struct error *e);

/*
 * Makes these what the namespace has: loads what carries it out with the first one, and unloads it
 * when no namespace has any. Subflows there are stay as they are. On failure the former ones are
 * put back.
 */
int loader_congestion_write(const struct loader_config *c, uint64_t cookie,
			    const struct loader_congestion *list, size_t nr, struct error *e);

#endif
