/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resets with a reason (bpf/guard/reset.bpf.c) in the kernel: for each network namespace, told by
 * its cookie, a folder BPFFS/mptcp-pm/reset/COOKIE with the maps of mptcp_reset.h and a tcx link
 * for each interface, link-IFINDEX.
 *
 * `netns` is the cookie; the calling thread has to be in that namespace to attach.
 */
#ifndef LOADER_RESET_H
#define LOADER_RESET_H

#include <linux/types.h>

#include "loader/loader.h"
#include "mptcp_reset.h"

/* The interfaces whose program is attached, ascending; none when there is none. *dead: there is
 * something else, of interfaces that are gone or that lost their program. */
int loader_reset_read(const struct loader_config *c, uint64_t netns, uint32_t out[MPTCP_RESET_IFS],
		      size_t *nr, bool *dead, struct error *e);

/* Loads the program without attaching it; the outcome is that of loader_reset_write(). */
int loader_reset_try(const struct loader_config *c, uint64_t netns, enum loader_outcome *outcome,
		     struct error *e);

/* Makes these the interfaces: programs are attached, replaced live, detached; with none, nothing is
 * left. On failure some may have been changed; write what was read before to go back. */
int loader_reset_write(const struct loader_config *c, uint64_t netns, const uint32_t *ifs,
		       size_t nr, struct error *e);

/* A reset of this subflow within MPTCP_RESET_TTL_NS leaves with this reason. -ENOENT: no program
 * is attached in this namespace. */
int loader_reset_want(const struct loader_config *c, uint64_t netns,
		      const struct mptcp_reset_key *key, uint8_t reason, bool transient,
		      struct error *e);

/* Of one interface; -ENOENT when it has no program. */
int loader_reset_counters(const struct loader_config *c, uint64_t netns, uint32_t ifindex,
			  struct mptcp_reset_counters *out);

#endif
