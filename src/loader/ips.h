/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Initial path selection in the kernel: the programs of bpf/establish/ips and learn, attached to
 * the root of cgroup v2 (or to the cgroup in $MPTCP_PM_CGROUP) by pinned links, and their maps, all
 * in BPFFS/mptcp-pm/establish. A network namespace takes part from the moment it is written to the
 * map `namespaces`, so that programs without it, left by a loader that was killed, do nothing.
 */
#ifndef LOADER_IPS_H
#define LOADER_IPS_H

#include "loader/loader.h"

/* Loads and attaches the programs, or replaces them live; what was learned is kept. With `dry_run`
 * nothing is changed. -EOPNOTSUPP names what the kernel refused. */
int loader_ips_load(const struct loader_config *c, bool dry_run, enum loader_outcome *outcome,
		    struct error *e);

/* Removes the programs and their maps when no namespace takes part. `alive` says whether a
 * namespace exists; the entries of those that do not are removed. */
int loader_ips_unload_unused(const struct loader_config *c,
			     bool (*alive)(uint64_t inode, uint64_t cookie), struct error *e);

#endif
