/* SPDX-License-Identifier: GPL-2.0-only */
/* "Did you mean": the candidate nearest to a mistyped word. */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

#include <stddef.h>

/* Edits (insert, delete, replace, swap of neighbours) from one word to the other. */
size_t nearest_distance(const char *a, const char *b);

/* The candidate within two edits, and within a third of the word's length plus one; an unambiguous
 * prefix counts as near. NULL when there is none. */
const char *nearest_word(const char *word, const char *const *candidates, size_t nr);

#endif
