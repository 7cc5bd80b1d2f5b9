/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the engine share; private to engine*.c.
 *
 * Addresses are kept as 16 bytes, IPv4 as ::ffff:a.b.c.d. Parts that run out of memory set
 * pm_engine.no_memory and go on with what they have; pm_engine_input() takes the decisions back.
 */
#ifndef PM_ENGINE_INTERNAL_H
#define PM_ENGINE_INTERNAL_H

#include "pm/engine.h"

#define NO_SOURCE     0xff
#define JOIN_SLOW_MS  500    /* a join that takes longer is no sign of a path that works */
#define JOIN_LOST_MS  140000 /* after the last SYN of the kernel */
#define CLOSE_LOST_MS 10000
#define PEERS_MAX     8	   /* addresses of the peer that are remembered of a connection */
#define BLOCKS_MAX    256  /* addresses that do not want joins; the oldest gives way */
#define RESYNC_MS     1000 /* at most one resync in this time */

enum trigger_kind {
	TRIGGER_NONE,
	TRIGGER_RTT,
	TRIGGER_RTO,
	TRIGGER_LOSS,
	TRIGGER_RESENT,
	TRIGGER_TIMEOUTS,
	TRIGGER_STALL,
};

/* A figure that follows its samples only when it has to, so that what is decided with it does not
 * flap. */
struct steady {
	uint64_t value; /* 0: not known */
	uint64_t changed_ms;
	uint8_t samples; /* in a row that are far from it */
};

/* A source as one mode sees it. */
struct opinion {
	bool bad;
	bool on_trial;	       /* good for want of news */
	uint8_t samples;       /* in a row that say the contrary */
	enum trigger_kind why; /* of bad */
	uint64_t value;	       /* of that trigger */
	uint64_t against_ms;   /* the first of `samples` */
	uint64_t changed_ms;   /* 0: never */
	uint64_t sampled_ms;   /* the newest sample */
	uint32_t trial_ms;     /* bad and silent for so long: it gets another chance */
	struct steady rtt_us, rate_bps;
};

struct source {
	bool used, present;
	int ifindex;
	unsigned int path;
	enum policy_link_type type;
	char interface[IF_NAMESIZE];
	uint8_t address[16];
	uint8_t id;
	uint32_t nr_subflows;
	uint32_t nr_failing; /* joins that failed since the last that did not */
	uint64_t since_ms;   /* present, or gone; 0: from the start */
	uint32_t since_at;   /* the input that told so: what failed before is forgotten */
	uint32_t healed_at;  /* what failed before may be tried at once */
	uint64_t healed_ms;
	struct policy_prefix nat64, nat64_before; /* before the input at hand; no bits: none */
	struct pm_health health;
};

enum flow_bits {
	FLOW_ESTABLISHED = 1 << 0,
	FLOW_BACKUP = 1 << 1, /* asked by us */
	FLOW_PEER_BACKUP = 1 << 2,
	FLOW_DELETING = 1 << 3,
	FLOW_V6_SOCKET = 1 << 4, /* the kernel has its IPv4 addresses mapped */
	FLOW_WITHDRAWN = 1 << 5,
	FLOW_SEEN = 1 << 6,   /* in the snapshot at hand */
	FLOW_DOOMED = 1 << 7, /* in the reconciliation at hand */
};

struct flow {
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port; /* local_port 0: asked for, not shown yet */
	uint8_t local_id, remote_id;
	uint8_t source; /* NO_SOURCE */
	uint8_t bits;
	bool astray;	   /* by the prefix of a NAT64 that is not there any more */
	uint32_t since_ms; /* the low half: of asking, then of being established */
};

enum attempt_bits {
	ATTEMPT_NEVER = 1 << 0,
	ATTEMPT_AS_BACKUP = 1 << 1,
	ATTEMPT_REOPENED = 1 << 2, /* the one time that is allowed */
};

/* A subflow that was lost, refused or could not be made. */
struct attempt {
	uint8_t source, fails, bits;
	uint32_t remote;    /* hash of address and port */
	uint32_t failed_at; /* pm_engine.input; two things may happen in the same millisecond */
	uint64_t next_ms;
};

/* The peer reset a subflow. */
struct reset {
	uint64_t at_ms;
	uint32_t after_ms; /* with POLICY_RETRY_AFTER and POLICY_RETRY_HOLD */
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port;
	uint8_t source, reason, retry; /* enum policy_retry; 0: the peer's to do */
	bool transient, as_backup;
};

/* Of a connection that lost something; most never do. */
struct past {
	struct attempt *attempts;
	struct reset *resets; /* the oldest first; NULL, or room for PM_RESETS_MAX */
	uint8_t nr_attempts, nr_resets;
};

