// SPDX-License-Identifier: GPL-2.0-only
/* Another policy, and what a person says of a path. */
#include <errno.h>
#include <string.h>

#include "daemon/source.h"
#include "pm/engine_choose.h"

static const char *engine_name(enum policy_engine kind)
{
	return kind == POLICY_ENGINE_KERNEL ? "kernel" : "userspace";
}

static unsigned int find_path(const struct policy *p, const char *name)
{
	unsigned int i = 0;

	while (i < p->nr_paths && strcmp(p->paths[i].name, name) != 0)
		i++;
	return i;
}

/* Paths are known by name: the same one may stand elsewhere in the new policy. */
static uint32_t forced_in(const struct daemon *d, const struct policy *fresh)
{
	uint32_t forced = 0;

	for (unsigned int i = 0; i < d->policy->nr_paths; i++) {
		unsigned int n = find_path(fresh, d->policy->paths[i].name);

		if ((d->forced_down >> i & 1) && n < fresh->nr_paths)
			forced |= 1u << n;
	}
	return forced;
}

static void tell_forced(struct daemon *d)
{
	for (unsigned int i = 0; i < d->policy->nr_paths; i++) {
		const struct pm_input in = { .kind = PM_INPUT_PATH_FORCED,
					     .forced = { i, d->forced_down >> i & 1 } };

		daemon_input(d, &in);
	}
}

static int no_memory(const struct policy *fresh, struct error *e)
{
	return error_set(e, -ENOMEM, "cannot follow policy \"%s\": out of memory", fresh->name);
}

/* An engine of the other kind begins with nothing, as the daemon does when it starts. */
static int replace_engine(struct daemon *d, struct policy *fresh, enum policy_engine kind,
			  struct error *e)
{
	struct pm_engine *engine = pm_engine_new(fresh);

	if (!engine)
		return no_memory(fresh, e);
	pm_decisions_clear(&d->decisions);
	pm_engine_free(&d->engine);
	d->engine = engine;
	d->kind = kind;
	return 0;
}

void daemon_set_level(struct daemon *d)
{
	static const enum log_level levels[] = {
		[POLICY_LOG_INFO] = LOG_LEVEL_INFO,
		[POLICY_LOG_ERROR] = LOG_LEVEL_ERROR,
		[POLICY_LOG_WARNING] = LOG_LEVEL_WARNING,
		[POLICY_LOG_DEBUG] = LOG_LEVEL_DEBUG,
	};

	if (!d->has_level)
		d->log.level = levels[d->policy->observe.log];
}

static void adopt(struct daemon *d, struct policy *fresh)
{
	d->forced_down = forced_in(d, fresh);
	d->looked_at = NULL;
	policy_free(&d->policy);
	d->policy = fresh;
	daemon_set_level(d);
}

int daemon_follow(struct daemon *d, struct policy *fresh, struct error *e)
{
	char reason[PM_REASON_BYTES];
	enum policy_engine kind = pm_engine_choose(fresh, reason);
	bool replaced = kind != d->kind;
	int err = pm_engine_check(fresh, e);

	if (err < 0)
		return err;
	if (replaced)
		err = replace_engine(d, fresh, kind, e);
	else if (pm_engine_policy(d->engine, fresh, loop_now_ms(), &d->decisions) < 0)
		err = no_memory(fresh, e);
	if (err < 0)
		return err;
	adopt(d, fresh);
	log_line(&d->log, LOG_LEVEL_INFO, "policy \"%s\" from %s, engine %s (%s)", fresh->name,
		 fresh->file, engine_name(kind), reason);
	if (replaced)
		daemon_read_interfaces(d, true);
	tell_forced(d);
	daemon_act(d);
	if (replaced)
		daemon_resync(d, "another engine");
	sources_policy_changed(d);
	daemon_settle_soon(d);
	return 0;
}

int daemon_reload(struct daemon *d, struct error *e)
{
	struct policy_diagnostics found = { 0 };
	struct policy *fresh = NULL;
	int err = policy_load(d->file, &fresh, &found, e);

	if (err < 0 && found.nr)
		error_set(e, err, "%s:%u:%u: %s%s%s", d->file, found.items[0].line,
			  found.items[0].column, found.items[0].text,
			  found.items[0].hint[0] ? "; " : "", found.items[0].hint);
	if (err < 0 && found.nr)
		error_hint(e, "the policy before stays in force; mptcp-pmctl check %s", d->file);
	policy_diagnostics_clear(&found);
	if (err == 0)
		err = daemon_follow(d, fresh, e);
	if (err < 0)
		policy_free(&fresh);
	return err;
}

int daemon_force_path(struct daemon *d, const char *name, bool down, struct error *e)
{
	unsigned int i = find_path(d->policy, name);
	const struct pm_input in = { .kind = PM_INPUT_PATH_FORCED, .forced = { i, down } };

	if (i == d->policy->nr_paths) {
		error_set(e, -ENOENT, "policy \"%s\" has no path \"%s\"", d->policy->name, name);
		return error_hint(e, "mptcp-pmctl path list");
	}
	log_line(&d->log, LOG_LEVEL_INFO, "path \"%s\" is %s by request", name,
		 down ? "down" : "up again");
	if (down)
		d->forced_down |= 1u << i;
	else
		d->forced_down &= ~(1u << i);
	daemon_input(d, &in);
	return 0;
}
