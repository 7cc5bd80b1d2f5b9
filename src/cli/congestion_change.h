/* SPDX-License-Identifier: GPL-2.0-only */
/* The congestion control of the interfaces of the thread's network namespace, as it is and as it is
 * to be. */
#ifndef CLI_CONGESTION_CHANGE_H
#define CLI_CONGESTION_CHANGE_H

#include "loader/congestion.h"
#include "pm/pm.h"

struct congestion_change {
	uint64_t cookie; /* of the namespace */
	struct loader_congestion before[MPTCP_CONGESTION_IFS], after[MPTCP_CONGESTION_IFS];
	size_t nr_before, nr_after;
	enum loader_outcome program; /* when some are to be */
};

/* `policy` NULL: none is to be. Without the permission to look, a namespace that is to be without
 * is taken to be so. That the kernel has the algorithms is for the caller to find out. -EOPNOTSUPP:
 * it cannot run the program. */
int congestion_change_plan(struct congestion_change *g, const struct policy *policy,
			   const struct pm_kernel *kernel, const struct loader_config *c,
			   struct error *e);
bool congestion_change_none(const struct congestion_change *g);
/* All or nothing. */
int congestion_change_execute(const struct congestion_change *g, const struct loader_config *c,
			      struct error *e);
/* `e` keeps the first reason. */
void congestion_change_undo(const struct congestion_change *g, const struct loader_config *c,
			    struct error *e);
/* Each that goes and each that comes, to `each`. */
void congestion_change_walk(const struct congestion_change *g,
			    void (*each)(void *data, bool added, const char *text), void *data);

#endif
