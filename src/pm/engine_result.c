// SPDX-License-Identifier: GPL-2.0-only
/* How requests ended. */
#include "pm/engine_internal.h"

#include <errno.h>
#include <string.h>

#define TOO_EARLY_MS 200  /* the peer has not shown yet that it speaks MPTCP */
#define YOUNG_MS     2000 /* and after so long it will not */
#define AGAIN_MS     1000

static void flow_of(const struct pm_engine *e, const struct pm_request *r, struct flow *out)
{
	struct pm_socket_pair at = { .local = r->local.address,
				     .remote = r->remote.address,
				     .local_port = r->local.port,
				     .remote_port = r->remote.port };

	engine_fill_flow(e, out, &at);
}

static struct flow *find(struct pm_engine *e, struct conn *c, const struct pm_request *r)
{
	struct flow like;

	flow_of(e, r, &like);
	return engine_find_flow(c, &like);
}

static void take_back(struct pm_engine *e, struct conn *c, const struct pm_request *r)
{
	struct flow *f = r->kind == PM_ANNOUNCE || r->kind == PM_WITHDRAW ? NULL : find(e, c, r);
	struct flow address;

	switch (r->kind) {
	case PM_SUBFLOW_ADD:
		if (f && !(f->bits & FLOW_ESTABLISHED))
			engine_drop_flow(e, c, f);
		break;
	case PM_SUBFLOW_DELETE:
		if (f)
			f->bits &= (uint8_t)~FLOW_DELETING;
		break;
	case PM_SUBFLOW_BACKUP:
		if (f)
			f->bits = (uint8_t)((f->bits & ~FLOW_BACKUP) |
					    (r->local.flags & PM_FLAG_BACKUP ? 0 : FLOW_BACKUP));
		break;
	case PM_ANNOUNCE:
		flow_of(e, r, &address);
		if (address.source != NO_SOURCE)
			c->announced &= ~(1ull << address.source);
		break;
	case PM_WITHDRAW:
		break;
	}
}

void engine_undo(struct pm_engine *e, const struct pm_decision *d)
{
	struct conn *c = engine_find(e, d->token);

	if (d->kind == PM_DECIDE_RESYNC)
		e->resync_due = true;
	if (d->kind == PM_DECIDE_ENDPOINTS)
		e->endpoints_untold = true;
	if (!c)
		return;
	if (d->kind == PM_DECIDE_IDENTIFY)
		c->bits &= (uint16_t)~CONN_ASKED;
	if (d->kind != PM_DECIDE_REQUEST)
		return;
	take_back(e, c, &d->request);
	for (size_t i = 0; i < c->nr_flows && d->request.kind == PM_WITHDRAW; i++)
		if (c->flows[i].local_id == d->request.local.id)
			c->flows[i].bits &= (uint8_t)~FLOW_WITHDRAWN;
}

/* The kernel says so of a connection that is not the userspace path manager's; once it has taken a
 * request, it means something else. */
static bool is_foreign(const struct conn *c, const struct pm_request *r, int rc)
{
	return rc == -EINVAL && !(c->bits & CONN_VOUCHED) && r->kind != PM_WITHDRAW;
}

static void disown(struct pm_engine *e, struct conn *c)
{
	c->bits &= (uint16_t)~CONN_OURS;
	for (size_t i = c->nr_flows; i-- > 0;) {
		c->flows[i].bits &= (uint8_t)~FLOW_DELETING;
		if (!c->flows[i].local_port)
			engine_drop_flow(e, c, &c->flows[i]);
	}
	c->announced = 0;
	engine_set_reason(e, c, "the kernel's own path manager has it");
	engine_set_due(e, c, UINT64_MAX);
}

static void fail(struct pm_engine *e, struct conn *c, const struct pm_request *r, int rc)
{
	uint64_t due_ms = e->now;
	struct flow f;

	flow_of(e, r, &f);
	take_back(e, c, r);
	switch (r->kind) {
	case PM_SUBFLOW_ADD:
		if (rc == -ENOTCONN && c->born_ms && e->now - c->born_ms < YOUNG_MS)
			engine_postpone(e, c, &f, TOO_EARLY_MS);
		else
			engine_failed(e, c, &f, false);
		break;
	case PM_SUBFLOW_BACKUP:
		engine_postpone(e, c, &f, AGAIN_MS);
		break;
	case PM_ANNOUNCE:
		engine_failed(e, c, &f, false);
		break;
	case PM_SUBFLOW_DELETE:
		if (rc == -ESRCH || rc == -ENOENT) {
			struct flow *gone = find(e, c, r);

			if (gone)
				engine_drop_flow(e, c, gone);
		}
		due_ms += AGAIN_MS;
		break;
	case PM_WITHDRAW: /* nothing was announced by that id */
		return;
	}
	engine_set_due(e, c, due_ms);
}

void pm_engine_result(struct pm_engine *e, const struct pm_decision *d, int rc, uint64_t now_ms)
{
	struct conn *c = d->kind == PM_DECIDE_REQUEST ? engine_find(e, d->token) : NULL;

	e->now = now_ms;
	e->no_memory = false;
	if (!c)
		return;
	if (rc == 0)
		c->bits |= CONN_VOUCHED;
	else if (is_foreign(c, &d->request, rc))
		disown(e, c);
	else
		fail(e, c, &d->request, rc);
	e->look_at_all |= e->no_memory;
}
