/* SPDX-License-Identifier: GPL-2.0-only */
/* What the makers of a policy share: emptying one that lies in a larger structure. */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include "policy/policy.h"

/* Both are idempotent and free only what is inside. */
void scheduler_clear(struct policy_scheduler *s);
void policy_clear(struct policy *p);

#endif
