// SPDX-License-Identifier: GPL-2.0-only
/* Every key of the policy language: its place, its type, its default and what it is for. */
#include "policy/grammar.h"

#include "policy/handlers.h"

#define NAME_PATTERN	   "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
#define SCHEDULER_PATTERN  "^[a-z0-9_-]{1,15}$"
#define CONGESTION_PATTERN "^[A-Za-z0-9_.-]{1,15}$"
#define KNOB_PATTERN	   "^[A-Za-z_][A-Za-z0-9_]{0,62}$"
#define GLOB_PATTERN	   "^[^/ ]{1,63}$"
#define CGROUP_PATTERN	   "^/[^ ]{0,254}$"
#define USER_PATTERN	   "^[A-Za-z_][A-Za-z0-9_.-]{0,31}$"
#define RANGE_PATTERN	   "^[0-9]{1,5}-[0-9]{1,5}$"

const struct word grammar_link_types[] = {
	{ "any", POLICY_LINK_ANY },	      { "wifi", POLICY_LINK_WIFI },
	{ "cellular", POLICY_LINK_CELLULAR }, { "ethernet", POLICY_LINK_ETHERNET },
	{ "vpn", POLICY_LINK_VPN },
};
const size_t grammar_nr_link_types = ARRAY_SIZE(grammar_link_types);
_Static_assert(ARRAY_SIZE(grammar_link_types) == POLICY_LINK_VPN + 1, "a link type has no name");

static const struct word trusts[] = {
	{ "high", POLICY_TRUST_HIGH },
	{ "normal", POLICY_TRUST_NORMAL },
	{ "low", POLICY_TRUST_LOW },
};
_Static_assert(ARRAY_SIZE(trusts) == POLICY_TRUST_HIGH + 1, "a trust level has no name");

static const struct word fallbacks[] = {
	{ "deny", POLICY_FALLBACK_DENY },
	{ "allow", POLICY_FALLBACK_ALLOW },
};
_Static_assert(ARRAY_SIZE(fallbacks) == POLICY_FALLBACK_ALLOW + 1, "a fallback has no name");

static const struct word engines[] = {
	{ "auto", POLICY_ENGINE_AUTO },
	{ "kernel", POLICY_ENGINE_KERNEL },
	{ "userspace", POLICY_ENGINE_USERSPACE },
};
_Static_assert(ARRAY_SIZE(engines) == POLICY_ENGINE_USERSPACE + 1, "an engine has no name");

static const struct word endpoint_uses[] = {
	{ "subflow", POLICY_ENDPOINT_SUBFLOW },
	{ "signal", POLICY_ENDPOINT_SIGNAL },
	{ "fullmesh", POLICY_ENDPOINT_FULLMESH },
};

static const struct word roles[] = {
	{ "client", POLICY_ROLE_CLIENT },
	{ "server", POLICY_ROLE_SERVER },
};
_Static_assert(ARRAY_SIZE(roles) == POLICY_ROLE_SERVER, "a role has no name");

static const struct value version_value = { VALUE_INTEGER, .min = 1, .max = 1 };
static const struct value boolean = { .kind = VALUE_BOOL };
static const struct value cost = { VALUE_INTEGER, .min = 1, .max = 1000000 };
static const struct value count = { VALUE_INTEGER, .max = 64 };
static const struct value knob = { VALUE_INTEGER, .max = UINT64_MAX };
static const struct value link_type = { VALUE_WORD, WORDS(grammar_link_types) };
static const struct value trust = { VALUE_WORD, WORDS(trusts) };
static const struct value engine = { VALUE_WORD, WORDS(engines) };
static const struct value fallback = { VALUE_WORD, WORDS(fallbacks) };
static const struct value endpoint = { VALUE_FLAGS, WORDS(endpoint_uses) };

static const struct value role = { VALUE_WORD, WORDS(roles) };
static const struct value uid = { VALUE_INTEGER, .max = UINT32_MAX - 1 };
static const struct value mark = { VALUE_INTEGER, .max = UINT32_MAX };
static const struct value port_number = { VALUE_INTEGER, .min = 1, .max = UINT16_MAX };

