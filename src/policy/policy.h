/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy model: what the owner of the machine wants, free of YAML.
 *
 * policy_parse() and policy_load() are the only makers of a `struct policy`; everything beyond
 * this point reads it and never writes it. All strings and arrays belong to the policy and die
 * with policy_free(). The keys and their meaning are described in mptcp-pm.policy(5).
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

#define POLICY_PATHS_MAX       32
#define POLICY_RULES_MAX       64
#define POLICY_MODES_MAX       32 /* built-in and own */
#define POLICY_CAPS_MAX	       32
#define POLICY_HOURS_MAX       4  /* parts of a day in one schedule */
#define POLICY_PORTS_MAX       16 /* ranges in one condition */
#define POLICY_KNOBS_MAX       16
#define POLICY_DEST_MAX	       16 /* destinations in one list */
#define POLICY_DEST_RANGES_MAX 64 /* the same, each range of ports counted */
#define POLICY_KNOB_VALUES_MAX 16
#define POLICY_NAME_BYTES      64 /* names of policies and paths, NUL included */
#define POLICY_SCHEDULER_BYTES 16 /* MPTCP_SCHED_NAME_MAX, NUL included */
#define POLICY_DIAGNOSTICS_MAX 20
#define POLICY_GUARD_LIST_MAX  16 /* of addresses, each range of ports counted */
#define POLICY_CA_NAME_BYTES   16 /* TCP_CA_NAME_MAX, NUL included */

enum policy_link_type {
	POLICY_LINK_ANY,
	POLICY_LINK_WIFI,
	POLICY_LINK_CELLULAR,
	POLICY_LINK_ETHERNET,
	POLICY_LINK_VPN,
};

/* What a mode does with a connection's paths; docs/modes.md has a state diagram of each. */
enum policy_mode_kind {
	POLICY_MODE_HANDOVER,	    /* cheapest paths active, a dearer one only when they are bad */
	POLICY_MODE_AGGREGATE,	    /* every path active */
	POLICY_MODE_ACTIVE_STANDBY, /* exactly one path active, the others open as backup */
	POLICY_MODE_INTERACTIVE,    /* the same by cost, left at the first sign of trouble */
	POLICY_MODE_PURE_HANDOVER,  /* one subflow; the next one is opened when its path is gone */
	POLICY_MODE_SMALLEST_DELAY, /* all open, that of the lowest RTT active */
	POLICY_MODE_LOAD_BALANCE,   /* every path active, new data by weight */
	POLICY_MODE_PRIORITY,  /* paths of a cost only when those of a lower one are not good */
	POLICY_MODE_REDUNDANT, /* every path active, data on more than one */
	POLICY_MODE_CHEAPEST,  /* only paths of the lowest cost that there is, good or bad */
	POLICY_MODE_TARGET,    /* a dearer path while the rate is below a target */
};

enum policy_tristate {
	POLICY_UNSET,
	POLICY_NO,
	POLICY_YES,
};

enum policy_trust {
	POLICY_TRUST_NORMAL,
	POLICY_TRUST_LOW,
	POLICY_TRUST_HIGH,
};

/* What a path's endpoints are for; bits as in `ip mptcp endpoint`. */
enum policy_endpoint_use {
	POLICY_ENDPOINT_SUBFLOW = 1 << 0,
	POLICY_ENDPOINT_SIGNAL = 1 << 1,
	POLICY_ENDPOINT_FULLMESH = 1 << 2,
};

/* Who opens subflows. */
enum policy_engine {
	POLICY_ENGINE_AUTO,	 /* userspace when something asks for it, else the kernel */
	POLICY_ENGINE_KERNEL,	 /* endpoints and limits, the same for every connection */
	POLICY_ENGINE_USERSPACE, /* the daemon, connection by connection */
};

/* How much the daemon says, and what is more important. */
enum policy_log {
	POLICY_LOG_INFO,
	POLICY_LOG_ERROR,
	POLICY_LOG_WARNING,
	POLICY_LOG_DEBUG,
};

struct policy_observe {
	enum policy_log log;
};

