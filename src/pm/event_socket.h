/* SPDX-License-Identifier: GPL-2.0-only */
/* A socket that hears the events of the kernel's path manager. */
#ifndef PM_EVENT_SOCKET_H
#define PM_EVENT_SOCKET_H

#include "pm/event.h"
#include "pm/mptcp_pm.h"

struct pm_event_socket {
	struct pm_mptcp m;
};

/* Hears what happens in the thread's network namespace from now on. -EPERM without CAP_NET_ADMIN,
 * -EOPNOTSUPP when this kernel has no such events. */
int pm_event_socket_open(struct pm_event_socket *s, struct error *e);
/* Idempotent. */
void pm_event_socket_close(struct pm_event_socket *s);

/* For poll(). */
int pm_event_socket_fd(const struct pm_event_socket *s);

/*
 * Reads once and hands what it got, if anything, to `each`. 0, or: -EAGAIN there is nothing to
 * read; -ENOBUFS events were lost, which the kernel says once, before those it still had room for;
 * -EBADMSG one made no sense and was passed over; -EINTR. Anything else is fatal.
 */
int pm_event_socket_read(struct pm_event_socket *s,
			 void (*each)(const struct pm_event *event, void *data), void *data);

#endif
