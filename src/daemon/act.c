// SPDX-License-Identifier: GPL-2.0-only
/* What the engine decides, done and told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/source.h"
#include "pm/reset.h"

#define US_PER_SECOND	   1000000
#define NS_PER_US	   1000
#define REQUEST_TEXT_BYTES 256
#define FAILURE_BYTES	   160

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * US_PER_SECOND + (uint64_t)t.tv_nsec / NS_PER_US;
}

static const char *path_name(const struct daemon *d, unsigned int path)
{
	return path < d->policy->nr_paths ? d->policy->paths[path].name : NULL;
}

void daemon_report(struct daemon *d, const struct pm_decision *one, const char *what,
		   const char *error)
{
	const struct daemon_report r = {
		.time_us = d->acting ? d->acted_us : now_us(),
		.decision = one,
		.path = path_name(d, one->path),
		.what = what,
		.error = error,
	};
	enum log_level level = error ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;

	if (what && error)
		log_line(&d->log, level, "cannot %s: %s (wanted because: %s)", what, error,
			 one->reason);
	else if (what)
		log_line(&d->log, level, "%s: %s", what, one->reason);
	else if (one->token)
		log_line(&d->log, level, "connection %08x: %s", one->token, one->reason);
	else
		log_line(&d->log, level, "%s", one->reason);
	if (d->on_report)
		d->on_report(&r, d->report_data);
}

/* The kernel's words behind "cannot ...: ", which the report begins with itself. */
static const char *why(const struct error *e, const char *what)
{
	size_t n = strlen(what);

	if (strncmp(e->text, "cannot ", 7) == 0 && strncmp(e->text + 7, what, n) == 0 &&
	    strncmp(e->text + 7 + n, ": ", 2) == 0)
		return e->text + 7 + n + 2;
	return e->text;
}

/* Requests that failed, in the order of the decisions. */
struct failures {
	struct failure {
		size_t decision;
		char why[FAILURE_BYTES];
	} * items;
	size_t nr;
};

static void clear_failures(struct failures *f)
{
	free(f->items);
}

/* Without memory a failure is counted, and told as a success would be. */
static void remember(struct failures *f, size_t decision, const char *text)
{
	struct failure *bigger = reallocarray(f->items, f->nr + 1, sizeof(*bigger));

	if (!bigger)
		return;
	f->items = bigger;
	bigger[f->nr].decision = decision;
	snprintf(bigger[f->nr++].why, FAILURE_BYTES, "%.*s", FAILURE_BYTES - 1, text);
}

/* A subflow is to go, whether or not the peer can be told why; what is not told is not reported. */
static bool reset(struct daemon *d, struct pm_request *r)
{
	struct error e = { 0 };
	int err = pm_reset_send(d->netns.cookie, r, &e);

	if (err == 0)
		return true;
	if (err != -ENXIO && err != -ENOENT)
		log_error(&d->log, &e);
	r->reset = false;
	return false;
}

static void request(struct daemon *d, size_t i, struct failures *f)
{
	struct pm_decision one = d->decisions.items[i];
	char what[REQUEST_TEXT_BYTES];
	struct error e = { 0 };
	int err = 0;

	if (!one.request.reset || !reset(d, &one.request))
		err = pm_request_send(&d->requests, &one.request, &e);
	d->decisions.items[i].request.reset = one.request.reset;
	d->counters.requests++;
	pm_engine_result(d->engine, &one, err, loop_now_ms());
	if (err == 0)
		return;
	d->counters.failed_requests++;
	pm_request_describe(&one.request, what, sizeof(what));
	remember(f, i, why(&e, what));
}

static void carry_out(struct daemon *d, const struct pm_decision *one, size_t i, struct failures *f)
{
	switch (one->kind) {
	case PM_DECIDE_REQUEST:
		request(d, i, f);
		break;
	case PM_DECIDE_ENDPOINTS:
		d->settle = true;
		break;
	case PM_DECIDE_IDENTIFY:
		daemon_identify(d, one->token);
		break;
	case PM_DECIDE_RESYNC:
		daemon_resync(d, one->reason);
		break;
	case PM_DECIDE_NOTICE:
		break;
	}
}

/* Once all is done: who reads the log may be slow. */
static void tell(struct daemon *d, const struct failures *f)
{
	char what[REQUEST_TEXT_BYTES];
	size_t at = 0;

	for (size_t i = 0; i < d->decisions.nr; i++) {
		const struct pm_decision *one = &d->decisions.items[i];
		const char *error = NULL;

		if (at < f->nr && f->items[at].decision == i)
			error = f->items[at++].why;
		if (one->kind == PM_DECIDE_REQUEST) {
			pm_request_describe(&one->request, what, sizeof(what));
			daemon_report(d, one, what, error);
		} else if (one->kind == PM_DECIDE_ENDPOINTS || one->kind == PM_DECIDE_NOTICE) {
			daemon_report(d, one, NULL, NULL);
		}
	}
}

void daemon_tick(void *data)
{
	const struct pm_input in = { .kind = PM_INPUT_TICK };

	daemon_input(data, &in);
}

/* Carrying one out may bring more, which are appended. */
void daemon_act(struct daemon *d)
{
	_cleanup_(clear_failures) struct failures failures = { 0 };

	if (d->acting)
		return;
	d->acting = true;
	for (size_t i = 0; i < d->decisions.nr; i++) {
		const struct pm_decision one = d->decisions.items[i];

		carry_out(d, &one, i, &failures);
	}
	if (d->decisions.nr)
		d->acted_us = now_us();
	tell(d, &failures);
	pm_decisions_clear(&d->decisions);
	d->acting = false;
	if (d->settle)
		loop_timer_set(d->loop, &d->settle_timer, 0);
	d->settle = false;
	loop_timer_set(d->loop, &d->due, pm_engine_due(d->engine));
	sources_after_input(d);
}

void daemon_input(struct daemon *d, const struct pm_input *in)
{
	if (pm_engine_input(d->engine, in, loop_now_ms(), &d->decisions) < 0)
		daemon_resync(d, "out of memory");
	daemon_act(d);
}
