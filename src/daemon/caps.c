// SPDX-License-Identifier: GPL-2.0-only
/*
 * Caps and schedules: looks at the counters of interfaces and at the clock, and tells the engine
 * what is left of each path when that is not what it was (pm/caps.h).
 */
#include "pm/caps.h"

#include <errno.h>
#include <string.h>

#include "daemon/source.h"
#include "pm/interfaces.h"
#include "pm/path.h"
#include "pm/state.h"
#include "util/cleanup.h"

#define COUNT_MS    1000  /* between looks at counters, when there are caps */
#define CLOCK_MS    30000 /* at the clock, when there are schedules alone: it may be set */
#define SAVE_MS	    60000
#define FILE_BYTES  512
#define COUNTER_MAX 256

struct caps {
	struct daemon *d;
	struct pm_caps *counts;
	struct loop_timer timer;
	enum pm_allowed allowed[POLICY_PATHS_MAX];
	char file[FILE_BYTES], boot[PM_BOOT_BYTES];
	uint64_t saved_ms;
	bool cannot_save; /* said so */
};

static const char *what_is_left(enum pm_allowed a)
{
	switch (a) {
	case PM_ALLOWED_ALL:
		return "is used again";
	case PM_ALLOWED_BACKUP:
		return "is a backup";
	case PM_ALLOWED_NONE:
		return "is closed";
	}
	return "";
}

static void save(struct caps *s)
{
	struct error e = { 0 };
	int err;

	if (!pm_caps_changed(s->counts))
		return;
	s->saved_ms = loop_now_ms();
	err = pm_caps_save(s->counts, s->file, s->boot, &e);
	if (err < 0 && !s->cannot_save)
		log_error(&s->d->log, &e);
	s->cannot_save = err < 0;
}

static void count(struct caps *s, time_t now)
{
	struct pm_counter counters[COUNTER_MAX];
	struct pm_interface *items = NULL;
	struct error e = { 0 };
	size_t nr = 0, n = 0;

	if (pm_interfaces_read(&items, &nr, &e) < 0) {
		log_error(&s->d->log, &e);
		return;
	}
	for (size_t i = 0; i < nr && n < COUNTER_MAX; i++) {
		const struct policy_path *path = pm_path_of(s->d->policy, &items[i]);

		if (!path)
			continue;
		counters[n] = (struct pm_counter){
			.path = (unsigned int)(path - s->d->policy->paths),
			.ifindex = items[i].ifindex,
			.bytes = items[i].bytes,
		};
		memcpy(counters[n++].interface, items[i].name, sizeof(items[i].name));
	}
	pm_interfaces_free(items, nr);
	if (pm_caps_count(s->counts, counters, n, now) < 0)
		log_line(&s->d->log, LOG_LEVEL_ERROR,
			 "cannot count what paths move: out of memory");
}

/* Says what has changed; true when something has. */
static bool compare(struct caps *s, time_t now)
{
	const struct policy *policy = s->d->policy;
	enum pm_allowed now_allowed[POLICY_PATHS_MAX];
	char reason[PM_REASON_BYTES];
	bool changed = false;

	pm_caps_allowed(s->counts, now, now_allowed);
	for (unsigned int i = 0; i < policy->nr_paths; i++) {
		if (now_allowed[i] == s->allowed[i])
			continue;
		pm_caps_reason(s->counts, i, now, reason);
		log_line(&s->d->log, LOG_LEVEL_INFO, "path \"%s\" %s%s%s", policy->paths[i].name,
			 what_is_left(now_allowed[i]), reason[0] ? ": " : "", reason);
		s->allowed[i] = now_allowed[i];
		changed = true;
	}
	return changed;
}

static void set_timer(struct caps *s, time_t now)
{
	const struct policy *policy = s->d->policy;
	uint64_t wait_ms = LOOP_NEVER, due_ms;

	for (size_t i = 0; i < policy->nr_paths; i++)
		if (policy->paths[i].when.days)
			wait_ms = CLOCK_MS;
	if (policy->nr_caps)
		wait_ms = COUNT_MS;
	due_ms = (uint64_t)(pm_caps_due(s->counts, now) - now) * 1000;
	if (wait_ms != LOOP_NEVER)
		loop_timer_set(s->d->loop, &s->timer,
			       loop_now_ms() + (due_ms < wait_ms ? due_ms : wait_ms));
	else
		loop_timer_set(s->d->loop, &s->timer, LOOP_NEVER);
}

static void look(struct caps *s, bool anyway)
{
	const struct pm_input in = { .kind = PM_INPUT_ALLOWED, .allowed = s->allowed };
	char notice[PM_CAPS_TEXT_BYTES];
	time_t now = time(NULL);
	bool changed;

	if (s->d->policy->nr_caps)
		count(s, now);
	while (pm_caps_notice(s->counts, now, notice))
		log_line(&s->d->log, LOG_LEVEL_WARNING, "%s", notice);
	changed = compare(s, now);
	if (changed || loop_now_ms() - s->saved_ms >= SAVE_MS)
		save(s);
	if (changed || anyway)
		daemon_input(s->d, &in);
	set_timer(s, now);
}

static void on_timer(void *data)
{
	look(data, false);
}

static int open_caps(struct daemon *d, void **state, struct error *e)
{
	struct caps *s = calloc(1, sizeof(*s));
	char name[FILE_BYTES / 2];

	*state = s;
	if (!s)
		return error_set(e, -ENOMEM, "cannot count what paths move: out of memory");
	s->d = d;
	s->timer = (struct loop_timer){ .call = on_timer, .data = s };
	s->counts = pm_caps_new(d->policy);
	if (!s->counts || loop_timer_add(d->loop, &s->timer) < 0)
		return error_set(e, -ENOMEM, "cannot count what paths move: out of memory");
	pm_state_boot(s->boot);
	pm_netns_name(d->netns.inode, name, sizeof(name));
	pm_caps_file(name, s->file, sizeof(s->file));
	return 0;
}

/* Before connections are looked at, so that none is opened where it must not be. */
static int start_caps(struct daemon *d, void *state, struct error *e)
{
	struct caps *s = state;
	struct error damaged = { 0 };

	(void)e;
	if (pm_caps_load(s->counts, s->file, s->boot, &damaged) < 0)
		log_error(&d->log, &damaged);
	look(s, true);
	return 0;
}

static void follow_policy(struct daemon *d, void *state)
{
	struct caps *s = state;

	/* Paths may stand elsewhere, and the engine may be a new one. */
	memset(s->allowed, 0, sizeof(s->allowed));
	pm_caps_policy(s->counts, d->policy);
	look(s, true);
}

static void close_caps(struct daemon *d, void *state)
{
	struct caps *s = state;

	if (!s)
		return;
	if (s->counts)
		save(s);
	loop_timer_remove(d->loop, &s->timer);
	pm_caps_free(&s->counts);
	free(s);
}

const struct daemon_source source_caps = {
	.name = "caps",
	.open = open_caps,
	.start = start_caps,
	.policy_changed = follow_policy,
	.close = close_caps,
};
