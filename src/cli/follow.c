// SPDX-License-Identifier: GPL-2.0-only
/* Signals, time and numbers of verbs that follow; see follow.h. */
#include "cli/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS_PER_SECOND 1000
#define NS_PER_MS     1000000

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

void follow_catch_signals(void)
{
	struct sigaction action = { .sa_handler = stop };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool follow_stopped(void)
{
	return stopped;
}

uint64_t follow_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * MS_PER_SECOND + (uint64_t)t.tv_nsec / NS_PER_MS;
}

uint64_t follow_end_ms(uint64_t seconds)
{
	return seconds ? follow_now_ms() + seconds * MS_PER_SECOND : UINT64_MAX;
}

int follow_parse_number(const char *option, const char *text, uint64_t max, uint64_t *out,
			struct error *e)
{
	uint64_t n;

	if (!text)
		return 0;
	errno = 0;
	n = strtoull(text, NULL, 10);
	if (errno || !text[0] || text[strspn(text, "0123456789")] || n < 1 || n > max)
		return error_set(e, -EINVAL, "%s is a number from 1 to %" PRIu64 ", not \"%s\"",
				 option, max, text);
	*out = n;
	return 0;
}