enum policy_fallback {
	POLICY_FALLBACK_DENY,  /* refuse to apply when the kernel lacks something */
	POLICY_FALLBACK_ALLOW, /* apply what can be had and say what was left out */
};

struct policy_knob {
	char *name;
	uint64_t values[POLICY_KNOB_VALUES_MAX];
	size_t nr_values; /* 1 for a scalar */
};

/* A packet scheduler and its settings. An empty name means "leave the kernel's setting alone". */
struct policy_scheduler {
	char name[POLICY_SCHEDULER_BYTES];
	struct policy_knob knobs[POLICY_KNOBS_MAX];
	size_t nr_knobs;
};

/* Part of a day in minutes after midnight, local time; one that ends before it begins ends on the
 * next day. */
struct policy_hours {
	uint16_t from, to; /* up to 1440 */
};

struct policy_when {
	unsigned int days; /* bit N: day N of the week, 0 being Sunday; none: always */
	struct policy_hours
		hours[POLICY_HOURS_MAX]; /* those past midnight belong to its first day */
	size_t nr_hours;		 /* 0: all day */
};

struct policy_path {
	char name[POLICY_NAME_BYTES];
	char *interface; /* glob as in fnmatch(3); NULL: any */
	enum policy_link_type type;
	uint32_t cost; /* lower is preferred; default 1 */
	bool metered;
	enum policy_trust trust;
	enum policy_tristate backup; /* unset: the mode decides */
	unsigned int use;	     /* POLICY_ENDPOINT_*; default POLICY_ENDPOINT_SUBFLOW */
	struct policy_when when;     /* not used at other times */
	/* Congestion control of subflows on it; empty: left alone. */
	char congestion[POLICY_CA_NAME_BYTES];
	unsigned int line; /* where it stands in the file, 1-based */
};

enum policy_role {
	POLICY_ROLE_ANY,
	POLICY_ROLE_CLIENT, /* connected from here */
	POLICY_ROLE_SERVER, /* accepted here */
};

struct policy_port_range {
	uint16_t first, last; /* host byte order, both inclusive */
};

struct policy_ports {
	struct policy_port_range ranges[POLICY_PORTS_MAX];
	size_t nr; /* 0: any port */
};

/* A destination prefix; IPv4 as ::ffff:a.b.c.d, so that /24 is 120. */
struct policy_prefix {
	uint8_t address[16];
	uint8_t bits; /* 0: any address */
};

/* A path is bad from `enter` on, and good again at or below `leave`; 0: not looked at. */
struct policy_threshold {
	uint64_t enter, leave;
};

/* When a path is bad. Any of them is enough; all must have been left for it to be good again. */
struct policy_switch {
	struct policy_threshold rtt_us; /* smoothed */
	struct policy_threshold rto_us;
	struct policy_threshold loss_permille; /* moving averages of what was sent */
	struct policy_threshold resent_permille;
	struct policy_threshold timeouts; /* retransmission timeouts in a row */
	struct policy_threshold stall_ms; /* since the last ack with data outstanding, or since
					   * the last data with a request outstanding */
	uint32_t alpha_permille;	  /* weight of the newest sample in the averages */
	uint32_t period_ms;		  /* between samples */
};

/* A mode as the policy tunes it; policy.modes has one for each kind, and those with own names. */
struct policy_mode {
	char name[POLICY_NAME_BYTES];
	enum policy_mode_kind kind;
	struct policy_switch when_bad;
	uint32_t hold_ms; /* a path stays good, or bad, at least so long before it is the other */
	uint32_t open_after_ms;	   /* subflows beyond the first: age of the connection ... */
	uint64_t open_after_bytes; /* ... and what it has moved */
	uint64_t target_bps;	   /* target: 0 elsewhere */
};

/* A built-in mode as it is without a policy. */
const struct policy_mode *policy_mode_builtin(enum policy_mode_kind kind);

