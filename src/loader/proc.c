// SPDX-License-Identifier: GPL-2.0-only
/* The module's own account of its schedulers and connections; see proc.h. */
#include "loader/proc.h"

#include <errno.h>
#include <string.h>

#include "loader/columns.h"
#include "loader/names.h"
#include "util/cleanup.h"

#define COUNTER(name)                                                      \
	{                                                                  \
#name, COLUMNS_U64, offsetof(struct loader_sched, name), 0 \
	}
#define TEXT(type, name)                                                                \
	{                                                                               \
#name, COLUMNS_TEXT, offsetof(type, name), sizeof(((type *)NULL)->name) \
	}

static const struct columns_def sched_columns[] = {
	TEXT(struct loader_sched, name),
	TEXT(struct loader_sched, state),
	COUNTER(connections),
	COUNTER(decisions),
	COUNTER(scheduled),
	COUNTER(waited),
	COUNTER(retransmits),
	COUNTER(stalls),
	COUNTER(refused),
	COUNTER(errors),
	COUNTER(slow),
	COUNTER(ejected),
	COUNTER(fastest),
	COUNTER(spilled),
	COUNTER(backup),
	COUNTER(deferred),
	COUNTER(redundant),
	COUNTER(reinjected),
	COUNTER(probe),
	COUNTER(sent_bytes),
	COUNTER(reinjected_bytes),
};

static const struct columns_def conn_columns[] = {
	{ "token", COLUMNS_HEX, offsetof(struct loader_conn, token), 0 },
	TEXT(struct loader_conn, scheduler),
	TEXT(struct loader_conn, state),
	TEXT(struct loader_conn, by),
	{ "rule", COLUMNS_U32, offsetof(struct loader_conn, rule), 0 },
	{ "decisions", COLUMNS_U64, offsetof(struct loader_conn, decisions), 0 },
	{ "sent_bytes", COLUMNS_U64, offsetof(struct loader_conn, sent_bytes), 0 },
	{ "reinjected_bytes", COLUMNS_U64, offsetof(struct loader_conn, reinjected_bytes), 0 },
};

int loader_proc_parse(FILE *in, struct loader_sched **out, size_t *nr, struct error *e)
{
	const struct columns_table t = { sched_columns,
					 sizeof(sched_columns) / sizeof(sched_columns[0]),
					 sizeof(struct loader_sched), LOADER_PROC };
	void *rows;
	int err = columns_parse(in, &t, &rows, nr, e);

	if (err < 0)
		return err;
	*out = rows;
	for (size_t i = 0; i < *nr; i++)
		(*out)[i].registered = true;
	return 0;
}

int loader_proc_parse_conns(FILE *in, struct loader_conn **out, size_t *nr, struct error *e)
{
	const struct columns_table t = { conn_columns,
					 sizeof(conn_columns) / sizeof(conn_columns[0]),
					 sizeof(struct loader_conn), LOADER_PROC_NET };
	void *rows;
	int err = columns_parse(in, &t, &rows, nr, e);

	if (err == 0)
		*out = rows;
	return err;
}

int loader_conn_list(struct loader_conn **out, size_t *nr, bool *known, struct error *e)
{
	_cleanup_fclose_ FILE *in = fopen(LOADER_PROC_NET, "re");

	*known = in != NULL;
	if (!in && errno == ENOENT) {
		*out = NULL;
		*nr = 0;
		return 0;
	}
	if (!in)
		return error_set(e, -errno, "cannot read %s: %s", LOADER_PROC_NET, strerror(errno));
	return loader_proc_parse_conns(in, out, nr, e);
}

int loader_proc_read(struct loader_sched **out, size_t *nr, struct error *e)
{
	_cleanup_fclose_ FILE *in = fopen(LOADER_PROC, "re");

	if (!in && errno == ENOENT) {
		*out = NULL;
		*nr = 0;
		return 0;
	}
	if (!in)
		return error_set(e, -errno, "cannot read %s: %s", LOADER_PROC, strerror(errno));
	return loader_proc_parse(in, out, nr, e);
}

bool loader_proc_has(const char *name)
{
	_cleanup_free_ struct loader_sched *list = NULL;
	size_t nr = 0;

	if (loader_proc_read(&list, &nr, NULL) < 0)
		return false;
	for (size_t i = 0; i < nr; i++) {
		if (strcmp(list[i].name, name) == 0)
			return true;
	}
	return false;
}
