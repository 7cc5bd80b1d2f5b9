// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of the kernel's path manager, and all connections where events do not tell: at the start,
 * when some were lost, when the engine asks.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/source.h"
#include "pm/event_socket.h"

#define READS_MAX 4096	 /* before other descriptors have their turn */
#define DRAIN_MAX 262144 /* more than a full buffer holds */
#define RETRY_MS  200

struct events {
	struct daemon *d;
	struct pm_event_socket socket;
	bool open;
};

static void take(const struct pm_event *event, void *data)
{
	const struct pm_input in = { .kind = PM_INPUT_EVENT, .event = event };
	struct daemon *d = data;

	d->counters.events++;
	log_line(&d->log, LOG_LEVEL_DEBUG, "event %s, connection %08x",
		 pm_event_name(event->type) ? pm_event_name(event->type) : "unknown", event->token);
	daemon_input(d, &in);
	sources_event(d, event);
}

static void skip(const struct pm_event *event, void *data)
{
	struct daemon *d = data;

	(void)event;
	d->counters.events++;
}

/* What was read before says nothing that a snapshot taken now does not. */
static void drain(struct events *ev)
{
	for (int i = 0; i < DRAIN_MAX; i++) {
		int err = pm_event_socket_read(&ev->socket, skip, ev->d);

		if (err == -ENOBUFS)
			ev->d->counters.overflows++;
		else if (err < 0 && err != -EINTR && err != -EBADMSG)
			return;
	}
}

static int read_connections(struct events *ev, struct error *e)
{
	_cleanup_(pm_connections_clear) struct pm_connections all = { 0 };
	const struct pm_input in = { .kind = PM_INPUT_CONNECTIONS, .connections = &all };
	struct daemon *d = ev->d;
	int err;

	drain(ev);
	err = pm_connections_read(&all, e);
	if (err < 0)
		return err;
	d->resync = false;
	d->last_resync_ms = loop_now_ms();
	d->counters.resyncs++;
	log_line(&d->log, LOG_LEVEL_INFO, "%zu connections with %zu subflows", all.nr,
		 all.nr_subflows);
	daemon_input(d, &in);
	return 0;
}

/* The timer of daemon_resync(). */
static void resync(void *data)
{
	struct events *ev = data;
	struct error e = { 0 };

	if (ev->d->reread)
		daemon_read_interfaces(ev->d, true);
	if (read_connections(ev, &e) == 0)
		return;
	log_error(&ev->d->log, &e);
	loop_timer_set(ev->d->loop, &ev->d->resync_timer, loop_now_ms() + RETRY_MS);
}

static void read_events(int fd, uint32_t events, void *data)
{
	struct events *ev = data;
	struct daemon *d = ev->d;

	(void)fd;
	(void)events;
	for (int i = 0; i < READS_MAX; i++) {
		int err = pm_event_socket_read(&ev->socket, take, d);

		if (err == 0 || err == -EINTR)
			continue;
		if (err == -EAGAIN)
			return;
		if (err == -ENOBUFS) {
			d->counters.overflows++;
			daemon_resync(d, "events were lost, the kernel's buffer was full");
			return;
		}
		if (err == -EBADMSG) {
			log_line(&d->log, LOG_LEVEL_WARNING, "an event that makes no sense");
			continue;
		}
		error_set(&d->failure, err, "cannot read MPTCP events: %s", strerror(-err));
		loop_stop(d->loop);
		return;
	}
}

static void close_events(struct daemon *d, void *state)
{
	struct events *ev = state;

	if (ev && ev->open) {
		loop_fd_remove(d->loop, pm_event_socket_fd(&ev->socket));
		pm_event_socket_close(&ev->socket);
	}
	if (ev)
		loop_timer_remove(d->loop, &d->resync_timer);
	free(ev);
}

static int open_events(struct daemon *d, void **state, struct error *e)
{
	struct events *ev = calloc(1, sizeof(*ev));
	int err;

	*state = ev;
	if (!ev)
		return error_set(e, -ENOMEM, "cannot watch MPTCP events: out of memory");
	ev->d = d;
	err = pm_event_socket_open(&ev->socket, e);
	if (err < 0)
		return err;
	ev->open = true;
	d->resync_timer = (struct loop_timer){ .call = resync, .data = ev };
	err = loop_timer_add(d->loop, &d->resync_timer);
	if (err == 0)
		err = loop_fd_add(d->loop, pm_event_socket_fd(&ev->socket), EPOLLIN, read_events,
				  ev);
	return err < 0 ? error_set(e, err, "cannot watch MPTCP events: %s", strerror(-err)) : 0;
}

static int start_events(struct daemon *d, void *state, struct error *e)
{
	(void)d;
	return read_connections(state, e);
}

const struct daemon_source source_events = {
	.name = "events",
	.open = open_events,
	.start = start_events,
	.close = close_events,
};
