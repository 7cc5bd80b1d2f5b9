/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What initial path selection learned, kept in a file: /var/lib/mptcp-pm/learned for the network
 * namespace of process 1, where it outlives a reboot, and learned-INODE for others, where it
 * does not (folder overridable by MPTCP_PM_STATE_DIR, for tests). Interfaces have their names in it
 * and times are those of the wall clock.
 */
#ifndef PM_LEARNED_H
#define PM_LEARNED_H

#include <stdio.h>

#include "loader/learn.h"
#include "pm/netns.h"

#define PM_BOOT_ID_BYTES 40

/* Who wrote the file; empty and 0 where that does not matter. */
struct pm_learned_origin {
	char boot[PM_BOOT_ID_BYTES];
	uint64_t cookie;
};

/* What decoding and encoding need to know. `offset_ms` is what is added to a time of a row to get
 * the wall clock. */
struct pm_learned_facts {
	const struct pm_learned_origin *origin;
	int64_t offset_ms;
	uint64_t cookie;
	/* Interfaces, by name and number; 0 and NULL when there is none. */
	unsigned int (*number)(const char *name);
	const char *(*name)(unsigned int number, char *buffer);
};

/* Rows of interfaces that are gone are left out. */
void pm_learned_encode(FILE *out, const struct pm_learned_facts *f,
		       const struct loader_learn_row *rows, size_t nr);

/* -EBADMSG: not such a file, or cut short; -ESTALE: of another namespace. Rows of interfaces that
 * are not there are left out. The caller frees *out. */
int pm_learned_decode(char *text, const struct pm_learned_facts *f, struct loader_learn_row **out,
		      size_t *nr);

/* No file, or one of another namespace, has no rows. -EBADMSG says so in `e` and is no reason to
 * stop: the next pm_learned_save() replaces it. */
int pm_learned_load(const struct pm_netns *ns, struct loader_learn_row **out, size_t *nr,
		    struct error *e);
int pm_learned_save(const struct pm_netns *ns, const struct loader_learn_row *rows, size_t nr,
		    struct error *e);

#endif
