// SPDX-License-Identifier: GPL-2.0-only
/* Routes and gateways by rtnetlink. */
#include "pm/network.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>

#include "pm/address.h"
#include "pm/netlink.h"

#define DUMP_TRIES	5
#define GATEWAY_POLL_MS 10
#define FNV_BASIS	2166136261u
#define FNV_PRIME	16777619u

struct route_attributes {
	const struct nlattr *destination, *gateway;
	uint32_t table, metric;
	int ifindex;
};

static int route_attribute(const struct nlattr *attr, void *data)
{
	struct route_attributes *a = data;

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		a->destination = attr;
		break;
	case RTA_GATEWAY:
		a->gateway = attr;
		break;
	case RTA_TABLE:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			a->table = mnl_attr_get_u32(attr);
		break;
	case RTA_PRIORITY:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			a->metric = mnl_attr_get_u32(attr);
		break;
	case RTA_OIF:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			a->ifindex = (int)mnl_attr_get_u32(attr);
		break;
	}
	return MNL_CB_OK;
}

static bool take_address(const struct nlattr *attr, sa_family_t family, struct pm_address *out)
{
	size_t size = family == AF_INET ? sizeof(out->v4) : sizeof(out->v6);

	if (!attr || mnl_attr_get_payload_len(attr) != size)
		return false;
	out->family = family;
	memcpy(family == AF_INET ? (void *)&out->v4 : (void *)&out->v6, mnl_attr_get_payload(attr),
	       size);
	return true;
}

static int add_gateway(struct pm_routing *r, const struct route_attributes *a, sa_family_t family)
{
	struct pm_gateway *bigger = reallocarray(r->gateways, r->nr_gateways + 1, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	r->gateways = bigger;
	bigger += r->nr_gateways++;
	*bigger = (struct pm_gateway){
		.ifindex = a->ifindex,
		.family = family,
		.main = a->table == RT_TABLE_MAIN,
		.metric = a->metric,
	};
	bigger->has_address = take_address(a->gateway, family, &bigger->address);
	return 0;
}

static int add_route(struct pm_routing *r, const struct route_attributes *a, sa_family_t family,
		     uint8_t bits)
{
	struct pm_route new = { .bits = bits }, *bigger;

	if (!take_address(a->destination, family, &new.destination))
		return 0;
	bigger = reallocarray(r->routes, r->nr_routes + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	r->routes = bigger;
	r->routes[r->nr_routes++] = new;
	return 0;
}

static bool is_for_destinations(const struct rtmsg *m)
{
	switch (m->rtm_type) {
	case RTN_LOCAL:
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		return false;
	default:
		return !(m->rtm_flags & RTM_F_CLONED) &&
		       (m->rtm_family == AF_INET || m->rtm_family == AF_INET6);
	}
}

static int route_answer(const struct nlmsghdr *answer, void *data)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(answer);
	struct route_attributes a = { 0 };

	if (answer->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(answer) < sizeof(*m) ||
	    !is_for_destinations(m))
		return 0;
	a.table = m->rtm_table;
	mnl_attr_parse(answer, sizeof(*m), route_attribute, &a);
	if (m->rtm_dst_len == 0)
		return m->rtm_type == RTN_UNICAST ? add_gateway(data, &a, m->rtm_family) : 0;
	return a.table == RT_TABLE_MAIN ? add_route(data, &a, m->rtm_family, m->rtm_dst_len) : 0;
}

struct neighbour_attributes {
	const struct nlattr *address, *mac;
};

static int neighbour_attribute(const struct nlattr *attr, void *data)
{
	struct neighbour_attributes *a = data;

	if (mnl_attr_get_type(attr) == NDA_DST)
		a->address = attr;
	else if (mnl_attr_get_type(attr) == NDA_LLADDR)
		a->mac = attr;
	return MNL_CB_OK;
}

static int neighbour_answer(const struct nlmsghdr *answer, void *data)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(answer);
	struct neighbour_attributes a = { 0 };
	struct pm_routing *r = data;
	struct pm_address address;

	if (answer->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(answer) < sizeof(*m) ||
	    (m->ndm_state & (NUD_INCOMPLETE | NUD_FAILED)))
		return 0;
	mnl_attr_parse(answer, sizeof(*m), neighbour_attribute, &a);
	if (!take_address(a.address, m->ndm_family, &address) ||
	    (!(m->ndm_state & NUD_NOARP) &&
	     (!a.mac || mnl_attr_get_payload_len(a.mac) > PM_MAC_BYTES)))
		return 0;
	for (size_t i = 0; i < r->nr_gateways; i++) {
		struct pm_gateway *g = &r->gateways[i];

		if (g->ifindex != m->ndm_ifindex || !g->has_address ||
		    !pm_address_equal(&g->address, &address))
			continue;
		g->settled = true;
		if (m->ndm_state & NUD_NOARP)
			continue;
		g->mac_bytes = mnl_attr_get_payload_len(a.mac);
		memcpy(g->mac, mnl_attr_get_payload(a.mac), g->mac_bytes);
	}
	return 0;
}

