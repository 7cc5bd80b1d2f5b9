/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A streaming JSON writer: values go straight to a stdio stream, commas and indentation are kept by
 * the writer. Strings are escaped as RFC 8259 section 7 asks; bytes that are not UTF-8 are replaced
 * by U+FFFD, so that names from the kernel can never make the output unparsable. Nesting is limited
 * to JSON_DEPTH_MAX; a caller that exceeds it or closes more than it opened has a bug and hits an
 * assertion.
 */
#ifndef UTIL_JSON_H
#define UTIL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 16

struct json {
	FILE *out; /* borrowed */
	bool pretty;
	bool after_key;
	int depth;
	bool used[JSON_DEPTH_MAX]; /* something was written at this depth */
};

void json_init(struct json *j, FILE *out, bool pretty);
/* Writes the final newline. */
void json_end(struct json *j);

void json_object_open(struct json *j);
void json_object_close(struct json *j);
void json_array_open(struct json *j);
void json_array_close(struct json *j);
/* Names the next value; only inside an object. */
void json_key(struct json *j, const char *key);

/* NULL is written as null. */
void json_string(struct json *j, const char *s);
void json_uint(struct json *j, uint64_t n);
void json_int(struct json *j, int64_t n);
void json_bool(struct json *j, bool b);

/* Key and value in one call. */
void json_key_string(struct json *j, const char *key, const char *s);
void json_key_uint(struct json *j, const char *key, uint64_t n);
void json_key_bool(struct json *j, const char *key, bool b);

#endif
