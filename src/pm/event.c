// SPDX-License-Identifier: GPL-2.0-only
/* Events from netlink attributes; see event.h. */
#include "pm/event.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/mptcp.h>
#include <stddef.h>
#include <string.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))

#define FIELD(attribute, member)                                      \
	{                                                             \
		attribute, 0, sizeof(((struct pm_event *)0)->member), \
			offsetof(struct pm_event, member)             \
	}
#define ADDRESS(attribute, af, side)                                                               \
	{                                                                                          \
		attribute, af, (af) == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr), \
			offsetof(struct pm_event, at.side)                                         \
	}

static const struct field {
	uint16_t attribute;
	sa_family_t family; /* of an address; 0: a plain number */
	size_t size, offset;
} fields[] = {
	FIELD(MPTCP_ATTR_TOKEN, token),
	FIELD(MPTCP_ATTR_LOC_ID, local_id),
	FIELD(MPTCP_ATTR_REM_ID, remote_id),
	ADDRESS(MPTCP_ATTR_SADDR4, AF_INET, local),
	ADDRESS(MPTCP_ATTR_SADDR6, AF_INET6, local),
	ADDRESS(MPTCP_ATTR_DADDR4, AF_INET, remote),
	ADDRESS(MPTCP_ATTR_DADDR6, AF_INET6, remote),
	FIELD(MPTCP_ATTR_SPORT, at.local_port),
	FIELD(MPTCP_ATTR_DPORT, at.remote_port),
	FIELD(MPTCP_ATTR_BACKUP, backup),
	FIELD(MPTCP_ATTR_ERROR, error),
	FIELD(MPTCP_ATTR_FLAGS, flags),
	FIELD(MPTCP_ATTR_TIMEOUT, timeout),
	FIELD(MPTCP_ATTR_IF_IDX, ifindex),
	FIELD(MPTCP_ATTR_RESET_REASON, reset_reason),
	FIELD(MPTCP_ATTR_RESET_FLAGS, reset_flags),
	FIELD(MPTCP_ATTR_SERVER_SIDE, server_side),
};

static void take_attribute(const struct nlattr *a, struct pm_event *e)
{
	for (size_t i = 0; i < NR(fields); i++) {
		const struct field *f = &fields[i];
		char *to = (char *)e + f->offset;

		if (mnl_attr_get_type(a) != f->attribute || mnl_attr_get_payload_len(a) != f->size)
			continue;
		if (f->family) {
			struct pm_address *address = (struct pm_address *)to;

			address->family = f->family;
			to = f->family == AF_INET ? (char *)&address->v4 : (char *)&address->v6;
		}
		memcpy(to, mnl_attr_get_payload(a), f->size);
		e->present |= 1u << f->attribute;
	}
}

int pm_decode_event(const struct nlmsghdr *m, struct pm_event *out)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(m);
	struct pm_event e = { 0 };
	const struct nlattr *a;

	/* The kernel's messages end at a word; libmnl would read beyond one that does not. */
	if (m->nlmsg_len < NLMSG_HDRLEN + sizeof(*genl) || m->nlmsg_len % NLMSG_ALIGNTO)
		return -EBADMSG;
	e.type = genl->cmd;
	mnl_attr_for_each(a, m, sizeof(*genl))
	{
		take_attribute(a, &e);
	}
	if ((const char *)a < (const char *)mnl_nlmsg_get_payload_tail(m))
		return -EBADMSG;
	e.at.local_port = ntohs(e.at.local_port);
	e.at.remote_port = ntohs(e.at.remote_port);
	*out = e;
	return 0;
}

bool pm_event_has(const struct pm_event *e, unsigned int attribute)
{
	return e->present >> attribute & 1;
}

const char *pm_event_name(uint8_t type)
{
	static const char *const names[] = {
		[PM_EVENT_CREATED] = "CREATED",
		[PM_EVENT_ESTABLISHED] = "ESTABLISHED",
		[PM_EVENT_CLOSED] = "CLOSED",
		[PM_EVENT_ANNOUNCED] = "ANNOUNCED",
		[PM_EVENT_REMOVED] = "REMOVED",
		[PM_EVENT_SUB_ESTABLISHED] = "SF_ESTABLISHED",
		[PM_EVENT_SUB_CLOSED] = "SF_CLOSED",
		[PM_EVENT_SUB_PRIORITY] = "SF_PRIO",
		[PM_EVENT_LISTENER_CREATED] = "LISTENER_CREATED",
		[PM_EVENT_LISTENER_CLOSED] = "LISTENER_CLOSED",
	};

	return type < NR(names) ? names[type] : NULL;
}

const char *pm_reset_reason_text(uint32_t reason)
{
	static const char *const texts[] = {
		"unspecified error",	     "MPTCP-specific error",
		"lack of resources",	     "administratively prohibited",
		"too much outstanding data", "unacceptable performance",
		"middlebox interference",
	};

	return reason < NR(texts) ? texts[reason] : NULL;
}
