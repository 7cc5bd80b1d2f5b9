// SPDX-License-Identifier: GPL-2.0-only
/* Mistakes in a policy: where they are, the line they are on, and what was probably meant. */
#include "policy/diagnostics.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_WIDTH  160 /* characters of a source line worth showing */
#define NEAREST_BYTES 32  /* longer words are not typing mistakes of ours */

static const char RED[] = "\033[1;31m";
static const char BOLD[] = "\033[1m";
static const char GREEN[] = "\033[1;32m";
static const char RESET[] = "\033[0m";

size_t text_utf8_length(const char *s, size_t size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)s[0];
	uint32_t code;
	size_t n;

	if (first < 0x80)
		return 1;
	if ((first & 0xe0) == 0xc0)
		n = 2;
	else if ((first & 0xf0) == 0xe0)
		n = 3;
	else if ((first & 0xf8) == 0xf0)
		n = 4;
	else
		return 0;
	if (n > size)
		return 0;
	code = first & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		unsigned char next = (unsigned char)s[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (next & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return n;
}

/* Bytes of the line break at s, 0 if there is none. NEL, LS and PS are breaks for libyaml, whose
 * line numbers we show. */
static size_t break_length(const char *s, size_t size)
{
	if (size >= 2 && s[0] == '\r' && s[1] == '\n')
		return 2;
	if (s[0] == '\r' || s[0] == '\n')
		return 1;
	if (size >= 2 && !memcmp(s, "\xc2\x85", 2))
		return 2;
	if (size >= 3 && (!memcmp(s, "\xe2\x80\xa8", 3) || !memcmp(s, "\xe2\x80\xa9", 3)))
		return 3;
	return 0;
}

/* The step to the next character; a byte that is not UTF-8 counts as one. */
static size_t char_length(const char *s, size_t size)
{
	size_t n = text_utf8_length(s, size);

	return n ? n : 1;
}

void text_position(const char *text, size_t size, size_t offset, unsigned int *line,
		   unsigned int *column)
{
	size_t at = 0;

	*line = 1;
	*column = 1;
	while (at < size && at < offset) {
		size_t n = break_length(text + at, size - at);

		if (n) {
			(*line)++;
			*column = 1;
		} else {
			n = char_length(text + at, size - at);
			(*column)++;
		}
		at += n;
	}
}

static char *copy_line(const char *text, size_t size, unsigned int line)
{
	size_t at = 0, start;

	while (line > 1 && at < size) {
		size_t n = break_length(text + at, size - at);

		if (n)
			line--;
		at += n ? n : 1;
	}
	for (start = at; at < size && !break_length(text + at, size - at);)
		at++;
	return strndup(text + start, at - start);
}

int diagnostics_attach_source(struct policy_diagnostics *d, const char *text, size_t size)
{
	for (size_t i = 0; i < d->nr; i++) {
		if (d->items[i].source)
			continue;
		d->items[i].source = copy_line(text, size, d->items[i].line);
		if (!d->items[i].source)
			return -ENOMEM;
	}
	return 0;
}

/* What ends up on a terminal carries no control characters and no half of a character. */
static void sanitize(char *s)
{
	while (*s) {
		size_t n = text_utf8_length(s, strlen(s));

		if (n == 0) {
			if (strlen(s) < 4) {
				*s = '\0';
				return;
			}
			n = 1;
			*s = '?';
		} else if (n == 1 && iscntrl((unsigned char)*s)) {
			*s = '?';
		} else if (n == 2 && s[0] == '\xc2' && (unsigned char)s[1] < 0xa0) {
			memcpy(s, "??", 2);
		}
		s += n;
	}
}

static bool before(const struct policy_diagnostic *d, unsigned int line, unsigned int column)
{
	return d->line < line || (d->line == line && d->column <= column);
}

void diagnose(struct policy_diagnostics *d, unsigned int line, unsigned int column,
	      const char *hint, const char *fmt, ...)
{
	struct policy_diagnostic *item;
	size_t at = d->nr;
	va_list ap;

	d->total++;
	while (at > 0 && !before(&d->items[at - 1], line, column))
		at--;
	if (at == POLICY_DIAGNOSTICS_MAX)
		return;
	if (d->nr == POLICY_DIAGNOSTICS_MAX)
		free(d->items[--d->nr].source);
	item = &d->items[at];
	memmove(item + 1, item, (d->nr - at) * sizeof(*item));
	d->nr++;
	memset(item, 0, sizeof(*item));
	item->line = line;
	item->column = column;
	va_start(ap, fmt);
	vsnprintf(item->text, sizeof(item->text), fmt, ap);
	va_end(ap);
	snprintf(item->hint, sizeof(item->hint), "%s", hint ? hint : "");
	sanitize(item->text);
	sanitize(item->hint);
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][NEAREST_BYTES + 1], na = strlen(a), nb = strlen(b);

	if (na > NEAREST_BYTES || nb > NEAREST_BYTES)
		return NEAREST_BYTES;
	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = smallest(change, above[j] + 1, row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    above2[j - 2] + 1 < row[j])
				row[j] = above2[j - 2] + 1;
		}
	}
	return rows[na % 3][nb];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t nr)
{
	size_t length = strlen(word), limit = length < 4 ? 1 : 1 + length / 4;
	const char *best = NULL;

	for (size_t i = 0; i < nr; i++) {
		size_t distance = edit_distance(word, candidates[i]);

		if (distance > limit)
			continue;
		best = candidates[i];
		limit = distance ? distance - 1 : 0;
		if (distance == 0)
			break;
	}
	return best;
}

