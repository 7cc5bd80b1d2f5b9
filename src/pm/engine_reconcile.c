// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is wanted against the subflows there are. New active subflows come first, then priorities,
 * then what goes, then backups and announcements: what replaces a path is there before it goes.
 */
#include "pm/engine_internal.h"

#include <string.h>

struct candidate *engine_candidate(struct work *w, uint8_t source)
{
	if (source == NO_SOURCE || w->at[source] == NO_SOURCE)
		return NULL;
	return &w->v.items[w->at[source]];
}

bool engine_stays(const struct flow *f)
{
	return !(f->bits & (FLOW_DELETING | FLOW_DOOMED));
}

bool engine_flow_usable(const struct pm_engine *e, const struct flow *f)
{
	return f->source == NO_SOURCE || engine_source_usable(e, f->source);
}

static void set_min(uint64_t *a, uint64_t b)
{
	if (b < *a)
		*a = b;
}

static uint32_t age_ms(const struct work *w, const struct flow *f)
{
	return (uint32_t)w->e->now - f->since_ms;
}

/* Joins that have been on their way since before the path was back: their next SYN may be far off.
 * Without a port the kernel cannot be told to end them; they end by themselves. */
static void drop_overtaken(struct work *w)
{
	struct conn *c = w->c;

	for (size_t i = c->nr_flows; i-- > 0;) {
		struct flow *f = &c->flows[i];
		const struct source *s = f->source == NO_SOURCE ? NULL : &w->e->sources[f->source];
		uint64_t since, healed;

		if (!s || (f->bits & (FLOW_ESTABLISHED | FLOW_DELETING)))
			continue;
		healed = s->since_ms > s->healed_ms ? s->since_ms : s->healed_ms;
		since = w->e->now - age_ms(w, f);
		if (since < healed && healed - since >= JOIN_SLOW_MS) {
			engine_forget_flow(w->e, c, f);
		} else if (age_ms(w, f) >= JOIN_LOST_MS) {
			struct flow lost = *f;

			engine_drop_flow(w->e, c, f);
			engine_failed(w->e, c, &lost, false);
		} else {
			set_min(&w->due, since + (age_ms(w, f) < JOIN_SLOW_MS ? JOIN_SLOW_MS
									      : JOIN_LOST_MS));
		}
	}
}

bool engine_has_twin(const struct conn *c, const struct flow *f)
{
	for (const struct flow *g = c->flows; g < c->flows + c->nr_flows; g++) {
		bool g_up = g->bits & FLOW_ESTABLISHED, f_up = f->bits & FLOW_ESTABLISHED;

		if (g == f || !engine_stays(g) || memcmp(f->local, g->local, 16) != 0 ||
		    memcmp(f->remote, g->remote, 16) != 0 || f->remote_port != g->remote_port)
			continue;
		if (g_up != f_up ? g_up : g < f)
			return true;
	}
	return false;
}

/* Sets FLOW_DOOMED. */
static void judge_flow(struct work *w, struct flow *f)
{
	const struct candidate *cand = engine_candidate(w, f->source);
	uint32_t hold_ms = w->v.mode->hold_ms;

	f->bits &= (uint8_t)~FLOW_DOOMED;
	if (f->bits & FLOW_DELETING) {
		if (age_ms(w, f) >= CLOSE_LOST_MS)
			engine_resync(w->e, "a subflow that was to be closed did not say so");
		set_min(&w->due, age_ms(w, f) < CLOSE_LOST_MS
					 ? w->e->now - age_ms(w, f) + CLOSE_LOST_MS
					 : w->e->now + CLOSE_LOST_MS);
		return;
	}
	if (!engine_flow_usable(w->e, f) || f->astray) {
		f->bits |= FLOW_DOOMED;
		return;
	}
	if (!w->is_client || f->source == NO_SOURCE)
		return;
	if (!engine_has_twin(w->c, f) && cand && cand->want != PM_WANT_NONE)
		return;
	if ((!cand || cand->want == PM_WANT_NONE) && age_ms(w, f) < hold_ms)
		set_min(&w->due, w->e->now - age_ms(w, f) + hold_ms);
	else
		f->bits |= FLOW_DOOMED;
}

/* Those on paths that are there: what is lost with its path needs a replacement first. */
static size_t count_live(const struct work *w, bool doomed_too)
{
	size_t nr = 0;

	for (size_t i = 0; i < w->c->nr_flows; i++) {
		const struct flow *f = &w->c->flows[i];

		nr += engine_flow_usable(w->e, f) && !(f->bits & FLOW_DELETING) &&
		      (doomed_too || !(f->bits & FLOW_DOOMED));
	}
	return nr;
}

