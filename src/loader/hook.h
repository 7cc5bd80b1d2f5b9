/* SPDX-License-Identifier: GPL-2.0-only */
/* The cgroup that programs for sockets are attached to. */
#ifndef LOADER_HOOK_H
#define LOADER_HOOK_H

#include <stdint.h>

#include "util/error.h"

/* The root of cgroup v2, or the cgroup in $MPTCP_PM_CGROUP: opened, and its number. `what` is what
 * is to be attached, for messages. -EOPNOTSUPP: cgroup v2 is not mounted. */
int hook_cgroup_open(const char *what, uint64_t *id, struct error *e);

#endif
