// SPDX-License-Identifier: GPL-2.0-only
/*
 * How paths do, sampled from the socket diagnostics where there is no oracle. Only while there are
 * connections and a mode that looks, and not while nothing moves, so that an idle daemon costs next
 * to nothing however many connections there are: what all of TCP has sent and received, which is
 * quickly read, tells whether there is news.
 */
#include "daemon/health.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "daemon/source.h"
#include "pm/sampler.h"

#define US_PER_SECOND 1000000
#define NS_PER_US     1000
#define US_PER_MS     1000
#define SHARE	      50 /* sampling takes at most one part of so many of the time */
#define RETRY_MS      10000
#define SNMP_BYTES    4096

struct health {
	struct daemon *d;
	struct pm_sampler *sampler;
	struct loop_timer timer;
	struct health_wish wish;
	int snmp;  /* /proc/net/snmp of the namespace; -1: cannot be read */
	bool idle; /* the last sample was */
	uint64_t segments;
};

static bool looks(const struct policy_mode *m)
{
	const struct policy_switch *w = &m->when_bad;

	return w->rtt_us.enter || w->rto_us.enter || w->loss_permille.enter ||
	       w->resent_permille.enter || w->timeouts.enter || w->stall_ms.enter ||
	       m->kind == POLICY_MODE_SMALLEST_DELAY || m->kind == POLICY_MODE_TARGET;
}

static void consider(struct health_wish *w, const struct policy_mode *m)
{
	if (!looks(m) || !m->when_bad.period_ms)
		return;
	if (!w->wanted || m->when_bad.period_ms < w->period_ms) {
		w->period_ms = m->when_bad.period_ms;
		w->alpha_permille = m->when_bad.alpha_permille;
	}
	w->wanted = true;
}

struct health_wish health_wish(const struct policy *p)
{
	struct health_wish w = { 0 };

	if (p->nr_modes)
		consider(&w, &p->modes[p->mode_index]);
	for (size_t i = 0; i < p->nr_rules; i++)
		consider(&w, &p->modes[p->rules[i].mode_index]);
	return w;
}

static void set_timer(struct health *h, uint64_t wait_ms)
{
	loop_timer_set(h->d->loop, &h->timer, loop_now_ms() + wait_ms);
}

static void policy_changed(struct daemon *d, void *state)
{
	struct health *h = state;

	h->wish = health_wish(d->policy);
	loop_timer_set(d->loop, &h->timer, LOOP_NEVER);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * US_PER_SECOND + (uint64_t)t.tv_nsec / NS_PER_US;
}

uint64_t health_pause_ms(const struct health_wish *w, uint64_t cost_us)
{
	uint64_t least = cost_us * SHARE / US_PER_MS;

	return least > w->period_ms ? least : w->period_ms;
}

int health_open_counters(void)
{
	return open("/proc/thread-self/net/snmp", O_RDONLY | O_CLOEXEC);
}

uint64_t health_count_segments(int counters)
{
	char text[SNMP_BYTES];
	ssize_t n = counters < 0 ? -1 : pread(counters, text, sizeof(text) - 1, 0);
	uint64_t in, out, again;
	const char *line;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* The names, then the numbers. */
	line = strstr(text, "\nTcp: ");
	line = line ? strstr(line + 1, "\nTcp: ") : NULL;
	if (!line ||
	    sscanf(line,
		   "\nTcp: %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64 " %" SCNu64,
		   &in, &out, &again) != 3)
		return 0;
	return in + out + again;
}

/* While something is outstanding, that nothing moves is the news. */
static bool is_quiet(struct health *h)
{
	uint64_t before = h->segments;

	h->segments = health_count_segments(h->snmp);
	return h->idle && h->segments && h->segments == before;
}

static void sample(void *data)
{
	_cleanup_(pm_connections_clear) struct pm_connections all = { 0 };
	struct health *h = data;
	struct daemon *d = h->d;
	struct pm_sample s;
	struct pm_input in = { .kind = PM_INPUT_HEALTH };
	struct error e = { 0 };
	uint64_t start = now_us();

	if (d->has_oracle || !pm_engine_nr_connections(d->engine))
		return;
	if (is_quiet(h)) {
		set_timer(h, h->wish.period_ms);
		return;
	}
	if (pm_connections_read(&all, &e) < 0) {
		log_error(&d->log, &e);
		set_timer(h, RETRY_MS);
		return;
	}
	if (pm_sampler_take(h->sampler, &all, d->interfaces, d->nr_interfaces,
			    h->wish.alpha_permille, loop_now_ms(), &s) < 0) {
		set_timer(h, h->wish.period_ms);
		return;
	}
	d->counters.samples++;
	h->idle = s.idle;
	set_timer(h, health_pause_ms(&h->wish, now_us() - start));
	in.health.items = s.paths;
	in.health.nr = s.nr;
	if (s.nr)
		daemon_input(d, &in);
}

/* The first connection after none. */
static void after_input(struct daemon *d, void *state)
{
	struct health *h = state;

	if (h->wish.wanted && !d->has_oracle && h->timer.due_ms == LOOP_NEVER &&
	    pm_engine_nr_connections(d->engine))
		set_timer(h, h->wish.period_ms);
}

static void close_health(struct daemon *d, void *state)
{
	struct health *h = state;

	if (!h)
		return;
	loop_timer_remove(d->loop, &h->timer);
	pm_sampler_free(&h->sampler);
	cleanup_close(&h->snmp);
	free(h);
}

static int open_health(struct daemon *d, void **state, struct error *e)
{
	struct health *h = calloc(1, sizeof(*h));

	*state = h;
	if (h) {
		h->d = d;
		h->snmp = health_open_counters();
		h->sampler = pm_sampler_new();
		h->timer = (struct loop_timer){ .call = sample, .data = h };
	}
	if (!h || !h->sampler || loop_timer_add(d->loop, &h->timer) < 0)
		return error_set(e, -ENOMEM, "cannot sample how paths do: out of memory");
	policy_changed(d, h);
	return 0;
}

const struct daemon_source source_health = {
	.name = "health",
	.open = open_health,
	.policy_changed = policy_changed,
	.after_input = after_input,
	.close = close_health,
};
