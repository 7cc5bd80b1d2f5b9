// SPDX-License-Identifier: GPL-2.0-only
/* Joining mptcp_pm_events and reading from it; see event_socket.h. */
#include "pm/event_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_BYTES (8 << 20) /* some 10000 events */

static int refused(int code, struct error *e)
{
	if (code != -EPERM && code != -EACCES)
		return error_set(e, code, "cannot watch MPTCP events: %s", strerror(-code));
	error_set(e, -EPERM, "no permission to watch MPTCP events: CAP_NET_ADMIN missing");
	error_hint(e, "run it with sudo");
	return -EPERM;
}

int pm_event_socket_open(struct pm_event_socket *s, struct error *e)
{
	int err = pm_mptcp_open(&s->m, e), bytes = BUFFER_BYTES, fd;
	unsigned int group = s->m.event_group;

	if (err < 0)
		return err;
	if (!group) {
		pm_event_socket_close(s);
		return error_set(e, -EOPNOTSUPP, "this kernel's MPTCP path manager has no events");
	}
	fd = pm_event_socket_fd(s);
	/* Without CAP_NET_ADMIN where the namespace belongs, net.core.rmem_max is the most. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (mnl_socket_setsockopt(s->m.nl.socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
	    0) {
		err = -errno;
		pm_event_socket_close(s);
		return refused(err, e);
	}
	return 0;
}

void pm_event_socket_close(struct pm_event_socket *s)
{
	pm_mptcp_close(&s->m);
}

int pm_event_socket_fd(const struct pm_event_socket *s)
{
	return mnl_socket_get_fd(s->m.nl.socket);
}

int pm_event_socket_read(struct pm_event_socket *s,
			 void (*each)(const struct pm_event *event, void *data), void *data)
{
	char buffer[PM_NETLINK_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct sockaddr_nl from = { 0 };
	socklen_t from_size = sizeof(from);
	ssize_t size = recvfrom(pm_event_socket_fd(s), buffer, sizeof(buffer),
				MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &from_size);
	const struct nlmsghdr *m = (const struct nlmsghdr *)buffer;
	int left = (int)size, err = 0;

	if (size < 0)
		return -errno;
	/* Anyone may write to a netlink socket. */
	if (from.nl_pid)
		return 0;
	if ((size_t)size > sizeof(buffer))
		return -EBADMSG;
	for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
		struct pm_event event;

		if (m->nlmsg_type != s->m.family)
			continue;
		if (pm_decode_event(m, &event) < 0)
			err = -EBADMSG;
		else
			each(&event, data);
	}
	return left ? -EBADMSG : err;
}
