// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYN rescue: interfaces that appear take part, and connections that were rescued get a proper
 * subflow on the path that they ride (pm/rescue.h). The rest of their subflows is the engine's.
 */
#include "pm/rescue.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/source.h"
#include "pm/path.h"
#include "pm/rescue_settings.h"

#define RETRY_MS   10000
#define IDLE_MS	   10000 /* events tell when there is more to do */
#define SHARE	   20	 /* looking takes at most one part of so many of the time */
#define TEXT_BYTES 256

struct rescue {
	struct daemon *d;
	struct pm_rescue after; /* looks after those that were rescued */
	bool looks;		/* it is open */
	struct loop_timer step, settle;
	uint64_t earliest_ms; /* of the next step */
	uint64_t interfaces;  /* those it was made for */
	bool on;	      /* it is in the kernel because of a policy */
	struct rescue_config now;
	int refused; /* why it cannot be had, and it was said */
};

static unsigned int path_of(const struct daemon *d, int ifindex)
{
	for (size_t i = 0; i < d->nr_interfaces; i++) {
		const struct policy_path *p;

		if (d->interfaces[i].ifindex != ifindex)
			continue;
		p = pm_path_of(d->policy, &d->interfaces[i]);
		return p ? (unsigned int)(p - d->policy->paths) : UINT32_MAX;
	}
	return UINT32_MAX;
}

static const char *reason_of(enum pm_rescue_kind kind)
{
	switch (kind) {
	case PM_RESCUE_JOIN:
		return "rescue: the connection rides this address without a subflow from it";
	case PM_RESCUE_CLOSE:
		return "rescue: a proper subflow is on the path that it rode";
	case PM_RESCUE_RENEW:
		return "rescue: the path that did not answer may do so again";
	case PM_RESCUE_FORGET:
		break;
	}
	return "";
}

static void tell_action(const struct pm_rescue_action *a, const struct error *e, void *data)
{
	struct rescue *r = data;
	struct pm_decision one = { .kind = PM_DECIDE_NOTICE, .token = a->token };
	char what[TEXT_BYTES];

	if (a->kind == PM_RESCUE_FORGET)
		return;
	one.path =
		path_of(r->d, a->kind == PM_RESCUE_CLOSE ? (int)a->flow.flow.ifindex : a->ifindex);
	snprintf(one.reason, sizeof(one.reason), "%s", reason_of(a->kind));
	pm_rescue_describe(a, what, sizeof(what));
	daemon_report(r->d, &one, what, e ? e->text : NULL);
}

/* Said once, and again when it is for another reason. */
static void refuse(struct rescue *r, int err, const struct error *e)
{
	if (err != r->refused)
		log_error(&r->d->log, e);
	r->refused = err;
}

static void set_step(struct rescue *r)
{
	uint64_t due_ms = r->after.next_ms;

	loop_timer_set(r->d->loop, &r->step, due_ms > r->earliest_ms ? due_ms : r->earliest_ms);
}

static void step(void *data)
{
	struct rescue *r = data;
	struct error e = { 0 };
	uint64_t start_ms = loop_now_ms(), now_ms;
	int err = pm_rescue_step(&r->after, start_ms, &e);

	now_ms = loop_now_ms();
	if (err < 0) {
		refuse(r, err, &e);
		r->after.next_ms = now_ms + RETRY_MS;
	} else if (r->after.next_ms >= start_ms + PM_RESCUE_IDLE_MS) {
		r->after.next_ms = now_ms + IDLE_MS;
	}
	r->earliest_ms = now_ms + (now_ms - start_ms) * SHARE;
	set_step(r);
}

static void stop_looking(struct rescue *r)
{
	if (!r->looks)
		return;
	r->looks = false;
	loop_timer_set(r->d->loop, &r->step, LOOP_NEVER);
	pm_rescue_close(&r->after);
}

static int start_looking(struct rescue *r, struct error *e)
{
	int err = r->looks ? 0 : pm_rescue_open(&r->after, NULL, e);

	if (err < 0)
		return err;
	r->looks = true;
	r->after.engine = r->d->kind == POLICY_ENGINE_USERSPACE;
	r->after.report = tell_action;
	r->after.data = r;
	loop_timer_set(r->d->loop, &r->step, 0);
	return 0;
}

