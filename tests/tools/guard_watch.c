// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watcher of src/pm/ as a program of its own: a line for each subflow whose removal the guard
 * refused, when it is known what became of it.
 *
 *   guard_watch NETNS
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "pm/guard_watcher.h"

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static const char *verdict_text(enum pm_guard_verdict verdict)
{
	switch (verdict) {
	case PM_GUARD_WAIT:
		return "wait";
	case PM_GUARD_PROBE:
		return "probe";
	case PM_GUARD_ALIVE:
		return "alive";
	case PM_GUARD_DEAD:
		return "dead";
	case PM_GUARD_GONE:
		return "gone";
	}
	return "?";
}

static void tell(const struct mptcp_guard_event *event, enum pm_guard_verdict verdict,
		 const struct error *e, void *data)
{
	(void)data;
	printf("%s token=%08x id=%u%s%s\n", verdict_text(verdict), event->token, event->id,
	       e ? " " : "", e ? e->text : "");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	struct pm_guard_watcher *w = NULL;
	struct error e = { 0 };

	sigaction(SIGTERM, &action, NULL);
	if (argc != 2 || pm_netns_enter(argv[1], &e) < 0 ||
	    pm_guard_watcher_open(tell, NULL, &w, &e) < 0) {
		fprintf(stderr, "guard_watch: %s\n", e.text);
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (!stopped) {
		struct pollfd p = { .fd = pm_guard_watcher_fd(w), .events = POLLIN };

		if (poll(&p, 1, pm_guard_watcher_timeout_ms(w)) < 0 && errno != EINTR)
			break;
		if (pm_guard_watcher_run(w, &e) < 0) {
			fprintf(stderr, "guard_watch: %s\n", e.text);
			break;
		}
	}
	pm_guard_watcher_close(&w);
	return e.code != 0;
}
