/* SPDX-License-Identifier: GPL-2.0-only */
/* Data in the SYN: from a policy to net.ipv4.tcp_fastopen. Pure. */
#ifndef PM_FASTOPEN_H
#define PM_FASTOPEN_H

#include <stdbool.h>

#include "policy/policy.h"

/* Bits of net.ipv4.tcp_fastopen; include/net/tcp.h, TFO_*. */
#define PM_FASTOPEN_CLIENT	     0x1
#define PM_FASTOPEN_SERVER	     0x2
#define PM_FASTOPEN_CLIENT_NO_COOKIE 0x4
#define PM_FASTOPEN_SERVER_NO_COOKIE 0x200
#define PM_FASTOPEN_SERVER_ALL	     0x400 /* listeners that did not ask, too */

/* Does the policy say anything about the sysctl? */
bool pm_fastopen_wanted(const struct policy *policy);

/* What it is to be when it was `before`: the side that the policy does not name stays as it is. */
int pm_fastopen_bits(const struct policy_tfo *tfo, int before);

#endif
