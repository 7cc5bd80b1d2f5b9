// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which networks have a NAT64, and its prefix: the policy's, what routers advertise, or what
 * resolvers make of ipv4only.arpa (pm/nat64.h), in this order. Networks are asked about that have
 * IPv6 alone; what is known of one ends with its interface, its prefix's lifetime, or the policy.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/nat64_query.h"
#include "daemon/nat64_router.h"
#include "daemon/source.h"
#include "pm/path.h"

#define SOLICIT_MS  4000 /* RFC 4861 section 10 */
#define SOLICIT_MAX 3
#define READS_MAX   64
#define ROUTERS_MS  500 /* to name resolvers, before those of the host are asked */
#define MS_PER_S    1000u

struct nat64;

struct network {
	struct nat64 *all;
	int ifindex;
	unsigned int path;
	char interface[IF_NAMESIZE];
	struct nat64_query query;
	struct policy_prefix advertised; /* no bits: none */
	uint64_t advertised_until_ms;
	unsigned int solicited;
	uint64_t solicit_ms;	       /* LOOP_NEVER */
	struct policy_prefix in_force; /* as was told; no bits: none */
};

struct nat64 {
	struct daemon *d;
	int fd;	      /* -1: routers are not listened to */
	bool is_deaf; /* they cannot be, which was told */
	struct loop_timer timer;
	struct network *networks[PM_SOURCES_MAX];
	size_t nr;
	uint64_t looked_at; /* daemon_counters.interfaces */
};

static void say(const struct network *n, const char *how)
{
	struct pm_decision one = { .kind = PM_DECIDE_NOTICE, .path = n->path };
	char text[PM_NAT64_PREFIX_BYTES];

	if (n->in_force.bits)
		snprintf(one.reason, sizeof(one.reason), "%s: NAT64 %s, from %s", n->interface,
			 pm_nat64_prefix_text(&n->in_force, text), how);
	else
		snprintf(one.reason, sizeof(one.reason), "%s: no NAT64 any more", n->interface);
	daemon_report(n->all->d, &one, NULL, NULL);
}

static struct policy_prefix choose(const struct network *n, const char **how)
{
	const struct policy_nat64 *wanted = &n->all->d->policy->nat64;
	uint64_t now = loop_now_ms();

	if (wanted->prefix.bits) {
		*how = "the policy";
		return wanted->prefix;
	}
	if ((wanted->discover & POLICY_NAT64_RA) && now < n->advertised_until_ms) {
		*how = "a router advertisement";
		return n->advertised;
	}
	if ((wanted->discover & POLICY_NAT64_DNS) && now < n->query.until_ms) {
		*how = "ipv4only.arpa";
		return n->query.prefix;
	}
	return (struct policy_prefix){ 0 };
}

static void set_min(uint64_t *a, uint64_t b)
{
	if (b < *a)
		*a = b;
}

static void set_timer(struct nat64 *s)
{
	uint64_t now = loop_now_ms(), due = LOOP_NEVER;

	for (size_t i = 0; i < s->nr; i++) {
		const struct network *n = s->networks[i];

		set_min(&due, n->solicit_ms);
		set_min(&due, n->query.next_ms);
		if (n->advertised_until_ms > now)
			set_min(&due, n->advertised_until_ms);
		if (n->query.until_ms > now)
			set_min(&due, n->query.until_ms);
	}
	loop_timer_set(s->d->loop, &s->timer, due);
}

/* To the engine, what there is now, when it is not what it was or `anyway`. */
static void tell(struct nat64 *s, bool anyway)
{
	struct pm_nat64_network found[PM_SOURCES_MAX];
	struct pm_input in = { .kind = PM_INPUT_NAT64, .nat64 = { .items = found } };
	bool changed = anyway;

	for (size_t i = 0; i < s->nr; i++) {
		struct network *n = s->networks[i];
		const char *how = NULL;
		struct policy_prefix prefix = choose(n, &how);

		if (memcmp(&n->in_force, &prefix, sizeof(prefix)) != 0) {
			n->in_force = prefix;
			say(n, how);
			changed = true;
		}
		if (prefix.bits)
			found[in.nat64.nr++] = (struct pm_nat64_network){ n->ifindex, prefix };
	}
	set_timer(s);
	if (changed)
		daemon_input(s->d, &in);
}

