// SPDX-License-Identifier: GPL-2.0-only
/* Shared tables; see views.h. */
#include "cli/views.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))
#define NAMED_FLAGS                                                                                \
	(PM_FLAG_SIGNAL | PM_FLAG_SUBFLOW | PM_FLAG_BACKUP | PM_FLAG_FULLMESH | PM_FLAG_IMPLICIT | \
	 PM_FLAG_LAMINAR)

struct endpoint_row *view_endpoint_rows(const struct pm_kernel *k)
{
	struct endpoint_row *rows = calloc(k->nr_endpoints + 1, sizeof(*rows));

	for (size_t i = 0; rows && i < k->nr_endpoints; i++) {
		const struct pm_endpoint *e = &k->endpoints[i];

		pm_address_text(&e->address, rows[i].address);
		rows[i].port = e->port;
		rows[i].id = e->id;
		rows[i].signal = e->flags & PM_FLAG_SIGNAL;
		rows[i].subflow = e->flags & PM_FLAG_SUBFLOW;
		rows[i].backup = e->flags & PM_FLAG_BACKUP;
		rows[i].fullmesh = e->flags & PM_FLAG_FULLMESH;
		rows[i].implicit = e->flags & PM_FLAG_IMPLICIT;
		rows[i].laminar = e->flags & PM_FLAG_LAMINAR;
		rows[i].rawflags = e->flags & ~NAMED_FLAGS;
		rows[i].owned = e->owned;
		if (e->ifindex && !if_indextoname((unsigned int)e->ifindex, rows[i].dev))
			snprintf(rows[i].dev, sizeof(rows[i].dev), "if%d", e->ifindex);
	}
	return rows;
}

#define EP(key, title, kind, member, optional)                                    \
	{                                                                         \
		key, title, kind, offsetof(struct endpoint_row, member), optional \
	}

static const struct column endpoint_columns[] = {
	EP("address", "ADDRESS", COLUMN_TEXT, address, false),
	EP("port", "PORT", COLUMN_U16, port, true),
	EP("id", "ID", COLUMN_U8, id, false),
	EP("signal", "FLAGS", COLUMN_FLAG, signal, false),
	EP("subflow", "FLAGS", COLUMN_FLAG, subflow, false),
	EP("backup", "FLAGS", COLUMN_FLAG, backup, false),
	EP("fullmesh", "FLAGS", COLUMN_FLAG, fullmesh, false),
	EP("implicit", "FLAGS", COLUMN_FLAG, implicit, false),
	EP("laminar", "FLAGS", COLUMN_FLAG, laminar, false),
	EP("rawflags", "OTHER", COLUMN_U32, rawflags, true),
	EP("dev", "DEV", COLUMN_TEXT, dev, true),
	EP("owned", "OURS", COLUMN_BOOL, owned, false),
};

struct table view_endpoints(const struct endpoint_row *rows, size_t nr)
{
	return (struct table){ endpoint_columns, NR(endpoint_columns), rows, sizeof(*rows), nr };
}

static void name_user(uint32_t uid, char *out, size_t size)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw)
		snprintf(out, size, "%s", pw->pw_name);
	else
		snprintf(out, size, "%u", uid);
}

uint32_t view_share_ppm(uint64_t part, uint64_t whole)
{
	double share = whole ? (double)part * 1e6 / (double)whole : 0;

	return share < UINT32_MAX ? (uint32_t)share : UINT32_MAX;
}

struct sched_row *view_sched_rows(const struct loader_sched *list, size_t nr)
{
	struct sched_row *rows = calloc(nr + 1, sizeof(*rows));

	for (size_t i = 0; rows && i < nr; i++) {
		time_t at = (time_t)list[i].loaded_at_s;
		struct tm tm;

		rows[i].s = list[i];
		rows[i].duplicate_ppm =
			view_share_ppm(list[i].reinjected_bytes, list[i].sent_bytes);
		if (!at || !gmtime_r(&at, &tm))
			continue;
		strftime(rows[i].loaded_at, sizeof(rows[i].loaded_at), "%Y-%m-%dT%H:%M:%SZ", &tm);
		name_user(list[i].uid, rows[i].by, sizeof(rows[i].by));
	}
	return rows;
}

