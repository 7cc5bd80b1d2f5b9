// SPDX-License-Identifier: GPL-2.0-only
/* Links and addresses by rtnetlink. */
#include "pm/interfaces.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "pm/netlink.h"
#include "util/cleanup.h"

#define DUMP_TRIES 5

struct interface_list {
	struct pm_interface *items;
	size_t nr;
};

struct link_attributes {
	const char *name;
	const char *kind;
	uint64_t bytes;
};

static const struct {
	const char *text;
	enum policy_link_type type;
} kinds[] = {
	{ "wireguard", POLICY_LINK_VPN }, { "tun", POLICY_LINK_VPN },
	{ "ppp", POLICY_LINK_VPN },	  { "xfrm", POLICY_LINK_VPN },
	{ "vti", POLICY_LINK_VPN },	  { "ipsec", POLICY_LINK_VPN },
	{ "wwan", POLICY_LINK_CELLULAR }, { "rmnet", POLICY_LINK_CELLULAR },
}, prefixes[] = {
	{ "wl", POLICY_LINK_WIFI },	  { "ww", POLICY_LINK_CELLULAR },
	{ "rmnet", POLICY_LINK_CELLULAR }, { "en", POLICY_LINK_ETHERNET },
	{ "eth", POLICY_LINK_ETHERNET },  { "tun", POLICY_LINK_VPN },
	{ "tap", POLICY_LINK_VPN },	  { "wg", POLICY_LINK_VPN },
	{ "ppp", POLICY_LINK_VPN },
};

static const struct {
	const char *text;
	enum policy_link_type type;
} devtypes[] = {
	{ "wlan", POLICY_LINK_WIFI },
	{ "wwan", POLICY_LINK_CELLULAR },
	{ "wireguard", POLICY_LINK_VPN },
	{ "ppp", POLICY_LINK_VPN },
};

enum policy_link_type pm_interface_device_type(const char *sysfs_net, const char *name, int ifindex)
{
	char path[256], line[128], devtype[32] = "";
	_cleanup_fclose_ FILE *uevent = NULL;
	int found = 0;

	snprintf(path, sizeof(path), "%s/%s/uevent", sysfs_net, name);
	uevent = fopen(path, "re");
	while (uevent && fgets(line, sizeof(line), uevent)) {
		sscanf(line, "DEVTYPE=%31s", devtype);
		sscanf(line, "IFINDEX=%d", &found);
	}
	if (!found || found != ifindex)
		return POLICY_LINK_ANY;
	for (size_t i = 0; i < sizeof(devtypes) / sizeof(devtypes[0]); i++)
		if (strcmp(devtype, devtypes[i].text) == 0)
			return devtypes[i].type;
	return POLICY_LINK_ANY;
}

enum policy_link_type pm_interface_type(const char *name, const char *kind)
{
	for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i].text) == 0)
			return kinds[i].type;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(name, prefixes[i].text, strlen(prefixes[i].text)) == 0)
			return prefixes[i].type;
	return POLICY_LINK_ANY;
}

