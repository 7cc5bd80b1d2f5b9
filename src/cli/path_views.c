// SPDX-License-Identifier: GPL-2.0-only
/* Rows from the daemon's lines; see path_views.h. */
#include "cli/path_views.h"

#include <errno.h>
#include <stdlib.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static void take(const struct flat *line, const char *key, char *out, size_t size)
{
	const char *text = flat_string(line, key);

	snprintf(out, size, "%s", text ? text : "");
}

static uint32_t number(const struct flat *line, const char *key)
{
	return (uint32_t)flat_uint(line, key);
}

int path_rows_add(struct path_rows *rows, const struct flat *line)
{
	struct path_row *bigger = reallocarray(rows->items, rows->nr + 1, sizeof(*bigger));
	struct path_row *r;

	if (!bigger)
		return -ENOMEM;
	rows->items = bigger;
	r = &bigger[rows->nr++];
	take(line, "path", r->path, sizeof(r->path));
	take(line, "interface", r->interface, sizeof(r->interface));
	take(line, "address", r->address, sizeof(r->address));
	take(line, "state", r->state, sizeof(r->state));
	take(line, "wanted", r->wanted, sizeof(r->wanted));
	take(line, "nat64", r->nat64, sizeof(r->nat64));
	take(line, "congestion_control", r->congestion, sizeof(r->congestion));
	take(line, "reason", r->reason, sizeof(r->reason));
	r->id = number(line, "id");
	r->subflows = number(line, "subflows");
	r->since_s = number(line, "since_s");
	r->srtt_us = number(line, "srtt_us");
	r->rto_us = number(line, "rto_us");
	r->loss_permille = number(line, "loss_permille");
	r->resent_permille = number(line, "resent_permille");
	r->timeouts = number(line, "timeouts");
	r->stall_ms = number(line, "stall_ms");
	r->rate_bps = flat_uint(line, "rate_bps");
	return 0;
}

void path_rows_clear(struct path_rows *rows)
{
	free(rows->items);
	*rows = (struct path_rows){ 0 };
}

#define PATH(key, title, kind, member, optional)                              \
	{                                                                     \
		key, title, kind, offsetof(struct path_row, member), optional \
	}

static const struct column columns[] = {
	PATH("path", "PATH", COLUMN_TEXT, path, false),
	PATH("interface", "INTERFACE", COLUMN_TEXT, interface, true),
	PATH("address", "ADDRESS", COLUMN_TEXT, address, true),
	PATH("state", "STATE", COLUMN_TEXT, state, false),
	PATH("wanted", "WANTED", COLUMN_TEXT, wanted, true),
	PATH("id", "ID", COLUMN_U32, id, true),
	PATH("subflows", "SUBFLOWS", COLUMN_U32, subflows, false),
	PATH("since_s", "SINCE S", COLUMN_U32, since_s, true),
	PATH("srtt_us", "SRTT US", COLUMN_U32, srtt_us, true),
	PATH("rto_us", "RTO US", COLUMN_U32, rto_us, true),
	PATH("loss_permille", "LOSS PERMILLE", COLUMN_U32, loss_permille, true),
	PATH("resent_permille", "RESENT PERMILLE", COLUMN_U32, resent_permille, true),
	PATH("timeouts", "TIMEOUTS", COLUMN_U32, timeouts, true),
	PATH("stall_ms", "STALL MS", COLUMN_U32, stall_ms, true),
	PATH("rate_bps", "RATE BIT/S", COLUMN_U64, rate_bps, true),
	PATH("congestion_control", "CONGESTION", COLUMN_TEXT, congestion, true),
	PATH("nat64", "NAT64", COLUMN_TEXT, nat64, true),
	PATH("reason", "REASON", COLUMN_TEXT, reason, true),
};

static const struct column wanted_columns[] = {
	PATH("path", "PATH", COLUMN_TEXT, path, false),
	PATH("interface", "INTERFACE", COLUMN_TEXT, interface, false),
	PATH("address", "ADDRESS", COLUMN_TEXT, address, false),
	PATH("wanted", "WANTED", COLUMN_TEXT, wanted, false),
	PATH("state", "STATE", COLUMN_TEXT, state, false),
	PATH("congestion_control", "CONGESTION", COLUMN_TEXT, congestion, true),
	PATH("reason", "REASON", COLUMN_TEXT, reason, true),
};

struct table view_paths(const struct path_rows *rows)
{
	return (struct table){ columns, NR(columns), rows->items, sizeof(*rows->items), rows->nr };
}

struct table view_wanted_paths(const struct path_rows *rows)
{
	return (struct table){ wanted_columns, NR(wanted_columns), rows->items,
			       sizeof(*rows->items), rows->nr };
}
