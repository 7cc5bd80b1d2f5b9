// SPDX-License-Identifier: GPL-2.0-only
/* The engine's state for people, and for the kernel's path manager. */
#include "pm/engine_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *pm_wanted_name(enum pm_wanted w)
{
	static const char *const names[] = {
		[PM_WANT_NONE] = "none",
		[PM_WANT_BACKUP] = "backup",
		[PM_WANT_ACTIVE] = "active",
	};

	return names[w];
}

/* With the kernel's path manager the endpoints are what stays open. */
static bool is_open(const struct pm_engine *e, const struct candidate *cand)
{
	return cand->has_flow || (e->kind == POLICY_ENGINE_KERNEL &&
				  e->endpoints[e->sources[cand->source].path] != PM_WANT_NONE);
}

static void wanted_of(const struct pm_engine *e, const struct conn *c,
		      enum pm_wanted out[PM_SOURCES_MAX])
{
	struct candidates v;

	memset(out, 0, PM_SOURCES_MAX * sizeof(*out));
	engine_candidates(e, c, &v);
	engine_decide_wanted(&v);
	for (size_t i = 0; i < v.nr; i++)
		if (!v.items[i].keep || is_open(e, &v.items[i]))
			out[v.items[i].source] = v.items[i].want;
}

/* A connection of the default rule to nowhere in particular. */
static struct conn any_connection(const struct pm_engine *e, bool v4)
{
	struct conn c = { .role = PM_ROLE_CLIENT,
			  .rule = (uint8_t)e->policy->nr_rules,
			  .mode = (uint8_t)e->policy->mode_index };
	struct pm_address nowhere = { .family = v4 ? AF_INET : AF_INET6 };

	engine_pack(&nowhere, c.remote);
	return c;
}

size_t pm_engine_nr_sources(const struct pm_engine *e)
{
	return e->nr_sources;
}

void pm_engine_source(const struct pm_engine *e, size_t i, struct pm_source_view *out)
{
	const struct source *s = &e->sources[i];
	const struct opinion *o = engine_opinion(e, e->policy->mode_index, (uint8_t)i);
	struct conn any = any_connection(e, engine_is_v4(s->address));
	enum pm_wanted wanted[PM_SOURCES_MAX];

	wanted_of(e, &any, wanted);
	*out = (struct pm_source_view){
		.path = s->path,
		.ifindex = s->ifindex,
		.local = engine_unpack(s->address),
		.id = s->id,
		.present = s->present,
		.bad = o->bad,
		.forced_down = s->path < POLICY_PATHS_MAX && e->forced_down[s->path],
		.allowed = s->path < POLICY_PATHS_MAX ? e->allowed[s->path] : PM_ALLOWED_ALL,
		.since_ms = o->changed_ms > s->since_ms ? o->changed_ms : s->since_ms,
		.health = s->health,
		.nat64 = s->nat64,
		.nr_subflows = s->nr_subflows,
		.wanted = wanted[i],
	};
	memcpy(out->interface, s->interface, sizeof(out->interface));
	engine_why_bad(e, e->policy->mode_index, (uint8_t)i, out->why_bad);
}

size_t pm_engine_nr_connections(const struct pm_engine *e)
{
	return e->nr_conns;
}

static struct pm_subflow_view view_flow(const struct flow *f)
{
	bool v6 = f->bits & FLOW_V6_SOCKET;

	return (struct pm_subflow_view){
		.at = { .local = engine_unpack_as(f->local, v6),
			.remote = engine_unpack_as(f->remote, v6),
			.local_port = f->local_port,
			.remote_port = f->remote_port },
		.local_id = f->local_id,
		.remote_id = f->remote_id,
		.source = f->source == NO_SOURCE ? SIZE_MAX : f->source,
		.established = f->bits & FLOW_ESTABLISHED,
		.backup = f->bits & FLOW_BACKUP,
		.peer_backup = f->bits & FLOW_PEER_BACKUP,
		.closing = f->bits & FLOW_DELETING,
	};
}

