// SPDX-License-Identifier: GPL-2.0-only
/* Settings of SYN rescue; see rescue_settings.h. */
#include "pm/rescue_settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pm/netns.h"
#include "pm/path.h"
#include "pm/planner.h"
#include "util/cleanup.h"

#define NS_PER_S	  1000000000u
#define MS_PER_S	  1000u
#define PORT_LAST	  65535
#define PORT_SYSTEM	  1024
#define PORTS_ENOUGH	  1024 /* connections at a time to one destination */
#define PORTS_MAX	  8192
#define WHEEL_FIRST_LEVEL 63
#define WHEEL_STEP	  8
#define SYN_FALLBACK_MS	  3000
#define SYN_LINEAR	  4 /* net.ipv4.tcp_syn_linear_timeouts */
#define SYN_RETRIES_MAX	  128
#define SYN_TIMEOUT_MS	  1000 /* the kernel's */

_Static_assert(RESCUE_LIST_MAX >= POLICY_DEST_RANGES_MAX, "not every list fits");

struct candidate {
	const struct policy_path *path;
	const struct pm_interface *interface;
	bool strict;
};

bool pm_rescue_copies(const struct policy *policy)
{
	return policy && (policy->establish.robe & (POLICY_ROBE_TIMER | POLICY_ROBE_SIM));
}

bool pm_rescue_looks_at_data(const struct policy *policy)
{
	return policy && policy->nr_paths && policy->tfo.client == POLICY_YES &&
	       (policy->tfo.nr_to || policy->tfo.blackhole_ms);
}

bool pm_rescue_wanted(const struct policy *policy)
{
	return pm_rescue_copies(policy) || pm_rescue_looks_at_data(policy);
}

int pm_rescue_syn_retries(const struct policy *policy)
{
	uint64_t wait_ms, at_ms = 0;
	int n = 0;

	if (!pm_rescue_copies(policy) || policy->establish.timer_ms >= SYN_TIMEOUT_MS)
		return 0;
	wait_ms = policy->establish.timer_ms;
	for (; n < SYN_RETRIES_MAX; n++) {
		at_ms += wait_ms;
		if (at_ms >= SYN_FALLBACK_MS)
			break;
		if (n >= SYN_LINEAR)
			wait_ms *= 2;
	}
	/* The one after the last of them asks for plain TCP. */
	return n;
}

void pm_rescue_address(const struct pm_address *from, struct rescue_address *to)
{
	if (from->family == AF_INET)
		*to = (struct rescue_address){ { 0, 0, htonl(0xffff), from->v4.s_addr } };
	else
		memcpy(to, &from->v6, sizeof(*to));
}

void pm_rescue_address_back(const struct rescue_address *from, struct pm_address *to)
{
	*to = (struct pm_address){ .family = AF_INET6 };
	memcpy(&to->v6, from, sizeof(to->v6));
	if (!IN6_IS_ADDR_V4MAPPED(&to->v6))
		return;
	to->family = AF_INET;
	to->v4.s_addr = from->word[3];
}

static int read_numbers(const char *path, unsigned int *a, unsigned int *b)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");

	return f ? fscanf(f, "%u %u", a, b) : 0;
}

static unsigned int reverse_filter(const char *name)
{
	unsigned int value = 0, ignored;
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", name);
	read_numbers(path, &value, &ignored);
	return value;
}

/* The kernel takes the greater of the two. */
static bool is_strict(const char *name)
{
	unsigned int all = reverse_filter("all"), one = reverse_filter(name);

	return (all > one ? all : one) == 1;
}

int pm_rescue_facts_read(struct pm_rescue_facts *f, const struct pm_interface *interfaces,
			 size_t nr, struct error *e)
{
	unsigned int first = 32768, last = 60999;
	struct timespec tick = { 0 };
	struct pm_netns ns;
	int err = pm_netns_identify(&ns, e);

	if (err < 0)
		return err;
	*f = (struct pm_rescue_facts){ .netns_cookie = ns.cookie,
				       .interfaces = interfaces,
				       .nr_interfaces = nr };
	f->strict = calloc(nr + 1, sizeof(*f->strict));
	if (!f->strict)
		return error_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < nr; i++)
		f->strict[i] = is_strict(interfaces[i].name);
	read_numbers("/proc/sys/net/ipv4/ip_local_port_range", &first, &last);
	f->local_port_first = (uint16_t)first;
	f->local_port_last = (uint16_t)last;
	/* The coarse clock goes by ticks. */
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	f->ticks_per_s = tick.tv_nsec ? (uint32_t)(NS_PER_S / (unsigned long)tick.tv_nsec) : 100;
	return 0;
}

void pm_rescue_facts_clear(struct pm_rescue_facts *f)
{
	free(f->strict);
	f->strict = NULL;
}

/* Above or below the kernel's range; when there is no room, an alias keeps the socket's port. */
static void choose_ports(const struct pm_rescue_facts *f, struct rescue_config *out)
{
	unsigned int above = PORT_LAST - f->local_port_last;
	unsigned int below = f->local_port_first > PORT_SYSTEM ? f->local_port_first - PORT_SYSTEM
							       : 0;

	if (above >= PORTS_ENOUGH) {
		out->port_first = f->local_port_last + 1;
		out->port_count = (uint16_t)above;
	} else if (below >= PORTS_ENOUGH) {
		out->port_count = (uint16_t)(below > PORTS_MAX ? PORTS_MAX : below);
		out->port_first = f->local_port_first - out->port_count;
	}
}

