// SPDX-License-Identifier: GPL-2.0-only
/* Schedulers of a policy as a whole; see sched_set.h. */
#include "cli/sched_set.h"

#include "pm/rules.h"

#include <errno.h>
#include <string.h>

bool sched_set_has(const struct sched_set *s, const char *name)
{
	for (size_t i = 0; i < s->nr; i++) {
		if (strcmp(s->from[i]->name, name) == 0)
			return true;
	}
	return false;
}

static void add(struct sched_set *s, const struct policy_scheduler *scheduler)
{
	if (scheduler->name[0] && strcmp(scheduler->name, "default") != 0 &&
	    !sched_set_has(s, scheduler->name))
		s->from[s->nr++] = scheduler;
}

void sched_set_init(struct sched_set *s, const struct policy *policy)
{
	memset(s, 0, sizeof(*s));
	add(s, &policy->scheduler);
	for (size_t i = 0; pm_rules_wanted(policy) && i < policy->nr_rules; i++)
		add(s, &policy->rules[i].scheduler);
}

static int load(struct sched_set *s, size_t i, const struct loader_config *c, bool try_only,
		struct error *e)
{
	const struct policy_scheduler *from = s->from[i];
	struct sched_change *change = &s->changes[i];
	struct loader_knob knobs[POLICY_KNOBS_MAX];
	int err;

	for (size_t k = 0; k < from->nr_knobs; k++)
		knobs[k] = (struct loader_knob){ from->knobs[k].name, from->knobs[k].values,
						 from->knobs[k].nr_values };
	err = loader_sched_load(c, from->name, knobs, from->nr_knobs, try_only, change->name,
				&change->outcome, e);
	if (err == 0 && strcmp(change->name, from->name) != 0)
		return error_set(e, -EINVAL, "the object of scheduler %s calls itself %s",
				 from->name, change->name);
	return err;
}

int sched_set_try(struct sched_set *s, const struct loader_config *c, struct error *e)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < s->nr; i++)
		err = load(s, i, c, true, e);
	return err;
}

int sched_set_load(struct sched_set *s, const struct loader_config *c, struct error *e)
{
	for (size_t i = 0; i < s->nr; i++) {
		int err;

		if (s->changes[i].outcome != LOADER_LOADED)
			continue;
		err = load(s, i, c, false, e);
		if (err < 0)
			return err;
		s->loaded[i] = s->changes[i].outcome == LOADER_LOADED;
	}
	return 0;
}

int sched_set_swap(struct sched_set *s, const struct loader_config *c, struct error *e)
{
	for (size_t i = 0; i < s->nr; i++) {
		int err;

		if (s->changes[i].outcome != LOADER_SWAPPED || s->loaded[i])
			continue;
		err = load(s, i, c, false, e);
		if (err < 0)
			return err;
	}
	return 0;
}

void sched_set_undo(struct sched_set *s, const struct loader_config *c, struct error *e)
{
	for (size_t i = 0; i < s->nr; i++) {
		struct error second = { 0 };

		if (s->loaded[i] && loader_sched_unload(c, s->changes[i].name, false, &second) < 0)
			error_hint(e,
				   "scheduler %s stays loaded (%.100s): mptcp-pmctl sched unload "
				   "%s",
				   s->changes[i].name, second.text, s->changes[i].name);
	}
}
