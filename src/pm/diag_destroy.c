// SPDX-License-Identifier: GPL-2.0-only
/* Closing a subflow from outside (net/core/sock_diag.c, tcp_abort()). */
#include "pm/diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <string.h>

#include "pm/address.h"
#include "pm/netlink.h"
#include "util/cleanup.h"

static void put_address(const struct pm_address *from, __be32 *to)
{
	if (from->family == AF_INET)
		memcpy(to, &from->v4, sizeof(from->v4));
	else
		memcpy(to, &from->v6, sizeof(from->v6));
}

struct nlmsghdr *pm_encode_destroy(char *buffer, const struct pm_socket_pair *at,
				   unsigned int ifindex)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct pm_address local = pm_address_unmapped(&at->local),
			  remote = pm_address_unmapped(&at->remote);
	struct inet_diag_req_v2 *r;

	m->nlmsg_type = SOCK_DESTROY;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	r = mnl_nlmsg_put_extra_header(m, sizeof(*r));
	r->sdiag_family = (uint8_t)local.family;
	r->sdiag_protocol = IPPROTO_TCP;
	r->idiag_states = UINT32_MAX;
	r->id.idiag_sport = htons(at->local_port);
	r->id.idiag_dport = htons(at->remote_port);
	put_address(&local, r->id.idiag_src);
	put_address(&remote, r->id.idiag_dst);
	r->id.idiag_if = ifindex;
	r->id.idiag_cookie[0] = r->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return m;
}

static int destroy(struct pm_netlink *nl, const struct pm_socket_pair *at, unsigned int ifindex,
		   struct error *e)
{
	char buffer[PM_NETLINK_BYTES];

	return pm_netlink_call(nl, pm_encode_destroy(buffer, at, ifindex), NULL, NULL,
			       "close a subflow", e);
}

static void free_names(struct if_nameindex **names)
{
	if (*names)
		if_freenameindex(*names);
}

/* A socket that is bound to a device, as a path manager may do, is found by that only. */
static int destroy_bound(struct pm_netlink *nl, const struct pm_socket_pair *at, struct error *e)
{
	_cleanup_(free_names) struct if_nameindex *names = if_nameindex();
	int err = -ENOENT;

	for (size_t i = 0; names && names[i].if_index && err == -ENOENT; i++)
		err = destroy(nl, at, names[i].if_index, e);
	return err;
}

int pm_subflow_reset(const struct pm_socket_pair *at, struct error *e)
{
	_cleanup_(pm_netlink_close) struct pm_netlink nl = { 0 };
	int err = pm_netlink_open(&nl, NETLINK_SOCK_DIAG, e);

	if (err < 0)
		return err;
	err = destroy(&nl, at, 0, e);
	if (err == -ENOENT)
		err = destroy_bound(&nl, at, e);
	if (err == -EOPNOTSUPP)
		error_hint(e, "this kernel lacks CONFIG_INET_DIAG_DESTROY");
	return err;
}
