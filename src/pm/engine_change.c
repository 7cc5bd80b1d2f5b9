// SPDX-License-Identifier: GPL-2.0-only
/* Requests about subflows and addresses that are there: priority, removal, announcement. */
#include "pm/engine_internal.h"

#include <stdio.h>
#include <string.h>

static uint32_t flags_of(enum pm_request_kind kind, const struct flow *f)
{
	switch (kind) {
	case PM_SUBFLOW_ADD:
	case PM_SUBFLOW_BACKUP:
		return f->bits & FLOW_BACKUP ? PM_FLAG_BACKUP : 0;
	case PM_ANNOUNCE:
		return PM_FLAG_SIGNAL;
	case PM_SUBFLOW_DELETE:
	case PM_WITHDRAW:
		break;
	}
	return 0;
}

static void give_reason(struct work *w, enum pm_request_kind kind, const struct flow *f,
			char out[PM_REASON_BYTES])
{
	switch (kind) {
	case PM_SUBFLOW_ADD:
		engine_reason_add(w, f, out);
		break;
	case PM_SUBFLOW_BACKUP:
		engine_reason_priority(w, f, out);
		break;
	case PM_SUBFLOW_DELETE:
	case PM_WITHDRAW:
		engine_reason_remove(w, f, out);
		break;
	case PM_ANNOUNCE:
		engine_say(out, "%s is announced to the peer", engine_path_name(w->e, f->source));
		break;
	}
}

struct pm_decision *engine_change(struct work *w, enum pm_request_kind kind, const struct flow *f)
{
	const struct source *s = f->source == NO_SOURCE ? NULL : &w->e->sources[f->source];
	bool v6 = (f->bits & FLOW_V6_SOCKET) && kind != PM_WITHDRAW;
	struct pm_decision *d;

	if (w->nr == PM_SUBFLOWS_PER_BATCH) {
		w->more = true;
		return NULL;
	}
	d = engine_decide(w->e, PM_DECIDE_REQUEST, w->c->token);
	if (!d)
		return NULL;
	w->nr++;
	d->request = (struct pm_request){
		.kind = kind,
		.token = w->c->token,
		.local = { .id = f->local_id,
			   .flags = flags_of(kind, f),
			   .ifindex = s && kind == PM_SUBFLOW_ADD ? s->ifindex : 0,
			   .port = f->local_port,
			   .address = engine_unpack_as(f->local, v6) },
		.has_local_id = true,
	};
	if (kind != PM_ANNOUNCE && kind != PM_WITHDRAW) {
		d->request.remote =
			(struct pm_endpoint){ .id = f->remote_id,
					      .port = f->remote_port,
					      .address = engine_unpack_as(f->remote, v6) };
		d->request.has_remote_id = true;
	}
	if (s && s->path < w->e->policy->nr_paths)
		d->path = s->path;
	give_reason(w, kind, f, d->reason);
	engine_set_reason(w->e, w->c, d->reason);
	return d;
}

/* Another one that is up and carries data, so that this one may step back. */
static bool has_other_active(const struct work *w, const struct flow *f)
{
	for (const struct flow *g = w->c->flows; g < w->c->flows + w->c->nr_flows; g++)
		if (g != f && engine_stays(g) && (g->bits & FLOW_ESTABLISHED) &&
		    !(g->bits & (FLOW_BACKUP | FLOW_PEER_BACKUP)) && engine_flow_usable(w->e, g))
			return true;
	return false;
}

static void send_withdrawal(struct work *w, const struct flow *f)
{
	if (!engine_change(w, PM_WITHDRAW, f))
		return;
	for (struct flow *g = w->c->flows; g < w->c->flows + w->c->nr_flows; g++)
		if (g->source == f->source && g->local_id == f->local_id)
			g->bits |= FLOW_WITHDRAWN;
	if (f->source != NO_SOURCE)
		w->c->announced &= ~(1ull << f->source);
}

static bool is_last_of_address(const struct work *w, const struct flow *f)
{
	for (const struct flow *g = w->c->flows; g < w->c->flows + w->c->nr_flows; g++)
		if (g != f && g->source == f->source && g->local_id == f->local_id &&
		    g->local_port && !(g->bits & FLOW_DELETING))
			return false;
	return true;
}

