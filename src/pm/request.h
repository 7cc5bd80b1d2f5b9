/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests to the kernel's userspace path manager (net/mptcp/pm_userspace.c), each about one
 * connection. The kernel takes them only for a connection that was made while net.mptcp.pm_type was
 * 1, which since 6.15 is also written net.mptcp.path_manager=userspace.
 *
 * pm_request_fill() and pm_encode_request() are pure.
 */
#ifndef PM_REQUEST_H
#define PM_REQUEST_H

#include "pm/diag.h"
#include "pm/mptcp_pm.h"

enum pm_request_kind {
	PM_SUBFLOW_ADD,
	PM_SUBFLOW_DELETE,
	PM_SUBFLOW_BACKUP, /* MP_PRIO: the backup flag becomes that of local.flags */
	PM_ANNOUNCE,	   /* ADD_ADDR */
	PM_WITHDRAW,	   /* REMOVE_ADDR of local.id */
};

/* What is not known yet is 0: the family of an address, a port; ids have a bool for that. */
struct pm_request {
	enum pm_request_kind kind;
	uint32_t token;
	struct pm_endpoint local, remote;
	bool has_local_id, has_remote_id;
	/* PM_SUBFLOW_DELETE with a reset that says why, see pm_reset_send(); else it is closed as
	 * any other. */
	bool reset, reset_transient;
	uint8_t reset_reason; /* enum policy_reset_reason */
};

/* What a request is filled in and checked with. All of it is borrowed. */
struct pm_request_facts {
	const struct pm_connection *conn;
	const struct pm_endpoint *addresses; /* pm_mptcp_addresses() */
	size_t nr_addresses;
	const struct pm_interface *interfaces;
	size_t nr_interfaces;
};

/*
 * Completes a request or says what is wrong with it:
 *
 * add       the remote side is by default the peer's address and port, the local address the one
 *           usable of the device; an address keeps the id it has, others get the lowest free one
 * delete, backup
 *           what is given of addresses, ports and ids has to fit one subflow, and becomes its
 *           addresses and ports
 * announce  the id as for add, but never 0
 *
 * -EAFNOSUPPORT, -EEXIST (id of another address, subflow there already), -ENOENT, -ENOTUNIQ,
 * -EADDRNOTAVAIL, -ENOSPC (no free id), -EPROTO (plain TCP). On failure *r is of no use.
 */
int pm_request_fill(struct pm_request *r, const struct pm_request_facts *f, struct error *e);

struct nlmsghdr *pm_encode_request(void *buffer, uint16_t family, const struct pm_request *r);
int pm_request_send(struct pm_mptcp *m, const struct pm_request *r, struct error *e);

/* One line for a person that says what is asked for, e.g. "announce 10.0.0.1 to the peer of
 * connection 0000abcd". */
void pm_request_describe(const struct pm_request *r, char *out, size_t size);

/* What pm_mptcp_addresses() has to say of a connection; hints at what to do when the kernel's own
 * path manager has it. The array is the caller's. */
int pm_request_addresses(struct pm_mptcp *m, uint32_t token, struct pm_endpoint **out, size_t *nr,
			 struct error *e);

/* -EADDRNOTAVAIL when a socket of this network namespace cannot have the address. */
int pm_request_check_local(const struct pm_endpoint *local, struct error *e);

/*
 * Waits until the subflow of an add is established, `timeout_ms` at most. *out is then the subflow,
 * established or still connecting. -ECONNREFUSED when it is gone: the peer refused it.
 */
int pm_request_await(const struct pm_request *r, unsigned int timeout_ms, struct pm_subflow *out,
		     struct error *e);

#endif
