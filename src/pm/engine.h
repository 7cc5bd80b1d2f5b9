/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path manager's decisions: from what the policy wants, what the kernel told and what time it
 * is to what should be asked of the kernel. Pure: no I/O, no clock, no logging; the same inputs
 * give the same decisions, so every rule is a table in tests/unit/test_engine*.c.
 *
 * Of each connection and each source (a usable local address of an interface that belongs to a
 * path) the connection's mode says whether it should have no subflow, a backup one or an active
 * one. The engine compares that with the subflows there are and decides on the difference, within
 * limits, back-off and hold-down. What it decided stays pending until the kernel shows it
 * (an event, or a snapshot) or pm_engine_result() tells of a failure.
 *
 * Times are milliseconds of CLOCK_MONOTONIC and never go back.
 */
#ifndef PM_ENGINE_H
#define PM_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pm/diag.h"
#include "pm/event.h"
#include "pm/pm.h"
#include "pm/request.h"
#include "policy/policy.h"

#define PM_SOURCES_MAX	      64 /* more usable addresses are left out, and counted */
#define PM_SUBFLOWS_PER_BATCH 8	 /* of one connection, from one input */
#define PM_REASON_BYTES	      96
#define PM_RESETS_MAX	      8 /* of a connection are remembered */

struct pm_engine;

/*
 * How a path does: from sock_diag samples or the oracle's averages; 0: not known. A sample is of
 * what was sent or heard since the last one; of a path that carries nothing there is none, as
 * figures that stay as they were would keep a bad path bad for ever.
 */
struct pm_health {
	int ifindex;
	struct pm_address local; /* family 0: every source of the interface */
	uint32_t srtt_us, rto_us;
	uint16_t loss_permille,
		resent_permille; /* averages: who samples applies policy_switch.alpha */
	uint16_t timeouts;	 /* in a row, the most of any connection */
	uint32_t stall_ms;
	uint64_t rate_bps;
};

/* Of a connection: what rules match and events do not tell. */
struct pm_identity {
	uint32_t token;
	uint32_t uid;
	const char *user;   /* name of the uid; NULL: it has none */
	const char *cgroup; /* path in the v2 hierarchy, as in a policy; NULL: not known */
};

/* What caps and schedules leave of a path, whatever the modes want of it. */
enum pm_allowed {
	PM_ALLOWED_ALL,
	PM_ALLOWED_BACKUP, /* active only where no other path is usable */
	PM_ALLOWED_NONE,   /* no subflow, and those there are get closed */
};

/* A NAT64 that the network behind an interface has. */
struct pm_nat64_network {
	int ifindex;
	struct policy_prefix prefix;
};

enum pm_input_kind {
	PM_INPUT_INTERFACES,  /* all there are: replaces what was known */
	PM_INPUT_CONNECTIONS, /* all there are: at the start, after lost events, as a sample */
	PM_INPUT_EVENT,
	PM_INPUT_IDENTITY,
	PM_INPUT_HEALTH,
	PM_INPUT_TICK,	      /* pm_engine_due() has come */
	PM_INPUT_PATH_FORCED, /* a person says down (never use) or up (as the rules say) */
	PM_INPUT_ALLOWED,     /* what pm_caps_allowed() says of every path, when it has changed */
	PM_INPUT_NAT64,	      /* all there are: replaces what was known */
};

/* Everything is borrowed for the call. */
struct pm_input {
	enum pm_input_kind kind;
	union {
		struct {
			const struct pm_interface *items;
			size_t nr;
		} interfaces;
		const struct pm_connections *connections;
		const struct pm_event *event;
		const struct pm_identity *identity;
		struct {
			const struct pm_health *items;
			size_t nr;
		} health;
		struct {
			unsigned int path; /* in policy.paths */
			bool down;
		} forced;
		const enum pm_allowed *allowed; /* policy.nr_paths of them */
		struct {
			const struct pm_nat64_network *items;
			size_t nr;
		} nat64;
	};
};

enum pm_decision_kind {
	PM_DECIDE_REQUEST,   /* to the userspace path manager: `request` */
	PM_DECIDE_ENDPOINTS, /* kernel engine: pm_engine_wanted() has changed, plan anew */
	PM_DECIDE_IDENTIFY,  /* pm_identity of `token` is wanted before a rule can be chosen */
	PM_DECIDE_RESYNC,    /* what was told does not fit: read all connections */
	PM_DECIDE_NOTICE,    /* nothing to do, worth telling a person */
};

struct pm_decision {
	enum pm_decision_kind kind;
	uint32_t token;		      /* 0: no connection's in particular */
	struct pm_request request;    /* complete: addresses, ports, ids */
	unsigned int path;	      /* in policy.paths; UINT_MAX: none */
	char reason[PM_REASON_BYTES]; /* rule, trigger and values, e.g. "interactive: wifi is bad
				       * (rtt 812 ms >= 600 ms), lte takes over" */
};

