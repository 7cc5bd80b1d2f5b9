// SPDX-License-Identifier: GPL-2.0-only
/* Texts that many connections share (cgroups, users, reasons), each kept once and counted. */
#include "pm/engine_internal.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 256

static struct interned **bucket_of(const struct pm_engine *e, const char *text)
{
	uint32_t h = 2166136261u;

	for (const char *p = text; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	return &e->strings[h % e->nr_string_buckets];
}

/* Longer chains are slow but right, so that there is no memory for a larger table is no error. */
static void grow(struct pm_engine *e)
{
	size_t nr = e->nr_string_buckets ? e->nr_string_buckets * 4 : BUCKETS, old_nr;
	struct interned **old = e->strings, **bigger = calloc(nr, sizeof(struct interned *));

	if (!bigger)
		return;
	old_nr = e->nr_string_buckets;
	e->strings = bigger;
	e->nr_string_buckets = nr;
	for (size_t i = 0; i < old_nr; i++) {
		while (old[i]) {
			struct interned *s = old[i], **bucket = bucket_of(e, s->text);

			old[i] = s->next;
			s->next = *bucket;
			*bucket = s;
		}
	}
	free(old);
}

const char *engine_intern(struct pm_engine *e, const char *text)
{
	struct interned **bucket, *s;
	size_t size;

	if (!text)
		return NULL;
	if (e->nr_strings >= e->nr_string_buckets)
		grow(e);
	if (!e->nr_string_buckets) {
		e->no_memory = true;
		return NULL;
	}
	bucket = bucket_of(e, text);
	for (s = *bucket; s; s = s->next) {
		if (strcmp(s->text, text) == 0) {
			s->users++;
			return s->text;
		}
	}
	size = strlen(text) + 1;
	s = malloc(sizeof(*s) + size);
	if (!s) {
		e->no_memory = true;
		return NULL;
	}
	s->users = 1;
	memcpy(s->text, text, size);
	s->next = *bucket;
	*bucket = s;
	e->nr_strings++;
	return s->text;
}

void engine_release(struct pm_engine *e, const char **text)
{
	struct interned **at;

	if (!*text)
		return;
	at = bucket_of(e, *text);
	while (*at && (*at)->text != *text)
		at = &(*at)->next;
	*text = NULL;
	if (*at && --(*at)->users == 0) {
		struct interned *s = *at;

		*at = s->next;
		free(s);
		e->nr_strings--;
	}
}

void engine_strings_free(struct pm_engine *e)
{
	for (size_t i = 0; i < e->nr_string_buckets; i++) {
		while (e->strings[i]) {
			struct interned *s = e->strings[i];

			e->strings[i] = s->next;
			free(s);
		}
	}
	free(e->strings);
	e->strings = NULL;
	e->nr_string_buckets = 0;
}
