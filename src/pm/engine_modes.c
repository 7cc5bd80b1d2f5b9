// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each mode wants of the paths of one connection. Candidates come cheapest first, and a mode
 * fills in what is wanted of each; docs/modes.md has the state diagrams.
 */
#include "pm/engine_internal.h"

#include <string.h>

static void want(struct candidate *c, enum pm_wanted w)
{
	c->want = w;
}

/* Stays open where it is, is not opened where it is not. */
static void keep(struct candidate *c, enum pm_wanted w)
{
	c->want = w;
	c->keep = true;
}

static size_t level_end(const struct candidates *v, size_t from)
{
	size_t end = from;

	while (end < v->nr && v->items[end].cost == v->items[from].cost)
		end++;
	return end;
}

static bool any_good(const struct candidates *v, size_t from, size_t to, bool settled)
{
	for (size_t i = from; i < to; i++)
		if (v->items[i].good && (!settled || v->items[i].settled))
			return true;
	return false;
}

static size_t first_good(const struct candidates *v, size_t from)
{
	while (from < v->nr && !v->items[from].good)
		from++;
	return from;
}

/* Beyond the paths that do the work: nothing more, and nothing once these were good for `hold`. */
static void retire(struct candidates *v, size_t from, bool settled)
{
	for (size_t i = from; i < v->nr && !settled; i++)
		keep(&v->items[i], PM_WANT_ACTIVE);
}

static void want_range(struct candidates *v, size_t from, size_t to, enum pm_wanted w)
{
	for (size_t i = from; i < to; i++)
		want(&v->items[i], w);
}

/* All of a level are active, but for those that are bad while others are not. */
static void want_level(struct candidates *v, size_t from, size_t to)
{
	bool good = any_good(v, from, to, false);

	for (size_t i = from; i < to; i++)
		want(&v->items[i], v->items[i].good || !good ? PM_WANT_ACTIVE : PM_WANT_BACKUP);
}

static void handover(struct candidates *v)
{
	size_t cheap = level_end(v, 0), other;

	want_level(v, 0, cheap);
	if (any_good(v, 0, cheap, false)) {
		retire(v, cheap, any_good(v, 0, cheap, true));
		return;
	}
	other = first_good(v, cheap);
	if (other == v->nr) {
		retire(v, cheap, false);
		return;
	}
	want_range(v, 0, cheap, PM_WANT_BACKUP);
	for (size_t i = cheap; i < other; i++)
		keep(&v->items[i], PM_WANT_BACKUP);
	want(&v->items[other], PM_WANT_ACTIVE);
	retire(v, other + 1, v->items[other].settled);
}

static void priority(struct candidates *v)
{
	size_t from = 0, to = level_end(v, 0), good = first_good(v, 0);

	while (good < v->nr && good >= to) {
		from = to;
		to = level_end(v, from);
	}
	want_level(v, from, to);
	want_range(v, 0, from, PM_WANT_BACKUP);
	if (good < v->nr)
		retire(v, to, any_good(v, from, to, true));
}

static void aggregate(struct candidates *v)
{
	want_level(v, 0, v->nr);
}

static void redundant(struct candidates *v)
{
	want_range(v, 0, v->nr, PM_WANT_ACTIVE);
}

static int rank(const struct candidate *c)
{
	return c->good && c->settled ? 2 : c->good ? 1 : 0;
}

static bool is_faster(const struct candidate *a, const struct candidate *b)
{
	return a->rtt_us && (!b->rtt_us || a->rtt_us < b->rtt_us);
}

/* One active, the others open as backup. Of those in the best state the fastest within a level, or
 * of all levels, or the first. */
static void one_active(struct candidates *v, bool by_rtt, bool across)
{
	size_t best = 0;

	for (size_t i = 1; i < v->nr; i++) {
		const struct candidate *a = &v->items[i], *b = &v->items[best];

		if (rank(a) > rank(b) || (rank(a) == rank(b) && by_rtt && is_faster(a, b) &&
					  (across || a->cost == b->cost)))
			best = i;
	}
	want_range(v, 0, v->nr, PM_WANT_BACKUP);
	want(&v->items[best], PM_WANT_ACTIVE);
}

