// SPDX-License-Identifier: GPL-2.0-only
/* Tables and JSON; see table.h. */
#include "cli/table.h"

#include <inttypes.h>
#include <string.h>

#define COLUMNS_MAX 32
#define CELL_BYTES  256
#define GAP	    2

static const void *field(const struct table *t, size_t row, const struct column *c)
{
	return (const char *)t->rows + row * t->row_size + c->offset;
}

static bool flag_at(const struct table *t, size_t row, const struct column *c)
{
	return *(const bool *)field(t, row, c);
}

/* Numbers of every width as one; signed ones are printed by cell() itself. */
static uint64_t number(const struct column *c, const void *p)
{
	switch (c->kind) {
	case COLUMN_U8:
		return *(const uint8_t *)p;
	case COLUMN_U16:
		return *(const uint16_t *)p;
	case COLUMN_U32:
	case COLUMN_PPM:
		return *(const uint32_t *)p;
	case COLUMN_U64:
		return *(const uint64_t *)p;
	case COLUMN_INT:
		return (uint64_t) * (const int *)p;
	case COLUMN_BOOL:
	case COLUMN_FLAG:
		return *(const bool *)p;
	case COLUMN_TEXT:
	case COLUMN_WORD:
		break;
	}
	return 0;
}

static const char *text(const struct column *c, const void *p)
{
	const char *s = c->kind == COLUMN_WORD ? *(const char *const *)p : p;

	return s ? s : "";
}

static bool is_text(const struct column *c)
{
	return c->kind == COLUMN_TEXT || c->kind == COLUMN_WORD;
}

static bool is_empty(const struct column *c, const void *p)
{
	return is_text(c) ? text(c, p)[0] == '\0' : number(c, p) == 0;
}

/* Flags from column `i` on, joined; "-" when none is set. */
static void flags_cell(const struct table *t, size_t row, size_t i, char out[CELL_BYTES])
{
	size_t at = 0;

	out[0] = '\0';
	for (; i < t->nr_columns && t->columns[i].kind == COLUMN_FLAG; i++) {
		if (flag_at(t, row, &t->columns[i]) && at < CELL_BYTES)
			at += (size_t)snprintf(out + at, CELL_BYTES - at, "%s%s", at ? "," : "",
					       t->columns[i].key);
	}
	if (at == 0)
		snprintf(out, CELL_BYTES, "-");
}

static void cell(const struct table *t, size_t row, size_t i, char out[CELL_BYTES])
{
	const struct column *c = &t->columns[i];
	const void *p = field(t, row, c);

	if (c->kind == COLUMN_FLAG)
		flags_cell(t, row, i, out);
	else if (c->optional && is_empty(c, p))
		snprintf(out, CELL_BYTES, "-");
	else if (is_text(c))
		snprintf(out, CELL_BYTES, "%s", text(c, p));
	else if (c->kind == COLUMN_BOOL)
		snprintf(out, CELL_BYTES, "%s", *(const bool *)p ? "yes" : "no");
	else if (c->kind == COLUMN_INT)
		snprintf(out, CELL_BYTES, "%d", *(const int *)p);
	else if (c->kind == COLUMN_PPM)
		snprintf(out, CELL_BYTES, "%.2f %%", *(const uint32_t *)p / 1e4);
	else
		snprintf(out, CELL_BYTES, "%" PRIu64, number(c, p));
}

static bool shown(const struct table *t, size_t i)
{
	const struct column *c = &t->columns[i];

	if (!c->title || (c->kind == COLUMN_FLAG && i && c[-1].kind == COLUMN_FLAG))
		return false;
	for (size_t row = 0; c->optional && row < t->nr_rows; row++) {
		if (!is_empty(c, field(t, row, c)))
			return true;
	}
	return !c->optional;
}

/* Terminals align by characters; UTF-8 continuation bytes take no room. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static bool aligned_right(const struct column *c)
{
	return !is_text(c) && c->kind != COLUMN_BOOL && c->kind != COLUMN_FLAG;
}

static void pad(FILE *out, int n)
{
	fprintf(out, "%*s", n > 0 ? n : 0, "");
}

static void put(FILE *out, const struct column *c, const char *s, int width, bool last)
{
	int room = width - width_of(s);

	if (aligned_right(c))
		pad(out, room);
	fputs(s, out);
	if (!aligned_right(c) && !last)
		pad(out, room);
	if (!last)
		pad(out, GAP);
}

static void print_titles(const struct table *t, const int *widths, size_t last, FILE *out,
			 bool color)
{
	if (color)
		fputs("\033[1m", out);
	for (size_t i = 0; i < t->nr_columns; i++) {
		if (widths[i])
			put(out, &t->columns[i], t->columns[i].title, widths[i], i == last);
	}
	fputs(color ? "\033[0m\n" : "\n", out);
}

void table_print(const struct table *t, FILE *out, bool color)
{
	int widths[COLUMNS_MAX] = { 0 };
	char buf[CELL_BYTES];
	size_t last = 0;

	if (t->nr_rows == 0)
		return;
	for (size_t i = 0; i < t->nr_columns && i < COLUMNS_MAX; i++) {
		if (!shown(t, i))
			continue;
		last = i;
		widths[i] = width_of(t->columns[i].title);
		for (size_t row = 0; row < t->nr_rows; row++) {
			cell(t, row, i, buf);
			if (width_of(buf) > widths[i])
				widths[i] = width_of(buf);
		}
	}
	print_titles(t, widths, last, out, color);
	for (size_t row = 0; row < t->nr_rows; row++) {
		for (size_t i = 0; i < t->nr_columns && i < COLUMNS_MAX; i++) {
			if (!widths[i])
				continue;
			cell(t, row, i, buf);
			put(out, &t->columns[i], buf, widths[i], i == last);
		}
		fputc('\n', out);
	}
}

void table_print_row(const struct table *t, size_t row, FILE *out)
{
	char buf[CELL_BYTES];

	for (size_t i = 0; i < t->nr_columns; i++) {
		if (!shown(t, i))
			continue;
		cell(t, row, i, buf);
		fprintf(out, "%-14s %s\n", t->columns[i].title, buf);
	}
}

void table_json_members(const struct table *t, size_t row, struct json *j)
{
	for (size_t i = 0; i < t->nr_columns; i++) {
		const struct column *c = &t->columns[i];
		const void *p = field(t, row, c);

		if (!c->key || ((c->optional || c->kind == COLUMN_FLAG) && is_empty(c, p)))
			continue;
		json_key(j, c->key);
		if (is_text(c))
			json_string(j, text(c, p));
		else if (c->kind == COLUMN_BOOL || c->kind == COLUMN_FLAG)
			json_bool(j, *(const bool *)p);
		else if (c->kind == COLUMN_INT)
			json_int(j, *(const int *)p);
		else
			json_uint(j, number(c, p));
	}
}

void table_json_row(const struct table *t, size_t row, struct json *j)
{
	json_object_open(j);
	table_json_members(t, row, j);
	json_object_close(j);
}

void table_json(const struct table *t, struct json *j)
{
	json_array_open(j);
	for (size_t row = 0; row < t->nr_rows; row++)
		table_json_row(t, row, j);
	json_array_close(j);
}
