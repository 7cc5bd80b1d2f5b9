// SPDX-License-Identifier: GPL-2.0-only
/* Resets with a reason changed as a whole; see reset_change.h. */
#include "cli/reset_change.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "pm/netns.h"
#include "pm/path.h"

/* Interfaces that belong to a path, ascending as they come. */
static int find_interfaces(struct reset_change *r, const struct policy *policy,
			   const struct pm_kernel *kernel, struct error *e)
{
	for (size_t i = 0; i < kernel->nr_interfaces; i++) {
		if (!pm_path_of(policy, &kernel->interfaces[i]))
			continue;
		if (r->nr_after == MPTCP_RESET_IFS)
			return error_set(e, -E2BIG, "more than %d interfaces belong to paths",
					 MPTCP_RESET_IFS);
		r->after[r->nr_after++] = (uint32_t)kernel->interfaces[i].ifindex;
	}
	return 0;
}

int reset_change_plan(struct reset_change *r, const struct policy *policy,
		      const struct pm_kernel *kernel, const struct loader_config *c,
		      struct error *e)
{
	bool wanted = policy && policy->reset.emits;
	struct pm_netns ns = { 0 };
	int err;

	memset(r, 0, sizeof(*r));
	r->program = LOADER_UNCHANGED;
	err = pm_netns_identify(&ns, e);
	if (err < 0)
		return err;
	r->cookie = ns.cookie;
	err = loader_reset_read(c, r->cookie, r->before, &r->nr_before, &r->dead,
				wanted ? e : NULL);
	if (!wanted)
		return err == -EACCES || err == -EPERM ? 0 : err;
	if (err == 0)
		err = find_interfaces(r, policy, kernel, e);
	if (err == 0 && r->nr_after)
		err = loader_reset_try(c, r->cookie, &r->program, e);
	return err;
}

bool reset_change_none(const struct reset_change *r)
{
	return !r->dead && r->nr_before == r->nr_after &&
	       (!r->nr_after || r->program == LOADER_UNCHANGED) &&
	       memcmp(r->before, r->after, r->nr_after * sizeof(r->after[0])) == 0;
}

int reset_change_execute(const struct reset_change *r, const struct loader_config *c,
			 struct error *e)
{
	int err = loader_reset_write(c, r->cookie, r->after, r->nr_after, e);

	if (err < 0)
		reset_change_undo(r, c, e);
	return err;
}

void reset_change_undo(const struct reset_change *r, const struct loader_config *c, struct error *e)
{
	struct error second = { 0 };

	if (loader_reset_write(c, r->cookie, r->before, r->nr_before, &second) < 0)
		error_hint(e, "resets with a reason could not be put back: %.150s", second.text);
}

char reset_change_describe(const struct reset_change *r, char *out, size_t size)
{
	const uint32_t *ifs = r->nr_after ? r->after : r->before;
	size_t nr = r->nr_after ? r->nr_after : r->nr_before, n;
	char name[IF_NAMESIZE];

	n = (size_t)snprintf(out, size, "give resets their reason on");
	for (size_t i = 0; i < nr && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s %s", i ? "," : "",
				      if_indextoname(ifs[i], name) ? name : "?");
	if (!nr && n < size)
		snprintf(out + n, size - n, " interfaces that are gone");
	if (!r->nr_after)
		return '-';
	return r->nr_before ? '~' : '+';
}