static int by_cost(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->path->cost != y->path->cost)
		return x->path->cost < y->path->cost ? -1 : 1;
	if (x->path != y->path)
		return x->path < y->path ? -1 : 1;
	return x->interface->ifindex - y->interface->ifindex;
}

static int note(struct pm_plan *plan, const char *fmt, const char *name)
{
	char text[sizeof(((struct pm_notice *)0)->text)];

	snprintf(text, sizeof(text), fmt, name, name);
	return pm_plan_add_notice(plan, PM_NOTICE_RESCUE, text);
}

static int add_path(const struct candidate *c, struct rescue_config *out, struct pm_plan *plan)
{
	struct rescue_path *p = &out->paths[out->nr_paths++];

	p->ifindex = (uint32_t)c->interface->ifindex;
	p->mtu_bytes = c->interface->mtu_bytes;
	for (size_t i = 0; i < c->interface->nr_addresses; i++) {
		const struct pm_address *a = &c->interface->addresses[i];
		struct rescue_address *to = a->family == AF_INET ? &p->v4 : &p->v6;
		static const struct rescue_address none;

		if (memcmp(to, &none, sizeof(none)) == 0 && !(c->strict && a->family == AF_INET))
			pm_rescue_address(a, to);
	}
	/* Only copies ask for another interface's address. */
	if (!c->strict || !out->on)
		return 0;
	return note(plan,
		    "SYN rescue leaves out IPv4 on %s: its reverse path filter is strict, which "
		    "drops what comes for another interface's address; sysctl -w "
		    "net.ipv4.conf.%s.rp_filter=2",
		    c->interface->name);
}

static uint32_t add_destinations(const struct policy_destination *from, size_t nr,
				 struct rescue_destination out[RESCUE_LIST_MAX])
{
	uint32_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct policy_destination *d = &from[i];
		size_t ranges = d->port.nr ? d->port.nr : 1;

		for (size_t r = 0; r < ranges && n < RESCUE_LIST_MAX; r++) {
			struct rescue_destination *to = &out[n++];

			memcpy(&to->prefix, d->prefix.address, sizeof(to->prefix));
			to->bits = d->prefix.bits;
			to->port_first = d->port.nr ? d->port.ranges[r].first : 0;
			to->port_last = d->port.nr ? d->port.ranges[r].last : 0;
		}
	}
	return n;
}

static void set_data(const struct policy_tfo *tfo, struct rescue_config *out)
{
	out->data_hold_ms = tfo->blackhole_ms;
	out->data_listed = tfo->nr_to > 0;
	out->nr_data_to = add_destinations(tfo->to, tfo->nr_to, out->data_to);
}

/* The kernel's timer wheel fires late: in level n by up to 8^n ticks (kernel/time/timer.c). */
static uint64_t wheel_slack(uint64_t ticks)
{
	uint64_t slack = 1;

	for (uint64_t start = WHEEL_FIRST_LEVEL; ticks >= start; start *= WHEEL_STEP)
		slack *= WHEEL_STEP;
	return slack;
}

/* The timeout is to be over when the policy says so, not later. */
static void set_timer(uint64_t timer_ms, uint32_t ticks_per_s, struct rescue_config *out)
{
	uint64_t ticks = timer_ms * ticks_per_s / MS_PER_S, slack = wheel_slack(ticks);

	out->timer_jiffies = (uint32_t)(ticks > slack ? ticks - slack : 1);
	while (timer_ms && timer_ms << out->more_retries < SYN_TIMEOUT_MS)
		out->more_retries++;
}

int pm_rescue_settings_make(const struct policy *policy, const struct pm_rescue_facts *f,
			    struct rescue_config *out, struct pm_plan *plan)
{
	_cleanup_free_ struct candidate *list = calloc(f->nr_interfaces + 1, sizeof(*list));
	size_t nr = 0;
	int err = 0;

	if (!list)
		return -ENOMEM;
	memset(out, 0, sizeof(*out));
	out->netns_cookie = f->netns_cookie;
	out->on = pm_rescue_copies(policy);
	out->race = policy->establish.robe & POLICY_ROBE_SIM ? 1 : 0;
	if (out->on)
		set_timer(policy->establish.timer_ms, f->ticks_per_s, out);
	choose_ports(f, out);
	out->nr_idempotent = add_destinations(policy->establish.idempotent,
					      policy->establish.nr_idempotent, out->idempotent);
	if (pm_rescue_looks_at_data(policy))
		set_data(&policy->tfo, out);
	for (size_t i = 0; i < f->nr_interfaces; i++) {
		const struct policy_path *path = pm_path_of(policy, &f->interfaces[i]);

		if (path)
			list[nr++] = (struct candidate){ path, &f->interfaces[i], f->strict[i] };
	}
	qsort(list, nr, sizeof(*list), by_cost);
	for (size_t i = 0; i < nr && i < RESCUE_PATHS_MAX && err == 0; i++)
		err = add_path(&list[i], out, plan);
	for (size_t i = RESCUE_PATHS_MAX; i < nr && err == 0; i++)
		err = note(plan, "SYN rescue leaves out %s: it takes 8 interfaces",
			   list[i].interface->name);
	return err;
}
