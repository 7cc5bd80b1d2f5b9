/* SPDX-License-Identifier: GPL-2.0-only */
/* Initial path selection in the thread's network namespace, as it is and as it is to be. */
#ifndef CLI_IPS_CHANGE_H
#define CLI_IPS_CHANGE_H

#include "loader/learn.h"
#include "pm/netns.h"
#include "pm/pm.h"

struct ips_change {
	struct pm_netns ns;
	struct loader_learn_space before, after;
	enum loader_outcome programs;	/* when it is to be */
	char trouble[ERROR_TEXT_BYTES]; /* with the file of what was learned; empty: none */
};

/* `policy` NULL: not to be. What cannot take part is noted in `plan`. Without the permission to
 * look, a namespace that is to be without it is taken to have none. */
int ips_change_plan(struct ips_change *i, const struct policy *policy,
		    const struct pm_kernel *kernel, const struct loader_config *c,
		    struct pm_plan *plan, struct error *e);
bool ips_change_none(const struct ips_change *i);

/* '+', '-' or '~', and what comes, goes or changes. */
char ips_change_sign(const struct ips_change *i);
void ips_change_describe(const struct ips_change *i, char *out, size_t size);

/*
 * The programs too: loaded, replaced, or removed with the last namespace. What was learned is put
 * back from its file, or saved there. A file that cannot be read or written is no failure: it ends
 * up in `trouble`.
 */
int ips_change_execute(struct ips_change *i, const struct loader_config *c, struct error *e);
/* `e` keeps the first reason. */
void ips_change_undo(struct ips_change *i, const struct loader_config *c, struct error *e);

#endif