/* An address that the peer announced. */
struct peer {
	uint8_t address[16];
	uint16_t port;
	uint8_t id;
};

enum conn_bits {
	CONN_OURS = 1 << 0,
	CONN_ESTABLISHED = 1 << 1,
	CONN_DENY_ID0 = 1 << 2,
	CONN_V4_SOCKET = 1 << 3,
	CONN_VOUCHED = 1 << 4, /* the kernel took a request */
	CONN_MATCHED = 1 << 5, /* has its rule */
	CONN_ASKED = 1 << 6,   /* for its identity */
	CONN_IDENTIFIED = 1 << 7,
	CONN_SEEN = 1 << 8,
	CONN_MEASURED = 1 << 9, /* waits to have moved enough */
	CONN_FORGOT = 1 << 10,	/* joins that may still come up */
};

struct conn {
	struct conn *next; /* in its bucket */
	struct flow *flows;
	struct past *past; /* NULL: nothing failed yet */
	struct peer *peers;
	const char *cgroup, *user, *reason; /* interned; NULL */
	uint64_t born_ms, due_ms, moved_bytes;
	uint64_t announced; /* bit N: source N */
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port;
	uint32_t token, uid;
	uint32_t heap_at;   /* UINT32_MAX: not due */
	uint32_t looked_at; /* the last input that it was */
	uint16_t bits;
	uint8_t nr_flows, nr_peers;
	uint8_t rule; /* index of policy.rules; the number of them: the default one */
	uint8_t mode;
	uint8_t role; /* enum pm_role */
};

/* An address that answered a join with a reason not to come back. */
struct block {
	uint8_t address[16];
	uint8_t source; /* NO_SOURCE: from anywhere */
	uint64_t until_ms;
};

struct interned {
	struct interned *next;
	uint32_t users;
	char text[];
};

struct pm_engine {
	const struct policy *policy;
	enum policy_engine kind;
	struct source sources[PM_SOURCES_MAX];
	uint8_t order[PM_SOURCES_MAX]; /* of preference */
	size_t nr_sources;	       /* those below it may be used */
	size_t nr_left_out;
	uint64_t replaced;	  /* bit N: source N is another one since this input */
	bool started;		  /* interfaces are known */
	struct opinion *opinions; /* [mode][source] */
	bool *dirty;		  /* by mode: its connections have to be looked at */
	size_t nr_modes;
	bool forced_down[POLICY_PATHS_MAX];
	enum pm_allowed allowed[POLICY_PATHS_MAX];
	enum pm_wanted endpoints[POLICY_PATHS_MAX]; /* as told last */
	struct pm_nat64_network nat64[PM_SOURCES_MAX];
	size_t nr_nat64;
	struct conn **buckets;
	size_t nr_buckets, nr_conns;
	struct conn **heap; /* by due_ms */
	size_t nr_heap, heap_room;
	struct interned **strings;
	size_t nr_string_buckets, nr_strings;
	struct block blocks[BLOCKS_MAX];
	size_t nr_blocks;
	uint64_t sources_due_ms;
	uint64_t resync_ms; /* of the newest; 0: none yet */
	bool resync_due;
	uint32_t random;
	bool endpoints_untold; /* all of them have to be told again */
	bool look_at_all; /* something went wrong: the next snapshot looks at every connection */
	/* Of the call at hand. */
	uint32_t input; /* its number */
	uint64_t now;
	struct pm_decisions *out;
	bool no_memory;
};

/* engine_address.c */
void engine_pack(const struct pm_address *a, uint8_t out[16]);
struct pm_address engine_unpack(const uint8_t a[16]);
/* As a socket has it. */
struct pm_address engine_unpack_as(const uint8_t a[16], bool v6_socket);
bool engine_is_v4(const uint8_t a[16]);
uint32_t engine_hash(const uint8_t a[16], uint16_t port);

/* engine_strings.c: NULL for NULL, and when memory is short. */
const char *engine_intern(struct pm_engine *e, const char *text);
void engine_release(struct pm_engine *e, const char **text);
void engine_strings_free(struct pm_engine *e);

/* engine_due.c */
void engine_set_due(struct pm_engine *e, struct conn *c, uint64_t due_ms);
struct conn *engine_first_due(const struct pm_engine *e);

