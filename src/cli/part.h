/* SPDX-License-Identifier: GPL-2.0-only */
/* One part of what a policy puts in force, for those who carry it out; see parts.h. */
#ifndef CLI_PART_H
#define CLI_PART_H

#include "cli/parts.h"

struct part_walk {
	void (*each)(void *data, char sign, const char *action, const char *text,
		     const char *reason);
	void *data;
};

/* One of them. */
struct part {
	const char *purpose; /* of the permission it takes */
	int (*plan)(struct parts *p, const struct parts_run *r, struct pm_plan *plan,
		    struct error *e);
	bool (*none)(const struct parts *p);
	int (*execute)(struct parts *p, const struct parts_run *r, struct error *e);
	void (*undo)(struct parts *p, const struct parts_run *r, struct error *e);
	void (*walk)(const struct parts *p, const struct part_walk *w);
};

extern const struct part part_congestion, part_marks, part_reset;

/* Whether the policy may do without `what`, which the kernel refused; noted, and `e` is clear then.
 */
bool part_leave_out(const struct parts_run *r, const char *what, struct error *e);

#endif
