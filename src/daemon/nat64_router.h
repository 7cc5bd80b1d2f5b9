/* SPDX-License-Identifier: GPL-2.0-only */
/* Routers, asked and heard on a raw ICMPv6 socket. */
#ifndef DAEMON_NAT64_ROUTER_H
#define DAEMON_NAT64_ROUTER_H

#include "pm/nat64.h"
#include "util/error.h"

/* Non-blocking; hears advertisements on every interface. -errno, with what to do about it. */
int nat64_router_open(struct error *e);
/* The next advertisement that RFC 4861 section 6.1.2 lets pass. -EAGAIN: there is none (any more);
 * -EBADMSG: one to be ignored. */
int nat64_router_read(int fd, int *ifindex, struct pm_nat64_advert *out);
/* Asks for one. -errno. */
int nat64_router_solicit(int fd, int ifindex);

#endif