/* engine_conns.c */
struct conn *engine_find(const struct pm_engine *e, uint32_t token);
struct conn *engine_add_conn(struct pm_engine *e, uint32_t token);
void engine_drop_conn(struct pm_engine *e, struct conn *c);
void engine_conns_free(struct pm_engine *e);
/* Of all connections, in no order; `c` may drop itself. */
void engine_each(struct pm_engine *e, void (*f)(struct pm_engine *e, struct conn *c));
struct flow *engine_add_flow(struct pm_engine *e, struct conn *c, const struct flow *f);
void engine_drop_flow(struct pm_engine *e, struct conn *c, struct flow *f);
void engine_set_source(struct pm_engine *e, struct flow *f, uint8_t source);
/* A join whose end is not worth waiting for. */
void engine_forget_flow(struct pm_engine *e, struct conn *c, struct flow *f);
/* By addresses and ports; one that is only asked for has any local port. */
struct flow *engine_find_flow(struct conn *c, const struct flow *like);
void engine_set_reason(struct pm_engine *e, struct conn *c, const char *reason);

/* engine_sources.c */
void engine_interfaces(struct pm_engine *e, const struct pm_interface *items, size_t nr);
/* Paths of the sources anew, after another policy. */
void engine_sources_policy(struct pm_engine *e);
uint8_t engine_source_of(const struct pm_engine *e, const uint8_t local[16]);
bool engine_source_usable(const struct pm_engine *e, uint8_t source);
const char *engine_path_name(const struct pm_engine *e, uint8_t source);
void engine_order_sources(struct pm_engine *e);
/* A path that is a backup by its own word is dearer than all. */
uint32_t engine_cost(const struct pm_engine *e, uint8_t source);

/* engine_health.c */
const struct policy_mode *engine_mode(const struct pm_engine *e, unsigned int mode);
struct opinion *engine_opinion(const struct pm_engine *e, unsigned int mode, uint8_t source);
void engine_health(struct pm_engine *e, const struct pm_health *items, size_t nr);
/* Good for as long as `hold`, or from the start. */
bool engine_is_settled(const struct pm_engine *e, unsigned int mode, uint8_t source);
/* Trials and hold-downs that have come; sets sources_due_ms. */
void engine_health_tick(struct pm_engine *e);
void engine_opinions_reset(struct pm_engine *e, uint8_t source);
/* Bad, because nothing comes over it. */
bool engine_is_silent(const struct pm_engine *e, unsigned int mode, uint8_t source);
/* "rtt 812 ms >= 600 ms"; empty when it is good. */
void engine_why_bad(const struct pm_engine *e, unsigned int mode, uint8_t source,
		    char out[PM_REASON_BYTES]);

/* engine_modes.c */
struct candidate {
	uint8_t source;
	bool good, settled, has_flow;
	bool last_resort; /* a cap says so */
	uint32_t cost;
	enum policy_tristate backup;
	uint64_t rtt_us, rate_bps;
	enum pm_wanted want;
	uint64_t again_ms; /* when it may be good again, if it is joins that fail */
	bool keep;	   /* as wanted where there is a subflow, none where there is none */
};

struct candidates {
	const struct policy_mode *mode;
	struct candidate items[PM_SOURCES_MAX]; /* cheapest first */
	size_t nr;
};

/* Fills `want` in. */
void engine_decide_wanted(struct candidates *v);
void engine_candidates(const struct pm_engine *e, const struct conn *c, struct candidates *v);

/* engine_match.c */
uint32_t engine_rule_paths(const struct pm_engine *e, const struct conn *c);
/* Chooses rule and mode. False: the identity is needed first. */
bool engine_match(const struct pm_engine *e, struct conn *c);

/* engine_retry.c */
/* What went wrong there since the source came; NULL: nothing. */
struct attempt *engine_attempt(const struct pm_engine *e, const struct conn *c, uint8_t source,
			       const uint8_t remote[16], uint16_t port);
/* Lost, refused or not made; sets when it may be tried again. */
void engine_failed(struct pm_engine *e, struct conn *c, const struct flow *f, bool was_up);
/* Not yet: again after `delay_ms`, which is no failure. */
void engine_postpone(struct pm_engine *e, struct conn *c, const struct flow *f, uint32_t delay_ms);
/* Made when there is none; NULL: memory is short. */
struct past *engine_past(struct pm_engine *e, struct conn *c);
/* When a join may be made: 0 now, UINT64_MAX never. */
uint64_t engine_retry_ms(const struct pm_engine *e, const struct conn *c, uint8_t source,
			 const uint8_t remote[16], uint16_t port);
/* Waiting for the path is over. */
void engine_heal(struct pm_engine *e, struct source *s);
void engine_worked(struct pm_engine *e, const struct flow *f);
void engine_forget_blocks(struct pm_engine *e);
/* No join from `source` (NO_SOURCE: from anywhere) to the address until then. */
void engine_block(struct pm_engine *e, const uint8_t address[16], uint8_t source,
		  uint64_t until_ms);
