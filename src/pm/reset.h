/* SPDX-License-Identifier: GPL-2.0-only */
/* Resets that say why (MP_TCPRST, RFC 8684 section 3.6). */
#ifndef PM_RESET_H
#define PM_RESET_H

#include <linux/types.h>

#include "mptcp_reset.h"
#include "pm/request.h"
#include "policy/policy.h"

#define PM_RESET_TEXT_BYTES 64

/* The interfaces that belong to a path, by ifindex: resets that leave there get their reason; none
 * when the policy emits none. -E2BIG when there are more than MPTCP_RESET_IFS. */
int pm_reset_interfaces(const struct policy *policy, const struct pm_interface *interfaces,
			size_t nr, uint32_t out[MPTCP_RESET_IFS], size_t *nr_out, struct error *e);

/* "give resets their reason on wlan0, wwan0". */
void pm_reset_describe(const uint32_t *ifs, size_t nr, char *out, size_t size);

/* Closes the subflow of a PM_SUBFLOW_DELETE with a reset of its reason; on failure it was not.
 * -ENOENT: it is gone. -ENXIO: nothing gives resets a reason in this namespace, whose cookie is
 * `netns`; "unspecified, not transient" needs nothing. */
int pm_reset_send(uint64_t netns, const struct pm_request *r, struct error *e);

/* "again after 30s, as a backup"; without `retry`: "left to the peer". */
void pm_reaction_describe(const struct policy_reaction *r, char *out, size_t size);

#endif
