/* SPDX-License-Identifier: GPL-2.0-only */
/* What the makers of a policy share: emptying one that lies in a larger structure. */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include "policy/policy.h"

/* They are idempotent and free only what is inside. */
void scheduler_clear(struct policy_scheduler *s);
void rule_clear(struct policy_rule *r);
void policy_clear(struct policy *p);

/* *to is empty before. -ENOMEM leaves it so. */
int scheduler_copy(struct policy_scheduler *to, const struct policy_scheduler *from);
bool scheduler_equal(const struct policy_scheduler *a, const struct policy_scheduler *b);

#endif
