// SPDX-License-Identifier: GPL-2.0-only
/*
 * Good and bad paths: a mode's thresholds with enter, leave, hold and period.
 *
 * One sample never decides. Averages have to say the contrary for half a period at least; a count
 * of timeouts or a stall lasts by its nature, so the next sample that agrees is enough. A bad path
 * that nothing is heard of, because nothing is sent on it any more, gets another chance after a
 * while, later each time it fails; what stood in for it stays until there is a good sample, or
 * there has been none for as long again.
 */
#include "pm/engine_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TRIAL_HOLDS  4
#define TRIAL_MS_MAX 64000

const struct policy_mode *engine_mode(const struct pm_engine *e, unsigned int mode)
{
	return &e->policy->modes[mode];
}

struct opinion *engine_opinion(const struct pm_engine *e, unsigned int mode, uint8_t source)
{
	return &e->opinions[(size_t)mode * PM_SOURCES_MAX + source];
}

static const struct policy_threshold *threshold_of(const struct policy_switch *w,
						   enum trigger_kind kind)
{
	static const struct policy_threshold none;

	switch (kind) {
	case TRIGGER_NONE:
		break;
	case TRIGGER_RTT:
		return &w->rtt_us;
	case TRIGGER_RTO:
		return &w->rto_us;
	case TRIGGER_LOSS:
		return &w->loss_permille;
	case TRIGGER_RESENT:
		return &w->resent_permille;
	case TRIGGER_TIMEOUTS:
		return &w->timeouts;
	case TRIGGER_STALL:
		return &w->stall_ms;
	}
	return &none;
}

static uint64_t value_of(const struct pm_health *h, enum trigger_kind kind)
{
	switch (kind) {
	case TRIGGER_NONE:
		break;
	case TRIGGER_RTT:
		return h->srtt_us;
	case TRIGGER_RTO:
		return h->rto_us;
	case TRIGGER_LOSS:
		return h->loss_permille;
	case TRIGGER_RESENT:
		return h->resent_permille;
	case TRIGGER_TIMEOUTS:
		return h->timeouts;
	case TRIGGER_STALL:
		return h->stall_ms;
	}
	return 0;
}

/* The last one that is over, so that those that need no time come before the averages. */
static enum trigger_kind is_over(const struct policy_switch *w, const struct pm_health *h)
{
	for (int k = TRIGGER_STALL; k > TRIGGER_NONE; k--) {
		uint64_t enter = threshold_of(w, (enum trigger_kind)k)->enter;

		if (enter && value_of(h, (enum trigger_kind)k) >= enter)
			return (enum trigger_kind)k;
	}
	return TRIGGER_NONE;
}

static bool is_left(const struct policy_switch *w, const struct pm_health *h, enum trigger_kind why)
{
	/* A round-trip time that is not known is not a short one. */
	if ((why == TRIGGER_RTT || why == TRIGGER_RTO) && !value_of(h, why))
		return false;
	for (int k = TRIGGER_RTT; k <= TRIGGER_STALL; k++) {
		const struct policy_threshold *t = threshold_of(w, (enum trigger_kind)k);

		if (t->enter && value_of(h, (enum trigger_kind)k) > t->leave)
			return false;
	}
	return true;
}

static bool lasts(enum trigger_kind kind)
{
	return kind == TRIGGER_TIMEOUTS || kind == TRIGGER_STALL;
}

static bool is_held(const struct pm_engine *e, uint64_t changed_ms, const struct policy_mode *m)
{
	return changed_ms && e->now - changed_ms < m->hold_ms;
}

static void become(struct pm_engine *e, unsigned int mode, uint8_t source, bool bad)
{
	const struct policy_mode *m = engine_mode(e, mode);
	struct opinion *o = engine_opinion(e, mode, source);
	uint32_t first = TRIAL_HOLDS * (m->hold_ms ? m->hold_ms : 1000);

	if (bad) {
		bool again = o->trial_ms && e->now - o->changed_ms < o->trial_ms + first;

		o->trial_ms = again ? o->trial_ms * 2 : first;
		if (o->trial_ms > TRIAL_MS_MAX)
			o->trial_ms = TRIAL_MS_MAX > first ? TRIAL_MS_MAX : first;
	} else {
		engine_heal(e, &e->sources[source]);
		o->why = TRIGGER_NONE;
	}
	o->bad = bad;
	o->on_trial = false;
	o->samples = 0;
	o->changed_ms = e->now;
	e->dirty[mode] = true;
}

static void judge(struct pm_engine *e, unsigned int mode, uint8_t source, const struct pm_health *h)
{
	const struct policy_mode *m = engine_mode(e, mode);
	struct opinion *o = engine_opinion(e, mode, source);
	enum trigger_kind over = is_over(&m->when_bad, h);
	bool against = o->bad ? is_left(&m->when_bad, h, o->why) : over != TRIGGER_NONE;

	o->sampled_ms = e->now;
	if (o->on_trial && is_left(&m->when_bad, h, TRIGGER_NONE)) {
		o->on_trial = false;
		e->dirty[mode] = true;
	}
	if (over != TRIGGER_NONE) {
		o->why = over;
		o->value = value_of(h, over);
	}
	if (!against) {
		o->samples = 0;
		return;
	}
	if (!o->samples) {
		o->samples = 1;
		o->against_ms = e->now;
		return;
	}
	if (e->now == o->against_ms || is_held(e, o->changed_ms, m))
		return;
	if (lasts(over) || e->now - o->against_ms >= m->when_bad.period_ms / 2)
		become(e, mode, source, !o->bad);
}

