// SPDX-License-Identifier: GPL-2.0-only
/* Tables of the module read by column names; see columns.h. */
#include "loader/columns.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "util/cleanup.h"

#define COLUMNS_MAX 64
#define BLANKS	    " \t\r\n"

static const struct columns_def *def_of(const struct columns_table *t, const char *word)
{
	for (size_t i = 0; i < t->nr; i++) {
		if (strcmp(word, t->defs[i].name) == 0)
			return &t->defs[i];
	}
	return NULL;
}

static size_t parse_header(char *line, const struct columns_table *t,
			   const struct columns_def *header[COLUMNS_MAX])
{
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(line + 1, BLANKS, &save); w && n < COLUMNS_MAX;
	     w = strtok_r(NULL, BLANKS, &save))
		header[n++] = def_of(t, w);
	return n;
}

static void store(const struct columns_def *d, const char *word, char *row)
{
	uint64_t n = strtoull(word, NULL, d->kind == COLUMNS_HEX ? 16 : 10);
	uint32_t n32 = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;

	switch (d->kind) {
	case COLUMNS_TEXT:
		snprintf(row + d->offset, d->size, "%s", word);
		break;
	case COLUMNS_U64:
		memcpy(row + d->offset, &n, sizeof(n));
		break;
	case COLUMNS_U32:
	case COLUMNS_HEX:
		memcpy(row + d->offset, &n32, sizeof(n32));
		break;
	}
}

/* Returns the number of values. */
static size_t parse_line(char *line, const struct columns_def *const *header, size_t nr, char *row)
{
	char *save = NULL;
	size_t i = 0;

	for (char *w = strtok_r(line, BLANKS, &save); w && i < nr;
	     w = strtok_r(NULL, BLANKS, &save), i++) {
		if (header[i])
			store(header[i], w, row);
	}
	return i;
}

static bool has_first(const struct columns_table *t, const struct columns_def *const *header,
		      size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (header[i] == &t->defs[0])
			return true;
	}
	return false;
}

int columns_parse(FILE *in, const struct columns_table *t, void **rows, size_t *nr, struct error *e)
{
	const struct columns_def *header[COLUMNS_MAX];
	_cleanup_free_ char *list = NULL, *line = NULL;
	size_t nr_header = 0, n = 0, size = 0;

	while (getline(&line, &size, in) > 0) {
		char *grown;

		if (line[0] == '#') {
			if (nr_header == 0)
				nr_header = parse_header(line, t, header);
			continue;
		}
		if (!has_first(t, header, nr_header))
			break;
		grown = reallocarray(list, n + 1, t->row_size);
		if (!grown)
			return error_set(e, -ENOMEM, "out of memory");
		list = grown;
		memset(list + n * t->row_size, 0, t->row_size);
		if (parse_line(line, header, nr_header, list + n * t->row_size))
			n++;
	}
	if (!has_first(t, header, nr_header))
		return error_set(e, -EPROTO, "%s has no header that names its columns", t->file);
	*rows = TAKE_PTR(list);
	*nr = n;
	return 0;
}
