// SPDX-License-Identifier: GPL-2.0-only
/* What there is, read from the kernel: interfaces, connections, whose a connection is. */
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "daemon/source.h"
#include "pm/address.h"
#include "pm/interfaces.h"
#include "pm/owner.h"
#include "util/cgroup.h"

#define RETRY_MS     200
#define PAUSE_MS     100 /* between two readings, should one not be enough */
#define CGROUP_BYTES 4096

static bool interface_equal(const struct pm_interface *a, const struct pm_interface *b)
{
	if (a->ifindex != b->ifindex || strcmp(a->name, b->name) != 0 || a->up != b->up ||
	    a->type != b->type || a->nr_addresses != b->nr_addresses)
		return false;
	for (size_t i = 0; i < a->nr_addresses; i++)
		if (!pm_address_equal(&a->addresses[i], &b->addresses[i]))
			return false;
	return true;
}

static bool interfaces_equal(const struct daemon *d, const struct pm_interface *items, size_t nr)
{
	if (nr != d->nr_interfaces)
		return false;
	for (size_t i = 0; i < nr; i++)
		if (!interface_equal(&items[i], &d->interfaces[i]))
			return false;
	return true;
}

void daemon_tell_interfaces(struct daemon *d)
{
	const struct pm_input in = { .kind = PM_INPUT_INTERFACES,
				     .interfaces = { d->interfaces, d->nr_interfaces } };

	d->counters.interfaces++;
	sources_interfaces(d);
	daemon_input(d, &in);
	if (d->kind == POLICY_ENGINE_KERNEL)
		daemon_settle_soon(d);
}

void daemon_read_interfaces(struct daemon *d, bool anyway)
{
	struct pm_interface *items;
	struct error e = { 0 };
	size_t nr;

	if (pm_interfaces_read(&items, &nr, &e) < 0) {
		log_error(&d->log, &e);
		d->reread = true;
		loop_timer_set(d->loop, &d->resync_timer, loop_now_ms() + RETRY_MS);
		return;
	}
	d->reread = false;
	if (!anyway && interfaces_equal(d, items, nr)) {
		pm_interfaces_free(items, nr);
		return;
	}
	pm_interfaces_free(d->interfaces, d->nr_interfaces);
	d->interfaces = items;
	d->nr_interfaces = nr;
	daemon_tell_interfaces(d);
}

void daemon_resync(struct daemon *d, const char *why)
{
	uint64_t earliest = d->last_resync_ms + PAUSE_MS;

	if (!d->resync)
		log_line(&d->log, LOG_LEVEL_INFO, "reading all connections: %s", why);
	d->resync = true;
	loop_timer_set(d->loop, &d->resync_timer, earliest);
}

void daemon_joins(struct daemon *d)
{
	_cleanup_(pm_connections_clear) struct pm_connections joins = { 0 };
	const struct pm_input in = { .kind = PM_INPUT_JOINS, .connections = &joins };
	struct error e = { 0 };

	if (pm_joins_read(&d->diag, &joins, &e) < 0)
		log_error(&d->log, &e);
	else
		daemon_input(d, &in);
}

/* The kernel's name of a user may come from the network, so it is asked for only where a rule is
 * about one. */
static const char *user_name(const struct daemon *d, uint32_t uid)
{
	const struct passwd *user;

	for (size_t i = 0; i < d->policy->nr_rules; i++) {
		if (!d->policy->rules[i].user)
			continue;
		user = getpwuid(uid);
		return user ? user->pw_name : NULL;
	}
	return NULL;
}

void daemon_identify(struct daemon *d, uint32_t token)
{
	struct pm_identity identity = { .token = token };
	const struct pm_input in = { .kind = PM_INPUT_IDENTITY, .identity = &identity };
	char cgroup[CGROUP_BYTES];
	struct pm_owner owner;
	struct error e = { 0 };
	int err = pm_owner_read(&d->diag, token, &owner, &e);

	if (err < 0) {
		/* Gone: an event says so. */
		if (err != -ENOENT)
			log_error(&d->log, &e);
		return;
	}
	identity.uid = owner.uid;
	identity.user = user_name(d, owner.uid);
	if (owner.cgroup && cgroup_path(owner.cgroup, cgroup, sizeof(cgroup)) == 0)
		identity.cgroup = cgroup;
	log_line(&d->log, LOG_LEVEL_DEBUG, "connection %08x: uid %u, cgroup %s", token, owner.uid,
		 identity.cgroup ? identity.cgroup : "unknown");
	daemon_input(d, &in);
}