/* The kernel forgets an id with the last subflow of it that it is told to close, so a withdrawal
 * comes before. A reset leaves the id, and has to come first: the peer would close the subflows
 * itself. */
static void close_flow(struct work *w, struct flow *f, bool displaced, bool withdrawn)
{
	struct pm_request say = { 0 };
	bool reset = engine_reset_said(w, f, displaced, &say);
	bool after = reset && withdrawn && is_last_of_address(w, f);
	struct pm_decision *d;

	/* What is being deleted is not looked at again to be withdrawn. */
	if (after && w->nr + 2 > PM_SUBFLOWS_PER_BATCH) {
		w->more = true;
		return;
	}
	if (!reset && withdrawn)
		send_withdrawal(w, f);
	d = engine_change(w, PM_SUBFLOW_DELETE, f);
	if (!d)
		return;
	d->request.reset = reset;
	d->request.reset_reason = say.reset_reason;
	d->request.reset_transient = say.reset_transient;
	f->bits = (uint8_t)((f->bits | FLOW_DELETING) & ~FLOW_DOOMED);
	f->since_ms = (uint32_t)w->e->now;
	if (w->e->now + CLOSE_LOST_MS < w->due)
		w->due = w->e->now + CLOSE_LOST_MS;
	if (after)
		send_withdrawal(w, f);
}

/* An address as if a subflow came from it; the attempts of announcing have no remote side. */
static struct flow address_of(const struct work *w, uint8_t source)
{
	struct flow f = { .source = source, .local_id = engine_local_id(w->e, w->c, source) };

	memcpy(f.local, w->e->sources[source].address, 16);
	return f;
}

/* Nothing comes over it any more: what it owes is sent by another one at once, which a lower
 * priority does not bring about; and the peer, whom a word about priority would not reach, does not
 * answer there. After a while it comes back as a backup. */
static bool cut(struct work *w, struct flow *f)
{
	struct flow address = address_of(w, f->source);

	if (w->v.mode->kind != POLICY_MODE_INTERACTIVE || !w->is_client ||
	    !engine_is_silent(w->e, w->c->mode, f->source) || !has_other_active(w, f))
		return false;
	engine_postpone(w->e, w->c, f, w->v.mode->hold_ms);
	if (w->c->announced >> f->source & 1)
		engine_postpone(w->e, w->c, &address, w->v.mode->hold_ms);
	close_flow(w, f, false, !(f->bits & FLOW_WITHDRAWN));
	return true;
}

static void set_priority(struct work *w, struct flow *f, bool backup)
{
	const struct attempt *a = engine_attempt(w->e, w->c, f->source, f->remote, f->remote_port);
	struct flow changed = *f;

	/* A subflow that is up has nothing else to wait for. */
	if (a && a->next_ms > w->e->now) {
		if (a->next_ms < w->due)
			w->due = a->next_ms;
		return;
	}
	changed.bits ^= FLOW_BACKUP;
	if ((!backup || has_other_active(w, f)) && engine_change(w, PM_SUBFLOW_BACKUP, &changed))
		*f = changed;
}

void engine_change_priorities(struct work *w)
{
	for (int backup = 0; backup <= 1; backup++) {
		for (size_t i = 0; i < w->c->nr_flows; i++) {
			struct flow *f = &w->c->flows[i];
			const struct candidate *cand = engine_candidate(w, f->source);
			const struct attempt *a;
			bool wanted;

			if (!cand || !engine_stays(f) || !(f->bits & FLOW_ESTABLISHED))
				continue;
			a = engine_attempt(w->e, w->c, f->source, f->remote, f->remote_port);
			wanted = cand->want == PM_WANT_BACKUP ||
				 (!w->is_client && cand->want == PM_WANT_NONE) ||
				 (a && (a->bits & ATTEMPT_AS_BACKUP) && has_other_active(w, f));
			/* On its way out: one more message would change nothing. */
			if (w->is_client && cand->want == PM_WANT_NONE)
				continue;
			if (wanted != !!backup || wanted == !!(f->bits & FLOW_BACKUP))
				continue;
			if (!wanted || !cut(w, f))
				set_priority(w, f, wanted);
		}
	}
}

