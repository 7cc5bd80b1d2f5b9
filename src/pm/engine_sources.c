// SPDX-License-Identifier: GPL-2.0-only
/* Sources: usable addresses of interfaces that belong to paths, as they come and go. */
#include "pm/engine_internal.h"

#include <limits.h>
#include <string.h>

#include "pm/path.h"

#define NO_PATH UINT_MAX

uint8_t engine_source_of(const struct pm_engine *e, const uint8_t local[16])
{
	uint8_t gone = NO_SOURCE;

	for (size_t i = 0; i < e->nr_sources; i++) {
		if (!e->sources[i].used || memcmp(e->sources[i].address, local, 16) != 0)
			continue;
		if (e->sources[i].present)
			return (uint8_t)i;
		gone = (uint8_t)i;
	}
	return gone;
}

static unsigned int path_index(const struct pm_engine *e, const struct pm_interface *it)
{
	const struct policy_path *path = pm_path_of(e->policy, it);

	return path ? (unsigned int)(path - e->policy->paths) : NO_PATH;
}

static struct source *find(struct pm_engine *e, int ifindex, const uint8_t address[16])
{
	for (size_t i = 0; i < e->nr_sources; i++) {
		struct source *s = &e->sources[i];

		if (s->used && s->ifindex == ifindex && memcmp(s->address, address, 16) == 0)
			return s;
	}
	return NULL;
}

static bool is_id_taken(const struct pm_engine *e, unsigned int id)
{
	for (size_t i = 0; i < e->nr_sources; i++)
		if (e->sources[i].used && e->sources[i].id == id)
			return true;
	return false;
}

/* From the address, so that it is the same after a restart, and on another device: the kernel
 * remembers ids it was told. */
static uint8_t choose_id(const struct pm_engine *e, const uint8_t address[16])
{
	unsigned int id = engine_hash(address, 0) % UINT8_MAX + 1;
	uint8_t same = engine_source_of(e, address);

	if (same != NO_SOURCE)
		return e->sources[same].id;

	while (is_id_taken(e, id))
		id = id % UINT8_MAX + 1;
	return (uint8_t)id;
}

/* A place never used, or of one that is gone and that no subflow reminds of. */
static struct source *take_slot(struct pm_engine *e, const uint8_t address[16])
{
	struct source *slot = NULL;
	uint8_t id;

	if (e->nr_sources < PM_SOURCES_MAX)
		slot = &e->sources[e->nr_sources];
	for (size_t i = 0; i < e->nr_sources && e->nr_sources == PM_SOURCES_MAX && !slot; i++)
		if (!e->sources[i].present && !e->sources[i].nr_subflows)
			slot = &e->sources[i];
	if (!slot)
		return NULL;
	if (slot->used)
		e->replaced |= 1ull << (slot - e->sources);
	slot->used = false;
	id = choose_id(e, address);
	*slot = (struct source){ .used = true, .id = id };
	memcpy(slot->address, address, 16);
	if (slot == &e->sources[e->nr_sources])
		e->nr_sources++;
	for (unsigned int m = 0; m < e->nr_modes; m++)
		*engine_opinion(e, m, (uint8_t)(slot - e->sources)) = (struct opinion){ 0 };
	return slot;
}

static bool take_address(struct pm_engine *e, const struct pm_interface *it, unsigned int path,
			 const struct pm_address *a, bool seen[PM_SOURCES_MAX])
{
	uint8_t address[16];
	struct source *s;
	bool changed;

	engine_pack(a, address);
	s = find(e, it->ifindex, address);
	if (!s)
		s = take_slot(e, address);
	if (!s) {
		if (e->nr_left_out++ == 0)
			engine_notice(e, path,
				      "more than %d usable addresses, the rest is left out",
				      PM_SOURCES_MAX);
		return false;
	}
	seen[s - e->sources] = true;
	changed = !s->present || s->path != path;
	if (!s->present) {
		s->since_ms = e->started ? e->now : 0;
		s->since_at = e->input;
		s->nr_failing = 0;
		s->health = (struct pm_health){ 0 };
	}
	s->present = true;
	s->ifindex = it->ifindex;
	s->path = path;
	s->type = it->type;
	memcpy(s->interface, it->name, sizeof(s->interface));
	return changed;
}

