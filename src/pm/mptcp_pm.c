// SPDX-License-Identifier: GPL-2.0-only
/* Endpoints and limits of the kernel's MPTCP path manager. */
#include "pm/mptcp_pm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/mptcp.h>
#include <linux/netlink.h>
#include <string.h>

#include "pm/address.h"

#define DUMP_TRIES 5

struct nlmsghdr *pm_encode_command(void *buffer, uint16_t family, uint8_t command, uint16_t flags)
{
	struct nlmsghdr *message;
	struct genlmsghdr *genl;

	/* libmnl leaves the padding after short attributes as it was. */
	memset(buffer, 0, PM_NETLINK_BYTES);
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = family;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(message, sizeof(*genl));
	genl->cmd = command;
	genl->version = MPTCP_PM_VER;
	return message;
}

void pm_encode_address(struct nlmsghdr *message, uint16_t type, const struct pm_endpoint *ep,
		       bool with_flags)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	mnl_attr_put_u16(message, MPTCP_PM_ADDR_ATTR_FAMILY, ep->address.family);
	if (ep->address.family == AF_INET)
		mnl_attr_put(message, MPTCP_PM_ADDR_ATTR_ADDR4, sizeof(ep->address.v4),
			     &ep->address.v4);
	else
		mnl_attr_put(message, MPTCP_PM_ADDR_ATTR_ADDR6, sizeof(ep->address.v6),
			     &ep->address.v6);
	if (ep->id)
		mnl_attr_put_u8(message, MPTCP_PM_ADDR_ATTR_ID, ep->id);
	if (ep->port)
		mnl_attr_put_u16(message, MPTCP_PM_ADDR_ATTR_PORT, ep->port);
	if (with_flags)
		mnl_attr_put_u32(message, MPTCP_PM_ADDR_ATTR_FLAGS, ep->flags);
	if (ep->ifindex)
		mnl_attr_put_u32(message, MPTCP_PM_ADDR_ATTR_IF_IDX, (uint32_t)ep->ifindex);
	mnl_attr_nest_end(message, nest);
}

struct nlmsghdr *pm_encode_add(void *buffer, uint16_t family, const struct pm_endpoint *ep)
{
	struct nlmsghdr *message =
		pm_encode_command(buffer, family, MPTCP_PM_CMD_ADD_ADDR, NLM_F_ACK);

	pm_encode_address(message, MPTCP_PM_ATTR_ADDR, ep, true);
	return message;
}

struct nlmsghdr *pm_encode_delete(void *buffer, uint16_t family, const struct pm_endpoint *ep)
{
	struct nlmsghdr *message =
		pm_encode_command(buffer, family, MPTCP_PM_CMD_DEL_ADDR, NLM_F_ACK);
	struct nlattr *nest = mnl_attr_nest_start(message, MPTCP_PM_ATTR_ADDR);

	mnl_attr_put_u8(message, MPTCP_PM_ADDR_ATTR_ID, ep->id);
	mnl_attr_nest_end(message, nest);
	return message;
}

/* No address: the kernel then looks the endpoint up by id. */
struct nlmsghdr *pm_encode_set_flags(void *buffer, uint16_t family, const struct pm_endpoint *ep)
{
	struct nlmsghdr *message =
		pm_encode_command(buffer, family, MPTCP_PM_CMD_SET_FLAGS, NLM_F_ACK);
	struct nlattr *nest = mnl_attr_nest_start(message, MPTCP_PM_ATTR_ADDR);

	mnl_attr_put_u8(message, MPTCP_PM_ADDR_ATTR_ID, ep->id);
	mnl_attr_put_u32(message, MPTCP_PM_ADDR_ATTR_FLAGS,
			 ep->flags & (PM_FLAG_BACKUP | PM_FLAG_FULLMESH));
	mnl_attr_nest_end(message, nest);
	return message;
}

struct nlmsghdr *pm_encode_dump(void *buffer, uint16_t family)
{
	return pm_encode_command(buffer, family, MPTCP_PM_CMD_GET_ADDR, NLM_F_DUMP);
}

struct nlmsghdr *pm_encode_dump_addresses(void *buffer, uint16_t family, uint32_t token)
{
	struct nlmsghdr *message = pm_encode_dump(buffer, family);

	mnl_attr_put_u32(message, MPTCP_PM_ATTR_TOKEN, token);
	return message;
}

struct nlmsghdr *pm_encode_get_limits(void *buffer, uint16_t family)
{
	return pm_encode_command(buffer, family, MPTCP_PM_CMD_GET_LIMITS, NLM_F_ACK);
}

struct nlmsghdr *pm_encode_set_limits(void *buffer, uint16_t family, const struct pm_limits *limits)
{
	struct nlmsghdr *message =
		pm_encode_command(buffer, family, MPTCP_PM_CMD_SET_LIMITS, NLM_F_ACK);

	mnl_attr_put_u32(message, MPTCP_PM_ATTR_RCV_ADD_ADDRS, limits->add_addr_accepted);
	mnl_attr_put_u32(message, MPTCP_PM_ATTR_SUBFLOWS, limits->subflows);
	return message;
}

