// SPDX-License-Identifier: GPL-2.0-only
/* Subflows that were lost or refused: when to try again, and when not to (RFC 8684 section 3.6). */
#include "pm/engine_internal.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_RETRY_MS 1000
#define RETRY_MS_MAX   64000
#define STEADY_MS      10000 /* a subflow that lived so long starts back-off anew */
#define FAILING	       3     /* joins that fail in a row before one that works means "healed" */

void engine_heal(struct pm_engine *e, struct source *s)
{
	s->healed_at = e->input;
	s->healed_ms = e->now;
}

/* xorshift; the same numbers in each run, which tests rely on. */
uint32_t engine_random(struct pm_engine *e)
{
	e->random ^= e->random << 13;
	e->random ^= e->random >> 17;
	e->random ^= e->random << 5;
	return e->random;
}

/* Up to a quarter of it less, so that what was lost at once does not come back at once, and no
 * later. */
static uint64_t jitter(struct pm_engine *e, uint64_t delay_ms)
{
	return delay_ms - engine_random(e) % (delay_ms / 4 + 1);
}

static struct attempt *find(const struct conn *c, uint8_t source, const uint8_t remote[16],
			    uint16_t port)
{
	uint32_t hash = engine_hash(remote, port);

	for (size_t i = 0; c->past && i < c->past->nr_attempts; i++)
		if (c->past->attempts[i].source == source && c->past->attempts[i].remote == hash)
			return &c->past->attempts[i];
	return NULL;
}

struct attempt *engine_attempt(const struct pm_engine *e, const struct conn *c, uint8_t source,
			       const uint8_t remote[16], uint16_t port)
{
	struct attempt *a = source == NO_SOURCE ? NULL : find(c, source, remote, port);

	return a && a->failed_at >= e->sources[source].since_at ? a : NULL;
}

struct past *engine_past(struct pm_engine *e, struct conn *c)
{
	if (!c->past)
		c->past = calloc(1, sizeof(*c->past));
	if (!c->past)
		e->no_memory = true;
	return c->past;
}

static struct attempt *get(struct pm_engine *e, struct conn *c, const struct flow *f)
{
	struct attempt *a = find(c, f->source, f->remote, f->remote_port), *bigger;
	bool is_new = !a || a->failed_at < e->sources[f->source].since_at;
	struct past *p = engine_past(e, c);

	if (!p)
		return NULL;
	if (!a && p->nr_attempts == UINT8_MAX)
		a = &p->attempts[engine_random(e) % UINT8_MAX];
	if (!a) {
		bigger = reallocarray(p->attempts, p->nr_attempts + 1u, sizeof(*bigger));
		if (!bigger) {
			e->no_memory = true;
			return NULL;
		}
		p->attempts = bigger;
		a = &bigger[p->nr_attempts++];
	}
	if (is_new)
		*a = (struct attempt){ .source = f->source,
				       .remote = engine_hash(f->remote, f->remote_port) };
	a->failed_at = e->input;
	return a;
}

/* 1, 2, 4 ... 64 s: before the attempt after so many failures. */
static uint64_t step_ms(uint8_t fails)
{
	uint64_t delay_ms = (uint64_t)FIRST_RETRY_MS << (fails ? fails - 1 : 0);

	return delay_ms > RETRY_MS_MAX ? RETRY_MS_MAX : delay_ms;
}

void engine_failed(struct pm_engine *e, struct conn *c, const struct flow *f, bool was_up)
{
	struct attempt *a = f->source == NO_SOURCE ? NULL : get(e, c, f);
	uint64_t delay_ms = 0;

	if (!a)
		return;
	if (was_up && (uint32_t)e->now - f->since_ms >= STEADY_MS)
		a->fails = 0;
	if (!was_up || a->fails)
		delay_ms = step_ms(a->fails);
	a->next_ms = e->now + jitter(e, delay_ms);
	if (a->fails < 8)
		a->fails++;
	a->bits &= (uint8_t)~ATTEMPT_SILENT;
	if (!was_up)
		e->sources[f->source].nr_failing++;
}

void engine_lost_in_silence(struct pm_engine *e, struct conn *c, const struct flow *f)
{
	struct attempt *a;

	engine_failed(e, c, f, false);
	a = engine_attempt(e, c, f->source, f->remote, f->remote_port);
	if (!a || !engine_probe_is_silent(e, f))
		return;
	a->bits |= ATTEMPT_SILENT;
	engine_probe_begin(e, f);
}

void engine_back_off(struct pm_engine *e, struct attempt *a)
{
	a->next_ms = e->now + jitter(e, step_ms(a->fails));
}

void engine_postpone(struct pm_engine *e, struct conn *c, const struct flow *f, uint32_t delay_ms)
{
	struct attempt *a = f->source == NO_SOURCE ? NULL : get(e, c, f);

	if (a)
		a->next_ms = e->now + delay_ms;
}

void engine_block(struct pm_engine *e, const uint8_t address[16], uint8_t source, uint64_t until_ms)
{
	struct block *b = NULL, *first = &e->blocks[0];

	for (size_t i = 0; i < e->nr_blocks; i++) {
		if (memcmp(e->blocks[i].address, address, 16) == 0 && e->blocks[i].source == source)
			b = &e->blocks[i];
		if (e->blocks[i].until_ms < first->until_ms)
			first = &e->blocks[i];
	}
	if (!b)
		b = e->nr_blocks < BLOCKS_MAX ? &e->blocks[e->nr_blocks++] : first;
	memcpy(b->address, address, 16);
	b->source = source;
	b->until_ms = until_ms;
}

void engine_forget_blocks(struct pm_engine *e)
{
	e->nr_blocks = 0;
}

static uint64_t retry_ms(const struct pm_engine *e, const struct conn *c, uint8_t source,
			 const uint8_t remote[16], uint16_t port, uint64_t probe_ms)
{
	const struct attempt *a = engine_attempt(e, c, source, remote, port);
	uint64_t when = 0;

	if (a && (a->bits & ATTEMPT_NEVER))
		return UINT64_MAX;
	if (a && a->failed_at >= e->sources[source].healed_at)
		when = a->next_ms;
	if (a && (a->bits & ATTEMPT_SILENT) && e->sources[source].silent_ms && probe_ms < when)
		when = probe_ms;
	for (size_t i = 0; i < e->nr_blocks; i++) {
		const struct block *b = &e->blocks[i];

		if ((b->source == NO_SOURCE || b->source == source) && b->until_ms > when &&
		    memcmp(b->address, remote, 16) == 0)
			when = b->until_ms;
	}
	return when;
}

uint64_t engine_retry_ms(const struct pm_engine *e, const struct conn *c, uint8_t source,
			 const uint8_t remote[16], uint16_t port)
{
	return retry_ms(e, c, source, remote, port, UINT64_MAX);
}

uint64_t engine_join_ms(const struct pm_engine *e, const struct conn *c, uint8_t source,
			const uint8_t remote[16], uint16_t port)
{
	return retry_ms(e, c, source, remote, port, engine_probe_ms(e, c, source));
}

void engine_worked(struct pm_engine *e, const struct flow *f, uint32_t waited_ms)
{
	struct source *s;

	if (f->source == NO_SOURCE)
		return;
	s = &e->sources[f->source];
	if (engine_probe_over(e, f, waited_ms) || s->nr_failing >= FAILING) {
		engine_heal(e, s);
		memset(e->dirty, true, e->nr_modes);
	}
	s->nr_failing = 0;
}
