/* SPDX-License-Identifier: GPL-2.0-only */
/* What apply and unload are about to do, or did. */
#ifndef CLI_CHANGES_H
#define CLI_CHANGES_H

#include "cli/cli.h"
#include "cli/parts.h"
#include "pm/pm.h"

/* A change of a scheduler's code rather than of the namespace. */
struct sched_change {
	char name[LOADER_NAME_BYTES]; /* empty: no scheduler is concerned */
	enum loader_outcome outcome;
};

/* All that differs. */
struct changes {
	const struct pm_plan *plan;
	const struct sched_change *scheds;
	size_t nr_scheds;
	const struct parts *parts; /* NULL: not concerned */
};

/* A diff: "+ add endpoint ... (reason)", "-", "~"; notices first. Silent with -q. */
void changes_print(struct cli *c, const struct changes *what);

/* The same as one object with what is known about the run. */
struct changes_report {
	const char *policy; /* NULL: unload */
	bool dry_run;
	const char *left_out; /* NULL: nothing */
	const char *restored; /* MPTCP, and why; NULL: it was not switched off */
	struct changes what;
	char (*unloaded)[LOADER_NAME_BYTES];
	size_t nr_unloaded;
};

void changes_json(struct cli *c, const struct changes_report *r);

/* True when nothing differs. */
bool changes_none(const struct changes *what);

/*
 * Unloads schedulers of ours that no namespace's policy names, that have no connections and that
 * are not `keep1` or `keep2`. *out gets the names (caller frees). The first failure is returned
 * after all have been tried.
 */
int unload_unused(const char *keep1, const char *keep2, char (**out)[LOADER_NAME_BYTES], size_t *nr,
		  struct error *e);

#endif
