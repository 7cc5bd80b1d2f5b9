// SPDX-License-Identifier: GPL-2.0-only
/* Initial path selection changed as a whole; see ips_change.h. */
#include "cli/ips_change.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "loader/ips.h"
#include "pm/ips.h"
#include "pm/learned.h"
#include "policy/quantity.h"
#include "util/cleanup.h"

int ips_change_plan(struct ips_change *i, const struct policy *policy,
		    const struct pm_kernel *kernel, const struct loader_config *c,
		    struct pm_plan *plan, struct error *e)
{
	const bool wanted = policy && (policy->establish.robe & POLICY_ROBE_IPS);
	_cleanup_(pm_routing_clear) struct pm_routing routing = { 0 };
	const struct pm_ips_facts facts = { kernel, &routing, &i->ns, &i->before };
	int err;

	memset(i, 0, sizeof(*i));
	err = pm_netns_identify(&i->ns, e);
	if (err < 0)
		return err;
	err = loader_learn_read(c, i->ns.cookie, &i->before, wanted ? e : NULL);
	if (!wanted)
		return err == -EACCES || err == -EPERM ? 0 : err;
	if (err == 0)
		err = pm_routing_read(&routing, e);
	if (err == 0)
		err = pm_ips_make(policy, &facts, &i->after, plan, e);
	if (err == 0)
		err = loader_ips_load(c, true, &i->programs, e);
	return err;
}

bool ips_change_none(const struct ips_change *i)
{
	return loader_learn_same(&i->before, &i->after) &&
	       (!i->after.on || i->programs == LOADER_UNCHANGED);
}

char ips_change_sign(const struct ips_change *i)
{
	if (!i->after.on)
		return '-';
	return i->before.on ? '~' : '+';
}

void ips_change_describe(const struct ips_change *i, char *out, size_t size)
{
	const struct loader_learn_space *s = i->after.on ? &i->after : &i->before;
	char name[IF_NAMESIZE], ttl[QUANTITY_TEXT_BYTES], explore[QUANTITY_TEXT_BYTES];
	size_t n = (size_t)snprintf(out, size, "begin connections on the best of");

	for (size_t p = 0; p < s->nr_paths && n < size; p++)
		n += (size_t)snprintf(out + n, size - n, "%s %s", p ? "," : "",
				      if_indextoname(s->paths[p].ifindex, name) ?: "?");
	if (!s->nr_paths && n < size)
		n += (size_t)snprintf(out + n, size - n, " no interface yet");
	quantity_format(QUANTITY_MS, s->config.ttl_ms, ttl);
	quantity_format(QUANTITY_PPM, s->config.explore_ppm, explore);
	if (n < size)
		snprintf(out + n, size - n, ", ttl %s, explore %s", ttl, explore);
}

static void remove_unused(const struct loader_config *c, struct error *e)
{
	struct error second = { 0 };

	if (loader_ips_unload_unused(c, pm_netns_alive_as, &second) < 0)
		error_hint(e, "the programs of ips stay loaded: %.200s", second.text);
}

/* From the file when there is nothing newer, and into it. */
static void restore(struct ips_change *i, const struct loader_config *c)
{
	_cleanup_free_ struct loader_learn_row *rows = NULL;
	struct error e = { 0 };
	size_t nr = 0;

	if (pm_learned_load(&i->ns, &rows, &nr, &e) < 0 || loader_learn_put(c, rows, nr, &e) < 0)
		memcpy(i->trouble, e.text, sizeof(i->trouble));
}

static void save(struct ips_change *i, const struct loader_config *c)
{
	_cleanup_free_ struct loader_learn_row *rows = NULL;
	struct error e = { 0 };
	size_t nr = 0;
	int err = loader_learn_rows(c, i->ns.cookie, &rows, &nr, &e);

	if (err == 0)
		err = pm_learned_save(&i->ns, rows, nr, &e);
	if (err == 0 && !i->after.on)
		err = loader_learn_delete(c, rows, nr, &e);
	if (err < 0)
		memcpy(i->trouble, e.text, sizeof(i->trouble));
}

int ips_change_execute(struct ips_change *i, const struct loader_config *c, struct error *e)
{
	enum loader_outcome outcome;
	int err = 0;

	if (ips_change_none(i) && !i->after.on) {
		/* What a run that was killed left is not worth a failure. */
		loader_ips_unload_unused(c, pm_netns_alive_as, NULL);
		return 0;
	}
	if (ips_change_none(i))
		return 0;
	if (i->before.on)
		save(i, c);
	if (i->after.on)
		err = loader_ips_load(c, false, &outcome, e);
	if (err == 0 && i->after.on && !i->before.on)
		restore(i, c);
	if (err == 0)
		err = loader_learn_write(c, i->ns.cookie, &i->after, e);
	if (err < 0)
		remove_unused(c, e);
	else if (!i->after.on)
		err = loader_ips_unload_unused(c, pm_netns_alive_as, e);
	return err;
}

void ips_change_undo(struct ips_change *i, const struct loader_config *c, struct error *e)
{
	struct error second = { 0 };
	enum loader_outcome outcome;
	int err = 0;

	if (ips_change_none(i))
		return;
	if (i->before.on)
		err = loader_ips_load(c, false, &outcome, &second);
	if (err == 0 && i->before.on && !i->after.on)
		restore(i, c);
	if (err == 0)
		err = loader_learn_write(c, i->ns.cookie, &i->before, &second);
	if (err < 0)
		error_hint(e, "ips could not be put back: %.150s", second.text);
	remove_unused(c, e);
}
