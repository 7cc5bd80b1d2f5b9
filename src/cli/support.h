/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether this machine can do what a policy asks for. */
#ifndef CLI_SUPPORT_H
#define CLI_SUPPORT_H

#include "loader/loader.h"
#include "policy/policy.h"
#include "util/error.h"

/* What was left out of a policy, and why, for people; empty: nothing. */
struct left_out {
	char text[768];
};

void left_out_add(struct left_out *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Does the policy name a scheduler of ours? */
bool support_needs_module(const struct policy *p);

/*
 * Refuses what there is no support for, naming the missing part and what brings it, or, where the
 * policy allows it, takes it out. Looks at the thread's network namespace. -EOPNOTSUPP.
 */
int support_check(struct policy *p, const struct loader_config *c, struct left_out *l,
		  struct error *e);

#endif
