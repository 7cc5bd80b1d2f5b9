/* SPDX-License-Identifier: GPL-2.0-only */
/* Resets that say why (MP_TCPRST, RFC 8684 section 3.6). */
#ifndef PM_RESET_H
#define PM_RESET_H

#include "pm/request.h"
#include "policy/policy.h"

#define PM_RESET_TEXT_BYTES 64

/* Closes the subflow of a PM_SUBFLOW_DELETE with a reset of its reason. -ENOENT: it is gone.
 * -ENXIO: nothing gives resets a reason in this namespace, whose cookie is `netns`, and it was not
 * reset; "unspecified, not transient" needs nothing. */
int pm_reset_send(uint64_t netns, const struct pm_request *r, struct error *e);

/* "again after 30 s, as a backup". */
void pm_reaction_describe(const struct policy_reaction *r, char *out, size_t size);

#endif
