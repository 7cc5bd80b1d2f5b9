/* SPDX-License-Identifier: GPL-2.0-only */
/* Mistakes that no value shows on its own: keys that are right but do not go together. */
#ifndef POLICY_CHECK_H
#define POLICY_CHECK_H

#include "policy/grammar.h"

/* The scheduler of the default rule, and of one with conditions: its own, that of its mode, the one
 * at the top, or that of the default rule; may have no name. */
const struct policy_scheduler *draft_default_scheduler(const struct draft *d);
const struct policy_scheduler *draft_rule_scheduler(const struct draft *d,
						    const struct policy_rule *rule);

/* Starts with the built-in modes as they are. */
void modes_init(struct draft *d);
/* Gives modes that stand for a scheduler the one they stand for, where none is named. */
void modes_imply_schedulers(struct parse *p);
/* Finds the modes and paths that rules and caps name. */
void refer(struct parse *p);

/* Takes a rule that is for programs, and leaves it empty; false: it is for connections. A broken
 * one is not compared with others. */
bool take_program(struct parse *p, const struct node *n, struct policy_rule *rule, bool broken);

/* The part of it that is about rules for connections. */
void check_rules(struct parse *p);

/* The part that is about marks. */
void check_marks(struct parse *p);

/* The same for the guard. */
void check_guard(struct parse *p, const struct node *root);
/* And for resets. */
void check_reset(struct parse *p, const struct node *root);
/* And for a NAT64. */
void check_nat64(struct parse *p, const struct node *root);
/* And for data in the SYN. */
void check_tfo(struct parse *p, const struct node *root);
/* The part that is about caps. */
void check_caps(struct parse *p);

/* The part that is about establishment. */
void check_establish(struct parse *p, const struct node *root);

/* Reports to p->diagnostics. Parts with mistakes of their own are not compared with others. */
void check_combinations(struct parse *p, const struct node *root);

#endif
