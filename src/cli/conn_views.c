// SPDX-License-Identifier: GPL-2.0-only
/* Tables of connections; see conn_views.h. */
#include "cli/conn_views.h"

#include <stdlib.h>
#include <string.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))

/* As in `ss`, by the numbers of include/net/tcp_states.h. */
const char *view_state_name(uint8_t state)
{
	static const char *const names[] = {
		[1] = "ESTAB",	    [2] = "SYN-SENT",  [3] = "SYN-RECV", [4] = "FIN-WAIT-1",
		[5] = "FIN-WAIT-2", [6] = "TIME-WAIT", [7] = "UNCONN",	 [8] = "CLOSE-WAIT",
		[9] = "LAST-ACK",   [10] = "LISTEN",   [11] = "CLOSING",
	};

	return state < NR(names) ? names[state] : NULL;
}

static const char *role_name(enum pm_role role)
{
	switch (role) {
	case PM_ROLE_CLIENT:
		return "client";
	case PM_ROLE_SERVER:
		return "server";
	case PM_ROLE_UNKNOWN:
		break;
	}
	return NULL;
}

static void fill_pair(const struct pm_socket_pair *from, struct pair_cells *out)
{
	pm_address_text(&from->local, out->saddr);
	pm_address_text(&from->remote, out->daddr);
	out->sport = from->local_port;
	out->dport = from->remote_port;
	pm_address_port_text(&from->local, from->local_port, out->local);
	pm_address_port_text(&from->remote, from->remote_port, out->remote);
}

/* A connection the module does not list has the kernel's own scheduler. */
static void fill_scheduler(const struct pm_connection *c, const struct conn_scheds *scheds,
			   struct conn_row *row)
{
	row->scheduler_cell = "-";
	snprintf(row->by_cell, sizeof(row->by_cell), "-");
	if (!scheds->known || c->fallback)
		return;
	row->scheduler = row->scheduler_cell = "default";
	for (size_t i = 0; i < scheds->nr; i++) {
		const struct loader_conn *s = &scheds->items[i];

		if (s->token != c->token)
			continue;
		row->scheduler = row->scheduler_cell = s->scheduler;
		row->by = s->by;
		row->sched_state = s->state;
		row->rule = s->rule;
		row->decisions = s->decisions;
		if (s->rule)
			snprintf(row->by_cell, sizeof(row->by_cell), "%s %u", s->by, s->rule);
		else
			snprintf(row->by_cell, sizeof(row->by_cell), "%s", s->by);
	}
}

struct conn_row *view_conn_rows(const struct pm_connection *conns, size_t nr,
				const struct conn_scheds *scheds)
{
	struct conn_row *rows = calloc(nr + 1, sizeof(*rows));

	for (size_t i = 0; rows && i < nr; i++) {
		const struct pm_connection *c = &conns[i];
		struct conn_row *row = &rows[i];

		if (c->token)
			snprintf(row->token, sizeof(row->token), "%08x", c->token);
		row->role = role_name(c->role);
		row->state = view_state_name(c->state);
		fill_pair(&c->at, &row->at);
		row->nr_subflows = (uint32_t)c->nr_subflows;
		row->uid = c->uid;
		row->retransmits = c->retransmits;
		row->sent_bytes = c->sent_bytes;
		row->acked_bytes = c->acked_bytes;
		row->received_bytes = c->received_bytes;
		row->reinjected_bytes = c->reinjected_bytes;
		row->fallback = c->fallback;
		fill_scheduler(c, scheds, row);
	}
	return rows;
}

#define CONN(key, title, kind, member, optional)                              \
	{                                                                     \
		key, title, kind, offsetof(struct conn_row, member), optional \
	}

static const struct column conn_columns[] = {
	CONN("token", "TOKEN", COLUMN_TEXT, token, true),
	CONN("role", "ROLE", COLUMN_WORD, role, true),
	CONN("saddr", NULL, COLUMN_TEXT, at.saddr, false),
	CONN("sport", NULL, COLUMN_U16, at.sport, false),
	CONN("daddr", NULL, COLUMN_TEXT, at.daddr, false),
	CONN("dport", NULL, COLUMN_U16, at.dport, false),
	CONN(NULL, "LOCAL", COLUMN_TEXT, at.local, false),
	CONN(NULL, "REMOTE", COLUMN_TEXT, at.remote, false),
	CONN("nr_subflows", "SUBFLOWS", COLUMN_U32, nr_subflows, false),
	CONN("scheduler", NULL, COLUMN_WORD, scheduler, true),
	CONN("by", NULL, COLUMN_WORD, by, true),
	CONN("rule", NULL, COLUMN_U32, rule, true),
	CONN(NULL, "SCHEDULER", COLUMN_WORD, scheduler_cell, false),
	CONN(NULL, "BY", COLUMN_TEXT, by_cell, false),
	CONN("sent_bytes", "SENT B", COLUMN_U64, sent_bytes, false),
	CONN("received_bytes", "RECEIVED B", COLUMN_U64, received_bytes, false),
	CONN("fallback", "FLAGS", COLUMN_FLAG, fallback, false),
	/* not in lists */
	CONN("state", "STATE", COLUMN_WORD, state, true),
	CONN("uid", "UID", COLUMN_U32, uid, false),
	CONN("sched_state", "SCHED STATE", COLUMN_WORD, sched_state, true),
	CONN("decisions", "DECISIONS", COLUMN_U64, decisions, true),
	CONN("acked_bytes", "ACKED B", COLUMN_U64, acked_bytes, false),
	CONN("reinjected_bytes", "REINJECTED B", COLUMN_U64, reinjected_bytes, false),
	CONN("retransmits", "RETRANS", COLUMN_U32, retransmits, false),
};

