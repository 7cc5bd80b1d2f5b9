/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is ours in a network namespace, kept in /run/mptcp-pm/netns-INODE (folder overridable by
 * MPTCP_PM_STATE_DIR, for tests). Lines of key=value; a file replaces its predecessor by rename, so
 * a reader sees the old or the new one. The boot id and the namespace's cookie tell a file of an
 * earlier boot, or of a dead namespace with the same inode, from a current one.
 */
#ifndef PM_STATE_H
#define PM_STATE_H

#include <stdio.h>

#include "pm/netns.h"
#include "pm/pm.h"

#define PM_BOOT_BYTES 40

struct pm_state {
	char boot[PM_BOOT_BYTES];
	uint64_t cookie;
	uint64_t generation;
	char policy[POLICY_NAME_BYTES];
	char scheduler[POLICY_SCHEDULER_BYTES]; /* named by the policy */
	struct pm_limits saved_limits;
	char saved_scheduler[POLICY_SCHEDULER_BYTES];
	struct pm_limits set_limits[PM_SET_MAX];
	size_t nr_set_limits;
	char set_scheduler[PM_SET_MAX][POLICY_SCHEDULER_BYTES];
	size_t nr_set_scheduler;
	int saved_syn_retries, set_syn_retries[PM_SET_MAX];
	size_t nr_set_syn_retries;
	int saved_fastopen, set_fastopen[PM_SET_MAX];
	size_t nr_set_fastopen;
	char saved_manager[PM_MANAGER_BYTES];
	char set_manager[PM_SET_MAX][PM_MANAGER_BYTES];
	size_t nr_set_manager;
	struct pm_endpoint *endpoints; /* ours; id 0: about to be added, id not known */
	size_t nr_endpoints;
};

const char *pm_state_folder(void);

/* The boot id; empty when it cannot be read. */
void pm_state_boot(char out[PM_BOOT_BYTES]);

/* Idempotent. */
void pm_state_clear(struct pm_state *s);

/* Pure. Decoding wants "end" as the last line and understands every other one, or answers -EBADMSG
 * and leaves *out untouched. */
void pm_state_encode(FILE *out, const struct pm_state *s);
int pm_state_decode(char *text, struct pm_state *out);

int pm_state_add_endpoint(struct pm_state *s, const struct pm_endpoint *ep);
bool pm_state_owns(const struct pm_state *s, const struct pm_endpoint *ep);

/* A missing, stale or unreadable-as-state file is an empty state. */
int pm_state_read(const struct pm_netns *ns, struct pm_state *out, struct error *e);
/* Fills boot id and cookie in. */
int pm_state_write(const struct pm_netns *ns, struct pm_state *s, struct error *e);
int pm_state_remove(const struct pm_netns *ns, struct error *e);
/* The descriptor to close for unlocking, or -EBUSY. */
int pm_state_lock(struct error *e);

#endif
