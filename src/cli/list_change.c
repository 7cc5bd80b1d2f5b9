// SPDX-License-Identifier: GPL-2.0-only
/* What of a list goes and what comes; see list_change.h. */
#include "cli/list_change.h"

#include <string.h>

#include "pm/rules.h"

static bool has(const char *list, size_t nr, const char *item, size_t bytes)
{
	for (size_t i = 0; i < nr; i++) {
		if (memcmp(list + i * bytes, item, bytes) == 0)
			return true;
	}
	return false;
}

static void tell(const struct list_change *l, bool added,
		 void (*each)(void *data, bool added, const char *text), void *data)
{
	const char *list = added ? l->after : l->before;
	const char *others = added ? l->before : l->after;
	size_t nr = added ? l->nr_after : l->nr_before;
	size_t nr_others = added ? l->nr_before : l->nr_after;
	char text[PM_RULE_TEXT_BYTES]; /* the longest there are */

	for (size_t i = 0; i < nr; i++) {
		const char *item = list + i * l->item_bytes;

		if (has(others, nr_others, item, l->item_bytes))
			continue;
		l->describe(item, text, sizeof(text));
		each(data, added, text);
	}
}

void list_change_walk(const struct list_change *l,
		      void (*each)(void *data, bool added, const char *text), void *data)
{
	tell(l, false, each, data);
	tell(l, true, each, data);
}