#define NR_CONN_DETAILS 7

struct table view_conns(const struct conn_row *rows, size_t nr)
{
	return (struct table){ conn_columns, NR(conn_columns) - NR_CONN_DETAILS, rows,
			       sizeof(*rows), nr };
}

struct table view_conns_in_full(const struct conn_row *rows, size_t nr)
{
	return (struct table){ conn_columns, NR(conn_columns), rows, sizeof(*rows), nr };
}

struct subflow_row *view_subflow_rows(const struct pm_subflow *subflows, size_t nr)
{
	struct subflow_row *rows = calloc(nr + 1, sizeof(*rows));

	for (size_t i = 0; rows && i < nr; i++) {
		rows[i].s = subflows[i];
		rows[i].state = view_state_name(subflows[i].state);
		fill_pair(&subflows[i].at, &rows[i].at);
		rows[i].backup_received = subflows[i].flags & PM_SUBFLOW_BACKUP_REMOTE;
		rows[i].backup_requested = subflows[i].flags & PM_SUBFLOW_BACKUP_LOCAL;
	}
	return rows;
}

#define SUBFLOW(key, title, kind, member, optional)                              \
	{                                                                        \
		key, title, kind, offsetof(struct subflow_row, member), optional \
	}

static const struct column subflow_columns[] = {
	SUBFLOW("saddr", NULL, COLUMN_TEXT, at.saddr, false),
	SUBFLOW("sport", NULL, COLUMN_U16, at.sport, false),
	SUBFLOW("daddr", NULL, COLUMN_TEXT, at.daddr, false),
	SUBFLOW("dport", NULL, COLUMN_U16, at.dport, false),
	SUBFLOW(NULL, "LOCAL", COLUMN_TEXT, at.local, false),
	SUBFLOW(NULL, "REMOTE", COLUMN_TEXT, at.remote, false),
	SUBFLOW("locid", "LOCID", COLUMN_U8, s.local_id, false),
	SUBFLOW("remid", "REMID", COLUMN_U8, s.remote_id, false),
	SUBFLOW("state", "STATE", COLUMN_WORD, state, true),
	SUBFLOW("backup_received", "FLAGS", COLUMN_FLAG, backup_received, false),
	SUBFLOW("backup_requested", "FLAGS", COLUMN_FLAG, backup_requested, false),
	SUBFLOW("srtt_us", "SRTT US", COLUMN_U32, s.srtt_us, false),
	SUBFLOW("rttvar_us", "RTTVAR US", COLUMN_U32, s.rttvar_us, false),
	SUBFLOW("cwnd", "CWND", COLUMN_U32, s.cwnd, false),
	SUBFLOW("in_flight", "IN FLIGHT", COLUMN_U32, s.in_flight, false),
	SUBFLOW("lost", "LOST", COLUMN_U32, s.lost, false),
	SUBFLOW("unsent_bytes", "UNSENT B", COLUMN_U32, s.unsent_bytes, false),
	SUBFLOW("pacing_bytes_per_s", "PACING B/S", COLUMN_U64, s.pacing_bytes_per_s, false),
	SUBFLOW("delivery_bytes_per_s", "DELIVERY B/S", COLUMN_U64, s.delivery_bytes_per_s, false),
	SUBFLOW("sent_bytes", "SENT B", COLUMN_U64, s.sent_bytes, false),
	SUBFLOW("acked_bytes", NULL, COLUMN_U64, s.acked_bytes, false),
	SUBFLOW("received_bytes", "RECEIVED B", COLUMN_U64, s.received_bytes, false),
	SUBFLOW("retransmits", "RETRANS", COLUMN_U32, s.retransmits, false),
	SUBFLOW("retransmitted_bytes", NULL, COLUMN_U64, s.retransmitted_bytes, false),
};

struct table view_subflows(const struct subflow_row *rows, size_t nr)
{
	return (struct table){ subflow_columns, NR(subflow_columns), rows, sizeof(*rows), nr };
}
