/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's tables: a header line starting with '#' that names the columns, then one row a line.
 * Columns are found by name: one that is not known here is passed over, one that is missing leaves
 * its member 0.
 */
#ifndef LOADER_COLUMNS_H
#define LOADER_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/error.h"

enum columns_kind {
	COLUMNS_TEXT, /* char[size]; cut if longer */
	COLUMNS_U64,  /* decimal, uint64_t */
	COLUMNS_U32,  /* decimal, uint32_t */
	COLUMNS_HEX,  /* uint32_t */
};

struct columns_def {
	const char *name;
	enum columns_kind kind;
	size_t offset;
	size_t size; /* of a text */
};

struct columns_table {
	const struct columns_def *defs; /* the first one has to be there */
	size_t nr;
	size_t row_size;
	const char *file; /* for messages */
};

/* The caller frees *rows. -EPROTO when no header names the first column. A row without a value is
 * left out. */
int columns_parse(FILE *in, const struct columns_table *t, void **rows, size_t *nr,
		  struct error *e);

#endif
