// SPDX-License-Identifier: GPL-2.0-only
/* Virtual time: a heap of what is to happen, and numbers from a seed. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

struct event {
	uint64_t when, order;
	event_fn fn;
	void *who;
	uint64_t what;
};

static struct event *heap;
static size_t nr, room;
static uint64_t now_us, order;
static uint64_t random_state;

static bool before(const struct event *a, const struct event *b)
{
	return a->when < b->when || (a->when == b->when && a->order < b->order);
}

static void swap(size_t i, size_t j)
{
	struct event e = heap[i];

	heap[i] = heap[j];
	heap[j] = e;
}

uint64_t sim_now(void)
{
	return now_us;
}

void sim_at(uint64_t when, event_fn fn, void *who, uint64_t what)
{
	size_t i = nr;

	if (nr == room) {
		room = room ? 2 * room : 1024;
		heap = realloc(heap, room * sizeof(*heap));
		if (!heap)
			abort();
	}
	heap[nr++] = (struct event){ when > now_us ? when : now_us, order++, fn, who, what };
	for (; i && before(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

static struct event take(void)
{
	struct event first = heap[0];
	size_t i = 0;

	heap[0] = heap[--nr];
	for (;;) {
		size_t least = i, child = 2 * i + 1;

		for (size_t k = child; k < child + 2 && k < nr; k++)
			if (before(&heap[k], &heap[least]))
				least = k;
		if (least == i)
			return first;
		swap(i, least);
		i = least;
	}
}

bool sim_run(bool (*done)(void *), void *arg, uint64_t deadline)
{
	while (!done(arg)) {
		struct event e;

		if (!nr || heap[0].when > deadline)
			return false;
		e = take();
		now_us = e.when;
		fake_now_ns = 1000000000 + now_us * 1000;
		e.fn(e.who, e.what);
	}
	return true;
}

void sim_reset(uint32_t seed)
{
	nr = 0;
	now_us = order = 0;
	random_state = seed * 2654435761ull + 88172645463325252ull;
}

uint32_t sim_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 20) % 1000000);
}