static struct pm_reset_view view_reset(const struct reset *r)
{
	return (struct pm_reset_view){
		.at_ms = r->at_ms,
		.at = { .local = engine_unpack(r->local),
			.remote = engine_unpack(r->remote),
			.local_port = r->local_port,
			.remote_port = r->remote_port },
		.source = r->source == NO_SOURCE ? SIZE_MAX : r->source,
		.reason = r->reason,
		.transient = r->transient,
		.reaction = { .retry = (enum policy_retry)r->retry,
			      .after_ms = r->after_ms,
			      .as_backup = r->as_backup },
	};
}

static void view(const struct pm_engine *e, const struct conn *c, struct pm_connection_view *out)
{
	*out = (struct pm_connection_view){
		.token = c->token,
		.ours = c->bits & CONN_OURS,
		.matched = c->bits & CONN_MATCHED,
		.rule = c->rule < e->policy->nr_rules ? e->policy->rules[c->rule].number : 0,
		.mode = c->mode,
		.role = (enum pm_role)c->role,
		.next_ms = c->due_ms == UINT64_MAX ? 0 : c->due_ms,
	};
	if (c->bits & CONN_MATCHED)
		wanted_of(e, c, out->wanted);
	if (c->reason)
		engine_say(out->last_reason, "%s", c->reason);
}

int pm_engine_connection(const struct pm_engine *e, uint32_t token, struct pm_connection_view *out)
{
	const struct conn *c = engine_find(e, token);
	struct pm_subflow_view *subflows;

	if (!c)
		return -ENOENT;
	subflows = calloc(c->nr_flows + 1u, sizeof(*subflows));
	if (!subflows)
		return -ENOMEM;
	view(e, c, out);
	for (size_t i = 0; c->past && i < c->past->nr_resets; i++)
		out->resets[out->nr_resets++] = view_reset(&c->past->resets[i]);
	for (size_t i = 0; i < c->nr_flows; i++)
		subflows[i] = view_flow(&c->flows[i]);
	out->subflows = subflows;
	out->nr_subflows = c->nr_flows;
	return 0;
}

void pm_engine_explain(const struct pm_engine *e, const struct pm_socket_pair *at,
		       enum pm_role role, const struct pm_identity *identity,
		       struct pm_connection_view *out)
{
	struct conn c = { .bits = CONN_IDENTIFIED, .due_ms = UINT64_MAX };

	engine_fill_conn(&c, at, role);
	c.bits |= e->kind == POLICY_ENGINE_USERSPACE ? CONN_OURS : 0;
	if (identity) {
		c.uid = identity->uid;
		c.user = identity->user;
		c.cgroup = identity->cgroup;
	}
	engine_match(e, &c);
	view(e, &c, out);
}

enum pm_wanted pm_engine_wanted(const struct pm_engine *e, unsigned int path)
{
	enum pm_wanted wanted[PM_SOURCES_MAX], most = PM_WANT_NONE;

	for (int v4 = 0; v4 <= 1; v4++) {
		struct conn any = any_connection(e, v4);

		wanted_of(e, &any, wanted);
		for (size_t i = 0; i < e->nr_sources; i++)
			if (e->sources[i].path == path && wanted[i] > most)
				most = wanted[i];
	}
	return most;
}

void engine_tell_endpoints(struct pm_engine *e)
{
	for (unsigned int path = 0; path < e->policy->nr_paths; path++) {
		enum pm_wanted now = pm_engine_wanted(e, path);
		struct pm_decision *d;

		if (now == e->endpoints[path] && !e->endpoints_untold)
			continue;
		d = engine_decide(e, PM_DECIDE_ENDPOINTS, 0);
		if (!d)
			return;
		d->path = path;
		engine_say(d->reason, "%s: %s is %s now",
			   engine_mode(e, e->policy->mode_index)->name, e->policy->paths[path].name,
			   now == PM_WANT_NONE ? "not needed" : pm_wanted_name(now));
		e->endpoints[path] = now;
	}
	e->endpoints_untold = false;
}
