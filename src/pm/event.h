/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's path manager tells: messages of the group mptcp_pm_events (net/mptcp/
 * pm_netlink.c, include/uapi/linux/mptcp_pm.h) as a struct. No I/O.
 */
#ifndef PM_EVENT_H
#define PM_EVENT_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "pm/diag.h"

/* MPTCP_EVENT_*; header files of older systems lack the last ones. */
enum pm_event_type {
	PM_EVENT_CREATED = 1,
	PM_EVENT_ESTABLISHED = 2,
	PM_EVENT_CLOSED = 3,
	PM_EVENT_ANNOUNCED = 6,
	PM_EVENT_REMOVED = 7,
	PM_EVENT_SUB_ESTABLISHED = 10,
	PM_EVENT_SUB_CLOSED = 11,
	PM_EVENT_SUB_PRIORITY = 13,
	PM_EVENT_LISTENER_CREATED = 15,
	PM_EVENT_LISTENER_CLOSED = 16,
};

/* MPTCP_PM_EV_FLAG_* */
#define PM_EVENT_FLAG_DENY_JOIN_ID0 (1u << 0)
#define PM_EVENT_FLAG_SERVER_SIDE   (1u << 1)

/* MP_TCPRST, RFC 8684 section 3.6. */
#define PM_RESET_FLAG_TRANSIENT (1u << 0)

struct pm_event {
	uint8_t type;	  /* enum pm_event_type, or what a newer kernel sends */
	uint32_t present; /* bit MPTCP_ATTR_x: the attribute was there; else its member is 0 */
	uint32_t token;
	uint8_t local_id, remote_id;
	struct pm_socket_pair at; /* family 0: no such address */
	uint8_t backup, server_side;
	uint8_t error; /* errno */
	uint16_t flags;
	uint32_t timeout;
	int32_t ifindex;
	uint32_t reset_reason, reset_flags;
};

/*
 * Attributes that are unknown, or have another size than they should, are passed over. -EBADMSG,
 * and *out untouched, for a message that is too short or cut.
 */
int pm_decode_event(const struct nlmsghdr *m, struct pm_event *out);

/* Was MPTCP_ATTR_`attribute` there? */
bool pm_event_has(const struct pm_event *e, unsigned int attribute);

/* As `ip mptcp monitor` calls it; NULL: unknown. */
const char *pm_event_name(uint8_t type);

/* What a peer means by it, in words of RFC 8684 section 3.6; NULL: unknown. */
const char *pm_reset_reason_text(uint32_t reason);

#endif