/* What makes up for it: of one that is gone, or leads nowhere, any other, else one that should
 * carry data. */
static bool may_go(struct work *w, const struct flow *f)
{
	bool gone = !engine_flow_usable(w->e, f) || f->astray;

	for (const struct flow *g = w->c->flows; g < w->c->flows + w->c->nr_flows; g++) {
		const struct candidate *cand = engine_candidate(w, g->source);

		if (g == f || !engine_stays(g) || !(g->bits & FLOW_ESTABLISHED) ||
		    !engine_flow_usable(w->e, g))
			continue;
		if (gone || !cand || (cand->want == PM_WANT_ACTIVE && cand->good))
			return true;
	}
	return false;
}

/* Of two that are not needed, one may make place for what is. */
bool engine_has_other(const struct work *w, const struct flow *f)
{
	for (const struct flow *g = w->c->flows; g < w->c->flows + w->c->nr_flows; g++)
		if (g != f && !(g->bits & FLOW_DELETING) && (g->bits & FLOW_ESTABLISHED) &&
		    engine_flow_usable(w->e, g))
			return true;
	return false;
}

static bool may_withdraw(const struct work *w, const struct flow *f)
{
	uint8_t now = engine_source_of(w->e, f->local);

	/* The peer would close what comes from another device that has the address. */
	return now == NO_SOURCE || !engine_source_usable(w->e, now);
}

void engine_remove(struct work *w)
{
	struct conn *c = w->c;
	size_t places = w->nr_reserved;

	for (size_t i = c->nr_flows; i-- > 0;) {
		struct flow *f = &c->flows[i];
		bool gone = !engine_flow_usable(w->e, f), displaced;

		if (!(f->bits & FLOW_DOOMED))
			continue;
		if (!f->local_port) {
			/* Asked for, and not up: what comes of it is seen when it is. */
			if (gone || f->astray)
				engine_forget_flow(w->e, c, f);
			continue;
		}
		displaced = places && !gone && engine_has_other(w, f);
		if (displaced)
			places--;
		else if (!may_go(w, f))
			continue;
		close_flow(w, f, displaced,
			   gone && !(f->bits & FLOW_WITHDRAWN) && may_withdraw(w, f));
	}
}

static bool should_be_announced(struct work *w, uint8_t source)
{
	const struct candidate *cand = engine_candidate(w, source);
	const struct source *s = &w->e->sources[source];

	if (!cand || cand->want == PM_WANT_NONE || cand->keep ||
	    !(engine_use(w->e, source) & POLICY_ENDPOINT_SIGNAL))
		return false;
	if (memcmp(s->address, w->c->local, 16) == 0) /* the peer has it */
		return false;
	return engine_is_v4(s->address) || !(w->c->bits & CONN_V4_SOCKET);
}

void engine_announce(struct work *w)
{
	static const uint8_t nowhere[16];
	bool up = false;

	for (size_t i = 0; i < w->c->nr_flows; i++)
		up |= engine_stays(&w->c->flows[i]) && (w->c->flows[i].bits & FLOW_ESTABLISHED) &&
		      engine_flow_usable(w->e, &w->c->flows[i]);
	for (uint8_t s = 0; up && s < w->e->nr_sources; s++) {
		bool is = w->c->announced >> s & 1;
		struct flow f = address_of(w, s);
		uint64_t when;

		if (is && !engine_source_usable(w->e, s) && may_withdraw(w, &f))
			send_withdrawal(w, &f);
		if (is || !engine_source_usable(w->e, s) || !should_be_announced(w, s))
			continue;
		when = engine_retry_ms(w->e, w->c, s, nowhere, 0);
		if (when > w->e->now) {
			if (when < w->due)
				w->due = when;
			continue;
		}
		if (engine_change(w, PM_ANNOUNCE, &f))
			w->c->announced |= 1ull << s;
	}
}
