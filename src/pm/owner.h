/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose a connection is: what rules ask for and events do not tell. From the socket diagnostics of
 * that one connection (net/mptcp/mptcp_diag.c). */
#ifndef PM_OWNER_H
#define PM_OWNER_H

#include "pm/netlink.h"

struct pm_owner {
	uint32_t uid;
	uint64_t cgroup; /* see util/cgroup.h; 0: not known */
};

/* `nl` is open on NETLINK_SOCK_DIAG. -ENOENT: no such connection in the namespace of `nl`. */
int pm_owner_read(struct pm_netlink *nl, uint32_t token, struct pm_owner *out, struct error *e);

struct nlmsghdr *pm_encode_owner(char *buffer, uint32_t token);
/* -EBADMSG, and *out untouched, for a message that is too short or malformed. */
int pm_decode_owner(const struct nlmsghdr *m, struct pm_owner *out);

#endif