struct pm_decisions {
	struct pm_decision *items;
	size_t nr, room;
};

/* A source as the engine sees it, for `path list`, `explain`, and the kernel engine. */
struct pm_source_view {
	unsigned int path; /* in policy.paths */
	int ifindex;
	char interface[IF_NAMESIZE];
	struct pm_address local;
	uint8_t id;   /* the local address id used in requests */
	bool present; /* false: the address is gone, some subflows may still have it */
	bool bad, forced_down;
	enum pm_allowed allowed;
	char why_bad[PM_REASON_BYTES]; /* empty: good */
	uint64_t since_ms;	       /* of good or bad */
	struct pm_health health;
	struct policy_prefix nat64; /* of the interface; no bits: there is none */
	size_t nr_subflows;
	enum pm_wanted wanted; /* for a connection of the default rule */
};

struct pm_subflow_view {
	struct pm_socket_pair at;
	uint8_t local_id, remote_id;
	size_t source; /* index of pm_engine_source(); SIZE_MAX: an address that is no source */
	bool established, closing;
	bool backup, peer_backup; /* asked by us, by the peer */
};

/* The peer reset a subflow, and what is done about it. */
struct pm_reset_view {
	uint64_t at_ms;
	struct pm_socket_pair at;
	size_t source;	/* as in pm_subflow_view */
	uint8_t reason; /* enum policy_reset_reason, or of a newer RFC */
	bool transient;
	struct policy_reaction reaction; /* after_ms of POLICY_RETRY_HOLD too; none of a server */
};

struct pm_connection_view {
	uint32_t token;
	bool ours;	   /* false: the kernel's path manager has it, or it fell back to TCP */
	bool matched;	   /* false: its rule is not known yet, see PM_DECIDE_IDENTIFY */
	unsigned int rule; /* policy_rule.number; 0: the default one */
	unsigned int mode; /* in policy.modes */
	enum pm_role role;
	enum pm_wanted wanted[PM_SOURCES_MAX];
	struct pm_subflow_view *subflows; /* the caller's, one free() */
	size_t nr_subflows;
	struct pm_reset_view resets[PM_RESETS_MAX]; /* the newest ones, the oldest first */
	size_t nr_resets;
	uint64_t next_ms;		   /* when something is tried again; 0: nothing is */
	char last_reason[PM_REASON_BYTES]; /* of the newest decision; may be empty */
};

/* Which engine a policy gets: pure function of the policy, with the reason in words. */
enum policy_engine pm_engine_choose(const struct policy *policy, char reason[PM_REASON_BYTES]);

/* NULL: no memory. `policy` is borrowed until pm_engine_policy() or pm_engine_free(). */
struct pm_engine *pm_engine_new(const struct policy *policy);
void pm_engine_free(struct pm_engine **e);

/*
 * Takes one input and appends what it decides to *out (0-initialized, freed by
 * pm_decisions_clear()). -ENOMEM; the engine is then as before, and PM_INPUT_CONNECTIONS has to
 * follow. Decisions come at most PM_SUBFLOWS_PER_BATCH a connection; the rest is due at once.
 */
int pm_engine_input(struct pm_engine *e, const struct pm_input *in, uint64_t now_ms,
		    struct pm_decisions *out);
/* Another policy: connections whose rule, mode and paths stay as they are are not touched. The
 * engine's kind (kernel, userspace) may not change: -EINVAL. PM_INPUT_INTERFACES has to follow, as
 * a new path may have interfaces that were none of the old ones. */
int pm_engine_policy(struct pm_engine *e, const struct policy *policy, uint64_t now_ms,
		     struct pm_decisions *out);
/* How a request ended: 0 or -errno. Failure starts the back-off of that subflow; -EINVAL for the
 * first request of a connection means that the kernel's own path manager has it. */
void pm_engine_result(struct pm_engine *e, const struct pm_decision *d, int rc, uint64_t now_ms);
/* When PM_INPUT_TICK is wanted; UINT64_MAX: never. */
uint64_t pm_engine_due(const struct pm_engine *e);

size_t pm_engine_nr_sources(const struct pm_engine *e);
void pm_engine_source(const struct pm_engine *e, size_t i, struct pm_source_view *out);
size_t pm_engine_nr_connections(const struct pm_engine *e);
/* -ENOENT, -ENOMEM. */
int pm_engine_connection(const struct pm_engine *e, uint32_t token, struct pm_connection_view *out);
/* What a connection that is about to be made would get: rule, mode, wanted. Its addresses are
 * those of `at`. */
void pm_engine_explain(const struct pm_engine *e, const struct pm_socket_pair *at,
		       enum pm_role role, const struct pm_identity *identity,
		       struct pm_connection_view *out);
/* Kernel engine: what the endpoints of a path should be now. */
enum pm_wanted pm_engine_wanted(const struct pm_engine *e, unsigned int path);

void pm_decisions_clear(struct pm_decisions *d);
const char *pm_wanted_name(enum pm_wanted w);

#endif
