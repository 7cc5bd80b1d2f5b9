/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables for people and JSON for programs from one description of the columns. A row is a struct;
 * a column says where in it the value is.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/json.h"

enum column_kind {
	COLUMN_TEXT, /* char[] in the row */
	COLUMN_WORD, /* const char * */
	COLUMN_U8,
	COLUMN_U16,
	COLUMN_U32,
	COLUMN_U64,
	COLUMN_INT,
	COLUMN_PPM,  /* uint32_t, parts per million; in the table as a percentage */
	COLUMN_BOOL, /* yes or no */
	COLUMN_FLAG, /* bool; in JSON a key that is there when true, as in `ip -j`; neighbouring
			flags share one column of the table */
};

struct column {
	const char *key;   /* JSON; NULL: table only */
	const char *title; /* table; NULL: JSON only; of neighbouring flags the first counts */
	enum column_kind kind;
	unsigned int offset;
	bool optional; /* JSON: left out when empty or 0; table: left out when so in all rows */
};

struct table {
	const struct column *columns;
	size_t nr_columns;
	const void *rows;
	size_t row_size;
	size_t nr_rows;
};

/* Aligned columns under their titles; nothing at all without rows. */
void table_print(const struct table *t, FILE *out, bool color);
/* An array of objects. */
void table_json(const struct table *t, struct json *j);
/* One row as an object. */
void table_json_row(const struct table *t, size_t row, struct json *j);
/* The same without the braces, inside an object that is open. */
void table_json_members(const struct table *t, size_t row, struct json *j);
/* One row as lines "title value". */
void table_print_row(const struct table *t, size_t row, FILE *out);

#endif
