/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's counters of the thread's network namespace, as nstat(8) shows them. */
#ifndef PM_COUNTERS_H
#define PM_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* Those of one group ("TcpExt", "MPTcpExt") by their names; 0 when the kernel does not count it. */
int pm_counters_read(const char *group, const char *const names[], uint64_t values[], size_t nr,
		     struct error *e);

#endif
