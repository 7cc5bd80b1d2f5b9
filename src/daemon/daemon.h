/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon: what happens goes into the engine (pm/engine.h), what the engine decides is done.
 *
 * Inputs are sources, each a file with one table entry (source.h) that registers with the loop and
 * hands what it hears to daemon_input(). One thread; nothing here blocks for longer than the kernel
 * takes to answer a request.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "pm/engine.h"
#include "pm/mptcp_pm.h"
#include "pm/netns.h"
#include "util/log.h"
#include "util/loop.h"

#define DAEMON_SOURCES_MAX 16

struct daemon_counters {
	uint64_t events;     /* of the kernel's path manager */
	uint64_t overflows;  /* times that some were lost */
	uint64_t resyncs;    /* times that all connections were read */
	uint64_t interfaces; /* changes of interfaces and addresses */
	uint64_t requests, failed_requests;
	uint64_t samples; /* of how paths do */
};

/* Something that was done, was tried, or is worth telling. Everything is borrowed. */
struct daemon_report {
	uint64_t time_us; /* since 1970 */
	const struct pm_decision *decision;
	const char *path;  /* its name; NULL: none in particular */
	const char *what;  /* "add a subflow from ..."; NULL: nothing was done */
	const char *error; /* why it could not be done; NULL: it was */
};

struct daemon {
	struct log log;
	bool has_level; /* whatever the policy says */
	struct loop *loop;
	struct policy *policy;
	char *file; /* that SIGHUP reads again */
	enum policy_engine kind;
	struct pm_engine *engine;
	struct pm_netns netns;
	struct pm_mptcp requests;
	struct pm_netlink diag;
	struct pm_interface *interfaces;
	size_t nr_interfaces;
	/* Bit N: a person said that policy.paths[N] is down. */
	uint32_t forced_down;
	struct pm_decisions decisions;
	const struct policy *looked_at; /* its scheduler was compared with the kernel's */
	bool acting, settle;
	bool has_oracle;   /* tells how paths do; nobody else has to */
	uint64_t acted_us; /* when the decisions at hand were carried out */
	bool resync;	   /* all connections have to be read ... */
	bool reread;	   /* ... and the interfaces, before */
	struct loop_timer due, resync_timer, settle_timer;
	uint64_t last_resync_ms, started_ms, settle_retry_ms;
	struct error failure; /* of a source, which stopped the loop */
	struct daemon_counters counters;
	/* Gets a copy of every report; for the control socket. */
	void (*on_report)(const struct daemon_report *r, void *data);
	void *report_data;
	void *of_source[DAEMON_SOURCES_MAX]; /* by place in the table */
};

struct daemon_config {
	struct policy *policy; /* the daemon's from now on */
	const char *file;      /* it came from */
	bool has_level;	       /* else the policy says it */
	enum log_level level;
};

/* In the thread's network namespace, until SIGTERM or SIGINT. -EBUSY: one runs there already. */
int daemon_run(const struct daemon_config *config, struct error *e);

/* How much is said, as the policy wants it now. */
void daemon_set_level(struct daemon *d);
/* Logs it and hands it to who subscribed; see struct daemon_report. */
void daemon_report(struct daemon *d, const struct pm_decision *one, const char *what,
		   const char *error);
/* Hands an input to the engine and does what it decides. */
void daemon_input(struct daemon *d, const struct pm_input *in);
/* For the timer of pm_engine_due(). */
void daemon_tick(void *data);
/* Does what the engine decided without an input, as on another policy. */
void daemon_act(struct daemon *d);
/* Reads all connections soon, whatever was missed. */
void daemon_resync(struct daemon *d, const char *why);
/* Reads interfaces and addresses, and tells the engine when they are not what they were, or
 * `anyway`. */
void daemon_read_interfaces(struct daemon *d, bool anyway);
/* Tells the engine what d->interfaces says now. */
void daemon_tell_interfaces(struct daemon *d);
/* Finds out whose a connection is and tells the engine. */
void daemon_identify(struct daemon *d, uint32_t token);

/* Makes what is not about one connection (endpoints, limits, sysctls) as policy and engine want it.
 * One that fails is tried again. */
int daemon_settle(struct daemon *d, struct error *e);
/* The same once the decisions at hand are done. */
void daemon_settle_soon(struct daemon *d);
/* For the timer of that. */
void daemon_settle_now(void *data);

/* Follows another policy, which is the daemon's from then on; what it does not concern is not
 * touched. On failure the old one stays in force and `fresh` the caller's. */
int daemon_follow(struct daemon *d, struct policy *fresh, struct error *e);
/* Reads d->file and follows it. */
int daemon_reload(struct daemon *d, struct error *e);
/* -ENOENT: no such path. */
int daemon_force_path(struct daemon *d, const char *name, bool down, struct error *e);

#endif
