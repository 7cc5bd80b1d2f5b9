// SPDX-License-Identifier: GPL-2.0-only
/*
 * How paths do, told by the oracle in the kernel (pm/oracle.h): at once when a threshold is
 * crossed, and each period as long as something moves. Where it cannot be had, samples (health.c)
 * stand in for it.
 */
#include "pm/oracle.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/health.h"
#include "daemon/source.h"
#include "pm/address.h"
#include "util/cleanup.h"

#define CONFIRM_MS 5	 /* the engine acts on no single sample */
#define RETRY_MS   10000 /* another process watches the paths */
#define US_PER_MS  1000

struct oracle {
	struct daemon *d;
	struct pm_oracle *from; /* NULL: none */
	struct loop_timer period, confirm, retry;
	struct health_wish wish;
	struct pm_health *last; /* what the engine was told */
	size_t nr_last;
	int refused;  /* why there is none, and it was said */
	int counters; /* of TCP */
	uint64_t segments;
};

static bool is_same(const struct pm_health *a, const struct pm_health *b)
{
	return a->ifindex == b->ifindex && pm_address_equal(&a->local, &b->local) &&
	       a->srtt_us == b->srtt_us && a->rto_us == b->rto_us &&
	       a->loss_permille == b->loss_permille && a->resent_permille == b->resent_permille &&
	       a->timeouts == b->timeouts && a->stall_ms == b->stall_ms &&
	       a->rate_bps == b->rate_bps;
}

static bool was_told(const struct oracle *o, const struct pm_health *h)
{
	for (size_t i = 0; i < o->nr_last; i++) {
		if (is_same(&o->last[i], h))
			return true;
	}
	return false;
}

/* What stays as it was is of a path that carries nothing, and no news. `anyway`: a threshold was
 * crossed. */
static void tell(struct oracle *o, bool anyway)
{
	_cleanup_free_ struct pm_health *news = NULL;
	struct pm_input in = { .kind = PM_INPUT_HEALTH };
	struct pm_health *now = NULL;
	struct error e = { 0 };
	size_t nr = 0;

	if (pm_oracle_read(o->from, &now, &nr, &e) < 0) {
		log_error(&o->d->log, &e);
		return;
	}
	o->d->counters.samples++;
	news = calloc(nr ? nr : 1, sizeof(*news));
	for (size_t i = 0; news && i < nr; i++) {
		if (anyway || !was_told(o, &now[i]))
			news[in.health.nr++] = now[i];
	}
	free(o->last);
	o->last = now;
	o->nr_last = nr;
	in.health.items = news;
	if (in.health.nr)
		daemon_input(o->d, &in);
}

static void log_event(const struct pm_oracle_event *event, void *data)
{
	struct oracle *o = data;
	char name[IF_NAMESIZE], local[INET6_ADDRSTRLEN];

	log_line(&o->d->log, LOG_LEVEL_DEBUG, "oracle: %s from %s is %s (%s %" PRIu32 ")",
		 if_indextoname((unsigned int)event->ifindex, name) ? name : "an interface",
		 pm_address_text(&event->local, local), event->bad ? "bad" : "good",
		 pm_oracle_trigger_names[event->trigger], event->value);
}

static void close_oracle(struct oracle *o)
{
	if (!o->from)
		return;
	loop_fd_remove(o->d->loop, pm_oracle_fd(o->from));
	pm_oracle_close(&o->from);
	o->d->has_oracle = false;
	loop_timer_set(o->d->loop, &o->period, LOOP_NEVER);
	loop_timer_set(o->d->loop, &o->confirm, LOOP_NEVER);
}

static void on_event(int fd, uint32_t events, void *data)
{
	struct oracle *o = data;
	int n = pm_oracle_events(o->from, log_event, o);

	(void)fd;
	(void)events;
	if (n < 0) {
		log_line(&o->d->log, LOG_LEVEL_ERROR,
			 "cannot read the oracle's events: %s; paths are sampled instead",
			 strerror(-n));
		close_oracle(o);
		return;
	}
	if (n == 0)
		return;
	loop_timer_set(o->d->loop, &o->confirm, loop_now_ms() + CONFIRM_MS);
	tell(o, true);
}

static void on_confirm(void *data)
{
	tell(data, true);
}

