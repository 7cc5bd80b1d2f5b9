/* SPDX-License-Identifier: GPL-2.0-only */
/* On which interfaces of the thread's network namespace resets get their reason, as it is and as it
 * is to be. */
#ifndef CLI_RESET_CHANGE_H
#define CLI_RESET_CHANGE_H

#include "loader/reset.h"
#include "pm/pm.h"

struct reset_change {
	uint64_t cookie; /* of the namespace */
	uint32_t before[MPTCP_RESET_IFS], after[MPTCP_RESET_IFS];
	size_t nr_before, nr_after;
	bool dead; /* something of interfaces that are gone is to be cleared away */
	enum loader_outcome program; /* when there is one to be */
};

/* `policy` NULL: none is to be. Then, without the permission to look, there is taken to be none.
 * With one to be the program is tried in the verifier. */
int reset_change_plan(struct reset_change *r, const struct policy *policy,
		      const struct pm_kernel *kernel, const struct loader_config *c,
		      struct error *e);
bool reset_change_none(const struct reset_change *r);

int reset_change_execute(const struct reset_change *r, const struct loader_config *c,
			 struct error *e);
/* `e` keeps the first reason. */
void reset_change_undo(const struct reset_change *r, const struct loader_config *c,
		       struct error *e);

/* '+', '-' or '~', and one line for people. */
char reset_change_describe(const struct reset_change *r, char *out, size_t size);

#endif
