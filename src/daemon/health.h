/* SPDX-License-Identifier: GPL-2.0-only */
/* How often a policy wants to know how paths do, and whether there is news. */
#ifndef DAEMON_HEALTH_H
#define DAEMON_HEALTH_H

#include "policy/policy.h"

struct health_wish {
	bool wanted; /* by some mode in use */
	uint32_t period_ms, alpha_permille;
};

/* The first of the modes in use counts where they differ. */
struct health_wish health_wish(const struct policy *p);

/* /proc/net/snmp of the thread's namespace, to be closed; -1: cannot be read. */
int health_open_counters(void);
/* Segments of TCP, sent, received and sent again. 0: not known. */
uint64_t health_count_segments(int counters);

/* How long to wait after a look that took so long, so that looking takes little of the time. */
uint64_t health_pause_ms(const struct health_wish *w, uint64_t cost_us);

#endif
