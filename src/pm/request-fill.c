// SPDX-License-Identifier: GPL-2.0-only
/* Requests about one connection completed and checked; see request.h. */
#include "pm/request.h"

#include <errno.h>
#include <string.h>

#include "pm/address.h"

#define ID_MAX 255

/* Both sides as IPv4 when they are mapped. */
static bool same_address(const struct pm_address *a, const struct pm_address *b)
{
	struct pm_address x = pm_address_unmapped(a), y = pm_address_unmapped(b);

	return pm_address_equal(&x, &y);
}

/* The id that this local address has in the connection, or -1. With a port it is another one. */
static int id_of(const struct pm_request_facts *f, const struct pm_address *a, uint16_t port)
{
	for (size_t i = 0; i < f->nr_addresses; i++)
		if (same_address(&f->addresses[i].address, a) && f->addresses[i].port == port)
			return f->addresses[i].id;
	for (size_t i = 0; port == 0 && i < f->conn->nr_subflows; i++)
		if (same_address(&f->conn->subflows[i].at.local, a))
			return f->conn->subflows[i].local_id;
	return -1;
}

/* An address that has this id, NULL when it is free. */
static const struct pm_address *address_of(const struct pm_request_facts *f, int id)
{
	for (size_t i = 0; i < f->nr_addresses; i++)
		if (f->addresses[i].id == id)
			return &f->addresses[i].address;
	for (size_t i = 0; i < f->conn->nr_subflows; i++)
		if (f->conn->subflows[i].local_id == id)
			return &f->conn->subflows[i].at.local;
	return NULL;
}

static int lowest_free_id(const struct pm_request_facts *f)
{
	for (int id = 1; id <= ID_MAX; id++)
		if (!address_of(f, id))
			return id;
	return -1;
}

/* Chooses the local id or checks the one that was given. */
static int settle_id(struct pm_request *r, const struct pm_request_facts *f, int lowest,
		     struct error *e)
{
	int id = id_of(f, &r->local.address, r->local.port);
	const struct pm_address *other = r->has_local_id ? address_of(f, r->local.id) : NULL;
	char text[INET6_ADDRSTRLEN], mine[INET6_ADDRSTRLEN];

	pm_address_text(&r->local.address, mine);
	if (r->has_local_id && id >= lowest && id != r->local.id) {
		error_set(e, -EEXIST, "%s has the id %d in connection %08x, it cannot be %u", mine,
			  id, r->token, r->local.id);
		return error_hint(e, "leave the id out, or withdraw the address first");
	}
	if (id < lowest && other) {
		error_set(e, -EEXIST, "id %u is in use in connection %08x, by %s", r->local.id,
			  r->token, pm_address_text(other, text));
		id = lowest_free_id(f);
		return id < 0 ? -EEXIST : error_hint(e, "the lowest free id is %d", id);
	}
	if (!r->has_local_id && id < lowest)
		id = lowest_free_id(f);
	else if (r->has_local_id)
		id = r->local.id;
	if (id < 0)
		return error_set(e, -ENOSPC, "connection %08x has no free address id", r->token);
	r->local.id = (uint8_t)id;
	return 0;
}

static const char *family_name(sa_family_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static const struct pm_interface *interface_of(const struct pm_request_facts *f, int ifindex)
{
	for (size_t i = 0; i < f->nr_interfaces; i++)
		if (f->interfaces[i].ifindex == ifindex)
			return &f->interfaces[i];
	return NULL;
}

/* The one usable address of the device that has the family of the remote side. */
static int local_of_device(struct pm_request *r, const struct pm_request_facts *f, struct error *e)
{
	const struct pm_interface *it = interface_of(f, r->local.ifindex);
	sa_family_t family = r->remote.address.family;
	size_t found = 0;

	if (!it) {
		error_set(e, -EINVAL, "a local address is needed, or a device that has one");
		return error_hint(e, "--local ADDR or --dev NAME");
	}
	for (size_t i = 0; i < it->nr_addresses; i++) {
		if (it->addresses[i].family != family)
			continue;
		r->local.address = it->addresses[i];
		found++;
	}
	if (found == 1)
		return 0;
	if (found == 0)
		return error_set(e, -EADDRNOTAVAIL, "device %s has no usable %s address", it->name,
				 family_name(family));
	error_set(e, -ENOTUNIQ, "device %s has %zu usable %s addresses", it->name, found,
		  family_name(family));
	return error_hint(e, "choose one: --local ADDR");
}

/* The kernel wants one family on both sides, and an IPv4 socket has IPv4 subflows only. */
static int check_family(const struct pm_request *r, const struct pm_request_facts *f,
			struct error *e)
{
	sa_family_t local = r->local.address.family, remote = r->remote.address.family;
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];

	if (f->conn->at.local.family == AF_INET && local != AF_INET)
		return error_set(e, -EAFNOSUPPORT,
				 "connection %08x was made by an IPv4 socket, it cannot use %s",
				 r->token, pm_address_text(&r->local.address, a));
	if (remote && local != remote)
		return error_set(e, -EAFNOSUPPORT,
				 "local address %s is %s, but remote address %s is %s",
				 pm_address_text(&r->local.address, a), family_name(local),
				 pm_address_text(&r->remote.address, b), family_name(remote));
	return 0;
}

