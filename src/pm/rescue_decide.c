// SPDX-License-Identifier: GPL-2.0-only
/* What to do about rescued connections; pure, see rescue.h. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>

#include "pm/rescue.h"
#include "pm/rescue_settings.h"

#define NS_PER_MS 1000000u

struct decision {
	struct pm_rescue_memory *m;
	const struct pm_rescue_view *v;
	uint64_t now_ms;
	struct pm_rescue_action *out;
	size_t nr, max;
};

static bool same_address(const struct pm_address *a, const struct pm_address *b)
{
	struct rescue_address x, y;

	pm_rescue_address(a, &x);
	pm_rescue_address(b, &y);
	return memcmp(&x, &y, sizeof(x)) == 0;
}

static bool is_at(const struct pm_socket_pair *s, const struct rescue_tuple *at)
{
	struct pm_address local, remote;

	pm_rescue_address_back(&at->local, &local);
	pm_rescue_address_back(&at->remote, &remote);
	return s->local_port == ntohs(at->local_port) && s->remote_port == ntohs(at->remote_port) &&
	       same_address(&s->local, &local) && same_address(&s->remote, &remote);
}

static const struct pm_subflow *subflow_at(const struct pm_rescue_view *v,
					   const struct rescue_tuple *at)
{
	for (size_t i = 0; i < v->conns->nr_subflows; i++) {
		if (is_at(&v->conns->subflows[i].at, at))
			return &v->conns->subflows[i];
	}
	return NULL;
}

static const struct pm_connection *connection_of(const struct pm_rescue_view *v, uint32_t token)
{
	for (size_t i = 0; i < v->conns->nr; i++) {
		if (v->conns->items[i].token == token)
			return &v->conns->items[i];
	}
	return NULL;
}

/* An established subflow of the connection from this address. */
static bool has_subflow(const struct pm_connection *c, const struct pm_address *from)
{
	for (size_t i = 0; i < c->nr_subflows; i++) {
		if (c->subflows[i].state == TCP_ESTABLISHED &&
		    same_address(&c->subflows[i].at.local, from))
			return true;
	}
	return false;
}

static struct pm_rescue_one *remember(struct pm_rescue_memory *m, uint32_t token)
{
	for (size_t i = 0; i < m->nr; i++) {
		if (m->items[i].token == token)
			return &m->items[i];
	}
	if (m->nr == PM_RESCUE_MAX)
		return NULL;
	m->items[m->nr] = (struct pm_rescue_one){ .token = token };
	return &m->items[m->nr++];
}

static struct pm_rescue_action *add(struct decision *d, enum pm_rescue_kind kind, uint32_t token)
{
	struct pm_rescue_action *a;

	if (d->nr == d->max)
		return NULL;
	a = &d->out[d->nr++];
	*a = (struct pm_rescue_action){ .kind = kind, .token = token };
	return a;
}

static void wait_longer(struct pm_rescue_one *one, uint64_t now_ms)
{
	uint64_t wait = PM_RESCUE_QUICK_MS;

	one->tries++;
	for (unsigned int i = PM_RESCUE_QUICK; i < one->tries && wait < PM_RESCUE_SLOW_MS; i++)
		wait *= 2;
	one->next_ms = now_ms + (wait < PM_RESCUE_SLOW_MS ? wait : PM_RESCUE_SLOW_MS);
}

static void look_at_ridden(struct decision *d, const struct loader_rescue_flow *f,
			   const struct pm_subflow *s)
{
	const struct rescue_route *route = &f->flow.routes[f->flow.winner - 1];
	const struct pm_connection *c = s->token ? connection_of(d->v, s->token) : NULL;
	struct pm_address alias, first;
	struct pm_rescue_action *a;
	struct pm_rescue_one *one;

	/* Plain TCP has this one subflow only. */
	if (!c || c->fallback)
		return;
	one = remember(d->m, s->token);
	if (!one)
		return;
	pm_rescue_address_back(&f->at.local, &first);
	pm_rescue_address_back(&route->address, &alias);
	one->first = first;
	one->first_ifindex = (int)f->flow.ifindex;
	/* One that was asked for need not be waited for any longer than it takes. */
	if (d->now_ms < one->next_ms && (one->closed || !has_subflow(c, &alias)))
		return;
	if (has_subflow(c, &alias)) {
		a = add(d, PM_RESCUE_CLOSE, s->token);
		if (a)
			a->flow = *f;
		one->closed = a != NULL;
		one->tries = 0;
		/* It is told again should it fail, and the first path is tried when it does not. */
		one->next_ms = d->now_ms + PM_RESCUE_BUSY_MS;
		return;
	}
	if (!d->v->userspace)
		return;
	a = add(d, PM_RESCUE_JOIN, s->token);
	if (!a)
		return;
	a->local = alias;
	a->ifindex = (int)route->ifindex;
	wait_longer(one, d->now_ms);
}

