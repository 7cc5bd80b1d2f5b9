// SPDX-License-Identifier: GPL-2.0-only
/* Why subflows end (MP_TCPRST, RFC 8684 section 3.6): what the peer is told, and what is done about
 * what it tells. */
#include "pm/engine_internal.h"
#include "pm/reset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The policy's word for why it goes; false: for no reason that the peer is told. */
static bool reason_of(const struct work *w, const struct flow *f, bool displaced,
		      enum policy_reset_reason *out)
{
	const struct pm_engine *e = w->e;
	const struct candidate *cand;

	if (f->source == NO_SOURCE || !e->sources[f->source].present || f->astray)
		return false;
	cand = w->at[f->source] == NO_SOURCE ? NULL : &w->v.items[w->at[f->source]];
	if (!engine_source_usable(e, f->source) || !cand) {
		*out = POLICY_RESET_PROHIBITED;
		return true;
	}
	if (cand->want != PM_WANT_NONE && engine_has_twin(w->c, f))
		return false;
	*out = engine_opinion(e, w->c->mode, f->source)->bad ? POLICY_RESET_PERFORMANCE
							     : POLICY_RESET_RESOURCES;
	return *out == POLICY_RESET_PERFORMANCE || displaced || cand->want != PM_WANT_NONE;
}

bool engine_reset_said(const struct work *w, const struct flow *f, bool displaced,
		       struct pm_request *r)
{
	const struct policy_reset *policy = &w->e->policy->reset;
	enum policy_reset_reason reason;

	/* Until the kernel took a request the connection may be its own path manager's, and what is
	 * not ours is not reset. */
	if (!policy->emits || !(w->c->bits & CONN_VOUCHED) || !(f->bits & FLOW_ESTABLISHED) ||
	    !reason_of(w, f, displaced, &reason) || !policy->emit[reason].set)
		return false;
	r->reset_reason = (uint8_t)reason;
	r->reset_transient = policy->emit[reason].transient;
	return true;
}

static void remember(struct pm_engine *e, struct conn *c, const struct reset *r)
{
	struct past *p = engine_past(e, c);

	if (p && !p->resets)
		p->resets = calloc(PM_RESETS_MAX, sizeof(*p->resets));
	if (!p || !p->resets) {
		e->no_memory = true;
		return;
	}
	if (p->nr_resets == PM_RESETS_MAX)
		memmove(p->resets, p->resets + 1, --p->nr_resets * sizeof(p->resets[0]));
	p->resets[p->nr_resets++] = *r;
}

/* How far a reason goes beyond the subflow: 0 not at all, 1 what comes from there, 2 the host. */
static int reach(uint32_t reason)
{
	switch (reason) {
	case POLICY_RESET_RESOURCES:
	case POLICY_RESET_PROHIBITED:
		return 2;
	case POLICY_RESET_MIDDLEBOX:
		return 1;
	default: /* the subflow, and what a newer RFC may say */
		return 0;
	}
}

static void wait_until(struct pm_engine *e, struct attempt *a, const struct flow *f,
		       uint32_t reason, uint64_t until_ms)
{
	int far = reach(reason);

	if (far) {
		engine_block(e, f->remote, far == 2 ? NO_SOURCE : f->source, until_ms);
		a->next_ms = e->now;
	} else if (until_ms == UINT64_MAX) {
		a->bits |= ATTEMPT_NEVER;
	} else {
		a->next_ms = until_ms;
	}
}

static void react(struct pm_engine *e, struct attempt *a, const struct flow *f,
		  const struct reset *r)
{
	if (r->as_backup)
		a->bits |= ATTEMPT_AS_BACKUP;
	switch ((enum policy_retry)r->retry) {
	case POLICY_RETRY_NEVER:
		wait_until(e, a, f, r->reason, UINT64_MAX);
		break;
	case POLICY_RETRY_ONCE:
		a->bits |= a->bits & ATTEMPT_REOPENED ? ATTEMPT_NEVER : ATTEMPT_REOPENED;
		break;
	case POLICY_RETRY_BACK_OFF:
		engine_back_off(e, a);
		break;
	case POLICY_RETRY_HOLD:
	case POLICY_RETRY_AFTER:
		wait_until(e, a, f, r->reason, e->now + r->after_ms);
		break;
	}
}

/* What the policy does about it; not again when the peer does not say that it will pass. */
static struct policy_reaction reaction_to(const struct pm_engine *e, const struct conn *c,
					  uint32_t reason, bool transient)
{
	struct policy_reaction does = *policy_reset_reaction(e->policy, reason);

	if (c->role != PM_ROLE_CLIENT)
		return (struct policy_reaction){ 0 };
	if (does.transient_only && !transient)
		return (struct policy_reaction){ .retry = POLICY_RETRY_NEVER };
	if (does.retry == POLICY_RETRY_HOLD)
		does.after_ms = engine_mode(e, c->mode)->hold_ms;
	return does;
}

static void tell(struct pm_engine *e, const struct conn *c, const struct reset *r,
		 const struct policy_reaction *does)
{
	struct pm_decision *d = engine_decide(e, PM_DECIDE_NOTICE, c->token);
	const char *words = pm_reset_reason_text(r->reason), *path = "no path";
	char number[16], then[PM_RESET_TEXT_BYTES];

	if (!d)
		return;
	snprintf(number, sizeof(number), "reason %" PRIu8, r->reason);
	pm_reaction_describe(does, then, sizeof(then));
	if (r->source != NO_SOURCE) {
		d->path = e->sources[r->source].path;
		path = engine_path_name(e, r->source);
	}
	engine_say(d->reason, "%.16s: the peer reset it (%s%s): %s", path, words ? words : number,
		   r->transient ? ", transient" : "", then);
}

void engine_reset_heard(struct pm_engine *e, struct conn *c, const struct flow *f, uint32_t reason,
			bool transient)
{
	const struct policy_reaction does = reaction_to(e, c, reason, transient);
	struct attempt *a = engine_attempt(e, c, f->source, f->remote, f->remote_port);
	struct reset r = { .at_ms = e->now,
			   .after_ms = (uint32_t)does.after_ms,
			   .local_port = f->local_port,
			   .remote_port = f->remote_port,
			   .source = f->source,
			   .reason = (uint8_t)reason,
			   .retry = (uint8_t)does.retry,
			   .transient = transient,
			   .as_backup = does.as_backup };

	memcpy(r.local, f->local, 16);
	memcpy(r.remote, f->remote, 16);
	if (a && does.retry)
		react(e, a, f, &r);
	remember(e, c, &r);
	tell(e, c, &r, &does);
}
