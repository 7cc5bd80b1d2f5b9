// SPDX-License-Identifier: GPL-2.0-only
/* Inputs in, decisions out; see engine.h. */
#include "pm/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pm/engine_internal.h"

#define SEED 0x6d707463u

static int make_opinions(const struct policy *p, struct opinion **opinions, bool **dirty)
{
	*opinions = calloc(p->nr_modes * PM_SOURCES_MAX, sizeof(**opinions));
	*dirty = calloc(p->nr_modes, sizeof(**dirty));
	if (*opinions && *dirty)
		return 0;
	free(*opinions);
	free(*dirty);
	return -ENOMEM;
}

struct pm_engine *pm_engine_new(const struct policy *policy)
{
	struct pm_engine *e = calloc(1, sizeof(*e));
	char reason[PM_REASON_BYTES];

	if (!e || make_opinions(policy, &e->opinions, &e->dirty) < 0) {
		free(e);
		return NULL;
	}
	e->policy = policy;
	e->nr_modes = policy->nr_modes;
	e->kind = pm_engine_choose(policy, reason);
	e->sources_due_ms = UINT64_MAX;
	e->random = SEED;
	return e;
}

void pm_engine_free(struct pm_engine **e)
{
	if (!*e)
		return;
	engine_conns_free(*e);
	engine_strings_free(*e);
	free((*e)->opinions);
	free((*e)->dirty);
	free(*e);
	*e = NULL;
}

static void evaluate_dirty(struct pm_engine *e, struct conn *c)
{
	if ((c->bits & CONN_MATCHED) ? e->dirty[c->mode] : (c->bits & CONN_ESTABLISHED))
		engine_evaluate(e, c);
}

static void settle(struct pm_engine *e)
{
	struct conn *c;
	bool any = false;

	engine_health_tick(e);
	for (size_t m = 0; m < e->nr_modes; m++)
		any |= e->dirty[m];
	if (any)
		engine_each(e, evaluate_dirty);
	while ((c = engine_first_due(e)) && c->due_ms <= e->now && !e->no_memory)
		engine_evaluate(e, c);
	if (any && e->kind == POLICY_ENGINE_KERNEL)
		engine_tell_endpoints(e);
	if (e->resync_due)
		engine_resync(e, "events of connections that are not known");
}

static void force(struct pm_engine *e, unsigned int path, bool down)
{
	if (path >= e->policy->nr_paths || e->forced_down[path] == down)
		return;
	e->forced_down[path] = down;
	for (size_t i = 0; i < e->nr_sources; i++)
		if (e->sources[i].path == path && !down)
			engine_heal(e, &e->sources[i]);
	memset(e->dirty, true, e->nr_modes);
}

/* What was not allowed before is tried at once; costs, and so the order, may be others. */
static void allow(struct pm_engine *e, const enum pm_allowed *allowed)
{
	if (memcmp(e->allowed, allowed, e->policy->nr_paths * sizeof(*allowed)) == 0)
		return;
	for (size_t i = 0; i < e->nr_sources; i++) {
		unsigned int path = e->sources[i].path;

		if (path < e->policy->nr_paths && e->allowed[path] == PM_ALLOWED_NONE &&
		    allowed[path] != PM_ALLOWED_NONE)
			engine_heal(e, &e->sources[i]);
	}
	memcpy(e->allowed, allowed, e->policy->nr_paths * sizeof(*allowed));
	engine_order_sources(e);
	memset(e->dirty, true, e->nr_modes);
}

static void dispatch(struct pm_engine *e, const struct pm_input *in)
{
	switch (in->kind) {
	case PM_INPUT_INTERFACES:
		engine_interfaces(e, in->interfaces.items, in->interfaces.nr);
		break;
	case PM_INPUT_CONNECTIONS:
		engine_snapshot(e, in->connections);
		break;
	case PM_INPUT_EVENT:
		engine_event(e, in->event);
		break;
	case PM_INPUT_IDENTITY:
		engine_identity(e, in->identity);
		break;
	case PM_INPUT_HEALTH:
		engine_health(e, in->health.items, in->health.nr);
		break;
	case PM_INPUT_TICK:
		break;
	case PM_INPUT_PATH_FORCED:
		force(e, in->forced.path, in->forced.down);
		break;
	case PM_INPUT_ALLOWED:
		allow(e, in->allowed);
		break;
	case PM_INPUT_NAT64:
		engine_nat64(e, in->nat64.items, in->nat64.nr);
		break;
	}
}

