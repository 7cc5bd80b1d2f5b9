// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel told about one connection. */
#include "pm/engine_internal.h"

#include <linux/mptcp.h>
#include <stdlib.h>
#include <string.h>

void engine_fill_conn(struct conn *c, const struct pm_socket_pair *at, enum pm_role role)
{
	engine_pack(&at->local, c->local);
	engine_pack(&at->remote, c->remote);
	c->local_port = at->local_port;
	c->remote_port = at->remote_port;
	c->role = (uint8_t)role;
	c->bits &= (uint16_t)~CONN_V4_SOCKET;
	if (at->remote.family == AF_INET)
		c->bits |= CONN_V4_SOCKET;
}

void engine_fill_flow(const struct pm_engine *e, struct flow *f, const struct pm_socket_pair *at)
{
	*f = (struct flow){ .local_port = at->local_port,
			    .remote_port = at->remote_port,
			    .bits = at->remote.family == AF_INET6 ? FLOW_V6_SOCKET : 0,
			    .since_ms = (uint32_t)e->now };
	engine_pack(&at->local, f->local);
	engine_pack(&at->remote, f->remote);
	f->source = engine_source_of(e, f->local);
}

static bool is_same(const struct conn *c, const struct pm_socket_pair *at)
{
	uint8_t local[16], remote[16];

	engine_pack(&at->local, local);
	engine_pack(&at->remote, remote);
	return c->local_port == at->local_port && c->remote_port == at->remote_port &&
	       memcmp(c->local, local, 16) == 0 && memcmp(c->remote, remote, 16) == 0;
}

static struct conn *begin(struct pm_engine *e, const struct pm_event *ev)
{
	struct conn *c = engine_find(e, ev->token);
	bool server = ev->server_side || (ev->flags & PM_EVENT_FLAG_SERVER_SIDE);
	struct flow first;

	if (c && ev->type == PM_EVENT_CREATED && !is_same(c, &ev->at)) {
		engine_drop_conn(e, c); /* that it was closed was not heard */
		c = NULL;
	}
	if (c)
		return c;
	c = engine_add_conn(e, ev->token);
	if (!c)
		return NULL;
	engine_fill_conn(c, &ev->at, server ? PM_ROLE_SERVER : PM_ROLE_CLIENT);
	c->born_ms = e->now;
	engine_fill_flow(e, &first, &ev->at);
	first.bits |= FLOW_ESTABLISHED;
	engine_add_flow(e, c, &first);
	return c;
}

static void on_begin(struct pm_engine *e, const struct pm_event *ev)
{
	struct conn *c = begin(e, ev);

	if (!c)
		return;
	if (ev->flags & PM_EVENT_FLAG_DENY_JOIN_ID0)
		c->bits |= CONN_DENY_ID0;
	if (ev->type == PM_EVENT_ESTABLISHED)
		c->bits |= CONN_ESTABLISHED;
	engine_evaluate(e, c);
}

static void on_announced(struct pm_engine *e, struct conn *c, const struct pm_event *ev)
{
	struct peer p = { .port = ev->at.remote_port, .id = ev->remote_id }, *bigger;

	engine_pack(&ev->at.remote, p.address);
	for (size_t i = 0; i < c->nr_peers; i++) {
		if (c->peers[i].id == p.id) {
			c->peers[i] = p;
			return;
		}
	}
	/* Who announces more than that gets the first ones used. */
	if (c->nr_peers == PEERS_MAX || !p.id)
		return;
	bigger = reallocarray(c->peers, c->nr_peers + 1u, sizeof(*bigger));
	if (!bigger) {
		e->no_memory = true;
		return;
	}
	c->peers = bigger;
	c->peers[c->nr_peers++] = p;
}

static void on_removed(struct conn *c, const struct pm_event *ev)
{
	size_t i = 0;

	while (i < c->nr_peers && c->peers[i].id != ev->remote_id)
		i++;
	if (i == c->nr_peers)
		return;
	c->nr_peers--;
	memmove(&c->peers[i], &c->peers[i + 1], (c->nr_peers - i) * sizeof(c->peers[0]));
}

