/* SPDX-License-Identifier: GPL-2.0-only */
/* What is guarded on the interfaces of the thread's network namespace, as it is and as it is to be.
 */
#ifndef CLI_GUARD_CHANGE_H
#define CLI_GUARD_CHANGE_H

#include "loader/guard.h"
#include "pm/guard.h"

struct guard_change {
	uint64_t cookie; /* of the namespace */
	struct pm_guard before[MPTCP_GUARD_IFS], after[MPTCP_GUARD_IFS];
	size_t nr_before, nr_after;
	bool dead; /* something of interfaces that are gone is to be cleared away */
	enum loader_outcome program; /* when there is something to guard */
};

/* `policy` NULL: nothing is to be guarded. Then, without the permission to look, nothing is taken
 * to be guarded. With something to guard the program is tried in the verifier. */
int guard_change_plan(struct guard_change *g, const struct policy *policy,
		      const struct pm_kernel *kernel, const struct loader_config *c,
		      struct error *e);
bool guard_change_none(const struct guard_change *g);

int guard_change_execute(const struct guard_change *g, const struct loader_config *c,
			 struct error *e);
/* `e` keeps the first reason. */
void guard_change_undo(const struct guard_change *g, const struct loader_config *c,
		       struct error *e);

#endif