static const struct value name = {
	VALUE_TEXT,
	.pattern = NAME_PATTERN,
	.expected = "up to 63 letters, digits, \".\", \"_\" or \"-\", the first a letter or digit",
};
static const struct value scheduler_name = {
	VALUE_TEXT,
	.pattern = SCHEDULER_PATTERN,
	.expected = "1 to 15 of a-z, 0-9, \"_\" and \"-\"",
};
static const struct value congestion = {
	VALUE_TEXT,
	.pattern = CONGESTION_PATTERN,
	.expected = "1 to 15 letters, digits, \".\", \"_\" and \"-\", such as cubic",
};
static const struct value glob = {
	VALUE_TEXT,
	.pattern = GLOB_PATTERN,
	.expected = "an interface name or a pattern such as \"wl*\"",
};

static const struct value cgroup = {
	VALUE_TEXT,
	.pattern = CGROUP_PATTERN,
	.expected = "a path that starts with \"/\", as in /proc/PID/cgroup",
};
static const struct value executable = {
	VALUE_TEXT,
	.pattern = GLOB_PATTERN,
	.expected = "the name of a file without its folder",
};
static const struct value user = {
	VALUE_USER,
	.element = &uid,
	.pattern = USER_PATTERN,
	.expected = "a number or the name of a user",
};
const struct value grammar_ports = {
	VALUE_PORTS,
	.element = &port_number,
	.max = POLICY_PORTS_MAX,
	.pattern = RANGE_PATTERN,
	.expected = "a port, a range such as 8000-8010, or a list of them",
};
const struct value grammar_prefix = {
	VALUE_TEXT,
	.pattern = "^[0-9a-fA-F:.]{2,45}(/[0-9]{1,3})?$",
	.expected = "an address or a prefix such as 10.0.0.0/8",
};

static const struct value knobs = {
	VALUE_KNOBS,
	.element = &knob,
	.max = POLICY_KNOBS_MAX,
	.pattern = KNOB_PATTERN,
	.expected = "a name of letters, digits and \"_\"",
};

static const struct key scheduler_keys[] = {
	{ .name = "name",
	  &scheduler_name,
	  handle_name,
	  offsetof(struct policy_scheduler, name),
	  "The scheduler as `mptcp-pmctl sched list` shows it.",
	  .required = true },
	{ .name = "knobs",
	  &knobs,
	  handle_knobs,
	  0,
	  "Settings of the scheduler: numbers or lists of numbers." },
};
const struct value grammar_scheduler = {
	VALUE_SCHEDULER,
	.element = &scheduler_name,
	KEYS(scheduler_keys),
};

static const struct key match_keys[] = {
	{ .name = "interface",
	  &glob,
	  handle_glob,
	  offsetof(struct policy_path, interface),
	  "Name of the interface, or a pattern with *, ? and [...]." },
	{ .name = "type",
	  &link_type,
	  handle_word,
	  offsetof(struct policy_path, type),
	  "Kind of link, found from the device or else from its name.",
	  "any" },
};
static const struct value match = { VALUE_OBJECT, KEYS(match_keys) };

static const struct key path_keys[] = {
	{ .name = "name",
	  &name,
	  handle_name,
	  offsetof(struct policy_path, name),
	  "Name of the path, for messages and tables.",
	  .required = true },
	{ .name = "match",
	  &match,
	  handle_object,
	  0,
	  "Which interfaces belong to the path; all conditions must hold." },
	{ .name = "cost",
	  &cost,
	  handle_integer,
	  offsetof(struct policy_path, cost),
	  "Lower is preferred.",
	  "1" },
	{ .name = "metered",
	  &boolean,
	  handle_bool,
	  offsetof(struct policy_path, metered),
	  "Whether traffic on the path costs money.",
	  "false" },
	{ .name = "trust",
	  &trust,
	  handle_word,
	  offsetof(struct policy_path, trust),
	  "How far the network behind the path is trusted.",
	  "normal" },
	{ .name = "backup",
	  &boolean,
	  handle_tristate,
	  offsetof(struct policy_path, backup),
	  "Use the path only when the others fail; when left out, the mode decides." },
	{ .name = "endpoint",
	  &endpoint,
	  handle_flags,
	  offsetof(struct policy_path, use),
	  "What the addresses are for: subflow opens subflows from them, signal announces them to "
	  "the peer, fullmesh pairs them with every address of the peer.",
	  "[subflow]" },
	{ .name = "congestion-control",
	  &congestion,
	  handle_name,
	  offsetof(struct policy_path, congestion),
	  "Congestion control of subflows that use the path; when left out, that of the kernel." },
	{ .name = "when",
	  &grammar_when,
	  handle_when,
	  offsetof(struct policy_path, when),
	  "When the path may be used.",
	  "always" },
};
static const struct value path = { VALUE_OBJECT, KEYS(path_keys) };
static const struct value paths = { VALUE_LIST, .element = &path, .max = POLICY_PATHS_MAX };

