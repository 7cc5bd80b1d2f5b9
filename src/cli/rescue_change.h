/* SPDX-License-Identifier: GPL-2.0-only */
/* SYN rescue of the thread's network namespace, as it is and as it is to be. */
#ifndef CLI_RESCUE_CHANGE_H
#define CLI_RESCUE_CHANGE_H

#include "loader/rescue.h"
#include "pm/pm.h"

struct rescue_change {
	uint64_t cookie; /* of the namespace */
	bool had, wanted;
	struct rescue_config before, after;
	enum loader_outcome outcome; /* when it is wanted */
};

/* `policy` NULL: it is not to be. What is left out is noted in `plan`. Without the permission to
 * look, a namespace in which it is not to be is taken to be without. */
int rescue_change_plan(struct rescue_change *r, const struct policy *policy,
		       const struct loader_config *c, const struct pm_kernel *kernel,
		       struct pm_plan *plan, struct error *e);
bool rescue_change_none(const struct rescue_change *r);
/* +, ~ or -, and one line for a person. */
char rescue_change_describe(const struct rescue_change *r, char *out, size_t size);

/* With `force` connections that ride another path's address are cut off, if it goes. */
int rescue_change_execute(const struct rescue_change *r, const struct loader_config *c, bool force,
			  struct error *e);
/* `e` keeps the first reason. */
void rescue_change_undo(const struct rescue_change *r, const struct loader_config *c,
			struct error *e);

#endif
