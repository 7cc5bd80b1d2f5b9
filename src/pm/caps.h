/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the caps and schedules of a policy leave of each path. Counts what the interfaces of capped
 * paths move, per day and month, from the counters that the kernel has of each interface: all of
 * their traffic, since it is all of it that a contract counts.
 *
 * How to use it: pm_caps_new() and pm_caps_load() at the start. At each sample (some seconds apart,
 * the shorter, the more exact), at pm_caps_due(), after a change of interfaces, and when the clock
 * was set (timerfd with TFD_TIMER_CANCEL_ON_SET): pm_caps_count() with pm_interface.bytes of all
 * interfaces that belong to a path, then pm_caps_allowed(); when that differs from before, it is
 * the engine's PM_INPUT_ALLOWED. pm_caps_notice() until it says no. pm_caps_save() each minute or
 * so while pm_caps_changed(), and at the end. pm_caps_policy() after a reload.
 *
 * Nothing is lost by being killed: the counters go on, and what they have moved since the last save
 * is counted at the next start. A counter that begins anew, after a reboot or with an interface
 * that was made again, counts from nothing. A clock that has not been set (before 2025) is not
 * believed; one that is set back finds what was counted in that period before.
 *
 * Times are seconds of CLOCK_REALTIME, an argument everywhere; the time zone is that of TZ.
 */
#ifndef PM_CAPS_H
#define PM_CAPS_H

#include <net/if.h>
#include <time.h>

#include "pm/engine.h"

struct pm_caps;

struct pm_counter {
	unsigned int path; /* in policy.paths */
	int ifindex;
	char interface[IF_NAMESIZE];
	uint64_t bytes;
};

struct pm_cap_view {
	const struct policy_cap *cap;
	uint64_t used_bytes; /* in the period at hand */
	bool reached;
	time_t until; /* the end of the period */
};

#define PM_CAPS_TEXT_BYTES 192

/* NULL: no memory. The policy is borrowed until pm_caps_policy() or pm_caps_free(). */
struct pm_caps *pm_caps_new(const struct policy *policy);
/* Idempotent. */
void pm_caps_free(struct pm_caps **c);
/* What was counted stays with the names of the paths. */
void pm_caps_policy(struct pm_caps *c, const struct policy *policy);

/* -ENOMEM; what was not counted is counted next time. */
int pm_caps_count(struct pm_caps *c, const struct pm_counter *counters, size_t nr, time_t now);

/* Fills policy.nr_paths answers in. */
void pm_caps_allowed(const struct pm_caps *c, time_t now, enum pm_allowed *out);
/* Why a path is not PM_ALLOWED_ALL: "2.1 GB of 2 GB this month"; empty when it is. */
void pm_caps_reason(const struct pm_caps *c, unsigned int path, time_t now,
		    char out[PM_REASON_BYTES]);
void pm_caps_view(const struct pm_caps *c, size_t cap, time_t now, struct pm_cap_view *out);
/* When to look again at the latest: a period or a schedule ends, or an hour has passed. */
time_t pm_caps_due(const struct pm_caps *c, time_t now);
/* The next cap that was reached and not told of, also before a restart, in words. */
bool pm_caps_notice(struct pm_caps *c, time_t now, char out[PM_CAPS_TEXT_BYTES]);

/* Is there something to save? */
bool pm_caps_changed(const struct pm_caps *c);

/* The file of a network namespace: NAME is "" or that of `ip netns`. In $MPTCP_PM_STATE_DIR (for
 * tests), $STATE_DIRECTORY (of systemd) or /var/lib/mptcp-pm. */
void pm_caps_file(const char *name, char *out, size_t size);
/*
 * A missing file is empty. `boot` is the boot id: counters of another boot began anew since. A file
 * that is not understood is moved aside, as FILE.bad, and -EBADMSG says so: `c` is then as new.
 */
int pm_caps_load(struct pm_caps *c, const char *file, const char *boot, struct error *e);
/* Replaces the file by rename, when the new one is on the disk. A failure leaves the old one, and
 * all that was counted in memory. */
int pm_caps_save(struct pm_caps *c, const char *file, const char *boot, struct error *e);

#endif
