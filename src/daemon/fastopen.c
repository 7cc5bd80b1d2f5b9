// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data in SYNs: destinations that it does not reach are told, and the kernel forgets the cookies
 * that would make it send more (pm/cookie.h). The programs keep them from asking for others.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/source.h"
#include "pm/cookie.h"
#include "pm/rescue_settings.h"

#define LOOK_MS	   1000
#define TELL_MAX   32 /* destinations at a time */
#define NS_PER_S   1000000000u
#define TEXT_BYTES 256

struct fastopen {
	struct daemon *d;
	struct loop_timer look;
	uint64_t seen;	  /* of the counters */
	uint64_t told_ns; /* destinations were told whose time ends before */
	int refused;	  /* why it could not be looked at, and it was said */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void tell(struct fastopen *f, const struct loader_rescue_lost *l, uint64_t now)
{
	struct pm_decision one = { .kind = PM_DECIDE_NOTICE, .path = UINT32_MAX };
	char address[INET6_ADDRSTRLEN], dev[IF_NAMESIZE], what[TEXT_BYTES];
	struct pm_address remote;

	pm_rescue_address_back(&l->at.remote, &remote);
	if (!if_indextoname(l->at.ifindex, dev))
		return;
	snprintf(one.reason, sizeof(one.reason), "SYNs with data were lost, those without arrived");
	snprintf(what, sizeof(what), "send no data in SYNs to %s by %s for %llu s",
		 pm_address_text(&remote, address), dev,
		 (unsigned long long)((l->lost.until_ns - now) / NS_PER_S));
	daemon_report(f->d, &one, what, NULL);
}

/* Each time is as long as the others, so one that ends later began later. */
static int tell_new(struct fastopen *f, struct error *e)
{
	struct loader_rescue_lost held[TELL_MAX];
	uint64_t now = now_ns(), last = f->told_ns;
	size_t nr;
	int err = loader_rescue_held(NULL, f->d->netns.cookie, now, held, TELL_MAX, &nr, e);

	for (size_t i = 0; err == 0 && i < nr && i < TELL_MAX; i++) {
		if (held[i].lost.until_ns <= f->told_ns)
			continue;
		tell(f, &held[i], now);
		if (held[i].lost.until_ns > last)
			last = held[i].lost.until_ns;
	}
	f->told_ns = last;
	return err;
}

static int follow_counters(struct fastopen *f, struct error *e)
{
	uint64_t counts[RESCUE_COUNTS], seen;
	int err = loader_rescue_counts(NULL, f->d->netns.cookie, counts, e);

	if (err < 0)
		return err;
	seen = counts[RESCUE_DATA_HOLDS] + counts[RESCUE_DATA_HELD] + counts[RESCUE_DATA_UNLISTED];
	if (seen == f->seen)
		return 0;
	err = tell_new(f, e);
	if (err == 0)
		err = pm_cookie_tidy(NULL, f->d->netns.cookie, e);
	if (err == 0)
		f->seen = seen;
	return err;
}

static void look(void *data)
{
	struct fastopen *f = data;
	struct error e = { 0 };
	int err;

	if (!pm_rescue_looks_at_data(f->d->policy)) {
		loop_timer_set(f->d->loop, &f->look, LOOP_NEVER);
		return;
	}
	err = follow_counters(f, &e);
	if (err < 0 && err != f->refused)
		log_error(&f->d->log, &e);
	f->refused = err;
	loop_timer_set(f->d->loop, &f->look, loop_now_ms() + LOOK_MS);
}

static void follow_policy(struct daemon *d, void *state)
{
	struct fastopen *f = state;

	/* Cookies may be of destinations that were listed before. */
	f->seen = UINT64_MAX;
	f->told_ns = 0;
	loop_timer_set(d->loop, &f->look, 0);
}

static int start(struct daemon *d, void *state, struct error *e)
{
	(void)e;
	follow_policy(d, state);
	return 0;
}

static void close_fastopen(struct daemon *d, void *state)
{
	struct fastopen *f = state;

	if (!f)
		return;
	loop_timer_remove(d->loop, &f->look);
	free(f);
}

static int open_fastopen(struct daemon *d, void **state, struct error *e)
{
	struct fastopen *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f)
		return error_set(e, -ENOMEM, "cannot look after data in SYNs: out of memory");
	f->d = d;
	f->look = (struct loop_timer){ .call = look, .data = f };
	if (loop_timer_add(d->loop, &f->look) < 0)
		return error_set(e, -ENOMEM, "cannot look after data in SYNs: out of memory");
	return 0;
}

const struct daemon_source source_fastopen = {
	.name = "fastopen",
	.open = open_fastopen,
	.start = start,
	.policy_changed = follow_policy,
	.close = close_fastopen,
};