static void on_query(void *data)
{
	const struct network *n = data;

	tell(n->all, false);
}

static void solicit(struct nat64 *s, struct network *n)
{
	if (s->fd < 0 || n->solicited == SOLICIT_MAX) {
		n->solicit_ms = LOOP_NEVER;
		return;
	}
	/* The interface may not be ready for it; each attempt counts, as there is a next one. */
	nat64_router_solicit(s->fd, n->ifindex);
	n->solicited++;
	n->solicit_ms = loop_now_ms() + SOLICIT_MS;
}

static void on_timer(void *data)
{
	struct nat64 *s = data;
	uint64_t now = loop_now_ms();

	for (size_t i = 0; i < s->nr; i++) {
		struct network *n = s->networks[i];

		if (n->solicit_ms <= now)
			solicit(s, n);
		if (n->query.next_ms <= now)
			nat64_query_send(&n->query);
	}
	tell(s, false);
}

static void take_advert(struct network *n, const struct pm_nat64_advert *a)
{
	const struct policy_nat64 *wanted = &n->all->d->policy->nat64;

	n->solicit_ms = LOOP_NEVER;
	/* One that is taken back may be another router's. */
	if (a->prefix.bits &&
	    (a->lifetime_s || memcmp(&a->prefix, &n->advertised, sizeof(a->prefix)) == 0)) {
		n->advertised = a->prefix;
		n->advertised_until_ms = loop_now_ms() + (uint64_t)a->lifetime_s * MS_PER_S;
	}
	if ((wanted->discover & POLICY_NAT64_DNS) && !wanted->prefix.bits)
		nat64_query_resolvers(&n->query, a->resolvers, a->nr_resolvers);
}

static void read_adverts(int fd, uint32_t events, void *data)
{
	struct nat64 *s = data;
	int ifindex = 0, err = 0;

	(void)events;
	for (int reads = 0; reads < READS_MAX && err != -EAGAIN; reads++) {
		struct pm_nat64_advert advert;

		err = nat64_router_read(fd, &ifindex, &advert);
		for (size_t i = 0; err == 0 && i < s->nr; i++)
			if (s->networks[i]->ifindex == ifindex)
				take_advert(s->networks[i], &advert);
	}
	tell(s, false);
}

static void deafen(struct nat64 *s)
{
	if (s->fd < 0)
		return;
	loop_fd_remove(s->d->loop, s->fd);
	close(s->fd);
	s->fd = -1;
}

/* Resolvers are learned from routers, too. */
static void listen_to_routers(struct nat64 *s)
{
	const struct policy_nat64 *wanted = &s->d->policy->nat64;
	struct error e = { 0 };

	if (!wanted->discover || wanted->prefix.bits) {
		deafen(s);
		return;
	}
	if (s->fd >= 0 || s->is_deaf)
		return;
	s->fd = nat64_router_open(&e);
	if (s->fd >= 0 && loop_fd_add(s->d->loop, s->fd, EPOLLIN, read_adverts, s) < 0) {
		close(s->fd);
		s->fd = -1;
		error_set(&e, -ENOMEM, "cannot listen to router advertisements: out of memory");
	}
	s->is_deaf = s->fd < 0;
	if (s->is_deaf)
		log_error(&s->d->log, &e);
}

static void forget(struct nat64 *s, size_t i)
{
	struct network *n = s->networks[i];

	nat64_query_end(&n->query);
	if (n->in_force.bits) {
		n->in_force = (struct policy_prefix){ 0 };
		say(n, NULL);
	}
	free(n);
	s->networks[i] = s->networks[--s->nr];
}

static bool is_v6_only(const struct pm_interface *it)
{
	bool any = false;

	for (size_t i = 0; i < it->nr_addresses; i++) {
		if (it->addresses[i].family == AF_INET)
			return false;
		any = true;
	}
	return any && it->up && !it->loopback;
}

static const struct pm_interface *find_interface(const struct nat64 *s, int ifindex)
{
	for (size_t i = 0; i < s->d->nr_interfaces; i++)
		if (s->d->interfaces[i].ifindex == ifindex)
			return &s->d->interfaces[i];
	return NULL;
}

