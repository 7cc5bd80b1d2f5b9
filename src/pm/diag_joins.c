// SPDX-License-Identifier: GPL-2.0-only
/* Subflows that the peer has not answered yet. */
#include "pm/diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "pm/netlink.h"
#include "util/cleanup.h"

static int add(const struct nlmsghdr *m, void *data)
{
	struct pm_connections *joins = data;
	struct pm_subflow *bigger;
	int err;

	bigger = reallocarray(joins->subflows, joins->nr_subflows + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	joins->subflows = bigger;
	err = pm_decode_subflow(m, &bigger[joins->nr_subflows]);
	joins->nr_subflows += err == 0;
	return err < 0 ? err : 0;
}

int pm_joins_read(struct pm_netlink *nl, struct pm_connections *out, struct error *e)
{
	static const int families[] = { AF_INET, AF_INET6 };
	_cleanup_(pm_connections_clear) struct pm_connections joins = { 0 };
	char buffer[PM_NETLINK_BYTES];
	int err = 0;

	for (size_t i = 0; err == 0 && i < 2; i++) {
		struct nlmsghdr *m = pm_encode_diag(buffer, families[i], IPPROTO_TCP);
		struct inet_diag_req_v2 *r = mnl_nlmsg_get_payload(m);

		r->idiag_states = 1u << TCP_SYN_SENT;
		err = pm_netlink_call(nl, m, add, &joins, "list subflows on their way", e);
	}
	if (err == -EBADMSG)
		return error_set(e, err,
				 "cannot list subflows on their way: the kernel's answer makes no "
				 "sense");
	if (err == -ENOMEM)
		return error_set(e, err, "cannot list subflows on their way: out of memory");
	if (err < 0)
		return err;
	*out = joins;
	joins = (struct pm_connections){ 0 };
	return 0;
}