static void leave(struct pm_engine *e, struct source *s)
{
	s->present = false;
	s->since_ms = e->now;
	s->since_at = e->input;
	s->health = (struct pm_health){ 0 };
	engine_opinions_reset(e, (uint8_t)(s - e->sources));
}

static void find_sources(struct pm_engine *e, struct conn *c)
{
	for (size_t i = 0; i < c->nr_flows; i++) {
		struct flow *f = &c->flows[i];

		/* A device that was replaced by another with the same address is another source:
		 * subflows are bound to theirs. */
		if (f->source == NO_SOURCE)
			engine_set_source(e, f, engine_source_of(e, f->local));
	}
	c->announced &= ~e->replaced;
}

void engine_interfaces(struct pm_engine *e, const struct pm_interface *items, size_t nr)
{
	bool seen[PM_SOURCES_MAX] = { false }, changed = false;

	e->nr_left_out = 0;
	e->replaced = 0;
	for (size_t i = 0; i < nr; i++) {
		unsigned int path = path_index(e, &items[i]);

		for (size_t a = 0; items[i].up && path != NO_PATH && a < items[i].nr_addresses; a++)
			changed |= take_address(e, &items[i], path, &items[i].addresses[a], seen);
	}
	for (size_t i = 0; i < e->nr_sources; i++) {
		if (seen[i] || !e->sources[i].present)
			continue;
		leave(e, &e->sources[i]);
		changed = true;
	}
	e->started = true;
	engine_nat64_sources(e);
	if (!changed)
		return;
	engine_order_sources(e);
	engine_each(e, find_sources);
	memset(e->dirty, true, e->nr_modes);
}

void engine_sources_policy(struct pm_engine *e)
{
	for (size_t i = 0; i < e->nr_sources; i++) {
		struct source *s = &e->sources[i];
		struct pm_interface it = { .ifindex = s->ifindex, .type = s->type };

		memcpy(it.name, s->interface, sizeof(it.name));
		s->path = path_index(e, &it);
		if (s->path == NO_PATH)
			s->present = false;
	}
	engine_order_sources(e);
}

uint32_t engine_cost(const struct pm_engine *e, uint8_t source)
{
	unsigned int at = e->sources[source].path;
	const struct policy_path *path = &e->policy->paths[at];

	return path->backup == POLICY_YES || e->allowed[at] == PM_ALLOWED_BACKUP ? UINT32_MAX
										 : path->cost;
}

/* Lowest cost, file order, age. */
static int compare(const struct pm_engine *e, uint8_t a, uint8_t b)
{
	const struct source *x = &e->sources[a], *y = &e->sources[b];

	if (x->present != y->present)
		return x->present ? -1 : 1;
	if (!x->present)
		return a - b;
	if (engine_cost(e, a) != engine_cost(e, b))
		return engine_cost(e, a) < engine_cost(e, b) ? -1 : 1;
	if (x->path != y->path)
		return x->path < y->path ? -1 : 1;
	return a - b;
}

void engine_order_sources(struct pm_engine *e)
{
	for (size_t i = 0; i < e->nr_sources; i++) {
		size_t at = i;

		for (; at > 0 && compare(e, (uint8_t)i, e->order[at - 1]) < 0; at--)
			e->order[at] = e->order[at - 1];
		e->order[at] = (uint8_t)i;
	}
}

bool engine_source_usable(const struct pm_engine *e, uint8_t source)
{
	const struct source *s = &e->sources[source];

	return s->present && !e->forced_down[s->path] && e->allowed[s->path] != PM_ALLOWED_NONE;
}

const char *engine_path_name(const struct pm_engine *e, uint8_t source)
{
	unsigned int path = e->sources[source].path;

	return path < e->policy->nr_paths ? e->policy->paths[path].name : "no path";
}
