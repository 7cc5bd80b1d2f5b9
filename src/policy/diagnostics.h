/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Collecting mistakes. Items are kept in file order whatever order they are found in, and the first
 * POLICY_DIAGNOSTICS_MAX of that order are kept; the rest is only counted.
 */
#ifndef POLICY_DIAGNOSTICS_H
#define POLICY_DIAGNOSTICS_H

#include "policy/policy.h"

/* `hint` may be NULL. Control characters in text and hint are replaced by "?". */
void diagnose(struct policy_diagnostics *d, unsigned int line, unsigned int column,
	      const char *hint, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Copies the source line of each item out of `text`. -ENOMEM. */
int diagnostics_attach_source(struct policy_diagnostics *d, const char *text, size_t size);

/* Line and column, 1-based, of a byte of the text; lines end as in YAML 1.1. */
void text_position(const char *text, size_t size, size_t offset, unsigned int *line,
		   unsigned int *column);

/* Length of the valid UTF-8 sequence at s, 0 if there is none. */
size_t text_utf8_length(const char *s, size_t size);

/*
 * The candidate nearest to `word` by edit distance (a swap of neighbours counts as one edit), NULL
 * when none is close enough to be what was meant.
 */
const char *text_nearest(const char *word, const char *const *candidates, size_t nr);

#endif
