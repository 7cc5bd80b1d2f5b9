/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading JSON objects that hold strings, numbers, booleans and null, and nothing within each other
 * (RFC 8259): what the control socket speaks, a line each. util/json.h writes them.
 */
#ifndef UTIL_FLAT_H
#define UTIL_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/json.h"

#define FLAT_MAX 48 /* members */

enum flat_kind {
	FLAT_STRING,
	FLAT_NUMBER,
	FLAT_TRUE,
	FLAT_FALSE,
	FLAT_NULL,
};

struct flat_member {
	const char *key;
	enum flat_kind kind;
	const char *text; /* of a string, unescaped; else as it was written */
};

struct flat {
	struct flat_member items[FLAT_MAX];
	size_t nr;
};

/*
 * Takes `text` apart in place; *out borrows from it. -EBADMSG: not one such object alone, a key
 * twice, a string with a NUL; -E2BIG: too many members. *why is then what is wrong, in words.
 */
int flat_parse(char *text, struct flat *out, const char **why);

/* NULL, 0, false: there is none, or it is of another kind. */
const char *flat_string(const struct flat *f, const char *key);
uint64_t flat_uint(const struct flat *f, const char *key);
bool flat_true(const struct flat *f, const char *key);
bool flat_has(const struct flat *f, const char *key);

/* The members, into an object that is open. */
void flat_write(const struct flat *f, struct json *j);

#endif
