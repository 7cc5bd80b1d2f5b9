/* SPDX-License-Identifier: GPL-2.0-only */
/* How often a policy wants to know how paths do. */
#ifndef DAEMON_HEALTH_H
#define DAEMON_HEALTH_H

#include "policy/policy.h"

struct health_wish {
	bool wanted; /* by some mode in use */
	uint32_t period_ms, alpha_permille;
};

/* The first of the modes in use counts where they differ. */
struct health_wish health_wish(const struct policy *p);

#endif
