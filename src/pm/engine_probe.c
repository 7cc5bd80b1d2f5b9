// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths over which joins get no answer. TCP sends the SYN of a join again after seconds, and less
 * and less often, so that the path may work for long before anybody knows. One connection of each
 * such path therefore makes a second join beside the one that waits, the probe, and another in its
 * place each time, often enough that the path is known to work within a second; the first one is
 * left to TCP, for a path that answers late. Where it gets through, all others are told
 * (engine_worked()), so one connection is enough, however many there are.
 */
#include "pm/engine_internal.h"

#include <string.h>

#define PROBE_MS      800 /* with the time of a handshake less than a second */
#define PROBE_MS_MAX  64000
#define SILENCE_SHARE 256 /* or one part of so many of the time that nothing came through */
#define HEAL_MS	      64000
#define LOOK_AGAIN_MS 500

static uint64_t pause_ms(const struct pm_engine *e, const struct source *s)
{
	uint64_t ms = (e->now - s->silent_ms) / SILENCE_SHARE;

	return ms < PROBE_MS ? PROBE_MS : ms > PROBE_MS_MAX ? PROBE_MS_MAX : ms;
}

uint64_t engine_probe_ms(const struct pm_engine *e, const struct conn *c, uint8_t source)
{
	const struct source *s = &e->sources[source];

	return s->prober && s->prober != c->token ? UINT64_MAX : s->probe_ms;
}

/* For twice the pause: who ends, or does not want the path any more, gives it up by that. */
static void take(struct pm_engine *e, const struct conn *c, struct source *s, bool wait)
{
	uint64_t pause = pause_ms(e, s);

	s->prober = c->token;
	s->prober_until_ms = e->now + 2 * pause;
	s->probe_ms = e->now + (wait ? pause - engine_random(e) % (pause / 8) : 0);
}

void engine_probe_begin(struct pm_engine *e, const struct flow *f)
{
	struct source *s = &e->sources[f->source];

	if (s->silent_ms && s->silent_ms >= s->since_ms)
		return;
	s->silent_ms = e->now;
	s->silent_remote = engine_hash(f->remote, 0);
}

void engine_probe_taken(struct pm_engine *e, const struct conn *c, const struct flow *f)
{
	engine_probe_begin(e, f);
	take(e, c, &e->sources[f->source], true);
}

static uint64_t asked_ms(const struct pm_engine *e, const struct flow *f)
{
	return e->now - (uint32_t)((uint32_t)e->now - f->since_ms);
}

bool engine_probe_is_silent(const struct pm_engine *e, const struct flow *f)
{
	return asked_ms(e, f) >= e->sources[f->source].worked_ms;
}

/* Of an address that alone is silent the path's other joins, which are answered at once, tell
 * nothing; every now and then it is tried all the same. */
bool engine_probe_over(struct pm_engine *e, const struct flow *f, uint32_t waited_ms)
{
	struct source *s = &e->sources[f->source];
	bool back = s->silent_ms && (engine_hash(f->remote, 0) == s->silent_remote ||
				     waited_ms >= PROBE_MS || e->now >= s->healed_ms + HEAL_MS);

	s->worked_ms = e->now;
	s->prober = 0;
	s->silent_ms = 0;
	return back;
}

void engine_probe_tick(struct pm_engine *e)
{
	for (size_t i = 0; i < e->nr_sources; i++) {
		struct source *s = &e->sources[i];

		if (s->prober && s->prober_until_ms <= e->now)
			s->prober = 0;
		if (s->prober && s->prober_until_ms < e->sources_due_ms)
			e->sources_due_ms = s->prober_until_ms;
	}
}

static bool is_waiting(const struct flow *f)
{
	return !(f->bits & (FLOW_ESTABLISHED | FLOW_DELETING | FLOW_DOOMED)) && !f->overtaken;
}

static bool same_ends(const struct flow *a, const struct flow *b)
{
	return a->source == b->source && a->remote_port == b->remote_port &&
	       memcmp(a->local, b->local, 16) == 0 && memcmp(a->remote, b->remote, 16) == 0;
}

/* The other join between the same ends that waits. */
static struct flow *beside(struct conn *c, const struct flow *f)
{
	for (struct flow *g = c->flows; g < c->flows + c->nr_flows; g++)
		if (g != f && is_waiting(g) && same_ends(f, g))
			return g;
	return NULL;
}

