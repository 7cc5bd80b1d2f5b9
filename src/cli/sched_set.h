/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF schedulers a policy names, the default one first, each once. */
#ifndef CLI_SCHED_SET_H
#define CLI_SCHED_SET_H

#include "cli/changes.h"

#define SCHED_SET_MAX (POLICY_RULES_MAX + 1)

struct sched_set {
	const struct policy_scheduler *from[SCHED_SET_MAX];
	struct sched_change changes[SCHED_SET_MAX];
	bool loaded[SCHED_SET_MAX]; /* by us, just now */
	size_t nr;
};

/* Borrows from the policy. */
void sched_set_init(struct sched_set *s, const struct policy *policy);
bool sched_set_has(const struct sched_set *s, const char *name);

/* What would happen to each; nothing is changed. */
int sched_set_try(struct sched_set *s, const struct loader_config *c, struct error *e);
/* Those that do not run yet. */
int sched_set_load(struct sched_set *s, const struct loader_config *c, struct error *e);
/* Those that run with other code or settings. */
int sched_set_swap(struct sched_set *s, const struct loader_config *c, struct error *e);
/* Takes sched_set_load() back; `e` keeps the first reason. */
void sched_set_undo(struct sched_set *s, const struct loader_config *c, struct error *e);

#endif
