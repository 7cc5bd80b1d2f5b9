/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the interfaces of the calling thread's namespace lead: routes, and which network is behind
 * an interface. */
#ifndef PM_NETWORK_H
#define PM_NETWORK_H

#include "pm/pm.h"

#define PM_MAC_BYTES 20

/* A default route, of any table. */
struct pm_gateway {
	int ifindex;
	sa_family_t family;
	bool main;	 /* of the main table, which is asked without a source address */
	uint32_t metric; /* lower is taken first */
	bool has_address;
	struct pm_address address;
	uint8_t mac[PM_MAC_BYTES]; /* of the neighbour with this address */
	size_t mac_bytes;	   /* 0: not known */
	bool settled;		   /* that there is no more to know about the neighbour */
};

/* Any other route of the main table. */
struct pm_route {
	struct pm_address destination;
	uint8_t bits;
};

/* Free with pm_routing_clear(). */
struct pm_routing {
	struct pm_gateway *gateways;
	size_t nr_gateways;
	struct pm_route *routes;
	size_t nr_routes;
};

/* Waits up to PM_GATEWAY_WAIT_MS for gateways that the kernel has to ask for their MAC address. */
#define PM_GATEWAY_WAIT_MS 300
int pm_routing_read(struct pm_routing *out, struct error *e);
void pm_routing_clear(struct pm_routing *r);

/* Does the interface lead out in this family? */
bool pm_routing_leads_out(const struct pm_routing *r, int ifindex, sa_family_t family);

/* The interface that the kernel takes by itself; 0: none, or several at once. */
int pm_routing_natural(const struct pm_routing *r, sa_family_t family);

/*
 * Tells the network behind an interface from others that it may be connected to: from the MAC
 * address of its gateway or, where that is not known (*certain is false), the gateway's address;
 * IPv4 first. Never 0. An interface without a gateway, as of PPP, has one network, for certain.
 */
uint32_t pm_routing_network(const struct pm_routing *r, int ifindex, bool *certain);

#endif
