/* SPDX-License-Identifier: GPL-2.0-only */
/* One interface's resolvers are asked for ipv4only.arpa, again and again, by a loop's timer. */
#ifndef DAEMON_NAT64_QUERY_H
#define DAEMON_NAT64_QUERY_H

#include "daemon/daemon.h"
#include "pm/nat64.h"

struct nat64_query {
	struct loop *loop;
	int ifindex;
	struct in6_addr resolvers[PM_NAT64_RESOLVERS];
	size_t nr_resolvers;
	bool advertised; /* the resolvers, else they are those of the whole host */
	int fd;		 /* -1: nothing is asked */
	uint16_t id;
	unsigned int tries;
	uint64_t next_ms; /* when nat64_query_send() is wanted; LOOP_NEVER */
	/* What is known: no bits, nothing. */
	struct policy_prefix prefix;
	uint64_t until_ms;
	loop_fn *changed; /* what is known, or next_ms */
	void *data;
};

/* Ready to be asked; `changed` and its data are the caller's to set. */
void nat64_query_init(struct nat64_query *q, struct loop *loop, int ifindex);
/* Idempotent. */
void nat64_query_end(struct nat64_query *q);
/* Those of the network, which come before those of the host; asks at once when they are new. */
void nat64_query_resolvers(struct nat64_query *q, const struct in6_addr *resolvers, size_t nr);
/* Asks, or asks the next resolver. */
void nat64_query_send(struct nat64_query *q);

#endif