/* Takes a value over when it is a tenth away, twice in a row, and not again within `hold`. */
static bool follow(struct pm_engine *e, struct steady *s, uint64_t value,
		   const struct policy_mode *m)
{
	uint64_t away = value > s->value ? value - s->value : s->value - value;

	if (!value || away * 10 <= s->value) {
		s->samples = 0;
		return false;
	}
	if (s->value && (s->samples++ == 0 || is_held(e, s->changed_ms, m)))
		return false;
	s->value = value;
	s->samples = 0;
	s->changed_ms = e->now;
	return true;
}

static bool looks_at_rtt(enum policy_mode_kind kind)
{
	return kind == POLICY_MODE_SMALLEST_DELAY || kind == POLICY_MODE_INTERACTIVE;
}

static void take_sample(struct pm_engine *e, uint8_t source, const struct pm_health *h)
{
	e->sources[source].health = *h;
	for (unsigned int mode = 0; mode < e->nr_modes; mode++) {
		const struct policy_mode *m = engine_mode(e, mode);
		struct opinion *o = engine_opinion(e, mode, source);
		bool moved;

		judge(e, mode, source, h);
		moved = follow(e, &o->rtt_us, h->srtt_us, m) && looks_at_rtt(m->kind);
		moved |= follow(e, &o->rate_bps, h->rate_bps, m) && m->kind == POLICY_MODE_TARGET;
		e->dirty[mode] |= moved;
	}
}

void engine_health(struct pm_engine *e, const struct pm_health *items, size_t nr)
{
	uint8_t local[16];

	for (size_t i = 0; i < nr; i++) {
		engine_pack(&items[i].local, local);
		for (size_t s = 0; s < e->nr_sources; s++)
			if (e->sources[s].present && e->sources[s].ifindex == items[i].ifindex &&
			    (!items[i].local.family ||
			     memcmp(e->sources[s].address, local, 16) == 0))
				take_sample(e, (uint8_t)s, &items[i]);
	}
}

/* When it will have been good for long enough; 0: it has been, UINT64_MAX: it is bad. */
static uint64_t settles_ms(const struct pm_engine *e, unsigned int mode, uint8_t source)
{
	const struct opinion *o = engine_opinion(e, mode, source);
	uint64_t since = e->sources[source].since_ms;

	if (o->bad)
		return UINT64_MAX;
	if (o->changed_ms > since)
		since = o->changed_ms;
	if (since)
		since += o->on_trial ? o->trial_ms : engine_mode(e, mode)->hold_ms;
	return since > e->now ? since : 0;
}

bool engine_is_settled(const struct pm_engine *e, unsigned int mode, uint8_t source)
{
	return settles_ms(e, mode, source) == 0;
}

void engine_health_tick(struct pm_engine *e)
{
	uint64_t due = UINT64_MAX;
	bool come = e->sources_due_ms <= e->now;

	for (unsigned int mode = 0; mode < e->nr_modes; mode++) {
		for (size_t s = 0; s < e->nr_sources; s++) {
			struct opinion *o = engine_opinion(e, mode, (uint8_t)s);
			uint64_t when;

			if (!e->sources[s].present)
				continue;
			if (o->bad && e->now >= o->sampled_ms + o->trial_ms) {
				become(e, mode, (uint8_t)s, false);
				o->on_trial = true;
			}
			when = o->bad ? o->sampled_ms + o->trial_ms
				      : settles_ms(e, mode, (uint8_t)s);
			if (when && when < due)
				due = when;
		}
		/* Which of them settled is not worth remembering. */
		e->dirty[mode] |= come;
	}
	e->sources_due_ms = due;
}

/* When it changed is kept, so that a path that comes and goes is not forgiven each time. */
void engine_opinions_reset(struct pm_engine *e, uint8_t source)
{
	for (unsigned int mode = 0; mode < e->nr_modes; mode++) {
		struct opinion *o = engine_opinion(e, mode, source);

		*o = (struct opinion){ .changed_ms = o->changed_ms, .trial_ms = o->trial_ms };
	}
}

bool engine_is_silent(const struct pm_engine *e, unsigned int mode, uint8_t source)
{
	const struct opinion *o = engine_opinion(e, mode, source);

	return o->bad && lasts(o->why);
}

void engine_why_bad(const struct pm_engine *e, unsigned int mode, uint8_t source,
		    char out[PM_REASON_BYTES])
{
	static const struct {
		const char *name, *unit;
		unsigned int divisor;
	} words[] = {
		[TRIGGER_NONE] = { "", "", 1 },
		[TRIGGER_RTT] = { "rtt", " ms", 1000 },
		[TRIGGER_RTO] = { "rto", " ms", 1000 },
		[TRIGGER_LOSS] = { "loss", " %", 10 },
		[TRIGGER_RESENT] = { "resent", " %", 10 },
		[TRIGGER_TIMEOUTS] = { "timeouts", "", 1 },
		[TRIGGER_STALL] = { "stall", " ms", 1 },
	};
	const struct opinion *o = engine_opinion(e, mode, source);
	uint64_t enter = threshold_of(&engine_mode(e, mode)->when_bad, o->why)->enter;

	out[0] = '\0';
	if (o->bad)
		engine_say(out, "%s %" PRIu64 "%s >= %" PRIu64 "%s", words[o->why].name,
			   o->value / words[o->why].divisor, words[o->why].unit,
			   enter / words[o->why].divisor, words[o->why].unit);
}
