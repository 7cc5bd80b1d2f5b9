// SPDX-License-Identifier: GPL-2.0-only
/* Connections by token, and their subflows. */
#include "pm/engine_internal.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 64

static struct conn **bucket_of(const struct pm_engine *e, uint32_t token)
{
	/* Tokens are hashes already. */
	return &e->buckets[token & (e->nr_buckets - 1)];
}

struct conn *engine_find(const struct pm_engine *e, uint32_t token)
{
	struct conn *c = e->nr_buckets ? *bucket_of(e, token) : NULL;

	while (c && c->token != token)
		c = c->next;
	return c;
}

static void grow(struct pm_engine *e)
{
	size_t nr = e->nr_buckets ? e->nr_buckets * 2 : BUCKETS, old_nr = e->nr_buckets;
	struct conn **old = e->buckets, **bigger = calloc(nr, sizeof(struct conn *));

	if (!bigger)
		return;
	e->buckets = bigger;
	e->nr_buckets = nr;
	for (size_t i = 0; i < old_nr; i++) {
		while (old[i]) {
			struct conn *c = old[i], **bucket = bucket_of(e, c->token);

			old[i] = c->next;
			c->next = *bucket;
			*bucket = c;
		}
	}
	free(old);
}

struct conn *engine_add_conn(struct pm_engine *e, uint32_t token)
{
	struct conn *c = calloc(1, sizeof(*c)), **bucket;

	if (e->nr_conns >= e->nr_buckets)
		grow(e);
	if (!c || !e->nr_buckets) {
		free(c);
		e->no_memory = true;
		return NULL;
	}
	c->token = token;
	c->heap_at = UINT32_MAX;
	c->due_ms = UINT64_MAX;
	c->bits = e->kind == POLICY_ENGINE_USERSPACE ? CONN_OURS : 0;
	bucket = bucket_of(e, token);
	c->next = *bucket;
	*bucket = c;
	e->nr_conns++;
	return c;
}

static void free_conn(struct pm_engine *e, struct conn *c)
{
	engine_set_due(e, c, UINT64_MAX);
	while (c->nr_flows)
		engine_drop_flow(e, c, &c->flows[c->nr_flows - 1]);
	engine_release(e, &c->cgroup);
	engine_release(e, &c->user);
	engine_release(e, &c->reason);
	free(c->flows);
	if (c->past) {
		free(c->past->attempts);
		free(c->past->resets);
	}
	free(c->past);
	free(c->peers);
	free(c);
}

void engine_drop_conn(struct pm_engine *e, struct conn *c)
{
	struct conn **at = bucket_of(e, c->token);

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	e->nr_conns--;
	free_conn(e, c);
}

void engine_conns_free(struct pm_engine *e)
{
	for (size_t i = 0; i < e->nr_buckets; i++)
		while (e->buckets[i])
			engine_drop_conn(e, e->buckets[i]);
	free(e->buckets);
	e->buckets = NULL;
	e->nr_buckets = 0;
	free(e->heap);
	e->heap = NULL;
}

void engine_each(struct pm_engine *e, void (*f)(struct pm_engine *e, struct conn *c))
{
	for (size_t i = 0; i < e->nr_buckets; i++) {
		for (struct conn *c = e->buckets[i], *next; c; c = next) {
			next = c->next;
			f(e, c);
		}
	}
}

void engine_set_source(struct pm_engine *e, struct flow *f, uint8_t source)
{
	if (f->source != NO_SOURCE)
		e->sources[f->source].nr_subflows--;
	f->source = source;
	if (f->source != NO_SOURCE)
		e->sources[f->source].nr_subflows++;
}

struct flow *engine_add_flow(struct pm_engine *e, struct conn *c, const struct flow *f)
{
	struct flow *bigger;

	if (c->nr_flows == UINT8_MAX)
		return NULL;
	bigger = reallocarray(c->flows, c->nr_flows + 1u, sizeof(*bigger));
	if (!bigger) {
		e->no_memory = true;
		return NULL;
	}
	c->flows = bigger;
	bigger += c->nr_flows++;
	*bigger = *f;
	bigger->source = NO_SOURCE;
	engine_set_source(e, bigger, f->source);
	return bigger;
}

void engine_drop_flow(struct pm_engine *e, struct conn *c, struct flow *f)
{
	size_t at = (size_t)(f - c->flows);

	engine_set_source(e, f, NO_SOURCE);
	c->nr_flows--;
	memmove(f, f + 1, (c->nr_flows - at) * sizeof(*f));
}

void engine_forget_flow(struct pm_engine *e, struct conn *c, struct flow *f)
{
	c->bits |= CONN_FORGOT;
	engine_drop_flow(e, c, f);
}

struct flow *engine_find_flow(struct conn *c, const struct flow *like)
{
	struct flow *asked = NULL;

	for (size_t i = 0; i < c->nr_flows; i++) {
		struct flow *f = &c->flows[i];

		if (memcmp(f->local, like->local, 16) != 0 ||
		    memcmp(f->remote, like->remote, 16) != 0 || f->remote_port != like->remote_port)
			continue;
		if (f->local_port == like->local_port)
			return f;
		if (!f->local_port)
			asked = f;
	}
	return asked;
}

void engine_set_reason(struct pm_engine *e, struct conn *c, const char *reason)
{
	engine_release(e, &c->reason);
	c->reason = engine_intern(e, reason);
}
