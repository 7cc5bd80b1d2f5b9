/* SPDX-License-Identifier: GPL-2.0-only */
/* Mistakes that no value shows on its own: keys that are right but do not go together. */
#ifndef POLICY_CHECK_H
#define POLICY_CHECK_H

#include "policy/grammar.h"

/* Reports to p->diagnostics. Parts with mistakes of their own are not compared with others. */
void check_combinations(struct parse *p, const struct node *root);

#endif