static int endpoint_attribute(const struct nlattr *attr, void *data)
{
	struct pm_endpoint *ep = data;
	size_t size = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case MPTCP_PM_ADDR_ATTR_FAMILY:
		if (size >= sizeof(uint16_t))
			ep->address.family = mnl_attr_get_u16(attr);
		break;
	case MPTCP_PM_ADDR_ATTR_ID:
		if (size >= sizeof(uint8_t))
			ep->id = mnl_attr_get_u8(attr);
		break;
	case MPTCP_PM_ADDR_ATTR_ADDR4:
		if (size >= sizeof(ep->address.v4))
			memcpy(&ep->address.v4, mnl_attr_get_payload(attr), sizeof(ep->address.v4));
		break;
	case MPTCP_PM_ADDR_ATTR_ADDR6:
		if (size >= sizeof(ep->address.v6))
			memcpy(&ep->address.v6, mnl_attr_get_payload(attr), sizeof(ep->address.v6));
		break;
	case MPTCP_PM_ADDR_ATTR_PORT:
		if (size >= sizeof(uint16_t))
			ep->port = mnl_attr_get_u16(attr);
		break;
	case MPTCP_PM_ADDR_ATTR_FLAGS:
		if (size >= sizeof(uint32_t))
			ep->flags = mnl_attr_get_u32(attr);
		break;
	case MPTCP_PM_ADDR_ATTR_IF_IDX:
		if (size >= sizeof(uint32_t))
			ep->ifindex = (int)mnl_attr_get_u32(attr);
		break;
	}
	return MNL_CB_OK;
}

static int address_nest(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == MPTCP_PM_ATTR_ADDR)
		return mnl_attr_parse_nested(attr, endpoint_attribute, data);
	return MNL_CB_OK;
}

int pm_decode_endpoint(const struct nlmsghdr *answer, struct pm_endpoint *out)
{
	struct pm_endpoint ep = { 0 };

	if (mnl_nlmsg_get_payload_len(answer) < sizeof(struct genlmsghdr) ||
	    mnl_attr_parse(answer, sizeof(struct genlmsghdr), address_nest, &ep) < 0 ||
	    (ep.address.family != AF_INET && ep.address.family != AF_INET6))
		return -EBADMSG;
	*out = ep;
	return 0;
}

static void take_group(const struct nlattr *group, struct pm_mptcp *m)
{
	const struct nlattr *a;
	const char *name = "";
	uint32_t id = 0;

	mnl_attr_for_each_nested(a, group)
	{
		if (mnl_attr_get_type(a) == CTRL_ATTR_MCAST_GRP_NAME &&
		    mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0)
			name = mnl_attr_get_str(a);
		if (mnl_attr_get_type(a) == CTRL_ATTR_MCAST_GRP_ID &&
		    mnl_attr_validate(a, MNL_TYPE_U32) == 0)
			id = mnl_attr_get_u32(a);
	}
	if (strcmp(name, MPTCP_PM_EV_GRP_NAME) == 0)
		m->event_group = id;
}

static int family_attribute(const struct nlattr *attr, void *data)
{
	struct pm_mptcp *m = data;
	const struct nlattr *group;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
	    mnl_attr_validate(attr, MNL_TYPE_U16) == 0)
		m->family = mnl_attr_get_u16(attr);
	if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS) {
		mnl_attr_for_each_nested(group, attr)
		{
			take_group(group, m);
		}
	}
	return MNL_CB_OK;
}

static int family_answer(const struct nlmsghdr *answer, void *data)
{
	mnl_attr_parse(answer, sizeof(struct genlmsghdr), family_attribute, data);
	return 0;
}

int pm_mptcp_open(struct pm_mptcp *m, struct error *e)
{
	char buffer[PM_NETLINK_BYTES];
	struct nlmsghdr *message;
	int r;

	m->family = 0;
	m->event_group = 0;
	r = pm_netlink_open(&m->nl, NETLINK_GENERIC, e);
	if (r < 0)
		return r;
	message = pm_encode_command(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, MPTCP_PM_NAME);
	r = pm_netlink_call(&m->nl, message, family_answer, m,
			    "look up the kernel's MPTCP path manager", e);
	if (r == 0 && m->family)
		return 0;
	pm_mptcp_close(m);
	if (r < 0 && r != -ENOENT)
		return r;
	error_set(e, -EOPNOTSUPP, "this kernel has no MPTCP path manager (netlink family %s)",
		  MPTCP_PM_NAME);
	error_hint(e,
		   "boot a kernel built with CONFIG_MPTCP=y, such as Debian's linux-image-amd64");
	return -EOPNOTSUPP;
}

void pm_mptcp_close(struct pm_mptcp *m)
{
	pm_netlink_close(&m->nl);
}

struct endpoint_list {
	struct pm_endpoint *items;
	size_t nr;
};

