/* SPDX-License-Identifier: GPL-2.0-only */
/* From the rules of a policy to those the selector reads, and to words. */
#ifndef PM_RULES_H
#define PM_RULES_H

#include <linux/types.h>

#include "mptcp_mark.h"
#include "mptcp_programs.h"
#include "mptcp_select.h"
#include "pm/pm.h"

#define PM_RULE_TEXT_BYTES 384

/* Whether rules choose among schedulers: not when all connections have the kernel's own. */
bool pm_rules_wanted(const struct policy *policy);

/*
 * Looks cgroups and users up; each combination of ranges of ports gives one. A rule whose cgroup
 * does not exist is left out, which is noted in `plan`. -EINVAL: no such user, or a cgroup deeper
 * than the module looks; -EOPNOTSUPP: cgroup v2 is not mounted.
 */
int pm_rules_make(const struct policy *policy,
		  struct mptcp_select_rule rules[MPTCP_SELECT_RULES_MAX], size_t *nr,
		  struct pm_plan *plan, struct error *e);

/* "rule 2: scheduler ecf for port 443, role server". */
void pm_rule_describe(const struct mptcp_select_rule *rule, char *out, size_t size);

/* Whether some connections get a mark. */
bool pm_marks_wanted(const struct policy *policy);
/* Their rules as above, then that for all other connections. */
int pm_marks_make(const struct policy *policy, struct mptcp_mark marks[MPTCP_MARKS_MAX], size_t *nr,
		  struct pm_plan *plan, struct error *e);
/* "rule 2: mark 16 (0x10) for port 443". */
void pm_mark_describe(const struct mptcp_mark *m, char *out, size_t size);

/* The same for programs: those a socket is made by. */
int pm_programs_make(const struct policy *policy, struct mptcp_program rules[MPTCP_PROGRAMS_MAX],
		     size_t *nr, struct pm_plan *plan, struct error *e);
/* "rule 2: mptcpify on for cgroup /a, executable curl". */
void pm_program_describe(const struct mptcp_program *rule, char *out, size_t size);

#endif
