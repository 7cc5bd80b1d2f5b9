// SPDX-License-Identifier: GPL-2.0-only
/* Edit distance; see nearest.h. */
#include "cli/nearest.h"

#include <string.h>

#define WORD_MAX  32
#define EDITS_MAX 2

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

size_t nearest_distance(const char *a, const char *b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1], n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (size_t i = 0; i <= n; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[n][m];
}

static const char *only_prefixed(const char *word, const char *const *candidates, size_t nr)
{
	const char *found = NULL;

	for (size_t i = 0; i < nr && word[0]; i++) {
		if (!candidates[i] || strncmp(word, candidates[i], strlen(word)) != 0)
			continue;
		if (found)
			return NULL;
		found = candidates[i];
	}
	return found;
}

const char *nearest_word(const char *word, const char *const *candidates, size_t nr)
{
	size_t limit = strlen(word) / 3 + 1, best = EDITS_MAX + 1;
	const char *found = NULL;

	for (size_t i = 0; i < nr; i++) {
		size_t d = nearest_distance(word, candidates[i]);

		if (d <= limit && d < best) {
			best = d;
			found = candidates[i];
		}
	}
	return found ? found : only_prefixed(word, candidates, nr);
}