static int endpoint_answer(const struct nlmsghdr *answer, void *data)
{
	struct endpoint_list *list = data;
	struct pm_endpoint ep, *bigger;

	if (pm_decode_endpoint(answer, &ep) < 0)
		return 0;
	bigger = reallocarray(list->items, list->nr + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	list->items = bigger;
	list->items[list->nr++] = ep;
	return 0;
}

/* `request` can be sent again: nothing in it is changed but the sequence number. */
static int list_addresses(struct pm_mptcp *m, struct nlmsghdr *request, const char *what,
			  struct pm_endpoint **out, size_t *nr, struct error *e)
{
	int r = -EAGAIN;

	for (int tries = 0; r == -EAGAIN && tries < DUMP_TRIES; tries++) {
		struct endpoint_list list = { 0 };

		r = pm_netlink_call(&m->nl, request, endpoint_answer, &list, what, e);
		if (r == 0) {
			*out = list.items;
			*nr = list.nr;
		} else {
			free(list.items);
		}
	}
	if (r == -ENOMEM)
		return error_set(e, r, "cannot %s: out of memory", what);
	return r;
}

int pm_mptcp_endpoints(struct pm_mptcp *m, struct pm_endpoint **out, size_t *nr, struct error *e)
{
	char buffer[PM_NETLINK_BYTES];

	return list_addresses(m, pm_encode_dump(buffer, m->family), "list the MPTCP endpoints", out,
			      nr, e);
}

int pm_mptcp_addresses(struct pm_mptcp *m, uint32_t token, struct pm_endpoint **out, size_t *nr,
		       struct error *e)
{
	char buffer[PM_NETLINK_BYTES], what[64];

	snprintf(what, sizeof(what), "list the addresses of connection %08x", token);
	return list_addresses(m, pm_encode_dump_addresses(buffer, m->family, token), what, out, nr,
			      e);
}

static void endpoint_attempt(const char *verb, const struct pm_endpoint *ep, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	snprintf(out, size, "%s endpoint %s", verb, pm_address_text(&ep->address, text));
}

int pm_mptcp_add(struct pm_mptcp *m, struct pm_endpoint *ep, struct error *e)
{
	_cleanup_free_ struct pm_endpoint *list = NULL;
	char buffer[PM_NETLINK_BYTES], what[96];
	size_t nr = 0;
	int r;

	endpoint_attempt("add", ep, what, sizeof(what));
	r = pm_netlink_call(&m->nl, pm_encode_add(buffer, m->family, ep), NULL, NULL, what, e);
	if (r == -ERANGE)
		error_hint(e, "the kernel takes a limited number of endpoints in a namespace; "
			      "match fewer addresses or delete some: ip mptcp endpoint show");
	if (r < 0 || ep->id)
		return r;
	r = pm_mptcp_endpoints(m, &list, &nr, e);
	for (size_t i = 0; r == 0 && i < nr; i++)
		if (pm_address_equal(&list[i].address, &ep->address) && list[i].port == ep->port)
			ep->id = list[i].id;
	return r;
}

int pm_mptcp_delete(struct pm_mptcp *m, const struct pm_endpoint *ep, struct error *e)
{
	char buffer[PM_NETLINK_BYTES], what[96];

	endpoint_attempt("delete", ep, what, sizeof(what));
	return pm_netlink_call(&m->nl, pm_encode_delete(buffer, m->family, ep), NULL, NULL, what,
			       e);
}

int pm_mptcp_set_flags(struct pm_mptcp *m, const struct pm_endpoint *ep, struct error *e)
{
	char buffer[PM_NETLINK_BYTES], what[96];

	endpoint_attempt("change", ep, what, sizeof(what));
	return pm_netlink_call(&m->nl, pm_encode_set_flags(buffer, m->family, ep), NULL, NULL, what,
			       e);
}

static int limits_attribute(const struct nlattr *attr, void *data)
{
	struct pm_limits *limits = data;

	if (mnl_attr_get_payload_len(attr) < sizeof(uint32_t))
		return MNL_CB_OK;
	if (mnl_attr_get_type(attr) == MPTCP_PM_ATTR_RCV_ADD_ADDRS)
		limits->add_addr_accepted = mnl_attr_get_u32(attr);
	else if (mnl_attr_get_type(attr) == MPTCP_PM_ATTR_SUBFLOWS)
		limits->subflows = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int limits_answer(const struct nlmsghdr *answer, void *data)
{
	mnl_attr_parse(answer, sizeof(struct genlmsghdr), limits_attribute, data);
	return 0;
}

int pm_mptcp_limits(struct pm_mptcp *m, struct pm_limits *out, struct error *e)
{
	char buffer[PM_NETLINK_BYTES];

	return pm_netlink_call(&m->nl, pm_encode_get_limits(buffer, m->family), limits_answer, out,
			       "read the MPTCP limits", e);
}

int pm_mptcp_set_limits(struct pm_mptcp *m, const struct pm_limits *limits, struct error *e)
{
	char buffer[PM_NETLINK_BYTES], what[96];

	snprintf(what, sizeof(what), "set the limits to subflows %u, add-addr-accepted %u",
		 limits->subflows, limits->add_addr_accepted);
	return pm_netlink_call(&m->nl, pm_encode_set_limits(buffer, m->family, limits), NULL, NULL,
			       what, e);
}
