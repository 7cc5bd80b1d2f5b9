/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections and subflows as rows of tables. Key names are those of `ip mptcp monitor` and `ss`
 * where they have one. */
#ifndef CLI_CONN_VIEWS_H
#define CLI_CONN_VIEWS_H

#include "cli/table.h"
#include "loader/loader.h"
#include "pm/address.h"
#include "pm/diag.h"

struct pair_cells {
	char saddr[INET6_ADDRSTRLEN], daddr[INET6_ADDRSTRLEN];
	uint16_t sport, dport;
	char local[PM_ADDRESS_PORT_BYTES], remote[PM_ADDRESS_PORT_BYTES];
};

struct conn_row {
	char token[12];
	const char *role, *state; /* NULL: not known */
	struct pair_cells at;
	uint32_t nr_subflows, uid, retransmits;
	const char *scheduler, *by, *sched_state; /* NULL: no scheduler of the module */
	const char *scheduler_cell;
	char by_cell[24];
	uint32_t rule;
	uint64_t decisions;
	uint64_t sent_bytes, acked_bytes, received_bytes, reinjected_bytes;
	bool fallback;
};

struct subflow_row {
	struct pm_subflow s;
	struct pair_cells at;
	const char *state;
	bool backup_received, backup_requested;
};

/* What the module knows of the connections; known is false when it is not loaded. */
struct conn_scheds {
	struct loader_conn *items;
	size_t nr;
	bool known;
};

/* Rows belong to the caller and borrow from what they were made of; NULL when out of memory. */
struct conn_row *view_conn_rows(const struct pm_connection *conns, size_t nr,
				const struct conn_scheds *scheds);
struct table view_conns(const struct conn_row *rows, size_t nr);
/* The same with everything that is known. */
struct table view_conns_in_full(const struct conn_row *rows, size_t nr);

/* As in `ss`; NULL when it is none. */
const char *view_state_name(uint8_t state);

struct subflow_row *view_subflow_rows(const struct pm_subflow *subflows, size_t nr);
struct table view_subflows(const struct subflow_row *rows, size_t nr);

#endif
