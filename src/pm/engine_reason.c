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

/* A cheaper path of the rule that has no usable address now; NULL: there is none. */
static const struct policy_path *missing_path(const struct work *w, uint8_t source)
{
	const struct pm_engine *e = w->e;
	uint32_t paths = engine_rule_paths(e, w->c);

	for (unsigned int p = 0; p < e->policy->nr_paths; p++) {
		bool there = false;

		if (!(paths >> p & 1) || p == e->sources[source].path ||
		    e->policy->paths[p].cost >= e->policy->paths[e->sources[source].path].cost)
			continue;
		for (size_t i = 0; i < e->nr_sources; i++)
			there |= e->sources[i].path == p && engine_source_usable(e, (uint8_t)i);
		if (!there)
			return &e->policy->paths[p];
	}
	return NULL;
}

static void takes_over(struct work *w, uint8_t source, char out[PM_REASON_BYTES])
{
	const struct pm_engine *e = w->e;
	const struct candidate *lame = first_lame(w, source);
	const char *path = engine_path_name(e, source);
	const struct policy_path *missing;
	char why[PM_REASON_BYTES];

	if (lame) {
		engine_why_bad(e, w->c->mode, lame->source, why);
		engine_say(out, "%s: %s %s%s%s, %s takes over", w->v.mode->name,
			   engine_path_name(e, lame->source), why[0] ? "is bad (" : "does not work",
			   why, why[0] ? ")" : "", path);
		return;
	}
	missing = missing_path(w, source);
	if (missing)
		engine_say(out, "%s: %s is not there, %s takes over", w->v.mode->name,
			   missing->name, path);
	else
		engine_say(out, "%s: %s carries data", w->v.mode->name, path);
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
	engine_why_bad(w->e, w->c->mode, f->source, why);
	engine_say(out, "%s: %s %s%s%s", w->v.mode->name, engine_path_name(w->e, f->source),
		   why[0] ? "is bad (" : "steps back to backup", why, why[0] ? ")" : "");
}

void engine_reason_remove(struct work *w, const struct flow *f, char out[PM_REASON_BYTES])
{
	const struct pm_engine *e = w->e;
	const char *path;

	if (f->source == NO_SOURCE) {
		engine_say(out, "%s: there is one like it", w->v.mode->name);
		return;
	}
	path = engine_path_name(e, f->source);
	if (!e->sources[f->source].present)
		engine_say(out, "%s (%s) is gone", path, e->sources[f->source].interface);
	else if (!engine_source_usable(e, f->source))
		engine_say(out, "%s was taken down by hand", path);
	else if (!engine_candidate(w, f->source))
		engine_say(out, "%s is not for this connection", path);
	else if (engine_candidate(w, f->source)->want == PM_WANT_NONE)
		engine_say(out, "%s: %s is not needed any more", w->v.mode->name, path);
	else
		engine_say(out, "%s: one subflow of %s too many", w->v.mode->name, path);
}
