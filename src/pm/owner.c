// SPDX-License-Identifier: GPL-2.0-only
/* One connection's diagnostics by its token; see owner.h. */
#include "pm/owner.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define ATTRIBUTE_CGROUP_ID 21 /* INET_DIAG_CGROUP_ID, since 5.8 */

struct nlmsghdr *pm_encode_owner(char *buffer, uint32_t token)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *r;

	m->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	r = mnl_nlmsg_put_extra_header(m, sizeof(*r));
	/* The token is enough for the kernel; it finds connections of either family. */
	r->sdiag_family = AF_INET;
	r->sdiag_protocol = UINT8_MAX;
	r->id.idiag_cookie[0] = token;
	r->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	mnl_attr_put_u32(m, INET_DIAG_REQ_PROTOCOL, IPPROTO_MPTCP);
	return m;
}

int pm_decode_owner(const struct nlmsghdr *m, struct pm_owner *out)
{
	const struct inet_diag_msg *d = mnl_nlmsg_get_payload(m);
	struct pm_owner owner = { 0 };
	const struct nlattr *a;

	/* The kernel's never end within a word, which libmnl would read beyond. */
	if (m->nlmsg_type != SOCK_DIAG_BY_FAMILY || m->nlmsg_len % NLMSG_ALIGNTO ||
	    mnl_nlmsg_get_payload_len(m) < sizeof(*d))
		return -EBADMSG;
	owner.uid = d->idiag_uid;
	mnl_attr_for_each(a, m, sizeof(*d))
	{
		if (mnl_attr_get_type(a) == ATTRIBUTE_CGROUP_ID &&
		    mnl_attr_get_payload_len(a) == sizeof(owner.cgroup))
			memcpy(&owner.cgroup, mnl_attr_get_payload(a), sizeof(owner.cgroup));
	}
	if ((const char *)a < (const char *)mnl_nlmsg_get_payload_tail(m))
		return -EBADMSG;
	*out = owner;
	return 0;
}

static int take(const struct nlmsghdr *m, void *data)
{
	return pm_decode_owner(m, data);
}

int pm_owner_read(struct pm_netlink *nl, uint32_t token, struct pm_owner *out, struct error *e)
{
	char buffer[PM_NETLINK_BYTES], what[64];
	struct pm_owner owner = { 0 };
	int err;

	snprintf(what, sizeof(what), "look connection %08x up", token);
	err = pm_netlink_call(nl, pm_encode_owner(buffer, token), take, &owner, what, e);
	if (err == -EBADMSG)
		error_set(e, err, "cannot %s: the kernel's answer makes no sense", what);
	if (err == 0)
		*out = owner;
	return err;
}
