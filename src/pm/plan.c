// SPDX-License-Identifier: GPL-2.0-only
/*
 * From policy and kernel state to actions. Pure: no I/O, no clock. The order of a plan is
 * scheduler, limits, deletions, changes, additions; an unload goes endpoints first, then limits and
 * scheduler.
 */
#include "pm/planner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pm/address.h"
#include "pm/path.h"

struct pm_action *pm_plan_add_action(struct planner *p, enum pm_action_kind kind)
{
	struct pm_action *bigger =
		reallocarray(p->plan.actions, p->plan.nr_actions + 1, sizeof(*bigger));

	if (!bigger) {
		p->out_of_memory = true;
		return NULL;
	}
	p->plan.actions = bigger;
	bigger += p->plan.nr_actions++;
	*bigger = (struct pm_action){ .kind = kind };
	return bigger;
}

int pm_plan_add_notice(struct pm_plan *plan, enum pm_notice_kind kind, const char *text)
{
	struct pm_notice *bigger =
		reallocarray(plan->notices, plan->nr_notices + 1, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	plan->notices = bigger;
	bigger += plan->nr_notices++;
	bigger->kind = kind;
	snprintf(bigger->text, sizeof(bigger->text), "%s", text);
	return 0;
}

__attribute__((format(printf, 3, 4))) static void
add_notice(struct planner *p, enum pm_notice_kind kind, const char *fmt, ...)
{
	char text[sizeof(((struct pm_notice *)0)->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (pm_plan_add_notice(&p->plan, kind, text) < 0)
		p->out_of_memory = true;
}

static uint32_t use_flags(unsigned int use)
{
	uint32_t flags = 0;

	if (use & POLICY_ENDPOINT_SIGNAL)
		flags |= PM_FLAG_SIGNAL;
	if (use & POLICY_ENDPOINT_FULLMESH)
		flags |= PM_FLAG_FULLMESH | PM_FLAG_SUBFLOW;
	if ((use & POLICY_ENDPOINT_SUBFLOW) || !flags)
		flags |= PM_FLAG_SUBFLOW;
	return flags;
}

/* The kernel takes one endpoint an address, whatever its device or (with port 0) its port. */
static const struct pm_endpoint *find_endpoint(const struct pm_kernel *k,
					       const struct pm_address *address)
{
	for (size_t i = 0; i < k->nr_endpoints; i++)
		if (!(k->endpoints[i].flags & PM_FLAG_IMPLICIT) &&
		    pm_address_equal(&k->endpoints[i].address, address))
			return &k->endpoints[i];
	return NULL;
}

static void want(struct planner *p, size_t i, const struct pm_address *address, enum pm_wanted wish)
{
	const struct pm_interface *it = &p->kernel->interfaces[i];
	struct wanted *bigger;

	for (size_t w = 0; w < p->nr_wanted; w++)
		if (pm_address_equal(&p->wanted[w].endpoint.address, address))
			return;
	bigger = reallocarray(p->wanted, p->nr_wanted + 1, sizeof(*bigger));
	if (!bigger) {
		p->out_of_memory = true;
		return;
	}
	p->wanted = bigger;
	p->wanted[p->nr_wanted++] = (struct wanted){
		.endpoint = {
			.flags = use_flags(p->path_of[i]->use) |
				 (wish == PM_WANT_BACKUP ? PM_FLAG_BACKUP : 0),
			.ifindex = it->ifindex,
			.address = *address,
			.owned = true,
		},
		.path = p->path_of[i],
		.interface = it,
		.existing = find_endpoint(p->kernel, address),
	};
}

static void collect_wanted(struct planner *p)
{
	for (size_t i = 0; i < p->kernel->nr_interfaces; i++)
		p->path_of[i] = pm_path_of(p->policy, &p->kernel->interfaces[i]);
	pm_plan_rank(p);
	for (size_t i = 0; i < p->kernel->nr_interfaces; i++) {
		const struct pm_interface *it = &p->kernel->interfaces[i];
		enum pm_wanted wish = pm_plan_wanted(p, i);

		for (size_t a = 0; wish != PM_WANT_NONE && a < it->nr_addresses; a++)
			want(p, i, &it->addresses[a], wish);
	}
}

static void notice_paths(struct planner *p)
{
	uint32_t limit = p->policy->limits.set ? p->policy->limits.subflows
					       : p->kernel->limits.subflows;
	size_t nr_subflow = 0;

	if (!p->kernel->enabled)
		add_notice(p, PM_NOTICE_DISABLED,
			   "net.mptcp.enabled is 0: no connection uses MPTCP");
	if (p->options.leave_endpoints || p->options.wanted)
		return;
	for (size_t n = 0; n < p->policy->nr_paths; n++) {
		const struct policy_path *path = &p->policy->paths[n];
		size_t nr = 0, nr_up = 0;

		for (size_t i = 0; i < p->kernel->nr_interfaces; i++) {
			const struct pm_interface *it = &p->kernel->interfaces[i];

			if (p->path_of[i] != path)
				continue;
			nr++;
			nr_up += it->up;
			if (it->up && !it->nr_addresses)
				add_notice(p, PM_NOTICE_NO_ADDRESS,
					   "path \"%s\": %s has no usable address", path->name,
					   it->name);
			if (pm_plan_wanted(p, i) != PM_WANT_NONE &&
			    (use_flags(path->use) & PM_FLAG_SUBFLOW))
				nr_subflow++;
		}
		if (!nr_up)
			add_notice(p, PM_NOTICE_PATH_ABSENT, "path \"%s\": %s; apply again later",
				   path->name,
				   nr ? "its interface is down" : "no interface matches it yet");
	}
	if (nr_subflow && nr_subflow - 1 > limit)
		add_notice(p, PM_NOTICE_LIMIT,
			   "%zu interfaces, but a connection may have %u extra subflows: raise "
			   "limits.subflows",
			   nr_subflow, limit);
}

static bool is_satisfied(const struct wanted *w)
{
	return w->existing && w->existing->flags == w->endpoint.flags &&
	       w->existing->ifindex == w->endpoint.ifindex && !w->existing->port;
}

/* The kernel changes backup and fullmesh alone, and refuses fullmesh on a signal endpoint. */
static bool can_change(const struct wanted *w)
{
	uint32_t changed = w->existing->flags ^ w->endpoint.flags;

	return w->existing->ifindex == w->endpoint.ifindex && !w->existing->port &&
	       !(changed & ~(PM_FLAG_BACKUP | PM_FLAG_FULLMESH)) &&
	       !((changed & PM_FLAG_FULLMESH) && (w->endpoint.flags & PM_FLAG_SIGNAL));
}

static bool may_touch(const struct planner *p, const struct pm_endpoint *ep)
{
	return ep->owned || (p->options.force && p->policy);
}

static void set_reason(const struct planner *p, struct pm_action *a, const struct wanted *w)
{
	snprintf(a->reason, sizeof(a->reason), "path \"%s\" (%s), mode %.30s", w->path->name,
		 w->interface->name,
		 p->policy ? p->policy->modes[p->policy->mode_index].name : "none");
}

static void plan_deletions(struct planner *p)
{
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < p->kernel->nr_endpoints; i++) {
		const struct pm_endpoint *ep = &p->kernel->endpoints[i];
		const struct wanted *w = NULL;
		struct pm_action *a;

		if (ep->flags & PM_FLAG_IMPLICIT)
			continue;
		for (size_t n = 0; n < p->nr_wanted && !w; n++)
			if (p->wanted[n].existing == ep)
				w = &p->wanted[n];
		if (w && (is_satisfied(w) || (may_touch(p, ep) && can_change(w))))
			continue;
		if (may_touch(p, ep)) {
			a = pm_plan_add_action(p, PM_DELETE_ENDPOINT);
			if (!a)
				return;
			a->endpoint = *ep;
			if (w)
				set_reason(p, a, w);
			else
				snprintf(a->reason, sizeof(a->reason), "%s",
					 p->policy ? "no path asks for it" : "unload");
		} else if (p->policy) {
			add_notice(p, PM_NOTICE_FOREIGN_ENDPOINT,
				   "endpoint %s id %u was made by someone else and is left alone%s "
				   "(--force to take over)",
				   pm_address_text(&ep->address, text), ep->id,
				   w ? ", though the policy asks for other flags" : "");
		}
	}
}

static void plan_changes(struct planner *p)
{
	for (size_t n = 0; n < p->nr_wanted; n++) {
		const struct wanted *w = &p->wanted[n];
		struct pm_action *a;

		if (!w->existing || is_satisfied(w) || !may_touch(p, w->existing) || !can_change(w))
			continue;
		a = pm_plan_add_action(p, PM_CHANGE_ENDPOINT);
		if (!a)
			return;
		a->endpoint = w->endpoint;
		a->endpoint.id = w->existing->id;
		a->before = *w->existing;
		set_reason(p, a, w);
	}
}

static void plan_additions(struct planner *p)
{
	for (size_t n = 0; n < p->nr_wanted; n++) {
		const struct wanted *w = &p->wanted[n];
		struct pm_action *a;

		/* One in the way was planned to be deleted when we may. */
		if (w->existing && (is_satisfied(w) || !may_touch(p, w->existing) || can_change(w)))
			continue;
		a = pm_plan_add_action(p, PM_ADD_ENDPOINT);
		if (!a)
			return;
		a->endpoint = w->endpoint;
		set_reason(p, a, w);
	}
}

static void plan_endpoints(struct planner *p)
{
	if (p->policy && p->options.leave_endpoints)
		return;
	plan_deletions(p);
	plan_changes(p);
	plan_additions(p);
}

static void notice_daemon(struct planner *p)
{
	char what[PM_REASON_BYTES];

	if (!p->options.has_daemon && pm_engine_needs_daemon(p->policy, what))
		add_notice(p, PM_NOTICE_DAEMON, "`mptcp-pmctl daemon` has to run: %s", what);
}

int pm_plan_make_as(const struct policy *policy, const struct pm_kernel *kernel,
		    const struct pm_plan_options *options, struct pm_plan *out, struct error *e)
{
	struct planner p = { .policy = policy, .kernel = kernel, .options = *options };
	int err = policy ? pm_engine_check(policy, e) : 0;

	if (err < 0)
		return err;
	p.path_of = calloc(kernel->nr_interfaces + 1, sizeof(*p.path_of));
	if (!p.path_of)
		return error_set(e, -ENOMEM, "cannot plan: out of memory");
	if (policy) {
		collect_wanted(&p);
		notice_paths(&p);
		notice_daemon(&p);
		pm_plan_scheduler(&p);
		pm_plan_manager(&p);
		pm_plan_limits(&p);
		pm_plan_syn_retries(&p);
		pm_plan_fastopen(&p);
	}
	plan_endpoints(&p);
	if (!policy) {
		pm_plan_limits(&p);
		pm_plan_manager(&p);
		pm_plan_scheduler(&p);
		pm_plan_syn_retries(&p);
		pm_plan_fastopen(&p);
	}
	free(p.path_of);
	free(p.wanted);
	if (p.out_of_memory) {
		pm_plan_clear(&p.plan);
		return error_set(e, -ENOMEM, "cannot plan: out of memory");
	}
	*out = p.plan;
	return 0;
}

int pm_plan_make(const struct policy *policy, const struct pm_kernel *kernel, bool force,
		 struct pm_plan *out, struct error *e)
{
	const struct pm_plan_options options = { .force = force };

	return pm_plan_make_as(policy, kernel, &options, out, e);
}

void pm_plan_clear(struct pm_plan *p)
{
	free(p->actions);
	free(p->notices);
	*p = (struct pm_plan){ 0 };
}
