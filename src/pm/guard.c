// SPDX-License-Identifier: GPL-2.0-only
/* What is guarded on each interface; see guard.h. */
#include "pm/guard.h"
#include "pm/path.h"

#include <errno.h>
#include <string.h>

static uint8_t prio_of(enum policy_guard_prio action)
{
	switch (action) {
	case POLICY_GUARD_PRIO_ACCEPT:
		return MPTCP_GUARD_PRIO_ACCEPT;
	case POLICY_GUARD_PRIO_IGNORE_BACKUP:
		return MPTCP_GUARD_PRIO_IGNORE_BACKUP;
	case POLICY_GUARD_PRIO_IGNORE_ALL:
		return MPTCP_GUARD_PRIO_IGNORE_ALL;
	case POLICY_GUARD_PRIO_RATE:
		return MPTCP_GUARD_PRIO_RATE;
	case POLICY_GUARD_PRIO_NEVER_EMPTY:
		return MPTCP_GUARD_PRIO_NEVER_EMPTY;
	}
	return MPTCP_GUARD_PRIO_ACCEPT;
}

static uint8_t remove_of(enum policy_guard_remove action)
{
	switch (action) {
	case POLICY_GUARD_REMOVE_ACCEPT:
		return MPTCP_GUARD_REMOVE_ACCEPT;
	case POLICY_GUARD_REMOVE_PROBE:
		return MPTCP_GUARD_REMOVE_PROBE;
	case POLICY_GUARD_REMOVE_IGNORE:
		return MPTCP_GUARD_REMOVE_IGNORE;
	}
	return MPTCP_GUARD_REMOVE_ACCEPT;
}

static void add_prefixes(const struct policy_destination *a, struct mptcp_guard_config *c)
{
	for (size_t i = 0; i < a->port.nr || i == 0; i++) {
		struct mptcp_guard_prefix *p = &c->prefixes[c->nr_prefixes];

		if (c->nr_prefixes == MPTCP_GUARD_PREFIXES)
			return; /* the parser takes no more */
		memcpy(p->address, a->prefix.address, sizeof(p->address));
		p->bits = a->prefix.bits;
		if (a->port.nr) {
			p->port_first = a->port.ranges[i].first;
			p->port_last = a->port.ranges[i].last;
		}
		c->nr_prefixes++;
	}
}
_Static_assert(MPTCP_GUARD_PREFIXES == POLICY_GUARD_LIST_MAX, "room for every address");

static struct mptcp_guard_config config_of(const struct policy_guard *g, enum policy_trust trust)
{
	struct mptcp_guard_config c = { 0 };

	if (policy_guard_applies(g->mp_prio.below, trust)) {
		c.prio = prio_of(g->mp_prio.action);
		c.prio_per_minute = g->mp_prio.per_minute;
	}
	if (policy_guard_applies(g->rm_addr.below, trust))
		c.remove = remove_of(g->rm_addr.action);
	c.join_per_minute = g->joins_per_minute;
	for (size_t i = 0; i < g->nr_add_addr; i++)
		add_prefixes(&g->add_addr[i], &c);
	return c;
}

static bool guards_nothing(const struct mptcp_guard_config *c)
{
	return c->prio == MPTCP_GUARD_PRIO_ACCEPT && c->remove == MPTCP_GUARD_REMOVE_ACCEPT &&
	       !c->join_per_minute && !c->nr_prefixes;
}

int pm_guard_make(const struct policy *policy, const struct pm_interface *interfaces, size_t nr,
		  struct pm_guard out[MPTCP_GUARD_IFS], size_t *nr_out, struct error *e)
{
	size_t n = 0;

	*nr_out = 0;
	for (size_t i = 0; policy && policy->guard.set && i < nr; i++) {
		const struct policy_path *path = pm_path_of(policy, &interfaces[i]);
		struct mptcp_guard_config config;

		if (!path)
			continue;
		config = config_of(&policy->guard, path->trust);
		if (guards_nothing(&config))
			continue;
		if (n == MPTCP_GUARD_IFS)
			return error_set(e, -E2BIG,
					 "more than %d interfaces belong to paths that are guarded",
					 MPTCP_GUARD_IFS);
		memset(&out[n], 0, sizeof(out[n]));
		out[n].ifindex = (uint32_t)interfaces[i].ifindex;
		memcpy(out[n].name, interfaces[i].name, sizeof(out[n].name));
		out[n++].config = config;
	}
	*nr_out = n;
	return 0;
}

static const char *prio_name(uint8_t prio)
{
	switch ((enum mptcp_guard_prio)prio) {
	case MPTCP_GUARD_PRIO_ACCEPT:
		return "accept";
	case MPTCP_GUARD_PRIO_IGNORE_BACKUP:
		return "ignore-backup";
	case MPTCP_GUARD_PRIO_IGNORE_ALL:
		return "ignore-all";
	case MPTCP_GUARD_PRIO_RATE:
		return "rate";
	case MPTCP_GUARD_PRIO_NEVER_EMPTY:
		return "never-empty";
	}
	return "?";
}

static const char *remove_name(uint8_t action)
{
	switch ((enum mptcp_guard_remove)action) {
	case MPTCP_GUARD_REMOVE_ACCEPT:
		return "accept";
	case MPTCP_GUARD_REMOVE_PROBE:
		return "probe";
	case MPTCP_GUARD_REMOVE_IGNORE:
		return "ignore";
	}
	return "?";
}

void pm_guard_describe(const struct pm_guard *g, char *out, size_t size)
{
	const struct mptcp_guard_config *c = &g->config;
	char prio[64], add[32] = "", join[32] = "", name[IF_NAMESIZE];

	snprintf(prio, sizeof(prio), "mp-prio %s", prio_name(c->prio));
	if (c->prio == MPTCP_GUARD_PRIO_RATE)
		snprintf(prio, sizeof(prio), "mp-prio %u/min", c->prio_per_minute);
	if (c->nr_prefixes)
		snprintf(add, sizeof(add), ", add-addr %u listed", c->nr_prefixes);
	if (c->join_per_minute)
		snprintf(join, sizeof(join), ", joins %u/min", c->join_per_minute);
	snprintf(name, sizeof(name), "if%u", g->ifindex);
	snprintf(out, size, "guard %s: %s, rm-addr %s%s%s", g->name[0] ? g->name : name, prio,
		 remove_name(c->remove), add, join);
}

const char *pm_guard_what_name(uint8_t what)
{
	switch ((enum mptcp_guard_what)what) {
	case MPTCP_GUARD_PRIO:
		return "mp-prio";
	case MPTCP_GUARD_REMOVE:
		return "rm-addr";
	case MPTCP_GUARD_ADD_ADDR:
		return "add-addr";
	case MPTCP_GUARD_JOIN:
		return "join";
	}
	return NULL;
}

const char *pm_guard_why_name(uint8_t why)
{
	switch ((enum mptcp_guard_why)why) {
	case MPTCP_GUARD_BY_RULE:
		return "the policy ignores it";
	case MPTCP_GUARD_RATE:
		return "too many";
	case MPTCP_GUARD_LAST:
		return "no other subflow would be left that is not a backup";
	case MPTCP_GUARD_ALIVE:
		return "its path is alive";
	case MPTCP_GUARD_QUIET:
		return "its path shows no sign of being dead";
	case MPTCP_GUARD_UNLISTED:
		return "not in the policy's list";
	}
	return NULL;
}
