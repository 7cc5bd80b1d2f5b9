// SPDX-License-Identifier: GPL-2.0-only
/* Connections by when they are to be looked at again: a binary heap. */
#include "pm/engine_internal.h"

#include <stdlib.h>

static void put(struct pm_engine *e, size_t at, struct conn *c)
{
	e->heap[at] = c;
	c->heap_at = (uint32_t)at;
}

static void sift_up(struct pm_engine *e, size_t at)
{
	struct conn *c = e->heap[at];

	for (; at > 0 && e->heap[(at - 1) / 2]->due_ms > c->due_ms; at = (at - 1) / 2)
		put(e, at, e->heap[(at - 1) / 2]);
	put(e, at, c);
}

static void sift_down(struct pm_engine *e, size_t at)
{
	struct conn *c = e->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < e->nr_heap && e->heap[child + 1]->due_ms < e->heap[child]->due_ms)
			child++;
		if (child >= e->nr_heap || e->heap[child]->due_ms >= c->due_ms)
			break;
		put(e, at, e->heap[child]);
		at = child;
	}
	put(e, at, c);
}

static void leave(struct pm_engine *e, struct conn *c)
{
	size_t at = c->heap_at;
	struct conn *last;

	if (at == UINT32_MAX)
		return;
	c->heap_at = UINT32_MAX;
	last = e->heap[--e->nr_heap];
	if (last == c)
		return;
	put(e, at, last);
	sift_up(e, at);
	sift_down(e, last->heap_at);
}

static bool make_room(struct pm_engine *e)
{
	size_t room = e->heap_room ? e->heap_room * 2 : 64;
	struct conn **bigger;

	if (e->nr_heap < e->heap_room)
		return true;
	bigger = reallocarray(e->heap, room, sizeof(struct conn *));
	if (!bigger)
		return false;
	e->heap = bigger;
	e->heap_room = room;
	return true;
}

void engine_set_due(struct pm_engine *e, struct conn *c, uint64_t due_ms)
{
	leave(e, c);
	c->due_ms = due_ms;
	if (due_ms == UINT64_MAX)
		return;
	if (!make_room(e)) {
		e->no_memory = true;
		return;
	}
	e->heap[e->nr_heap] = c;
	sift_up(e, e->nr_heap++);
}

struct conn *engine_first_due(const struct pm_engine *e)
{
	return e->nr_heap ? e->heap[0] : NULL;
}
