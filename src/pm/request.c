// SPDX-License-Identifier: GPL-2.0-only
/* Requests to the userspace path manager, encoded and sent; see request.h. */
#include "pm/request.h"

#include <errno.h>
#include <linux/mptcp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pm/address.h"
#include "util/cleanup.h"

#define POLL_MS 10

static uint8_t command_of(enum pm_request_kind kind)
{
	switch (kind) {
	case PM_SUBFLOW_ADD:
		return MPTCP_PM_CMD_SUBFLOW_CREATE;
	case PM_SUBFLOW_DELETE:
		return MPTCP_PM_CMD_SUBFLOW_DESTROY;
	case PM_SUBFLOW_BACKUP:
		return MPTCP_PM_CMD_SET_FLAGS;
	case PM_ANNOUNCE:
		return MPTCP_PM_CMD_ANNOUNCE;
	case PM_WITHDRAW:
		return MPTCP_PM_CMD_REMOVE;
	}
	return MPTCP_PM_CMD_UNSPEC;
}

/* Subflows are found by addresses and ports; ids would be one more thing to differ. */
static struct pm_endpoint end_of(const struct pm_endpoint *from)
{
	struct pm_endpoint end = *from;

	end.id = 0;
	end.ifindex = 0;
	return end;
}

struct nlmsghdr *pm_encode_request(void *buffer, uint16_t family, const struct pm_request *r)
{
	struct nlmsghdr *m = pm_encode_command(buffer, family, command_of(r->kind), NLM_F_ACK);
	struct pm_endpoint local = end_of(&r->local), remote = end_of(&r->remote);

	mnl_attr_put_u32(m, MPTCP_PM_ATTR_TOKEN, r->token);
	switch (r->kind) {
	case PM_SUBFLOW_ADD:
		pm_encode_address(m, MPTCP_PM_ATTR_ADDR, &r->local, true);
		pm_encode_address(m, MPTCP_PM_ATTR_ADDR_REMOTE, &r->remote, false);
		break;
	case PM_SUBFLOW_DELETE:
	case PM_SUBFLOW_BACKUP:
		pm_encode_address(m, MPTCP_PM_ATTR_ADDR, &local, r->kind == PM_SUBFLOW_BACKUP);
		pm_encode_address(m, MPTCP_PM_ATTR_ADDR_REMOTE, &remote, false);
		break;
	case PM_ANNOUNCE:
		local = r->local;
		local.flags |= PM_FLAG_SIGNAL;
		pm_encode_address(m, MPTCP_PM_ATTR_ADDR, &local, true);
		break;
	case PM_WITHDRAW:
		mnl_attr_put_u8(m, MPTCP_PM_ATTR_LOC_ID, r->local.id);
		break;
	}
	return m;
}

void pm_request_describe(const struct pm_request *r, char *out, size_t size)
{
	char local[PM_ADDRESS_PORT_BYTES], remote[PM_ADDRESS_PORT_BYTES];

	pm_address_port_text(&r->remote.address, r->remote.port, remote);
	if (r->local.port)
		pm_address_port_text(&r->local.address, r->local.port, local);
	else
		pm_address_text(&r->local.address, local);
	switch (r->kind) {
	case PM_SUBFLOW_ADD:
		snprintf(out, size, "add a subflow from %s to %s to connection %08x", local, remote,
			 r->token);
		break;
	case PM_SUBFLOW_DELETE:
		snprintf(out, size, "%s the subflow from %s to %s of connection %08x",
			 r->reset ? "reset" : "delete", local, remote, r->token);
		break;
	case PM_SUBFLOW_BACKUP:
		snprintf(out, size,
			 "change the priority of the subflow from %s to %s of "
			 "connection %08x",
			 local, remote, r->token);
		break;
	case PM_ANNOUNCE:
		snprintf(out, size, "announce %s to the peer of connection %08x", local, r->token);
		break;
	case PM_WITHDRAW:
		snprintf(out, size, "withdraw address id %u from connection %08x", r->local.id,
			 r->token);
		break;
	}
}