/* While a path stalls, that nothing moves is the news. */
static bool is_quiet(struct oracle *o)
{
	uint64_t before = o->segments;

	o->segments = health_count_segments(o->counters);
	for (size_t i = 0; i < o->nr_last; i++) {
		if (o->last[i].stall_ms || o->last[i].timeouts)
			return false;
	}
	return o->segments && o->segments == before;
}

static void on_period(void *data)
{
	struct oracle *o = data;
	uint64_t start_ms = loop_now_ms();

	if (!pm_engine_nr_connections(o->d->engine))
		return;
	if (!is_quiet(o))
		tell(o, false);
	loop_timer_set(o->d->loop, &o->period,
		       loop_now_ms() +
			       health_pause_ms(&o->wish, (loop_now_ms() - start_ms) * US_PER_MS));
}

/* Said once, and again when it is for another reason. */
static void refuse(struct oracle *o, int err, const struct error *e)
{
	if (err != o->refused)
		log_line(&o->d->log, LOG_LEVEL_WARNING,
			 "no oracle, paths are sampled each %" PRIu32 " ms instead: %s",
			 o->wish.period_ms, e->text);
	o->refused = err;
	if (err == -EBUSY)
		loop_timer_set(o->d->loop, &o->retry, loop_now_ms() + RETRY_MS);
}

static void follow_policy(struct daemon *d, void *state)
{
	struct oracle *o = state;
	struct error e = { 0 };
	int err;

	o->wish = health_wish(d->policy);
	if (!o->wish.wanted) {
		close_oracle(o);
		loop_timer_set(d->loop, &o->retry, LOOP_NEVER);
		return;
	}
	if (o->from) {
		err = pm_oracle_policy(o->from, d->policy, &e);
		if (err < 0)
			log_error(&d->log, &e);
		return;
	}
	err = source_may_load("load the oracle", &e);
	if (err == 0)
		err = pm_oracle_open(NULL, d->policy, &o->from, &e);
	if (err == 0) {
		err = loop_fd_add(d->loop, pm_oracle_fd(o->from), EPOLLIN, on_event, o);
		if (err < 0) {
			pm_oracle_close(&o->from);
			error_set(&e, err, "%s", strerror(-err));
		}
	}
	if (err < 0) {
		refuse(o, err, &e);
		return;
	}
	o->refused = 0;
	d->has_oracle = true;
	log_line(&d->log, LOG_LEVEL_INFO, "the oracle tells how paths do");
}

static void retry(void *data)
{
	struct oracle *o = data;

	follow_policy(o->d, o);
	sources_after_input(o->d);
}

/* The first connection after none. */
static void after_input(struct daemon *d, void *state)
{
	struct oracle *o = state;

	if (o->from && o->period.due_ms == LOOP_NEVER && pm_engine_nr_connections(d->engine))
		loop_timer_set(d->loop, &o->period, loop_now_ms() + o->wish.period_ms);
}

static void close_source(struct daemon *d, void *state)
{
	struct oracle *o = state;

	if (!o)
		return;
	close_oracle(o);
	loop_timer_remove(d->loop, &o->period);
	loop_timer_remove(d->loop, &o->confirm);
	loop_timer_remove(d->loop, &o->retry);
	cleanup_close(&o->counters);
	free(o->last);
	free(o);
}

static int open_source(struct daemon *d, void **state, struct error *e)
{
	struct oracle *o = calloc(1, sizeof(*o));

	*state = o;
	if (!o)
		return error_set(e, -ENOMEM, "cannot hear the oracle: out of memory");
	o->d = d;
	o->counters = health_open_counters();
	o->period = (struct loop_timer){ .call = on_period, .data = o };
	o->confirm = (struct loop_timer){ .call = on_confirm, .data = o };
	o->retry = (struct loop_timer){ .call = retry, .data = o };
	if (loop_timer_add(d->loop, &o->period) < 0 || loop_timer_add(d->loop, &o->confirm) < 0 ||
	    loop_timer_add(d->loop, &o->retry) < 0)
		return error_set(e, -ENOMEM, "cannot hear the oracle: out of memory");
	follow_policy(d, o);
	return 0;
}

const struct daemon_source source_oracle = {
	.name = "oracle",
	.open = open_source,
	.policy_changed = follow_policy,
	.after_input = after_input,
	.close = close_source,
};