#define SCHED(key, title, kind, member, optional)                              \
	{                                                                      \
		key, title, kind, offsetof(struct sched_row, member), optional \
	}

static const struct column sched_columns[] = {
	SCHED("name", "NAME", COLUMN_TEXT, s.name, false),
	SCHED("state", "STATE", COLUMN_TEXT, s.state, true),
	SCHED("ours", "OURS", COLUMN_BOOL, s.pinned, false),
	SCHED("registered", NULL, COLUMN_BOOL, s.registered, false),
	SCHED("loaded_at", "LOADED", COLUMN_TEXT, loaded_at, true),
	SCHED("loaded_by", "BY", COLUMN_TEXT, by, true),
	SCHED("link_id", NULL, COLUMN_U32, s.link_id, true),
	SCHED("map_id", NULL, COLUMN_U32, s.map_id, true),
	SCHED("connections", "CONNS", COLUMN_U64, s.connections, false),
	SCHED("decisions", "DECISIONS", COLUMN_U64, s.decisions, false),
	SCHED("scheduled", "SCHEDULED", COLUMN_U64, s.scheduled, false),
	SCHED("waited", "WAITED", COLUMN_U64, s.waited, false),
	SCHED("retransmits", "RETRANS", COLUMN_U64, s.retransmits, false),
	SCHED("stalls", "STALLS", COLUMN_U64, s.stalls, false),
	SCHED("refused", "REFUSED", COLUMN_U64, s.refused, false),
	SCHED("errors", "ERRORS", COLUMN_U64, s.errors, false),
	SCHED("slow", "SLOW", COLUMN_U64, s.slow, false),
	SCHED("ejected", "EJECTED", COLUMN_U64, s.ejected, false),
	/* not in lists */
	SCHED("fastest", "FASTEST", COLUMN_U64, s.fastest, false),
	SCHED("spilled", "SPILLED", COLUMN_U64, s.spilled, false),
	SCHED("backup", "BACKUP", COLUMN_U64, s.backup, false),
	SCHED("deferred", "DEFERRED", COLUMN_U64, s.deferred, false),
	SCHED("redundant", "REDUNDANT", COLUMN_U64, s.redundant, false),
	SCHED("reinjected", "REINJECTED", COLUMN_U64, s.reinjected, false),
	SCHED("probe", "PROBE", COLUMN_U64, s.probe, false),
	SCHED("sent_bytes", "SENT B", COLUMN_U64, s.sent_bytes, false),
	SCHED("reinjected_bytes", "REINJECTED B", COLUMN_U64, s.reinjected_bytes, false),
	SCHED("duplicate_ppm", "DUPLICATE", COLUMN_PPM, duplicate_ppm, false),
};

#define NR_SCHED_DETAILS 10

struct table view_scheds(const struct sched_row *rows, size_t nr)
{
	return (struct table){ sched_columns, NR(sched_columns) - NR_SCHED_DETAILS, rows,
			       sizeof(*rows), nr };
}

struct table view_scheds_in_full(const struct sched_row *rows, size_t nr)
{
	return (struct table){ sched_columns, NR(sched_columns), rows, sizeof(*rows), nr };
}

#define FEATURE(key, title, kind, member, optional)                                 \
	{                                                                           \
		key, title, kind, offsetof(struct loader_feature, member), optional \
	}

static const struct column feature_columns[] = {
	FEATURE("feature", "FEATURE", COLUMN_WORD, name, false),
	FEATURE("level", "LEVEL", COLUMN_INT, level, false),
	FEATURE("present", "PRESENT", COLUMN_BOOL, present, false),
	FEATURE("detail", "SEEN", COLUMN_TEXT, detail, true),
	FEATURE("fix", "HOW TO GET IT", COLUMN_TEXT, fix, true),
};

struct table view_features(const struct loader_support *s)
{
	return (struct table){ feature_columns, NR(feature_columns), s->features,
			       sizeof(s->features[0]), FEATURE_NR };
}
