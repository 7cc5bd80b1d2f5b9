// SPDX-License-Identifier: GPL-2.0-only
/*
 * Router advertisements; see nat64_router.h. The kernel hands PREF64 on by netlink
 * (RTNLGRP_ND_USEROPT), but not where accept_ra is 0, as it is where a network manager listens in
 * its place; a raw socket hears them in any case.
 */
#include "daemon/nat64_router.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/cleanup.h"

#define HOPS_FROM_LINK 255 /* what no router has passed on */
#define MESSAGE_MAX    4096
#define CONTROL_BYTES  256

static int prepare(int fd)
{
	struct icmp6_filter filter;
	int yes = 1, hops = HOPS_FROM_LINK;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_ROUTER_ADVERT, &filter);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) < 0)
		return -errno;
	return 0;
}

int nat64_router_open(struct error *e)
{
	_cleanup_close_ int fd =
		socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	int err = fd < 0 ? -errno : prepare(fd);

	if (err < 0) {
		error_set(e, err, "cannot listen to router advertisements: %s", strerror(-err));
		return error_hint(e, "it needs CAP_NET_RAW; nat64 goes by what else the policy "
				     "says");
	}
	return TAKE_FD(fd);
}

struct arrival {
	int ifindex, hops;
};

static struct arrival read_control(struct msghdr *m)
{
	struct arrival a = { .hops = -1 };
	struct in6_pktinfo info;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			a.ifindex = (int)info.ipi6_ifindex;
		} else if (c->cmsg_type == IPV6_HOPLIMIT) {
			memcpy(&a.hops, CMSG_DATA(c), sizeof(a.hops));
		}
	}
	return a;
}

int nat64_router_read(int fd, int *ifindex, struct pm_nat64_advert *out)
{
	uint8_t message[MESSAGE_MAX];
	char control[CONTROL_BYTES] __attribute__((aligned(8)));
	struct iovec part = { message, sizeof(message) };
	struct sockaddr_in6 from = { 0 };
	struct msghdr m = { .msg_name = &from,
			    .msg_namelen = sizeof(from),
			    .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t size = recvmsg(fd, &m, MSG_DONTWAIT);
	struct arrival a;

	if (size < 0)
		return errno == EINTR ? -EBADMSG : -EAGAIN;
	a = read_control(&m);
	if ((m.msg_flags & MSG_TRUNC) || a.hops != HOPS_FROM_LINK ||
	    !IN6_IS_ADDR_LINKLOCAL(&from.sin6_addr))
		return -EBADMSG;
	*ifindex = a.ifindex;
	return pm_nat64_advert_parse(message, (size_t)size, out);
}

int nat64_router_solicit(int fd, int ifindex)
{
	const struct nd_router_solicit message = { .nd_rs_type = ND_ROUTER_SOLICIT };
	/* All routers of the link: ff02::2 */
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
				   .sin6_addr = { { { 0xff, 2, [15] = 2 } } },
				   .sin6_scope_id = (uint32_t)ifindex };

	if (sendto(fd, &message, sizeof(message), MSG_NOSIGNAL, (struct sockaddr *)&to,
		   sizeof(to)) < 0)
		return -errno;
	return 0;
}
