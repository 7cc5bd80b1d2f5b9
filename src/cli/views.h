/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables that more than one verb shows. Key names of endpoints are those of `ip -j mptcp
 * endpoint`. */
#ifndef CLI_VIEWS_H
#define CLI_VIEWS_H

#include <net/if.h>
#include <netinet/in.h>

#include "cli/table.h"
#include "loader/loader.h"
#include "pm/pm.h"

struct endpoint_row {
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
	uint8_t id;
	bool signal, subflow, backup, fullmesh, implicit, laminar;
	char dev[IF_NAMESIZE];
	uint32_t rawflags; /* bits that have no name here */
	bool owned;
};

/* Rows belong to the caller; NULL when out of memory or there are none. */
struct endpoint_row *view_endpoint_rows(const struct pm_kernel *k);
struct table view_endpoints(const struct endpoint_row *rows, size_t nr);

struct sched_row {
	struct loader_sched s;
	char loaded_at[32];	/* ISO 8601, UTC; empty: unknown */
	char by[32];		/* user name or number; empty: unknown */
	uint32_t duplicate_ppm; /* sent again, of what was sent */
};

struct sched_row *view_sched_rows(const struct loader_sched *list, size_t nr);
struct table view_scheds(const struct sched_row *rows, size_t nr);
/* The same with the decisions by reason. */
struct table view_scheds_in_full(const struct sched_row *rows, size_t nr);

/* Parts per million; 0 when nothing was sent. */
uint32_t view_share_ppm(uint64_t part, uint64_t whole);

struct table view_features(const struct loader_support *s);

#endif
