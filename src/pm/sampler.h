/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How paths do, from one list of connections after the other (pm/diag.h): what support level 0 has
 * in place of the oracle. Averages are over all subflows from an address, and over time. Pure.
 */
#ifndef PM_SAMPLER_H
#define PM_SAMPLER_H

#include "pm/engine.h"

struct pm_sampler;

/* NULL: no memory. */
struct pm_sampler *pm_sampler_new(void);
/* Idempotent. */
void pm_sampler_free(struct pm_sampler **s);

struct pm_sample {
	struct pm_health paths[PM_SOURCES_MAX]; /* addresses that have a subflow */
	size_t nr;
	bool idle; /* nothing moved since the sample before, and nothing is on its way */
};

/*
 * Addresses that no interface has are left out. `alpha_permille` is the weight of this sample in
 * the averages; what is known of a path for the first time counts in full. Changes (resent, rate)
 * need a sample before. -ENOMEM: as if this sample had not been taken.
 */
int pm_sampler_take(struct pm_sampler *s, const struct pm_connections *all,
		    const struct pm_interface *interfaces, size_t nr_interfaces,
		    uint32_t alpha_permille, uint64_t now_ms, struct pm_sample *out);

#endif