static void tell_change(struct rescue *r, const struct rescue_config *wanted)
{
	for (uint32_t i = 0; i < wanted->nr_paths; i++) {
		struct pm_decision one = { .kind = PM_DECIDE_NOTICE,
					   .reason = "the policy wants SYN rescue on its path" };
		char name[IF_NAMESIZE], what[TEXT_BYTES];
		bool had = false;

		for (uint32_t k = 0; k < r->now.nr_paths; k++)
			had |= r->now.paths[k].ifindex == wanted->paths[i].ifindex;
		if (had || !if_indextoname(wanted->paths[i].ifindex, name))
			continue;
		one.path = path_of(r->d, (int)wanted->paths[i].ifindex);
		snprintf(what, sizeof(what), "rescue SYNs on %s", name);
		daemon_report(r->d, &one, what, NULL);
	}
}

/* The settings tell whether something has to be done, which takes the programs to be loaded. */
static int put_in_force(struct rescue *r, struct error *e)
{
	_cleanup_(pm_rescue_facts_clear) struct pm_rescue_facts facts = { 0 };
	_cleanup_(pm_plan_clear) struct pm_plan left_out = { 0 };
	struct rescue_config wanted;
	enum loader_outcome outcome;
	int err = pm_rescue_facts_read(&facts, r->d->interfaces, r->d->nr_interfaces, e);

	if (err < 0)
		return err;
	if (pm_rescue_settings_make(r->d->policy, &facts, &wanted, &left_out) < 0)
		return error_set(e, -ENOMEM, "cannot make the settings of SYN rescue: %s",
				 "out of memory");
	err = loader_rescue_settings(NULL, r->d->netns.cookie, &r->now, e);
	if (err == -ENOENT)
		r->now = (struct rescue_config){ 0 };
	else if (err < 0)
		return err;
	if (err == 0 && memcmp(&r->now, &wanted, sizeof(wanted)) == 0)
		return 0;
	err = source_may_load("change SYN rescue", e);
	if (err == 0)
		err = loader_rescue_load(NULL, &wanted, false, &outcome, e);
	if (err == 0)
		tell_change(r, &wanted);
	return err;
}

static void settle(void *data)
{
	struct rescue *r = data;
	struct error e = { 0 };
	int err;

	if (pm_rescue_wanted(r->d->policy)) {
		err = put_in_force(r, &e);
		r->on |= err == 0;
		if (r->on && err == 0)
			err = start_looking(r, &e);
		if (err < 0)
			refuse(r, err, &e);
		else
			r->refused = 0;
		return;
	}
	if (!r->on)
		return;
	err = loader_rescue_unload(NULL, r->d->netns.cookie, false, &e);
	if (err < 0) {
		/* Some still ride: they are looked after until they need not. */
		refuse(r, err, &e);
		loop_timer_set(r->d->loop, &r->settle, loop_now_ms() + RETRY_MS);
		return;
	}
	r->on = false;
	stop_looking(r);
	log_line(&r->d->log, LOG_LEVEL_INFO, "SYNs are not rescued any more");
}

static void follow_policy(struct daemon *d, void *state)
{
	(void)d;
	settle(state);
}

static int start_rescue(struct daemon *d, void *state, struct error *e)
{
	struct rescue *r = state;

	(void)e;
	r->interfaces = d->counters.interfaces;
	settle(r);
	return 0;
}

static void after_input(struct daemon *d, void *state)
{
	struct rescue *r = state;

	source_follow_interfaces(d, &r->interfaces, &r->settle);
}

static void on_event(struct daemon *d, void *state, const struct pm_event *event)
{
	struct rescue *r = state;

	if (!r->looks)
		return;
	(void)d;
	pm_rescue_event(&r->after, event, loop_now_ms());
	set_step(r);
}

static void close_rescue(struct daemon *d, void *state)
{
	struct rescue *r = state;

	if (!r)
		return;
	stop_looking(r);
	loop_timer_remove(d->loop, &r->step);
	loop_timer_remove(d->loop, &r->settle);
	free(r);
}

static int open_rescue(struct daemon *d, void **state, struct error *e)
{
	struct rescue *r = calloc(1, sizeof(*r));

	*state = r;
	if (!r)
		return error_set(e, -ENOMEM, "cannot look after SYN rescue: out of memory");
	r->d = d;
	r->step = (struct loop_timer){ .call = step, .data = r };
	r->settle = (struct loop_timer){ .call = settle, .data = r };
	if (loop_timer_add(d->loop, &r->step) < 0 || loop_timer_add(d->loop, &r->settle) < 0)
		return error_set(e, -ENOMEM, "cannot look after SYN rescue: out of memory");
	return 0;
}

const struct daemon_source source_rescue = {
	.name = "rescue",
	.open = open_rescue,
	.start = start_rescue,
	.policy_changed = follow_policy,
	.after_input = after_input,
	.event = on_event,
	.close = close_rescue,
};
