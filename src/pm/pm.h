/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a policy and the state of a network namespace to the changes that make the second match
 * the first. plan_make() is pure; kernel_read() and plan_execute() do the I/O.
 *
 * Ownership: an endpoint belongs to us when the namespace's state file (/run/mptcp-pm/netns-INODE)
 * lists it. Anything else was made by someone else and is left alone unless `force` is set.
 */
#ifndef PM_PM_H
#define PM_PM_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "util/error.h"

/* MPTCP_PM_ADDR_FLAG_* of include/uapi/linux/mptcp_pm.h; the value 32 exists since 6.18. */
#define PM_FLAG_SIGNAL	 (1u << 0)
#define PM_FLAG_SUBFLOW	 (1u << 1)
#define PM_FLAG_BACKUP	 (1u << 2)
#define PM_FLAG_FULLMESH (1u << 3)
#define PM_FLAG_IMPLICIT (1u << 4)
#define PM_FLAG_LAMINAR	 (1u << 5)

#define PM_SET_MAX	    2
#define PM_SCHEDULERS_BYTES 256
#define PM_MANAGER_BYTES    16 /* "kernel", "userspace" */

struct pm_address {
	sa_family_t family;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

struct pm_endpoint {
	uint8_t id;	/* 0: let the kernel choose */
	uint32_t flags; /* PM_FLAG_* */
	int ifindex;	/* 0: any device */
	uint16_t port;	/* host byte order; 0: none */
	struct pm_address address;
	bool owned; /* made by us, from the state file */
};

struct pm_limits {
	uint32_t subflows;
	uint32_t add_addr_accepted;
};

struct pm_interface {
	int ifindex;
	char name[IF_NAMESIZE];
	bool up; /* IFF_UP and carrier */
	bool loopback;
	enum policy_link_type type; /* POLICY_LINK_ANY: none of the known types */
	uint32_t mtu_bytes;
	struct pm_address *addresses; /* global, not temporary, not tentative, not deprecated */
	size_t nr_addresses;
	uint64_t bytes; /* received and sent since it was made */
};

/* What was read from one network namespace. Free with pm_kernel_clear(). */
struct pm_kernel {
	struct pm_endpoint *endpoints;
	size_t nr_endpoints;
	struct pm_limits limits;
	struct pm_interface *interfaces; /* ordered by ifindex */
	size_t nr_interfaces;
	char scheduler[POLICY_SCHEDULER_BYTES]; /* net.mptcp.scheduler */
	bool enabled;				/* net.mptcp.enabled */
	char policy[POLICY_NAME_BYTES]; /* applied before, from the state file; may be empty */
	bool has_saved;			/* the two below are what was there before us */
	struct pm_limits saved_limits;
	char saved_scheduler[POLICY_SCHEDULER_BYTES];
	/* What we set ourselves. Two values only after an interrupted run: the one that was to be
	 * replaced and the one that was to come; either may be the kernel's now. */
	struct pm_limits set_limits[PM_SET_MAX];
	size_t nr_set_limits;
	char set_scheduler[PM_SET_MAX][POLICY_SCHEDULER_BYTES];
	size_t nr_set_scheduler;
	int syn_retries; /* net.mptcp.syn_retrans_before_tcp_fallback; -1: there is none */
	int saved_syn_retries, set_syn_retries[PM_SET_MAX];
	size_t nr_set_syn_retries;
	int fastopen; /* net.ipv4.tcp_fastopen; -1: there is none */
	int saved_fastopen, set_fastopen[PM_SET_MAX];
	size_t nr_set_fastopen;
	/* net.mptcp.path_manager of new connections, and the same about it. Empty: this kernel has
	 * none, or nothing was saved. */
	char manager[PM_MANAGER_BYTES], saved_manager[PM_MANAGER_BYTES];
	char set_manager[PM_SET_MAX][PM_MANAGER_BYTES];
	size_t nr_set_manager;
	/* The scheduler that the applied policy names; empty: none. */
	char policy_scheduler[POLICY_SCHEDULER_BYTES];
	char available_schedulers[PM_SCHEDULERS_BYTES]; /* names and blanks; empty: unknown */
	uint64_t generation;				/* of the state file; 0: there is none */
};

enum pm_action_kind {
	PM_ADD_ENDPOINT,
	PM_DELETE_ENDPOINT,
	PM_CHANGE_ENDPOINT, /* backup or fullmesh flag, in place (set-flags) */
	PM_SET_LIMITS,
	PM_SET_SCHEDULER,   /* sysctl; the scheduler itself is loaded by the caller before */
	PM_SET_SYN_RETRIES, /* sysctl */
	PM_SET_MANAGER,	    /* sysctl: who opens subflows of new connections */
	PM_SET_FASTOPEN,    /* sysctl: data in the SYN */
};

struct pm_action {
	enum pm_action_kind kind;
	struct pm_endpoint endpoint; /* new state for ADD/CHANGE, old for DELETE */
	struct pm_endpoint before;   /* CHANGE: the old state */
	struct pm_limits limits, limits_before;
	char scheduler[POLICY_SCHEDULER_BYTES], scheduler_before[POLICY_SCHEDULER_BYTES];
	int syn_retries, syn_retries_before;
	int fastopen, fastopen_before;
	char manager[PM_MANAGER_BYTES], manager_before[PM_MANAGER_BYTES];
	char reason[128]; /* e.g. path "lte" (wwan0), mode handover */
};

/* What is wanted of a path or a source. */
enum pm_wanted {
	PM_WANT_NONE,
	PM_WANT_BACKUP,
	PM_WANT_ACTIVE,
};

enum pm_notice_kind {
	PM_NOTICE_PATH_ABSENT,	    /* no interface matches the path yet */
	PM_NOTICE_NO_ADDRESS,	    /* an interface matches but has no usable address */
	PM_NOTICE_FOREIGN_ENDPOINT, /* in the way or left over, not ours, untouched */
	PM_NOTICE_LIMIT,	    /* more interfaces than limits.subflows lets a connection use */
	PM_NOTICE_DISABLED,	    /* net.mptcp.enabled is 0 */
	PM_NOTICE_RULE_ABSENT,	    /* the cgroup of a rule does not exist yet */
	PM_NOTICE_RESCUE,	    /* where SYN rescue stands aside */
	PM_NOTICE_IPS,		    /* connections cannot begin on an interface that has a path */
	PM_NOTICE_DAEMON,	    /* part of the policy is in force only while the daemon runs */
};

struct pm_notice {
	enum pm_notice_kind kind;
	char text[192];
};

/* Ordered changes. Free with pm_plan_clear(). */
struct pm_plan {
	struct pm_action *actions;
	size_t nr_actions;
	struct pm_notice *notices;
	size_t nr_notices;
};

/*
 * Enters a network namespace for the calling thread: a name under /run/netns, or a path with a
 * slash. NULL stays. Also remounts nothing: sysctls are reached through /proc/thread-self or a
 * /proc/sys that follows the namespace. -ENOENT, -EPERM.
 */
int pm_netns_enter(const char *name, struct error *e);

int pm_kernel_read(struct pm_kernel *out, struct error *e);
/* The same without the interfaces, for those who know them already. */
int pm_kernel_read_settings(struct pm_kernel *out, struct error *e);
void pm_kernel_clear(struct pm_kernel *k);

/*
 * Each usable address of an interface that is up and belongs to a path gives one endpoint. With
 * `force`, foreign endpoints that are in the way or left over are changed or deleted, and the
 * changed ones become ours; at unload foreign ones are left alone whatever `force` says. Endpoints
 * that the kernel made by itself (PM_FLAG_IMPLICIT) are ignored. Applying the plan and planning
 * again gives no action.
 *
 * A policy of the userspace engine has no endpoints. -EINVAL when it asks for the kernel's and for
 * what that cannot do.
 *
 * Pure. `policy` NULL means "nothing of ours should remain" (unload: saved values come back). */
int pm_plan_make(const struct policy *policy, const struct pm_kernel *kernel, bool force,
		 struct pm_plan *out, struct error *e);

struct pm_plan_options {
	bool force;
	/* Who is to open subflows of new connections; AUTO: net.mptcp.path_manager is left alone,
	 * or becomes again what it was before us. */
	enum policy_engine engine;
	bool has_daemon;	      /* that does the rest, or will */
	bool leave_scheduler;	      /* who loads schedulers sets it, too */
	bool leave_endpoints;	      /* those there are stay, none is added */
	const enum pm_wanted *wanted; /* by path, in place of what mode and path say; or NULL */
};
int pm_plan_make_as(const struct policy *policy, const struct pm_kernel *kernel,
		    const struct pm_plan_options *options, struct pm_plan *out, struct error *e);
void pm_plan_clear(struct pm_plan *p);
/* -ENOMEM. */
int pm_plan_add_notice(struct pm_plan *plan, enum pm_notice_kind kind, const char *text);

/*
 * Carries the plan out in order and records ownership. On failure undoes what was done, newest
 * first, and returns the first error; if undoing fails too, `e` names what was left behind.
 * A lock (/run/mptcp-pm/lock) keeps two runs apart: -EBUSY, also when another run changed the
 * namespace's state after `before` was read. Killed at any instant, the state file lists at least
 * every endpoint that is ours, so the next run can take over or clean up.
 */
int pm_plan_execute(const struct policy *policy, const struct pm_kernel *before,
		    const struct pm_plan *plan, struct error *e);

/* One line for a person, e.g. "add endpoint 10.0.1.2 id 1 dev wlan0 subflow". */
void pm_action_describe(const struct pm_action *a, char *out, size_t size);
const char *pm_address_text(const struct pm_address *a, char out[INET6_ADDRSTRLEN]);

/* Removes the state files of namespaces that are gone, each after `gone` has removed what else
 * there is of it; its error ends this. */
int pm_state_forget_dead(int (*gone)(uint64_t cookie, struct error *e), struct error *e);

/* Schedulers that some namespace's state file says are in use by a policy, NULL-terminated
 * array, caller frees with one free(). Files from before a reboot are removed on the way. */
int pm_state_schedulers(char ***out, struct error *e);

#endif
