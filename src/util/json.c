// SPDX-License-Identifier: GPL-2.0-only
/* A streaming JSON writer; see json.h. */
#include "util/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static void newline(struct json *j)
{
	if (!j->pretty)
		return;
	fputc('\n', j->out);
	for (int i = 0; i < j->depth; i++)
		fputs("    ", j->out);
}

/* Everything that has to stand between the previous value and the next one. */
static void separate(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->used[j->depth])
		fputc(',', j->out);
	j->used[j->depth] = true;
	if (j->depth > 0)
		newline(j);
}

static void open_level(struct json *j, char c)
{
	separate(j);
	fputc(c, j->out);
	assert(j->depth + 1 < JSON_DEPTH_MAX);
	j->used[++j->depth] = false;
}

static void close_level(struct json *j, char c)
{
	bool used;

	assert(j->depth > 0);
	used = j->used[j->depth--];
	if (used)
		newline(j);
	fputc(c, j->out);
}

/* Length of the valid UTF-8 sequence at s, 0 if there is none (overlong forms and surrogates
 * included). */
static size_t utf8_length(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if ((s[0] & 0xe0) == 0xc0)
		n = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3;
	else if ((s[0] & 0xf8) == 0xf0)
		n = 4;
	else
		return 0;
	code = s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return n;
}

static void write_escaped(struct json *j, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', j->out);
	while (*s) {
		size_t n = utf8_length(s);

		if (n == 0) {
			fputs("\\ufffd", j->out);
			s++;
			continue;
		}
		if (*s == '"' || *s == '\\')
			fprintf(j->out, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(j->out, "\\u%04x", *s);
		else
			fwrite(s, 1, n, j->out);
		s += n;
	}
	fputc('"', j->out);
}

void json_init(struct json *j, FILE *out, bool pretty)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
	j->pretty = pretty;
}

void json_end(struct json *j)
{
	assert(j->depth == 0);
	fputc('\n', j->out);
}

void json_object_open(struct json *j)
{
	open_level(j, '{');
}

void json_object_close(struct json *j)
{
	close_level(j, '}');
}

void json_array_open(struct json *j)
{
	open_level(j, '[');
}

void json_array_close(struct json *j)
{
	close_level(j, ']');
}

void json_key(struct json *j, const char *key)
{
	separate(j);
	write_escaped(j, key);
	fputs(j->pretty ? ": " : ":", j->out);
	j->after_key = true;
}

void json_string(struct json *j, const char *s)
{
	separate(j);
	if (s)
		write_escaped(j, s);
	else
		fputs("null", j->out);
}

void json_uint(struct json *j, uint64_t n)
{
	separate(j);
	fprintf(j->out, "%" PRIu64, n);
}

void json_int(struct json *j, int64_t n)
{
	separate(j);
	fprintf(j->out, "%" PRId64, n);
}

void json_bool(struct json *j, bool b)
{
	separate(j);
	fputs(b ? "true" : "false", j->out);
}

void json_key_string(struct json *j, const char *key, const char *s)
{
	json_key(j, key);
	json_string(j, s);
}

void json_key_uint(struct json *j, const char *key, uint64_t n)
{
	json_key(j, key);
	json_uint(j, n);
}

void json_key_bool(struct json *j, const char *key, bool b)
{
	json_key(j, key);
	json_bool(j, b);
}