void engine_probe_alone(struct conn *c)
{
	for (size_t i = 0; i < c->nr_flows; i++)
		c->flows[i].probe = c->flows[i].probe && beside(c, &c->flows[i]);
}

void engine_probe_ports(struct work *w)
{
	if (w->e->joins_at == w->e->input)
		return;
	if (engine_decide(w->e, PM_DECIDE_JOINS, w->c->token))
		w->e->joins_at = w->e->input;
	if (w->e->now + LOOK_AGAIN_MS < w->due)
		w->due = w->e->now + LOOK_AGAIN_MS;
}

static bool repeat(struct work *w, enum pm_request_kind kind, const struct flow *f)
{
	struct pm_decision *d = engine_change(w, kind, f);

	if (!d)
		return false;
	d->again = true;
	engine_say(d->reason, "%s: nothing comes over %s, it is asked again", w->v.mode->name,
		   engine_path_name(w->e, f->source));
	engine_set_reason(w->e, w->c, d->reason);
	return true;
}

/* False: later. */
static bool probe(struct work *w, const struct flow *first)
{
	struct flow *before = beside(w->c, first), next = *first;

	if (!first->local_port || (before && !before->local_port)) {
		engine_probe_ports(w);
		return false;
	}
	if (before && !repeat(w, PM_SUBFLOW_DELETE, before))
		return false;
	if (before) {
		before->bits |= FLOW_DELETING;
		before->since_ms = (uint32_t)w->e->now;
	}
	next.local_port = 0;
	next.bits &= FLOW_BACKUP;
	next.since_ms = (uint32_t)w->e->now;
	next.probe = true;
	if (!repeat(w, PM_SUBFLOW_ADD, &next))
		return false;
	if (!engine_add_flow(w->e, w->c, &next))
		w->e->no_memory = true;
	return true;
}

static bool is_wanted(struct work *w, const struct flow *f)
{
	const struct candidate *cand = engine_candidate(w, f->source);

	return cand && cand->want != PM_WANT_NONE;
}

void engine_probe(struct work *w)
{
	struct pm_engine *e = w->e;
	struct conn *c = w->c;
	uint64_t probed = 0; /* bit N: source N */

	for (size_t i = 0; i < c->nr_flows && engine_within_limits(w); i++) {
		struct flow *f = &c->flows[i];
		uint64_t when, may_ms;

		if (!is_waiting(f) || f->probe || !is_wanted(w, f) || !engine_probe_is_silent(e, f))
			continue;
		when = probed >> f->source & 1 ? 0 : engine_probe_ms(e, c, f->source);
		if (when < asked_ms(e, f) + PROBE_MS)
			when = asked_ms(e, f) + PROBE_MS;
		may_ms = engine_join_ms(e, c, f->source, f->remote, f->remote_port);
		if (when < may_ms)
			when = may_ms;
		if (when <= e->now) {
			uint8_t source = f->source;
			bool done;

			engine_probe_begin(e, f);
			done = probe(w, f); /* which may move the flows */

			take(e, c, &e->sources[source], done);
			probed |= 1ull << source;
			when = done ? e->sources[source].probe_ms : w->due;
		}
		if (when < w->due)
			w->due = when;
	}
}

/* The first that is asked for between these ends: of several the others are younger. */
static struct flow *find_asked(struct conn *c, const struct flow *like)
{
	struct flow *asked = NULL;

	for (struct flow *f = c->flows; f < c->flows + c->nr_flows; f++) {
		if (memcmp(f->local, like->local, 16) != 0 ||
		    memcmp(f->remote, like->remote, 16) != 0 || f->remote_port != like->remote_port)
			continue;
		if (f->local_port == like->local_port)
			return NULL;
		if (!f->local_port && !asked)
			asked = f;
	}
	return asked;
}

void engine_joins(struct pm_engine *e, const struct pm_connections *joins)
{
	for (size_t i = 0; i < joins->nr_subflows; i++) {
		struct conn *c = engine_find(e, joins->subflows[i].token);
		struct flow told, *f;

		if (!c)
			continue;
		engine_fill_flow(e, &told, &joins->subflows[i].at);
		f = find_asked(c, &told);
		if (!f)
			continue;
		f->local_port = told.local_port;
		f->bits |= told.bits & FLOW_V6_SOCKET;
		engine_set_due(e, c, e->now);
	}
}