/* A rule for some connections: all conditions must hold. */
struct policy_rule {
	char *cgroup; /* path in the cgroup v2 hierarchy, with its first slash; NULL: any */
	char *user;   /* name or number; NULL: any */
	struct policy_ports port, local_port; /* the peer's, ours */
	struct policy_prefix prefix;
	enum policy_role role;
	struct policy_scheduler scheduler; /* resolved as the default one; has a name */
	enum policy_mode_kind mode;
	unsigned int mode_index; /* in policy.modes */
	uint32_t paths;		 /* bit N: policy.paths[N] may be used; all set: any */
	uint32_t mark;		 /* SO_MARK of subflows; 0: none */
	unsigned int number;	 /* in `connections`, from 1 */
	unsigned int line;
	/* While it is read; rules with these become programs. */
	char *executable;
	enum policy_tristate mptcpify;
};

/* Whether programs get MPTCP where they ask for TCP: all conditions must hold. */
struct policy_program {
	char *cgroup, *user; /* as in a rule */
	char *executable;    /* name of the file, without its folder; NULL: any */
	bool mptcpify;
	unsigned int number, line; /* as in a rule */
};

enum policy_period {
	POLICY_PER_DAY, /* from midnight to midnight, local time */
	POLICY_PER_MONTH,
};

enum policy_cap_action {
	POLICY_CAP_BACKUP,
	POLICY_CAP_CLOSE,
	POLICY_CAP_NOTIFY, /* says so, and goes on */
};

/* What happens to a path when its interfaces have moved so much, in both directions. */
struct policy_cap {
	unsigned int path; /* in policy.paths */
	uint64_t bytes;
	enum policy_period per;
	enum policy_cap_action then;
	unsigned int line;
};

struct policy_limits {
	bool set;	   /* false: the kernel's limits are left alone */
	uint32_t subflows; /* extra subflows per connection */
	uint32_t add_addr_accepted;
};

/* Addresses and ports of the other side. */
struct policy_destination {
	struct policy_prefix prefix;
	struct policy_ports port;
};

/* What the peer of a path, or one who can write to its network, may ask for. */
enum policy_guard_prio {
	POLICY_GUARD_PRIO_ACCEPT,
	POLICY_GUARD_PRIO_IGNORE_BACKUP, /* only no longer being a backup is obeyed */
	POLICY_GUARD_PRIO_IGNORE_ALL,
	POLICY_GUARD_PRIO_RATE,	       /* so many a minute */
	POLICY_GUARD_PRIO_NEVER_EMPTY, /* unless no other subflow would be left */
};

enum policy_guard_remove {
	POLICY_GUARD_REMOVE_ACCEPT,
	POLICY_GUARD_REMOVE_PROBE, /* unless the path is alive */
	POLICY_GUARD_REMOVE_IGNORE,
};

/* Paths that the action is for. */
enum policy_guard_below {
	POLICY_GUARD_ALL,
	POLICY_GUARD_BELOW_NORMAL,
	POLICY_GUARD_BELOW_HIGH,
};

/* What is done about a first path that does not answer; bits. */
enum policy_robe {
	POLICY_ROBE_IPS = 1 << 0,   /* choose the first path by what was learned */
	POLICY_ROBE_TIMER = 1 << 1, /* a SYN that stays unanswered leaves on the next path too */
	POLICY_ROBE_SIM = 1 << 2,   /* a SYN leaves on two paths at once; never with TIMER */
};

struct policy_guard {
	bool set; /* false: nothing is guarded */
	struct {
		enum policy_guard_prio action;
		enum policy_guard_below below;
		uint32_t per_minute; /* with RATE; 0: not given */
	} mp_prio;
	struct {
		enum policy_guard_remove action;
		enum policy_guard_below below;
	} rm_addr;
	struct policy_destination add_addr[POLICY_GUARD_LIST_MAX]; /* all that may be announced */
	size_t nr_add_addr;					   /* 0: any */
	uint32_t joins_per_minute; /* on each interface; 0: any number */
};

/* How the prefix of a network's NAT64 is found; bits. */
enum policy_nat64_source {
	POLICY_NAT64_RA = 1 << 0,  /* PREF64 of router advertisements, RFC 8781 */
	POLICY_NAT64_DNS = 1 << 1, /* ipv4only.arpa, RFC 7050 */
};