static void active_standby(struct candidates *v)
{
	one_active(v, false, false);
}

static void interactive(struct candidates *v)
{
	one_active(v, true, false);
}

static void smallest_delay(struct candidates *v)
{
	one_active(v, true, true);
}

/* Stays where it is while that works, and does not go back. */
static void pure_handover(struct candidates *v)
{
	size_t chosen = v->nr;

	for (size_t i = 0; i < v->nr && chosen == v->nr; i++)
		if (v->items[i].has_flow && v->items[i].good)
			chosen = i;
	if (chosen == v->nr)
		chosen = first_good(v, 0);
	for (size_t i = 0; i < v->nr && chosen == v->nr; i++)
		if (v->items[i].has_flow)
			chosen = i;
	want(&v->items[chosen < v->nr ? chosen : 0], PM_WANT_ACTIVE);
}

static void cheapest(struct candidates *v)
{
	size_t cheap = level_end(v, 0);

	want_range(v, 0, cheap, PM_WANT_ACTIVE);
	for (size_t i = 0; i < cheap; i++)
		if (v->items[i].settled)
			return;
	retire(v, cheap, false);
}

static void target(struct candidates *v)
{
	size_t cheap = level_end(v, 0), other = first_good(v, cheap);
	uint64_t rate_bps = 0;

	for (size_t i = 0; i < cheap; i++)
		rate_bps += v->items[i].rate_bps;
	if (!any_good(v, 0, cheap, false) || !rate_bps || rate_bps >= v->mode->target_bps) {
		handover(v);
		return;
	}
	want_range(v, 0, cheap, PM_WANT_ACTIVE);
	if (other < v->nr)
		want(&v->items[other], PM_WANT_ACTIVE);
}

/* What the path says itself: `backup: true` is open, for when all others fail. */
static void apply_backup(struct candidates *v)
{
	bool good = false;

	for (size_t i = 0; i < v->nr; i++)
		good |= v->items[i].backup != POLICY_YES && v->items[i].good &&
			v->items[i].want == PM_WANT_ACTIVE;
	for (size_t i = 0; i < v->nr; i++) {
		struct candidate *c = &v->items[i];

		if (c->backup == POLICY_YES && good && v->mode->kind != POLICY_MODE_PURE_HANDOVER &&
		    v->mode->kind != POLICY_MODE_CHEAPEST) {
			c->want = PM_WANT_BACKUP;
			c->keep = false;
		} else if (c->backup == POLICY_NO && c->want == PM_WANT_BACKUP) {
			c->want = PM_WANT_ACTIVE;
		}
	}
}

/* A path that has reached its cap is open as its mode has it, and carries data when no other does.
 */
static void apply_caps(struct candidates *v)
{
	bool other = false;

	for (size_t i = 0; i < v->nr; i++)
		other |= !v->items[i].last_resort && v->items[i].good &&
			 v->items[i].want == PM_WANT_ACTIVE;
	for (size_t i = 0; i < v->nr && other; i++)
		if (v->items[i].last_resort && v->items[i].want == PM_WANT_ACTIVE)
			v->items[i].want = PM_WANT_BACKUP;
}

void engine_decide_wanted(struct candidates *v)
{
	if (!v->nr)
		return;
	switch (v->mode->kind) {
	case POLICY_MODE_HANDOVER:
		handover(v);
		break;
	case POLICY_MODE_AGGREGATE:
	case POLICY_MODE_LOAD_BALANCE:
		aggregate(v);
		break;
	case POLICY_MODE_ACTIVE_STANDBY:
		active_standby(v);
		break;
	case POLICY_MODE_INTERACTIVE:
		interactive(v);
		break;
	case POLICY_MODE_PURE_HANDOVER:
		pure_handover(v);
		break;
	case POLICY_MODE_SMALLEST_DELAY:
		smallest_delay(v);
		break;
	case POLICY_MODE_PRIORITY:
		priority(v);
		break;
	case POLICY_MODE_REDUNDANT:
		redundant(v);
		break;
	case POLICY_MODE_CHEAPEST:
		cheapest(v);
		break;
	case POLICY_MODE_TARGET:
		target(v);
		break;
	}
	apply_backup(v);
	apply_caps(v);
}

