// SPDX-License-Identifier: GPL-2.0-only
/* Why something is decided, in words: the mode, the path, the trigger and its values. */
#include "pm/engine_internal.h"

#include <stdio.h>

/* The first path before this one in the order of preference that cannot be counted on. */
static const struct candidate *first_lame(const struct work *w, uint8_t source)
{
	for (size_t i = 0; i < w->v.nr && w->v.items[i].source != source; i++)
		if (!w->v.items[i].good)
			return &w->v.items[i];
	return NULL;
}

/* A path of the rule that is preferred and was there; UINT8_MAX: there is none. */
static uint8_t first_gone(const struct work *w, uint8_t source)
{
	const struct pm_engine *e = w->e;
	uint32_t paths = engine_rule_paths(e, w->c), cost = engine_cost(e, source);

	for (uint8_t i = 0; i < e->nr_sources; i++) {
		unsigned int path = e->sources[i].path;

		if (path < e->policy->nr_paths && path != e->sources[source].path &&
		    (paths >> path & 1) && !engine_source_usable(e, i) && engine_cost(e, i) <= cost)
			return i;
	}
	return NO_SOURCE;
}

/* A mode that uses one path in the place of another. */
static bool is_exclusive(enum policy_mode_kind kind)
{
	switch (kind) {
	case POLICY_MODE_AGGREGATE:
	case POLICY_MODE_LOAD_BALANCE:
	case POLICY_MODE_REDUNDANT:
		return false;
	case POLICY_MODE_HANDOVER:
	case POLICY_MODE_ACTIVE_STANDBY:
	case POLICY_MODE_INTERACTIVE:
	case POLICY_MODE_PURE_HANDOVER:
	case POLICY_MODE_SMALLEST_DELAY:
	case POLICY_MODE_PRIORITY:
	case POLICY_MODE_CHEAPEST:
	case POLICY_MODE_TARGET:
		break;
	}
	return true;
}

static void by_figure(struct work *w, const struct candidate *c, char out[PM_REASON_BYTES])
{
	const char *mode = w->v.mode->name, *path = engine_path_name(w->e, c->source);
	uint64_t rate_bps = 0;

	for (size_t i = 0; i < w->v.nr && w->v.items[i].cost < c->cost; i++)
		rate_bps += w->v.items[i].rate_bps;
	if (w->v.mode->kind == POLICY_MODE_TARGET && rate_bps)
		engine_say(out, "%s: %.1f of %.1f Mbit/s without %s, which joins in", mode,
			   (double)rate_bps / 1e6, (double)w->v.mode->target_bps / 1e6, path);
	else if (w->v.mode->kind == POLICY_MODE_SMALLEST_DELAY && c->rtt_us)
		engine_say(out, "%s: %s is the fastest path, rtt %.1f ms", mode, path,
			   (double)c->rtt_us / 1e3);
	else
		engine_say(out, "%s: %s carries data", mode, path);
}

static void takes_over(struct work *w, uint8_t source, char out[PM_REASON_BYTES])
{
	const struct pm_engine *e = w->e;
	bool exclusive = is_exclusive(w->v.mode->kind);
	const struct candidate *lame = exclusive ? first_lame(w, source) : NULL;
	const char *path = engine_path_name(e, source);
	char why[PM_REASON_BYTES];
	uint8_t gone;

	if (lame) {
		engine_why_bad(e, w->c->mode, lame->source, why);
		engine_say(out, "%s: %s %s%s%s, %s takes over", w->v.mode->name,
			   engine_path_name(e, lame->source), why[0] ? "is bad (" : "does not work",
			   why, why[0] ? ")" : "", path);
		return;
	}
	gone = exclusive ? first_gone(w, source) : NO_SOURCE;
	if (gone != NO_SOURCE)
		engine_say(out, "%s: %s is gone, %s takes over", w->v.mode->name,
			   engine_path_name(e, gone), path);
	else
		by_figure(w, engine_candidate(w, source), out);
}

void engine_reason_add(struct work *w, const struct flow *f, char out[PM_REASON_BYTES])
{
	const struct attempt *a = engine_attempt(w->e, w->c, f->source, f->remote, f->remote_port);
	const char *path = engine_path_name(w->e, f->source);

	if (a && a->fails)
		engine_say(out, "%s: %s was lost or refused, attempt %u", w->v.mode->name, path,
			   a->fails + 1u);
	else if (f->bits & FLOW_BACKUP)
		engine_say(out, "%s: %s is held ready as backup", w->v.mode->name, path);
	else
		takes_over(w, f->source, out);
}

void engine_reason_priority(struct work *w, const struct flow *f, char out[PM_REASON_BYTES])
{
	char why[PM_REASON_BYTES];

	if (!(f->bits & FLOW_BACKUP)) {
		takes_over(w, f->source, out);
		return;
	}
	if (w->e->allowed[w->e->sources[f->source].path] == PM_ALLOWED_BACKUP) {
		engine_say(out, "%s: %s has reached its cap", w->v.mode->name,
			   engine_path_name(w->e, f->source));
		return;
	}
	engine_why_bad(w->e, w->c->mode, f->source, why);
	engine_say(out, "%s: %s %s%s%s", w->v.mode->name, engine_path_name(w->e, f->source),
		   why[0] ? "is bad (" : "steps back to backup", why, why[0] ? ")" : "");
}

void engine_reason_remove(struct work *w, const struct flow *f, char out[PM_REASON_BYTES])
{
	const struct pm_engine *e = w->e;
	char why[PM_REASON_BYTES];
	const char *path;

	if (f->source == NO_SOURCE) {
		engine_say(out, "%s: there is one like it", w->v.mode->name);
		return;
	}
	path = engine_path_name(e, f->source);
	if (!e->sources[f->source].present)
		engine_say(out, "%s (%s) is gone", path, e->sources[f->source].interface);
	else if (e->forced_down[e->sources[f->source].path])
		engine_say(out, "%s was taken down by hand", path);
	else if (!engine_source_usable(e, f->source))
		engine_say(out, "%s may not be used now: its cap or its schedule", path);
	else if (f->astray)
		engine_say(out, "the NAT64 of %s is gone, or has another prefix", path);
	else if (!engine_candidate(w, f->source))
		engine_say(out, "%s is not for this connection", path);
	else if (engine_candidate(w, f->source)->want == PM_WANT_NONE)
		engine_say(out, "%s: %s is not needed any more", w->v.mode->name, path);
	else if (engine_is_silent(e, w->c->mode, f->source)) {
		engine_why_bad(e, w->c->mode, f->source, why);
		engine_say(out, "%s: %s is bad (%s)", w->v.mode->name, path, why);
	} else {
		engine_say(out, "%s: one subflow of %s too many", w->v.mode->name, path);
	}
}
