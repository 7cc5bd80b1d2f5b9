/* SPDX-License-Identifier: GPL-2.0-only */
/* The sysctls of net.mptcp, and one of net.ipv4, in the calling thread's network namespace. */
#ifndef PM_SYSCTL_H
#define PM_SYSCTL_H

#include <stddef.h>

#include "pm/pm.h"
#include "util/error.h"

/* `name` is the part after net.mptcp. The value comes without the newline. -EOPNOTSUPP when the
 * kernel has no such sysctl. */
int pm_sysctl_read(const char *name, char *out, size_t size, struct error *e);

/* The same for writing, without a newline too. */
int pm_sysctl_write(const char *name, const char *value, struct error *e);

#define PM_SYSCTL_SYN_RETRIES "syn_retrans_before_tcp_fallback"

/* net.ipv4.tcp_fastopen, see tcp(7); -1: this kernel has none, or it cannot be read. */
void pm_sysctl_fastopen(int *out);
int pm_sysctl_set_fastopen(int bits, struct error *e);

/* net.mptcp.scheduler for new connections. -ENOENT with the list of available schedulers in the
 * hint when the kernel does not know it. */
int pm_sysctl_set_scheduler(const char *scheduler, struct error *e);

/* Who opens subflows of new connections: "kernel" or "userspace", under whatever name this kernel
 * keeps it (path_manager since 6.15, pm_type before). */
int pm_sysctl_manager(char out[PM_MANAGER_BYTES], struct error *e);
int pm_sysctl_set_manager(const char *manager, struct error *e);

#endif