static const struct key condition_keys[] = {
	{ .name = "cgroup",
	  &cgroup,
	  handle_cgroup,
	  offsetof(struct policy_rule, cgroup),
	  "The cgroup v2 of the process that made the socket, or one above it, as in "
	  "/proc/PID/cgroup." },
	{ .name = "uid",
	  &user,
	  handle_user,
	  offsetof(struct policy_rule, user),
	  "The user who made the socket: a number or a name." },
	{ .name = "executable",
	  &executable,
	  handle_glob,
	  offsetof(struct policy_rule, executable),
	  "Name of the program's file, without its folder; only with mptcpify." },
	{ .name = "port",
	  &grammar_ports,
	  handle_ports,
	  offsetof(struct policy_rule, port),
	  "Port of the peer: a number, a range such as 8000-8010, or a list of them." },
	{ .name = "local-port",
	  &grammar_ports,
	  handle_ports,
	  offsetof(struct policy_rule, local_port),
	  "Port of this machine, written as port." },
	{ .name = "prefix",
	  &grammar_prefix,
	  handle_prefix,
	  offsetof(struct policy_rule, prefix),
	  "Address of the peer, or the prefix it is in." },
	{ .name = "role",
	  &role,
	  handle_word,
	  offsetof(struct policy_rule, role),
	  "Whether the connection was made here (client) or accepted here (server)." },
};
static const struct value conditions = { VALUE_OBJECT, KEYS(condition_keys) };

static const struct value path_names = { VALUE_LIST, .element = &name, .max = POLICY_PATHS_MAX };

static const struct key connection_keys[] = {
	{ .name = "match",
	  &conditions,
	  handle_object,
	  0,
	  "Which connections the rule is for; all conditions must hold. Only the last rule may be "
	  "without: it is the default." },
	{ .name = "mode",
	  &grammar_mode_ref,
	  handle_reference,
	  0,
	  "How the paths are used: a built-in mode, or one of \"modes\".",
	  "that of the default rule, there handover" },
	{ .name = "paths",
	  &path_names,
	  handle_references,
	  0,
	  "Names of the paths that may be used.",
	  "those of the default rule, there all" },
	{ .name = "scheduler",
	  &grammar_scheduler,
	  handle_scheduler,
	  offsetof(struct policy_rule, scheduler),
	  "Packet scheduler of the rule; comes before that of the mode." },
	{ .name = "mark",
	  &mark,
	  handle_integer,
	  offsetof(struct policy_rule, mark),
	  "Firewall mark of the connection's subflows, for routing rules and nftables; 0: none.",
	  "that of the default rule, there 0" },
	{ .name = "mptcpify",
	  &boolean,
	  handle_tristate,
	  offsetof(struct policy_rule, mptcpify),
	  "For programs rather than connections, by cgroup, uid and executable: whether they get "
	  "MPTCP where they ask for TCP." },
};
static const struct value connection = { VALUE_OBJECT, KEYS(connection_keys) };
static const struct value connections = {
	VALUE_LIST,
	.element = &connection,
	.max = POLICY_RULES_MAX,
};

