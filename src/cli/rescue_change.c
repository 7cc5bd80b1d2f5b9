// SPDX-License-Identifier: GPL-2.0-only
/* SYN rescue changed as a whole; see rescue_change.h. */
#include "cli/rescue_change.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "pm/cookie.h"
#include "pm/netns.h"
#include "pm/rescue_settings.h"
#include "util/cleanup.h"

static int plan_wanted(struct rescue_change *r, const struct policy *policy,
		       const struct loader_config *c, const struct pm_kernel *kernel,
		       struct pm_plan *plan, struct error *e)
{
	_cleanup_(pm_rescue_facts_clear) struct pm_rescue_facts facts = { 0 };
	int err = pm_rescue_facts_read(&facts, kernel->interfaces, kernel->nr_interfaces, e);

	if (err < 0)
		return err;
	if (pm_rescue_settings_make(policy, &facts, &r->after, plan) < 0)
		return error_set(e, -ENOMEM, "out of memory");
	return loader_rescue_load(c, &r->after, true, &r->outcome, e);
}

int rescue_change_plan(struct rescue_change *r, const struct policy *policy,
		       const struct loader_config *c, const struct pm_kernel *kernel,
		       struct pm_plan *plan, struct error *e)
{
	struct error ignored = { 0 };
	struct pm_netns ns = { 0 };
	int err;

	memset(r, 0, sizeof(*r));
	r->outcome = LOADER_UNCHANGED;
	r->wanted = pm_rescue_wanted(policy);
	err = pm_netns_identify(&ns, e);
	if (err < 0)
		return err;
	r->cookie = ns.cookie;
	err = loader_rescue_settings(c, r->cookie, &r->before, r->wanted ? e : &ignored);
	r->had = err == 0;
	if (r->wanted && (err == 0 || err == -ENOENT))
		return plan_wanted(r, policy, c, kernel, plan, e);
	if (err == 0 || err == -ENOENT || ignored.code == -EACCES || ignored.code == -EPERM)
		return 0;
	return error_set(e, err, "%s", ignored.text);
}

bool rescue_change_none(const struct rescue_change *r)
{
	return r->wanted ? r->outcome == LOADER_UNCHANGED : !r->had;
}

static void list_interfaces(const struct rescue_config *s, char *out, size_t size)
{
	char name[IF_NAMESIZE];

	out[0] = '\0';
	for (uint32_t i = 0; i < s->nr_paths; i++) {
		size_t n = strlen(out);

		if (!if_indextoname(s->paths[i].ifindex, name))
			snprintf(name, sizeof(name), "%u", s->paths[i].ifindex);
		snprintf(out + n, size - n, "%s%s", i ? ", " : "", name);
	}
}

char rescue_change_describe(const struct rescue_change *r, char *out, size_t size)
{
	const struct rescue_config *s = r->wanted ? &r->after : &r->before;
	char on[RESCUE_PATHS_MAX * (IF_NAMESIZE + 2)];

	list_interfaces(s, on, sizeof(on));
	snprintf(out, size, "%s %s on %s%s%s",
		 !r->wanted ? "remove"
		 : r->had   ? "change"
			    : "load",
		 s->on || !rescue_looks_at_data(s) ? "SYN rescue" : "the watch over data in SYNs",
		 on[0] ? on : "no interface yet", r->wanted && s->race ? ", racing" : "",
		 r->wanted && s->on && rescue_looks_at_data(s) ? ", with a watch over data" : "");
	return !r->wanted ? '-' : r->had ? '~' : '+';
}

void rescue_change_undo(const struct rescue_change *r, const struct loader_config *c,
			struct error *e)
{
	struct error second = { 0 };
	enum loader_outcome outcome;
	int err;

	if (rescue_change_none(r))
		return;
	err = r->had ? loader_rescue_load(c, &r->before, false, &outcome, &second)
		     : loader_rescue_unload(c, r->cookie, true, &second);
	if (err < 0)
		error_hint(e, "SYN rescue could not be put back: %.150s", second.text);
}

int rescue_change_execute(const struct rescue_change *r, const struct loader_config *c, bool force,
			  struct error *e)
{
	enum loader_outcome outcome;
	int err;

	if (rescue_change_none(r))
		return 0;
	if (!r->wanted)
		return loader_rescue_unload(c, r->cookie, force, e);
	err = loader_rescue_load(c, &r->after, false, &outcome, e);
	if (err == 0) {
		err = pm_cookie_tidy(c, r->cookie, e);
		if (err < 0)
			rescue_change_undo(r, c, e);
	}
	return err;
}