/* The kernel's number for this is that of any mistake, so its text has to tell. */
static int explain(int err, uint32_t token, struct error *e)
{
	if (err == -EINVAL && e && strstr(e->text, "userspace PM")) {
		error_set(e, err,
			  "connection %08x is managed by the kernel's own path manager, which "
			  "takes no commands for one connection",
			  token);
		return error_hint(e, "sysctl -w net.mptcp.pm_type=1 hands connections made from "
				     "then on to these commands; this one is steered by "
				     "endpoints: ip mptcp endpoint");
	}
	return err;
}

int pm_request_addresses(struct pm_mptcp *m, uint32_t token, struct pm_endpoint **out, size_t *nr,
			 struct error *e)
{
	return explain(pm_mptcp_addresses(m, token, out, nr, e), token, e);
}

int pm_request_send(struct pm_mptcp *m, const struct pm_request *r, struct error *e)
{
	char buffer[PM_NETLINK_BYTES], what[256], local[INET6_ADDRSTRLEN];
	int err;

	pm_request_describe(r, what, sizeof(what));
	err = pm_netlink_call(&m->nl, pm_encode_request(buffer, m->family, r), NULL, NULL, what, e);
	if (err == -ENETUNREACH || err == -EHOSTUNREACH)
		error_hint(e, "there is no route from that address: ip route get ADDRESS from %s",
			   pm_address_text(&r->local.address, local));
	return explain(err, r->token, e);
}

int pm_request_check_local(const struct pm_endpoint *local, struct error *e)
{
	_cleanup_close_ int fd = socket(local->address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr = local->address.v4 };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_addr = local->address.v6,
				   .sin6_scope_id = (uint32_t)local->ifindex };
	char text[INET6_ADDRSTRLEN];
	int err = fd;

	if (fd >= 0 && local->address.family == AF_INET)
		err = bind(fd, (struct sockaddr *)&v4, sizeof(v4));
	else if (fd >= 0)
		err = bind(fd, (struct sockaddr *)&v6, sizeof(v6));
	if (err >= 0)
		return 0;
	err = -errno;
	pm_address_text(&local->address, text);
	if (err != -EADDRNOTAVAIL)
		return error_set(e, err, "cannot use address %s: %s", text, strerror(-err));
	error_set(e, err, "address %s is not one of this host", text);
	return error_hint(e, "list them: ip addr show");
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* 1 when there is such a subflow. */
static int find_subflow(const struct pm_request *r, struct pm_subflow *out, struct error *e)
{
	_cleanup_(pm_connections_clear) struct pm_connections all = { 0 };
	int err = pm_connections_read(&all, e);

	for (size_t i = 0; err == 0 && i < all.nr_subflows; i++) {
		const struct pm_subflow *s = &all.subflows[i];
		struct pm_address local = pm_address_unmapped(&s->at.local),
				  remote = pm_address_unmapped(&s->at.remote);

		if (s->token == r->token && s->at.remote_port == r->remote.port &&
		    pm_address_equal(&local, &r->local.address) &&
		    pm_address_equal(&remote, &r->remote.address)) {
			*out = *s;
			err = 1;
		}
	}
	return err;
}

int pm_request_await(const struct pm_request *r, unsigned int timeout_ms, struct pm_subflow *out,
		     struct error *e)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	const uint64_t end = now_ms() + timeout_ms;
	char what[256];
	int found;

	for (;;) {
		found = find_subflow(r, out, e);
		if (found <= 0 || out->state == TCP_ESTABLISHED || now_ms() >= end)
			break;
		nanosleep(&pause, NULL);
	}
	if (found)
		return found < 0 ? found : 0;
	pm_request_describe(r, what, sizeof(what));
	error_set(e, -ECONNREFUSED, "cannot %s: the peer refused it", what);
	return error_hint(e, "look at the peer's limits (ip mptcp limits show on it) and whether "
			     "something listens on that port");
}