static const struct key limits_keys[] = {
	{ .name = "subflows",
	  &count,
	  handle_integer,
	  offsetof(struct policy_limits, subflows),
	  "Subflows a connection may have beside the first.",
	  "2" },
	{ .name = "add-addr-accepted",
	  &count,
	  handle_integer,
	  offsetof(struct policy_limits, add_addr_accepted),
	  "Announced addresses of the peer a connection may use.",
	  "0" },
};
static const struct value limits = { VALUE_OBJECT, KEYS(limits_keys) };

static const struct word log_levels[] = {
	{ "info", POLICY_LOG_INFO },
	{ "error", POLICY_LOG_ERROR },
	{ "warning", POLICY_LOG_WARNING },
	{ "debug", POLICY_LOG_DEBUG },
};
_Static_assert(ARRAY_SIZE(log_levels) == POLICY_LOG_DEBUG + 1, "a log level has no name");
static const struct value log_level = { VALUE_WORD, WORDS(log_levels) };
static const struct key observe_keys[] = {
	{ .name = "log",
	  &log_level,
	  handle_word,
	  offsetof(struct policy_observe, log),
	  "What the daemon says: what is as important as this, or more.",
	  "info" },
};
static const struct value observe = { VALUE_OBJECT, KEYS(observe_keys) };

static const struct key root_keys[] = {
	{ .name = "version",
	  &version_value,
	  handle_version,
	  offsetof(struct draft, version),
	  "Version of the policy language.",
	  .required = true },
	{ .name = "name",
	  &name,
	  handle_name,
	  offsetof(struct draft, policy.name),
	  "Name of the policy, for messages and `status`.",
	  .required = true },
	{ .name = "fallback",
	  &fallback,
	  handle_word,
	  offsetof(struct draft, policy.fallback),
	  "Whether to apply what can be had when the kernel lacks something.",
	  "deny" },
	{ .name = "scheduler",
	  &grammar_scheduler,
	  handle_scheduler,
	  offsetof(struct draft, top_scheduler),
	  "Packet scheduler, unless the mode or the rule names one." },
	{ .name = "paths",
	  &paths,
	  handle_paths,
	  0,
	  "Network interfaces; each belongs to the first path that matches it." },
	{ .name = "connections",
	  &connections,
	  handle_connections,
	  0,
	  "Rules for connections; the first that matches decides." },
	{ .name = "modes",
	  &grammar_modes,
	  handle_modes,
	  0,
	  "Settings of built-in modes, and modes of your own." },
	{ .name = "engine",
	  &engine,
	  handle_word,
	  offsetof(struct draft, policy.engine),
	  "Who opens subflows: kernel (endpoints, the same for every connection), userspace (the "
	  "daemon, connection by connection), or auto: userspace when something needs it.",
	  "auto" },
	{ .name = "caps",
	  &grammar_caps,
	  handle_caps,
	  0,
	  "How much paths may move, and what happens then." },
	{ .name = "limits",
	  &limits,
	  handle_limits,
	  offsetof(struct draft, policy.limits),
	  "Limits of the kernel's path manager; left alone when absent." },
	{ .name = "guard",
	  &grammar_guard,
	  handle_guard,
	  offsetof(struct draft, policy.guard),
	  "What peers, and the networks behind the paths, may ask for." },
	{ .name = "reset",
	  &grammar_reset,
	  handle_reset,
	  offsetof(struct draft, policy.reset),
	  "Why subflows end (MP_TCPRST): what the peer is told, and what is done when it tells." },
	{ .name = "nat64",
	  &grammar_nat64,
	  handle_nat64,
	  offsetof(struct draft, policy.nat64),
	  "IPv4 addresses of the peer, joined through the NAT64 of networks with IPv6 alone." },
	{ .name = "establish",
	  &grammar_establish,
	  handle_establish,
	  offsetof(struct draft, policy.establish),
	  "How connections get established." },
	{ .name = "tfo",
	  &grammar_tfo,
	  handle_tfo,
	  offsetof(struct draft, policy.tfo),
	  "Data in the SYN (TCP Fast Open)." },
	{ .name = "observe",
	  &observe,
	  handle_object,
	  offsetof(struct draft, policy.observe),
	  "What is told of what goes on." },
};

const struct value grammar_root = { VALUE_OBJECT, KEYS(root_keys) };
