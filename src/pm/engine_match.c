// SPDX-License-Identifier: GPL-2.0-only
/* Which rule a connection has: the first whose conditions all hold. */
#include "pm/engine_internal.h"

#include <stdio.h>
#include <string.h>

enum answer { NO, YES, UNKNOWN };

static bool in_ports(const struct policy_ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->nr; i++)
		if (port >= ports->ranges[i].first && port <= ports->ranges[i].last)
			return true;
	return ports->nr == 0;
}

static bool in_prefix(const struct policy_prefix *p, const uint8_t address[16])
{
	size_t whole = p->bits / 8;
	uint8_t mask = (uint8_t)(0xff << (8 - p->bits % 8));

	return memcmp(p->address, address, whole) == 0 &&
	       (p->bits % 8 == 0 || ((p->address[whole] ^ address[whole]) & mask) == 0);
}

static bool has_role(enum policy_role wanted, uint8_t role)
{
	switch (wanted) {
	case POLICY_ROLE_ANY:
		break;
	case POLICY_ROLE_CLIENT:
		return role == PM_ROLE_CLIENT;
	case POLICY_ROLE_SERVER:
		return role == PM_ROLE_SERVER;
	}
	return true;
}

/* At or below. */
static bool in_cgroup(const char *wanted, const char *cgroup)
{
	size_t n = strlen(wanted);

	if (strcmp(wanted, "/") == 0)
		return true;
	return strncmp(wanted, cgroup, n) == 0 && (cgroup[n] == '\0' || cgroup[n] == '/');
}

static bool is_user(const char *wanted, const struct conn *c)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", c->uid);
	return strcmp(wanted, number) == 0 || (c->user && strcmp(wanted, c->user) == 0);
}

static enum answer matches(const struct policy_rule *r, const struct conn *c)
{
	if (!in_ports(&r->port, c->remote_port) || !in_ports(&r->local_port, c->local_port) ||
	    !in_prefix(&r->prefix, c->remote) || !has_role(r->role, c->role))
		return NO;
	if (!r->cgroup && !r->user)
		return YES;
	if (!(c->bits & CONN_IDENTIFIED))
		return UNKNOWN;
	if (r->user && !is_user(r->user, c))
		return NO;
	return !r->cgroup || (c->cgroup && in_cgroup(r->cgroup, c->cgroup)) ? YES : NO;
}

bool engine_match(const struct pm_engine *e, struct conn *c)
{
	const struct policy *p = e->policy;
	size_t i;

	for (i = 0; i < p->nr_rules; i++) {
		enum answer a = matches(&p->rules[i], c);

		if (a == UNKNOWN)
			return false;
		if (a == YES)
			break;
	}
	c->rule = (uint8_t)i;
	c->mode = (uint8_t)(i < p->nr_rules ? p->rules[i].mode_index : p->mode_index);
	c->bits |= CONN_MATCHED;
	return true;
}

uint32_t engine_rule_paths(const struct pm_engine *e, const struct conn *c)
{
	return c->rule < e->policy->nr_rules ? e->policy->rules[c->rule].paths
					     : e->policy->rule_paths;
}
