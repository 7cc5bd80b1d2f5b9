// SPDX-License-Identifier: GPL-2.0-only
/* What a service manager wants and says: signals, readiness, watchdog. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "daemon/source.h"
#include "util/notify.h"

#define MS_TO_US 1000

struct service {
	struct daemon *d;
	struct loop_timer watchdog;
};

static void stop(void *data)
{
	struct daemon *d = data;

	notify_send("STOPPING=1");
	loop_stop(d->loop);
}

static void tell_ready(const struct daemon *d)
{
	char text[256];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=policy \"%s\", engine %s", d->policy->name,
		 d->kind == POLICY_ENGINE_KERNEL ? "kernel" : "userspace");
	if (notify_send(text) < 0)
		log_line(&d->log, LOG_LEVEL_WARNING, "cannot tell the service manager: %s",
			 "$NOTIFY_SOCKET does not take it");
}

static void reload(void *data)
{
	struct daemon *d = data;
	struct error e = { 0 };
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 loop_now_ms() * MS_TO_US);
	notify_send(text);
	if (daemon_reload(d, &e) < 0)
		log_error(&d->log, &e);
	tell_ready(d);
}

static void alive(void *data)
{
	(void)data;
	notify_send("WATCHDOG=1");
}

static void close_service(struct daemon *d, void *state)
{
	struct service *s = state;

	if (s)
		loop_timer_remove(d->loop, &s->watchdog);
	free(s);
}

static int open_service(struct daemon *d, void **state, struct error *e)
{
	struct service *s = calloc(1, sizeof(*s));
	uint64_t period = notify_watchdog_ms() / 2;
	int err;

	*state = s;
	if (!s)
		return error_set(e, -ENOMEM, "cannot catch signals: out of memory");
	s->d = d;
	s->watchdog = (struct loop_timer){ .call = alive };
	signal(SIGPIPE, SIG_IGN);
	err = loop_signal_add(d->loop, SIGTERM, stop, d);
	if (err == 0)
		err = loop_signal_add(d->loop, SIGINT, stop, d);
	if (err == 0)
		err = loop_signal_add(d->loop, SIGHUP, reload, d);
	if (err == 0)
		err = loop_timer_add(d->loop, &s->watchdog);
	if (err < 0)
		return error_set(e, err, "cannot catch signals: %s", strerror(-err));
	if (period)
		loop_timer_every(d->loop, &s->watchdog, period);
	return 0;
}

/* The last of all to start. */
static int start_service(struct daemon *d, void *state, struct error *e)
{
	(void)state;
	(void)e;
	tell_ready(d);
	return 0;
}

const struct daemon_source source_service = {
	.name = "service",
	.open = open_service,
	.start = start_service,
	.close = close_service,
};