static int kind_attribute(const struct nlattr *attr, void *data)
{
	struct link_attributes *a = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		a->kind = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* The kernel of tomorrow may send more, one of yesterday has both that are needed. */
static void read_stats(const struct nlattr *attr, struct link_attributes *a)
{
	struct rtnl_link_stats64 stats = { 0 };
	size_t size = mnl_attr_get_payload_len(attr);

	memcpy(&stats, mnl_attr_get_payload(attr), size < sizeof(stats) ? size : sizeof(stats));
	a->bytes = stats.rx_bytes + stats.tx_bytes;
}

static int link_attribute(const struct nlattr *attr, void *data)
{
	struct link_attributes *a = data;

	if (mnl_attr_get_type(attr) == IFLA_IFNAME &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		a->name = mnl_attr_get_str(attr);
	else if (mnl_attr_get_type(attr) == IFLA_STATS64)
		read_stats(attr, a);
	else if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
		return mnl_attr_parse_nested(attr, kind_attribute, a);
	return MNL_CB_OK;
}

static int link_answer(const struct nlmsghdr *answer, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(answer);
	struct interface_list *list = data;
	struct link_attributes a = { 0 };
	struct pm_interface *bigger, *new;

	if (answer->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(answer) < sizeof(*info))
		return 0;
	mnl_attr_parse(answer, sizeof(*info), link_attribute, &a);
	if (!a.name)
		return 0;
	bigger = reallocarray(list->items, list->nr + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	list->items = bigger;
	new = &list->items[list->nr++];
	*new = (struct pm_interface){
		.ifindex = info->ifi_index,
		.up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_LOWER_UP),
		.loopback = info->ifi_flags & IFF_LOOPBACK,
		.bytes = a.bytes,
		.type = pm_interface_device_type("/sys/class/net", a.name, info->ifi_index),
	};
	if (new->type == POLICY_LINK_ANY)
		new->type = pm_interface_type(a.name, a.kind);
	snprintf(new->name, sizeof(new->name), "%s", a.name);
	return 0;
}

struct address_attributes {
	const struct nlattr *address, *local;
	uint32_t flags;
};

static int address_attribute(const struct nlattr *attr, void *data)
{
	struct address_attributes *a = data;

	if (mnl_attr_get_type(attr) == IFA_ADDRESS)
		a->address = attr;
	else if (mnl_attr_get_type(attr) == IFA_LOCAL)
		a->local = attr;
	else if (mnl_attr_get_type(attr) == IFA_FLAGS && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		a->flags = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/* The scope says link-local and host for both families. */
static bool usable(const struct ifaddrmsg *info, uint32_t flags)
{
	const uint32_t unusable = IFA_F_TEMPORARY | IFA_F_TENTATIVE | IFA_F_DEPRECATED |
				  IFA_F_DADFAILED;

	if (info->ifa_scope == RT_SCOPE_LINK || info->ifa_scope == RT_SCOPE_HOST)
		return false;
	/* IPv4 has the value of IFA_F_TEMPORARY for a second address of a subnet. */
	return !(flags & (info->ifa_family == AF_INET ? unusable & ~IFA_F_TEMPORARY : unusable));
}

static int address_answer(const struct nlmsghdr *answer, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(answer);
	struct address_attributes a = { 0 };
	struct interface_list *list = data;
	const struct nlattr *attr;
	struct pm_address new = { 0 }, *bigger;
	size_t size;

	if (answer->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(answer) < sizeof(*info) ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return 0;
	a.flags = info->ifa_flags;
	mnl_attr_parse(answer, sizeof(*info), address_attribute, &a);
	/* On a point-to-point link IFA_ADDRESS is the peer's. */
	attr = a.local ? a.local : a.address;
	size = info->ifa_family == AF_INET ? sizeof(new.v4) : sizeof(new.v6);
	if (!attr || mnl_attr_get_payload_len(attr) != size || !usable(info, a.flags))
		return 0;
	new.family = info->ifa_family;
	memcpy(info->ifa_family == AF_INET ? (void *)&new.v4 : (void *)&new.v6,
	       mnl_attr_get_payload(attr), size);
	for (size_t i = 0; i < list->nr; i++) {
		struct pm_interface *it = &list->items[i];

		if (it->ifindex != (int)info->ifa_index)
			continue;
		bigger = reallocarray(it->addresses, it->nr_addresses + 1, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		it->addresses = bigger;
		it->addresses[it->nr_addresses++] = new;
	}
	return 0;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct pm_interface *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static int dump(struct pm_netlink *nl, struct interface_list *list, struct error *e)
{
	char buffer[PM_NETLINK_BYTES];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	int r;

	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	r = pm_netlink_call(nl, message, link_answer, list, "list the network interfaces", e);
	if (r < 0)
		return r;
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = RTM_GETADDR;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifaddrmsg));
	return pm_netlink_call(nl, message, address_answer, list, "list the addresses", e);
}

int pm_interfaces_read(struct pm_interface **out, size_t *nr, struct error *e)
{
	struct pm_netlink nl = { 0 };
	int r = pm_netlink_open(&nl, NETLINK_ROUTE, e);

	if (r < 0)
		return r;
	r = -EAGAIN;
	for (int tries = 0; r == -EAGAIN && tries < DUMP_TRIES; tries++) {
		struct interface_list list = { 0 };

		r = dump(&nl, &list, e);
		if (r == 0) {
			if (list.nr)
				qsort(list.items, list.nr, sizeof(*list.items), by_ifindex);
			*out = list.items;
			*nr = list.nr;
		} else {
			pm_interfaces_free(list.items, list.nr);
		}
	}
	pm_netlink_close(&nl);
	if (r == -ENOMEM)
		return error_set(e, r, "cannot list the network interfaces: out of memory");
	return r;
}

void pm_interfaces_free(struct pm_interface *interfaces, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(interfaces[i].addresses);
	free(interfaces);
}
