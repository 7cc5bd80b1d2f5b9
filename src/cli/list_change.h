/* SPDX-License-Identifier: GPL-2.0-only */
/* What of a list goes and what comes: how the rules of a namespace change, told line by line. */
#ifndef CLI_LIST_CHANGE_H
#define CLI_LIST_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

/* Two lists of items of one size, which are the same when their bytes are. Not owned. */
struct list_change {
	const void *before, *after;
	size_t nr_before, nr_after, item_bytes;
	/* One item in words, `size` bytes at most. */
	void (*describe)(const void *item, char *out, size_t size);
};

/* Each that goes, then each that comes, to `each`. */
void list_change_walk(const struct list_change *l,
		      void (*each)(void *data, bool added, const char *text), void *data);

#endif
