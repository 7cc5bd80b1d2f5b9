// SPDX-License-Identifier: GPL-2.0-only
/* Where a subflow may go to and come from. */
#include "pm/engine_internal.h"

#include <string.h>

#define SUBFLOWS_DEFAULT 2 /* the kernel's own limit, where the policy sets none */

unsigned int engine_use(const struct pm_engine *e, uint8_t source)
{
	unsigned int use = e->policy->paths[e->sources[source].path].use;

	return use & (POLICY_ENDPOINT_SIGNAL | POLICY_ENDPOINT_SUBFLOW)
		       ? use
		       : use | POLICY_ENDPOINT_SUBFLOW;
}

/* What is on this host or link is not reached from elsewhere. */
static bool is_near(const struct pm_engine *e, const uint8_t a[16])
{
	struct pm_address x = engine_unpack(a);
	uint8_t own;

	if (x.family == AF_INET && (a[12] == 127 || (a[12] == 169 && a[13] == 254)))
		return true;
	if (x.family == AF_INET6 && (IN6_IS_ADDR_LOOPBACK(&x.v6) || IN6_IS_ADDR_LINKLOCAL(&x.v6)))
		return true;
	own = engine_source_of(e, a);
	return own != NO_SOURCE && e->sources[own].present;
}

/* With another family than the source has, only through a NAT64. */
static size_t add_target(const struct pm_engine *e, uint8_t source, const struct target *t,
			 bool native, struct target out[PEERS_MAX + 1], size_t nr)
{
	bool same = engine_is_v4(t->address) == engine_is_v4(e->sources[source].address);

	if (same != native || is_near(e, t->address))
		return nr;
	out[nr] = *t;
	memcpy(out[nr].announced, t->address, 16);
	if (!native &&
	    (!engine_is_v4(t->address) || !engine_nat64_to(e, source, t->address, out[nr].address)))
		return nr;
	return nr + 1;
}

size_t engine_targets(const struct pm_engine *e, const struct conn *c, uint8_t source,
		      struct target out[PEERS_MAX + 1])
{
	bool v4 = engine_is_v4(e->sources[source].address);
	size_t nr = 0;

	if (!(engine_use(e, source) & POLICY_ENDPOINT_SUBFLOW) ||
	    (!v4 && (c->bits & CONN_V4_SOCKET)))
		return 0;
	for (int native = 1; native >= 0; native--) {
		struct target t = { .port = c->remote_port };

		memcpy(t.address, c->remote, 16);
		if (!(c->bits & CONN_DENY_ID0))
			nr = add_target(e, source, &t, native, out, nr);
		for (size_t i = 0; i < c->nr_peers; i++) {
			const struct peer *p = &c->peers[i];

			t.port = p->port ? p->port : c->remote_port;
			t.id = p->id;
			memcpy(t.address, p->address, 16);
			nr = add_target(e, source, &t, native, out, nr);
		}
	}
	return nr;
}

uint32_t engine_subflows_max(const struct pm_engine *e)
{
	return 1 + (e->policy->limits.set ? e->policy->limits.subflows : SUBFLOWS_DEFAULT);
}

uint8_t engine_local_id(const struct pm_engine *e, const struct conn *c, uint8_t source)
{
	const struct source *s = &e->sources[source];

	if (memcmp(s->address, c->local, 16) == 0)
		return 0;
	/* One that a person opened, or an earlier run of the daemon. */
	for (size_t i = 0; i < c->nr_flows; i++)
		if (memcmp(c->flows[i].local, s->address, 16) == 0)
			return c->flows[i].local_id;
	return s->id;
}
