/* SPDX-License-Identifier: GPL-2.0-only */
/* Capabilities, looked at before anything is touched. */
#ifndef UTIL_CAPS_H
#define UTIL_CAPS_H

#include <stdint.h>

#include "util/error.h"

enum cap {
	CAP_BIT_NET_ADMIN = 1 << 0,
	CAP_BIT_BPF = 1 << 1,
	CAP_BIT_SYS_ADMIN = 1 << 2,
	CAP_BIT_SYS_MODULE = 1 << 3,
	CAP_BIT_PERFMON = 1 << 4,
};

/* -EPERM naming what is missing of `needed` for `what`, e.g. "apply a policy". */
int caps_need(unsigned int needed, const char *what, struct error *e);

/* The same for a given effective set, a bit mask as in /proc/PID/status. */
int caps_check(uint64_t effective, unsigned int needed, const char *what, struct error *e);

#endif
