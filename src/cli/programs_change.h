/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules for programs of the thread's network namespace, as they are and as they are to be. */
#ifndef CLI_PROGRAMS_CHANGE_H
#define CLI_PROGRAMS_CHANGE_H

#include "loader/programs.h"
#include "pm/pm.h"

struct programs_change {
	uint64_t cookie; /* of the namespace */
	struct mptcp_program before[MPTCP_PROGRAMS_MAX], after[MPTCP_PROGRAMS_MAX];
	size_t nr_before, nr_after;
};

/* `policy` NULL: none are to be. Those left out are noted in `plan`. Without the permission to
 * look, a namespace for which there are to be none is taken to have none. */
int programs_change_plan(struct programs_change *p, const struct policy *policy,
			 const struct loader_config *c, struct pm_plan *plan, struct error *e);
bool programs_change_none(const struct programs_change *p);
/* All or nothing. */
int programs_change_execute(const struct programs_change *p, const struct loader_config *c,
			    struct error *e);
/* `e` keeps the first reason. */
void programs_change_undo(const struct programs_change *p, const struct loader_config *c,
			  struct error *e);
/* Each rule that goes and each that comes, to `each`. */
void programs_change_walk(const struct programs_change *p,
			  void (*each)(void *data, bool added, const char *text), void *data);

#endif
