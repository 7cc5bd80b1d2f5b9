/* SPDX-License-Identifier: GPL-2.0-only */
/* From a policy and what this machine has to the settings of SYN rescue (bpf/establish/). */
#ifndef PM_RESCUE_SETTINGS_H
#define PM_RESCUE_SETTINGS_H

#include <linux/types.h>

#include "mptcp_rescue.h"
#include "pm/pm.h"

struct pm_rescue_facts {
	uint64_t netns_cookie;
	const struct pm_interface *interfaces;
	size_t nr_interfaces;
	bool *strict;				    /* by interface: IPv4 reverse path filter 1 */
	uint16_t local_port_first, local_port_last; /* what the kernel gives to sockets */
	uint32_t ticks_per_s;
};

/* What is not in the interfaces, which are borrowed. Free with pm_rescue_facts_clear(). */
int pm_rescue_facts_read(struct pm_rescue_facts *f, const struct pm_interface *interfaces,
			 size_t nr, struct error *e);

/* Idempotent. */
void pm_rescue_facts_clear(struct pm_rescue_facts *f);

/* Pure. Best paths first; those left out, and why, are noted in `plan`. -ENOMEM. */
int pm_rescue_settings_make(const struct policy *policy, const struct pm_rescue_facts *f,
			    struct rescue_config *out, struct pm_plan *plan);

/* Does the policy ask for SYNs on other paths, or for a say in which SYNs carry data? One of them
 * is enough to want the programs. */
bool pm_rescue_copies(const struct policy *policy);
bool pm_rescue_looks_at_data(const struct policy *policy);
bool pm_rescue_wanted(const struct policy *policy);

/* How many retransmitted SYNs have to ask for MPTCP so that it is given up no sooner than by the
 * kernel alone, which repeats a SYN each second; 0: SYNs are not repeated sooner. Pure. */
int pm_rescue_syn_retries(const struct policy *policy);

/* IPv4 is mapped. */
void pm_rescue_address(const struct pm_address *from, struct rescue_address *to);
void pm_rescue_address_back(const struct rescue_address *from, struct pm_address *to);

#endif
