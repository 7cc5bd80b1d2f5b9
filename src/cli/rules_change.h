/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules for connections of the thread's network namespace, as they are and as they are to be.
 */
#ifndef CLI_RULES_CHANGE_H
#define CLI_RULES_CHANGE_H

#include "loader/rules.h"
#include "pm/pm.h"

struct rules_change {
	uint64_t cookie; /* of the namespace */
	struct mptcp_select_rule before[MPTCP_SELECT_RULES_MAX], after[MPTCP_SELECT_RULES_MAX];
	size_t nr_before, nr_after;
	enum loader_outcome selector; /* when there are rules to be */
};

/* `policy` NULL: none are to be. Those left out are noted in `plan`. Without the permission
 * to look, a namespace for which there are to be none is taken to have none. */
int rules_change_plan(struct rules_change *r, const struct policy *policy,
		      const struct loader_config *c, struct pm_plan *plan, struct error *e);
bool rules_change_none(const struct rules_change *r);

/* The selector too: loaded, replaced, or removed with the last rule. All or nothing. */
int rules_change_execute(const struct rules_change *r, const struct loader_config *c,
			 struct error *e);
/* `e` keeps the first reason. */
void rules_change_undo(const struct rules_change *r, const struct loader_config *c,
		       struct error *e);

#endif