/* The one that is missed least: not wanted, then the dearest; NULL: all are active ones. */
static struct flow *least(struct work *w, bool doomed_too)
{
	struct flow *worst = NULL;
	size_t rank = 0;

	for (size_t i = 0; i < w->c->nr_flows; i++) {
		struct flow *f = &w->c->flows[i];
		const struct candidate *cand = engine_candidate(w, f->source);
		size_t of_f;

		if ((f->bits & FLOW_DELETING) || (!doomed_too && (f->bits & FLOW_DOOMED)) ||
		    !engine_flow_usable(w->e, f) || !cand || cand->want == PM_WANT_ACTIVE)
			continue;
		of_f = w->at[f->source] + (cand->want == PM_WANT_NONE ? PM_SOURCES_MAX : 0);
		if (!worst || of_f >= rank) {
			worst = f;
			rank = of_f;
		}
	}
	return worst;
}

static void judge_flows(struct work *w)
{
	size_t max = engine_subflows_max(w->e);
	struct flow *f;

	for (size_t i = 0; i < w->c->nr_flows; i++)
		judge_flow(w, &w->c->flows[i]);
	while (w->is_client && count_live(w, false) > max && (f = least(w, false)))
		f->bits |= FLOW_DOOMED;
}

/* Beyond the first: not before the connection is old enough and has moved enough, unless there is
 * no path left that works. */
static bool is_early(struct work *w)
{
	const struct policy_mode *m = w->v.mode;
	struct conn *c = w->c;
	bool works = false;

	c->bits &= (uint16_t)~CONN_MEASURED;
	for (size_t i = 0; i < c->nr_flows; i++) {
		const struct candidate *cand = engine_candidate(w, c->flows[i].source);

		works |= engine_stays(&c->flows[i]) && (c->flows[i].bits & FLOW_ESTABLISHED) &&
			 (!cand || cand->good);
	}
	if (!works)
		return false;
	if (m->open_after_ms && c->born_ms && w->e->now < c->born_ms + m->open_after_ms) {
		set_min(&w->due, c->born_ms + m->open_after_ms);
		return true;
	}
	if (c->moved_bytes >= m->open_after_bytes)
		return false;
	c->bits |= CONN_MEASURED;
	return true;
}

/* A subflow that should carry data comes in the place of a backup, which goes first. */
static bool make_place(struct work *w, bool displace)
{
	struct flow *f;

	if (count_live(w, true) + w->nr_reserved < engine_subflows_max(w->e))
		return true;
	f = displace ? least(w, true) : NULL;
	if (!f || !engine_has_other(w, f))
		return false;
	if (age_ms(w, f) < w->v.mode->hold_ms) {
		set_min(&w->due, w->e->now - age_ms(w, f) + w->v.mode->hold_ms);
		return false;
	}
	f->bits |= FLOW_DOOMED;
	w->nr_reserved++;
	return false;
}

/* False: not now, and *next is when. */
static bool add(struct work *w, const struct candidate *cand, const struct target *t, bool displace,
		uint64_t *next)
{
	struct pm_engine *e = w->e;
	struct conn *c = w->c;
	const struct source *s = &e->sources[cand->source];
	uint64_t when = engine_retry_ms(e, c, cand->source, t->address, t->port);
	const struct attempt *a = engine_attempt(e, c, cand->source, t->address, t->port);
	bool backup = cand->want == PM_WANT_BACKUP || (a && (a->bits & ATTEMPT_AS_BACKUP));
	struct flow f = { .local_id = engine_local_id(e, c, cand->source),
			  .remote_id = t->id,
			  .remote_port = t->port,
			  .source = cand->source,
			  .bits = backup ? FLOW_BACKUP : 0,
			  .since_ms = (uint32_t)e->now };

	if (when > e->now) {
		set_min(next, when);
		return false;
	}
	if (!make_place(w, displace))
		return true;
	memcpy(f.local, s->address, 16);
	memcpy(f.remote, t->address, 16);
	if (engine_change(w, PM_SUBFLOW_ADD, &f) && !engine_add_flow(e, c, &f))
		e->no_memory = true;
	set_min(&w->due, e->now + JOIN_SLOW_MS);
	return true;
}