/* IPv4 addresses of the peer from networks that have IPv6 alone. */
struct policy_nat64 {
	bool set;		     /* false: they are not reached */
	struct policy_prefix prefix; /* no bits: not given */
	unsigned int discover;	     /* POLICY_NAT64_* */
};

/* Whether RFC 6052 lets it be the prefix of a NAT64: its length, and bits 64 to 71. */
bool policy_nat64_valid(const struct policy_prefix *prefix);

/* How connections get established. */
struct policy_establish {
	unsigned int robe; /* POLICY_ROBE_*; 0: off */
	uint64_t timer_ms; /* of TIMER, and the first retransmission timeout of a SYN then */
	uint64_t learn_ttl_ms;
	uint32_t explore_ppm; /* of the connections try a path that is not known to be best */
	/* Retransmitted SYNs that still ask for MPTCP; 128: all. Only when has_syn_retries. */
	uint32_t fallback_syn_retries;
	bool has_syn_retries;
	/* Where a SYN may be sent twice although it carries data. */
	struct policy_destination idempotent[POLICY_DEST_MAX];
	size_t nr_idempotent;
};

/* Why a subflow was reset, as RFC 8684 section 3.6 numbers it. */
enum policy_reset_reason {
	POLICY_RESET_UNSPECIFIED,
	POLICY_RESET_MPTCP,
	POLICY_RESET_RESOURCES,
	POLICY_RESET_PROHIBITED,
	POLICY_RESET_OUTSTANDING,
	POLICY_RESET_PERFORMANCE,
	POLICY_RESET_MIDDLEBOX,
};
#define POLICY_RESET_REASONS (POLICY_RESET_MIDDLEBOX + 1)

/* When a subflow that the peer reset is opened again. */
enum policy_retry {
	POLICY_RETRY_NEVER = 1,
	POLICY_RETRY_ONCE,     /* at once, and not a second time */
	POLICY_RETRY_BACK_OFF, /* 1, 2, 4 ... 64 s */
	POLICY_RETRY_HOLD,     /* after the mode's hold */
	POLICY_RETRY_AFTER,    /* after_ms */
};

struct policy_reaction {
	uint64_t after_ms;
	enum policy_retry retry; /* 0: as without a policy */
	bool as_backup;
	bool transient_only; /* never when the peer does not say that it will pass (T bit) */
};

struct policy_reset {
	bool set;
	bool emits; /* anything of `emit` is set */
	struct {
		bool set, transient;
	} emit[POLICY_RESET_REASONS];
	struct policy_reaction react[POLICY_RESET_REASONS];
};

enum policy_tfo_server {
	POLICY_TFO_SERVER_UNSET, /* the kernel's setting is left alone */
	POLICY_TFO_SERVER_OFF,
	POLICY_TFO_SERVER_ASKED, /* for listeners with the socket option TCP_FASTOPEN */
	POLICY_TFO_SERVER_ALL,	 /* for every listener from then on */
};

/* Who does without cookies; bits. */
enum policy_tfo_no_cookie {
	POLICY_TFO_NO_COOKIE_CLIENT = 1 << 0,
	POLICY_TFO_NO_COOKIE_SERVER = 1 << 1,
};

/* Data in the SYN. */
struct policy_tfo {
	enum policy_tristate client;
	enum policy_tfo_server server;
	unsigned int no_cookie;			       /* POLICY_TFO_NO_COOKIE_* */
	struct policy_destination to[POLICY_DEST_MAX]; /* all that a client may send it to */
	size_t nr_to;				       /* 0: any */
	uint64_t blackhole_ms; /* how long a destination gets none after losses; 0: not watched */
};

