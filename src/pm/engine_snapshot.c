// SPDX-License-Identifier: GPL-2.0-only
/* All connections as the kernel has them: at the start, after lost events, and as samples. */
#include "pm/engine_internal.h"

#include <netinet/tcp.h>
#include <string.h>

#define ASKED_MS 1000 /* a join may be on its way to the kernel for so long */

/* Is the subflow one to reckon with? */
static bool is_up_or_coming(const struct pm_subflow *s)
{
	return s->state == TCP_ESTABLISHED || s->state == TCP_SYN_SENT;
}

static uint8_t bits_of(const struct pm_subflow *s)
{
	return (uint8_t)((s->state == TCP_ESTABLISHED ? FLOW_ESTABLISHED : 0) |
			 (s->flags & PM_SUBFLOW_BACKUP_LOCAL ? FLOW_BACKUP : 0) |
			 (s->flags & PM_SUBFLOW_BACKUP_REMOTE ? FLOW_PEER_BACKUP : 0));
}

/* True when it was not known like that. */
static bool take_subflow(struct pm_engine *e, struct conn *c, const struct pm_subflow *s)
{
	const uint8_t told = FLOW_ESTABLISHED | FLOW_BACKUP | FLOW_PEER_BACKUP;
	struct flow f, *known;
	uint8_t before;
	bool changed;

	engine_fill_flow(e, &f, &s->at);
	f.local_id = s->local_id;
	f.remote_id = s->remote_id;
	f.bits |= bits_of(s) | FLOW_SEEN;
	f.unplugged = s->device_gone;
	known = engine_find_flow(c, &f);
	if (!known)
		return engine_add_flow(e, c, &f);
	changed = known->unplugged != f.unplugged;
	known->unplugged = f.unplugged;
	before = known->bits;
	known->local_port = f.local_port;
	known->local_id = f.local_id;
	known->bits = (uint8_t)((before & ~told) | f.bits);
	if (!(before & FLOW_ESTABLISHED) && (f.bits & FLOW_ESTABLISHED)) {
		uint32_t waited_ms = (uint32_t)e->now - known->since_ms;

		known->since_ms = (uint32_t)e->now;
		engine_worked(e, known, waited_ms);
	}
	return changed || ((before ^ known->bits) & told);
}

/* Those that the kernel does not have (any more). */
static bool drop_unseen(struct pm_engine *e, struct conn *c)
{
	bool changed = false;

	for (size_t i = c->nr_flows; i-- > 0;) {
		struct flow lost = c->flows[i];

		c->flows[i].bits &= (uint8_t)~FLOW_SEEN;
		if ((lost.bits & FLOW_SEEN) ||
		    (!lost.local_port && (uint32_t)e->now - lost.since_ms < ASKED_MS))
			continue;
		engine_drop_flow(e, c, &c->flows[i]);
		changed = true;
		if (!(lost.bits & FLOW_DELETING) && !lost.overtaken && c->role == PM_ROLE_CLIENT)
			engine_failed(e, c, &lost, lost.bits & FLOW_ESTABLISHED);
	}
	return changed;
}

static void take_connection(struct pm_engine *e, const struct pm_connection *told)
{
	struct conn *c = engine_find(e, told->token);
	bool changed = !c || e->look_at_all;

	if (!c) {
		c = engine_add_conn(e, told->token);
		if (!c)
			return;
		engine_fill_conn(c, &told->at, told->role);
	}
	if (c->role == PM_ROLE_UNKNOWN)
		c->role = (uint8_t)told->role;
	c->bits |= CONN_SEEN;
	c->bits &= (uint16_t)~CONN_FORGOT;
	c->moved_bytes = told->sent_bytes + told->received_bytes;
	changed |= !(c->bits & CONN_ESTABLISHED) && told->state == TCP_ESTABLISHED;
	c->bits &= (uint16_t)~CONN_ESTABLISHED;
	if (told->state == TCP_ESTABLISHED || told->state == TCP_CLOSE_WAIT)
		c->bits |= CONN_ESTABLISHED;
	for (size_t i = 0; i < told->nr_subflows; i++)
		if (is_up_or_coming(&told->subflows[i]))
			changed |= take_subflow(e, c, &told->subflows[i]);
	changed |= drop_unseen(e, c);
	if (changed || (c->bits & CONN_MEASURED))
		engine_evaluate(e, c);
}

static void drop_unseen_conn(struct pm_engine *e, struct conn *c)
{
	if (!(c->bits & CONN_SEEN))
		engine_drop_conn(e, c);
	else
		c->bits &= (uint16_t)~CONN_SEEN;
}

void engine_snapshot(struct pm_engine *e, const struct pm_connections *all)
{
	for (size_t i = 0; i < all->nr; i++)
		if (all->items[i].token && !all->items[i].fallback)
			take_connection(e, &all->items[i]);
	engine_each(e, drop_unseen_conn);
	if (!e->no_memory)
		e->look_at_all = false;
	e->resync_due = false;
}
