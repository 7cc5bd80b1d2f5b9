// SPDX-License-Identifier: GPL-2.0-only
/* Starting, running and ending; see daemon.h. */
#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <string.h>

#include "daemon/lock.h"
#include "daemon/source.h"
#include "pm/interfaces.h"
#include "util/caps.h"

#define NR(a)	   (sizeof(a) / sizeof((a)[0]))
#define MMAP_BYTES (128 << 10)
#define SETTLED_MS 200 /* interfaces do not change one at a time */

/* In the order in which they open and start. */
static const struct daemon_source *const sources[] = {
	&source_caps,  &source_events,	 &source_links,	     &source_oracle,  &source_health,
	&source_guard, &source_resets,	 &source_congestion, &source_rescue,  &source_learn,
	&source_nat64, &source_fastopen, &source_control,    &source_service,
};

_Static_assert(NR(sources) <= DAEMON_SOURCES_MAX, "a place for the state of each source");

void sources_policy_changed(struct daemon *d)
{
	for (size_t i = 0; i < NR(sources); i++)
		if (sources[i]->policy_changed)
			sources[i]->policy_changed(d, d->of_source[i]);
}

void sources_interfaces(struct daemon *d)
{
	for (size_t i = 0; i < NR(sources); i++)
		if (sources[i]->interfaces && d->of_source[i])
			sources[i]->interfaces(d, d->of_source[i]);
}

void sources_after_input(struct daemon *d)
{
	for (size_t i = 0; i < NR(sources); i++)
		if (sources[i]->after_input && d->of_source[i])
			sources[i]->after_input(d, d->of_source[i]);
}

void sources_event(struct daemon *d, const struct pm_event *event)
{
	for (size_t i = 0; i < NR(sources); i++)
		if (sources[i]->event && d->of_source[i])
			sources[i]->event(d, d->of_source[i], event);
}

int source_may_load(const char *what, struct error *e)
{
	int err = caps_need(CAP_BIT_BPF | CAP_BIT_PERFMON, what, e);

	return err < 0 ? error_hint(e, "mptcp-pm.service grants them") : 0;
}

void source_follow_interfaces(struct daemon *d, uint64_t *seen, struct loop_timer *timer)
{
	if (*seen == d->counters.interfaces)
		return;
	*seen = d->counters.interfaces;
	if (timer->due_ms > loop_now_ms() + SETTLED_MS)
		loop_timer_set(d->loop, timer, loop_now_ms() + SETTLED_MS);
}

static void close_sources(struct daemon *d)
{
	for (size_t i = NR(sources); i-- > 0;) {
		if (sources[i]->close)
			sources[i]->close(d, d->of_source[i]);
		d->of_source[i] = NULL;
	}
}

static int open_sources(struct daemon *d, struct error *e)
{
	for (size_t i = 0; i < NR(sources); i++) {
		int err = sources[i]->open(d, &d->of_source[i], e);

		if (err == -EOPNOTSUPP && sources[i]->optional) {
			log_error(&d->log, e);
			sources[i]->close(d, d->of_source[i]);
			d->of_source[i] = NULL;
		} else if (err < 0) {
			return err;
		}
	}
	return 0;
}

static int start_sources(struct daemon *d, struct error *e)
{
	int err = 0;

	/* A connection can be judged once it is known which paths there are. */
	daemon_read_interfaces(d, true);
	/* And new connections are made under the right path manager from here on. */
	err = daemon_settle(d, e);
	for (size_t i = 0; err == 0 && i < NR(sources); i++)
		if (sources[i]->start)
			err = sources[i]->start(d, d->of_source[i], e);
	return err;
}

static int open_daemon(struct daemon *d, const struct daemon_config *config, struct error *e)
{
	char reason[PM_REASON_BYTES];
	int err;

	d->file = strdup(config->file);
	d->kind = pm_engine_choose(d->policy, reason);
	d->engine = pm_engine_new(d->policy);
	d->loop = loop_new();
	if (!d->file || !d->engine || !d->loop)
		return error_set(e, -ENOMEM, "cannot start: out of memory");
	log_line(&d->log, LOG_LEVEL_INFO, "policy \"%s\" from %s, engine %s (%s)", d->policy->name,
		 d->file, d->kind == POLICY_ENGINE_KERNEL ? "kernel" : "userspace", reason);
	d->due = (struct loop_timer){ .call = daemon_tick, .data = d };
	d->settle_timer = (struct loop_timer){ .call = daemon_settle_now, .data = d };
	if (loop_timer_add(d->loop, &d->due) < 0 || loop_timer_add(d->loop, &d->settle_timer) < 0)
		return error_set(e, -ENOMEM, "cannot start: out of memory");
	err = pm_mptcp_open(&d->requests, e);
	if (err == 0)
		err = pm_netlink_open(&d->diag, NETLINK_SOCK_DIAG, e);
	return err;
}

static void close_daemon(struct daemon *d)
{
	if (d->loop)
		close_sources(d);
	pm_mptcp_close(&d->requests);
	pm_netlink_close(&d->diag);
	pm_decisions_clear(&d->decisions);
	pm_engine_free(&d->engine);
	pm_interfaces_free(d->interfaces, d->nr_interfaces);
	loop_free(&d->loop);
	policy_free(&d->policy);
	free(d->file);
}

static int run(struct daemon *d, const struct daemon_config *config, struct error *e)
{
	int err = open_daemon(d, config, e);

	if (err == 0)
		err = open_sources(d, e);
	if (err == 0)
		err = start_sources(d, e);
	if (err < 0)
		return err;
	err = loop_run(d->loop);
	if (err < 0)
		return error_set(e, err, "the event loop failed: %s", strerror(-err));
	return d->failure.code ? (*e = d->failure).code : 0;
}

int daemon_run(const struct daemon_config *config, struct error *e)
{
	_cleanup_(close_daemon) struct daemon d = { .log = log_open(config->level),
						    .has_level = config->has_level,
						    .policy = config->policy };
	_cleanup_close_ int lock = -1;
	int err;

	/* Lists of connections come and go: what they take is given back, and not kept for the next
	 * time, as it would be after the first one. */
	mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	mallopt(M_TRIM_THRESHOLD, MMAP_BYTES);
	d.started_ms = loop_now_ms();
	daemon_set_level(&d);
	err = pm_netns_identify(&d.netns, e);
	if (err < 0)
		return err;
	lock = daemon_lock(&d.netns, e);
	if (lock < 0)
		return lock;
	err = run(&d, config, e);
	log_line(&d.log, LOG_LEVEL_INFO,
		 "stopped; connections stay as they are (%" PRIu64 " events, %" PRIu64
		 " requests, %" PRIu64 " of them failed)",
		 d.counters.events, d.counters.requests, d.counters.failed_requests);
	return err;
}
