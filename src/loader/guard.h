/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard (bpf/guard/) in the kernel: for each network namespace, told by its cookie, a folder
 * BPFFS/mptcp-pm/guard/COOKIE with the maps of mptcp_guard.h and a tcx link for each interface,
 * link-IFINDEX. The links are what guards: a loader killed between two of its steps leaves
 * interfaces that are guarded and others that are not, and the next run finds that out.
 *
 * `netns` is the cookie; the calling thread has to be in that namespace to attach.
 */
#ifndef LOADER_GUARD_H
#define LOADER_GUARD_H

#include <linux/types.h>

#include "loader/loader.h"
#include "mptcp_guard.h"

struct loader_guard {
	uint32_t ifindex;
	struct mptcp_guard_config config;
};

/* The interfaces whose program is attached, by ifindex; none when there is no guard. *dead: there
 * is something else, of interfaces that are gone or that lost their program. */
int loader_guard_read(const struct loader_config *c, uint64_t netns,
		      struct loader_guard out[MPTCP_GUARD_IFS], size_t *nr, bool *dead,
		      struct error *e);

/* Loads the program without attaching it; the outcome is that of loader_guard_write(). */
int loader_guard_try(const struct loader_config *c, uint64_t netns, enum loader_outcome *outcome,
		     struct error *e);

/*
 * Makes these the guarded interfaces, by ifindex: programs are attached, replaced live, detached;
 * with none, nothing is left. On failure some may have been changed; write what was read before to
 * go back. Folders of namespaces whose interfaces are all gone are removed on the way.
 */
int loader_guard_write(const struct loader_config *c, uint64_t netns,
		       const struct loader_guard *guards, size_t nr, struct error *e);

/* Of one interface; -ENOENT when it is not guarded. */
int loader_guard_counters(const struct loader_config *c, uint64_t netns, uint32_t ifindex,
			  struct mptcp_guard_counters *out, struct error *e);

/* One of the maps, to be closed by the caller; -ENOENT when there is no guard. */
int loader_guard_map(const struct loader_config *c, uint64_t netns, const char *name);

/*
 * What the guard did not let through, from number *next on, oldest first, at most `max`; *next
 * becomes the number after the last, and 0 means from now on. Any number of readers may do so.
 * *lost: how many were overwritten before they were read. Returns how many it got; -ENOENT when
 * there is no guard.
 */
int loader_guard_events(const struct loader_config *c, uint64_t netns, uint64_t *next,
			struct mptcp_guard_event *out, size_t max, uint64_t *lost);

#endif
