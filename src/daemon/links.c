// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links, addresses and default routes, by rtnetlink. A message says that something changed; what
 * there is now is read anew, at once, for all messages that are there. That a link went down is
 * acted upon before: reading waits for a lock that the kernel holds for tens of milliseconds while,
 * somewhere, a namespace or an interface goes.
 */
#include "daemon/source.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "pm/netlink.h"

#define BUFFER_BYTES (1 << 20)
#define READS_MAX    1024

struct links {
	struct pm_netlink nl;
};

static const unsigned int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				       RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE };

struct changed {
	bool interfaces, routes;
	bool down; /* a link that was up, and nothing came up */
};

static void look_at_link(struct daemon *d, const struct nlmsghdr *m, struct changed *what)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	bool up;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*info))
		return;
	up = m->nlmsg_type == RTM_NEWLINK && (info->ifi_flags & IFF_UP) &&
	     (info->ifi_flags & IFF_LOWER_UP);
	for (size_t i = 0; i < d->nr_interfaces; i++) {
		struct pm_interface *it = &d->interfaces[i];

		if (it->ifindex != info->ifi_index)
			continue;
		what->down = !up && (it->up || what->down);
		it->up = it->up && up;
	}
}

/* A subflow that could not be made for want of a route can be when there is one: those to
 * everywhere. */
static void look(struct daemon *d, const struct nlmsghdr *m, struct changed *what)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(m);

	switch (m->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		look_at_link(d, m, what);
		what->interfaces = true;
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		what->interfaces = true;
		break;
	case RTM_NEWROUTE:
		if (mnl_nlmsg_get_payload_len(m) >= sizeof(*route) && !route->rtm_dst_len)
			what->routes = true;
		break;
	}
}

static void read_messages(int fd, uint32_t events, void *data)
{
	char buffer[PM_NETLINK_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct changed what = { 0 };
	struct daemon *d = data;

	(void)events;
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t size = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		const struct nlmsghdr *m = (const struct nlmsghdr *)buffer;
		int left = (int)size;

		if (size < 0 && errno == ENOBUFS)
			what.interfaces = what.routes = true;
		else if (size < 0 && errno != EINTR)
			break;
		for (; size > 0 && mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			look(d, m, &what);
	}
	if (what.down)
		daemon_tell_interfaces(d);
	if (what.interfaces || what.routes)
		daemon_read_interfaces(d, what.routes);
}

static void close_links(struct daemon *d, void *state)
{
	struct links *l = state;

	if (l && l->nl.socket) {
		loop_fd_remove(d->loop, mnl_socket_get_fd(l->nl.socket));
		pm_netlink_close(&l->nl);
	}
	free(l);
}

static int open_links(struct daemon *d, void **state, struct error *e)
{
	struct links *l = calloc(1, sizeof(*l));
	int bytes = BUFFER_BYTES, err, fd;

	*state = l;
	if (!l)
		return error_set(e, -ENOMEM, "cannot watch the network interfaces: out of memory");
	err = pm_netlink_open(&l->nl, NETLINK_ROUTE, e);
	if (err < 0)
		return err;
	fd = mnl_socket_get_fd(l->nl.socket);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	for (size_t i = 0; err == 0 && i < sizeof(groups) / sizeof(groups[0]); i++) {
		unsigned int group = groups[i];

		if (mnl_socket_setsockopt(l->nl.socket, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0)
			err = -errno;
	}
	if (err == 0)
		err = loop_fd_add(d->loop, fd, EPOLLIN, read_messages, d);
	if (err < 0)
		return error_set(e, err, "cannot watch the network interfaces: %s", strerror(-err));
	return 0;
}

const struct daemon_source source_links = {
	.name = "links",
	.open = open_links,
	.close = close_links,
};
