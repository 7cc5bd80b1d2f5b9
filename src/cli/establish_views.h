/* SPDX-License-Identifier: GPL-2.0-only */
/* What SYN rescue knows of connections, and its counters, as tables. */
#ifndef CLI_ESTABLISH_VIEWS_H
#define CLI_ESTABLISH_VIEWS_H

#include <net/if.h>

#include "cli/table.h"
#include "loader/rescue.h"
#include "pm/address.h"

struct rescue_row {
	char saddr[INET6_ADDRSTRLEN], daddr[INET6_ADDRSTRLEN];
	char alias[INET6_ADDRSTRLEN]; /* empty: it has none */
	uint16_t sport, dport, alias_port;
	char local[PM_ADDRESS_PORT_BYTES], remote[PM_ADDRESS_PORT_BYTES],
		alias_cell[PM_ADDRESS_PORT_BYTES];
	const char *state;
	char dev[IF_NAMESIZE], alias_dev[IF_NAMESIZE];
	uint32_t syn_retransmits, answer_us, age_ms;
	bool fallback;
};

/* Rows belong to the caller; NULL when out of memory. */
struct rescue_row *view_rescue_rows(const struct loader_rescue_flow *flows, size_t nr,
				    uint64_t now_ns);
struct table view_rescues(const struct rescue_row *rows, size_t nr);

struct rescue_count_row {
	const char *name, *text;
	uint64_t value;
};

/* Those that are not 0. */
size_t view_rescue_counts(const uint64_t counts[RESCUE_COUNTS],
			  struct rescue_count_row out[RESCUE_COUNTS]);
struct table view_rescue_count_table(const struct rescue_count_row *rows, size_t nr);

/* Key of a counter in JSON. */
const char *view_rescue_count_name(enum rescue_count which);

#endif