static int dump_neighbours(struct pm_netlink *nl, struct pm_routing *r, struct error *e)
{
	char buffer[PM_NETLINK_BYTES];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	message->nlmsg_type = RTM_GETNEIGH;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ndmsg));
	return pm_netlink_call(nl, message, neighbour_answer, r, "list the neighbours", e);
}

static int dump(struct pm_netlink *nl, struct pm_routing *r, struct error *e)
{
	char buffer[PM_NETLINK_BYTES];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	int err;

	message->nlmsg_type = RTM_GETROUTE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(message, sizeof(struct rtmsg));
	err = pm_netlink_call(nl, message, route_answer, r, "list the routes", e);
	return err < 0 ? err : dump_neighbours(nl, r, e);
}

/* Has the kernel ask for the MAC address, as if there were a packet to send. */
static void ask(struct pm_netlink *nl, const struct pm_gateway *g)
{
	char buffer[PM_NETLINK_BYTES];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ndmsg *m;

	message->nlmsg_type = RTM_NEWNEIGH;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
	m = mnl_nlmsg_put_extra_header(message, sizeof(*m));
	m->ndm_family = (uint8_t)g->family;
	m->ndm_ifindex = g->ifindex;
	m->ndm_flags = NTF_USE;
	if (g->family == AF_INET)
		mnl_attr_put(message, NDA_DST, sizeof(g->address.v4), &g->address.v4);
	else
		mnl_attr_put(message, NDA_DST, sizeof(g->address.v6), &g->address.v6);
	/* Without an answer the gateway is told by its address. */
	pm_netlink_call(nl, message, NULL, NULL, "ask for a gateway", NULL);
}

static bool all_settled(const struct pm_routing *r)
{
	for (size_t i = 0; i < r->nr_gateways; i++)
		if (r->gateways[i].has_address && !r->gateways[i].settled)
			return false;
	return true;
}

static int settle(struct pm_netlink *nl, struct pm_routing *r, struct error *e)
{
	int err = 0;

	for (size_t i = 0; i < r->nr_gateways; i++)
		if (r->gateways[i].has_address && !r->gateways[i].settled)
			ask(nl, &r->gateways[i]);
	for (int ms = 0; err == 0 && ms < PM_GATEWAY_WAIT_MS && !all_settled(r);
	     ms += GATEWAY_POLL_MS) {
		poll(NULL, 0, GATEWAY_POLL_MS);
		err = dump_neighbours(nl, r, e);
	}
	return err;
}

int pm_routing_read(struct pm_routing *out, struct error *e)
{
	struct pm_netlink nl = { 0 };
	int err = pm_netlink_open(&nl, NETLINK_ROUTE, e);

	if (err < 0)
		return err;
	err = -EAGAIN;
	for (int tries = 0; err == -EAGAIN && tries < DUMP_TRIES; tries++) {
		struct pm_routing r = { 0 };

		err = dump(&nl, &r, e);
		if (err == 0)
			err = settle(&nl, &r, e);
		if (err == 0)
			*out = r;
		else
			pm_routing_clear(&r);
	}
	pm_netlink_close(&nl);
	if (err == -ENOMEM)
		return error_set(e, err, "cannot list the routes: out of memory");
	return err;
}

void pm_routing_clear(struct pm_routing *r)
{
	free(r->gateways);
	free(r->routes);
	*r = (struct pm_routing){ 0 };
}

bool pm_routing_leads_out(const struct pm_routing *r, int ifindex, sa_family_t family)
{
	for (size_t i = 0; i < r->nr_gateways; i++)
		if (r->gateways[i].ifindex == ifindex && r->gateways[i].family == family)
			return true;
	return false;
}

int pm_routing_natural(const struct pm_routing *r, sa_family_t family)
{
	const struct pm_gateway *best = NULL;

	for (size_t i = 0; i < r->nr_gateways; i++) {
		const struct pm_gateway *g = &r->gateways[i];

		if (g->main && g->family == family && (!best || g->metric < best->metric))
			best = g;
	}
	return best ? best->ifindex : 0;
}

static uint32_t fnv(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint32_t hash = FNV_BASIS;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	return hash ? hash : 1;
}

/* The gateway that says most: a known MAC address, IPv4, the lower metric. */
static bool says_more(const struct pm_gateway *a, const struct pm_gateway *b)
{
	if (!a->mac_bytes != !b->mac_bytes)
		return a->mac_bytes;
	if (a->family != b->family)
		return a->family == AF_INET;
	return a->metric < b->metric;
}

uint32_t pm_routing_network(const struct pm_routing *r, int ifindex, bool *certain)
{
	const struct pm_gateway *best = NULL;

	for (size_t i = 0; i < r->nr_gateways; i++) {
		const struct pm_gateway *g = &r->gateways[i];

		if (g->ifindex == ifindex && g->has_address && (!best || says_more(g, best)))
			best = g;
	}
	*certain = !best || best->settled;
	if (!best)
		return 1;
	if (best->mac_bytes)
		return fnv(best->mac, best->mac_bytes);
	if (best->family == AF_INET)
		return fnv(&best->address.v4, sizeof(best->address.v4));
	return fnv(&best->address.v6, sizeof(best->address.v6));
}