struct policy {
	char *file; /* as given by the user, for messages */
	char name[POLICY_NAME_BYTES];
	enum policy_fallback fallback;
	struct policy_path *paths; /* in file order: first match wins */
	size_t nr_paths;
	struct policy_rule *rules; /* those with conditions, in file order: first match wins */
	size_t nr_rules;
	struct policy_program *programs; /* in file order: first match wins */
	size_t nr_programs;
	enum policy_mode_kind mode; /* of the default connection rule */
	unsigned int mode_index;    /* in `modes` */
	uint32_t rule_paths;	    /* as policy_rule.paths, of the default rule */
	uint32_t rule_mark;	    /* as policy_rule.mark, of the default rule */
	struct policy_mode *modes;  /* the built-in ones in the order of their enum, then own */
	size_t nr_modes;
	enum policy_engine engine;
	struct policy_cap *caps;
	size_t nr_caps;
	struct policy_scheduler scheduler; /* resolved: rule, then mode, then top level */
	struct policy_limits limits;
	struct policy_guard guard;
	struct policy_nat64 nat64;
	struct policy_establish establish;
	struct policy_reset reset;
	struct policy_tfo tfo;
	struct policy_observe observe;
};

/* How many rules with one range of ports each a rule amounts to. */
size_t policy_rule_weight(const struct policy_rule *rule);

/* How many of the rules, the first ones, it takes to tell which mark a connection gets: those
 * behind them have that of the default rule. */
size_t policy_nr_marking(const struct policy *policy);

/* Does an action that is for paths `below` apply to one of this trust? */
bool policy_guard_applies(enum policy_guard_below below, enum policy_trust trust);

/* What is done after a reset with this reason, by the policy or without it; of an unknown reason
 * what is done after an unspecified one. */
const struct policy_reaction *policy_reset_reaction(const struct policy *policy, uint32_t reason);

/* As in a policy: "lack-of-resources"; NULL: unknown. */
const char *policy_reset_name(uint32_t reason);
/* -EINVAL. */
int policy_reset_parse(const char *name, enum policy_reset_reason *out);

struct policy_diagnostic {
	unsigned int line, column; /* 1-based; column counts characters, not bytes */
	char text[256];		   /* e.g. unknown key "interfaces" */
	char hint[192];		   /* e.g. did you mean "interface"?; may be empty */
	char *source;		   /* the source line, may be NULL */
};

struct policy_diagnostics {
	struct policy_diagnostic items[POLICY_DIAGNOSTICS_MAX];
	size_t nr;    /* filled, at most POLICY_DIAGNOSTICS_MAX */
	size_t total; /* found */
};

/*
 * Parses `size` bytes of YAML. On success returns 0 and hands the policy to the caller; on error
 * returns -EINVAL with every mistake found (the first 20 in detail) in `diagnostics`, or -ENOMEM,
 * and leaves *out untouched. `file` is copied. `diagnostics` is overwritten, whatever it holds; the
 * caller clears it afterwards.
 */
int policy_parse(const char *file, const char *text, size_t size, struct policy **out,
		 struct policy_diagnostics *diagnostics);

/*
 * Reads and parses a file ("-" is standard input). As policy_parse(), and -errno with `e` set when
 * the file cannot be read; when the file is read but wrong, `e` gets the summary ("FILE: 3
 * errors").
 */
int policy_load(const char *file, struct policy **out, struct policy_diagnostics *diagnostics,
		struct error *e);

/* What policy_load() parses: the text of a file, NUL-terminated and the caller's. -errno. */
int policy_read(const char *file, char **text, size_t *size, struct error *e);
/* What policy_load() does with it. */
int policy_take(const char *file, const char *text, size_t size, struct policy **out,
		struct policy_diagnostics *diagnostics, struct error *e);

/* file:line:col: error: text, the source line, a caret and the hint, for each diagnostic. */
void policy_diagnostics_print(FILE *out, const char *file, const struct policy_diagnostics *d,
			      bool color);
void policy_diagnostics_clear(struct policy_diagnostics *d);

/* Idempotent; sets *p to NULL. */
void policy_free(struct policy **p);

/* Writes the JSON schema (draft 2020-12) made from the parser's own table. */
void policy_schema_print(FILE *out);

const char *policy_mode_name(enum policy_mode_kind mode);
const char *policy_link_type_name(enum policy_link_type type);

#endif