static int fill_add(struct pm_request *r, const struct pm_request_facts *f, struct error *e)
{
	const struct pm_connection *c = f->conn;
	char local[INET6_ADDRSTRLEN], remote[PM_ADDRESS_PORT_BYTES];
	int err;

	if (!r->remote.address.family)
		r->remote.address = pm_address_unmapped(&c->at.remote);
	if (!r->remote.port)
		r->remote.port = c->at.remote_port;
	err = r->local.address.family ? 0 : local_of_device(r, f, e);
	if (err == 0)
		err = check_family(r, f, e);
	if (err < 0)
		return err;
	for (size_t i = 0; i < c->nr_subflows; i++) {
		const struct pm_subflow *s = &c->subflows[i];

		if (!same_address(&s->at.remote, &r->remote.address))
			continue;
		if (!r->has_remote_id)
			r->remote.id = s->remote_id;
		if (s->at.remote_port == r->remote.port &&
		    same_address(&s->at.local, &r->local.address))
			return error_set(
				e, -EEXIST, "connection %08x has a subflow from %s to %s already",
				r->token, pm_address_text(&r->local.address, local),
				pm_address_port_text(&r->remote.address, r->remote.port, remote));
	}
	return settle_id(r, f, 0, e);
}

static bool fits_end(const struct pm_endpoint *wanted, const struct pm_address *a, uint16_t port)
{
	return (!wanted->address.family || same_address(&wanted->address, a)) &&
	       (!wanted->port || wanted->port == port);
}

static bool fits(const struct pm_request *r, const struct pm_subflow *s)
{
	return fits_end(&r->local, &s->at.local, s->at.local_port) &&
	       fits_end(&r->remote, &s->at.remote, s->at.remote_port) &&
	       (!r->has_local_id || r->local.id == s->local_id) &&
	       (!r->has_remote_id || r->remote.id == s->remote_id);
}

static int fill_subflow(struct pm_request *r, const struct pm_request_facts *f, struct error *e)
{
	const struct pm_subflow *one = NULL;
	size_t found = 0;

	for (size_t i = 0; i < f->conn->nr_subflows; i++) {
		if (!fits(r, &f->conn->subflows[i]))
			continue;
		one = &f->conn->subflows[i];
		found++;
	}
	if (found == 0)
		error_set(e, -ENOENT, "connection %08x has no such subflow", r->token);
	else if (found > 1)
		error_set(e, -ENOTUNIQ, "%zu subflows of connection %08x fit", found, r->token);
	if (found != 1)
		return error_hint(e, "mptcp-pmctl conn show %08x lists them", r->token);
	/* As the socket has them: the kernel compares mapped addresses with mapped ones. */
	r->local.address = one->at.local;
	r->local.port = one->at.local_port;
	r->local.id = one->local_id;
	r->remote.address = one->at.remote;
	r->remote.port = one->at.remote_port;
	r->remote.id = one->remote_id;
	return 0;
}

int pm_request_fill(struct pm_request *r, const struct pm_request_facts *f, struct error *e)
{
	int err;

	if (f->conn->fallback)
		return error_set(e, -EPROTO,
				 "connection %08x fell back to plain TCP, it has one path for good",
				 r->token);
	r->local.address = pm_address_unmapped(&r->local.address);
	r->remote.address = pm_address_unmapped(&r->remote.address);
	switch (r->kind) {
	case PM_SUBFLOW_ADD:
		return fill_add(r, f, e);
	case PM_SUBFLOW_DELETE:
	case PM_SUBFLOW_BACKUP:
		return fill_subflow(r, f, e);
	case PM_ANNOUNCE:
		err = check_family(r, f, e);
		return err < 0 ? err : settle_id(r, f, 1, e);
	case PM_WITHDRAW:
		break;
	}
	return 0;
}
