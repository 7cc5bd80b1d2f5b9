// SPDX-License-Identifier: GPL-2.0-only
/* Tables of SYN rescue; see establish_views.h. */
#include "cli/establish_views.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "pm/rescue_settings.h"

#define NR(a)	  (sizeof(a) / sizeof((a)[0]))
#define NS_PER_MS 1000000u

static const struct {
	const char *name, *text;
} counters[RESCUE_COUNTS] = {
	[RESCUE_ASKED] = { "asked", "connections that another path was asked for" },
	[RESCUE_COPIES] = { "copies", "SYNs sent on another path as well" },
	[RESCUE_RESCUED] = { "rescued", "connections that another path answered first" },
	[RESCUE_KEPT] = { "kept", "the first path answered first although there were copies" },
	[RESCUE_RESETS] = { "resets", "RSTs sent to half-open losers" },
	[RESCUE_DROPPED] = { "dropped", "other packets of losers" },
	[RESCUE_REFUSED] = { "refused",
			     "copies answered with RST, which was kept from the socket" },
	[RESCUE_PLAIN_WAIT] = { "plain_waits",
				"copies answered without MPTCP before the timer, not taken" },
	[RESCUE_NOT_DATA] = { "not_data", "left alone: the SYN carries data" },
	[RESCUE_NOT_BOUND] = { "not_bound", "left alone: the socket is bound to a device" },
	[RESCUE_NOT_LINK] = { "not_link",
			      "left alone: the destination is on the path's own network" },
	[RESCUE_NOT_SIGNED] = { "not_signed", "left alone: the SYN is signed (TCP MD5 or AO)" },
	[RESCUE_NOT_PATH] = { "not_path", "no other path has an address of the family" },
	[RESCUE_NOT_PORT] = { "not_port", "no port was free for the copy" },
	[RESCUE_DATA_TAKEN] = { "data_taken", "SYNs with data that servers took" },
	[RESCUE_DATA_LOST] = { "data_lost", "SYNs with data that were lost, one without arrived" },
	[RESCUE_DATA_COOKIES] = { "data_cookies",
				  "cookies and requests for one that were taken out of SYNs" },
	[RESCUE_DATA_HOLDS] = { "data_holds",
				"times that data was found not to reach a destination" },
	[RESCUE_DATA_HELD] = { "data_held", "SYNs whose data was taken out because of that" },
	[RESCUE_DATA_UNLISTED] = { "data_unlisted",
				   "SYNs whose data was taken out, to a destination not listed" },
	[RESCUE_FAILED] = { "failed", "packets the kernel would not change or copy" },
};

const char *view_rescue_count_name(enum rescue_count which)
{
	return counters[which].name;
}

static const char *state_name(const struct rescue_flow *f)
{
	if (f->winner == RESCUE_UNDECIDED)
		return "asking";
	if (f->winner == RESCUE_FIRST)
		return "first-path";
	return loader_rescue_rides(f) ? "rescued" : "closed";
}

static void address_text(const struct rescue_address *a, uint16_t port, char text[INET6_ADDRSTRLEN],
			 char cell[PM_ADDRESS_PORT_BYTES])
{
	struct pm_address address;

	pm_rescue_address_back(a, &address);
	pm_address_text(&address, text);
	pm_address_port_text(&address, ntohs(port), cell);
}

static void device_name(uint32_t ifindex, char out[IF_NAMESIZE])
{
	if (!if_indextoname(ifindex, out))
		snprintf(out, IF_NAMESIZE, "if%u", ifindex);
}

static void fill_row(struct rescue_row *row, const struct loader_rescue_flow *f, uint64_t now_ns)
{
	uint32_t winner = f->flow.winner;

	address_text(&f->at.local, f->at.local_port, row->saddr, row->local);
	address_text(&f->at.remote, f->at.remote_port, row->daddr, row->remote);
	row->sport = ntohs(f->at.local_port);
	row->dport = ntohs(f->at.remote_port);
	row->state = state_name(&f->flow);
	device_name(f->flow.ifindex, row->dev);
	row->syn_retransmits = f->flow.retransmits;
	row->answer_us = f->flow.decided_us;
	row->fallback = f->flow.plain;
	row->age_ms = (uint32_t)((now_ns - f->flow.began_ns) / NS_PER_MS);
	if (winner > RESCUE_UNDECIDED && winner <= RESCUE_ROUTES_MAX) {
		const struct rescue_route *r = &f->flow.routes[winner - 1];

		address_text(&r->address, f->flow.alias_port, row->alias, row->alias_cell);
		row->alias_port = ntohs(f->flow.alias_port);
		device_name(r->ifindex, row->alias_dev);
	}
}

struct rescue_row *view_rescue_rows(const struct loader_rescue_flow *flows, size_t nr,
				    uint64_t now_ns)
{
	struct rescue_row *rows = calloc(nr + 1, sizeof(*rows));

	for (size_t i = 0; rows && i < nr; i++)
		fill_row(&rows[i], &flows[i], now_ns);
	return rows;
}

#define ROW(key, title, kind, member, optional)                                 \
	{                                                                       \
		key, title, kind, offsetof(struct rescue_row, member), optional \
	}

static const struct column rescue_columns[] = {
	ROW("saddr", NULL, COLUMN_TEXT, saddr, false),
	ROW("sport", NULL, COLUMN_U16, sport, false),
	ROW("daddr", NULL, COLUMN_TEXT, daddr, false),
	ROW("dport", NULL, COLUMN_U16, dport, false),
	ROW(NULL, "LOCAL", COLUMN_TEXT, local, false),
	ROW(NULL, "REMOTE", COLUMN_TEXT, remote, false),
	ROW("state", "STATE", COLUMN_WORD, state, false),
	ROW("dev", "DEV", COLUMN_TEXT, dev, false),
	ROW("alias_saddr", NULL, COLUMN_TEXT, alias, true),
	ROW("alias_sport", NULL, COLUMN_U16, alias_port, true),
	ROW(NULL, "AS", COLUMN_TEXT, alias_cell, true),
	ROW("alias_dev", "ON", COLUMN_TEXT, alias_dev, true),
	ROW("syn_retransmits", "SYN_RETRANS", COLUMN_U32, syn_retransmits, false),
	ROW("answer_us", "ANSWER_US", COLUMN_U32, answer_us, true),
	ROW("age_ms", "AGE_MS", COLUMN_U32, age_ms, false),
	ROW("fallback", "FLAGS", COLUMN_FLAG, fallback, true),
};

struct table view_rescues(const struct rescue_row *rows, size_t nr)
{
	return (struct table){ rescue_columns, NR(rescue_columns), rows, sizeof(*rows), nr };
}

size_t view_rescue_counts(const uint64_t counts[RESCUE_COUNTS],
			  struct rescue_count_row out[RESCUE_COUNTS])
{
	size_t n = 0;

	for (size_t i = 0; i < RESCUE_COUNTS; i++) {
		if (counts[i])
			out[n++] = (struct rescue_count_row){ counters[i].name, counters[i].text,
							      counts[i] };
	}
	return n;
}

static const struct column count_columns[] = {
	{ "counter", "COUNTER", COLUMN_WORD, offsetof(struct rescue_count_row, name), false },
	{ "value", "VALUE", COLUMN_U64, offsetof(struct rescue_count_row, value), false },
	{ NULL, "MEANING", COLUMN_WORD, offsetof(struct rescue_count_row, text), false },
};

struct table view_rescue_count_table(const struct rescue_count_row *rows, size_t nr)
{
	return (struct table){ count_columns, NR(count_columns), rows, sizeof(*rows), nr };
}
