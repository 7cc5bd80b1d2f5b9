/* SPDX-License-Identifier: GPL-2.0-only */
/* What was counted; private to caps.c and caps_file.c. */
#ifndef PM_CAPS_LEDGER_H
#define PM_CAPS_LEDGER_H

#include "pm/caps.h"

#define CAPS_ENTRIES_MAX  512
#define CAPS_PERIODS_KEPT 8 /* of a path and a kind of period: those used last */
#define CAPS_COUNTERS_MAX 256

/* Names outlive the policy that they come from. */
struct caps_entry {
	char path[POLICY_NAME_BYTES];
	enum policy_period per;
	uint32_t period; /* as pm_calendar_period() */
	uint64_t bytes;
	uint64_t told_bytes; /* the largest cap that was told of */
};

/* Where an interface's counter was. */
struct caps_baseline {
	char interface[IF_NAMESIZE];
	int ifindex; /* 0: of another boot */
	uint64_t bytes;
};

struct pm_caps {
	const struct policy *policy;
	struct caps_entry *entries; /* the one used last is last */
	size_t nr_entries;
	struct caps_baseline *baselines;
	size_t nr_baselines;
	time_t believed; /* the newest time that the clock had when it was set */
	bool changed;
};

/* Copies; -ENOMEM, -ENOSPC. */
int caps_add_entry(struct pm_caps *c, const struct caps_entry *entry);
int caps_add_baseline(struct pm_caps *c, const struct caps_baseline *baseline);
/* Leaves the policy. */
void caps_forget(struct pm_caps *c);

#endif