static bool is_rescued(const struct pm_rescue_memory *m, uint32_t token)
{
	for (size_t i = 0; i < m->nr; i++) {
		if (m->items[i].token == token)
			return true;
	}
	return false;
}

/* Would deleting its endpoint close a subflow? Those that only try to reach the peer are ours. */
static bool is_used(const struct decision *d, const struct pm_address *address)
{
	for (size_t i = 0; i < d->v->conns->nr_subflows; i++) {
		const struct pm_subflow *s = &d->v->conns->subflows[i];

		if (same_address(&s->at.local, address) &&
		    !(s->state == TCP_SYN_SENT && is_rescued(d->m, s->token)))
			return true;
	}
	return false;
}

static const struct pm_endpoint *endpoint_of(const struct pm_rescue_view *v,
					     const struct pm_address *address)
{
	for (size_t i = 0; i < v->nr_endpoints; i++) {
		if ((v->endpoints[i].flags & PM_FLAG_SUBFLOW) &&
		    same_address(&v->endpoints[i].address, address))
			return &v->endpoints[i];
	}
	return NULL;
}

/* The first path of one whose first subflow is closed. */
static void look_at_first_path(struct decision *d, struct pm_rescue_one *one)
{
	const struct pm_endpoint *ep = endpoint_of(d->v, &one->first);
	struct pm_rescue_action *a;

	if (d->now_ms < one->next_ms || (!d->v->userspace && (!ep || is_used(d, &one->first))))
		return;
	a = add(d, d->v->userspace ? PM_RESCUE_JOIN : PM_RESCUE_RENEW, one->token);
	if (!a)
		return;
	a->local = one->first;
	a->ifindex = one->first_ifindex;
	if (ep)
		a->endpoint = *ep;
	wait_longer(one, d->now_ms);
	/* The endpoint is one for all of them. */
	for (size_t i = 0; i < d->m->nr; i++) {
		if (!d->v->userspace && same_address(&d->m->items[i].first, &one->first))
			d->m->items[i].next_ms = one->next_ms;
	}
}

/* Gone, or on its first path again, unless that is up to others; not by the subflow that is about
 * to be closed. */
static bool is_done(const struct decision *d, const struct pm_rescue_one *one)
{
	const struct pm_connection *c = connection_of(d->v, one->token);

	return !c || (one->closed && d->now_ms >= one->next_ms &&
		      (d->v->engine || has_subflow(c, &one->first)));
}

static bool is_old(const struct pm_rescue_view *v, const struct rescue_flow *f)
{
	return v->now_ns > f->used_ns && (v->now_ns - f->used_ns) / NS_PER_MS > PM_RESCUE_FORGET_MS;
}

size_t pm_rescue_decide(struct pm_rescue_memory *m, const struct pm_rescue_view *v, uint64_t now_ms,
			struct pm_rescue_action *out, size_t max)
{
	struct decision d = { .m = m, .v = v, .now_ms = now_ms, .out = out, .max = max };

	for (size_t i = 0; i < v->nr_flows; i++) {
		const struct loader_rescue_flow *f = &v->flows[i];
		const struct pm_subflow *s = subflow_at(v, &f->at);
		struct pm_rescue_action *a;

		if (s && loader_rescue_rides(&f->flow))
			look_at_ridden(&d, f, s);
		else if (!s && is_old(v, &f->flow) && (a = add(&d, PM_RESCUE_FORGET, 0)))
			a->flow = *f;
	}
	for (size_t i = m->nr; i > 0; i--) {
		if (is_done(&d, &m->items[i - 1]))
			m->items[i - 1] = m->items[--m->nr];
		else if (m->items[i - 1].closed)
			look_at_first_path(&d, &m->items[i - 1]);
	}
	return d.nr;
}
