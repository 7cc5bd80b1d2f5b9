// SPDX-License-Identifier: GPL-2.0-only
/*
 * Initial path selection: interfaces that appear take part, what connections taught is saved now
 * and then, and MPTCP is given back where the kernel took an outage for a network without it
 * (pm/watchdog.h).
 */
#include "loader/learn.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/source.h"
#include "pm/ips.h"
#include "pm/learned.h"
#include "pm/network.h"
#include "pm/watchdog.h"
#include "util/cleanup.h"

#define WATCH_MS 1000
#define SAVE_MS	 60000

struct learn {
	struct daemon *d;
	struct loop_timer watch, save, settle;
	struct pm_watchdog watchdog;
	uint64_t interfaces; /* those that were told */
	bool on;
	int refused; /* what went wrong, and was said */
	/* As saved last. */
	struct loader_learn_row *rows;
	size_t nr_rows;
};

/* Said once, and again when it is something else. */
static void refuse(struct learn *l, int err, const struct error *e)
{
	if (err != l->refused)
		log_error(&l->d->log, e);
	l->refused = err;
}

static void save(void *data)
{
	struct loader_learn_row *rows = NULL;
	struct learn *l = data;
	struct error e = { 0 };
	size_t nr = 0;
	int err = loader_learn_rows(NULL, l->d->netns.cookie, &rows, &nr, &e);
	bool same = err == 0 && nr == l->nr_rows &&
		    (!nr || memcmp(rows, l->rows, nr * sizeof(*rows)) == 0);

	if (err == 0 && !same)
		err = pm_learned_save(&l->d->netns, rows, nr, &e);
	if (err < 0) {
		refuse(l, err, &e);
		free(rows);
		return;
	}
	free(l->rows);
	l->rows = rows;
	l->nr_rows = nr;
}

static void watch(void *data)
{
	struct pm_decision one = { .kind = PM_DECIDE_NOTICE, .path = UINT32_MAX };
	char text[PM_WATCH_TEXT_BYTES];
	struct learn *l = data;
	struct error e = { 0 };
	int verdict = pm_watchdog_run(&l->watchdog, NULL, false, text, &e);

	if (verdict == PM_WATCH_RESTORE) {
		snprintf(one.reason, sizeof(one.reason),
			 "the kernel takes an outage for a network that drops MPTCP");
		daemon_report(l->d, &one, text, NULL);
	} else if (verdict < 0) {
		refuse(l, verdict, &e);
	} else if (text[0]) {
		log_line(&l->d->log, LOG_LEVEL_WARNING, "%s", text);
	}
}

static void tell_change(struct learn *l, const struct loader_learn_space *before,
			const struct loader_learn_space *after)
{
	for (size_t i = 0; i < after->nr_paths; i++) {
		char name[IF_NAMESIZE];
		bool had = false;

		for (size_t k = 0; k < before->nr_paths; k++)
			had |= before->paths[k].ifindex == after->paths[i].ifindex;
		if (!had && if_indextoname(after->paths[i].ifindex, name))
			log_line(&l->d->log, LOG_LEVEL_INFO, "connections may begin on %s", name);
	}
}

/* What apply put in force, for the interfaces that there are now. */
static int follow_interfaces(struct learn *l, struct error *e)
{
	_cleanup_(pm_routing_clear) struct pm_routing routing = { 0 };
	_cleanup_(pm_plan_clear) struct pm_plan left_out = { 0 };
	_cleanup_free_ struct loader_learn_space *spaces = calloc(2, sizeof(*spaces));
	const struct pm_kernel kernel = { .interfaces = l->d->interfaces,
					  .nr_interfaces = l->d->nr_interfaces };
	const struct pm_ips_facts facts = { &kernel, &routing, &l->d->netns, spaces };
	const uint64_t cookie = l->d->netns.cookie;
	int err;

	if (!spaces)
		return error_set(e, -ENOMEM, "cannot tell where connections may begin: %s",
				 "out of memory");
	err = loader_learn_read(NULL, cookie, &spaces[0], e);
	if (err == 0 && !spaces[0].on)
		return 0;
	if (err == 0)
		err = pm_routing_read(&routing, e);
	if (err == 0)
		err = pm_ips_make(l->d->policy, &facts, &spaces[1], &left_out, e);
	if (err == 0 && !loader_learn_same(&spaces[0], &spaces[1])) {
		err = loader_learn_write(NULL, cookie, &spaces[1], e);
		if (err == 0)
			tell_change(l, &spaces[0], &spaces[1]);
	}
	return err;
}

static void settle(void *data)
{
	struct learn *l = data;
	struct error e = { 0 };
	int err = l->on ? follow_interfaces(l, &e) : 0;

	if (err < 0)
		refuse(l, err, &e);
}

static void follow_policy(struct daemon *d, void *state)
{
	bool on = d->policy->establish.robe & POLICY_ROBE_IPS;
	struct learn *l = state;

	l->refused = 0;
	if (on && !l->on) {
		l->watchdog = (struct pm_watchdog){ 0 };
		loop_timer_every(d->loop, &l->watch, WATCH_MS);
		loop_timer_every(d->loop, &l->save, SAVE_MS);
	} else if (!on && l->on) {
		loop_timer_set(d->loop, &l->watch, LOOP_NEVER);
		loop_timer_set(d->loop, &l->save, LOOP_NEVER);
		loop_timer_set(d->loop, &l->settle, LOOP_NEVER);
	}
	l->on = on;
}

static int start_learn(struct daemon *d, void *state, struct error *e)
{
	struct learn *l = state;

	(void)e;
	follow_policy(d, l);
	return 0;
}

/* Also for the interfaces that there were at the start, which apply may not have known. */
static void after_input(struct daemon *d, void *state)
{
	struct learn *l = state;

	if (l->on)
		source_follow_interfaces(d, &l->interfaces, &l->settle);
}

static void close_learn(struct daemon *d, void *state)
{
	struct learn *l = state;

	if (!l)
		return;
	if (l->on)
		save(l);
	loop_timer_remove(d->loop, &l->watch);
	loop_timer_remove(d->loop, &l->save);
	loop_timer_remove(d->loop, &l->settle);
	free(l->rows);
	free(l);
}

static int open_learn(struct daemon *d, void **state, struct error *e)
{
	struct learn *l = calloc(1, sizeof(*l));

	*state = l;
	if (!l)
		return error_set(e, -ENOMEM, "cannot keep what connections taught: out of memory");
	l->d = d;
	l->watch = (struct loop_timer){ .call = watch, .data = l };
	l->save = (struct loop_timer){ .call = save, .data = l };
	l->settle = (struct loop_timer){ .call = settle, .data = l };
	if (loop_timer_add(d->loop, &l->watch) < 0 || loop_timer_add(d->loop, &l->save) < 0 ||
	    loop_timer_add(d->loop, &l->settle) < 0)
		return error_set(e, -ENOMEM, "cannot keep what connections taught: out of memory");
	return 0;
}

const struct daemon_source source_learn = {
	.name = "learn",
	.open = open_learn,
	.start = start_learn,
	.policy_changed = follow_policy,
	.after_input = after_input,
	.close = close_learn,
};