/* One that is to go, and cannot yet, does so too, unless it leads nowhere. */
static bool covers(const struct pm_engine *e, const struct flow *f, uint8_t source,
		   const struct target *t)
{
	uint8_t remote[16];

	if ((f->bits & FLOW_DELETING) || f->astray || (source != NO_SOURCE && f->source != source))
		return false;
	engine_nat64_from(e, f, remote);
	return !t || (memcmp(remote, t->announced, 16) == 0 && f->remote_port == t->port);
}

static bool is_covered(const struct work *w, uint8_t source, const struct target *t)
{
	for (size_t i = 0; i < w->c->nr_flows; i++)
		if (covers(w->e, &w->c->flows[i], source, t))
			return true;
	return false;
}

static void add_from(struct work *w, const struct candidate *cand)
{
	struct target targets[PEERS_MAX + 1];
	size_t nr = engine_targets(w->e, w->c, cand->source, targets);
	bool mesh = engine_use(w->e, cand->source) & POLICY_ENDPOINT_FULLMESH;
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < nr; i++) {
		if (is_covered(w, cand->source, mesh ? &targets[i] : NULL))
			continue;
		if (add(w, cand, &targets[i], cand->want == PM_WANT_ACTIVE, &next) && !mesh)
			return;
	}
	set_min(&w->due, next);
}

/* Addresses of the peer that no subflow goes to, as many as the policy accepts: from the best
 * source that has one, as the kernel does. */
static void add_announced(struct work *w, uint32_t accepted)
{
	struct target targets[PEERS_MAX + 1];
	uint64_t next = UINT64_MAX;

	for (size_t n = 0; n < w->v.nr; n++) {
		const struct candidate *cand = &w->v.items[n];
		size_t nr = engine_targets(w->e, w->c, cand->source, targets);

		if (cand->want != PM_WANT_ACTIVE || cand->keep)
			continue;
		for (size_t i = 0, used = 0; i < nr && used < accepted; i++) {
			if (!targets[i].id)
				continue;
			used++;
			if (!is_covered(w, NO_SOURCE, &targets[i]))
				add(w, cand, &targets[i], false, &next);
		}
	}
	set_min(&w->due, next);
}

static void add_missing(struct work *w, enum pm_wanted want)
{
	const struct policy_limits *limits = &w->e->policy->limits;

	if (!w->is_client || is_early(w))
		return;
	for (size_t i = 0; i < w->v.nr; i++)
		if (w->v.items[i].want == want && !w->v.items[i].keep)
			add_from(w, &w->v.items[i]);
	if (want == PM_WANT_ACTIVE && limits->set && limits->add_addr_accepted)
		add_announced(w, limits->add_addr_accepted);
}

static bool is_known(struct work *w)
{
	struct conn *c = w->c;
	struct pm_decision *d;

	if ((c->bits & CONN_MATCHED) || engine_match(w->e, c))
		return true;
	if (c->bits & CONN_ASKED)
		return false;
	d = engine_decide(w->e, PM_DECIDE_IDENTIFY, c->token);
	if (d)
		c->bits |= CONN_ASKED;
	return false;
}

void engine_evaluate(struct pm_engine *e, struct conn *c)
{
	struct work w = { .e = e, .c = c, .due = UINT64_MAX };

	/* One batch from one input. */
	if (c->looked_at == e->input) {
		engine_set_due(e, c, e->now + 1);
		return;
	}
	c->looked_at = e->input;
	w.is_client = c->role == PM_ROLE_CLIENT;
	if (!(c->bits & CONN_ESTABLISHED) || !is_known(&w) || !(c->bits & CONN_OURS)) {
		engine_set_due(e, c, UINT64_MAX);
		return;
	}
	drop_overtaken(&w);
	engine_candidates(e, c, &w.v);
	engine_decide_wanted(&w.v);
	memset(w.at, NO_SOURCE, sizeof(w.at));
	for (size_t i = 0; i < w.v.nr; i++) {
		w.at[w.v.items[i].source] = (uint8_t)i;
		if (w.v.items[i].again_ms > e->now)
			set_min(&w.due, w.v.items[i].again_ms);
	}
	judge_flows(&w);
	add_missing(&w, PM_WANT_ACTIVE);
	engine_change_priorities(&w);
	engine_remove(&w);
	add_missing(&w, PM_WANT_BACKUP);
	engine_announce(&w);
	engine_set_due(e, c, w.more ? e->now + 1 : w.due);
}