/* Prints the part of the line around the caret and the caret under it. */
static void print_source(FILE *out, const struct policy_diagnostic *d, bool color)
{
	size_t size = strlen(d->source);
	unsigned int first = d->column > SOURCE_WIDTH / 2 ? d->column - SOURCE_WIDTH / 2 : 1;
	unsigned int column = 1;
	char padding[SOURCE_WIDTH + 1];
	size_t nr = 0;

	if (size <= SOURCE_WIDTH)
		first = 1;
	fputs("    ", out);
	for (size_t at = 0, n; at < size && column < first + SOURCE_WIDTH; at += n, column++) {
		const char *s = d->source + at;
		bool strange;

		n = text_utf8_length(s, size - at);
		strange = n == 0 || (*s != '\t' && iscntrl((unsigned char)*s)) ||
			  (n == 2 && s[0] == '\xc2' && (unsigned char)s[1] < 0xa0);
		n = n ? n : 1;
		if (column < first)
			continue;
		if (column < d->column)
			padding[nr++] = *s == '\t' ? '\t' : ' ';
		if (strange)
			fputc('?', out);
		else
			fwrite(s, 1, n, out);
	}
	for (; column < d->column && nr < SOURCE_WIDTH; column++)
		padding[nr++] = ' ';
	fprintf(out, "\n    %.*s%s^%s\n", (int)nr, padding, color ? GREEN : "", color ? RESET : "");
}

void policy_diagnostics_print(FILE *out, const char *file, const struct policy_diagnostics *d,
			      bool color)
{
	const char *bold = color ? BOLD : "", *red = color ? RED : "", *reset = color ? RESET : "";

	for (size_t i = 0; i < d->nr; i++) {
		const struct policy_diagnostic *item = &d->items[i];

		fprintf(out, "%s%s:%u:%u:%s %serror:%s %s\n", bold, file, item->line, item->column,
			reset, red, reset, item->text);
		if (item->source)
			print_source(out, item, color);
		if (item->hint[0])
			fprintf(out, "    %s\n", item->hint);
	}
	if (d->total > d->nr)
		fprintf(out, "%s: %zu more errors are not shown\n", file, d->total - d->nr);
}

void policy_diagnostics_clear(struct policy_diagnostics *d)
{
	for (size_t i = 0; i < d->nr; i++)
		free(d->items[i].source);
	memset(d, 0, sizeof(*d));
}
