/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy puts in force beside endpoints, limits and sysctls, each as it is and as it is to
 * be in the thread's network namespace: rules for connections, programs that get MPTCP, the guard,
 * congestion control, marks, initial path selection, SYN rescue.
 */
#ifndef CLI_PARTS_H
#define CLI_PARTS_H

#include "cli/congestion_change.h"
#include "cli/guard_change.h"
#include "cli/ips_change.h"
#include "cli/marks_change.h"
#include "cli/programs_change.h"
#include "cli/rescue_change.h"
#include "cli/reset_change.h"
#include "cli/rules_change.h"
#include "cli/support.h"

struct parts {
	struct rules_change rules;
	struct programs_change programs;
	struct guard_change guard;
	struct congestion_change congestion;
	struct marks_change marks;
	struct ips_change ips;
	struct rescue_change rescue;
	struct reset_change reset;
};

/* What they are planned and carried out with; borrowed. */
struct parts_run {
	struct policy *policy; /* NULL: nothing is to be (unload); what is left out goes from it */
	const struct pm_kernel *kernel;
	const struct loader_config *config;
	struct left_out *left_out;
	bool force;
};

/* Notices go to `plan`. -EPERM when there is something to do and it may not be done. */
int parts_plan(struct parts *p, const struct parts_run *r, struct pm_plan *plan, struct error *e);
bool parts_none(const struct parts *p);

/* All or nothing. What has to wait for connections is not part of it: parts_finish(). */
int parts_execute(struct parts *p, const struct parts_run *r, struct error *e);
/* After parts_execute(); `e` keeps the first reason. */
void parts_undo(struct parts *p, const struct parts_run *r, struct error *e);

/* Last. -EBUSY when connections still need what is to go; with `force` they are cut off. */
int parts_finish(struct parts *p, const struct parts_run *r, struct error *e);

/* What went wrong without being a failure; NULL: nothing. After parts_execute(). */
const char *parts_trouble(const struct parts *p);

/* Each change, to `each`: '+', '-' or '~', a name for programs, and one line for people with a
 * reason that may be empty. */
void parts_walk(const struct parts *p,
		void (*each)(void *data, char sign, const char *action, const char *text,
			     const char *reason),
		void *data);

#endif
