/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's MPTCP path manager over generic netlink: family mptcp_pm version 1, see
 * include/uapi/linux/mptcp_pm.h and Documentation/netlink/specs/mptcp_pm.yaml.
 *
 * The pm_encode_*() functions build a message in a buffer of PM_NETLINK_BYTES and do no I/O.
 */
#ifndef PM_MPTCP_PM_H
#define PM_MPTCP_PM_H

#include "pm/netlink.h"
#include "pm/pm.h"

struct pm_mptcp {
	struct pm_netlink nl;
	uint16_t family;
	uint32_t event_group; /* multicast group mptcp_pm_events; 0: the kernel has none */
};

/* -EOPNOTSUPP when this kernel has no MPTCP path manager. */
int pm_mptcp_open(struct pm_mptcp *m, struct error *e);
/* Idempotent. */
void pm_mptcp_close(struct pm_mptcp *m);

/* The array is the caller's; *out is untouched on failure. */
int pm_mptcp_endpoints(struct pm_mptcp *m, struct pm_endpoint **out, size_t *nr, struct error *e);
/* The same for the local addresses of one connection, those announced and those of subflows.
 * -EINVAL for one that the kernel's own path manager has. Kernels before 6.9 ignore the token. */
int pm_mptcp_addresses(struct pm_mptcp *m, uint32_t token, struct pm_endpoint **out, size_t *nr,
		       struct error *e);
/* Sets ep->id to what the kernel chose when it was 0. -EEXIST, -ERANGE (too many). */
int pm_mptcp_add(struct pm_mptcp *m, struct pm_endpoint *ep, struct error *e);
int pm_mptcp_delete(struct pm_mptcp *m, const struct pm_endpoint *ep, struct error *e);
/* Backup and fullmesh of the endpoint with ep->id become those of ep->flags. The kernel refuses
 * fullmesh on a signal endpoint (-EINVAL) and ignores every other flag. */
int pm_mptcp_set_flags(struct pm_mptcp *m, const struct pm_endpoint *ep, struct error *e);
int pm_mptcp_limits(struct pm_mptcp *m, struct pm_limits *out, struct error *e);
/* -EINVAL above the kernel's maximum: 8, or 64 from about 7.0 on. */
int pm_mptcp_set_limits(struct pm_mptcp *m, const struct pm_limits *limits, struct error *e);

struct nlmsghdr *pm_encode_command(void *buffer, uint16_t family, uint8_t command, uint16_t flags);
/* Adds the address as attribute `type`; id, port and device only where there are any. */
void pm_encode_address(struct nlmsghdr *message, uint16_t type, const struct pm_endpoint *ep,
		       bool with_flags);
struct nlmsghdr *pm_encode_add(void *buffer, uint16_t family, const struct pm_endpoint *ep);
struct nlmsghdr *pm_encode_delete(void *buffer, uint16_t family, const struct pm_endpoint *ep);
struct nlmsghdr *pm_encode_set_flags(void *buffer, uint16_t family, const struct pm_endpoint *ep);
struct nlmsghdr *pm_encode_dump(void *buffer, uint16_t family);
struct nlmsghdr *pm_encode_dump_addresses(void *buffer, uint16_t family, uint32_t token);
struct nlmsghdr *pm_encode_get_limits(void *buffer, uint16_t family);
struct nlmsghdr *pm_encode_set_limits(void *buffer, uint16_t family,
				      const struct pm_limits *limits);
/* One answer of a dump. -EBADMSG when it holds no address. */
int pm_decode_endpoint(const struct nlmsghdr *answer, struct pm_endpoint *out);

#endif