/* Whether this connection can count on the source; a join that is slow or waits cannot be. */
static bool works(const struct pm_engine *e, const struct conn *c, uint8_t source,
		  const struct target *targets, size_t nr, uint64_t *again_ms)
{
	const struct policy_path *path = &e->policy->paths[e->sources[source].path];
	bool slow = false, asked = false, asked_to_leave = false;
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < c->nr_flows; i++) {
		const struct flow *f = &c->flows[i];

		if (f->source != source || (f->bits & FLOW_DELETING))
			continue;
		if ((f->bits & FLOW_ESTABLISHED) && !(f->bits & FLOW_PEER_BACKUP))
			return true;
		if (f->bits & FLOW_ESTABLISHED) {
			asked_to_leave = path->trust == POLICY_TRUST_HIGH;
			if (!asked_to_leave)
				return true;
			continue;
		}
		asked = true;
		slow |= (uint32_t)e->now - f->since_ms >= JOIN_SLOW_MS;
	}
	if (asked || asked_to_leave)
		return !slow && !asked_to_leave;
	for (size_t i = 0; i < nr && c->role != PM_ROLE_SERVER; i++) {
		uint64_t when = engine_retry_ms(e, c, source, targets[i].address, targets[i].port);

		first = when < first ? when : first;
	}
	if (!nr && c->role != PM_ROLE_SERVER) /* announced, for the peer to join */
		return true;
	*again_ms = first;
	return first <= e->now || c->role == PM_ROLE_SERVER;
}

static bool has_flow(const struct conn *c, uint8_t source)
{
	for (size_t i = 0; i < c->nr_flows; i++)
		if (c->flows[i].source == source && !(c->flows[i].bits & FLOW_DELETING))
			return true;
	return false;
}

/* The other family on an interface that has the connection's own: the same path twice. */
static bool is_second_family(const struct pm_engine *e, const struct conn *c, uint8_t source)
{
	const struct source *s = &e->sources[source];
	bool v4 = engine_is_v4(c->remote);

	if (engine_is_v4(s->address) == v4)
		return false;
	for (size_t i = 0; i < e->nr_sources; i++)
		if (e->sources[i].present && e->sources[i].ifindex == s->ifindex &&
		    engine_is_v4(e->sources[i].address) == v4)
			return true;
	return false;
}

static bool is_announced(const struct pm_engine *e, const struct conn *c, uint8_t source)
{
	return (engine_use(e, source) & POLICY_ENDPOINT_SIGNAL) &&
	       (engine_is_v4(e->sources[source].address) || !(c->bits & CONN_V4_SOCKET));
}

void engine_candidates(const struct pm_engine *e, const struct conn *c, struct candidates *v)
{
	uint32_t paths = engine_rule_paths(e, c);

	v->mode = engine_mode(e, c->mode);
	v->nr = 0;
	for (size_t i = 0; i < e->nr_sources; i++) {
		uint8_t s = e->order[i];
		const struct policy_path *path;
		struct target targets[PEERS_MAX + 1];
		const struct opinion *o = engine_opinion(e, c->mode, s);
		uint64_t again_ms = UINT64_MAX;
		bool open = has_flow(c, s), good;
		size_t nr;

		if (!engine_source_usable(e, s) || !(paths >> e->sources[s].path & 1))
			continue;
		path = &e->policy->paths[e->sources[s].path];
		nr = engine_targets(e, c, s, targets);
		if (!open && (is_second_family(e, c, s) ||
			      (!nr && c->role != PM_ROLE_SERVER && !is_announced(e, c, s))))
			continue;
		good = works(e, c, s, targets, nr, &again_ms) && !o->bad;
		v->items[v->nr++] = (struct candidate){
			.source = s,
			.good = good,
			.again_ms = again_ms,
			.settled = engine_is_settled(e, c->mode, s),
			.has_flow = open,
			.last_resort = e->allowed[e->sources[s].path] == PM_ALLOWED_BACKUP,
			.cost = engine_cost(e, s),
			.backup = path->backup,
			.rtt_us = o->rtt_us.value,
			.rate_bps = o->rate_bps.value,
		};
	}
}
