// SPDX-License-Identifier: GPL-2.0-only
/* A reader of flat JSON objects; see flat.h. */
#include "util/flat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SURROGATE_HIGH 0xd800u
#define SURROGATE_LOW  0xdc00u
#define SURROGATE_END  0xe000u

struct reader {
	char *at;
	const char *why;
};

static int wrong(struct reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

static void skip_blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t\r\n");
}

/* Stays where it is when another one comes, which may be the end. */
static bool take(struct reader *r, char c)
{
	if (*r->at != c)
		return false;
	r->at++;
	return true;
}

static int hex4(const char *from, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		char c = from[i];

		*out <<= 4;
		if (c >= '0' && c <= '9')
			*out |= (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*out |= (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return -EBADMSG;
	}
	return 0;
}

static char *put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* Behind "\u". */
static int take_unicode(struct reader *r, char **out)
{
	uint32_t c, low;

	if (hex4(r->at, &c) < 0)
		return wrong(r, "\\u wants four hexadecimal digits");
	r->at += 4;
	if (c >= SURROGATE_HIGH && c < SURROGATE_LOW) {
		if (r->at[0] != '\\' || r->at[1] != 'u' || hex4(r->at + 2, &low) < 0 ||
		    low < SURROGATE_LOW || low >= SURROGATE_END)
			return wrong(r, "half of a surrogate pair");
		r->at += 6;
		c = 0x10000 + ((c - SURROGATE_HIGH) << 10) + (low - SURROGATE_LOW);
	} else if (c >= SURROGATE_LOW && c < SURROGATE_END) {
		return wrong(r, "half of a surrogate pair");
	}
	if (!c)
		return wrong(r, "a string with a NUL");
	*out = put_utf8(*out, c);
	return 0;
}

static int take_escape(struct reader *r, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = *r->at++;
	const char *known = c ? strchr(from, c) : NULL;

	if (c == 'u')
		return take_unicode(r, out);
	if (!known)
		return wrong(r, "unknown escape in a string");
	*(*out)++ = to[known - from];
	return 0;
}

/* Unescaped it is never longer, so it stays where it is. */
static int take_string(struct reader *r, const char **out)
{
	char *to;
	int err;

	if (*r->at != '"')
		return wrong(r, "a string was expected");
	*out = to = ++r->at;
	while (*r->at != '"') {
		if ((unsigned char)*r->at < 0x20)
			return wrong(r, *r->at ? "a control character in a string"
					       : "a string that does not end");
		if (*r->at != '\\') {
			*to++ = *r->at++;
			continue;
		}
		r->at++;
		err = take_escape(r, &to);
		if (err < 0)
			return err;
	}
	r->at++;
	*to = '\0';
	return 0;
}

static bool is_number(const char *text, size_t n)
{
	size_t i = text[0] == '-', digits;

	digits = strspn(text + i, "0123456789");
	if (!digits || (digits > 1 && text[i] == '0'))
		return false;
	i += digits;
	if (text[i] == '.') {
		digits = strspn(text + i + 1, "0123456789");
		i += 1 + digits;
		if (!digits)
			return false;
	}
	if (text[i] == 'e' || text[i] == 'E') {
		i += 1 + (text[i + 1] == '+' || text[i + 1] == '-');
		digits = strspn(text + i, "0123456789");
		i += digits;
		if (!digits)
			return false;
	}
	return i == n;
}

/* *size: where the NUL has to go once what follows has been read. */
static int take_word(struct reader *r, struct flat_member *m, size_t *size)
{
	size_t n = strcspn(r->at, " \t\r\n,}");

	if (n == 4 && memcmp(r->at, "true", n) == 0)
		m->kind = FLAT_TRUE;
	else if (n == 5 && memcmp(r->at, "false", n) == 0)
		m->kind = FLAT_FALSE;
	else if (n == 4 && memcmp(r->at, "null", n) == 0)
		m->kind = FLAT_NULL;
	else if (is_number(r->at, n))
		m->kind = FLAT_NUMBER;
	else if (*r->at == '{' || *r->at == '[')
		return wrong(r, "an object or array within the object");
	else
		return wrong(r, "a value was expected");
	m->text = r->at;
	*size = n;
	r->at += n;
	return 0;
}

static int take_member(struct reader *r, struct flat *f, size_t sizes[FLAT_MAX])
{
	struct flat_member m = { 0 };
	size_t size = 0;
	int err = take_string(r, &m.key);

	if (err == 0 && flat_has(f, m.key))
		err = wrong(r, "a key twice");
	if (err < 0)
		return err;
	skip_blanks(r);
	if (!take(r, ':'))
		return wrong(r, "a colon was expected");
	skip_blanks(r);
	err = *r->at == '"' ? take_string(r, &m.text) : take_word(r, &m, &size);
	if (err < 0)
		return err;
	if (f->nr == FLAT_MAX) {
		r->why = "too many members";
		return -E2BIG;
	}
	sizes[f->nr] = size;
	f->items[f->nr++] = m;
	return 0;
}

static int take_object(struct reader *r, struct flat *f, size_t sizes[FLAT_MAX])
{
	skip_blanks(r);
	if (!take(r, '{'))
		return wrong(r, "an object was expected");
	skip_blanks(r);
	while (*r->at != '}' || f->nr) {
		int err = take_member(r, f, sizes);

		if (err < 0)
			return err;
		skip_blanks(r);
		if (*r->at == '}')
			break;
		if (!take(r, ','))
			return wrong(r, "a comma or the end of the object was expected");
		skip_blanks(r);
	}
	r->at++;
	skip_blanks(r);
	return *r->at ? wrong(r, "something behind the object") : 0;
}

int flat_parse(char *text, struct flat *out, const char **why)
{
	struct reader r = { .at = text };
	size_t sizes[FLAT_MAX];
	int err;

	out->nr = 0;
	err = take_object(&r, out, sizes);
	*why = r.why;
	for (size_t i = 0; err == 0 && i < out->nr; i++)
		if (sizes[i])
			text[out->items[i].text - text + (ptrdiff_t)sizes[i]] = '\0';
	return err;
}

static const struct flat_member *find(const struct flat *f, const char *key)
{
	for (size_t i = 0; i < f->nr; i++)
		if (strcmp(f->items[i].key, key) == 0)
			return &f->items[i];
	return NULL;
}

const char *flat_string(const struct flat *f, const char *key)
{
	const struct flat_member *m = find(f, key);

	return m && m->kind == FLAT_STRING ? m->text : NULL;
}

uint64_t flat_uint(const struct flat *f, const char *key)
{
	const struct flat_member *m = find(f, key);

	return m && m->kind == FLAT_NUMBER && m->text[0] != '-' ? strtoull(m->text, NULL, 10) : 0;
}

bool flat_true(const struct flat *f, const char *key)
{
	const struct flat_member *m = find(f, key);

	return m && m->kind == FLAT_TRUE;
}

bool flat_has(const struct flat *f, const char *key)
{
	return find(f, key);
}

void flat_write(const struct flat *f, struct json *j)
{
	for (size_t i = 0; i < f->nr; i++) {
		const struct flat_member *m = &f->items[i];

		json_key(j, m->key);
		switch (m->kind) {
		case FLAT_STRING:
			json_string(j, m->text);
			break;
		case FLAT_NUMBER:
			if (m->text[0] == '-')
				json_int(j, strtoll(m->text, NULL, 10));
			else
				json_uint(j, strtoull(m->text, NULL, 10));
			break;
		case FLAT_TRUE:
		case FLAT_FALSE:
			json_bool(j, m->kind == FLAT_TRUE);
			break;
		case FLAT_NULL:
			json_string(j, NULL);
			break;
		}
	}
}