static bool is_wanted(const struct nat64 *s, const struct pm_interface *it)
{
	return s->d->policy->nat64.set && it && is_v6_only(it) && pm_path_of(s->d->policy, it);
}

static bool is_known(const struct nat64 *s, int ifindex)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->networks[i]->ifindex == ifindex)
			return true;
	return false;
}

static unsigned int path_of(const struct nat64 *s, const struct pm_interface *it)
{
	return (unsigned int)(pm_path_of(s->d->policy, it) - s->d->policy->paths);
}

static void ask(struct network *n)
{
	const struct policy_nat64 *wanted = &n->all->d->policy->nat64;
	bool asks = wanted->discover && !wanted->prefix.bits;

	n->solicited = 0;
	n->solicit_ms = asks ? 0 : LOOP_NEVER;
	if (!asks || !(wanted->discover & POLICY_NAT64_DNS))
		nat64_query_end(&n->query);
	else if (n->query.next_ms == LOOP_NEVER)
		n->query.next_ms = loop_now_ms() + ROUTERS_MS;
}

static void begin(struct nat64 *s, const struct pm_interface *it)
{
	struct network *n = s->nr < PM_SOURCES_MAX ? calloc(1, sizeof(*n)) : NULL;

	if (!n)
		return; /* no NAT64 there, as without one */
	n->all = s;
	n->ifindex = it->ifindex;
	n->path = path_of(s, it);
	memcpy(n->interface, it->name, sizeof(n->interface));
	nat64_query_init(&n->query, s->d->loop, it->ifindex);
	n->query.changed = on_query;
	n->query.data = n;
	s->networks[s->nr++] = n;
	ask(n);
}

/* Networks as interfaces and policy have them now. */
static void look(struct nat64 *s, bool anyway)
{
	s->looked_at = s->d->counters.interfaces;
	for (size_t i = s->nr; i-- > 0;)
		if (!is_wanted(s, find_interface(s, s->networks[i]->ifindex))) {
			forget(s, i);
			anyway = true;
		}
	listen_to_routers(s);
	for (size_t i = 0; i < s->d->nr_interfaces; i++) {
		const struct pm_interface *it = &s->d->interfaces[i];

		if (is_wanted(s, it) && !is_known(s, it->ifindex))
			begin(s, it);
	}
	tell(s, anyway);
}

static void after_input(struct daemon *d, void *state)
{
	struct nat64 *s = state;

	if (s->looked_at != d->counters.interfaces)
		look(s, false);
}

/* What was found stays; the engine may be a new one, and a path stand elsewhere. */
static void follow_policy(struct daemon *d, void *state)
{
	struct nat64 *s = state;

	s->is_deaf = false;
	for (size_t i = s->nr; i-- > 0;) {
		struct network *n = s->networks[i];
		const struct pm_interface *it = find_interface(s, n->ifindex);

		n->path = it && pm_path_of(d->policy, it) ? path_of(s, it) : UINT_MAX;
		ask(n);
	}
	look(s, true);
}

static int open_nat64(struct daemon *d, void **state, struct error *e)
{
	struct nat64 *s = calloc(1, sizeof(*s));

	*state = s;
	if (!s)
		return error_set(e, -ENOMEM, "cannot look for NAT64s: out of memory");
	s->d = d;
	s->fd = -1;
	s->timer = (struct loop_timer){ .call = on_timer, .data = s };
	if (loop_timer_add(d->loop, &s->timer) < 0)
		return error_set(e, -ENOMEM, "cannot look for NAT64s: out of memory");
	return 0;
}

static void close_nat64(struct daemon *d, void *state)
{
	struct nat64 *s = state;

	if (!s)
		return;
	for (size_t i = s->nr; i-- > 0;) {
		nat64_query_end(&s->networks[i]->query);
		free(s->networks[i]);
	}
	deafen(s);
	loop_timer_remove(d->loop, &s->timer);
	free(s);
}

const struct daemon_source source_nat64 = {
	.name = "nat64",
	.open = open_nat64,
	.policy_changed = follow_policy,
	.after_input = after_input,
	.close = close_nat64,
};
