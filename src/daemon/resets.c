// SPDX-License-Identifier: GPL-2.0-only
/* Resets with a reason: interfaces that appear get the program that writes it. It stays there when
 * the daemon ends, and does nothing then. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/source.h"
#include "loader/reset.h"
#include "pm/reset.h"

#define TEXT_BYTES 256

struct resets {
	struct daemon *d;
	struct loop_timer settle;
	uint64_t interfaces; /* those it was made for */
	bool on;	     /* the policy before asked for it */
	int refused;	     /* why it cannot be had, and it was said */
};

static void tell(struct daemon *d, const uint32_t *ifs, size_t nr)
{
	const struct pm_decision one = {
		.kind = PM_DECIDE_NOTICE,
		.path = UINT32_MAX,
		.reason = "the policy says why subflows end",
	};
	char text[TEXT_BYTES];

	if (!nr)
		return;
	pm_reset_describe(ifs, nr, text, sizeof(text));
	daemon_report(d, &one, text, NULL);
}

static int write_all(struct resets *r, struct error *e)
{
	uint32_t have[MPTCP_RESET_IFS], want[MPTCP_RESET_IFS];
	const uint64_t cookie = r->d->netns.cookie;
	size_t nr_have = 0, nr = 0;
	bool dead = false;
	int err = pm_reset_interfaces(r->d->policy, r->d->interfaces, r->d->nr_interfaces, want,
				      &nr, e);

	if (err == 0)
		err = loader_reset_read(NULL, cookie, have, &nr_have, &dead, e);
	if (err < 0)
		return err;
	if (!dead && nr == nr_have && memcmp(have, want, nr * sizeof(want[0])) == 0)
		return 0;
	err = source_may_load("give resets their reason", e);
	if (err == 0)
		err = loader_reset_write(NULL, cookie, want, nr, e);
	if (err == 0)
		tell(r->d, want, nr);
	return err;
}

static void settle(void *data)
{
	struct resets *r = data;
	struct error e = { 0 };
	int err;

	if (!r->d->policy->reset.emits && !r->on)
		return;
	err = write_all(r, &e);
	r->on = r->d->policy->reset.emits;
	/* Said once, and again when it is for another reason. */
	if (err < 0 && err != r->refused)
		log_error(&r->d->log, &e);
	r->refused = err;
}

static void follow_policy(struct daemon *d, void *state)
{
	(void)d;
	settle(state);
}

static int start_resets(struct daemon *d, void *state, struct error *e)
{
	struct resets *r = state;

	(void)e;
	r->interfaces = d->counters.interfaces;
	settle(r);
	return 0;
}

static void after_input(struct daemon *d, void *state)
{
	struct resets *r = state;

	source_follow_interfaces(d, &r->interfaces, &r->settle);
}

static void close_resets(struct daemon *d, void *state)
{
	struct resets *r = state;

	if (!r)
		return;
	loop_timer_remove(d->loop, &r->settle);
	free(r);
}

static int open_resets(struct daemon *d, void **state, struct error *e)
{
	struct resets *r = calloc(1, sizeof(*r));

	*state = r;
	if (!r)
		return error_set(e, -ENOMEM, "cannot give resets their reason: out of memory");
	r->d = d;
	r->settle = (struct loop_timer){ .call = settle, .data = r };
	if (loop_timer_add(d->loop, &r->settle) < 0)
		return error_set(e, -ENOMEM, "cannot give resets their reason: out of memory");
	return 0;
}

const struct daemon_source source_resets = {
	.name = "resets",
	.open = open_resets,
	.start = start_resets,
	.policy_changed = follow_policy,
	.after_input = after_input,
	.close = close_resets,
};
