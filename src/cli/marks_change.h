/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules for marks of the thread's network namespace, as they are and as they are to be. */
#ifndef CLI_MARKS_CHANGE_H
#define CLI_MARKS_CHANGE_H

#include "loader/marks.h"
#include "pm/pm.h"

struct marks_change {
	uint64_t cookie; /* of the namespace */
	struct mptcp_mark before[MPTCP_MARKS_MAX], after[MPTCP_MARKS_MAX];
	size_t nr_before, nr_after;
	enum loader_outcome programs; /* when some are to be */
};

/* `policy` NULL: none are to be. Those left out are noted in `plan`. Without the permission to
 * look, a namespace for which there are to be none is taken to have none. */
int marks_change_plan(struct marks_change *m, const struct policy *policy,
		      const struct loader_config *c, struct pm_plan *plan, struct error *e);
bool marks_change_none(const struct marks_change *m);
/* All or nothing. */
int marks_change_execute(const struct marks_change *m, const struct loader_config *c,
			 struct error *e);
/* `e` keeps the first reason. */
void marks_change_undo(const struct marks_change *m, const struct loader_config *c,
		       struct error *e);
/* Each rule that goes and each that comes, to `each`. */
void marks_change_walk(const struct marks_change *m,
		       void (*each)(void *data, bool added, const char *text), void *data);

#endif