/* Not before the step of back-off that its failures have reached. */
void engine_back_off(struct pm_engine *e, struct attempt *a);

/* engine_reset.c */
/* The peer said why it reset a subflow: what the policy does about it, after engine_failed(); of a
 * server it is remembered only. */
void engine_reset_heard(struct pm_engine *e, struct conn *c, const struct flow *f, uint32_t reason,
			bool transient);

/* engine_targets.c */
struct target {
	uint8_t address[16];
	uint8_t announced[16]; /* the same as the peer knows it, which a NAT64 may stand before */
	uint16_t port;
	uint8_t id;
};
/* Where a subflow from this source may go; the first is the peer's own address when that is
 * allowed. */
size_t engine_targets(const struct pm_engine *e, const struct conn *c, uint8_t source,
		      struct target out[PEERS_MAX + 1]);
uint32_t engine_subflows_max(const struct pm_engine *e);
unsigned int engine_use(const struct pm_engine *e, uint8_t source);
/* Of a source in a connection: 0 for the address that it was made from. */
uint8_t engine_local_id(const struct pm_engine *e, const struct conn *c, uint8_t source);

/* engine_nat64.c */
void engine_nat64(struct pm_engine *e, const struct pm_nat64_network *items, size_t nr);
/* Sources may be others than they were. */
void engine_nat64_sources(struct pm_engine *e);
/* Where an IPv4 address is to be found from an interface that has IPv6 alone; false: nowhere. */
bool engine_nat64_to(const struct pm_engine *e, uint8_t source, const uint8_t v4[16],
		     uint8_t out[16]);
/* Where it leads: the remote address as the peer knows it. */
void engine_nat64_from(const struct pm_engine *e, const struct flow *f, uint8_t out[16]);

/* engine_reconcile.c, engine_change.c, engine_reason.c */
struct work {
	struct pm_engine *e;
	struct conn *c;
	struct candidates v;
	uint8_t at[PM_SOURCES_MAX]; /* index in v.items; NO_SOURCE: no candidate */
	size_t nr;		    /* decided */
	size_t nr_reserved;	    /* places that are made for subflows to come */
	uint64_t due;
	bool is_client, more;
};

struct candidate *engine_candidate(struct work *w, uint8_t source);
/* Not going, and not to go. */
bool engine_stays(const struct flow *f);
/* The subflow is on a path that is there. */
bool engine_flow_usable(const struct pm_engine *e, const struct flow *f);
/* There is another one like it, which stays. */
bool engine_has_twin(const struct conn *c, const struct flow *f);
/* NULL when this batch is full, or memory is. */
struct pm_decision *engine_change(struct work *w, enum pm_request_kind kind, const struct flow *f);
bool engine_has_other(const struct work *w, const struct flow *f);
void engine_change_priorities(struct work *w);
void engine_remove(struct work *w);
void engine_announce(struct work *w);
void engine_evaluate(struct pm_engine *e, struct conn *c);

void engine_reason_add(struct work *w, const struct flow *f, char out[PM_REASON_BYTES]);
void engine_reason_priority(struct work *w, const struct flow *f, char out[PM_REASON_BYTES]);
void engine_reason_remove(struct work *w, const struct flow *f, char out[PM_REASON_BYTES]);
/* Whether the peer is told why it is removed; sets what it is told. `displaced`: another one gets
 * its place. */
bool engine_reset_said(const struct work *w, const struct flow *f, bool displaced,
		       struct pm_request *r);

/* engine_decide.c: NULL when memory is short. */
struct pm_decision *engine_decide(struct pm_engine *e, enum pm_decision_kind kind, uint32_t token);
/* A name may be too long for it: cut. */
void engine_say(char out[PM_REASON_BYTES], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void engine_resync(struct pm_engine *e, const char *why);
void engine_notice(struct pm_engine *e, unsigned int path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* engine_result.c: what was decided is not going to be done, which is nobody's fault. */
void engine_undo(struct pm_engine *e, const struct pm_decision *d);

/* engine_view.c */
void engine_tell_endpoints(struct pm_engine *e);

/* engine_events.c, engine_snapshot.c */
void engine_fill_conn(struct conn *c, const struct pm_socket_pair *at, enum pm_role role);
void engine_fill_flow(const struct pm_engine *e, struct flow *f, const struct pm_socket_pair *at);
void engine_event(struct pm_engine *e, const struct pm_event *event);
void engine_identity(struct pm_engine *e, const struct pm_identity *identity);
void engine_snapshot(struct pm_engine *e, const struct pm_connections *all);

#endif
