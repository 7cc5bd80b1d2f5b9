// SPDX-License-Identifier: GPL-2.0-only
/* The module's own account of its schedulers; see proc.h. */
#include "loader/proc.h"

#include <errno.h>
#include <string.h>

#include "loader/names.h"
#include "util/cleanup.h"

#define COLUMNS_MAX 32
#define BLANKS	    " \t\r\n"

struct counter {
	const char *column;
	size_t offset;
};

static const struct counter counters[] = {
	{ "connections", offsetof(struct loader_sched, connections) },
	{ "decisions", offsetof(struct loader_sched, decisions) },
	{ "scheduled", offsetof(struct loader_sched, scheduled) },
	{ "waited", offsetof(struct loader_sched, waited) },
	{ "retransmits", offsetof(struct loader_sched, retransmits) },
	{ "stalls", offsetof(struct loader_sched, stalls) },
	{ "refused", offsetof(struct loader_sched, refused) },
	{ "errors", offsetof(struct loader_sched, errors) },
	{ "slow", offsetof(struct loader_sched, slow) },
	{ "ejected", offsetof(struct loader_sched, ejected) },
	{ "fastest", offsetof(struct loader_sched, fastest) },
	{ "spilled", offsetof(struct loader_sched, spilled) },
	{ "backup", offsetof(struct loader_sched, backup) },
	{ "deferred", offsetof(struct loader_sched, deferred) },
	{ "redundant", offsetof(struct loader_sched, redundant) },
	{ "reinjected", offsetof(struct loader_sched, reinjected) },
	{ "probe", offsetof(struct loader_sched, probe) },
	{ "sent_bytes", offsetof(struct loader_sched, sent_bytes) },
	{ "reinjected_bytes", offsetof(struct loader_sched, reinjected_bytes) },
};

#define NR_COUNTERS	     (sizeof(counters) / sizeof(counters[0]))
#define COLUMN_UNKNOWN	     (-1)
#define COLUMN_NAME	     (-2)
#define COLUMN_STATE	     (-3)
#define COLUMN_IS_COUNTER(i) ((i) >= 0)

static int column_of(const char *word)
{
	if (strcmp(word, "name") == 0)
		return COLUMN_NAME;
	if (strcmp(word, "state") == 0)
		return COLUMN_STATE;
	for (size_t i = 0; i < NR_COUNTERS; i++) {
		if (strcmp(word, counters[i].column) == 0)
			return (int)i;
	}
	return COLUMN_UNKNOWN;
}

static size_t parse_header(char *line, int columns[COLUMNS_MAX])
{
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(line + 1, BLANKS, &save); w && n < COLUMNS_MAX;
	     w = strtok_r(NULL, BLANKS, &save))
		columns[n++] = column_of(w);
	return n;
}

static void parse_line(char *line, const int *columns, size_t nr_columns, struct loader_sched *s)
{
	char *save = NULL;
	size_t i = 0;

	for (char *w = strtok_r(line, BLANKS, &save); w && i < nr_columns;
	     w = strtok_r(NULL, BLANKS, &save), i++) {
		if (columns[i] == COLUMN_NAME)
			snprintf(s->name, sizeof(s->name), "%s", w);
		else if (columns[i] == COLUMN_STATE)
			snprintf(s->state, sizeof(s->state), "%s", w);
		else if (COLUMN_IS_COUNTER(columns[i]))
			*(uint64_t *)((char *)s + counters[columns[i]].offset) =
				strtoull(w, NULL, 10);
	}
}

static bool has_name_column(const int *columns, size_t nr_columns)
{
	for (size_t i = 0; i < nr_columns; i++) {
		if (columns[i] == COLUMN_NAME)
			return true;
	}
	return false;
}

int loader_proc_parse(FILE *in, struct loader_sched **out, size_t *nr, struct error *e)
{
	_cleanup_free_ struct loader_sched *list = NULL;
	_cleanup_free_ char *line = NULL;
	int columns[COLUMNS_MAX];
	size_t nr_columns = 0, n = 0, size = 0;

	while (getline(&line, &size, in) > 0) {
		struct loader_sched s = { .registered = true };
		struct loader_sched *grown;

		if (line[0] == '#') {
			if (nr_columns == 0)
				nr_columns = parse_header(line, columns);
			continue;
		}
		if (!has_name_column(columns, nr_columns))
			break;
		parse_line(line, columns, nr_columns, &s);
		if (!s.name[0])
			continue;
		grown = reallocarray(list, n + 1, sizeof(*list));
		if (!grown)
			return error_set(e, -ENOMEM, "out of memory");
		list = grown;
		list[n++] = s;
	}
	if (!has_name_column(columns, nr_columns))
		return error_set(e, -EPROTO, "%s has no header that names its columns",
				 LOADER_PROC);
	*out = TAKE_PTR(list);
	*nr = n;
	return 0;
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