static void on_sub_established(struct pm_engine *e, struct conn *c, const struct pm_event *ev)
{
	struct flow told, *f;

	engine_fill_flow(e, &told, &ev->at);
	told.local_id = ev->local_id;
	told.remote_id = ev->remote_id;
	told.bits |= FLOW_ESTABLISHED | (ev->backup ? FLOW_PEER_BACKUP : 0);
	f = engine_find_flow(c, &told);
	if (f && (f->bits & FLOW_ESTABLISHED))
		return;
	/* One made by a person, or a join that was given up and comes after all: nobody says with
	 * which priority, and only what is known to carry data makes up for another. */
	if (c->role == PM_ROLE_CLIENT && (!f || (c->bits & CONN_FORGOT)))
		told.bits |= FLOW_BACKUP;
	if (f) {
		told.bits |= f->bits & (FLOW_BACKUP | FLOW_DELETING);
		told.source = f->source;
		told.astray = f->astray;
		*f = told;
	} else {
		engine_add_flow(e, c, &told);
	}
	engine_worked(e, &told);
}

static void on_sub_closed(struct pm_engine *e, struct conn *c, const struct pm_event *ev)
{
	struct flow told, *f;

	engine_fill_flow(e, &told, &ev->at);
	f = engine_find_flow(c, &told);
	if (!f)
		return;
	told = *f;
	engine_drop_flow(e, c, f);
	if (told.bits & FLOW_DELETING)
		return;
	if (c->role == PM_ROLE_CLIENT)
		engine_failed(e, c, &told, told.bits & FLOW_ESTABLISHED);
	if (pm_event_has(ev, MPTCP_ATTR_RESET_REASON))
		engine_reset_heard(e, c, &told, ev->reset_reason,
				   ev->reset_flags & PM_RESET_FLAG_TRANSIENT);
}

static void on_priority(struct pm_engine *e, struct conn *c, const struct pm_event *ev)
{
	struct flow told, *f;

	engine_fill_flow(e, &told, &ev->at);
	f = engine_find_flow(c, &told);
	if (!f)
		return;
	f->bits &= (uint8_t)~FLOW_PEER_BACKUP;
	if (ev->backup)
		f->bits |= FLOW_PEER_BACKUP;
}

/* Is it worth looking at the connection again? */
static bool take(struct pm_engine *e, struct conn *c, const struct pm_event *ev)
{
	switch (ev->type) {
	case PM_EVENT_ANNOUNCED:
		on_announced(e, c, ev);
		return true;
	case PM_EVENT_REMOVED:
		on_removed(c, ev);
		return true;
	case PM_EVENT_SUB_ESTABLISHED:
		on_sub_established(e, c, ev);
		return true;
	case PM_EVENT_SUB_CLOSED:
		on_sub_closed(e, c, ev);
		return true;
	case PM_EVENT_SUB_PRIORITY:
		on_priority(e, c, ev);
		return true;
	default: /* listeners, and what a newer kernel tells */
		return false;
	}
}

void engine_event(struct pm_engine *e, const struct pm_event *ev)
{
	struct conn *c;

	if (!ev->token)
		return;
	if (ev->type == PM_EVENT_CREATED || ev->type == PM_EVENT_ESTABLISHED) {
		on_begin(e, ev);
		return;
	}
	c = engine_find(e, ev->token);
	if (c && ev->type == PM_EVENT_CLOSED)
		engine_drop_conn(e, c);
	else if (c && take(e, c, ev))
		engine_evaluate(e, c);
	else if (!c && (ev->type == PM_EVENT_SUB_ESTABLISHED || ev->type == PM_EVENT_ANNOUNCED))
		engine_resync(e, "an event of a connection that is not known");
}

void engine_identity(struct pm_engine *e, const struct pm_identity *identity)
{
	struct conn *c = engine_find(e, identity->token);

	if (!c)
		return;
	engine_release(e, &c->cgroup);
	engine_release(e, &c->user);
	c->uid = identity->uid;
	c->cgroup = engine_intern(e, identity->cgroup);
	c->user = engine_intern(e, identity->user);
	c->bits |= CONN_IDENTIFIED;
	c->bits &= (uint16_t) ~(CONN_ASKED | CONN_MATCHED);
	engine_evaluate(e, c);
}
