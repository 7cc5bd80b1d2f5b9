/* SPDX-License-Identifier: GPL-2.0-only */
/* Cgroups v2 by path and by the number BPF and the kernel know them by. */
#ifndef UTIL_CGROUP_H
#define UTIL_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/* `path` as in /proc/PID/cgroup ("/" is the root), or below the mount point. *level gets its depth,
 * the root being 0. -ENOENT: no such cgroup; -EOPNOTSUPP: cgroup v2 is not mounted. */
int cgroup_find(const char *path, uint64_t *id, uint32_t *level);

/* Opens the folder. The same errors. */
int cgroup_open(const char *path);

/* The reverse. -ESTALE or -ENOENT when it is gone; needs CAP_DAC_READ_SEARCH. */
int cgroup_path(uint64_t id, char *out, size_t size);

#endif
