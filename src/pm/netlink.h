/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One request at a time over a netlink socket, with the kernel's own words on failure (extended
 * acknowledgement).
 */
#ifndef PM_NETLINK_H
#define PM_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/error.h"

#define PM_NETLINK_BYTES 8192

struct pm_netlink {
	struct mnl_socket *socket;
	uint32_t sequence;
};

/* Opens a socket for `bus` (NETLINK_ROUTE, NETLINK_GENERIC) in the thread's current network
 * namespace. */
int pm_netlink_open(struct pm_netlink *nl, int bus, struct error *e);
/* Idempotent. */
void pm_netlink_close(struct pm_netlink *nl);

/*
 * Sends `request` (NLM_F_ACK or NLM_F_DUMP set by the caller) and hands every answer to `each`,
 * which may be NULL, until the kernel says it is done. `what` is the attempt in words, for the
 * error: "add endpoint 10.0.0.1". Returns what `each` returned if negative, and -EPERM with a text
 * that names CAP_NET_ADMIN, -EEXIST, ... as the kernel answers. An interrupted dump is
 * -EAGAIN.
 */
int pm_netlink_call(struct pm_netlink *nl, struct nlmsghdr *request,
		    int (*each)(const struct nlmsghdr *answer, void *data), void *data,
		    const char *what, struct error *e);

/* The kernel's text in an NLMSG_ERROR or NLMSG_DONE message, or NULL; points into the message. */
const char *pm_netlink_extack(const struct nlmsghdr *answer);

#endif
