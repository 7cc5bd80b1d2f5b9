/* SPDX-License-Identifier: GPL-2.0-only */
/* Mistakes that no value shows on its own: keys that are right but do not go together. */
#ifndef POLICY_CHECK_H
#define POLICY_CHECK_H

#include "policy/grammar.h"

/* The scheduler of a rule: its own, that of its mode, or the one at the top; may have no name. */
const struct policy_scheduler *draft_scheduler(const struct draft *d, enum policy_mode_kind mode,
					       const struct policy_scheduler *own);

/* The part of it that is about rules for connections. */
void check_rules(struct parse *p);

/* The part that is about establishment. */
void check_establish(struct parse *p, const struct node *root);

/* Reports to p->diagnostics. Parts with mistakes of their own are not compared with others. */
void check_combinations(struct parse *p, const struct node *root);

#endif