static void begin(struct pm_engine *e, uint64_t now_ms, struct pm_decisions *out)
{
	e->now = now_ms;
	e->out = out;
	e->no_memory = false;
	e->input++;
}

/* What cannot be told whole is not told. */
static int end(struct pm_engine *e, size_t nr_before)
{
	if (!e->no_memory) {
		memset(e->dirty, false, e->nr_modes);
		e->out = NULL;
		return 0;
	}
	while (e->out->nr > nr_before)
		engine_undo(e, &e->out->items[--e->out->nr]);
	e->look_at_all = true;
	e->out = NULL;
	return -ENOMEM;
}

int pm_engine_input(struct pm_engine *e, const struct pm_input *in, uint64_t now_ms,
		    struct pm_decisions *out)
{
	size_t nr_before = out->nr;

	begin(e, now_ms, out);
	dispatch(e, in);
	settle(e);
	return end(e, nr_before);
}

static void match_again(struct pm_engine *e, struct conn *c)
{
	(void)e;
	c->bits &= (uint16_t) ~(CONN_MATCHED | CONN_ASKED);
}

/* Modes by name, where their triggers are as they were. */
static void keep_opinions(const struct pm_engine *e, const struct policy *next, struct opinion *to)
{
	for (size_t n = 0; n < next->nr_modes; n++) {
		for (size_t o = 0; o < e->nr_modes; o++) {
			const struct policy_mode *a = &next->modes[n], *b = &e->policy->modes[o];

			if (strcmp(a->name, b->name) == 0 &&
			    memcmp(&a->when_bad, &b->when_bad, sizeof(a->when_bad)) == 0)
				memcpy(to + n * PM_SOURCES_MAX, e->opinions + o * PM_SOURCES_MAX,
				       PM_SOURCES_MAX * sizeof(*to));
		}
	}
}

/* What was said about paths stays with their names. */
static void keep_forced(struct pm_engine *e, const struct policy *next)
{
	enum pm_allowed allowed[POLICY_PATHS_MAX] = { PM_ALLOWED_ALL };
	bool forced[POLICY_PATHS_MAX] = { false };

	for (size_t n = 0; n < next->nr_paths; n++) {
		for (size_t o = 0; o < e->policy->nr_paths; o++) {
			if (strcmp(next->paths[n].name, e->policy->paths[o].name) != 0)
				continue;
			forced[n] = e->forced_down[o];
			allowed[n] = e->allowed[o];
		}
	}
	memcpy(e->forced_down, forced, sizeof(forced));
	memcpy(e->allowed, allowed, sizeof(allowed));
}

int pm_engine_policy(struct pm_engine *e, const struct policy *policy, uint64_t now_ms,
		     struct pm_decisions *out)
{
	size_t nr_before = out->nr;
	char reason[PM_REASON_BYTES];
	struct opinion *opinions;
	bool *dirty;

	if (pm_engine_choose(policy, reason) != e->kind)
		return -EINVAL;
	if (make_opinions(policy, &opinions, &dirty) < 0)
		return -ENOMEM;
	begin(e, now_ms, out);
	keep_opinions(e, policy, opinions);
	keep_forced(e, policy);
	free(e->opinions);
	free(e->dirty);
	e->opinions = opinions;
	e->dirty = dirty;
	e->nr_modes = policy->nr_modes;
	e->policy = policy;
	memset(e->dirty, true, e->nr_modes);
	engine_forget_blocks(e);
	engine_sources_policy(e);
	engine_each(e, match_again);
	settle(e);
	return end(e, nr_before);
}

uint64_t pm_engine_due(const struct pm_engine *e)
{
	const struct conn *c = engine_first_due(e);
	uint64_t due = c ? c->due_ms : UINT64_MAX;

	if (e->sources_due_ms < due)
		due = e->sources_due_ms;
	if (e->resync_due && e->resync_ms + RESYNC_MS < due)
		due = e->resync_ms + RESYNC_MS;
	return due;
}
